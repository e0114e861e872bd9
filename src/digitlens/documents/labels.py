"""Where a reading is written on a picture so that it hides no other: pure geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Rectangle: TypeAlias = "tuple[float, float, float, float]"
    Size: TypeAlias = "tuple[float, float]"
    Spot: TypeAlias = "tuple[float, float]"

GAP = 3.0
"""Pixels between a box and its label."""


def places(
    boxes: Sequence[Rectangle],
    sizes: Sequence[Size],
    room: Size,
    others: Sequence[Rectangle] = (),
) -> tuple[list[Spot], float]:
    """Return for each box where the upper left corner of its label goes.

    Above the box or below, from its left or up to its right, or beside it: the first place
    that is on the sheet and touches no box and no label before it; else that which covers
    least of them.

    Parameters
    ----------
    boxes
        Left, top, right, bottom.
    sizes
        Width and height of each box's label.
    room
        Width and height of the sheet.
    others
        What else is not to be covered.

    Returns
    -------
    The places, and how many pixels of boxes and labels are covered by labels.

    Examples
    --------
    >>> places([(50, 50, 90, 70)], [(30, 10)], (200, 200))
    ([(50.0, 37.0)], 0.0)
    >>> places([(50, 0, 90, 20)], [(30, 10)], (200, 200))
    ([(50.0, 23.0)], 0.0)
    """
    taken = np.array([*boxes, *others], np.float64).reshape(-1, 4)
    found, hidden = [], 0.0
    for box, (wide, high) in zip(boxes, sizes, strict=True):
        corners = _around(box, wide, high)
        corners[:, 0] = np.clip(corners[:, 0], 0, max(0.0, room[0] - wide))
        corners[:, 1] = np.clip(corners[:, 1], 0, max(0.0, room[1] - high))
        labels = np.column_stack([corners, corners + np.array([wide, high])])
        covered = _covered(labels, taken)
        best = int(np.argmin(covered))
        taken = np.vstack([taken, labels[best]])
        hidden += float(covered[best])
        found.append((float(labels[best, 0]), float(labels[best, 1])))
    return found, hidden


def _around(box: Rectangle, wide: float, high: float) -> NDArray[np.float64]:
    left, top, right, bottom = box
    above, below, middle = top - GAP - high, bottom + GAP, (top + bottom - high) / 2
    upright = [(x, y) for x in (left, right - wide) for y in (above, below)]
    beside = [(right + GAP, middle), (left - GAP - wide, middle)]
    return np.array([*upright, *beside], np.float64)


def _covered(labels: NDArray[np.float64], taken: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many pixels of what is taken each label would cover: float64 (N,)."""
    low = np.maximum(labels[:, None, :2], taken[None, :, :2])
    high = np.minimum(labels[:, None, 2:], taken[None, :, 2:])
    sides = np.maximum(high - low, 0.0)
    return np.asarray((sides[..., 0] * sides[..., 1]).sum(axis=1), np.float64)
