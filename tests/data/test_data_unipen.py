"""UNIPEN text: digits as strokes, read whole or refused with the line that is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlens.data.pen_digits import parse_unipen
from digitlens.errors import CorruptFileError

TEXT = b""".INCLUDE dene.doc
.LEXICON "0" "1"
 .SEGMENT DIGIT 0-1 ? "4"
.COMMENT 4 12 224
.PEN_DOWN
 10 90
 0 50
 30 50
.PEN_UP
.DT 100
.PEN_DOWN
 20 70
 20 0
.PEN_UP
.SEGMENT DIGIT 2 ? "1"
.COMMENT 1 3 7
.PEN_DOWN
 5 9
.PEN_UP
"""

Point = tuple[int, int]
POINTS = st.lists(st.tuples(*[st.integers(-500, 500)] * 2), min_size=1, max_size=6)
DIGITS = st.tuples(
    st.integers(0, 9), st.integers(0, 60), st.lists(POINTS, min_size=1, max_size=3)
)


def written(digits: list[tuple[int, int, list[list[Point]]]]) -> bytes:
    """Return digits as UNIPEN text: label, writer, strokes."""
    lines: list[str] = []
    for label, writer, strokes in digits:
        lines += [f'.SEGMENT DIGIT 0 ? "{label}"', f".COMMENT {label} {writer} 0"]
        for stroke in strokes:
            points = [f" {x} {y}" for x, y in stroke]
            lines += [".PEN_DOWN", *points, ".PEN_UP", ".DT 10"]
    return "\n".join(lines).encode()


def test_strokes_labels_and_writers_are_read() -> None:
    """The y axis is turned over, for rows count downwards."""
    digits = parse_unipen(TEXT, name="text")
    assert len(digits) == 2
    assert digits.labels.tolist() == [4, 1]
    assert digits.labels.dtype == np.uint8
    assert digits.writers.tolist() == [12, 3]
    assert [len(strokes) for strokes in digits.strokes] == [2, 1]
    assert digits.strokes[0][1].tolist() == [[20, -70], [20, 0]]
    assert digits.strokes[1][0].dtype == np.float32


def test_line_ends_do_not_matter() -> None:
    """Windows' line ends and a missing last one are read alike."""
    other = parse_unipen(TEXT.replace(b"\n", b"\r\n").rstrip(), name="text")
    assert other.strokes[0][0].tolist() == [[10, -90], [0, -50], [30, -50]]


@given(st.lists(DIGITS, min_size=1, max_size=5))
def test_what_is_written_is_read(digits: list[tuple[int, int, list[list[Point]]]]) -> None:
    """Any digits that are written as UNIPEN come back the same."""
    result = parse_unipen(written(digits), name="text")
    assert result.labels.tolist() == [label for label, _, _ in digits]
    assert result.writers.tolist() == [writer for _, writer, _ in digits]
    seen = [[stroke.tolist() for stroke in strokes] for strokes in result.strokes]
    assert seen == [
        [[[x, -y] for x, y in stroke] for stroke in strokes] for _, _, strokes in digits
    ]


@pytest.mark.parametrize(
    ("old", "new", "wanted", "seen"),
    [
        (b' ? "4"', b' ? "A"', "ends in its label", 'line 3: DIGIT 0-1 ? "A"'),
        (b' ? "4"', b"", "ends in its label", "line 3: DIGIT 0-1"),
        (b"4 12 224", b"4 x 224", "its label, writer and number", "line 4: 4 x 224"),
        (b".COMMENT 4 12 224\n", b"", "a .COMMENT that names its writer", "line 14: .SEGMENT"),
        (b" 0 50\n", b" 0 fifty\n", "a point is two numbers", "line 7: 0 fifty"),
        (b" 0 50\n", b" 0 50 3\n", "a point is two numbers", "line 7: 0 50 3"),
        (b".PEN_UP\n.DT", b".DT", "the pen goes up before", "line 10: .PEN_DOWN"),
        (b".PEN_UP\n.SEG", b".SEG", "a stroke ends in .PEN_UP", "line 14: .SEGMENT"),
        (b".DT 100", b".PEN_UP", "the pen goes down before", "line 10: .PEN_UP"),
        (b" 5 9\n", b"", "at least one point", "line 18: .PEN_UP"),
        (b".DT 100", b"7 7", "between .PEN_DOWN and .PEN_UP", "line 10: 7 7"),
        (b"\n.PEN_DOWN\n 5 9\n.PEN_UP", b"", "at least one stroke", "the end of the text"),
    ],
)
def test_a_wrong_line_is_named(old: bytes, new: bytes, wanted: str, seen: str) -> None:
    """The error says what the format wants there, and the line that is otherwise."""
    assert old in TEXT
    with pytest.raises(CorruptFileError, match="tablet must be UNIPEN text") as caught:
        parse_unipen(TEXT.replace(old, new), name="tablet")
    assert wanted in caught.value.wanted
    assert seen in str(caught.value.seen)


@pytest.mark.parametrize("text", [b"", b"\x1f\x8b\x00", b".INCLUDE x\n12 13\n"])
def test_text_without_digits_is_refused(text: bytes) -> None:
    """An empty file and one of another kind hold no segment."""
    with pytest.raises(CorruptFileError, match=r"it holds \.SEGMENT DIGIT lines"):
        parse_unipen(text, name="tablet")


def test_a_stroke_before_any_digit_is_refused() -> None:
    """Strokes belong to a digit."""
    with pytest.raises(CorruptFileError, match="a stroke belongs to"):
        parse_unipen(b".PEN_DOWN\n1 2\n.PEN_UP\n", name="tablet")
