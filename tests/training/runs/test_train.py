"""Training runs from digits to a finished folder."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from digitlens.data import DataSplits
from digitlens.digits import Digits
from digitlens.errors import DivergedError, StorageError
from digitlens.metrics.history import from_csv
from digitlens.models.inference import load_model
from digitlens.training import Run, digit_run, session, train
from digitlens.training.config import NullCallback

FILES = {
    "config.toml",
    "history.csv",
    "history.png",
    "confusion.png",
    "metrics.json",
    "weights.safetensors",
    "last.safetensors",
    "model.onnx",
    "card.md",
}

MakeData = Callable[..., DataSplits]


def test_a_run_folder_holds_what_the_interface_promises(finished: Run) -> None:
    """All nine files are there, none is a pickle, and no temporary file is left."""
    names = {path.name for path in finished.folder.iterdir()}
    assert names == FILES | {".lock"}
    config = tomllib.loads((finished.folder / "config.toml").read_text())
    assert config["run"] == {"network": "quick", "seed": 1}
    assert config["recipe"]["epochs"] == 3
    assert config["data"]["counts"] == {"train": 300, "held_back": 60}
    metrics = json.loads((finished.folder / "metrics.json").read_text())
    assert metrics["validation"] == {"misses": finished.misses, "count": 60}
    history = from_csv((finished.folder / "history.csv").read_text())
    assert history == finished.history
    assert len(history) == 3


def test_the_model_answers_as_the_network(finished: Run, small: DataSplits) -> None:
    """`run.model` is the exported network with the best epoch's weights, and it has learned."""
    images = small.validation.images
    with torch.inference_mode():
        logits = finished.network(torch.from_numpy(images).unsqueeze(1).float() / 255)
    predictions = finished.model.predict(images)
    np.testing.assert_allclose(predictions.probabilities, logits.softmax(1).numpy(), atol=1e-4)
    assert int((predictions.labels != small.validation.labels).sum()) == finished.misses
    assert finished.misses <= 6


def test_the_card_says_what_was_trained(finished: Run) -> None:
    """The card inside the model and the one beside it name data, seed and misses."""
    card = load_model(finished.folder).card
    assert (card.network, card.seed, card.epochs) == ("quick", 1, 3)
    assert card.validation == {"misses": finished.misses, "count": 60}
    assert (finished.folder / "card.md").read_text() == card.markdown()


def test_the_same_seed_gives_the_same_weights(
    finished: Run, small: DataSplits, tmp_path: Path, tiny: Any, weights: Any
) -> None:
    """A second run with the seed ends at the same bytes; another seed does not."""
    again = train("quick", small, epochs=3, seed=1, out=tmp_path / "a", recipe=tiny("quick"))
    other = train("quick", small, epochs=3, seed=2, out=tmp_path / "b", recipe=tiny("quick"))
    assert weights(again.folder) == weights(finished.folder)
    assert weights(other.folder) != weights(finished.folder)


class Interrupting(NullCallback):
    """A progress that sends Ctrl-C after so many steps."""

    def __init__(self, after: int) -> None:
        self.after = after

    def step(self, done_steps: int) -> None:
        """Send the signal once."""
        import os
        import signal

        if done_steps >= self.after > 0:
            self.after = 0
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("after", [1, 7])
def test_ctrl_c_saves_and_resume_ends_at_the_same_weights(
    finished: Run,
    small: DataSplits,
    tmp_path: Path,
    after: int,
    tiny: Any,
    weights: Any,
) -> None:
    """A run that is stopped in the middle of an epoch and gone on with is the same run."""
    from digitlens.errors import StoppedError

    out = tmp_path / "run"
    with pytest.raises(StoppedError) as caught:
        train(
            "quick",
            small,
            epochs=3,
            seed=1,
            out=out,
            recipe=tiny("quick"),
            progress=Interrupting(after),
        )
    assert "--resume" in str(caught.value)
    assert caught.value.exit_code == 130
    assert not (out / "metrics.json").exists()
    run = train("quick", small, out=out, resume=True)
    assert weights(out) == weights(finished.folder)
    assert [epoch.validation_loss for epoch in run.history] == [
        epoch.validation_loss for epoch in finished.history
    ]


def test_with_nothing_held_back_the_last_epoch_is_kept(
    make_data: MakeData, tmp_path: Path, tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without validation digits there is no best epoch to choose, so it is the recipe's end.

    What the last epoch's evaluation answered is not asked for again.
    """
    monkeypatch.setattr(digit_run, "predict_labels", None)
    data = make_data(train=120, validation=0)
    run = train("quick", data, epochs=2, out=tmp_path / "r", recipe=tiny("quick"))
    assert run.count == 0
    assert [epoch.validation_accuracy for epoch in run.history] == [None, None]
    assert run.model.card.best_epoch == 2


def test_a_loss_that_is_not_a_number_stops_the_run(
    small: DataSplits, tmp_path: Path, tiny: Any
) -> None:
    """The error says at which step, and the checkpoint of the last whole epoch stays."""
    recipe = replace(tiny("dense"), learning_rate=1e30, epochs=4, warmup=1.0)
    with pytest.raises(DivergedError) as caught:
        train("dense", small, out=tmp_path / "r", recipe=recipe)
    assert "step " in str(caught.value)
    assert "of 24, learning rate" in str(caught.value)
    assert caught.value.try_ is not None


def test_a_full_disk_leaves_the_last_checkpoint_readable(
    finished: Run,
    small: DataSplits,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tiny: Any,
    weights: Any,
) -> None:
    """When the second epoch cannot be saved, the first can be gone on with."""
    out = tmp_path / "run"
    real = session.write_bytes
    saved = []

    def full(path: Path, content: bytes) -> None:
        if path.name == "last.safetensors":
            saved.append(path)
            if len(saved) == 2:
                raise StorageError(f"{path} could not be written", seen="No space left")
        real(path, content)

    monkeypatch.setattr(session, "write_bytes", full)
    with pytest.raises(StorageError):
        train("quick", small, epochs=3, seed=1, out=out, recipe=tiny("quick"))
    monkeypatch.setattr(session, "write_bytes", real)
    train("quick", small, out=out, resume=True)
    assert weights(out) == weights(finished.folder)


def test_runs_are_numbered(small: DataSplits, in_tmp: Path, tiny: Any) -> None:
    """Runs without --out get the next free number."""
    digits: Digits = small.train[:60]
    data = replace(small, train=digits)
    folders = [train("quick", data, epochs=1, recipe=tiny("quick")).folder for _ in range(2)]
    assert [str(folder) for folder in folders] == [
        "runs/train/quick-1",
        "runs/train/quick-2",
    ]
