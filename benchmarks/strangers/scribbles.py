"""Scribbles: one or two smooth curves through random places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from strangers.strokes import pen

if TYPE_CHECKING:
    from digitlens.digits import Digits, Images


def scribbles(count: int, chance: np.random.Generator, _: Digits) -> Images:
    """Draw curves that turn back on themselves, nine to sixteen places in all."""
    result = np.empty((count, 28, 28), np.uint8)
    for at in range(count):
        points = chance.uniform(0, 8, (int(chance.integers(9, 17)), 2))
        cut = int(chance.integers(3, 6))
        strokes = [points[:cut], points[cut:]] if chance.random() < 0.5 else [points]
        result[at] = pen(strokes, chance)
    return result
