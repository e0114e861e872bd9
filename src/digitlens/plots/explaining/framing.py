"""The steps from the picture that came in to the frame that the network knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.plots.explaining.words import MARGIN, fitted, paragraph
from digitlens.plots.sheet import DPI, FAINT, INK, LABEL, MUTED, SMALL, Sheet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.explaining import Explanation

GAP = 0.3
SIDE = 1.5
"""Inches: the longer side of a step's picture."""


def framing(found: Explanation) -> bytes:
    """Draw each step with its name and what was done, from left to right.

    Parameters
    ----------
    found
        As `digitlens.explaining.explain` gives it, of a picture that was framed.

    Returns
    -------
    A PNG, 270 pixels wide for each step.
    """
    width = 2 * MARGIN + len(found.steps) * (SIDE + GAP) - GAP
    width = max(width, 5.0)

    def make(height: float) -> Sheet:
        return Sheet(width, height, "From the picture to the frame of 28 x 28")

    return fitted(make, lambda sheet: draw_framing(sheet, 0.7, found))


def draw_framing(sheet: Sheet, top: float, found: Explanation) -> float:
    """Draw the steps on a sheet from `top` down; return where they end."""
    room = sheet.width - 2 * MARGIN
    count = max(len(found.steps), 1)
    side = min(SIDE, (room + GAP) / count - GAP)
    lowest = top
    for at, step in enumerate(found.steps):
        left = MARGIN + at * (side + GAP)
        _picture(sheet, (left, top), side, step.picture)
        if at:
            _arrow(sheet, left - GAP / 2, top + side / 2)
        words = f"{at + 1}  {step.name}"
        down = paragraph(sheet, (left, top + side + 0.1), words, side + 0.1, size=LABEL)
        down = paragraph(
            sheet, (left, down + 0.02), step.about, side + 0.1, size=SMALL, colour=MUTED
        )
        lowest = max(lowest, down)
    return lowest


def _picture(
    sheet: Sheet, place: tuple[float, float], side: float, pixels: NDArray[np.uint8]
) -> None:
    left, top = place
    edge = 0.01
    sheet.area((left - edge, top - edge), (left + side + edge, top + side + edge), FAINT)
    rows, columns = pixels.shape[:2]
    scale = side / max(rows, columns)
    wide, high = columns * scale, rows * scale
    if max(rows, columns) > side * DPI:  # every n-th pixel would break thin strokes
        pixels = _smaller(pixels, round(wide * DPI), round(high * DPI))
    sheet.image((left + (side - wide) / 2, top + (side - high) / 2), wide, pixels)


def _smaller(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    from PIL import Image

    small = Image.fromarray(pixels).resize(
        (max(width, 1), max(height, 1)), Image.Resampling.BOX
    )
    return np.asarray(small)


def _arrow(sheet: Sheet, middle: float, down: float) -> None:
    size = 0.06
    sheet.line([(middle - size, down), (middle + size, down)], INK, width=1.2)
    tip = [
        (middle + size - 0.045, down - 0.045),
        (middle + size, down),
        (middle + size - 0.045, down + 0.045),
    ]
    sheet.line(tip, INK, width=1.2)
