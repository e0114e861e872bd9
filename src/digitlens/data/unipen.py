"""UNIPEN text: digits as the strokes of a pen.

The format: I. Guyon, L. Schomaker, R. Plamondon, M. Liberman and S. Janet, "UNIPEN project of
on-line data exchange and recognizer benchmarks", ICPR 1994. What is read here is what
"Pen-Based Recognition of Handwritten Digits" (E. Alpaydin and F. Alimoglu, 1996) uses of it:

    .SEGMENT DIGIT 0-1 ? "8"      a digit begins: its strokes and its label
    .COMMENT 8 12 224             its label, its writer, its number
    .PEN_DOWN                     a stroke begins; then a point a line, y upwards
    .PEN_UP                       it ends
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import CLASSES
from digitlens.errors import CorruptFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Indices, Labels


@dataclass(frozen=True, eq=False)
class PenDigits:
    """Digits as strokes."""

    # for each digit its strokes in the order of writing, each float32 (P, 2): x to the right, y
    # downwards, in the tablet's units
    strokes: list[list[NDArray[np.float32]]]
    labels: Labels  # uint8 (N,), 0..9
    writers: Indices  # int64 (N,): who wrote each digit

    def __len__(self) -> int:
        return len(self.labels)


class _Digit:
    """A digit while it is being read."""

    def __init__(self, label: int) -> None:
        self.label = label
        self.writer: int | None = None
        self.strokes: list[NDArray[np.float32]] = []


class _Parser:
    """Reads line by line; every complaint names the line."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.number = 0
        self.digits: list[_Digit] = []
        self.points: list[tuple[float, float]] | None = None

    def wrong(self, wanted: str, seen: str) -> CorruptFileError:
        return CorruptFileError(
            f"{self.name} must be UNIPEN text: {wanted}",
            seen=f"line {self.number}: {seen[:60]}",
        )

    def read(self, line: str) -> None:
        self.number += 1
        text = line.strip()
        if not text:
            return
        if text[0] != ".":
            if self.points is not None:
                self.points.append(self._point(text))
            elif self.digits:
                raise self.wrong("points stand between .PEN_DOWN and .PEN_UP", text)
            return
        keyword, _, rest = text.partition(" ")
        match keyword:
            case ".SEGMENT":
                self._close_digit(text)
                self.digits.append(_Digit(self._label(rest)))
            case ".COMMENT":
                self._read_comment(rest)
            case ".PEN_DOWN":
                self._begin_stroke(text)
            case ".PEN_UP":
                self._end_stroke(text)

    def _point(self, text: str) -> tuple[float, float]:
        try:
            x, y = text.split()
            return float(x), -float(y)
        except ValueError as error:
            raise self.wrong("a point is two numbers", text) from error

    def _label(self, rest: str) -> int:
        label = rest.rpartition("?")[2].strip().strip('"')
        if len(label) != 1 or label not in "0123456789":
            raise self.wrong('a digit\'s segment ends in its label, such as "8"', rest)
        return int(label)

    def _read_comment(self, rest: str) -> None:
        words = rest.split()
        if not self.digits or self.digits[-1].strokes:
            return
        if len(words) < 2 or not words[1].isdigit():
            raise self.wrong("the comment of a digit is its label, writer and number", rest)
        self.digits[-1].writer = int(words[1])

    def _begin_stroke(self, text: str) -> None:
        if self.points is not None:
            raise self.wrong("the pen goes up before it goes down again", text)
        if not self.digits:
            raise self.wrong("a stroke belongs to a .SEGMENT DIGIT", text)
        self.points = []

    def _end_stroke(self, text: str) -> None:
        if self.points is None:
            raise self.wrong("the pen goes down before it goes up", text)
        if not self.points:
            raise self.wrong("a stroke has at least one point", text)
        self.digits[-1].strokes.append(np.array(self.points, np.float32))
        self.points = None

    def _close_digit(self, text: str) -> None:
        if self.points is not None:
            raise self.wrong("a stroke ends in .PEN_UP", text)
        if not self.digits:
            return
        if not self.digits[-1].strokes:
            raise self.wrong("a digit has at least one stroke", text)
        if self.digits[-1].writer is None:
            raise self.wrong("each digit has a .COMMENT that names its writer", text)

    def end(self) -> None:
        self._close_digit("the end of the text")
        if not self.digits:
            raise self.wrong("it holds .SEGMENT DIGIT lines", "none in the whole text")


def parse_unipen(text: bytes, *, name: str) -> PenDigits:
    r"""Read digits as strokes.

    text: ASCII; lines may end in any way. Keywords other than the four above are passed over.

    Raises CorruptFileError: the text holds no digit, or a line says something else than the
    format wants.

    Examples
    --------
    >>> text = b'.SEGMENT DIGIT 0 ? "1"\n.COMMENT 1 7 0\n.PEN_DOWN\n5 90\n5 10\n.PEN_UP\n'
    >>> digits = parse_unipen(text, name="one")
    >>> digits.labels.tolist(), digits.writers.tolist(), digits.strokes[0][0].tolist()
    ([1], [7], [[5.0, -90.0], [5.0, -10.0]])
    """
    parser = _Parser(name)
    for line in text.decode("ascii", "replace").splitlines():
        parser.read(line)
    parser.end()
    labels = np.array([digit.label for digit in parser.digits], np.uint8)
    assert labels.max(initial=0) < CLASSES, "labels are single decimal digits"
    writers = np.array([digit.writer for digit in parser.digits], np.int64)
    return PenDigits([digit.strokes for digit in parser.digits], labels, writers)
