"""The 784 features in a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.digits import FEATURES, SIDE
from digitlens.plots.explaining.colours import enlarged
from digitlens.plots.explaining.words import MARGIN
from digitlens.plots.sheet import DPI, FAINT, LABEL, MUTED, SMALL, Sheet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from digitlens.explaining import Explanation

WIDTH = FEATURES * 2 / DPI
"""Inches: two pixels of the sheet for a feature."""

LINES = 4
"""Pieces that the large picture cuts the ribbon into, each of seven rows of the digit."""


def unrolled(found: Explanation) -> bytes:
    """Draw the digit as one ribbon of 784 features, and the ribbon in four pieces, large.

    Parameters
    ----------
    found
        As `digitlens.explaining.explain` gives it.

    Returns
    -------
    A PNG, 1628 x 795 pixels.
    """
    sheet = Sheet(
        WIDTH + 2 * MARGIN,
        5.3,
        heading=f"The picture unrolled: {SIDE} rows, one after the other, {FEATURES} features",
        note="feature = 28 x row + column; a fully connected network sees nothing else",
    )
    down = draw_ribbon(sheet, 0.85, found)
    each = FEATURES // LINES
    ribbon = 255 - found.digit.reshape(LINES, each)
    for at in range(LINES):
        first = at * each
        top = down + 0.35 + at * 0.9
        rows = f"rows {first // SIDE} to {(first + each) // SIDE - 1}"
        sheet.text((MARGIN, top), rows, size=LABEL, bold=True)
        wide = sheet.measure(rows, LABEL, bold=True)
        place = (MARGIN + wide + 0.15, top)
        sheet.text(place, f"features {first} to {first + each - 1}", colour=MUTED)
        _strip(sheet, top + 0.1, ribbon[at : at + 1], zoom=8, height=50)
    return sheet.png()


def draw_ribbon(sheet: Sheet, top: float, found: Explanation) -> float:
    """Draw the whole ribbon with the rows marked below it; return where it ends."""
    bottom = _strip(sheet, top, 255 - found.digit.reshape(1, -1), zoom=2, height=54)
    for row in range(SIDE):
        left = MARGIN + row * SIDE * 2 / DPI
        sheet.line([(left, bottom + 0.02), (left, bottom + 0.08)], MUTED, width=0.8)
        middle = left + SIDE / DPI
        sheet.text((middle, bottom + 0.19), str(row), size=7, colour=MUTED, align="centre")
    right = MARGIN + WIDTH
    sheet.line([(right, bottom + 0.02), (right, bottom + 0.08)], MUTED, width=0.8)
    words = "the row that each piece was; feature 0 at the left end, 783 at the right"
    sheet.text((MARGIN, bottom + 0.38), words, size=SMALL, colour=MUTED)
    return bottom + 0.42


def _strip(
    sheet: Sheet, top: float, row: NDArray[np.uint8], *, zoom: int, height: int
) -> float:
    picture = enlarged(row, zoom)[:1].repeat(height, axis=0)
    wide, high = picture.shape[1] / DPI, height / DPI
    edge = 0.01
    sheet.area((MARGIN - edge, top - edge), (MARGIN + wide + edge, top + high + edge), FAINT)
    sheet.image((MARGIN, top), wide, picture)
    return top + high
