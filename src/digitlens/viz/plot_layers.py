"""The first layer's kernels.

* What a layer makes of the digit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.viz.canvas import (
    DPI,
    FAINT,
    INK,
    LABEL,
    MARGIN,
    MUTED,
    PAPER,
    SMALL,
    Canvas,
    enlarged,
    hexed,
    is_dark,
    shade,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.explain import Explanation, Maps

    Floats = NDArray[np.float32]


FULL = 255
COLUMNS = 16
"""Kernels in a row of the overview."""

SMALL_KERNEL = 7
"""Up to this size a kernel is drawn with its numbers."""


def filters(result: Explanation) -> bytes:
    """Draw the first layer's kernels, small ones with their numbers.

    Orange asks for ink, blue for paper; a number is what full ink at its place adds.

    Parameters
    ----------
    result
        As `digitlens.explain.explanation` gives it; it has filters.

    Returns
    -------
    A PNG, as wide as six small kernels or eight large ones.
    """
    kernels = FULL * result.filters
    if kernels.shape[1] > SMALL_KERNEL:
        return _large(result, kernels)
    columns = min(6, len(kernels))
    cell = 0.31
    side = kernels.shape[1] * cell
    gap = 0.3
    rows = -(-len(kernels) // columns)
    sheet = Canvas(
        max(2 * MARGIN + columns * (side + gap) - gap, 7.0),
        0.75 + rows * (side + gap + 0.1),
        heading=_heading(result),
        note="orange asks for ink, blue for paper; a number is what full ink there adds",
    )
    colors = shade(kernels)
    for index, kernel in enumerate(kernels):
        row, column = divmod(index, columns)
        left = MARGIN + column * (side + gap)
        top = 0.95 + row * (side + gap + 0.1)
        sheet.text((left, top - 0.06), f"kernel {index}", size=LABEL, color=MUTED)
        _numbers(sheet, (left, top), cell, kernel, colors[index])
    return sheet.png()


def draw_filters(sheet: Canvas, top: float, result: Explanation, *, most: int = 32) -> float:
    """Draw the kernels small, side by side; return where they end."""
    room, gap = sheet.width - 2 * MARGIN, 0.08
    side = (room + gap) / COLUMNS - gap
    shown = result.filters[:most]
    zoom = max(1, round(side * DPI / shown.shape[1]))
    # Small kernels share one scale; those of a dense layer are each scaled by themselves.
    colors = shade(shown) if shown.shape[1] <= SMALL_KERNEL else [shade(k) for k in shown]
    for index, picture in enumerate(colors):
        row, column = divmod(index, COLUMNS)
        left, down = MARGIN + column * (side + gap), top + row * (side + gap)
        edge = 0.01
        sheet.area((left - edge, down - edge), (left + side + edge, down + side + edge), FAINT)
        sheet.image((left, down), side, enlarged(picture, zoom))
    return top + -(-len(shown) // COLUMNS) * (side + gap) - gap


def _large(result: Explanation, kernels: Floats) -> bytes:
    columns, zoom, gap = 8, 6, 0.2
    side = kernels.shape[2] * zoom / DPI
    rows = -(-len(kernels) // columns)
    sheet = Canvas(
        2 * MARGIN + columns * (side + gap) - gap,
        0.75 + rows * (side + 0.3),
        heading=_heading(result),
        note="orange asks for ink at that pixel, blue for paper; each scaled by itself",
    )
    for index, kernel in enumerate(kernels):
        row, column = divmod(index, columns)
        left, top = MARGIN + column * (side + gap), 0.9 + row * (side + 0.3)
        sheet.text((left, top - 0.05), str(index), size=7, color=MUTED)
        sheet.image((left, top), side, enlarged(shade(kernel), zoom))
    return sheet.png()


def _heading(result: Explanation) -> str:
    layer = result.maps[0].layer
    count = 0 if layer.weight is None else len(layer.weight)
    if layer.kind == "dense":
        return f"The first layer: {len(result.filters)} of {count} rows of weights, as pictures"
    return (
        f"The first layer looks for these {count} patterns of {layer.window} x {layer.window}"
    )


def _numbers(
    sheet: Canvas,
    place: tuple[float, float],
    cell: float,
    kernel: Floats,
    colors: NDArray[np.uint8],
) -> None:
    left, top = place
    for row, line in enumerate(kernel):
        for column, value in enumerate(line):
            x, y = left + column * cell, top + row * cell
            fill = colors[row, column]
            sheet.area((x, y), (x + cell, y + cell), hexed(fill))
            dark = is_dark(fill)
            middle = (x + cell / 2, y + cell / 2)
            words = f"{round(float(value), 2) + 0.0:.2f}".replace("0.", ".").replace("-", "−")
            color = PAPER if dark else INK
            sheet.text(middle, words, size=6.5, color=color, align="centre", middle=True)


MAPS_COLUMNS = 16
"""Maps in a row of the overview."""

BEND = 0.7
"""Most of what a layer gives is small beside its largest value, and should be seen."""

FEW = 16
"""So many values have room for their figures in the overview."""


def maps(result: Maps) -> bytes:
    """Draw everything that one layer gives: its maps, or its values.

    Parameters
    ----------
    result
        One of an explanation's `maps`.

    Returns
    -------
    A PNG, 1650 pixels wide.
    """
    values = flat(result)
    heading = f"{result.layer.name[0].upper()}{result.layer.name[1:]}: {result.about}"
    if values.ndim == 1:
        return _values(result, heading)
    columns, gap, caption = 8, 0.16, 0.24
    width = 11.0
    side = (width - 2 * MARGIN + gap) / columns - gap
    rows = -(-len(result.values) // columns)
    sheet = Canvas(width, 0.85 + rows * (side + caption), heading, note=_note(result))
    colors = shade(result.values, more=INK, bend=BEND)
    for index, picture in enumerate(colors):
        row, column = divmod(index, columns)
        left, top = MARGIN + column * (side + gap), 0.95 + row * (side + caption)
        words = f"map {index}, up to {result.values[index].max():.1f}"
        sheet.text((left, top - 0.05), words, size=7.5, color=MUTED)
        _framed(sheet, (left, top), side, picture)
    return sheet.png()


def draw_maps(sheet: Canvas, top: float, result: Maps) -> float:
    """Draw a layer in one row: its first 16 maps, or all its values; return where it ends."""
    values = flat(result)
    count = len(values)
    room, gap = sheet.width - 2 * MARGIN, 0.08
    is_flat = values.ndim == 1
    sheet.text((MARGIN, top + 0.12), result.layer.name, size=LABEL, bold=True)
    width = sheet.measure(result.layer.name, LABEL, bold=True)
    shown = f", the first {MAPS_COLUMNS} shown" if not is_flat and count > MAPS_COLUMNS else ""
    words = f"{result.layer.about}: {result.about}{shown}"
    sheet.text((MARGIN + width + 0.15, top + 0.12), words, size=SMALL, color=MUTED)
    top += 0.21
    if is_flat and count <= FEW:
        return _cells(sheet, (MARGIN, top), values, count, room / count, 0.32)
    if is_flat:
        colors = shade(values, more=INK, bend=BEND)
        zoom = max(1, int(room * DPI / count))
        picture = enlarged(colors[None], zoom)[:1].repeat(round(0.3 * DPI), axis=0)
        _framed(sheet, (MARGIN, top), picture.shape[1] / DPI, picture)
        return top + 0.3
    side = (room + gap) / MAPS_COLUMNS - gap
    for index, picture in enumerate(shade(result.values[:MAPS_COLUMNS], more=INK, bend=BEND)):
        _framed(sheet, (MARGIN + index * (side + gap), top), side, picture)
    return top + side


def flat(result: Maps) -> NDArray[np.float32]:
    """Return a layer's values, maps of a single pixel in a row: (maps, H, W) or (values,)."""
    values = result.values
    return values.reshape(-1) if values.shape[1:] == (1, 1) else values


def _values(result: Maps, heading: str) -> bytes:
    values = flat(result)
    count = len(values)
    columns = min(count, 16 if count <= 256 else 32)
    width = 11.0
    cell = (width - 2 * MARGIN) / columns
    height = min(cell, 0.42)
    rows = -(-count // columns)
    sheet = Canvas(width, 0.95 + rows * height, heading, note=_note(result))
    _cells(sheet, (MARGIN, 0.78), values, columns, cell, height)
    return sheet.png()


def _cells(
    sheet: Canvas,
    place: tuple[float, float],
    values: NDArray[np.float32],
    columns: int,
    cell: float,
    height: float,
) -> float:
    """Draw values as cells with their figures; return where they end."""
    colors = shade(values, more=INK, bend=BEND)
    for index, value in enumerate(values):
        row, column = divmod(index, columns)
        x, y = place[0] + column * cell, place[1] + row * height
        sheet.area((x, y), (x + cell, y + height), FAINT)
        sheet.area(
            (x + 0.01, y + 0.01), (x + cell - 0.01, y + height - 0.01), hexed(colors[index])
        )
        dark = is_dark(colors[index])
        words = f"{round(float(value), 1) + 0.0:.1f}".replace("-", "−")
        size = SMALL if columns <= FEW else 7.0
        middle = (x + cell / 2, y + height / 2)
        color = PAPER if dark else (INK if value else MUTED)
        sheet.text(middle, words, size=size, color=color, align="centre", middle=True)
    return place[1] + -(-len(values) // columns) * height


def _note(result: Maps) -> str:
    below = ", blue is less than nothing" if result.values.min() < 0 else ""
    what = "found its pattern" if result.values.ndim > 1 else "answers"
    return f"{result.layer.about}; dark is where it {what}, white is nothing{below}"


def _framed(
    sheet: Canvas, place: tuple[float, float], width: float, picture: NDArray[np.uint8]
) -> None:
    (left, top), edge = place, 0.01
    height = width * picture.shape[0] / picture.shape[1]
    sheet.area((left - edge, top - edge), (left + width + edge, top + height + edge), FAINT)
    sheet.image((left, top), width, picture)
