"""Which way the lines of a page run: level, sloping or sideways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from digitlens.layout.marks import Marks

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


def direction(marks: Marks, *, boxed: bool = False) -> float:
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
    wide, high = (boxes[:, 2] - boxes[:, 0]), (boxes[:, 3] - boxes[:, 1])
    lying = float(np.median(wide / high)) > LYING
    if boxed:
        return 90.0 if lying else 0.0
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    off = middle[None] - middle[:, None]
    far = np.hypot(off[..., 0], off[..., 1])
    like = np.minimum(side[None], side[:, None]) >= 0.55 * np.maximum(side[None], side[:, None])
    far[~like | (far > REACH * np.maximum(side[None], side[:, None]))] = np.inf
    np.fill_diagonal(far, np.inf)
    near = np.argsort(far, axis=1, kind="stable")[:, :2]
    own = np.arange(len(far))[:, None]
    known = np.isfinite(far[own, near])
    step = off[own, near][known]
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
