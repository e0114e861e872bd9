"""A pen's strokes: digits and marks that the program draws itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitlens.geometry import Gray
from digitlens.synth.random import Random

Point = tuple[float, float]  # column and row, or column and height above the line
SkeletonStroke = tuple[str, list[Point]]  # `ROUND`, `SHARP` or `BAR`, and its corners


FRACTION = 4  # bits of a pixel: OpenCV takes places as whole sixteenths

FULL = 255

# What OpenCV is to be told for a line of the width in `DRAWN`: 3 is as wide as 4.
NUMBERS = (1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20)

# How wide OpenCV's smooth lines are, in pixels, measured as ink by length.
DRAWN = (1.3, *(number + 1.3 for number in NUMBERS[1:]))


def draw_strokes(
    ink: Gray, points: Sequence[Point], width: float, *, closed: bool = False
) -> None:
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


def bend_stroke(start: Point, through: Point, end: Point, count: int = 7) -> list[Point]:
    """Return `count` points of the curve from `start` to `end` that is drawn towards `through`.

    It is the Bezier curve of these three points, so it comes only half as far.
    """
    result = []
    for step in range(count):
        t = step / (count - 1)
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        result.append(
            (
                a * start[0] + b * through[0] + c * end[0],
                a * start[1] + b * through[1] + c * end[1],
            )
        )
    return result


def sag_stroke(rng: Random, start: Point, end: Point, sag: float) -> list[Point]:
    """Return a nearly straight stroke, bent by about `sag` of its length to either side."""
    offset = rng.normal(0.0, 2 * sag)
    middle = (
        (start[0] + end[0]) / 2 - offset * (end[1] - start[1]),
        (start[1] + end[1]) / 2 + offset * (end[0] - start[0]),
    )
    return bend_stroke(start, middle, end, 5)


def arc(middle: Point, across: float, height: float, start: float, turn: float) -> list[Point]:
    """Return part of an ellipse, from angle `start` on through `turn` (radians, clockwise)."""
    count = max(4, int(abs(turn) * 3))
    return [
        (
            middle[0] + across * math.cos(start + turn * step / count),
            middle[1] + height * math.sin(start + turn * step / count),
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
            *((0.0, 0.35), (0.2, 0.6), (0.4, 0.35), (0.6, 0.55)),
            *((0.8, 0.33), (1.0, 0.5), (1.2, 0.4)),
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
# Marks as strokes: columns to the right and heights above the line, in digit heights.
_MARKS["**"] = tuple(
    tuple((x + shift, y) for x, y in stroke) for shift in (0.0, 0.6) for stroke in _MARKS["*"]
)


def mark_width(mark: str) -> float:
    """Return how far the strokes of `mark` reach to the right, in digit heights."""
    return max((x for stroke in _MARKS[mark] for x, _ in stroke), default=0.25)


def draw_mark(
    ink: Gray, rng: Random, mark: str, place: Point, size: float, width: float, slant: float
) -> None:
    """Write `mark` with its lower left corner at `place`; `size` is a digit's height.

    Every corner is moved a little, so that no two marks are the same.
    """
    stretch = size * rng.uniform(0.75, 1.25)
    for stroke in _MARKS[mark]:
        points = [
            (
                place[0] + stretch * x + slant * size * y + rng.normal(0, 0.025) * size,
                place[1] - size * (y + rng.normal(0, 0.025)),
            )
            for x, y in stroke
        ]
        draw_strokes(ink, points, width)


HIGH = 20.0  # a digit's height in its field, in pixels
WOBBLE = 0.035  # how far a corner is moved: a deviation, in digit heights

ROUND, SHARP, BAR = "~", "/", "bar"

# A skeleton begins with its digit; a stroke with ~ where it is round, with / where it has
# corners; then columns and rows in digit heights, row 0 the top. A bar is that of a 7.
_TEXT = """
0 ~ .66 .08  .3 0  .02 .4  .12 .88  .45 1  .8 .7  .82 .3  .6 .04  .4 .06
0 ~ .5 .05  .15 .12  0 .5  .15 .92  .5 1  .78 .65  .72 .2  .45 .02  .6 .12  1.05 0
0 ~ -.3 .1  .2 .05  .02 .45  .12 .9  .45 1  .76 .65  .7 .25  .4 .03  .1 .2
1 / -.5 .95  .06 0  .02 1
1 / -.55 .6  .08 0  0 1
1 / -.45 .7  .05 0  0 1 / -.3 1  .3 .98
1 ~ -.45 .8  -.1 .55  .28 .15  .3 0  .14 .02  .06 .4  .02 1
1 ~ -.3 .9  .1 .6  .42 .12  .36 -.03  .2 .1  .1 .6  .2 .95  .4 .85
1 ~ -.3 .35  -.1 .12  .05 0 / .05 0  0 1
1 / 0 0  0 1 / -.28 1  .28 1
2 / 0 .06  .66 0  0 1  .78 .96
2 ~ 0 .2  .2 0  .62 .05  .6 .4  0 1 / 0 1  .75 .97
2 ~ .02 .25  .3 0  .66 .2  .45 .62  .08 .97  0 .82  .2 .8  .5 1  .9 .9
2 ~ .1 .35  0 .15  .3 -.02  .6 .18  .35 .65  0 .96  .3 .9  .75 1
3 / 0 .03  .62 0  .28 .4 ~ .28 .4  .6 .48  .68 .75  .35 1  0 .9
3 ~ .02 .12  .35 0  .6 .18  .4 .42  .22 .47  .36 .43  .68 .65  .4 1  -.05 .9
3 ~ 0 .05  .45 0  .55 .2  .2 .48  .58 .55  .6 .9  .1 1.05  -.2 .9
4 ~ .22 -.05  .08 .35  0 .62  .25 .5  .55 .46  .58 .7  .5 1.02
4 / .25 0  0 .58  .72 .52 / .5 .3  .36 1
4 / .15 0  0 .5  .65 .46 / .5 .48  .42 1
4 ~ .04 0  .02 .4  .2 .56  .6 .42 / .64 .02  .55 1
4 / .5 0  -.05 .68  .85 .64 / .55 .32  .48 1
4 / .1 1  .55 0  0 .64  .8 .6
4 / .5 0  0 .62  .75 .58 / .5 0  .46 1
5 / 0 .5  .14 .98  .34 .05  .95 0
5 ~ .75 .03  .35 .02  .14 .3  .55 .5  .66 .78  .35 1  0 .92
5 / .14 0  .06 .42 ~ .06 .42  .42 .36  .68 .62  .45 .98  0 .94 / .14 0  .95 -.03
5 / .14 .05  .04 .45 ~ .04 .45  .4 .38  .62 .65  .4 1  -.05 .92 / .36 -.04  1 -.1
5 ~ .3 .02  .28 .4  .38 .75  .2 1  -.08 .88 / .3 .02  .9 -.02
5 ~ .12 .1  .1 .45  .5 .55  .45 .9  0 1 / .15 .05  1.1 0
6 ~ .5 0  .12 .42  .03 .8  .32 1  .6 .8  .45 .58  .1 .72
6 ~ .12 0  .03 .5  .08 .9  .35 1  .58 .8  .4 .55  .08 .65
6 ~ .62 .06  .3 .02  .02 .5  .1 .95  .5 .98  .62 .68  .35 .5  .08 .6
7 / .02 .18  .1 .02  .6 .03  .3 1 bar
7 / .05 .16  .4 0  .36 1 bar
7 / 0 .04  .66 0 ~ .66 0  .36 .45  .28 1
7 / 0 .22  .04 0  .68 0  .22 1
7 ~ 0 .2  .12 .02  .35 .08  .66 0 ~ .66 0  .36 .5  .3 1 bar
7 / 0 .04  .62 0  .1 1 bar
8 ~ .62 .12  .3 0  .1 .22  .45 .5  .6 .78  .3 1  .03 .78  .35 .48  .66 .1
8 ~ .12 .05  .1 .3  .5 .6  .5 .95  .15 1  .05 .75  .4 .4  .6 .1  .8 0
8 ~ .3 0  .08 .2  .3 .45  .55 .2  .3 0 ~ .3 .45  0 .72  .3 1  .64 .72  .3 .45
9 / 0 1.02  .1 .05 ~ .1 .05  .45 -.03  .66 .22  .4 .48  .08 .45
9 ~ .6 .12  .28 0  .02 .25  .28 .48  .6 .22  .6 .6  .45 .98  .05 .92
9 ~ .6 .1  .25 0  0 .26  .25 .5  .58 .28 / .62 .02  .5 1
9 ~ .5 .3  .2 .42  .02 .2  .3 0  .55 .2  .4 .65  .12 1
"""


@cache
def skeletons() -> dict[int, list[list[SkeletonStroke]]]:
    """Return the skeletons of each digit: strokes, each a sign and corners."""
    return parse_skeletons(_TEXT)


def parse_skeletons(text: str) -> dict[int, list[list[SkeletonStroke]]]:
    """Return the skeletons that `text` has, a line each, by their digit."""
    result: dict[int, list[list[SkeletonStroke]]] = {}
    for line in text.strip().splitlines():
        label, *words = line.split()
        strokes: list[SkeletonStroke] = []
        numbers: list[float] = []
        for word in [*words, ""]:
            if word not in (ROUND, SHARP, BAR, ""):
                numbers.append(float(word))
                continue
            if strokes:
                strokes[-1][1].extend(zip(numbers[::2], numbers[1::2], strict=True))
            numbers = []
            if word:
                strokes.append((word, []))
        result.setdefault(int(label), []).append(strokes)
    return result


def count_forms(label: int) -> int:
    """Return how many skeletons a digit has."""
    return len(skeletons()[label])


def draw_skeleton(cell: Gray, rng: Random, label: int, number: int, width: float) -> None:
    """Write digit `label` by its skeleton `number` into an empty cell, strokes `width` wide."""
    ways = move_skeleton(rng, skeletons()[label][number])
    columns = [x for way in ways for x, _ in way]
    rows = [y for way in ways for _, y in way]
    side = cell.shape[0] / 2
    offset = side - (min(columns) + max(columns)) / 2, side - (min(rows) + max(rows)) / 2
    for way in ways:
        draw_strokes(cell, [(x + offset[0], y + offset[1]) for x, y in way], width)


def move_skeleton(rng: Random, skeleton: list[SkeletonStroke]) -> list[list[Point]]:
    """Return the strokes of a skeleton as a hand writes them once, 20 pixels high."""
    across = HIGH * rng.normal(1.0, 0.14)
    lean = rng.normal(0.0, 0.06)
    ways = []
    for stroke in skeleton:
        kind, corners = _bar(rng) if stroke[0] == BAR else stroke
        moved = [
            (
                across * (x + rng.normal(0.0, WOBBLE)) + lean * HIGH * (0.5 - y),
                HIGH * (y + rng.normal(0.0, WOBBLE)),
            )
            for x, y in corners
        ]
        ways.append(round_corners(moved) if kind == ROUND else moved)
    return ways


def _bar(rng: Random) -> SkeletonStroke:
    row, tilt = rng.uniform(0.38, 0.6), rng.normal(0.03, 0.04)
    return SHARP, [(rng.uniform(-0.12, 0.2), row + tilt), (rng.uniform(0.5, 0.9), row - tilt)]


def refine_stroke(way: NDArray[Any], parts: int) -> NDArray[np.float32]:
    """Put points between those of a stroke, `parts` for each step, for it to be bent at."""
    along = np.arange(len(way))
    fine = np.linspace(0, along[-1], parts * int(along[-1]) + 1)
    points = [np.interp(fine, along, way[:, axis]) for axis in (0, 1)]
    return np.stack(points, axis=1).astype(np.float32)


def round_corners(corners: list[Point], times: int = 2) -> list[Point]:
    """Cut the corners off, `times` over: Chaikin's curve (1974), which keeps both ends.

    >>> round_corners([(0.0, 0.0), (4.0, 0.0), (4.0, 4.0)], times=1)
    [(0.0, 0.0), (3.0, 0.0), (4.0, 1.0), (4.0, 4.0)]
    """
    way = corners
    for _ in range(times):
        cut = [way[0]]
        last = len(way) - 2
        for index, ((x, y), (u, v)) in enumerate(pairwise(way)):
            if index:
                cut.append((0.75 * x + 0.25 * u, 0.75 * y + 0.25 * v))
            if index < last:
                cut.append((0.25 * x + 0.75 * u, 0.25 * y + 0.75 * v))
        way = [*cut, way[-1]]
    return way
