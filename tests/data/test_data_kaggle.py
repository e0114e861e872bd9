"""CSV files of Kaggle's form: read by array operations, wrong cells named by line."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from digitlens.data import arrays, load_digits
from digitlens.data.arrays import parse_csv
from digitlens.errors import DataError, LabelError

HEADER = "label," + ",".join(f"pixel{index}" for index in range(784))
ROWS = np.random.default_rng(0).integers(0, 256, (40, 785))
ROWS[:, 0] = np.arange(40) % 10
LINES = [",".join(str(value) for value in row) for row in ROWS]


def text(lines: list[str], header: str | None = HEADER, end: str = "\n") -> bytes:
    """Return the bytes of a CSV file."""
    return end.join([*([header] if header else []), *lines, ""]).encode()


def with_cell(line: int, column: int, cell: str) -> list[str]:
    """Return the lines with one cell (both counted from 0) replaced."""
    lines = list(LINES)
    cells = lines[line].split(",")
    cells[column] = cell
    lines[line] = ",".join(cells)
    return lines


@pytest.mark.parametrize(
    "content",
    [
        text(LINES),
        text(LINES, header=None),
        text(LINES, header='"label",' + HEADER[6:]),
        text(
            LINES, header="Label," + ",".join(f"{a}x{b}" for a in range(28) for b in range(28))
        ),
        text(LINES, end="\r\n"),
        text(LINES).rstrip(b"\n"),
        text(LINES) + b"\n\n",
        b"\xef\xbb\xbf" + text(LINES),
    ],
)
def test_usual_forms_are_read(content: bytes) -> None:
    """With or without header, any line ends, a byte order mark, blank lines at the end."""
    rows = parse_csv(content, name="x.csv")
    assert rows.dtype == np.uint8
    assert np.array_equal(rows, ROWS)


@pytest.mark.parametrize("block", [1, 3000, 10_000])
def test_blocks_join_without_a_seam(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """The size of the blocks that are worked on does not matter, not even less than a line."""
    monkeypatch.setattr(arrays, "_BLOCK", block)
    assert np.array_equal(parse_csv(text(LINES), name="x.csv"), ROWS)
    with pytest.raises(DataError, match="line 37, column 3"):
        parse_csv(text(with_cell(35, 2, "-1")), name="x.csv")


@pytest.mark.parametrize("name", ["train.csv", "train.csv.gz"])
def test_a_file_gives_three_parts(tmp_path: Path, name: str) -> None:
    """Packed or not, a fifth is the test part and pictures are read row by row."""
    path = tmp_path / name
    content = text(LINES)
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    data = load_digits(path)
    assert (len(data.train), len(data.validation), len(data.test)) == (29, 3, 8)
    index = data.test.positions[0]
    assert np.array_equal(data.test.images[0], ROWS[index, 1:].reshape(28, 28))
    assert list(data.hashes) == [name]


@pytest.mark.parametrize(
    ("cell", "seen"),
    [
        ("256", "'256'"),
        ("1000", "'1000'"),
        ("0012", "'0012'"),
        ("-1", "'-1'"),
        ("12.0", "'12.0'"),
        ("1e2", "'1e2'"),
        ("", "''"),
        (" 7", "' 7'"),
        ("abc", "'abc'"),
        ("٣", "'٣'"),
        ("x" * 60, repr("x" * 40)),
    ],
)
def test_a_wrong_value_is_named_by_line_and_column(cell: str, seen: str) -> None:
    """The line is the one that an editor shows: the header is line 1."""
    with pytest.raises(DataError) as caught:
        parse_csv(text(with_cell(5, 13, cell)), name="x.csv")
    assert str(caught.value) == (
        "x.csv, line 7, column 14 (pixel12): a value must be a whole number in 0..255\n"
        f"  seen    {seen}"
    )


def test_without_a_header_lines_count_from_the_first_row() -> None:
    """The first row is line 1, its first column the label."""
    with pytest.raises(DataError, match=r"line 6, column 1 \(label\)"):
        parse_csv(text(with_cell(5, 0, "?"), header=None), name="x.csv")


@pytest.mark.parametrize(("change", "count"), [(-1, 784), (1, 786)])
def test_a_row_of_another_length_is_named(change: int, count: int) -> None:
    """A short or long row has its line in the message."""
    lines = list(LINES)
    lines[8] = lines[8].rsplit(",", 1)[0] if change < 0 else lines[8] + ",0"
    with pytest.raises(DataError) as caught:
        parse_csv(text(lines), name="x.csv")
    assert str(caught.value) == (
        "x.csv, line 10: a row must have 785 values, the label and 784 pixels\n"
        f"  seen    {count} values"
    )


def test_two_wrong_rows_do_not_make_a_right_one() -> None:
    """A short row and a long one, 1,570 values together, are both wrong."""
    lines = [LINES[0].rsplit(",", 1)[0], LINES[1] + ",0"]
    with pytest.raises(DataError, match="line 2: a row must have 785"):
        parse_csv(text(lines), name="x.csv")


def test_an_empty_row_is_named() -> None:
    """A blank line in the middle is a row with one empty value."""
    with pytest.raises(DataError, match="line 4"):
        parse_csv(text([*LINES[:2], "", *LINES[2:]]), name="x.csv")


@pytest.mark.parametrize("label", [10, 255])
def test_a_label_outside_the_digits_is_named(label: int) -> None:
    """The line of the first one, and how many there are."""
    with pytest.raises(LabelError) as caught:
        parse_csv(text(with_cell(5, 0, str(label))), name="x.csv")
    assert str(caught.value) == (
        f"the labels of x.csv must be in 0..9\n  seen    {label} in line 7; 1 such lines"
    )


@pytest.mark.parametrize("header", [HEADER.removeprefix("label,"), None])
def test_kaggles_test_file_has_no_labels(header: str | None) -> None:
    """784 columns are pixels only, and the message says which file that is."""
    lines = [line.split(",", 1)[1] for line in LINES]
    with pytest.raises(DataError) as caught:
        parse_csv(text(lines, header=header), name="test.csv")
    assert str(caught.value) == (
        "test.csv has no column of labels\n"
        "  seen    784 columns\n"
        "  likely  it is Kaggle's test.csv, whose labels were never published\n"
        "  try     use Kaggle's train.csv"
    )


@pytest.mark.parametrize(
    ("header", "seen"),
    [
        ("file,kind", "2 columns; the first is 'file'"),
        (HEADER.removeprefix("label,") + ",label", "785 columns; the first is 'pixel0'"),
    ],
)
def test_other_columns_are_refused(header: str, seen: str) -> None:
    """Another table, or the label last, is not Kaggle's form."""
    with pytest.raises(DataError, match="must have 785 columns, the label first") as caught:
        parse_csv(text(LINES, header=header), name="x.csv")
    assert caught.value.seen == seen


@pytest.mark.parametrize("content", [text([]), HEADER.encode()])
def test_a_header_alone_holds_no_digits(content: bytes) -> None:
    """There must be a row."""
    with pytest.raises(DataError, match="holds no digits"):
        parse_csv(content, name="x.csv")


def test_an_empty_file_is_refused() -> None:
    """Nothing at all is no table."""
    with pytest.raises(DataError, match="785 columns"):
        parse_csv(b"", name="x.csv")
