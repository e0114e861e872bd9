"""All of an explanation on one sheet, in the order of the story."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.plots.explaining.filters import draw_filters
from digitlens.plots.explaining.framing import draw_framing
from digitlens.plots.explaining.maps import draw_maps
from digitlens.plots.explaining.mattered import draw_mattered
from digitlens.plots.explaining.pixels import draw_pixels
from digitlens.plots.explaining.probabilities import draw_probabilities
from digitlens.plots.explaining.unrolled import WIDTH, draw_ribbon
from digitlens.plots.explaining.words import MARGIN, fitted, heading, paragraph
from digitlens.plots.sheet import DPI, LABEL, MUTED, Sheet

if TYPE_CHECKING:
    from digitlens.explaining import Explanation

ROOM = 0.28
"""Inches between two panels."""

MOST_LAYERS = 8
"""Layers that the overview shows; the others have pictures of their own."""

MAP_ZOOM = 15


def overview(found: Explanation, title: str) -> bytes:
    """Draw every panel, numbered, from the picture to the answer.

    Parameters
    ----------
    found
        As `digitlens.explaining.explain` gives it.
    title
        What the picture is called.

    Returns
    -------
    A PNG, 1628 pixels wide; its height follows from the layers.
    """
    answer = "see no digit" if found.refused else f"read {found.label}"

    def make(height: float) -> Sheet:
        heading = f"{title}: how {found.model} comes to {answer}"
        return Sheet(WIDTH + 2 * MARGIN, height, heading, note=found.answer)

    return fitted(make, lambda sheet: _draw(sheet, found))


def _draw(sheet: Sheet, found: Explanation) -> float:
    down, number = 0.75, 0

    def panel(words: str, about: str) -> float:
        nonlocal number
        number += 1
        return heading(sheet, down, f"{number}  {words}", about)

    if found.steps:
        top = panel("Framed", "the picture is brought into the form that the network knows")
        down = draw_framing(sheet, top, found) + ROOM
    top = panel("Numbers", "what the network is given")
    down = draw_pixels(sheet, top + 0.12, found) + ROOM
    top = panel("Unrolled", "the rows one after the other, a ribbon of 784 features")
    down = draw_ribbon(sheet, top, found) + ROOM
    if len(found.filters):
        about = "what the first layer looks for: orange asks for ink, blue for paper"
        down = draw_filters(sheet, panel("First filters", about), found) + ROOM
    top = panel("Layer by layer", _layers(found))
    for each in found.maps[:MOST_LAYERS]:
        top = draw_maps(sheet, top, each) + 0.14
    down = top + ROOM - 0.14
    return _answer(sheet, down, number, found)


def _layers(found: Explanation) -> str:
    words = "dark is where a layer found its pattern, blue is less than nothing"
    if found.shown:
        words = f"{found.shown}; {words}"
    if len(found.maps) > MOST_LAYERS:
        words += f"; {MOST_LAYERS} of {len(found.maps)} layers shown"
    return words


def _answer(sheet: Sheet, down: float, number: int, found: Explanation) -> float:
    """Draw what mattered, and beside it the answer."""
    label = found.label
    about = f"orange speaks for {label}, blue against it"
    top = heading(sheet, down, f"{number + 1}  What mattered", about)
    panels = 1 if found.gradients is None else 2
    side = 28 * MAP_ZOOM / DPI
    left = MARGIN + panels * side + (panels - 1) * 0.5 + 0.6
    ends = draw_mattered(sheet, top, found, zoom=MAP_ZOOM)
    wide = sheet.width - MARGIN - left
    heading(sheet, down, f"{number + 2}  The answer", "", left)
    bottom = draw_probabilities(sheet, (left, top - 0.02), wide, found)
    words = found.mattered[:1].upper() + found.mattered[1:] + "."
    bottom = paragraph(sheet, (left, bottom + 0.1), words, wide, size=LABEL)
    if found.without_gradients:
        words = found.without_gradients
        bottom = paragraph(sheet, (left, bottom + 0.06), words, wide, size=8, colour=MUTED)
    return max(ends, bottom)
