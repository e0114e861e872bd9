"""Headings and paragraphs on a sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.plots.sheet import INK, LABEL, MUTED, SMALL, Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MARGIN = 0.2
"""Inches at the left and right of a sheet."""

LEADING = 1.45
"""From line to line, in sizes of the type."""


def fitted(make: Callable[[float], Sheet], draw: Callable[[Sheet], float]) -> bytes:
    """Return the PNG of a sheet as high as what is drawn on it.

    How high that is is known once it is drawn: so `draw`, which returns where it ends, is
    asked twice, first on a sheet that is too high.
    """
    sheet = make(draw(make(40.0)) + MARGIN)
    draw(sheet)
    return sheet.png()


def heading(
    sheet: Sheet, top: float, words: str, about: str = "", left: float = MARGIN
) -> float:
    """Write a panel's heading, and beside it what it shows; return where the panel begins."""
    sheet.text((left, top + 0.2), words, size=11.5, bold=True)
    wide = sheet.measure(words, 11.5, bold=True)
    sheet.text((left + wide + 0.18, top + 0.2), about, size=LABEL, colour=MUTED)
    return top + 0.36


def paragraph(
    sheet: Sheet,
    place: tuple[float, float],
    words: str,
    width: float,
    *,
    size: float = LABEL,
    colour: str = INK,
) -> float:
    """Write `words` in lines at most `width` inches wide; return where the next may begin.

    A line break in `words` begins a new line.
    """
    left, top = place
    step = size * LEADING / 72
    for line in wrapped(sheet, words, width, size):
        sheet.text((left, top + size / 72), line, size=size, colour=colour)
        top += step
    return top


def wrapped(sheet: Sheet, words: str, width: float, size: float = SMALL) -> Iterator[str]:
    """Cut `words` into lines at most `width` inches wide; a longer word has its own."""
    for part in words.split("\n"):
        line = ""
        for word in part.split():
            longer = f"{line} {word}".strip()
            if line and sheet.measure(longer, size) > width:
                yield line
                line = word
            else:
                line = longer
        yield line
