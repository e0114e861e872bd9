"""The steps from the picture that came in to the frame that the network knows.

* The digit as numbers.
* The 784 features in a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import FEATURES, SIDE
from digitlens.viz.canvas import (
    DPI,
    FAINT,
    INK,
    LABEL,
    MARGIN,
    MUTED,
    ORANGE,
    PAPER,
    SMALL,
    Canvas,
    enlarged,
    fitted,
    hexed,
    paragraph,
    rgb,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.explain import Explanation


GAP = 0.3
FRAMING_SIDE = 1.5
"""Inches: the longer side of a step's picture."""


def framing(result: Explanation) -> bytes:
    """Draw each step with its name and what was done, from left to right.

    Parameters
    ----------
    result
        As `digitlens.explain.explanation` gives it, of a picture that was framed.

    Returns
    -------
    A PNG, 270 pixels wide for each step.
    """
    width = 2 * MARGIN + len(result.steps) * (FRAMING_SIDE + GAP) - GAP
    width = max(width, 5.0)

    def make(height: float) -> Canvas:
        return Canvas(width, height, "From the picture to the frame of 28 x 28")

    return fitted(make, lambda sheet: draw_framing(sheet, 0.7, result))


def draw_framing(sheet: Canvas, top: float, result: Explanation) -> float:
    """Draw the steps on a sheet from `top` down; return where they end."""
    room = sheet.width - 2 * MARGIN
    count = max(len(result.steps), 1)
    side = min(FRAMING_SIDE, (room + GAP) / count - GAP)
    lowest = top
    for index, step in enumerate(result.steps):
        left = MARGIN + index * (side + GAP)
        _picture(sheet, (left, top), side, step.picture)
        if index:
            _arrow(sheet, left - GAP / 2, top + side / 2)
        words = f"{index + 1}  {step.name}"
        down = paragraph(sheet, (left, top + side + 0.1), words, side + 0.1, size=LABEL)
        down = paragraph(
            sheet, (left, down + 0.02), step.about, side + 0.1, size=SMALL, color=MUTED
        )
        lowest = max(lowest, down)
    return lowest


def _picture(
    sheet: Canvas, place: tuple[float, float], side: float, pixels: NDArray[np.uint8]
) -> None:
    left, top = place
    edge = 0.01
    sheet.area((left - edge, top - edge), (left + side + edge, top + side + edge), FAINT)
    rows, columns = pixels.shape[:2]
    scale = side / max(rows, columns)
    width, height = columns * scale, rows * scale
    if max(rows, columns) > side * DPI:  # every n-th pixel would break thin strokes
        pixels = _smaller(pixels, round(width * DPI), round(height * DPI))
    sheet.image((left + (side - width) / 2, top + (side - height) / 2), width, pixels)


def _smaller(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    from PIL import Image

    small = Image.fromarray(pixels).resize(
        (max(width, 1), max(height, 1)), Image.Resampling.BOX
    )
    return np.asarray(small)


def _arrow(sheet: Canvas, middle: float, down: float) -> None:
    size = 0.06
    sheet.line([(middle - size, down), (middle + size, down)], INK, width=1.2)
    tip = [
        (middle + size - 0.045, down - 0.045),
        (middle + size, down),
        (middle + size - 0.045, down + 0.045),
    ]
    sheet.line(tip, INK, width=1.2)


ZOOM = 15
"""Pixels of the sheet for one of the digit's, in the overview."""

CUT = 9
"""Rows and columns of the part that the overview shows as numbers."""


def pixels(result: Explanation) -> bytes:
    """Draw each pixel with its number, 0 = paper, 255 = ink.

    Parameters
    ----------
    result
        As `digitlens.explain.explanation` gives it.

    Returns
    -------
    A PNG, 1443 x 1548 pixels.
    """
    cell = 0.32
    width = 0.45 + SIDE * cell + MARGIN
    sheet = Canvas(
        width,
        1.05 + SIDE * cell + 0.3,
        heading=f"A picture is {FEATURES} numbers: {SIDE} rows of {SIDE} pixels",
        note="0 is bare paper, 255 is full ink; this is all that the network is given",
    )
    _cells(sheet, (0.45, 1.1), cell, result.digit, rows=0, columns=0, size=8.0)
    return sheet.png()


def draw_pixels(sheet: Canvas, top: float, result: Explanation) -> float:
    """Draw the digit, a part of it as numbers, and what they are; return where they end."""
    side = SIDE * ZOOM / 150
    row, column = middle_of(result.digit)
    picture = enlarged(255 - result.digit, ZOOM)
    framed = np.repeat(picture[..., None], 3, axis=2)
    _ring(framed, row * ZOOM, column * ZOOM, CUT * ZOOM)
    sheet.area((MARGIN - 0.01, top - 0.01), (MARGIN + side + 0.01, top + side + 0.01), FAINT)
    sheet.image((MARGIN, top), side, framed)
    left = MARGIN + side + 0.65
    part = result.digit[row : row + CUT, column : column + CUT]
    _cells(sheet, (left, top), side / CUT, part, rows=row, columns=column, size=SMALL)
    inner = int(np.abs(part.astype(int) - 128).argmin())  # the greyest of them
    index = SIDE * (row + inner // CUT) + column + inner % CUT
    words = (
        f"The network is given no picture, only {FEATURES} numbers: {SIDE} rows of {SIDE}, "
        "0 for bare paper, 255 for full ink (drawn dark here), between them what the pen half "
        "covered.\n\n"
        "The part in the orange frame stands beside it as numbers, with the rows and columns "
        "they are in.\n\n"
        f"Read row by row they get one number after the other: row {index // SIDE}, column "
        f"{index % SIDE} is feature {SIDE} x {index // SIDE} + {index % SIDE} = {index}. It is "
        f"{result.digit[index // SIDE, index % SIDE]} here, or "
        f"{result.unrolled[index]:.2f} when "
        "255 counts as 1."
    )
    left += side + 0.45
    paragraph(sheet, (left, top - 0.02), words, sheet.width - MARGIN - left)
    return top + side


def middle_of(digit: NDArray[np.uint8]) -> tuple[int, int]:
    """Return the upper left corner of the part that shows most different greys."""
    grays = ((digit > 0) & (digit < 255)).astype(int) + (digit > 0)
    view = np.lib.stride_tricks.sliding_window_view(grays, (CUT, CUT))
    row, column = divmod(int(view.sum(axis=(2, 3)).argmax()), SIDE - CUT + 1)
    return row, column


def _cells(
    sheet: Canvas,
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
            gray = np.full(3, 255 - value, np.uint8)
            sheet.area((x, y), (x + cell, y + cell), hexed(gray))
            color = PAPER if value > 127 else (INK if value else MUTED)
            middle = (x + cell / 2, y + cell / 2)
            sheet.text(middle, str(value), size=size, color=color, align="centre", middle=True)
    for index in range(height):
        place = (left - 0.07, top + (index + 0.5) * cell)
        sheet.text(place, str(rows + index), size=7, color=MUTED, align="right", middle=True)
    for index in range(width):
        place = (left + (index + 0.5) * cell, top - 0.06)
        sheet.text(place, str(columns + index), size=7, color=MUTED, align="centre")
    edge = [
        (left, top),
        (left + width * cell, top),
        (left + width * cell, top + height * cell),
        (left, top + height * cell),
        (left, top),
    ]
    sheet.line(edge, FAINT)


def _ring(picture: NDArray[np.uint8], top: int, left: int, side: int) -> None:
    color = [round(255 * item) for item in rgb(ORANGE)]
    thick = 3
    bottom, right = top + side, left + side
    picture[top : top + thick, left:right] = color
    picture[bottom - thick : bottom, left:right] = color
    picture[top:bottom, left : left + thick] = color
    picture[top:bottom, right - thick : right] = color


WIDTH = FEATURES * 2 / DPI
"""Inches: two pixels of the sheet for a feature."""

LINES = 4
"""Pieces that the large picture cuts the ribbon into, each of seven rows of the digit."""


def unrolled(result: Explanation) -> bytes:
    """Draw the digit as one ribbon of 784 features, and the ribbon in four pieces, large.

    Parameters
    ----------
    result
        As `digitlens.explain.explanation` gives it.

    Returns
    -------
    A PNG, 1628 x 795 pixels.
    """
    sheet = Canvas(
        WIDTH + 2 * MARGIN,
        5.3,
        heading=f"The picture unrolled: {SIDE} rows, one after the other, {FEATURES} features",
        note="feature = 28 x row + column; a fully connected network sees nothing else",
    )
    down = draw_ribbon(sheet, 0.85, result)
    item = FEATURES // LINES
    ribbon = 255 - result.digit.reshape(LINES, item)
    for index in range(LINES):
        first = index * item
        top = down + 0.35 + index * 0.9
        rows = f"rows {first // SIDE} to {(first + item) // SIDE - 1}"
        sheet.text((MARGIN, top), rows, size=LABEL, bold=True)
        width = sheet.measure(rows, LABEL, bold=True)
        place = (MARGIN + width + 0.15, top)
        sheet.text(place, f"features {first} to {first + item - 1}", color=MUTED)
        _strip(sheet, top + 0.1, ribbon[index : index + 1], zoom=8, height=50)
    return sheet.png()


def draw_ribbon(sheet: Canvas, top: float, result: Explanation) -> float:
    """Draw the whole ribbon with the rows marked below it; return where it ends."""
    bottom = _strip(sheet, top, 255 - result.digit.reshape(1, -1), zoom=2, height=54)
    for row in range(SIDE):
        left = MARGIN + row * SIDE * 2 / DPI
        sheet.line([(left, bottom + 0.02), (left, bottom + 0.08)], MUTED, width=0.8)
        middle = left + SIDE / DPI
        sheet.text((middle, bottom + 0.19), str(row), size=7, color=MUTED, align="centre")
    right = MARGIN + WIDTH
    sheet.line([(right, bottom + 0.02), (right, bottom + 0.08)], MUTED, width=0.8)
    words = "the row that each piece was; feature 0 at the left end, 783 at the right"
    sheet.text((MARGIN, bottom + 0.38), words, size=SMALL, color=MUTED)
    return bottom + 0.42


def _strip(
    sheet: Canvas, top: float, row: NDArray[np.uint8], *, zoom: int, height: int
) -> float:
    picture = enlarged(row, zoom)[:1].repeat(height, axis=0)
    wide, high = picture.shape[1] / DPI, height / DPI
    edge = 0.01
    sheet.area((MARGIN - edge, top - edge), (MARGIN + wide + edge, top + high + edge), FAINT)
    sheet.image((MARGIN, top), wide, picture)
    return top + high
