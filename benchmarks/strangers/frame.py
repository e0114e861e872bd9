"""MNIST's own rule: a box of 20 x 20, centre of mass in the middle of 28 x 28."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from digitlens.digits import SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Images

BOX = 20
FAINT = 32
"""Ink fainter than this counts for nothing when the box is looked for."""


def fit(ink: NDArray[Any]) -> Images:
    """Bring one drawing uint8 (H, W), 255 = ink, into MNIST's frame: uint8 (28, 28).

    A drawing without ink gives an empty frame.
    """
    rows, columns = (np.flatnonzero((ink > FAINT).any(axis=axis)) for axis in (1, 0))
    result = np.zeros((SIDE, SIDE), np.uint8)
    if not len(rows):
        return result
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    share = BOX / max(cut.shape)
    height, width = (max(1, round(length * share)) for length in cut.shape)
    how = cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR
    small = cv2.resize(cut, (width, height), interpolation=how)
    mass = small.astype(np.float64)
    down = (mass.sum(axis=1) @ np.arange(height)) / max(mass.sum(), 1)
    across = (mass.sum(axis=0) @ np.arange(width)) / max(mass.sum(), 1)
    top = int(np.clip(round((SIDE - 1) / 2 - down), 0, SIDE - height))
    left = int(np.clip(round((SIDE - 1) / 2 - across), 0, SIDE - width))
    result[top : top + height, left : left + width] = small
    return result
