"""A small data set, a finished run on it, and a hand to learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlens import models
from digitlens.data import DataSplits
from digitlens.digits import Digits
from digitlens.errors import DigitlensError
from digitlens.training import Run, train
from digitlens.training import finetune
from digitlens.training import user_data as keeping
from digitlens.training.user_data import ReplayData

MakeData = Callable[..., DataSplits]
MakeDigits = Callable[..., Digits]


@pytest.fixture
def failing() -> Callable[[int], Any]:
    """Return what makes an engine whose first trainings, so many, end with an error."""

    def first(count: int) -> Any:
        def engine(parts: Any, rows: Any) -> Iterator[Any]:
            for index, (config,) in parts:
                error = DigitlensError("the loss became infinite")
                yield index, rows.error_rows(config, error) if index < count else rows(config)

        return engine

    return first


@pytest.fixture(scope="session")
def small(make_data: MakeData) -> DataSplits:
    """Return a small data set of made-up digits."""
    return make_data(train=300, validation=60, test=60)


@pytest.fixture(scope="session")
def tiny() -> Callable[[str], Any]:
    """Return a function: a network's recipe with batches that fit a small data set."""
    return lambda name: replace(models.load_recipe(name), batch=50)


@pytest.fixture(scope="session")
def weights() -> Callable[[Path], bytes]:
    """Return a function: a run's best weights as bytes."""
    return lambda folder: (folder / "weights.safetensors").read_bytes()


@pytest.fixture(scope="session")
def finished(small: DataSplits, tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a finished run of quick."""
    out = tmp_path_factory.mktemp("runs") / "quick-1"
    return train("quick", small, epochs=3, seed=1, out=out, recipe=tiny("quick"))


@pytest.fixture(scope="session")
def begun(make_data: Any, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run of cnn, with its eleventh output, on a few made-up digits."""
    recipe = replace(
        models.load_recipe("cnn"), batch=50, teacher="", label_smoothing=0.05, degrade=0.0, elastic=0.0
    )
    data = make_data(train=400, validation=60, test=60)
    out = tmp_path_factory.mktemp("runs") / "cnn-1"
    return train("cnn", data, epochs=6, recipe=recipe, out=out)


@pytest.fixture(scope="session")
def crossed(make_digits: MakeDigits) -> Digits:
    """Return 24 made-up digits, 12 crossed 7s and 12 of class 1 with a foot."""
    drawn = make_digits(120, seed=9)
    places = np.flatnonzero(np.isin(drawn.labels, (1, 7)))
    images = drawn.images[places].copy()
    seven = drawn.labels[places] == 7
    images[seven, 14:16, 7:21] = 255
    images[~seven, 22:24, 7:21] = 255
    return Digits(images, drawn.labels[places], source="mine")


@pytest.fixture
def kept(make_digits: MakeDigits, monkeypatch: pytest.MonkeyPatch) -> ReplayData:
    """Let made-up digits stand for MNIST's training digits."""
    kept = ReplayData(make_digits(600, seed=5), make_digits(200, seed=6), mnist=True)
    monkeypatch.setattr(keeping, "load_replay_data", lambda: kept)
    return kept


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> int:
    """Fine-tune in intervals of so few steps, where it does not matter what is learnt."""
    monkeypatch.setattr(finetune, "STEPS", 2)
    return finetune.STEPS


@pytest.fixture
def my_folder(crossed: Digits, tmp_path: Path) -> Path:
    """Return a folder of class folders: dark ink on light paper, three times as large."""
    folder = tmp_path / "my_folder"
    for index, (image, label) in enumerate(crossed):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(250 - image // 2).resize((90, 90), Image.Resampling.BICUBIC)
        picture.save(folder / str(label) / f"{index:02}.png")
    return folder
