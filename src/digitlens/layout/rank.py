"""How much a line looks like a number, cheaply: so that the likeliest are read first.

The score says nothing of what is written: that is the reader's. It prefers marks of one height,
as high as wide or higher, as many as a number has, of full ink, whole, and in boxes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digitlens.layout.middle import median
from digitlens.layout.rows import bounds, height_of

if TYPE_CHECKING:
    from digitlens.layout.marks import Marks
    from digitlens.layout.rows import Row

USUAL = (2, 12)
"""Marks of most numbers."""


@dataclass(frozen=True)
class Page:
    """What a line is compared with.

    Parameters
    ----------
    shape
        Height and width of the view.
    tallest
        The height of the tallest line of the view: what was written by hand is larger than
        small print.
    strongest
        The ink, 0..255, that a tenth of all ink on the view goes beyond.
    count
        How many digits are wanted; None when that is not known.
    """

    shape: tuple[int, ...]
    tallest: float
    strongest: float
    count: int | None = None


def score(marks: Marks, row: Row, page: Page) -> float:
    """Return 0..1 for a line of a page."""
    boxes = marks.boxes[row.marks]
    high, wide = boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]
    height, number = height_of(marks, row.marks), len(row.marks)
    even = np.count_nonzero(np.abs(high - height) > 0.3 * height) / number
    shape_ = np.count_nonzero((wide > 1.15 * high) | (wide < 0.06 * high)) / number
    # Of a scribble the box is nearly empty, of a picture or a logo nearly full.
    filled = marks.areas[row.marks] / np.maximum(wide * high, 1)
    odd = np.count_nonzero((filled < 0.08) | ((filled > 0.62) & (wide > 0.5 * high))) / number
    size = min(1.0, height / max(0.5 * page.tallest, 1.0))
    ink = min(1.0, median(marks.contrast[row.marks]) / (0.6 * max(page.strongest, 1.0)))
    value = (1 - 0.5 * even) * (1 - 0.4 * shape_) * (1 - 0.6 * odd) * (0.4 + 0.6 * size)
    value *= 0.2 + 0.8 * ink
    value *= _number(number, page.count)
    if _touches(bounds(marks, row.marks), page.shape):
        value *= 0.5
    if row.part:
        value *= 0.9
    return float(min(1.0, value * 0.8 + (0.2 if row.boxed else 0.0)))


def _number(number: int, count: int | None) -> float:
    """Return how likely a line with so many marks is."""
    if count is None:
        least, most = USUAL
        if number < least:
            return 0.6
        return 1.0 if number <= most else max(0.2, most / number)
    # Touching digits make fewer marks, broken ones more.
    off = abs(number - count) / max(count, 1)
    return max(0.2, 1.0 - (0.6 if number < count else 1.0) * off)


def _touches(box: tuple[float, float, float, float], shape: tuple[int, ...]) -> bool:
    left, top, right, bottom = box
    return left < 1 or top < 1 or right > shape[1] - 1 or bottom > shape[0] - 1


def strongest(marks: Marks) -> float:
    """Return the ink, 0..255, that a tenth of all that may be digits goes beyond."""
    if not marks.digits.any():
        return 0.0
    contrast, areas = marks.contrast[marks.digits], marks.areas[marks.digits]
    order = np.argsort(contrast, kind="stable")
    so_far = np.cumsum(areas[order])
    return float(contrast[order][np.searchsorted(so_far, 0.9 * so_far[-1])])
