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

    from digitlens.layout.found import Strip
    from digitlens.reading.line import Line

APART = 0.8
"""Numbers that could be one or two are two when paper wider than this parts them, in heights
of the line."""

LEAST = 0.1
"""Lines read with less confidence are taken for writing that is no number."""


@dataclass(frozen=True)
class Found:
    """A strip and what it was read as."""

    strip: Strip
    line: Line


def without_doubles(found: Sequence[Found]) -> list[Found]:
    """Keep of each line either the whole of it or its parts.

    Parameters
    ----------
    found
        As `find_lines` orders them: each whole line is followed by its parts.
    """
    kept: list[Found] = []
    at = 0
    while at < len(found):
        whole, end = found[at], at + 1
        while end < len(found) and found[end].strip.part and _holds(whole, found[end]):
            end += 1
        parts = list(found[at + 1 : end])
        kept += [whole] if not parts or _is_one(whole, parts) else parts
        at = end
    return kept


def _holds(whole: Found, part: Found) -> bool:
    left, top, right, bottom = whole.line.box
    x, y = _middle(part)
    return not whole.strip.part and left <= x <= right and top <= y <= bottom


def _middle(found: Found) -> tuple[float, float]:
    left, top, right, bottom = found.line.box
    return (left + right) / 2, (top + bottom) / 2


def _is_one(whole: Found, parts: Sequence[Found]) -> bool:
    """Say whether a line with wide gaps is one number, not several, nor number and word."""
    numbers = [part for part in parts if part.line.text]
    if not numbers:
        return bool(whole.line.text)
    if not whole.line.text:
        return False
    if len(numbers) == len(parts) and whole.line.text == "".join(
        part.line.text for part in numbers
    ):
        return _widest_gap(whole, parts) <= APART
    return whole.line.confidence >= prod(part.line.confidence for part in parts)


def _widest_gap(whole: Found, parts: Sequence[Found]) -> float:
    """Return the widest paper between neighbouring parts, in heights of the line."""
    spans = sorted((part.line.box[0], part.line.box[2]) for part in parts)
    gaps = [after[0] - before[1] for before, after in pairwise(spans)]
    return max(gaps, default=0.0) / max(whole.strip.height, 1.0)


def numbers(found: Sequence[Found]) -> list[Found]:
    """Keep what holds digits with some confidence."""
    return [each for each in found if each.line.text and each.line.confidence >= LEAST]


def likeliest_first(found: Sequence[Found]) -> list[Found]:
    """Order readings of a wanted length: what is surely read and looks like a number first."""
    return sorted(found, key=lambda each: -(each.line.confidence * each.strip.score))
