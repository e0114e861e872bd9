"""Marks on the page: connected ink, and which of it may be digits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.layout.masks import connected, widened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.layout.rules import Ruled

    Mask: TypeAlias = "NDArray[np.uint8]"
    Grey: TypeAlias = "NDArray[np.uint8]"

LOWEST = 7
"""The least height of a digit in pixels of the view."""

MOST = 1200
"""The most marks that lines are made of, those of the largest area first. A page full of
handwriting has 1,000; linking takes time with the square of this."""

REST = 0.3
"""What is left beside a line and lower than this, in the writing's height, goes with it."""

THREAD = 0.07
"""Likewise what is narrower than this and not as high as a 1."""

WIDEST = 9.0
"""The most that a mark is wide, in its height: so many digits may touch."""


@dataclass(frozen=True, eq=False)
class Marks:
    """Connected pieces of ink.

    Parameters
    ----------
    labels
        int32 (H, W): the mark that each pixel belongs to, 0 = none.
    boxes
        float64 (n, 4): left, top, right, bottom of mark 1 .. n.
    areas
        float64 (n,): pixels.
    contrast
        float64 (n,): mean ink, 0..255.
    digits
        bool (n,): whether the mark may be a digit, or digits that touch, by its size.
    rests
        bool (n,): whether the mark is only the rest of a line that was taken out.
    dropped
        How many marks there were beyond `MOST`.
    """

    labels: NDArray[np.int32]
    boxes: NDArray[np.float64]
    areas: NDArray[np.float64]
    contrast: NDArray[np.float64]
    digits: NDArray[np.bool_]
    rests: NDArray[np.bool_]
    dropped: int


def find_marks(ruled: Ruled, ink: Grey) -> Marks:
    """Find connected pieces of ink.

    Parameters
    ----------
    ruled
        Marks and lines apart.
    ink
        uint8 (H, W), 255 = full ink.
    """
    labels, stats = connected(ruled.mask)
    count = len(stats)
    table = stats[1:].astype(np.float64)
    left, top, wide, high, areas = table.T if count > 1 else np.zeros((5, 0))
    boxes = np.column_stack([left, top, left + wide, top + high])
    spots = np.flatnonzero(ruled.mask.ravel())
    sums = np.bincount(labels.ravel()[spots], weights=ink.ravel()[spots], minlength=count)[1:]
    contrast = sums / np.maximum(areas, 1)
    filled = areas / np.maximum(wide * high, 1)
    may = (high >= LOWEST) & (wide <= WIDEST * high) & (areas >= 8)
    rests = _rests(ruled, labels, boxes)
    may &= ~rests & ((high < 0.97 * ink.shape[0]) | (wide < 0.5 * ink.shape[1]))
    may &= (filled >= 0.035) & ((filled <= 0.85) | (wide <= 0.5 * high))
    may &= ~((wide > 2.2 * high) & (filled > 0.6))  # a dash
    chosen = np.flatnonzero(may)
    dropped = max(0, len(chosen) - MOST)
    if dropped:
        may[chosen[np.argsort(-areas[chosen], kind="stable")][MOST:]] = False
    return Marks(labels, boxes, areas, contrast, may, rests, dropped)


def _rests(
    ruled: Ruled, labels: NDArray[np.int32], boxes: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Say which marks are what lines leave behind, frayed edges and corners: bool (n,)."""
    if not len(boxes) or not cv2.countNonZero(ruled.lines):
        return np.zeros(len(boxes), np.bool_)
    near = widened(ruled.lines, 5, 5)
    beside = np.zeros(len(boxes) + 1, bool)
    beside[labels[near > 0]] = True
    wide, high = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    thin = (wide <= max(3.0, THREAD * ruled.high)) & (high <= 0.75 * ruled.high)
    return np.asarray(beside[1:] & ((high <= REST * ruled.high) | thin), np.bool_)
