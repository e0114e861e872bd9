"""Scribbles: one or two smooth curves through random places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from strangers.strokes import pen

if TYPE_CHECKING:
    from digitlens.digits import Digits, Images


def scribbles(count: int, rng: np.random.Generator, _: Digits) -> Images:
    """Draw curves that turn back on themselves, nine to sixteen places in all."""
    result = np.empty((count, 28, 28), np.uint8)
    for index in range(count):
        points = rng.uniform(0, 8, (int(rng.integers(9, 17)), 2))
        cut = int(rng.integers(3, 6))
        strokes = [points[:cut], points[cut:]] if rng.random() < 0.5 else [points]
        result[index] = pen(strokes, rng)
    return result
