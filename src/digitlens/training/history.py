"""A run's history as CSV, one row an epoch."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from digitlens.diagnosis import Epoch

if TYPE_CHECKING:
    from collections.abc import Sequence


def to_csv(history: Sequence[Epoch]) -> str:
    """Return `history` as CSV with a header; what was not measured is empty.

    Examples
    --------
    >>> print(to_csv([Epoch(1, 0.5, 0.9, None, None, 0.01, 2.0, 30.0)]).splitlines()[1])
    1,0.5,0.9,,,0.01,2.0,30.0
    """
    return rows_to_csv(history, Epoch)


def rows_to_csv(rows: Sequence[Any], kind: type) -> str:
    """Return dataclasses of plain values as CSV, with the names of their fields on top."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(kind))
    for row in rows:
        values = asdict(row).values()
        writer.writerow("" if value is None else repr(value) for value in values)
    return text.getvalue()


def from_csv(text: str) -> list[Epoch]:
    """Return the history that `to_csv` wrote."""
    rows = csv.DictReader(io.StringIO(text))
    return [_epoch(row) for row in rows]


def _epoch(row: dict[str, str]) -> Epoch:
    values: dict[str, Any] = {
        name: float(value) if value else None for name, value in row.items()
    }
    values["epoch"] = int(row["epoch"])
    return Epoch(**values)
