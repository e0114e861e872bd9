"""QMNIST's tables of writers: read, and checked against the labels."""

from __future__ import annotations

import numpy as np
import pytest

from digitlens.data.idx import parse_writers
from digitlens.errors import CorruptFileError, DataError

LABELS = np.array([5, 0, 4], np.uint8)
# The first rows of QMNIST's table of training digits.
ROWS = [
    b"5\t4\t2154\t59\t35\t229421\t0\t0",
    b"0\t0\t0\t0\t30\t0\t0\t0",
    b"4\t4\t2232\t65\t34\t238481\t0\t0",
]
TABLE = b"\n".join(ROWS) + b"\n"


def test_writers_and_partitions_are_read() -> None:
    """Column three is the writer, column two NIST's partition."""
    known = parse_writers(TABLE, "table", LABELS)
    assert known.writers.tolist() == [2154, 0, 2232]
    assert known.partitions.tolist() == [4, 0, 4]


@pytest.mark.parametrize(
    "text",
    [TABLE.rstrip(b"\n"), TABLE.replace(b"\n", b"\r\n"), TABLE + b"rows for other digits\n"],
)
def test_line_ends_and_later_rows_do_not_matter(text: bytes) -> None:
    """The last line end may be missing, and the test table has more rows than digits."""
    assert parse_writers(text, "table", LABELS).writers.tolist() == [2154, 0, 2232]


def test_no_digits_need_no_rows() -> None:
    """The writers of no digits are none."""
    assert len(parse_writers(TABLE, "table", LABELS[:0]).writers) == 0


def test_too_few_rows_are_refused() -> None:
    """A table that was cut off says how many rows it has."""
    with pytest.raises(CorruptFileError, match="a row for each of 3 digits") as caught:
        parse_writers(TABLE[: len(ROWS[0]) + 5], "table", LABELS)
    assert caught.value.seen == "2 rows"
    with pytest.raises(CorruptFileError) as caught:
        parse_writers(b"", "table", LABELS)
    assert caught.value.seen == "0 rows"


@pytest.mark.parametrize(
    ("row", "seen"),
    [
        (b"0\t0\tx\t0\t30\t0\t0\t0", "row 2: 0\t0\tx\t0\t30\t0\t0\t0"),
        (b"0\t0\t0\t0\t30\t0\t0", "row 2: 0\t0\t0\t0\t30\t0\t0"),
        (b"", "row 2: "),
    ],
)
def test_a_wrong_row_is_named(row: bytes, seen: str) -> None:
    """Letters, missing columns and empty rows are found."""
    text = b"\n".join([ROWS[0], row, ROWS[2]])
    with pytest.raises(CorruptFileError, match="8 whole numbers in each row") as caught:
        parse_writers(text, "table", LABELS)
    assert caught.value.seen == seen


def test_a_table_of_other_digits_is_refused() -> None:
    """The labels of table and label file must agree."""
    with pytest.raises(DataError) as caught:
        parse_writers(TABLE, "table", np.array([5, 0, 9], np.uint8))
    assert str(caught.value) == (
        "table must give the same labels as the label file\n"
        "  seen    1 differ; the first, row 3, is 4 and not 9\n"
        "  likely  the table belongs to other pictures"
    )
