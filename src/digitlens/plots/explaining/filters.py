"""The first layer's kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.plots.explaining.colours import enlarged, hexed, is_dark, shade
from digitlens.plots.explaining.words import MARGIN
from digitlens.plots.sheet import DPI, FAINT, INK, LABEL, MUTED, PAPER, Sheet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from digitlens.explaining import Explanation

    Floats = NDArray[np.float32]

FULL = 255
COLUMNS = 16
"""Kernels in a row of the overview."""

SMALL_KERNEL = 7
"""Up to this size a kernel is drawn with its numbers."""


def filters(found: Explanation) -> bytes:
    """Draw the first layer's kernels, small ones with their numbers.

    Orange asks for ink, blue for paper; a number is what full ink at its place adds.

    Parameters
    ----------
    found
        As `digitlens.explaining.explain` gives it; it has filters.

    Returns
    -------
    A PNG, as wide as six small kernels or eight large ones.
    """
    kernels = FULL * found.filters
    if kernels.shape[1] > SMALL_KERNEL:
        return _large(found, kernels)
    columns = min(6, len(kernels))
    cell = 0.31
    side = kernels.shape[1] * cell
    gap = 0.3
    rows = -(-len(kernels) // columns)
    sheet = Sheet(
        max(2 * MARGIN + columns * (side + gap) - gap, 7.0),
        0.75 + rows * (side + gap + 0.1),
        heading=_heading(found),
        note="orange asks for ink, blue for paper; a number is what full ink there adds",
    )
    colours = shade(kernels)
    for at, kernel in enumerate(kernels):
        row, column = divmod(at, columns)
        left = MARGIN + column * (side + gap)
        top = 0.95 + row * (side + gap + 0.1)
        sheet.text((left, top - 0.06), f"kernel {at}", size=LABEL, colour=MUTED)
        _numbers(sheet, (left, top), cell, kernel, colours[at])
    return sheet.png()


def draw_filters(sheet: Sheet, top: float, found: Explanation, *, most: int = 32) -> float:
    """Draw the kernels small, side by side; return where they end."""
    room, gap = sheet.width - 2 * MARGIN, 0.08
    side = (room + gap) / COLUMNS - gap
    shown = found.filters[:most]
    zoom = max(1, round(side * DPI / shown.shape[1]))
    # Small kernels share one scale; those of a dense layer are each scaled by themselves.
    colours = shade(shown) if shown.shape[1] <= SMALL_KERNEL else [shade(k) for k in shown]
    for at, picture in enumerate(colours):
        row, column = divmod(at, COLUMNS)
        left, down = MARGIN + column * (side + gap), top + row * (side + gap)
        edge = 0.01
        sheet.area((left - edge, down - edge), (left + side + edge, down + side + edge), FAINT)
        sheet.image((left, down), side, enlarged(picture, zoom))
    return top + -(-len(shown) // COLUMNS) * (side + gap) - gap


def _large(found: Explanation, kernels: Floats) -> bytes:
    columns, zoom, gap = 8, 6, 0.2
    side = kernels.shape[2] * zoom / DPI
    rows = -(-len(kernels) // columns)
    sheet = Sheet(
        2 * MARGIN + columns * (side + gap) - gap,
        0.75 + rows * (side + 0.3),
        heading=_heading(found),
        note="orange asks for ink at that pixel, blue for paper; each scaled by itself",
    )
    for at, kernel in enumerate(kernels):
        row, column = divmod(at, columns)
        left, top = MARGIN + column * (side + gap), 0.9 + row * (side + 0.3)
        sheet.text((left, top - 0.05), str(at), size=7, colour=MUTED)
        sheet.image((left, top), side, enlarged(shade(kernel), zoom))
    return sheet.png()


def _heading(found: Explanation) -> str:
    layer = found.maps[0].layer
    count = 0 if layer.weight is None else len(layer.weight)
    if layer.kind == "dense":
        return f"The first layer: {len(found.filters)} of {count} rows of weights, as pictures"
    return (
        f"The first layer looks for these {count} patterns of {layer.window} x {layer.window}"
    )


def _numbers(
    sheet: Sheet,
    place: tuple[float, float],
    cell: float,
    kernel: Floats,
    colours: NDArray[np.uint8],
) -> None:
    left, top = place
    for row, line in enumerate(kernel):
        for column, value in enumerate(line):
            x, y = left + column * cell, top + row * cell
            fill = colours[row, column]
            sheet.area((x, y), (x + cell, y + cell), hexed(fill))
            dark = is_dark(fill)
            middle = (x + cell / 2, y + cell / 2)
            words = f"{round(float(value), 2) + 0.0:.2f}".replace("0.", ".").replace("-", "−")
            colour = PAPER if dark else INK
            sheet.text(middle, words, size=6.5, colour=colour, align="centre", middle=True)
