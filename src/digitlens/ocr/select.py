"""Of a line and its parts, and of all lines of a page: which are numbers, and which first.

All pure: what was read goes in, what is kept comes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.ctc.result import Line
    from digitlens.layout.types import LineCrop, PageLayout


APART = 0.8
"""Numbers that could be one or two are two when paper wider than this parts them, in heights
of the line."""

ALIKE = 1.5
"""Wider gaps than that part no numbers where there are several, all within this factor: digits
in groups at even distance are one number."""

FILLS = 0.3
"""A line is the only one of a picture when its writing is at least this share as high."""

LOW, WIDE = 120, 1.2
"""Pixels of height at most, and widths to a height at least, of a line that was cut out."""

EVEN = 0.5
"""A line read with this confidence is more likely right than not."""

SMALL = 0.5
"""A digit that stands alone is less high than this share of the page's tallest number when it
is a speck."""

LEAST = 0.1
"""Lines read with less confidence are taken for writing that is no number."""


@dataclass(frozen=True)
class RecognizedLine:
    """A strip and what it was read as."""

    strip: LineCrop
    line: Line


def suppress_overlaps(result: Sequence[RecognizedLine]) -> list[RecognizedLine]:
    """Keep of each line either the whole of it or its parts.

    Parameters
    ----------
    result
        As `find_lines` orders them: each whole line is followed by its parts.
    """
    kept: list[RecognizedLine] = []
    index = 0
    while index < len(result):
        whole, end = result[index], index + 1
        while end < len(result) and result[end].strip.part and _holds(whole, result[end]):
            end += 1
        parts = list(result[index + 1 : end])
        kept += [whole] if not parts or _is_one(whole, parts) else parts
        index = end
    return kept


def _holds(whole: RecognizedLine, part: RecognizedLine) -> bool:
    left, top, right, bottom = whole.line.box
    x, y = _middle(part)
    return not whole.strip.part and left <= x <= right and top <= y <= bottom


def _middle(result: RecognizedLine) -> tuple[float, float]:
    left, top, right, bottom = result.line.box
    return (left + right) / 2, (top + bottom) / 2


def _is_one(whole: RecognizedLine, parts: Sequence[RecognizedLine]) -> bool:
    """Say whether a line with wide gaps is one number, not several, nor number and word."""
    numbers = [part for part in parts if part.line.text]
    if not numbers:
        return bool(whole.line.text)
    if not whole.line.text:
        return False
    if len(numbers) == len(parts) and whole.line.text == "".join(
        part.line.text for part in numbers
    ):
        gaps = _gaps(whole, parts)
        return not gaps or gaps[-1] <= APART or (len(gaps) > 1 and gaps[-1] <= ALIKE * gaps[0])
    return whole.line.confidence >= prod(part.line.confidence for part in parts)


def _gaps(whole: RecognizedLine, parts: Sequence[RecognizedLine]) -> list[float]:
    """Return the paper between neighbouring parts, in heights of the line, rising."""
    spans = sorted((part.line.box[0], part.line.box[2]) for part in parts)
    height = max(whole.strip.height, 1.0)
    return sorted((after[0] - before[1]) / height for before, after in pairwise(spans))


def is_one_line(layout: PageLayout) -> bool:
    """Say whether a picture shows one line of writing that fills it, and nothing else."""
    whole = [strip for strip in layout.crops if not strip.part]
    width, height = layout.size
    tallest = max((strip.height for strip in whole), default=0.0)
    lies = 20 < layout.rotation % 180 < 160
    if layout.grids or lies or tallest < FILLS * height or width < height:
        return False
    tall = [strip.box for strip in whole if strip.height >= 0.5 * tallest]
    middles = [(top + bottom) / 2 for _, top, _, bottom in tall]
    if any(not top < middle < bottom for _, top, _, bottom in tall for middle in middles):
        return False
    spans = sorted((left, right) for left, _, right, _ in tall)
    return all(two[0] - one[1] <= APART * tallest for one, two in pairwise(spans))


def may_be_one_line(layout: PageLayout) -> bool:
    """Say whether a picture has the size and shape of one line, cut out by somebody."""
    width, height = layout.size
    return not layout.grids and height <= LOW and width >= WIDE * height


def merge_single_line(lines: Sequence[Line], whole: Line, *, certain: bool) -> tuple[Line, ...]:
    """Return what a picture of one line holds, as parts of it and all of it were read.

    Parameters
    ----------
    lines
        As its strips were read.
    whole
        The picture read from edge to edge.
    certain
        Whether it is known that there is one line, or only may be.
    """
    longest = max(lines, key=lambda line: (len(line.text), line.confidence), default=None)
    if not whole.text or whole.confidence < LEAST:
        return tuple(lines)
    if longest is None:
        return (whole,)
    if len(longest.text) >= len(whole.text) and longest.confidence > whole.confidence:
        return (longest,) if certain else tuple(lines)
    return (whole,) if certain or whole.confidence >= EVEN else tuple(lines)


def numbers(result: Sequence[RecognizedLine]) -> list[RecognizedLine]:
    """Keep what holds digits with some confidence."""
    return [item for item in result if item.line.text and item.line.confidence >= LEAST]


def drop_specks(
    result: Sequence[RecognizedLine], others: Sequence[Line] = ()
) -> list[RecognizedLine]:
    """Drop single digits that are small beside the numbers of the page.

    Any short stroke reads as a 1: of postmarks, logos, corners. One that stands alone counts
    where it is about as high as the sure numbers beside it, or where there are none.

    Parameters
    ----------
    result
        What was read.
    others
        What was read in tables.
    """
    heights = [
        _height(line)
        for line in (*(item.line for item in result if len(item.line.text) > 1), *others)
        if line.confidence >= EVEN
    ]
    least = SMALL * max(heights, default=0.0)
    return [item for item in result if len(item.line.text) > 1 or _height(item.line) >= least]


def _height(line: Line) -> float:
    return line.box[3] - line.box[1]


def sort_by_likelihood(result: Sequence[RecognizedLine]) -> list[RecognizedLine]:
    """Order readings of a wanted length: what is surely read and looks like a number first."""
    return sorted(result, key=lambda item: -(item.line.confidence * item.strip.score))
