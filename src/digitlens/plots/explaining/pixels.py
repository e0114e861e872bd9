"""The digit as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import FEATURES, SIDE
from digitlens.plots.explaining.colours import enlarged, hexed
from digitlens.plots.explaining.words import MARGIN, paragraph
from digitlens.plots.sheet import FAINT, INK, MUTED, ORANGE, PAPER, SMALL, Sheet, rgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.explaining import Explanation

ZOOM = 15
"""Pixels of the sheet for one of the digit's, in the overview."""

CUT = 9
"""Rows and columns of the part that the overview shows as numbers."""


def pixels(found: Explanation) -> bytes:
    """Draw each pixel with its number, 0 = paper, 255 = ink.

    Parameters
    ----------
    found
        As `digitlens.explaining.explain` gives it.

    Returns
    -------
    A PNG, 1443 x 1548 pixels.
    """
    cell = 0.32
    width = 0.45 + SIDE * cell + MARGIN
    sheet = Sheet(
        width,
        1.05 + SIDE * cell + 0.3,
        heading=f"A picture is {FEATURES} numbers: {SIDE} rows of {SIDE} pixels",
        note="0 is bare paper, 255 is full ink; this is all that the network is given",
    )
    _cells(sheet, (0.45, 1.1), cell, found.digit, rows=0, columns=0, size=8.0)
    return sheet.png()


def draw_pixels(sheet: Sheet, top: float, found: Explanation) -> float:
    """Draw the digit, a part of it as numbers, and what they are; return where they end."""
    side = SIDE * ZOOM / 150
    row, column = middle_of(found.digit)
    picture = enlarged(255 - found.digit, ZOOM)
    framed = np.repeat(picture[..., None], 3, axis=2)
    _ring(framed, row * ZOOM, column * ZOOM, CUT * ZOOM)
    sheet.area((MARGIN - 0.01, top - 0.01), (MARGIN + side + 0.01, top + side + 0.01), FAINT)
    sheet.image((MARGIN, top), side, framed)
    left = MARGIN + side + 0.65
    part = found.digit[row : row + CUT, column : column + CUT]
    _cells(sheet, (left, top), side / CUT, part, rows=row, columns=column, size=SMALL)
    inner = int(np.abs(part.astype(int) - 128).argmin())  # the greyest of them
    at = SIDE * (row + inner // CUT) + column + inner % CUT
    words = (
        f"The network is given no picture, only {FEATURES} numbers: {SIDE} rows of {SIDE}, "
        "0 for bare paper, 255 for full ink (drawn dark here), between them what the pen half "
        "covered.\n\n"
        "The part in the orange frame stands beside it as numbers, with the rows and columns "
        "they are in.\n\n"
        f"Read row by row they get one number after the other: row {at // SIDE}, column "
        f"{at % SIDE} is feature {SIDE} x {at // SIDE} + {at % SIDE} = {at}. It is "
        f"{found.digit[at // SIDE, at % SIDE]} here, or {found.unrolled[at]:.2f} when "
        "255 counts as 1."
    )
    left += side + 0.45
    paragraph(sheet, (left, top - 0.02), words, sheet.width - MARGIN - left)
    return top + side


def middle_of(digit: NDArray[np.uint8]) -> tuple[int, int]:
    """Return the upper left corner of the part that shows most different greys."""
    greys = ((digit > 0) & (digit < 255)).astype(int) + (digit > 0)
    view = np.lib.stride_tricks.sliding_window_view(greys, (CUT, CUT))
    row, column = divmod(int(view.sum(axis=(2, 3)).argmax()), SIDE - CUT + 1)
    return row, column


def _cells(
    sheet: Sheet,
    place: tuple[float, float],
    cell: float,
    part: NDArray[np.uint8],
    *,
    rows: int,
    columns: int,
    size: float,
) -> None:
    left, top = place
    height, width = part.shape
    for row in range(height):
        for column in range(width):
            value = int(part[row, column])
            x, y = left + column * cell, top + row * cell
            grey = np.full(3, 255 - value, np.uint8)
            sheet.area((x, y), (x + cell, y + cell), hexed(grey))
            colour = PAPER if value > 127 else (INK if value else MUTED)
            middle = (x + cell / 2, y + cell / 2)
            sheet.text(
                middle, str(value), size=size, colour=colour, align="centre", middle=True
            )
    for at in range(height):
        place = (left - 0.07, top + (at + 0.5) * cell)
        sheet.text(place, str(rows + at), size=7, colour=MUTED, align="right", middle=True)
    for at in range(width):
        place = (left + (at + 0.5) * cell, top - 0.06)
        sheet.text(place, str(columns + at), size=7, colour=MUTED, align="centre")
    edge = [
        (left, top),
        (left + width * cell, top),
        (left + width * cell, top + height * cell),
        (left, top + height * cell),
        (left, top),
    ]
    sheet.line(edge, FAINT)


def _ring(picture: NDArray[np.uint8], top: int, left: int, side: int) -> None:
    colour = [round(255 * each) for each in rgb(ORANGE)]
    thick = 3
    bottom, right = top + side, left + side
    picture[top : top + thick, left:right] = colour
    picture[bottom - thick : bottom, left:right] = colour
    picture[top:bottom, left : left + thick] = colour
    picture[top:bottom, right - thick : right] = colour
