"""Digits in a CSV file of Kaggle's form: label, pixel0, ..., pixel783.

The numbers are read by array operations over a few megabytes at a time, a fraction of a
second for Kaggle's 42,000 rows; only a block with something wrong in it is walked through
cell by cell, to say where.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens import files
from digitlens.data.parts import Parts
from digitlens.digits import CLASSES, FEATURES, SIDE, Digits
from digitlens.errors import DataError, DigitlensError, LabelError
from digitlens.idx import unpack

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_COLUMNS = 1 + FEATURES
_BLOCK = 2 << 20
"""Bytes that are worked on at once: little enough to stay in the processor's cache."""


def read_csv(path: Path, *, source: str) -> Parts:
    """Read a .csv or .csv.gz file of one digit a row: the label, then 784 pixels.

    Parameters
    ----------
    path
        The file, with or without a header. Pixels are whole numbers, 0 = paper, 255 = ink,
        row by row.
    source
        What the user called it.

    Raises
    ------
    DataError
        No label column, no digits, or a row with a wrong value or of another length; the
        line is named, and the column.
    LabelError
        A label outside 0..9; the line is named.
    """
    found = files.read(path)
    rows = parse_csv(unpack(found.content, name=str(path)), name=str(path))
    images = np.ascontiguousarray(rows[:, 1:]).reshape(-1, SIDE, SIDE)
    labels = np.ascontiguousarray(rows[:, 0])
    return Parts(source, Digits(images, labels), {path.name: found.sha256})


def parse_csv(text: bytes, *, name: str) -> NDArray[np.uint8]:
    """Return uint8 (N, 785), the label and the pixels of each row of a CSV file.

    Raises
    ------
    DataError, LabelError
        As in `read_csv`.
    """
    if b"\r" in text[:8192]:
        text = text.replace(b"\r\n", b"\n")
    text = text.removeprefix(b"\xef\xbb\xbf")
    while text.endswith(b"\n\n"):
        text = text.rstrip(b"\n")
    if text and not text.endswith(b"\n"):
        text += b"\n"
    first = text[: text.find(b"\n")]
    header = any(chr(byte).isalpha() for byte in first)
    _check_columns(first, header, name=name)
    start = len(first) + 1 if header else 0
    line = 2 if header else 1
    blocks = []
    while start < len(text):
        end = text.rfind(b"\n", start, start + _BLOCK) + 1 or text.find(b"\n", start) + 1
        block = _numbers(text[start:end])
        if block is None:
            raise _first_wrong(text[start:end], line, name=name)
        blocks.append(block)
        start, line = end, line + len(block)
    if not blocks:
        raise DataError(f"{name} holds no digits", seen=f"{int(header)} line")
    rows = np.concatenate(blocks)
    wrong = np.flatnonzero(rows[:, 0] >= CLASSES)
    if len(wrong):
        at = int(wrong[0])
        raise LabelError(
            f"the labels of {name} must be in 0..{CLASSES - 1}",
            seen=f"{rows[at, 0]} in line {at + 1 + header}; {len(wrong):,} such lines",
        )
    return rows


def _check_columns(first: bytes, header: bool, *, name: str) -> None:
    cells = first.split(b",")
    labelled = not header or cells[0].strip(b' "').lower() == b"label"
    if len(cells) == FEATURES:
        raise DataError(
            f"{name} has no column of labels",
            seen=f"{FEATURES} columns",
            likely="it is Kaggle's test.csv, whose labels were never published",
            try_="use Kaggle's train.csv",
        )
    if len(cells) != _COLUMNS or not labelled:
        raise DataError(
            f"{name} must have {_COLUMNS} columns, the label first and then {FEATURES} pixels",
            seen=f"{len(cells):,} columns; the first is {_text(cells[0])}",
        )


def _numbers(block: bytes) -> NDArray[np.uint8] | None:
    """Return the numbers of whole lines as uint8 (N, 785), or None where one is wrong."""
    text = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(text < ord("0")).astype(np.int32)  # where a cell ends: , or a line
    starts = np.empty_like(ends)
    starts[0], starts[1:] = 0, ends[:-1] + 1
    lengths = ends - starts
    if len(ends) % _COLUMNS or lengths.min() < 1 or lengths.max() > 3 or text.max() > ord("9"):
        return None
    marks = text[ends].reshape(-1, _COLUMNS)
    if (marks[:, :-1] != ord(",")).any() or (marks[:, -1] != ord("\n")).any():
        return None
    digits = text - np.uint8(ord("0"))
    values = digits[ends - 1].astype(np.uint16)
    tens = np.flatnonzero(lengths >= 2)
    values[tens] += digits[ends[tens] - 2] * np.uint16(10)
    hundreds = np.flatnonzero(lengths == 3)
    values[hundreds] += digits[ends[hundreds] - 3] * np.uint16(100)
    if values.max() > 255:
        return None
    return values.astype(np.uint8).reshape(-1, _COLUMNS)


def _first_wrong(block: bytes, line: int, *, name: str) -> DigitlensError:
    """Return the error for the first wrong cell of a block that begins at `line`."""
    for number, row in enumerate(block[:-1].split(b"\n"), start=line):
        cells = row.split(b",")
        if len(cells) != _COLUMNS:
            return DataError(
                f"{name}, line {number}: a row must have {_COLUMNS} values, "
                f"the label and {FEATURES} pixels",
                seen=f"{len(cells):,} values",
            )
        for column, cell in enumerate(cells):
            if not (cell.isdigit() and len(cell) <= 3 and int(cell) <= 255):
                where = f"pixel{column - 1}" if column else "label"
                return DataError(
                    f"{name}, line {number}, column {column + 1} ({where}): "
                    "a value must be a whole number in 0..255",
                    seen=_text(cell),
                )
    raise AssertionError("a block was refused, yet each of its cells is right")


def _text(cell: bytes) -> str:
    return repr(cell[:40].decode("utf-8", "replace"))
