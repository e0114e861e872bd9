"""A pen's strokes: what the program writes itself, beside the digits that people wrote."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.writing.dice import Dice
    from digitlens.writing.written import Grey

    Point = tuple[float, float]
    """Column and row, or column and height above the line."""

FRACTION = 4
"""Bits of a pixel: OpenCV takes places as whole sixteenths."""

FULL = 255

NUMBERS = (1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20)
"""What OpenCV is to be told for a line of the width in `DRAWN`: 3 is as wide as 4."""

DRAWN = (1.3, *(number + 1.3 for number in NUMBERS[1:]))
"""How wide OpenCV's smooth lines are, in pixels, measured as ink by length."""


def draw(ink: Grey, points: Sequence[Point], width: float, *, closed: bool = False) -> None:
    """Draw a stroke through `points`, (column, row), onto `ink`; `width` in pixels, from 1.0.

    Places may lie outside. OpenCV's smooth lines come in few widths; so the wider of the two
    nearest is laid under the narrower one, as pale as the rest asks for.
    """
    places = [np.array(points, np.float32) * (1 << FRACTION)]
    way = [place.round().astype(np.int32) for place in places]
    step = max(0, min(int((width - DRAWN[0]) / 2), len(DRAWN) - 2))
    rest = (width - DRAWN[step]) / (DRAWN[step + 1] - DRAWN[step])
    if rest > 0.1:
        under = np.zeros_like(ink)
        pale = FULL * min(rest, 1.0)
        cv2.polylines(under, way, closed, pale, NUMBERS[step + 1], cv2.LINE_AA, FRACTION)
        np.maximum(ink, under, out=ink)
    cv2.polylines(ink, way, closed, FULL, NUMBERS[step], cv2.LINE_AA, FRACTION)


def bent(start: Point, through: Point, end: Point, count: int = 7) -> list[Point]:
    """Return `count` points of the curve from `start` to `end` that is drawn towards `through`.

    It is the Bezier curve of these three points, so it comes only half as far.
    """
    found = []
    for step in range(count):
        t = step / (count - 1)
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        found.append(
            (
                a * start[0] + b * through[0] + c * end[0],
                a * start[1] + b * through[1] + c * end[1],
            )
        )
    return found


def sagging(dice: Dice, start: Point, end: Point, sag: float) -> list[Point]:
    """Return a nearly straight stroke, bent by about `sag` of its length to either side."""
    off = dice.normal(0.0, 2 * sag)
    middle = (
        (start[0] + end[0]) / 2 - off * (end[1] - start[1]),
        (start[1] + end[1]) / 2 + off * (end[0] - start[0]),
    )
    return bent(start, middle, end, 5)


def arc(middle: Point, across: float, high: float, start: float, turn: float) -> list[Point]:
    """Return part of an ellipse, from angle `start` on through `turn` (radians, clockwise)."""
    count = max(4, int(abs(turn) * 3))
    return [
        (
            middle[0] + across * math.cos(start + turn * step / count),
            middle[1] + high * math.sin(start + turn * step / count),
        )
        for step in range(count + 1)
    ]


_MARKS: dict[str, tuple[tuple[Point, ...], ...]] = {
    ".": (((0.0, 0.02), (0.02, 0.06)),),
    ",": (((0.06, 0.08), (0.05, -0.03), (-0.02, -0.16)),),
    "'": (((0.05, 1.0), (0.0, 0.78)),),
    "-": (((0.0, 0.45), (0.42, 0.46)),),
    "=": (((0.0, 0.32), (0.42, 0.33)), ((0.0, 0.58), (0.44, 0.59))),
    ".-": (((0.0, 0.02), (0.02, 0.05)), ((0.18, 0.3), (0.62, 0.32))),
    ",-": (((0.05, 0.08), (0.0, -0.14)), ((0.18, 0.3), (0.68, 0.3))),
    "---": (((0.0, 0.4), (0.9, 0.43), (1.9, 0.4)),),
    "~": (
        (
            (0.0, 0.35),
            (0.2, 0.6),
            (0.4, 0.35),
            (0.6, 0.55),
            (0.8, 0.33),
            (1.0, 0.5),
            (1.2, 0.4),
        ),
    ),
    "#": (
        ((0.2, 0.0), (0.35, 0.95)),
        ((0.5, 0.0), (0.65, 0.95)),
        ((0.05, 0.32), (0.75, 0.34)),
        ((0.1, 0.62), (0.8, 0.64)),
    ),
    "/": (((0.0, -0.28), (0.62, 1.25)),),
    "*": (
        ((0.0, 0.35), (0.4, 0.7)),
        ((0.0, 0.7), (0.4, 0.35)),
        ((0.2, 0.28), (0.2, 0.78)),
        ((-0.04, 0.53), (0.44, 0.53)),
    ),
    "+": (((0.0, 0.45), (0.5, 0.46)), ((0.25, 0.2), (0.26, 0.72))),
    "$": (
        (
            *((0.55, 0.8), (0.4, 0.92), (0.15, 0.88), (0.05, 0.7), (0.3, 0.5), (0.55, 0.35)),
            *((0.5, 0.12), (0.25, 0.03), (0.0, 0.15)),
        ),
        ((0.27, -0.15), (0.33, 1.1)),
    ),
    "E": (
        (
            *((0.6, 0.85), (0.45, 0.95), (0.25, 0.88), (0.13, 0.5), (0.25, 0.1), (0.45, 0.02)),
            *((0.6, 0.12),),
        ),
        ((-0.05, 0.58), (0.45, 0.6)),
        ((-0.05, 0.4), (0.4, 0.42)),
    ),
    " ": (),
}
_MARKS["**"] = tuple(
    tuple((x + shift, y) for x, y in stroke) for shift in (0.0, 0.6) for stroke in _MARKS["*"]
)
"""Marks as strokes: columns to the right and heights above the line, in digit heights."""


def mark_width(mark: str) -> float:
    """Return how far the strokes of `mark` reach to the right, in digit heights."""
    return max((x for stroke in _MARKS[mark] for x, _ in stroke), default=0.25)


def draw_mark(
    ink: Grey, dice: Dice, mark: str, place: Point, size: float, width: float, slant: float
) -> None:
    """Write `mark` with its lower left corner at `place`; `size` is a digit's height.

    Every corner is moved a little, so that no two marks are the same.
    """
    wide = size * dice.even(0.75, 1.25)
    for stroke in _MARKS[mark]:
        points = [
            (
                place[0] + wide * x + slant * size * y + dice.normal(0, 0.025) * size,
                place[1] - size * (y + dice.normal(0, 0.025)),
            )
            for x, y in stroke
        ]
        draw(ink, points, width)
