"""Which pixels the answer hangs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import SIDE
from digitlens.plots.explaining.colours import hexed, shade
from digitlens.plots.explaining.words import MARGIN, fitted, paragraph
from digitlens.plots.sheet import DPI, FAINT, INK, MUTED, PAPER, SMALL, Sheet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from digitlens.explaining import Explanation

    Floats = NDArray[np.float32]
    Corner = tuple[int, int]

ZOOM = 24
"""Pixels of the large picture for one of the digit's."""

GAP = 0.5
"""Inches between the two maps."""

INKED = 127
"""Above this a pixel lies within the outline of the digit."""


def mattered(found: Explanation) -> bytes:
    """Draw what the answer loses without each part of the ink, and what each pixel adds.

    Parameters
    ----------
    found
        As `digitlens.explaining.explain` gives it.

    Returns
    -------
    A PNG, 840 pixels wide for each of the one or two panels.
    """
    panels = 1 if found.gradients is None else 2
    width = 2 * MARGIN + panels * SIDE * ZOOM / DPI + (panels - 1) * GAP

    def make(height: float) -> Sheet:
        heading = f"Why {found.label}? Which pixels the answer hangs on"
        note = f"orange speaks for {found.label}, blue against it"
        return Sheet(width, height, heading, note)

    return fitted(make, lambda sheet: draw_mattered(sheet, 0.85, found, zoom=ZOOM))


def draw_mattered(sheet: Sheet, top: float, found: Explanation, *, zoom: int) -> float:
    """Draw one or two maps with what they mean; return where they end."""
    side = SIDE * zoom / DPI
    size = found.occlusion.window
    turned = found.occlusion.answers != found.label
    words = f"What is lost when {size} x {size} pixels about this one are turned to paper. " + (
        "A figure: the digit it would then read." if turned.any() else ""
    )
    down = _map(sheet, (MARGIN, top), side, found.occlusion.fall, found, words)
    _turned(sheet, (MARGIN, top), side, found)
    if found.gradients is not None:
        left = MARGIN + side + GAP
        words = (
            "What each pixel adds when the digit is faded in from blank paper "
            "(integrated gradients)."
        )
        down = max(down, _map(sheet, (left, top), side, found.gradients, found, words))
    return down


def _map(
    sheet: Sheet,
    place: tuple[float, float],
    side: float,
    values: Floats,
    found: Explanation,
    words: str,
) -> float:
    # In areas and not as a picture, so that figures can stand on it.
    left, top = place
    cell = side / SIDE
    edge = 0.01
    sheet.area((left - edge, top - edge), (left + side + edge, top + side + edge), FAINT)
    sheet.area((left, top), (left + side, top + side), PAPER)
    for (row, column), colour in _coloured(shade(values)):
        x, y = left + column * cell, top + row * cell
        sheet.area((x, y), (x + cell, y + cell), colour)
    for start, end in _outline(found.digit > INKED):
        ends = [(left + x * cell, top + y * cell) for y, x in (start, end)]
        sheet.line(ends, INK, width=1.0, alpha=0.75)
    down = _legend(sheet, (left, top + side + 0.12), side, values)
    return paragraph(sheet, (left, down + 0.06), words, side, size=SMALL)


def _coloured(picture: NDArray[np.uint8]) -> list[tuple[tuple[int, int], str]]:
    rows, columns = np.nonzero((picture != 255).any(axis=2))
    return [
        ((int(row), int(column)), hexed(picture[row, column]))
        for row, column in zip(rows, columns, strict=True)
    ]


def _outline(inside: NDArray[np.bool_]) -> Iterator[tuple[Corner, Corner]]:
    """Walk over the edges between pixels within and without, as (row, column) of corners."""
    framed = np.pad(inside, 1)
    for row, column in zip(*np.nonzero(framed[1:, 1:-1] != framed[:-1, 1:-1]), strict=True):
        yield (int(row), int(column)), (int(row), int(column) + 1)
    for row, column in zip(*np.nonzero(framed[1:-1, 1:] != framed[1:-1, :-1]), strict=True):
        yield (int(row), int(column)), (int(row) + 1, int(column))


def _turned(sheet: Sheet, place: tuple[float, float], side: float, found: Explanation) -> None:
    cell = side / SIDE
    answers = found.occlusion.answers
    for row, column in zip(*np.nonzero(answers != found.label), strict=True):
        middle = (place[0] + (column + 0.5) * cell, place[1] + (row + 0.5) * cell)
        words = str(int(answers[row, column]))
        size = 0.75 * cell * 72
        sheet.text(middle, words, size=size, bold=True, align="centre", middle=True)


def _legend(sheet: Sheet, place: tuple[float, float], side: float, values: Floats) -> float:
    most = float(np.abs(values).max())
    (left, top), high = place, 0.1
    scale = shade(np.linspace(-1, 1, 41, dtype=np.float32))
    step = side / len(scale)
    for at, colour in enumerate(scale):
        x = left + at * step
        sheet.area((x, top), (x + step, top + high), hexed(colour))
    down = top + high + 0.14
    sheet.text((left, down), f"−{most:.2g}", size=7.5, colour=MUTED)
    sheet.text((left + side / 2, down), "log-odds", size=7.5, colour=MUTED, align="centre")
    sheet.text((left + side, down), f"+{most:.2g}", size=7.5, colour=MUTED, align="right")
    return down
