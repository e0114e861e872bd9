"""The forms that digits have in other hands and countries, made at the level of strokes.

MNIST's writers are from the United States: their 1 is one stroke, their 7 has no bar. Readers
that met only those read a 1 with a long upstroke as 7 or 4 and a barred 7 as 2. Every form is
bent by an elastic distortion too, since no hand writes a digit twice alike.
"""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from digitlens.digits import SIDE
from digitlens.geometry import Gray
from digitlens.synth.random import Random
from digitlens.synth.strokes import (
    Point,
    arc,
    bend_stroke,
    draw_skeleton,
    draw_strokes,
    sag_stroke,
)

MARGIN = 6  # pixels around a glyph, for strokes that reach beyond it

# Height and width of the field in which a digit is written: 40 pixels; the digit has 20.
CELL = SIDE + 2 * MARGIN

MIDDLE = CELL / 2


def glyph_source(label: int, form: str) -> int:
    """Return which digit's glyph the form is made of: a 6 may be a 9 upside down."""
    return {"turned 9": 9, "turned 6": 6}.get(form, label)


def find_loop(label: int, form: str) -> bool | None:
    """Return whether the glyph must have a loop; None where it does not matter."""
    if label == 4:
        return {"open": False, "closed": True}.get(form)
    return {"loop": True, "no loop": False}.get(form) if label == 2 else None


def draw_form(
    cell: Gray, glyph: Gray, rng: Random, form: str, label: int, width: float
) -> None:
    """Write one digit (28, 28) into its empty `cell` (40, 40), with strokes `width` wide.

    `form` is one of those that `HABITS` has for `label`, or ""; ``written`` with a number.
    """
    if form.startswith("written"):
        draw_skeleton(cell, rng, label, int(form.split()[1]), width)
        return
    if form.startswith("drawn") or form == "stem":
        _DRAWN[label](cell, rng, form, width)
        return
    inner = cell[MARGIN:-MARGIN, MARGIN:-MARGIN]
    # Forms made of a glyph of the digit, or of another one.
    if form.startswith("turned"):
        inner[:] = glyph[::-1, ::-1]
    elif form == "mirrored":
        inner[:] = glyph[:, ::-1]
    else:
        inner[:] = glyph
    if label == 1 and form:
        _one(cell, rng, form, width)
    elif label == 7 and form:
        _seven(cell, rng, form, width)
    elif label == 5 and form:
        _five(cell, rng, form, width)


def _one(cell: Gray, rng: Random, form: str, width: float) -> None:
    """Add a flag, a long upstroke, a loop or a foot to the stem."""
    top, bottom, height = _stem(cell)
    if "foot" in form:
        left, right = rng.uniform(0.1, 0.3) * height, rng.uniform(0.1, 0.3) * height
        y = bottom[1] + rng.normal(0, 0.5)
        ends = (bottom[0] - left, y + rng.normal(0, 0.7)), (bottom[0] + right, y)
        draw_strokes(cell, sag_stroke(rng, *ends, 0.05), width)
    if form == "looped":
        _draw_loop(cell, rng, top, height, width)
    elif form != "foot":
        long = form == "upstroke"
        across = (rng.uniform(0.3, 0.95) if long else rng.uniform(0.12, 0.35)) * height
        down = (rng.uniform(0.35, 1.0) if long else rng.uniform(0.1, 0.4)) * height
        start = (max(1.5, top[0] - across), min(top[1] + down, bottom[1]))
        draw_strokes(cell, sag_stroke(rng, start, top, 0.07), width)


def _draw_loop(cell: Gray, rng: Random, top: Point, height: float, width: float) -> None:
    across, down = rng.uniform(0.3, 0.6) * height, rng.uniform(0.45, 0.9) * height
    over = rng.uniform(0.08, 0.2) * height
    start = (max(1.5, top[0] - across), top[1] + down)
    crown = (top[0] + over * 0.7, top[1] - over)
    way = bend_stroke(start, (top[0] - 0.1 * across, top[1] + 0.2 * down), crown)
    draw_strokes(cell, way + bend_stroke(crown, (top[0] - over, top[1] - over), top)[1:], width)
    below = (top[0] - 0.02 * height, top[1] + 0.25 * height)
    draw_strokes(cell, bend_stroke(crown, (top[0] - over, top[1] - 0.5 * over), below), width)


def _stem(cell: Gray) -> tuple[Point, Point, float]:
    """Return the top and bottom of a stroke, and its height."""
    left, top, width, height = cv2.boundingRect(cell)
    columns = np.arange(left, left + width)
    field = cell[top : top + height, left : left + width].astype(np.float32)
    upper, lower = field[1:3].sum(axis=0), field[-3:-1].sum(axis=0)
    x_top = float(upper @ columns / max(float(upper.sum()), 1.0))
    x_bottom = float(lower @ columns / max(float(lower.sum()), 1.0))
    return (x_top, top + 1.0), (x_bottom, top + height - 1.5), float(height)


def _seven(cell: Gray, rng: Random, form: str, width: float) -> None:
    """Add a bar across the stem, or a hook at the left end of the top."""
    left, top, box_width, box_height = cv2.boundingRect(cell)
    if "bar" in form:
        row = top + int(box_height * rng.uniform(0.45, 0.65))
        columns = np.flatnonzero(cell[row] > 90)
        x = float(columns[-1]) - width / 2 if len(columns) else left + box_width / 2
        reach = box_width * rng.uniform(0.25, 0.4), box_width * rng.uniform(0.2, 0.35)
        tilt = rng.normal(-0.08, 0.1) * box_width
        ends = (x - reach[0], row - tilt), (x + reach[1], row + tilt)
        draw_strokes(cell, sag_stroke(rng, *ends, 0.05), width)
    if "hook" in form:
        rows = np.flatnonzero(cell[:, left + 1] > 60)
        y = float(rows[0]) if len(rows) else top + 1.0
        end = (left + 1.0 + rng.normal(-0.5, 1.0), y + box_height * rng.uniform(0.12, 0.25))
        draw_strokes(cell, [(left + 1.5, y), end], width)


def _five(cell: Gray, rng: Random, form: str, width: float) -> None:
    """Take the bar off and write another one: longer, or apart from the body."""
    left, top, box_width, box_height = cv2.boundingRect(cell)
    row = top + int(0.32 * box_height)
    columns = np.flatnonzero(cell[row] > 90)
    stem = float(columns[0]) + width / 2 if len(columns) else left + width
    if stem > left + 0.6 * box_width:
        return  # another shape than the one with a stem at the left
    right = left + box_width * rng.uniform(1.0, 1.35)
    start = stem
    if form == "bar apart" and width < 3.5:
        cell[top : top + int(0.22 * box_height), int(stem + width) :] = 0
        start = stem + width * rng.uniform(0.6, 1.6) + 1.0
        right = max(right, start + 0.4 * box_width)
    y = top + rng.uniform(-0.08, 0.08) * box_height
    ends = (start, y), (min(right, CELL - 2.0), y - rng.normal(0.06, 0.06) * box_width)
    draw_strokes(cell, sag_stroke(rng, *ends, 0.06), width)


def _drawn_one(cell: Gray, rng: Random, form: str, width: float) -> None:  # noqa: ARG001
    lean = rng.normal(0.0, 0.06) * 20
    top = (MIDDLE + 1 + lean, MIDDLE - 10.0)
    bottom = (MIDDLE + 1 - lean, MIDDLE + 10.0)
    draw_strokes(cell, sag_stroke(rng, top, bottom, 0.03), width)
    start = (top[0] - rng.uniform(3.0, 12.0), top[1] + rng.uniform(3.0, 16.0))
    draw_strokes(cell, sag_stroke(rng, start, top, 0.06), width)
    if rng.bernoulli(0.3):
        ends = (
            (bottom[0] - rng.uniform(3, 6), bottom[1]),
            (bottom[0] + rng.uniform(3, 6), bottom[1]),
        )
        draw_strokes(cell, sag_stroke(rng, *ends, 0.04), width)


def _drawn_four(cell: Gray, rng: Random, form: str, width: float) -> None:
    """Write a 4 with its stem at the right, and the slope to it open or closed above."""
    x, y = MIDDLE, MIDDLE
    bar = y + rng.uniform(1.0, 5.0)
    left, right = x - rng.uniform(5.0, 8.0), x + rng.uniform(4.5, 9.0)
    foot = (x + rng.uniform(1.0, 3.5), y + rng.uniform(8.5, 10.5))
    if "closed" in form:
        tip = (x + rng.uniform(1.0, 4.0), y - 10.0)
        way = [*sag_stroke(rng, tip, (left, bar), 0.05), (right, bar - rng.uniform(-0.5, 1.5))]
        draw_strokes(cell, way, width)
        draw_strokes(cell, sag_stroke(rng, tip, foot, 0.02), width)
        return
    start = (left + rng.uniform(0.0, 4.0), y - rng.uniform(7.5, 10.0))
    corner = rng.uniform(0.3, 1.0)
    way = bend_stroke(start, (left - 1.0, bar - 2.0), (left + 0.5, bar))
    draw_strokes(
        cell,
        [*way, (left + 1.5 + corner, bar + 0.3), (right, bar - rng.uniform(-0.5, 2.0))],
        width,
    )
    stem = (foot[0] + rng.uniform(0.0, 2.5), y - rng.uniform(-2.0, 10.0))
    draw_strokes(cell, sag_stroke(rng, stem, foot, 0.03), width)


def _drawn_seven(cell: Gray, rng: Random, form: str, width: float) -> None:  # noqa: ARG001
    left, top = MIDDLE - rng.uniform(5.0, 7.5), MIDDLE - 10.0
    corner = (MIDDLE + rng.uniform(4.0, 7.5), top + rng.normal(0, 0.5))
    foot = (MIDDLE - rng.uniform(0.0, 5.0), MIDDLE + 10.0)
    way = [(left, top + rng.normal(0, 0.8)), corner, *sag_stroke(rng, corner, foot, 0.07)[1:]]
    if rng.bernoulli(0.4):
        way.insert(0, (left + rng.normal(-0.3, 0.5), top + rng.uniform(2.5, 5.0)))
    draw_strokes(cell, way, width)
    if rng.bernoulli(0.6):
        y = MIDDLE + rng.uniform(-1.5, 2.0)
        draw_strokes(
            cell, [(MIDDLE - rng.uniform(3, 6), y), (MIDDLE + rng.uniform(3.5, 6), y)], width
        )


def _drawn_nine(cell: Gray, rng: Random, form: str, width: float) -> None:  # noqa: ARG001
    """Write a 9 as a loop with a straight stem at its right."""
    room = 0.5 * max(0.0, width - 2)  # or a broad pen would fill the loop
    height, across = rng.uniform(4.0, 5.0) + room, rng.uniform(3.8, 5.2) + room
    middle = (MIDDLE - rng.uniform(0.0, 1.5), MIDDLE - 10.0 + height)
    begin = rng.uniform(-1.2, -0.2)
    draw_strokes(cell, arc(middle, across, height, begin, -rng.uniform(5.8, 6.6)), width)
    top = (
        middle[0] + across * math.cos(begin) + rng.normal(0.2, 0.4),
        middle[1] + height * math.sin(begin) - rng.uniform(0.0, 2.0),
    )
    foot = (top[0] - rng.normal(0.5, 1.2), MIDDLE + 10.0)
    way = sag_stroke(rng, top, foot, 0.03)
    if rng.bernoulli(0.15):
        way += bend_stroke(
            foot, (foot[0] - 2.0, foot[1] + 1.5), (foot[0] - 4.0, foot[1] - 0.5)
        )[1:]
    draw_strokes(cell, way, width)


_DRAWN = {1: _drawn_one, 4: _drawn_four, 7: _drawn_seven, 9: _drawn_nine}


COUNT = 384  # distortions that are kept ready; with the digits they meet that makes enough

# Deviation of the smoothing in pixels of a digit 20 pixels high: about a stroke's bend.
SMOOTH = 5.5

FAR = (0.4, 1.5)  # how far pixels move: deviations, in pixels of such a digit

_SEED = 20030803


def elastic_distortion(cell: Gray, rng: Random) -> Gray:
    """Return a digit in its field, uint8 (40, 40), bent by one of the distortions."""
    whole, part = rng.choice(_maps())
    return np.asarray(cv2.remap(cell, whole, part, cv2.INTER_LINEAR), np.uint8)


@cache
def _maps() -> list[tuple[NDArray[np.int16], NDArray[np.uint16]]]:
    """Draw the distortions, in the fixed-point form that OpenCV is quickest with."""
    rng = np.random.default_rng(_SEED)
    rows, columns = np.mgrid[0:CELL, 0:CELL].astype(np.float32)
    result = []
    for _ in range(COUNT):
        far = rng.uniform(*FAR)
        moves = []
        for _ in range(2):
            field = cv2.GaussianBlur(
                rng.standard_normal((CELL, CELL), np.float32), (0, 0), SMOOTH
            )
            moves.append(far * (field - field.mean()) / field.std())
        result.append(
            cv2.convertMaps(
                (columns + moves[0]).astype(np.float32),
                (rows + moves[1]).astype(np.float32),
                cv2.CV_16SC2,
            )
        )
    return result
