"""Histories from where people have them, and what is no history."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from digitlens.errors import DataError
from digitlens.metrics.diagnosis import Verdict, diagnose
from digitlens.metrics.history import to_csv
from digitlens.metrics.history_sources import infer_count, read_history

KERAS = {
    "loss": [0.20, 0.10, 0.06, 0.03, 0.015, 0.006, 0.002],
    "accuracy": [0.94, 0.97, 0.982, 0.991, 0.996, 0.999, 1.0],
    "val_loss": [0.18, 0.11, 0.085, 0.080, 0.090, 0.105, 0.120],
    "val_accuracy": [0.945, 0.966, 0.975, 0.979, 0.978, 0.977, 0.976],
}


class Frame:
    """What is used of a DataFrame."""

    def __init__(self, columns: dict[str, list[float]]) -> None:
        self.columns = list(columns)
        self._columns = columns

    def to_dict(self, orient: str) -> dict[str, list[float]]:
        """The columns as lists."""
        assert orient == "list"
        return self._columns


def sources(tmp_path: Path) -> list[Any]:
    """The same history in every form."""
    ours, keras = tmp_path / "history.csv", tmp_path / "log.csv"
    ours.write_text(to_csv(read_history(KERAS)))
    rows = [*zip(*KERAS.values(), strict=True)]
    lines = [f"{i},{','.join(map(str, row))}" for i, row in enumerate(rows)]
    keras.write_text("\n".join([f"epoch,{','.join(KERAS)}", *lines]))
    history = SimpleNamespace(history=KERAS)
    run = SimpleNamespace(history=read_history(KERAS))
    return [KERAS, history, run, run.history, Frame(KERAS), ours, str(keras)]


def test_every_form_gives_the_same_verdict(tmp_path: Path) -> None:
    """A run, Keras' History, its dictionary, a CSV of ours or Keras', and a DataFrame."""
    given = [diagnose(source) for source in sources(tmp_path)]
    assert {(one.verdict, one.since, one.best) for one in given} == {(Verdict.OVERFITS, 5, 4)}
    assert len({one.words for one in given}) == 1


def test_a_history_without_validation_is_one_too() -> None:
    """Keras without validation_split: nothing was held back."""
    few = {name: KERAS[name] for name in ("loss", "accuracy")}
    assert diagnose(few).verdict is Verdict.NOTHING_HELD_BACK


def test_the_count_is_inferred_from_shares() -> None:
    """Accuracies are whole numbers of the digits held back, to Keras' seven digits."""
    shares = [round(right / 6071, 7) for right in (5900, 5913, 5931)]
    columns = {"loss": [1, 1, 1], "acc": [0, 0, 0], "val_loss": [1, 1, 1], "val_acc": shares}
    assert infer_count(read_history(columns)) == 6071
    columns["val_acc"] = [0.5, 0.5, 0.5]
    assert infer_count(read_history(columns)) == 10_000


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (7, "a history is a run, a Keras History"),
        ({}, "must have a loss and an accuracy"),
        ({"loss": [], "accuracy": []}, "must have an epoch"),
        ({"loss": [1.0], "accuracy": [97.2]}, "accuracies as shares, 0 to 1"),
        ({"loss": [float("nan")], "accuracy": [0.1]}, "in each epoch"),
        ({"loss": [1.0], "accuracy": ["high"]}, "as many numbers"),
        ({"loss": [1.0], "accuracy": [0.5, 0.6]}, "as many numbers"),
        ("none.csv", "none.csv must be a history as CSV"),
    ],
)
def test_what_is_no_history_is_said(source: object, message: str) -> None:
    """Each fault is a DataError that names it."""
    with pytest.raises(DataError, match=message):
        diagnose(source)
