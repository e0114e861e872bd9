"""demo: the whole story, on few digits and in few epochs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlens import data as data_module
from digitlens.digits import Digits
from digitlens.errors import MissingDataError
from digitlens.models import recipe

Cli = Callable[..., Any]


@pytest.fixture(autouse=True)
def short(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell the story in few steps, in an empty folder."""
    monkeypatch.setattr(recipe, "MIN_STEPS", 1)


@pytest.fixture
def npz(in_tmp: Path, make_digits: Callable[..., Digits]) -> Path:
    """Return a file of a few digits."""
    train, test = make_digits(300, seed=1), make_digits(60, seed=2)
    path = Path("few.npz")
    np.savez(
        path,
        x_train=train.images,
        y_train=train.labels,
        x_test=test.images,
        y_test=test.labels,
    )
    return path


def test_the_story_is_told_in_six_sections(digitlens: Cli, npz: Path) -> None:
    """Six numbered sections, each with the course's own words, and every file they name."""
    ended = digitlens("demo", "--data", npz)
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    heads = [line for line in lines if re.match(r"\d  \w", line)]
    assert [head[0] for head in heads] == list("123456")
    assert sum(line.startswith("   in the course: ") for line in lines) == 6
    assert max(map(len, [*lines, *ended.err.splitlines()])) <= 80
    assert "\x1b" not in ended.out
    folder = Path("demo")
    assert {path.name for path in folder.iterdir()} == {
        "dense",
        "course-cnn",
        "digits.png",
        "confusion.png",
        "errors.png",
        "report.html",
        "picture.png",
    }
    for name in ("digits.png", "dense/history.png", "course-cnn/history.png", "report.html"):
        assert str(folder / name) in ended.out
    assert "epoch  1 of " in ended.err
    assert "What to type next" in lines

    again = digitlens("predict", "demo/picture.png", "--model", "demo/course-cnn")
    assert again.code == 0, again.err


def test_without_mnist_it_goes_on_loudly_with_uci(
    digitlens: Cli, monkeypatch: pytest.MonkeyPatch, npz: Path
) -> None:
    """When MNIST cannot be had, stderr says so and the story goes on with other digits."""
    real = data_module.load_digits

    def load(source: str) -> Any:
        if source == "mnist":
            raise MissingDataError("MNIST is not here", try_="digitlens data fetch mnist")
        assert source == "uci"
        return real(npz)

    monkeypatch.setattr(data_module, "load_digits", load)
    (folder := Path("demo")).mkdir()
    (folder / "mine.txt").write_text("")
    ended = digitlens("demo")
    assert ended.code == 0, ended.err
    assert ended.err.startswith(
        "WITHOUT MNIST: MNIST is not here\n  try     digitlens data fetch mnist\n"
    )
    assert "All figures below are uci's, not MNIST's." in ended.err
    assert Path("demo-2/report.html").is_file()
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


def test_a_folder_that_is_not_empty_is_left_alone(digitlens: Cli, npz: Path) -> None:
    """--out must be empty or not there; nothing in it is touched."""
    ended = digitlens("demo", "--data", npz, "--out", ".")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "error: . must be empty or not there yet\n  try     another --out\n"
