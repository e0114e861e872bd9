"""What a notebook user tries first: thirty calls, and what they show and refuse."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader

import digitlens as dl
from digitlens.data import DataSplits
from digitlens.errors import UsageError
from digitlens.models.predictions import Prediction
from digitlens.ocr.page import Page


@pytest.fixture(scope="module")
def desk(
    tmp_path_factory: pytest.TempPathFactory,
    make_data: Callable[..., DataSplits],
    strokes: Callable[..., np.ndarray],
) -> Iterator[SimpleNamespace]:
    """Return a folder with pictures, a page and a PDF, and data, a model and a run."""
    folder = tmp_path_factory.mktemp("desk")
    data = make_data(train=300, validation=60, test=60)
    one = Image.fromarray(255 - np.kron(data.test.images[1], np.ones((4, 4), np.uint8)))
    page = Image.fromarray(strokes("1714", "471"))
    (folder / "folder").mkdir()
    for name in ("7.png", "8.png"):
        one.save(folder / name)
    page.save(folder / "page.jpg")
    page.save(folder / "scan.pdf")
    page.save(folder / "folder" / "page.png")
    run = dl.train("dense", data, epochs=1, out=folder / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield SimpleNamespace(
            data=data,
            x=data.test.images,
            picture=one,
            pixels=np.asarray(page),
            run=run,
            model=run.model,
            reader=dl.Reader(),
            page=dl.read("page.jpg"),
            folder=folder,
        )


def cross_validate(data: DataSplits) -> Any:
    """Return scikit-learn's scores of two folds; only who runs this waits for its import."""
    from sklearn.model_selection import cross_val_score

    x = data.test.images.reshape(-1, 784) / 255
    return cross_val_score(dl.DigitClassifier(epochs=1), x, data.test.labels, cv=2)


def own_network() -> nn.Sequential:
    """Return a network that nobody has registered."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.ReLU(), nn.Linear(16, 10))


CALLS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], bool]]] = {
    'dl.predict("7.png")': (lambda d: dl.predict("7.png"), lambda r: type(r) is Prediction),
    "dl.predict(Image)": (lambda d: dl.predict(d.picture), lambda r: 0 <= r.label <= 9),
    "dl.predict([paths])": (
        lambda d: dl.predict(["7.png", Path("8.png")]),
        lambda r: [item.name for item in r] == ["7.png", "8.png"],
    ),
    "dl.predict(bytes)": (
        lambda d: dl.predict(Path("7.png").read_bytes()),
        lambda r: type(r) is Prediction,
    ),
    "dl.predict(open(...))": (
        lambda d: dl.predict(io.BytesIO(Path("7.png").read_bytes())),
        lambda r: type(r) is Prediction,
    ),
    'model.predict("7.png")': (
        lambda d: d.model.predict("7.png"),
        lambda r: r.label in range(10),
    ),
    "model.predict(x[0])": (lambda d: d.model.predict(d.x[0]), lambda r: len(r) == 1),
    "model.predict(x / 255)": (lambda d: d.model.predict(d.x / 255), lambda r: len(r) == 60),
    "model.predict(torch tensor)": (
        lambda d: d.model.predict(torch.from_numpy(d.x)[:, None].float() / 255),
        lambda r: len(r) == 60,
    ),
    "model.predict(x)": (lambda d: d.model.predict(d.x), lambda r: r.labels.shape == (60,)),
    'model("7.png")': (lambda d: d.model("7.png"), lambda r: type(r) is Prediction),
    'dl.read("page.jpg")': (lambda d: dl.read("page.jpg"), lambda r: type(r) is Page),
    'dl.read("scan.pdf")': (
        lambda d: list(dl.read("scan.pdf")),
        lambda r: [page.name for page in r] == ["scan.pdf, page 1"],
    ),
    'dl.read("folder/")': (lambda d: list(dl.read("folder/")), lambda r: len(r) == 1),
    "dl.Reader().read([a, b])": (
        lambda d: d.reader.read([d.pixels, "page.jpg"]),
        lambda r: len(r) == 2 and all(isinstance(lines, list) for lines in r),
    ),
    'dl.evaluate("cnn", "mnist")': (
        lambda d: dl.evaluate("quick", "uci"),
        lambda r: r.count == 359 and r.model == "quick",
    ),
    'dl.compare(["cnn", "quick"], "mnist")': (
        lambda d: dl.compare(["tiny", "quick"], "uci"),
        lambda r: len(r.evaluations) == 2,
    ),
    "data.train[0]": (
        lambda d: d.data.train[0],
        lambda r: r[0].shape == (28, 28) and r[1] in range(10),
    ),
    "for image, label in data.train": (lambda d: list(d.data.train), lambda r: len(r) == 300),
    "data at a prompt": (lambda d: d.data, lambda r: len(repr(r)) < 100),
    "run.history at a prompt": (lambda d: d.run.history, lambda r: len(repr(r)) < 100),
    "evaluation at a prompt": (
        lambda d: dl.evaluate(d.run, d.data),
        lambda r: len(repr(r)) < 100 and "<table>" in r._repr_html_(),
    ),
    "pd.DataFrame(run.history)": (
        lambda d: pd.DataFrame(d.run.history),
        lambda r: "validation_loss" in r.columns,
    ),
    "page.to_pandas()": (
        lambda d: d.page.to_pandas(),
        lambda r: isinstance(r, pd.DataFrame),
    ),
    "dl.list_models()": (
        lambda d: dl.list_models(),
        lambda r: {"cnn", "universal"} <= {card.name for card in r} and "cnn" in repr(r),
    ),
    "dl.show(data.train[:25])": (
        lambda d: dl.show(d.data.train[:25]),
        lambda r: isinstance(r, Image.Image),
    ),
    "page.annotate()": (lambda d: d.page.annotate(), lambda r: isinstance(r, Image.Image)),
    "dl.train(nn.Sequential(...), data)": (
        lambda d: dl.train(own_network(), d.data, epochs=1, out=str(d.folder / "own")),
        lambda r: r.model.predict(np.zeros((2, 28, 28), np.uint8)).labels.shape == (2,),
    ),
    "cross_val_score(dl.DigitClassifier(), X, y)": (
        lambda d: cross_validate(d.data),
        lambda r: len(r) == 2 and np.isfinite(r).all(),
    ),
    "DataLoader(data.train, batch_size=64)": (
        lambda d: next(iter(DataLoader(d.data.train, batch_size=64))),
        lambda r: r[0].shape == (64, 28, 28) and r[1].shape == (64,),
    ),
}


def test_there_are_thirty_calls() -> None:
    """The list is that of the first calls."""
    assert len(CALLS) == 30


@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_users_try_first_works(desk: SimpleNamespace, call: str) -> None:
    """Each of the thirty calls gives what it seems to say."""
    act, is_right = CALLS[call]
    assert is_right(act(desk))


def test_part_is_for_a_source_and_not_for_digits() -> None:
    """Of digits all are taken, so asking for a part of them is refused."""
    with pytest.raises(UsageError, match="part is for a source"):
        dl.evaluate("tiny", dl.load_digits("uci").test, part="train")
