"""A training history from where people have one: our runs, Keras, a CSV file, a DataFrame."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from digitlens.errors import DataError
from digitlens.metrics.history import Epoch
from digitlens.storage import read_regular

# The curves, and what they are called here and by Keras.
COLUMNS = {
    "train_loss": ("train_loss", "loss"),
    "train_accuracy": ("train_accuracy", "accuracy", "acc", "sparse_categorical_accuracy"),
    "validation_loss": ("validation_loss", "val_loss"),
    "validation_accuracy": (
        *("validation_accuracy", "val_accuracy", "val_acc"),
        "val_sparse_categorical_accuracy",
    ),
}

MAX_COUNT = 10_000
MAX_BYTES = 10_000_000


def read_history(source: Any) -> list[Epoch]:
    """Return the epochs of a history, wherever it comes from.

    source: a run, or its `Epoch` objects; what Keras' `fit` returned, or its dictionary of
        lists; a CSV file by path, as a run folder or Keras' CSVLogger has it; a DataFrame with
        such columns. Accuracies are shares, 0..1. Validation may be missing.

    Raises DataError: there are no epochs, no training loss or accuracy, or no numbers.

    >>> columns = {"loss": [0.5, 0.3], "accuracy": [0.85, 0.91]}
    >>> [(e.epoch, e.train_loss, e.validation_loss) for e in read_history(columns)]
    [(1, 0.5, None), (2, 0.3, None)]
    """
    if isinstance(source, str | Path):
        return _from_columns(_read_csv(Path(source)), source)
    if hasattr(source, "to_dict") and hasattr(source, "columns"):
        return _from_columns(source.to_dict("list"), "the table")
    if isinstance(source, Mapping):
        return _from_columns(source, "the history")
    if isinstance(source, Sequence) and all(isinstance(epoch, Epoch) for epoch in source):
        return _check(list(source), "the history")
    if hasattr(source, "history"):
        return read_history(source.history)
    raise DataError(
        "a history is a run, a Keras History, a CSV file, a DataFrame or a dictionary of lists",
        seen=type(source).__name__,
    )


def infer_count(history: Sequence[Epoch]) -> int:
    """Return of how many digits the validation accuracies are whole numbers, 10,000 at most.

    >>> epochs = read_history({"loss": [1, 1], "accuracy": [0.5, 0.5], "val_loss": [1, 1],
    ...                        "val_accuracy": [17 / 40, 23 / 40]})
    >>> infer_count(epochs)
    40
    """
    held = [e.validation_accuracy for e in history if e.validation_accuracy is not None]
    if len(set(held)) < 2:
        return MAX_COUNT  # one figure says too little
    # Keras' accuracies have seven digits.
    whole = (
        count
        for count in range(10, MAX_COUNT)
        if all(abs(share * count - round(share * count)) < 1e-7 * count for share in held)
    )
    return next(whole, MAX_COUNT)


def _read_csv(path: Path) -> dict[str, list[str]]:
    try:
        text = read_regular(path, MAX_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeError) as error:
        seen = getattr(error, "strerror", None) or "other bytes than text"
        raise DataError(f"{path} must be a history as CSV", seen=seen) from error
    try:
        rows = list(csv.DictReader(text.splitlines()))
    except csv.Error as error:  # a field of more than 131,072 characters
        raise DataError(f"{path} must be a history as CSV", seen=str(error)) from error
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _from_columns(columns: Mapping[Any, Sequence[Any]], where: object) -> list[Epoch]:
    by_name = {
        curve: next((columns[name] for name in names if name in columns), None)
        for curve, names in COLUMNS.items()
    }
    if by_name["train_loss"] is None or by_name["train_accuracy"] is None:
        raise DataError(
            f"{where} must have a loss and an accuracy of each epoch",
            seen=f"columns: {', '.join(map(str, columns)) or 'none'}",
            try_='compile(..., metrics=["accuracy"]) of Keras, or loss and accuracy as names',
        )
    nothing = [None] * len(by_name["train_loss"])
    try:
        filled = (nothing if values is None else values for values in by_name.values())
        curves = [_numbers(values) for values in filled]
        history = [
            Epoch(number, a, b, c, d, learning_rate=0.0, seconds=0.0, digits_per_second=0.0)
            for number, (a, b, c, d) in enumerate(zip(*curves, strict=True), 1)
        ]
    except (TypeError, ValueError) as error:
        wanted = f"{where} must hold as many numbers in each column"
        raise DataError(wanted, seen=str(error)) from error
    return _check(history, where)


def _numbers(values: Sequence[Any]) -> list[Any]:
    """Return floats; None for what was not measured: nothing, or NaN in a table."""
    numbers = [None if value in ("", None) else float(value) for value in values]
    return [None if number is None or math.isnan(number) else number for number in numbers]


def _check(history: list[Epoch], where: object) -> list[Epoch]:
    if not history:
        raise DataError(f"{where} must have an epoch", seen="none")
    for epoch in history:
        shares = (epoch.train_accuracy, epoch.validation_accuracy)
        if epoch.train_loss is None or epoch.train_accuracy is None:
            raise DataError(
                f"{where} must have a training loss and accuracy in each epoch",
                seen=f"none, or no number, in epoch {epoch.epoch}",
                likely="training has diverged: a lower learning rate",
            )
        if not all(share is None or 0 <= share <= 1 for share in shares):
            raise DataError(
                f"{where} must have accuracies as shares, 0 to 1",
                seen=f"{max(share or 0 for share in shares):g} in epoch {epoch.epoch}",
                try_="divide per cent by 100",
            )
    return history
