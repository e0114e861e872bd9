"""Which line of an envelope is the ZIP it is sent to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.mail.zipcode import FIVE, NINE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.reading import Line

LEAST = 0.2
"""A line that is a ZIP with less probability is not taken for one: stray marks are read too."""


def choose_line(lines: Sequence[Line]) -> Line | None:
    """Return the line that is most likely the ZIP of the receiver; None where there is none.

    The receiver's ZIP is in the last line of an address, and the sender's address stands
    above it, to the left: so of all lines that may well have five or nine digits it is the
    lowest, and of two side by side the right one. Where no line may, the surest line is
    returned, so that its digits can be shown.
    """
    if not lines:
        return None
    able = [line for line in lines if _shape(line) >= LEAST]
    if not able:
        return max(lines, key=lambda line: line.confidence)
    lowest = max(able, key=_middle)
    reach = lowest.box[1]
    beside = [line for line in able if _middle(line) >= reach]
    return max(beside, key=lambda line: line.box[0])


def _shape(line: Line) -> float:
    """Return how likely the line has five or nine digits."""
    strings = [(line.text, line.confidence)]
    strings += [(each.text, each.probability) for each in line.alternatives]
    return sum(share for text, share in strings if len(text) in (FIVE, NINE))


def _middle(line: Line) -> float:
    return (line.box[1] + line.box[3]) / 2
