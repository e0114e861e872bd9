"""Boxes of the digits of a line, from their places in frames and the ink of each column.

A network of the CTC kind says where a digit is, by a peak of one or two frames, and not how
wide it is. So neighbours part half-way between their centres, moved to where there is least
ink, and a box reaches as far as the ink between two such borders does.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import ShapeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitlens.reading.line import Box

WANDER = 0.35
"""How far a border may go from half-way, as a share of the distance of the centres."""

HALF_WIDTH = 0.4
"""Half the width of a digit that stands alone, as a share of its height, where no ink is
given: MNIST's digits are 20 high and 16 wide at most."""


@dataclass(frozen=True)
class Scale:
    """How frames become columns of the picture: ``offset + stride * frame``.

    Parameters
    ----------
    stride
        Pixels of the picture from the middle of one frame to that of the next; above 0.
    offset
        Where in the picture, in pixels from its left edge, the middle of frame 0 lies.
    """

    stride: float = 2.0
    offset: float = 1.0

    def column(self, frame: float) -> float:
        """Return where in the picture the middle of this frame lies."""
        return self.offset + self.stride * frame


def digit_boxes(
    centres: Sequence[float],
    scale: Scale,
    box: Box,
    *,
    ink: NDArray[np.floating[Any]] | None = None,
) -> list[Box]:
    """Return the box of each digit of a line.

    Parameters
    ----------
    centres
        Of the digits, in frames, rising.
    scale
        How frames become columns of the picture.
    box
        Of the line; the digits' boxes have its top and bottom, and do not leave it.
    ink
        float (W,), at least 0: how much ink each column of the line's box holds, its whole
        columns from left to right. Without it borders are half-way between centres.

    Raises
    ------
    ShapeError
        An ink profile of another shape than one number for each column of the box.
    UsageError
        A stride that is not above 0.

    Examples
    --------
    >>> ink = np.array([0, 0, 3, 3, 0, 0, 0, 5, 0, 0.0])
    >>> digit_boxes([1, 3], Scale(2.0, 1.0), (0, 0, 10, 8), ink=ink)
    [(2.0, 0, 4.0, 8), (7.0, 0, 8.0, 8)]
    >>> digit_boxes([1, 3], Scale(2.0, 1.0), (0, 0, 10, 8))
    [(1.0, 0, 5.0, 8), (5.0, 0, 9.0, 8)]
    """
    if not scale.stride > 0:
        raise UsageError("the stride of frames must be above 0", seen=f"{scale.stride:g}")
    left, top, right, bottom = box
    if ink is not None:
        _check(ink, right - left)
    if not centres:
        return []
    middles = [min(max(scale.column(each), left), right) for each in centres]
    borders = [(one + two) / 2 for one, two in pairwise(middles)]
    if ink is not None:
        borders = [
            left + _valley(ink, border - left, WANDER * (two - one))
            for border, one, two in zip(borders, middles, middles[1:], strict=False)
        ]
        edges = [float(left), *borders, float(right)]
        spans = [_inked(ink, one - left, two - left) for one, two in pairwise(edges)]
        return [(left + one, top, left + two, bottom) for one, two in spans]
    alone = HALF_WIDTH * (bottom - top)
    reach = [middles[0] - (borders[0] - middles[0] if borders else alone)]
    reach += [*borders, middles[-1] + (middles[-1] - borders[-1] if borders else alone)]
    edges = [min(max(float(each), left), right) for each in reach]
    return [(one, top, two, bottom) for one, two in pairwise(edges)]


def _check(ink: NDArray[np.floating[Any]], width: float) -> None:
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


def _valley(ink: NDArray[np.floating[Any]], border: float, reach: float) -> float:
    """Return the middle of the emptiest columns near `border`; the nearest of several."""
    low = min(max(round(border - reach), 0), len(ink) - 1)
    high = min(max(round(border + reach), low + 1), len(ink))
    near = ink[low:high]
    empty = np.flatnonzero(near == near.min()) + low
    if empty[-1] - empty[0] == len(empty) - 1:  # one run, as nearly always
        return (float(empty[0]) + float(empty[-1]) + 1) / 2
    runs = np.split(empty, np.flatnonzero(np.diff(empty) > 1) + 1)
    middles = [(float(each[0]) + float(each[-1]) + 1) / 2 for each in runs]
    return min(middles, key=lambda middle: abs(middle - border))


def _inked(ink: NDArray[np.floating[Any]], start: float, end: float) -> tuple[float, float]:
    """Return the first column with ink between two borders, and the one after the last."""
    low = min(round(start), len(ink) - 1)
    high = max(round(end), low + 1)
    columns = np.flatnonzero(ink[low:high] > 0)
    if not len(columns):
        return float(low), float(high)
    return float(low + columns[0]), float(low + columns[-1] + 1)
