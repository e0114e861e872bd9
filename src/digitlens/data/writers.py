"""QMNIST's tables: who wrote each MNIST digit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digitlens.errors import CorruptFileError, DataError

if TYPE_CHECKING:
    from digitlens.digits import Indices, Labels


_COLUMNS = 8
"""Label, hsf, writer, digit of writer, NIST class, NIST position, duplicate, unused."""


@dataclass(frozen=True, eq=False)
class WriterTable:
    """Who wrote each digit."""

    writers: Indices  # int64 (N,): NIST's number of the writer
    # int64 (N,): NIST's group of writers (hsf): 0 and 1 are employees, 4 are pupils
    partitions: Indices


def parse_writers(text: bytes, name: str, labels: Labels) -> WriterTable:
    """Read a table of QMNIST and check it against the labels of the digits.

    text: the unpacked table: a row of eight whole numbers for each digit, without a header. It
        may go on after the last label, as the test table does: MNIST's 10,000 test digits are
        the first of its 60,000 rows.
    labels: uint8 (N,), the labels in the table's order

    Raises CorruptFileError: the table has too few rows, or a row is not eight whole numbers;
    DataError: a label differs from the one that the label file gives.
    """
    rows = _first_rows(text, len(labels), name=name)
    try:
        numbers = np.fromstring(rows, dtype=np.int64, sep=" ")
    except (ValueError, DeprecationWarning):  # numpy says "will raise in the future"
        numbers = np.empty(0, np.int64)
    if len(numbers) != len(labels) * _COLUMNS:
        raise CorruptFileError(
            f"{name} must hold {_COLUMNS} whole numbers in each row", seen=_first_wrong(rows)
        )
    table = numbers.reshape(-1, _COLUMNS)
    # The labels stand in the table too: they prove that it belongs to these pictures.
    differ = np.flatnonzero(table[:, 0] != labels)
    if len(differ):
        index = int(differ[0])
        raise DataError(
            f"{name} must give the same labels as the label file",
            seen=f"{len(differ):,} differ; the first, row {index + 1}, is {table[index, 0]} "
            f"and not {labels[index]}",
            likely="the table belongs to other pictures",
        )
    return WriterTable(
        writers=np.ascontiguousarray(table[:, 2]), partitions=np.ascontiguousarray(table[:, 1])
    )


def _first_rows(text: bytes, count: int, *, name: str) -> bytes:
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))
    rows = len(ends) + (not text.endswith(b"\n") and bool(text))
    if rows < count:
        raise CorruptFileError(
            f"{name} must have a row for each of {count:,} digits", seen=f"{rows:,} rows"
        )
    return text if rows == count else text[: ends[count - 1] + 1] if count else b""


def _first_wrong(rows: bytes) -> str:
    for index, row in enumerate(rows.splitlines(), start=1):
        cells = row.split()
        if len(cells) != _COLUMNS or not all(cell.lstrip(b"-").isdigit() for cell in cells):
            return f"row {index}: {row[:60].decode('ascii', 'replace')}"
    return "a number too large to be one of NIST's"
