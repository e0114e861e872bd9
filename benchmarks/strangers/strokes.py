"""A pen: smooth strokes through points, drawn on a large field and brought to the frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from strangers.frame import fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitlens.digits import Images

FIELD = 112
"""Height and width of the field that is drawn on: four times the frame."""

STEPS = 8
"""Straight pieces between two points of a curve."""


def smooth_curve(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a curve through `points` (K, 2), K > 1: Catmull and Rom's, 1974."""
    ends = np.concatenate([points[:1], points, points[-1:]])
    before, start, end, after = ends[:-3], ends[1:-2], ends[2:-1], ends[3:]
    t = np.linspace(0, 1, STEPS, endpoint=False)[:, None, None]
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    whole: NDArray[np.float64] = np.concatenate(
        [curve.transpose(1, 0, 2).reshape(-1, 2), points[-1:]]
    )
    return whole


def pen(strokes: Sequence[NDArray[np.float64]], rng: np.random.Generator) -> Images:
    """Draw curves through the points (K, 2) of each stroke, x to the right and y down.

    Slanted, stretched, turned and as thick as chance wants; uint8 (28, 28) in MNIST's frame.
    """
    every = np.concatenate(strokes)
    middle, size = (every.max(0) + every.min(0)) / 2, float(np.ptp(every, axis=0).max())
    angle, slant = rng.normal(0, 0.12), rng.normal(0.1, 0.2)
    stretch = np.exp(rng.normal(0, 0.15))
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ np.array([[stretch, -slant], [0, 1]])
    field = np.zeros((2 * FIELD, 2 * FIELD), np.uint8)
    thick = int(rng.integers(6, 17))
    for stroke in strokes:
        placed = FIELD + (stroke - middle) @ matrix.T * (0.7 * FIELD / max(size, 1e-9))
        curve = smooth_curve(placed) if len(placed) > 1 else np.repeat(placed, 2, axis=0)
        points = np.rint(curve * 16).astype(np.int32)[:, None]
        cv2.polylines(field, [points], False, 255, thick, cv2.LINE_AA, shift=4)
    return fit(cv2.GaussianBlur(field, (0, 0), 2))
