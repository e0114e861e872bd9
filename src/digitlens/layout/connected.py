"""Marks on the page: connected ink, and which of it may be digits.

* Which way the lines of a page run: level, sloping or sideways.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.layout.illumination import dilate, label_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.layout.rules import Ruled

    Mask: TypeAlias = "NDArray[np.uint8]"
    Gray: TypeAlias = "NDArray[np.uint8]"


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
class Components:
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


def find_components(ruled: Ruled, ink: Gray) -> Components:
    """Find connected pieces of ink.

    Parameters
    ----------
    ruled
        Marks and lines apart.
    ink
        uint8 (H, W), 255 = full ink.
    """
    labels, stats = label_components(ruled.mask)
    count = len(stats)
    table = stats[1:].astype(np.float64)
    left, top, width, height, areas = table.T if count > 1 else np.zeros((5, 0))
    boxes = np.column_stack([left, top, left + width, top + height])
    spots = np.flatnonzero(ruled.mask.ravel())
    sums = np.bincount(labels.ravel()[spots], weights=ink.ravel()[spots], minlength=count)[1:]
    contrast = sums / np.maximum(areas, 1)
    filled = areas / np.maximum(width * height, 1)
    may = (height >= LOWEST) & (width <= WIDEST * height) & (areas >= 8)
    rests = _rests(ruled, labels, boxes)
    may &= ~rests & ((height < 0.97 * ink.shape[0]) | (width < 0.5 * ink.shape[1]))
    may &= (filled >= 0.035) & ((filled <= 0.85) | (width <= 0.5 * height))
    may &= ~((width > 2.2 * height) & (filled > 0.6))  # a dash
    chosen = np.flatnonzero(may)
    dropped = max(0, len(chosen) - MOST)
    if dropped:
        may[chosen[np.argsort(-areas[chosen], kind="stable")][MOST:]] = False
    return Components(labels, boxes, areas, contrast, may, rests, dropped)


def _rests(
    ruled: Ruled, labels: NDArray[np.int32], boxes: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Say which marks are what lines leave behind, frayed edges and corners: bool (n,)."""
    if not len(boxes) or not cv2.countNonZero(ruled.lines):
        return np.zeros(len(boxes), np.bool_)
    near = dilate(ruled.lines, 5, 5)
    beside = np.zeros(len(boxes) + 1, bool)
    beside[labels[near > 0]] = True
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    thin = (width <= max(3.0, THREAD * ruled.height)) & (height <= 0.75 * ruled.height)
    return np.asarray(beside[1:] & ((height <= REST * ruled.height) | thin), np.bool_)


REACH = 2.5
"""How far a neighbour may be, from middle to middle, in the larger side of a mark."""

LEAST = 4
"""The least neighbours from which a direction is told."""

SIDEWAYS = 1.6
"""A page lies on its side when so many times more neighbours are above or below."""

LYING = 1.05
"""And when its marks are this many times as wide as high: digits are higher than wide, in a
column of single ones too."""

SLOPING = 6.0
"""Degrees from which on a page is turned for its slope; less is taken up line by line."""

STEEPEST = 40.0


def estimate_rotation(marks: Components, *, boxed: bool = False) -> float:
    """Return the angle of a page's lines in degrees, -45..135: 90 is a page on its side.

    Marks have their nearest neighbours in their line (L. O'Gorman, "The document spectrum",
    1993). Counter-clockwise is above 0: turning the page clockwise by the angle, that is the
    view by its negative, makes lines run from left to right; 0.0 where little speaks for
    another angle.

    Parameters
    ----------
    boxed
        Whether printed boxes stand in level rows: then only the marks' shape counts, as in a
        table half empty the neighbours of digits are anywhere.
    """
    boxes = marks.boxes[marks.digits]
    if len(boxes) <= LEAST:
        return 0.0
    side = np.maximum(boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0])
    tall = side >= 0.5 * np.median(side)
    boxes, side = boxes[tall], side[tall]
    width, height = (boxes[:, 2] - boxes[:, 0]), (boxes[:, 3] - boxes[:, 1])
    lying = float(np.median(width / height)) > LYING
    if boxed:
        return 90.0 if lying else 0.0
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    offset = middle[None] - middle[:, None]
    far = np.hypot(offset[..., 0], offset[..., 1])
    like = np.minimum(side[None], side[:, None]) >= 0.55 * np.maximum(side[None], side[:, None])
    far[~like | (far > REACH * np.maximum(side[None], side[:, None]))] = np.inf
    np.fill_diagonal(far, np.inf)
    near = np.argsort(far, axis=1, kind="stable")[:, :2]
    own = np.arange(len(far))[:, None]
    known = np.isfinite(far[own, near])
    step = offset[own, near][known]
    if len(step) < LEAST:
        return 0.0
    angles = np.degrees(np.arctan2(-step[:, 1], step[:, 0])) % 180  # 0 .. 180
    level = (angles < STEEPEST) | (angles > 180 - STEEPEST)
    upright = np.abs(angles - 90) < STEEPEST
    if lying and upright.sum() > SIDEWAYS * level.sum():
        return 90.0 + _tilt(angles[upright] - 90)
    return _tilt((angles[level] + 90) % 180 - 90)


def _tilt(angles: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Return the angle on which neighbours agree, 0.0 when it is small or they do not."""
    if len(angles) < LEAST:
        return 0.0
    middle = float(np.median(angles))
    spread = float(np.median(np.abs(angles - middle)))
    return middle if abs(middle) > SLOPING and spread < max(4.0, 0.5 * abs(middle)) else 0.0
