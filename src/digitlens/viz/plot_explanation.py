"""An explanation as PNGs: an overview, and each of its panels large.

================  ============================================================
`overview`        all panels on one sheet, in the order of the story
`framing`         the steps from the picture to the frame
`pixels`          the digit as numbers
`unrolled`        the 784 features in a row
`filters`         the first layer's kernels
`maps`            what a layer makes of the digit
`mattered`        which pixels the answer hangs on
`probabilities`   the ten probabilities
`colors`         values -> colours
`words`           headings and paragraphs
================  ============================================================

* All of an explanation on one sheet, in the order of the story.
* Which pixels the answer hangs on.
* The ten probabilities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import CLASSES, SIDE
from digitlens.explain.explanation import sure
from digitlens.viz.canvas import (
    BLUE,
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
    fitted,
    heading,
    hexed,
    paragraph,
    shade,
)
from digitlens.viz.plot_layers import draw_filters, draw_maps, filters, maps
from digitlens.viz.plot_pixels import (
    WIDTH,
    draw_framing,
    draw_pixels,
    draw_ribbon,
    framing,
    pixels,
    unrolled,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from digitlens.explain import Explanation

    Floats = NDArray[np.float32]
    Corner = tuple[int, int]


ZOOM = 24
"""Pixels of the large picture for one of the digit's."""

GAP = 0.5
"""Inches between the two maps."""

INKED = 127
"""Above this a pixel lies within the outline of the digit."""


def mattered(result: Explanation) -> bytes:
    """Draw what the answer loses without each part of the ink, and what each pixel adds.

    Parameters
    ----------
    result
        As `digitlens.explain.explanation` gives it.

    Returns
    -------
    A PNG, 840 pixels wide for each of the one or two panels.
    """
    panels = 1 if result.gradients is None else 2
    width = 2 * MARGIN + panels * SIDE * ZOOM / DPI + (panels - 1) * GAP

    def make(height: float) -> Canvas:
        heading = f"Why {result.label}? Which pixels the answer hangs on"
        note = f"orange speaks for {result.label}, blue against it"
        return Canvas(width, height, heading, note)

    return fitted(make, lambda sheet: draw_mattered(sheet, 0.85, result, zoom=ZOOM))


def draw_mattered(sheet: Canvas, top: float, result: Explanation, *, zoom: int) -> float:
    """Draw one or two maps with what they mean; return where they end."""
    side = SIDE * zoom / DPI
    size = result.occlusion.window
    turned = result.occlusion.answers != result.label
    words = f"What is lost when {size} x {size} pixels about this one are turned to paper. " + (
        "A figure: the digit it would then read." if turned.any() else ""
    )
    down = _map(sheet, (MARGIN, top), side, result.occlusion.fall, result, words)
    _turned(sheet, (MARGIN, top), side, result)
    if result.gradients is not None:
        left = MARGIN + side + GAP
        words = (
            "What each pixel adds when the digit is faded in from blank paper "
            "(integrated gradients)."
        )
        down = max(down, _map(sheet, (left, top), side, result.gradients, result, words))
    return down


def _map(
    sheet: Canvas,
    place: tuple[float, float],
    side: float,
    values: Floats,
    result: Explanation,
    words: str,
) -> float:
    # In areas and not as a picture, so that figures can stand on it.
    left, top = place
    cell = side / SIDE
    edge = 0.01
    sheet.area((left - edge, top - edge), (left + side + edge, top + side + edge), FAINT)
    sheet.area((left, top), (left + side, top + side), PAPER)
    for (row, column), color in _coloured(shade(values)):
        x, y = left + column * cell, top + row * cell
        sheet.area((x, y), (x + cell, y + cell), color)
    for start, end in _outline(result.digit > INKED):
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


def _turned(
    sheet: Canvas, place: tuple[float, float], side: float, result: Explanation
) -> None:
    cell = side / SIDE
    answers = result.occlusion.answers
    for row, column in zip(*np.nonzero(answers != result.label), strict=True):
        middle = (place[0] + (column + 0.5) * cell, place[1] + (row + 0.5) * cell)
        words = str(int(answers[row, column]))
        size = 0.75 * cell * 72
        sheet.text(middle, words, size=size, bold=True, align="centre", middle=True)


def _legend(sheet: Canvas, place: tuple[float, float], side: float, values: Floats) -> float:
    most = float(np.abs(values).max())
    (left, top), height = place, 0.1
    scale = shade(np.linspace(-1, 1, 41, dtype=np.float32))
    step = side / len(scale)
    for index, color in enumerate(scale):
        x = left + index * step
        sheet.area((x, top), (x + step, top + height), hexed(color))
    down = top + height + 0.14
    sheet.text((left, down), f"−{most:.2g}", size=7.5, color=MUTED)
    sheet.text((left + side / 2, down), "log-odds", size=7.5, color=MUTED, align="centre")
    sheet.text((left + side, down), f"+{most:.2g}", size=7.5, color=MUTED, align="right")
    return down


ROW = 0.3


def probabilities(result: Explanation) -> bytes:
    """Draw a bar for each digit.

    Parameters
    ----------
    result
        As `digitlens.explain.explanation` gives it.

    Returns
    -------
    A PNG, 975 pixels wide.
    """
    rows = CLASSES + (result.no_digit is not None)
    sheet = Canvas(
        6.5,
        0.95 + rows * ROW,
        heading=f"{result.model} reads {result.label}",
        note="how likely each digit is, by its own account; they sum to 1",
    )
    draw_probabilities(sheet, (MARGIN, 0.8), sheet.width - 2 * MARGIN, result)
    return sheet.png()


def draw_probabilities(
    sheet: Canvas, place: tuple[float, float], width: float, result: Explanation
) -> float:
    """Draw the bars, and one for "no digit" where the model has it; return where they end."""
    left, top = place
    rows = [(str(digit), float(share)) for digit, share in enumerate(result.probabilities)]
    if result.no_digit is not None:
        rows.append(("no digit", result.no_digit))
    start = left + max(sheet.measure(name, LABEL, bold=True) for name, _ in rows) + 0.15
    widest = max(sheet.measure(sure(share), LABEL, bold=True) for _, share in rows)
    room = width - (start - left) - widest - 0.12
    for index, (name, share) in enumerate(rows):
        y = top + index * ROW
        middle = y + ROW / 2
        chosen = index == result.label
        color = BLUE if chosen else MUTED
        if index == CLASSES:
            color = ORANGE if result.refused else MUTED
        sheet.text((left, middle), name, size=LABEL, bold=chosen, middle=True)
        sheet.area((start, y + 0.05), (start + room, y + ROW - 0.05), FAINT)
        if share * room > 0.004:
            sheet.area((start, y + 0.05), (start + share * room, y + ROW - 0.05), color)
        place = (start + room + 0.12, middle)
        ink = INK if chosen else MUTED
        sheet.text(place, sure(share), size=LABEL, color=ink, bold=chosen, middle=True)
    return top + len(rows) * ROW


ROOM = 0.28
"""Inches between two panels."""

MOST_LAYERS = 8
"""Layers that the overview shows; the others have pictures of their own."""

MAP_ZOOM = 15


def overview(result: Explanation, title: str) -> bytes:
    """Draw every panel, numbered, from the picture to the answer.

    Parameters
    ----------
    result
        As `digitlens.explain.explanation` gives it.
    title
        What the picture is called.

    Returns
    -------
    A PNG, 1628 pixels wide; its height follows from the layers.
    """
    answer = "see no digit" if result.refused else f"read {result.label}"

    def make(height: float) -> Canvas:
        heading = f"{title}: how {result.model} comes to {answer}"
        return Canvas(WIDTH + 2 * MARGIN, height, heading, note=result.answer)

    return fitted(make, lambda sheet: _draw(sheet, result))


def _draw(sheet: Canvas, result: Explanation) -> float:
    down, number = 0.75, 0

    def panel(words: str, about: str) -> float:
        nonlocal number
        number += 1
        return heading(sheet, down, f"{number}  {words}", about)

    if result.steps:
        top = panel("Framed", "the picture is brought into the form that the network knows")
        down = draw_framing(sheet, top, result) + ROOM
    top = panel("Numbers", "what the network is given")
    down = draw_pixels(sheet, top + 0.12, result) + ROOM
    top = panel("Unrolled", "the rows one after the other, a ribbon of 784 features")
    down = draw_ribbon(sheet, top, result) + ROOM
    if len(result.filters):
        about = "what the first layer looks for: orange asks for ink, blue for paper"
        down = draw_filters(sheet, panel("First filters", about), result) + ROOM
    top = panel("Layer by layer", _layers(result))
    for item in result.maps[:MOST_LAYERS]:
        top = draw_maps(sheet, top, item) + 0.14
    down = top + ROOM - 0.14
    return _answer(sheet, down, number, result)


def _layers(result: Explanation) -> str:
    words = "dark is where a layer found its pattern, blue is less than nothing"
    if result.shown:
        words = f"{result.shown}; {words}"
    if len(result.maps) > MOST_LAYERS:
        words += f"; {MOST_LAYERS} of {len(result.maps)} layers shown"
    return words


def _answer(sheet: Canvas, down: float, number: int, result: Explanation) -> float:
    """Draw what mattered, and beside it the answer."""
    label = result.label
    about = f"orange speaks for {label}, blue against it"
    top = heading(sheet, down, f"{number + 1}  What mattered", about)
    panels = 1 if result.gradients is None else 2
    side = 28 * MAP_ZOOM / DPI
    left = MARGIN + panels * side + (panels - 1) * 0.5 + 0.6
    ends = draw_mattered(sheet, top, result, zoom=MAP_ZOOM)
    width = sheet.width - MARGIN - left
    heading(sheet, down, f"{number + 2}  The answer", "", left)
    bottom = draw_probabilities(sheet, (left, top - 0.02), width, result)
    words = result.mattered[:1].upper() + result.mattered[1:] + "."
    bottom = paragraph(sheet, (left, bottom + 0.1), words, width, size=LABEL)
    if result.without_gradients:
        words = result.without_gradients
        bottom = paragraph(sheet, (left, bottom + 0.06), words, width, size=8, color=MUTED)
    return max(ends, bottom)


__all__ = [
    "filters",
    "framing",
    "maps",
    "mattered",
    "overview",
    "pictures",
    "pixels",
    "probabilities",
    "unrolled",
]


def pictures(result: Explanation, title: str) -> dict[str, bytes]:
    """Return every picture of an explanation by its file name, the overview first.

    Parameters
    ----------
    result
        As `digitlens.explain.explanation` gives it.
    title
        What the picture is called, such as its file's name.
    """
    drawn = {"overview.png": overview(result, title)}
    if result.steps:
        drawn["framing.png"] = framing(result)
    drawn["pixels.png"] = pixels(result)
    drawn["unrolled.png"] = unrolled(result)
    if len(result.filters):
        drawn["filters.png"] = filters(result)
    for index, item in enumerate(result.maps):
        drawn[f"layer-{index + 1}.png"] = maps(item)
    drawn["mattered.png"] = mattered(result)
    drawn["probabilities.png"] = probabilities(result)
    return drawn
