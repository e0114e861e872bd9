"""What is printed on the paper around a number: rules, boxes, combs, tables, squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2

from digitlens.writing.strokes import FRACTION

if TYPE_CHECKING:
    from digitlens.writing.dice import Dice
    from digitlens.writing.page import Page

UNIT = 1 << FRACTION

RULES = (("line", 0.45), ("lines", 0.25), ("squares", 0.15), ("dotted", 0.15))
"""Kinds of rules and how often each is printed; `lines` and `squares` are those of pads."""

FRAMES = (("box", 0.4), ("table", 0.35), ("corner", 0.1), ("double", 0.15))
"""Kinds of frames around a whole number."""

CELLS = (("boxes", 0.45), ("apart", 0.2), ("comb", 0.25), ("ticks", 0.1))
"""Kinds of cells, one for each digit."""


@dataclass(frozen=True)
class Field:
    """Where the writing is on the page, for what is printed around it.

    Parameters
    ----------
    left, right
        Of the writing, in pixels.
    base, slope
        Row of the line at column 0, and how it falls.
    height
        Of a digit.
    first, pitch, count
        Left edge of the first cell, their distance and number; pitch 0.0 where there are none.
    """

    left: float
    right: float
    base: float
    slope: float
    height: float
    first: float = 0.0
    pitch: float = 0.0
    count: int = 0


class _Press:
    """Prints lines on a page in one grey and thickness, along the slope of the writing."""

    def __init__(self, dice: Dice, page: Page, field: Field, *, fine: bool = False) -> None:
        self._paper, self._field = page.paper, field
        darkness = page.contrast * dice.even(0.15, 0.5 if fine else 1.0)
        self._grey = max(0.0, page.level - darkness)
        heavy = not fine and dice.hit(0.4)
        self._thick = 1 + (round(field.height * dice.even(0.0, 0.08)) if heavy else 0)

    def line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Print from (column, rows above the writing's line) to another such place."""
        slope, base = self._field.slope, self._field.base
        one, two = (
            (
                round((x + slope * up) * UNIT),  # square corners stay square
                round((base + slope * x - up) * UNIT),
            )
            for x, up in (start, end)
        )
        cv2.line(self._paper, one, two, self._grey, self._thick, cv2.LINE_AA, FRACTION)

    def frame(self, left: float, right: float, low: float, high: float) -> None:
        """Print a rectangle."""
        self.line((left, low), (right, low))
        self.line((left, high), (right, high))
        self.line((left, low), (left, high))
        self.line((right, low), (right, high))


def print_rules(dice: Dice, page: Page, field: Field) -> None:
    """Print one rule, the lines of a writing pad, squares, or a dotted line."""
    kind = dice.share(RULES)
    press = _Press(dice, page, field, fine=kind == "squares")  # else nothing could be read
    wide, high = page.paper.shape[1], field.height
    if kind == "squares":
        step = high * dice.even(0.28, 0.9)
        off = dice.even() * step
        for at in range(int(wide / step) + 2):
            press.line((off + at * step, -3 * high), (off + at * step, 4 * high))
        for at in range(int(page.paper.shape[0] / step) + 2):
            up = field.base - off - at * step
            press.line((-5.0, up), (wide + 5.0, up))
        return
    under = high * dice.normal(-0.06, 0.1)
    if kind == "dotted":
        step = max(3.0, high * dice.even(0.1, 0.25))
        for at in range(int(wide / step) + 1):
            press.line((at * step, under), (at * step + step * 0.3, under))
        return
    press.line((-5.0, under), (wide + 5.0, under))
    if kind == "lines":
        step = high * dice.even(1.1, 1.7)
        for up in (under + step, under - step):
            press.line((-5.0, up), (wide + 5.0, up))


def print_frame(dice: Dice, page: Page, field: Field) -> None:
    """Print a box or the lines of a table around the writing."""
    press = _Press(dice, page, field)
    kind, high = dice.share(FRAMES), field.height
    left = field.left - high * dice.even(0.1, 0.8)
    right = field.right + high * dice.even(0.1, 0.9)
    low, top = -high * dice.even(0.08, 0.4), high * dice.even(1.08, 1.5)
    if kind in ("box", "double"):
        press.frame(left, right, low, top)
        if kind == "double":
            gap = max(2.0, 0.1 * high)
            press.frame(left - gap, right + gap, low - gap, top + gap)
    elif kind == "corner":
        press.line((left, low), (right + 9 * high, low))
        press.line((left, low), (left, top + 2 * high))
    else:
        for up in (low, top):
            press.line((-5.0, up), (page.paper.shape[1] + 5.0, up))
        for x in (left, right):
            press.line((x, -3 * high), (x, 4 * high))


def print_cells(dice: Dice, page: Page, field: Field) -> None:
    """Print a box for each digit, side by side or apart, or a comb."""
    press = _Press(dice, page, field)
    kind, high, pitch = dice.share(CELLS), field.height, field.pitch
    left, right = field.first, field.first + field.pitch * field.count
    low, top = -high * dice.even(0.08, 0.25), high * dice.even(1.05, 1.35)
    edges = [left + at * pitch for at in range(field.count + 1)]
    if kind == "apart":
        inset = pitch * dice.even(0.03, 0.09)
        for x in edges[:-1]:
            press.frame(x + inset, x + pitch - inset, low, top)
    elif kind == "boxes":
        press.frame(left, right, low, top)
        for x in edges[1:-1]:
            press.line((x, low), (x, top))
    else:
        tooth = low + high * (dice.even(0.15, 0.5) if kind == "comb" else 0.12)
        if kind == "comb":
            press.line((left, low), (right, low))
        for x in edges:
            press.line((x, low), (x, tooth))
