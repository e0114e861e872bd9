"""Digits that are digits no more: halves, and two at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.digits import SIDE
from strangers.frame import fit

if TYPE_CHECKING:
    from digitlens.digits import Digits, Images

CLEAR = {"left": (2, 3, 4, 5, 7, 8, 9), "top": (0, 4, 5), "bottom": (0, 3, 5), "right": ()}
"""Halves that are nothing: that of which half shows no digit, by eye.

The others can be read: an upper 9 is a 0, a lower 4 a 1, a right 3 a 3 again.
"""

SIDES = tuple(CLEAR)


def halves(count: int, rng: np.random.Generator, digits: Digits) -> Images:
    """Cut digits through the middle and bring halves that are nothing to the frame."""
    return _cut(count, rng, digits, clear=True)


def unclear_halves(count: int, rng: np.random.Generator, digits: Digits) -> Images:
    """Cut digits through the middle and bring halves that can be read to the frame."""
    return _cut(count, rng, digits, clear=False)


def overlaid(count: int, rng: np.random.Generator, digits: Digits) -> Images:
    """Lay two digits of different classes on top of each other, a little apart."""
    result = np.empty((count, SIDE, SIDE), np.uint8)
    for index in range(count):
        first, second = _two(rng, digits)
        move = tuple(rng.integers(-3, 4, 2).tolist())
        result[index] = fit(np.maximum(first, np.roll(second, move, (0, 1))))
    return result


def side_by_side(count: int, rng: np.random.Generator, digits: Digits) -> Images:
    """Set two digits beside each other and squeeze both into one frame."""
    result = np.empty((count, SIDE, SIDE), np.uint8)
    for index in range(count):
        cut = [item[4:24, item.any(axis=0)] for item in _two(rng, digits)]
        gap = np.zeros((20, int(rng.integers(0, 4))), np.uint8)
        row = np.concatenate([cut[0], gap, cut[1]], axis=1)
        height = int(rng.integers(20, 41))  # squeezed from the sides by up to a half
        result[index] = fit(cv2.resize(row, (row.shape[1], height)))
    return result


def _two(rng: np.random.Generator, digits: Digits) -> tuple[Images, Images]:
    while True:
        first, second = rng.integers(0, len(digits), 2)
        if digits.labels[first] != digits.labels[second]:
            return digits.images[first], digits.images[second]


def _cut(count: int, rng: np.random.Generator, digits: Digits, *, clear: bool) -> Images:
    result = np.empty((count, SIDE, SIDE), np.uint8)
    index = 0
    while index < count:
        side = SIDES[int(rng.integers(len(SIDES)))]
        which = int(rng.integers(len(digits)))
        if (int(digits.labels[which]) in CLEAR[side]) != clear:
            continue
        whole, half = digits.images[which], SIDE // 2
        keep = {
            "left": np.s_[:, :half],
            "right": np.s_[:, half:],
            "top": np.s_[:half],
            "bottom": np.s_[half:],
        }[side]
        result[index] = fit(whole[keep])
        index += 1
    return result
