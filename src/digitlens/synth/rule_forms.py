"""The forms in which the world writes and shows its digits, as strokes made by rule.

What neither MNIST's writers nor those of the pen digits do often enough: an upright 1 with a
flag of any length, a 0 with a slash or a dot, open 4s and 8s of straight strokes, digits of
seven segments in any thickness, digits of 5 x 7 dots. All are made anew each time, so no two
are the same; whoever draws them picks the pen (`digitlens.synth.pen`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from digitlens.synth.pen import (
    Stroke,
    frame_ink,
    render_strokes,
    sample_pen,
    sample_scan,
    scan,
    trim_ink,
)
from digitlens.synth.strokes import (
    BAR,
    ROUND,
    parse_skeletons,
    refine_stroke,
    round_corners,
    skeletons,
)

JITTER = 0.03  # how far a corner is moved: a standard deviation, in digit heights


_TEXT = """
0 / .35 0  .05 .2  0 .7  .3 1  .6 .75  .6 .2  .35 0
0 / 0 0  .6 0  .6 1  0 1  0 0
1 / 0 .35  .3 0  .3 1
1 / .15 .2  .3 0  .3 1
1 / 0 .45  .42 0  .42 1
1 / 0 0  0 1
1 / .1 .18  .35 0  .35 1 / 0 1  .7 1
1 / .3 0  .3 1 / .05 1  .55 1
1 / 0 .44  .44 0  .44 1
2 / 0 .05  .6 0  0 1  .65 1
2 / 0 .2  .2 0  .55 .1  .55 .35  0 1  .65 1
2 / 0 0  .6 0  .6 .5  0 .5  0 1  .6 1
3 / 0 0  .6 0  .25 .4  .6 .65  .4 1  0 .95
3 / 0 .05  .5 0  .55 .3  .2 .48  .6 .65  .5 1  0 1
3 / 0 0  .6 0  .6 1  0 1 / .1 .5  .6 .5
3 / .3 .3  .1 .12  .3 0  .5 .15  .25 .42  .55 .6  .5 .9  .25 1  0 .92
4 / .3 0  0 .5  1 .57 / .3 0  .3 .9
4 / .3 0  0 .4  .75 .45 / .45 .2  .4 1
4 / .05 0  0 .5  .6 .5 / .6 0  .6 1
4 / .5 0  0 .65  .75 .65 / .5 0  .5 1
4 / .1 0  0 .55  .7 .5 / .5 .15  .45 1
5 / .6 0  0 0  0 .5  .6 .5  .6 1  0 1
5 / .55 0  .1 0  .05 .45  .45 .4  .6 .7  .35 1  0 .9
5 / .1 0  .05 .45  .55 .5  .55 .95  0 1 / .1 0  .65 0
6 / .55 0  0 0  0 1  .45 1  .45 .55  .18 .55
6 / .55 0  0 0  0 1  .55 1  .55 .5  0 .5
6 / .5 0  .1 .4  0 .8  .25 1  .5 .8  .3 .5  .05 .7
6 / .1 0  0 1  .45 1  .45 .55  0 .55
7 / 0 0  .6 0  .2 1
7 / 0 0  .6 0  .2 1 / .1 .5  .65 .5
7 / 0 .2  0 0  .6 0  .25 1
7 / 0 0  .55 0  .55 1
8 / 0 0  .62 0  0 1  .62 1  0 0
8 / 0 0  .6 0  .6 1  0 1  0 0 / 0 .5  .6 .5
8 / .3 0  0 .25  .55 .7  .3 1  0 .75  .6 .25  .3 0
9 / .55 .45  0 .45  0 0  .55 0  .55 1
9 / .55 .5  0 .5  0 0  .55 0  .55 1  0 1
9 / .5 .1  .2 0  0 .25  .2 .45  .5 .2  .5 1
9 / .5 .1  .2 0  0 .25  .2 .45  .5 .2  .2 1
"""

# Digits of straight strokes, written as the skeletons of `synth.strokes` are.
STRAIGHT = parse_skeletons(_TEXT)

# The segments of each digit: a the top, then clockwise to f, g the middle.
SEGMENTS = (
    *("abcdef", "bc", "abged", "abgcd", "fgbc"),
    *("afgcd", "afgedc", "abc", "abcdefg", "abcdfg"),
)

# The other way in which displays show a digit.
VARIANTS = {6: "fgedc", 7: "abcf", 9: "abcfg", 1: "ef"}

# The ten digits of the usual 5 x 7 dots, row by row.
MATRIX = (
    "01110 10001 10011 10101 11001 10001 01110",
    "00100 01100 00100 00100 00100 00100 01110",
    "01110 10001 00001 00010 00100 01000 11111",
    "11111 00010 00100 00010 00001 10001 01110",
    "00010 00110 01010 10010 11111 00010 00010",
    "11111 10000 11110 00001 00001 10001 01110",
    "00110 01000 10000 11110 10001 10001 01110",
    "11111 00001 00010 00100 01000 01000 01000",
    "01110 10001 10001 01110 10001 10001 01110",
    "01110 10001 10001 01111 00001 00010 01100",
)

MATRIX_VARIANTS = {
    0: "01110 10001 10001 10001 10001 10001 01110",
    1: "00100 01100 10100 00100 00100 00100 11111",
    3: "01110 10001 00001 00110 00001 10001 01110",
    6: "01110 10000 10000 11110 10001 10001 01110",
    7: "11111 00001 00001 00010 00100 00100 00100",
    9: "01110 10001 10001 01111 00001 00001 01110",
}


def render_form(label: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Write one digit in one of the forms: uint8 (28, 28), 0 = paper, 255 = ink.

    Half are written by hand, a fifth of straight strokes; the rest are shown by displays, of
    segments and of dots.

    >>> digit = render_form(4, np.random.default_rng(0))
    >>> digit.shape, digit.dtype
    ((28, 28), dtype('uint8'))
    """
    kind = rng.random()
    if kind < 0.7:
        strokes = _straight(label, rng) if kind < 0.3 else _skeleton(label, rng)
        if label == 0 and rng.random() < 0.5:
            strokes = [*strokes, _mark_zero(strokes, rng)]
        return render_strokes(strokes, sample_pen(rng), rng)
    return _segments(label, rng) if kind < 0.88 else _dots(label, rng)


def render_open_four(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Write a 4 whose top is open, as most people outside America do: uint8 (28, 28).

    Its arm comes down beside the stem, near it or far, round or with a corner, and ends at the
    stem or beyond; the stem begins above the arm's bend or at it, and ends straight or curved.
    """
    gap, bend = rng.uniform(0.2, 0.65), rng.uniform(0.4, 0.66)
    low = bend + rng.normal(0.0, 0.05)
    arm = [(rng.uniform(-0.05, 0.25), rng.uniform(-0.05, 0.15)), (0.0, bend)]
    arm.append((gap + rng.choice((0.0, rng.uniform(0.05, 0.4))), low))
    top = rng.uniform(-0.1, low - 0.1)
    stem = [(gap + rng.uniform(-0.02, 0.12), top), (gap, low), (gap + rng.normal(0, 0.06), 1.0)]
    strokes = []
    for corners in (arm, stem):
        moved = _jittered(corners, rng)
        if rng.random() < 0.5:
            points = round_corners([(float(x), float(y)) for x, y in moved[::4]])
            moved = np.array(points, np.float32)
        strokes.append(moved)
    pen = sample_pen(rng)
    # A thick pen would fill the gap between arm and stem.
    pen = replace(pen, width=min(pen.width, 0.45 * gap), rotation=rng.normal(0.0, 8.0))
    return render_strokes(strokes, pen, rng)


def _straight(label: int, rng: np.random.Generator) -> list[Stroke]:
    forms = STRAIGHT[label]
    form = forms[int(rng.integers(len(forms)))]
    return [_jittered(corners, rng) for _, corners in form]


def _skeleton(label: int, rng: np.random.Generator) -> list[Stroke]:
    forms = skeletons()[label]
    strokes = []
    for kind, given in forms[int(rng.integers(len(forms)))]:
        corners = given
        if kind == BAR:
            row, tilt = rng.uniform(0.38, 0.6), rng.normal(0.03, 0.04)
            corners = [
                (rng.uniform(-0.1, 0.2), row + tilt),
                (rng.uniform(0.5, 0.9), row - tilt),
            ]
        moved = _jittered(corners, rng)
        if kind == ROUND:
            points = round_corners([(float(x), float(y)) for x, y in moved])
            moved = np.array(points, np.float32)
        strokes.append(moved)
    return strokes


def _jittered(corners: Sequence[tuple[float, float]], rng: np.random.Generator) -> Stroke:
    """Move every corner a little, and put points between them for a hand to wobble at."""
    moved = np.array(corners) + rng.normal(0.0, JITTER, (len(corners), 2))
    return refine_stroke(moved, 8)


def _mark_zero(strokes: list[Stroke], rng: np.random.Generator) -> Stroke:
    """Return the slash of a zero, or its dot."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2
    if rng.random() < 0.15:
        return np.asarray(middle[None], np.float32)
    reach = rng.uniform(0.55, 1.35)
    lean = -1.0 if rng.random() < 0.1 else 1.0
    end = half * reach * np.array([lean, -1.0]) * np.array([rng.uniform(0.6, 1.1), 1.0])
    return np.asarray([middle - end, middle + end], np.float32)


def _segments(label: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Show a digit on seven segments of one thickness, apart, slanted, perhaps some unlit."""
    lit = SEGMENTS[label]
    if label in VARIANTS and rng.random() < 0.3:
        lit = VARIANTS[label]
    thick = rng.uniform(0.06, 0.22)
    breadth = rng.uniform(0.42, 0.72)
    gap = rng.uniform(0.0, 0.35) * thick
    slant = rng.choice((0.0, rng.uniform(0.0, 0.25)))
    pointed = bool(rng.random() < 0.6)
    ghost = int(255 * rng.uniform(0.04, 0.3)) if rng.random() < 0.25 else 0
    field = np.zeros((180, 220), np.uint8)
    for name in "abcdefg":
        value = 255 if name in lit else ghost
        if value:
            _segment(field, name, value, thick, breadth, gap, slant, pointed=pointed)
    return frame_ink(scan(trim_ink(field), sample_scan(rng)))


def _segment(
    field: NDArray[np.uint8],
    name: str,
    value: int,
    thick: float,
    breadth: float,
    gap: float,
    slant: float,
    *,
    pointed: bool,
) -> None:
    half = thick / 2
    left, right, top, middle, bottom = half, breadth - half, half, 0.5, 1 - half
    ends = {
        "a": ((left, top), (right, top)),
        "b": ((right, top), (right, middle)),
        "c": ((right, middle), (right, bottom)),
        "d": ((left, bottom), (right, bottom)),
        "e": ((left, middle), (left, bottom)),
        "f": ((left, top), (left, middle)),
        "g": ((left, middle), (right, middle)),
    }[name]
    start, stop = np.array(ends[0]), np.array(ends[1])
    along = (stop - start) / np.linalg.norm(stop - start)
    across = np.array([-along[1], along[0]]) * half
    start, stop = start + along * gap, stop - along * gap
    inset = along * (half if pointed else 0.0)
    corners = [start, start + inset + across, stop - inset + across]
    corners += [stop, stop - inset - across, start + inset - across]
    if not pointed:
        corners = [corners[1], corners[2], corners[4], corners[5]]
    points = np.array(corners)
    points[:, 0] += slant * (1 - points[:, 1])
    places = np.rint((points * 140 + 20) * 16).astype(np.int32)
    cv2.fillConvexPoly(field, places, value, cv2.LINE_AA, 4)


def _dots(label: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Show a digit of 5 x 7 dots: round or square, apart or running into each other."""
    rows = MATRIX[label]
    if label in MATRIX_VARIANTS and rng.random() < 0.4:
        rows = MATRIX_VARIANTS[label]
    pitch = 17.0
    breadth = rng.uniform(0.8, 1.15)
    radius = pitch * rng.uniform(0.3, 0.62)
    square = bool(rng.random() < 0.35)
    slant = rng.normal(0.0, 0.08)
    field = np.zeros((170, 190), np.uint8)
    for row, line in enumerate(rows.split()):
        for column, dot in enumerate(line):
            if dot == "0":
                continue
            x = 40 + pitch * (breadth * column + slant * (6 - row))
            y = 25 + pitch * row
            if square:
                corner = round(x - radius), round(y - radius)
                opposite = round(x + radius), round(y + radius)
                cv2.rectangle(field, corner, opposite, 255, -1)
            else:
                cv2.circle(field, (round(x), round(y)), max(1, round(radius)), 255, -1)
    return frame_ink(scan(trim_ink(field), sample_scan(rng)))
