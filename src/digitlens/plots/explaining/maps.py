"""What a layer makes of the digit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.plots.explaining.colours import enlarged, hexed, is_dark, shade
from digitlens.plots.explaining.words import MARGIN
from digitlens.plots.sheet import DPI, FAINT, INK, LABEL, MUTED, PAPER, SMALL, Sheet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.explaining import Maps

COLUMNS = 16
"""Maps in a row of the overview."""

BEND = 0.7
"""Most of what a layer gives is small beside its largest value, and should be seen."""

FEW = 16
"""So many values have room for their figures in the overview."""


def maps(found: Maps) -> bytes:
    """Draw everything that one layer gives: its maps, or its values.

    Parameters
    ----------
    found
        One of an explanation's `maps`.

    Returns
    -------
    A PNG, 1650 pixels wide.
    """
    values = flat(found)
    heading = f"{found.layer.name[0].upper()}{found.layer.name[1:]}: {found.about}"
    if values.ndim == 1:
        return _values(found, heading)
    columns, gap, caption = 8, 0.16, 0.24
    width = 11.0
    side = (width - 2 * MARGIN + gap) / columns - gap
    rows = -(-len(found.values) // columns)
    sheet = Sheet(width, 0.85 + rows * (side + caption), heading, note=_note(found))
    colours = shade(found.values, more=INK, bend=BEND)
    for at, picture in enumerate(colours):
        row, column = divmod(at, columns)
        left, top = MARGIN + column * (side + gap), 0.95 + row * (side + caption)
        words = f"map {at}, up to {found.values[at].max():.1f}"
        sheet.text((left, top - 0.05), words, size=7.5, colour=MUTED)
        _framed(sheet, (left, top), side, picture)
    return sheet.png()


def draw_maps(sheet: Sheet, top: float, found: Maps) -> float:
    """Draw a layer in one row: its first 16 maps, or all its values; return where it ends."""
    values = flat(found)
    count = len(values)
    room, gap = sheet.width - 2 * MARGIN, 0.08
    is_flat = values.ndim == 1
    sheet.text((MARGIN, top + 0.12), found.layer.name, size=LABEL, bold=True)
    wide = sheet.measure(found.layer.name, LABEL, bold=True)
    shown = f", the first {COLUMNS} shown" if not is_flat and count > COLUMNS else ""
    words = f"{found.layer.about}: {found.about}{shown}"
    sheet.text((MARGIN + wide + 0.15, top + 0.12), words, size=SMALL, colour=MUTED)
    top += 0.21
    if is_flat and count <= FEW:
        return _cells(sheet, (MARGIN, top), values, count, room / count, 0.32)
    if is_flat:
        colours = shade(values, more=INK, bend=BEND)
        zoom = max(1, int(room * DPI / count))
        picture = enlarged(colours[None], zoom)[:1].repeat(round(0.3 * DPI), axis=0)
        _framed(sheet, (MARGIN, top), picture.shape[1] / DPI, picture)
        return top + 0.3
    side = (room + gap) / COLUMNS - gap
    for at, picture in enumerate(shade(found.values[:COLUMNS], more=INK, bend=BEND)):
        _framed(sheet, (MARGIN + at * (side + gap), top), side, picture)
    return top + side


def flat(found: Maps) -> NDArray[np.float32]:
    """Return a layer's values, maps of a single pixel in a row: (maps, H, W) or (values,)."""
    values = found.values
    return values.reshape(-1) if values.shape[1:] == (1, 1) else values


def _values(found: Maps, heading: str) -> bytes:
    values = flat(found)
    count = len(values)
    columns = min(count, 16 if count <= 256 else 32)
    width = 11.0
    cell = (width - 2 * MARGIN) / columns
    high = min(cell, 0.42)
    rows = -(-count // columns)
    sheet = Sheet(width, 0.95 + rows * high, heading, note=_note(found))
    _cells(sheet, (MARGIN, 0.78), values, columns, cell, high)
    return sheet.png()


def _cells(
    sheet: Sheet,
    place: tuple[float, float],
    values: NDArray[np.float32],
    columns: int,
    cell: float,
    high: float,
) -> float:
    """Draw values as cells with their figures; return where they end."""
    colours = shade(values, more=INK, bend=BEND)
    for at, value in enumerate(values):
        row, column = divmod(at, columns)
        x, y = place[0] + column * cell, place[1] + row * high
        sheet.area((x, y), (x + cell, y + high), FAINT)
        sheet.area((x + 0.01, y + 0.01), (x + cell - 0.01, y + high - 0.01), hexed(colours[at]))
        dark = is_dark(colours[at])
        words = f"{round(float(value), 1) + 0.0:.1f}".replace("-", "−")
        size = SMALL if columns <= FEW else 7.0
        middle = (x + cell / 2, y + high / 2)
        colour = PAPER if dark else (INK if value else MUTED)
        sheet.text(middle, words, size=size, colour=colour, align="centre", middle=True)
    return place[1] + -(-len(values) // columns) * high


def _note(found: Maps) -> str:
    below = ", blue is less than nothing" if found.values.min() < 0 else ""
    what = "found its pattern" if found.values.ndim > 1 else "answers"
    return f"{found.layer.about}; dark is where it {what}, white is nothing{below}"


def _framed(
    sheet: Sheet, place: tuple[float, float], width: float, picture: NDArray[np.uint8]
) -> None:
    (left, top), edge = place, 0.01
    height = width * picture.shape[0] / picture.shape[1]
    sheet.area((left - edge, top - edge), (left + width + edge, top + height + edge), FAINT)
    sheet.image((left, top), width, picture)
