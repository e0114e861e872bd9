"""Where each digit of a string stands in a line, how sure it is, and what else it may be.

`align` gives places in time steps, `digit_boxes` makes them boxes in the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.ctc.forward import (
    PAD,
    build_states,
    collapse_blanks,
    forward_pass,
    step_states,
)
from digitlens.digits import CLASSES
from digitlens.errors import DataError, ShapeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitlens.ctc.probs import Probs
    from digitlens.digits import Indices
    from digitlens.geometry import Box


ALIGN_FLOOR = 1e-4  # time steps in which no digit has more than this count as blank
ALTERNATIVES = (*"0123456789", "")  # what may stand at a place: a digit, or none

# A digit's span reaches to where the probability that it is there falls below this.
MIN_SHOWN = 0.1

MIN_ALTERNATIVE = 1e-3  # alternatives with less than this are not listed


@dataclass(frozen=True)
class Span:
    """A digit of a string, in time steps."""

    digit: str  # 0..9, as text
    # 0.0 is the middle of the first step: the mean of the steps that may show the digit, each
    # weighted by the probability that it does.
    center: float
    # The first and the last step that show it with a probability of 0.1 or more.
    first: int
    last: int
    # 0..1: the probability that this digit stands here, if all others are as read.
    confidence: float
    # What else may stand here, with probabilities of 0.001 or more, the likeliest first:
    # another digit, or `""` for none. With `confidence` they sum to at most 1.
    alternatives: tuple[tuple[str, float], ...]


def align(probs: Probs, text: str, *, floor: float = ALIGN_FLOOR) -> tuple[Span, ...]:
    """Find the place of each digit of `text` in a line, and how sure it is.

    All alignments of the string are weighed, not only the likeliest. A digit's confidence is
    the string's probability over that of all strings which differ from it in this one digit,
    or lack it; a doubtful digit does not make its neighbours doubtful.

    probs: float64 (T, 11), from `to_probs`
    text: Digits; usually the best string that `decode` found
    floor: time steps in which no digit has more than this count as blank; 0.0 is exact, and
        what is done where that leaves no alignment of the string

    Raises DataError: a text that no alignment spells: more digits than the time steps can hold;
    UsageError: a text of other characters than 0..9.

    The forward and backward variables of Graves and others (2006), section 4.1. The place of
    one digit is filled with each other digit in turn: its run of time steps is summed up
    between the forward variables of what stands before and the backward variables of what
    follows.

    >>> probs = np.full((5, 11), 1e-3)
    >>> probs[[0, 2, 4], 10] = probs[1, 4] = 0.99
    >>> probs[3, [1, 7]] = 0.6, 0.391
    >>> four, one = align(probs, "41")
    >>> round(four.center, 1), round(one.center, 1)
    (1.0, 3.0)
    >>> round(one.confidence, 2), one.alternatives[0][0], round(one.alternatives[0][1], 2)
    (0.6, '7', 0.39)
    """
    if not set(text) <= set("0123456789"):
        raise UsageError("a string to align must be made of the digits 0 to 9", seen=repr(text))
    if not text:
        return ()
    spans = _align(probs, text, floor)
    if spans is None:
        spans = _align(probs, text, 0.0, rescale=True)
    if spans is None:
        raise DataError(
            "a line must have an alignment of the string that is looked for in it",
            seen=f"{len(probs)} time steps; {text!r} has none of positive probability",
            likely=_explain_no_alignment(len(probs), text),
        )
    return spans


def _explain_no_alignment(steps: int, text: str) -> str | None:
    twins = sum(one == two for one, two in pairwise(text))
    needed = len(text) + twins
    if steps >= needed:
        return None
    return f"the line is too short: {len(text)} digits take {needed} time steps or more"


def _align(
    probs: Probs, text: str, floor: float, *, rescale: bool = False
) -> tuple[Span, ...] | None:
    """Return the spans, or None where no alignment is left or its probability underflows."""
    # Forward and backward variables: the string, and the string reversed, in one pass.
    kept, index, _ = collapse_blanks(probs, floor)
    classes, skip = build_states([text, text[::-1]])
    if rescale:
        kept = _rescale_steps(kept, classes[:, :1], skip[:, :1])
    emitted = np.empty((len(kept), *classes.shape))
    emitted[..., 0] = kept.take(classes[:, 0], axis=1)
    emitted[..., 1] = kept[::-1].take(classes[:, 1], axis=1)
    both_ways = forward_pass(emitted, skip)
    forward = both_ways[:, :, 0]
    # From the end, reversed: what follows a time step, that step's own class included.
    backward = both_ways[:0:-1, : PAD - 1 : -1, 1]
    # The probability of all alignments that are in a state at a time step.
    shares = step_states(both_ways[:-1, :, :1], skip[:, :1])[..., 0] * backward
    whole = shares.sum(axis=1)
    if not whole.min() > 0.0:
        return None
    # Every second state is a digit; the others are the blanks between them.
    shown = shares[:, 1::2] / whole[:, None]
    rivals = _sum_rivals(kept, text, forward, backward)
    return tuple(_build_spans(text, index, shown, rivals))


def _rescale_steps(kept: Probs, classes: Indices, skip: NDArray[np.float64]) -> Probs:
    """Scale each time step so that the beginnings of alignments sum to 1 after it.

    The places of digits do not depend on the scale of a step; without it the sums of a
    string that is all but impossible would underflow. Where nothing is possible any more,
    steps stay as they are.
    """
    scaled = kept.copy()
    before = np.zeros((PAD + len(classes), 1))
    before[PAD - 1] = 1.0
    for index in range(len(scaled)):
        reached = step_states(before, skip) * scaled[index][classes]
        total = reached.sum()
        # Where nothing is possible any more there is nothing to scale.
        if total > 0:
            scaled[index] /= total
            reached /= total
        before = np.zeros_like(before)
        before[PAD:] = reached
    return scaled


def _build_spans(
    text: str,
    index: Indices,
    shown: NDArray[np.float64],
    rivals: NDArray[np.float64],
) -> list[Span]:
    centers = (index[:, None] * shown).sum(axis=0) / shown.sum(axis=0)
    rivals = rivals / rivals.sum(axis=1, keepdims=True)
    # Every alignment shows every digit at least once, though perhaps nowhere for sure.
    inside = shown >= np.minimum(MIN_SHOWN, shown.max(axis=0))
    first = index[inside.argmax(axis=0)].tolist()
    last = index[::-1][inside[::-1].argmax(axis=0)].tolist()
    # What else may stand there, the likeliest first.
    result = []
    for digit, center, start, end, values in zip(
        text, centers.tolist(), first, last, rivals.tolist(), strict=True
    ):
        others = [
            pair
            for pair in zip(ALTERNATIVES, values, strict=True)
            if pair[1] >= MIN_ALTERNATIVE and pair[0] != digit
        ]
        others.sort(key=itemgetter(1), reverse=True)
        result.append(Span(digit, center, start, end, values[int(digit)], tuple(others)))
    return result


def _sum_rivals(
    kept: Probs,
    text: str,
    forward: NDArray[np.float64],
    backward: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Weigh the strings that differ from `text` in one place at most.

    `forward` is float64 (T + 1, 2 + S), as `forward_pass` returns it; `backward` is float64
    (T, S), the probability of all endings of alignments from this state and step on. Returns
    float64 (L, 11): the probability of the string with each digit at each place; in the last
    column that of the string without the place.
    """
    steps, length = len(kept), len(text)
    labels = np.frombuffer(text.encode("ascii"), np.uint8) - ord("0")
    # Before place k: the blank in front of it, and the digit in front of that.
    blank, digit = forward[:-1, PAD:-1:2], forward[:-1, PAD - 1 : -2 : 2]
    after_blank = np.zeros((steps, length))
    after_blank[:-1] = backward[1:, 2::2]
    after_blank[-1, -1] = 1.0  # the string may end with its last digit
    after_digit = np.zeros((steps, length))
    after_digit[:-1, :-1] = backward[1:, 3::2]
    # A digit follows its like only after a blank.
    other = labels[:, None] != np.arange(CLASSES)
    unlike_before = np.ones((length, CLASSES))
    unlike_before[1:] = other[:-1]
    unlike_after = np.zeros((length, CLASSES))
    unlike_after[:-1] = other[1:]
    entering = blank[:, :, None] + digit[:, :, None] * unlike_before
    leaving = after_blank[:, :, None] + after_digit[:, :, None] * unlike_after
    # The run of time steps that shows each digit, at each place of the string.
    places = np.empty((steps + 1, length, CLASSES))
    places[0] = 0.0
    for before, enters, seen, out in zip(
        places[:-1], entering, kept[:, :CLASSES], places[1:], strict=True
    ):
        np.add(before, enters, out)
        np.multiply(out, seen, out)
    result = np.empty((length, CLASSES + 1))
    result[:, :CLASSES] = (places[1:] * leaving).sum(axis=0)
    result[:, CLASSES] = _sum_without(forward, backward, labels)
    return result


def _sum_without(
    forward: NDArray[np.float64], backward: NDArray[np.float64], labels: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Return the probability of the string without each of its digits: float64 (L,)."""
    # What stands before the place, in a blank or in a digit, at the end of the line ...
    blank, digit = forward[:, PAD:-1:2], forward[:, PAD - 1 : -2 : 2]
    result = np.empty(len(labels))
    result[-1] = blank[-1, -1] + digit[-1, -1]
    # ... and before it, straight on to the digit behind the place.
    unlike = np.ones(len(labels) - 1)
    unlike[1:] = labels[:-2] != labels[2:]
    passing = blank[:-1, :-1] + digit[:-1, :-1] * unlike
    result[:-1] = (passing * backward[:, 3::2]).sum(axis=0)
    return result


# How far a border may go from half-way, as a share of the distance of the centers.
MAX_BORDER_SHIFT = 0.35

# Half the width of a digit that stands alone, as a share of its height, where no ink is given:
# MNIST's digits are 20 high and 16 wide at most.
HALF_WIDTH = 0.4


@dataclass(frozen=True)
class FrameScale:
    """How time steps become columns of the picture: ``offset + stride * step``."""

    # Pixels of the picture from the middle of one time step to that of the next; above 0.
    stride: float = 2.0
    # Where in the picture, in pixels from its left edge, the middle of step 0 lies.
    offset: float = 1.0


def digit_boxes(
    centers: Sequence[float],
    scale: FrameScale,
    box: Box,
    *,
    ink: NDArray[np.floating[Any]] | None = None,
) -> list[Box]:
    """Return the box of each digit of a line.

    centers: of the digits, in time steps, rising
    scale: how time steps become columns of the picture
    box: of the line; the digits' boxes have its top and bottom, and do not leave it
    ink: float (W,), at least 0: how much ink each column of the line's box holds, its whole
        columns from left to right. Without it borders are half-way between centers.

    Raises ShapeError: an ink profile of another shape than one number for each column of the
    box; UsageError: a stride that is not above 0.

    >>> ink = np.array([0, 0, 3, 3, 0, 0, 0, 5, 0, 0.0])
    >>> digit_boxes([1, 3], FrameScale(2.0, 1.0), (0, 0, 10, 8), ink=ink)
    [(2.0, 0, 4.0, 8), (7.0, 0, 8.0, 8)]
    >>> digit_boxes([1, 3], FrameScale(2.0, 1.0), (0, 0, 10, 8))
    [(1.0, 0, 5.0, 8), (5.0, 0, 9.0, 8)]
    """
    if not scale.stride > 0:
        raise UsageError("the stride of time steps must be above 0", seen=f"{scale.stride:g}")
    left, top, right, bottom = box
    if ink is not None:
        _check_profile(ink, right - left)
    if not centers:
        return []
    # Borders half-way between neighbours ...
    middles = [min(max(scale.offset + scale.stride * item, left), right) for item in centers]
    borders = [(one + two) / 2 for one, two in pairwise(middles)]
    if ink is not None:
        # ... moved to the emptiest columns nearby; boxes end where their ink does.
        borders = [
            left + _find_valley(ink, border - left, MAX_BORDER_SHIFT * (two - one))
            for border, one, two in zip(borders, middles, middles[1:], strict=False)
        ]
        edges = [float(left), *borders, float(right)]
        spans = [_ink_extent(ink, one - left, two - left) for one, two in pairwise(edges)]
        return [(left + one, top, left + two, bottom) for one, two in spans]
    # Without ink the outer digits are as wide to the outside as to the inside.
    alone = HALF_WIDTH * (bottom - top)
    reach = [middles[0] - (borders[0] - middles[0] if borders else alone)]
    reach += [*borders, middles[-1] + (middles[-1] - borders[-1] if borders else alone)]
    edges = [min(max(float(item), left), right) for item in reach]
    return [(one, top, two, bottom) for one, two in pairwise(edges)]


def _check_profile(ink: NDArray[np.floating[Any]], width: float) -> None:
    if ink.ndim != 1 or abs(len(ink) - width) >= 1.0 or not len(ink):
        raise ShapeError(
            "an ink profile must hold one number for each column of the line's box",
            seen=f"{ink.dtype} {ink.shape}, the box is {width:g} wide",
            likely="the picture of the line, not its columns" if ink.ndim == 2 else None,
            try_="ink.sum(axis=0)" if ink.ndim == 2 else None,
        )
    if not ink.min() >= 0:
        raise ShapeError(
            "an ink profile must hold numbers of at least 0: 0 is bare paper",
            seen=f"the least is {ink.min():g}",
        )


def _find_valley(ink: NDArray[np.floating[Any]], border: float, reach: float) -> float:
    """Return the middle of the emptiest columns near `border`; the nearest of several."""
    low = min(max(round(border - reach), 0), len(ink) - 1)
    high = min(max(round(border + reach), low + 1), len(ink))
    near = ink[low:high]
    empty = np.flatnonzero(near == near.min()) + low
    if empty[-1] - empty[0] == len(empty) - 1:  # one run, as nearly always
        return (float(empty[0]) + float(empty[-1]) + 1) / 2
    runs = np.split(empty, np.flatnonzero(np.diff(empty) > 1) + 1)
    middles = [(float(item[0]) + float(item[-1]) + 1) / 2 for item in runs]
    return min(middles, key=lambda middle: abs(middle - border))


def _ink_extent(
    ink: NDArray[np.floating[Any]], start: float, end: float
) -> tuple[float, float]:
    """Return the first column with ink between two borders, and the one after the last."""
    low = min(round(start), len(ink) - 1)
    high = max(round(end), low + 1)
    columns = np.flatnonzero(ink[low:high] > 0)
    if not len(columns):
        return float(low), float(high)
    return float(low + columns[0]), float(low + columns[-1] + 1)
