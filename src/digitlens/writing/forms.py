"""The forms that digits have in other hands and countries, made at the level of strokes.

MNIST's writers are from the United States: their 1 is one stroke, their 7 has no bar. Readers
that met only those take a 1 with a long upstroke for a 7 or 4 and a barred 7 for a 2.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.digits import SIDE
from digitlens.writing.skeletons import write_skeleton
from digitlens.writing.strokes import arc, bent, draw, sagging

if TYPE_CHECKING:
    from digitlens.writing.dice import Dice
    from digitlens.writing.strokes import Point
    from digitlens.writing.written import Grey

MARGIN = 6
"""Pixels around a glyph, for strokes that reach beyond it."""

CELL = SIDE + 2 * MARGIN
"""Height and width of the field in which a digit is written: 40 pixels; the digit has 20."""

MIDDLE = CELL / 2


def source_of(label: int, form: str) -> int:
    """Return which digit's glyph the form is made of: a 6 may be a 9 upside down."""
    return {"turned 9": 9, "turned 6": 6}.get(form, label)


def loop_of(label: int, form: str) -> bool | None:
    """Return whether the glyph must have a loop; None where it does not matter."""
    if label == 4:
        return {"open": False, "closed": True}.get(form)
    return {"loop": True, "no loop": False}.get(form) if label == 2 else None


def write_form(
    cell: Grey, glyph: Grey, dice: Dice, form: str, label: int, width: float
) -> None:
    """Write one digit into its empty field.

    Parameters
    ----------
    cell
        uint8 (40, 40), 0 = paper, 255 = ink: written to.
    glyph
        uint8 (28, 28).
    form
        One of those that `hand.HABITS` has for `label`, or ""; ``written`` with a number.
    width
        Of the glyph's strokes, in pixels.
    """
    if form.startswith("written"):
        write_skeleton(cell, dice, label, int(form.split()[1]), width)
        return
    if form.startswith("drawn") or form == "stem":
        _DRAWN[label](cell, dice, form, width)
        return
    inner = cell[MARGIN:-MARGIN, MARGIN:-MARGIN]
    if form.startswith("turned"):
        inner[:] = glyph[::-1, ::-1]
    elif form == "mirrored":
        inner[:] = glyph[:, ::-1]
    else:
        inner[:] = glyph
    if label == 1 and form:
        _one(cell, dice, form, width)
    elif label == 7 and form:
        _seven(cell, dice, form, width)
    elif label == 5 and form:
        _five(cell, dice, form, width)


def _one(cell: Grey, dice: Dice, form: str, width: float) -> None:
    """Add a flag, a long upstroke, a loop or a foot to the stem."""
    top, bottom, high = _stem(cell)
    if "foot" in form:
        left, right = dice.even(0.1, 0.3) * high, dice.even(0.1, 0.3) * high
        y = bottom[1] + dice.normal(0, 0.5)
        ends = (bottom[0] - left, y + dice.normal(0, 0.7)), (bottom[0] + right, y)
        draw(cell, sagging(dice, *ends, 0.05), width)
    if form == "looped":
        _looped(cell, dice, top, high, width)
    elif form != "foot":
        long = form == "upstroke"
        across = (dice.even(0.3, 0.95) if long else dice.even(0.12, 0.35)) * high
        down = (dice.even(0.35, 1.0) if long else dice.even(0.1, 0.4)) * high
        start = (max(1.5, top[0] - across), min(top[1] + down, bottom[1]))
        draw(cell, sagging(dice, start, top, 0.07), width)


def _looped(cell: Grey, dice: Dice, top: Point, high: float, width: float) -> None:
    across, down = dice.even(0.3, 0.6) * high, dice.even(0.45, 0.9) * high
    over = dice.even(0.08, 0.2) * high
    start = (max(1.5, top[0] - across), top[1] + down)
    crown = (top[0] + over * 0.7, top[1] - over)
    way = bent(start, (top[0] - 0.1 * across, top[1] + 0.2 * down), crown)
    draw(cell, way + bent(crown, (top[0] - over, top[1] - over), top)[1:], width)
    below = (top[0] - 0.02 * high, top[1] + 0.25 * high)
    draw(cell, bent(crown, (top[0] - over, top[1] - 0.5 * over), below), width)


def _stem(cell: Grey) -> tuple[Point, Point, float]:
    """Return the top and bottom of a stroke, and its height."""
    left, top, wide, high = cv2.boundingRect(cell)
    columns = np.arange(left, left + wide)
    field = cell[top : top + high, left : left + wide].astype(np.float32)
    upper, lower = field[1:3].sum(axis=0), field[-3:-1].sum(axis=0)
    x_top = float(upper @ columns / max(float(upper.sum()), 1.0))
    x_bottom = float(lower @ columns / max(float(lower.sum()), 1.0))
    return (x_top, top + 1.0), (x_bottom, top + high - 1.5), float(high)


def _seven(cell: Grey, dice: Dice, form: str, width: float) -> None:
    """Add a bar across the stem, or a hook at the left end of the top."""
    left, top, wide, high = cv2.boundingRect(cell)
    if "bar" in form:
        row = top + int(high * dice.even(0.45, 0.65))
        columns = np.flatnonzero(cell[row] > 90)
        x = float(columns[-1]) - width / 2 if len(columns) else left + wide / 2
        reach = wide * dice.even(0.25, 0.4), wide * dice.even(0.2, 0.35)
        tilt = dice.normal(-0.08, 0.1) * wide
        ends = (x - reach[0], row - tilt), (x + reach[1], row + tilt)
        draw(cell, sagging(dice, *ends, 0.05), width)
    if "hook" in form:
        rows = np.flatnonzero(cell[:, left + 1] > 60)
        y = float(rows[0]) if len(rows) else top + 1.0
        end = (left + 1.0 + dice.normal(-0.5, 1.0), y + high * dice.even(0.12, 0.25))
        draw(cell, [(left + 1.5, y), end], width)


def _five(cell: Grey, dice: Dice, form: str, width: float) -> None:
    """Take the bar off and write another one: longer, or apart from the body."""
    left, top, wide, high = cv2.boundingRect(cell)
    row = top + int(0.32 * high)
    columns = np.flatnonzero(cell[row] > 90)
    stem = float(columns[0]) + width / 2 if len(columns) else left + width
    if stem > left + 0.6 * wide:
        return  # another shape than the one with a stem at the left
    right = left + wide * dice.even(1.0, 1.35)
    start = stem
    if form == "bar apart" and width < 3.5:
        cell[top : top + int(0.22 * high), int(stem + width) :] = 0
        start = stem + width * dice.even(0.6, 1.6) + 1.0
        right = max(right, start + 0.4 * wide)
    y = top + dice.even(-0.08, 0.08) * high
    ends = (start, y), (min(right, CELL - 2.0), y - dice.normal(0.06, 0.06) * wide)
    draw(cell, sagging(dice, *ends, 0.06), width)


def _drawn_one(cell: Grey, dice: Dice, form: str, width: float) -> None:  # noqa: ARG001
    lean = dice.normal(0.0, 0.06) * 20
    top = (MIDDLE + 1 + lean, MIDDLE - 10.0)
    bottom = (MIDDLE + 1 - lean, MIDDLE + 10.0)
    draw(cell, sagging(dice, top, bottom, 0.03), width)
    start = (top[0] - dice.even(3.0, 12.0), top[1] + dice.even(3.0, 16.0))
    draw(cell, sagging(dice, start, top, 0.06), width)
    if dice.hit(0.3):
        ends = (
            (bottom[0] - dice.even(3, 6), bottom[1]),
            (bottom[0] + dice.even(3, 6), bottom[1]),
        )
        draw(cell, sagging(dice, *ends, 0.04), width)


def _drawn_four(cell: Grey, dice: Dice, form: str, width: float) -> None:
    """Write a 4 with its stem at the right, and the slope to it open or closed above."""
    x, y = MIDDLE, MIDDLE
    bar = y + dice.even(1.0, 5.0)
    left, right = x - dice.even(5.0, 8.0), x + dice.even(4.5, 9.0)
    foot = (x + dice.even(1.0, 3.5), y + dice.even(8.5, 10.5))
    if "closed" in form:
        tip = (x + dice.even(1.0, 4.0), y - 10.0)
        way = [*sagging(dice, tip, (left, bar), 0.05), (right, bar - dice.even(-0.5, 1.5))]
        draw(cell, way, width)
        draw(cell, sagging(dice, tip, foot, 0.02), width)
        return
    start = (left + dice.even(0.0, 4.0), y - dice.even(7.5, 10.0))
    corner = dice.even(0.3, 1.0)
    way = bent(start, (left - 1.0, bar - 2.0), (left + 0.5, bar))
    draw(
        cell,
        [*way, (left + 1.5 + corner, bar + 0.3), (right, bar - dice.even(-0.5, 2.0))],
        width,
    )
    stem = (foot[0] + dice.even(0.0, 2.5), y - dice.even(-2.0, 10.0))
    draw(cell, sagging(dice, stem, foot, 0.03), width)


def _drawn_seven(cell: Grey, dice: Dice, form: str, width: float) -> None:  # noqa: ARG001
    left, top = MIDDLE - dice.even(5.0, 7.5), MIDDLE - 10.0
    corner = (MIDDLE + dice.even(4.0, 7.5), top + dice.normal(0, 0.5))
    foot = (MIDDLE - dice.even(0.0, 5.0), MIDDLE + 10.0)
    way = [(left, top + dice.normal(0, 0.8)), corner, *sagging(dice, corner, foot, 0.07)[1:]]
    if dice.hit(0.4):
        way.insert(0, (left + dice.normal(-0.3, 0.5), top + dice.even(2.5, 5.0)))
    draw(cell, way, width)
    if dice.hit(0.6):
        y = MIDDLE + dice.even(-1.5, 2.0)
        draw(cell, [(MIDDLE - dice.even(3, 6), y), (MIDDLE + dice.even(3.5, 6), y)], width)


def _drawn_nine(cell: Grey, dice: Dice, form: str, width: float) -> None:  # noqa: ARG001
    """Write a 9 as a loop with a straight stem at its right."""
    room = 0.5 * max(0.0, width - 2)  # or a broad pen would fill the loop
    high, across = dice.even(4.0, 5.0) + room, dice.even(3.8, 5.2) + room
    middle = (MIDDLE - dice.even(0.0, 1.5), MIDDLE - 10.0 + high)
    begin = dice.even(-1.2, -0.2)
    draw(cell, arc(middle, across, high, begin, -dice.even(5.8, 6.6)), width)
    top = (
        middle[0] + across * math.cos(begin) + dice.normal(0.2, 0.4),
        middle[1] + high * math.sin(begin) - dice.even(0.0, 2.0),
    )
    foot = (top[0] - dice.normal(0.5, 1.2), MIDDLE + 10.0)
    way = sagging(dice, top, foot, 0.03)
    if dice.hit(0.15):
        way += bent(foot, (foot[0] - 2.0, foot[1] + 1.5), (foot[0] - 4.0, foot[1] - 0.5))[1:]
    draw(cell, way, width)


_DRAWN = {1: _drawn_one, 4: _drawn_four, 7: _drawn_seven, 9: _drawn_nine}
