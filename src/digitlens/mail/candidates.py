"""Which line of an envelope is the ZIP it is sent to, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from digitlens.mail.zipcode import FIVE, NINE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.ctc import Line
    from digitlens.geometry import Box


LEAST = 0.2
"""A line that is a ZIP with less probability is not taken for one: stray marks are read too."""

NONE = 0.1
"""The odds that the ZIP is none of the lines, where that of one read with 0.5 are 1."""

SUREST = 0.999
"""Confidences count no more than this: a line is not the ZIP because it is surely read."""

ABOVE = 0.03
"""What a row above the lowest one counts: there may be a stray mark beneath the ZIP."""

FAR, FAR_ABOVE = 3.0, 1e-5
"""What a row counts that lies more than three heights above: mostly it is the sender's."""

LEFT = 0.3
"""What a line counts that has another to its right: town and state stand left of the ZIP."""

BESIDE = 0.3
"""Lines that stand side by side may overlap by so much of their height."""

SAME = 0.6
"""Two lines are readings of the same ink where so much of the smaller one is in both."""

UPPER, FRONT = 0.35, 0.5
"""The sender's corner: the upper 35 % of an envelope, its left half."""

SMALL = 0.15
"""Lines of an envelope are lower than this share of it; a cut-out ZIP has no corner."""


@dataclass(frozen=True)
class ZipCandidate:
    """A line, and how likely it is the ZIP of the receiver.

    Parameters
    ----------
    line
        As the reader read it.
    share
        0..1. The shares of all lines sum to less than 1.0: the ZIP may be none of them.
    """

    line: Line
    share: float = 1.0


def rank_zip_lines(lines: Sequence[Line]) -> tuple[ZipCandidate, ...]:
    """Return which lines may be the ZIP of the receiver, the likeliest first.

    The receiver's ZIP ends the last line of an address, and the sender's address stands above
    it, to the left. So three things speak for a line: that it was surely read, as words read
    as digits seldom look sure; that it is low; and that nothing stands to its right. Of two
    readings of the same ink, a line and its part say, the surer one counts. Where no line has
    five or nine digits with some probability, the surest comes back alone, so that its digits
    can be shown.

    Parameters
    ----------
    lines
        All that was read on one picture, in places as on the envelope when it is upright.

    Notes
    -----
    The constants are rough: they were set on 1,300 envelopes of sample mail with digits of
    validation writers, where halving or doubling any of them changed little.
    """
    able = [line for line in lines if _shape(line) >= LEAST]
    able = able or sorted(lines, key=_confidence)[-1:]
    if not able:
        return ()
    kept: list[Line] = []
    for line in sorted(able, key=_confidence, reverse=True):
        if all(_shared(line, other) < SAME for other in kept):
            kept.append(line)
    lowest = max(kept, key=_middle)
    odds = [_odds(line) * _place(line, lowest, kept) for line in kept]
    whole = sum(odds) + NONE
    result = [ZipCandidate(line, item / whole) for line, item in zip(kept, odds, strict=True)]
    return tuple(sorted(result, key=lambda item: -item.share))


def choose_line(lines: Sequence[Line]) -> Line | None:
    """Return the likeliest line of `rank_zip_lines`; None where there is none."""
    result = rank_zip_lines(lines)
    return result[0].line if result else None


def is_of_sender(box: Box, size: tuple[int, int]) -> bool:
    """Say whether a line stands in the sender's corner of an envelope.

    Where the receiver's ZIP is not found, the sender's would else be the lowest line, and
    surely read, as it is often printed.

    Parameters
    ----------
    box
        Left, top, right, bottom on the envelope as it is read, upright.
    size
        Its width and height, in the same pixels. A line that is higher than 15 % of it is
        no line of an envelope, but one that somebody cut out.
    """
    left, top, right, bottom = box
    wide, high = size
    return (
        top + bottom <= 2 * UPPER * high
        and left + right <= 2 * FRONT * wide
        and bottom - top <= SMALL * high
    )


def _shape(line: Line) -> float:
    """Return how likely the line has five or nine digits."""
    strings = [(line.text, line.confidence)]
    strings += [(item.text, item.probability) for item in line.alternatives]
    return sum(share for text, share in strings if len(text) in (FIVE, NINE))


def _odds(line: Line) -> float:
    sure = min(line.confidence, SUREST)
    return sure / (1 - sure)


def _place(line: Line, lowest: Line, lines: Sequence[Line]) -> float:
    """Return what the place of a line counts, beside the `lowest` one and all `lines`."""
    factor = 1.0
    if _middle(line) < lowest.box[1]:
        above = (_middle(lowest) - _middle(line)) / max(_height(line), 1.0)
        factor = FAR_ABOVE if above > FAR else ABOVE
    end = line.box[2] - BESIDE * _height(line)
    if any(
        other is not line and other.box[0] >= end and line.box[1] < _middle(other) < line.box[3]
        for other in lines
    ):
        factor *= LEFT
    return factor


def _shared(one: Line, other: Line) -> float:
    """Return how much of the smaller of two boxes lies in both, 0..1."""
    wide = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    high = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one.box, other.box))
    return max(wide, 0.0) * max(high, 0.0) / max(smaller, 1.0)


def _confidence(line: Line) -> float:
    return line.confidence


def _middle(line: Line) -> float:
    return (line.box[1] + line.box[3]) / 2


def _height(line: Line) -> float:
    return line.box[3] - line.box[1]
