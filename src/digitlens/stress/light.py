"""Fog, noise, inverted and covered parts: what happens to the picture as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import SIDE

if TYPE_CHECKING:
    from digitlens.digits import Images

CLOUDS = 4
"""Fog is thick or thin at this many places along each side, and between in between."""

MARGIN = 4
"""MNIST's digits keep this far from the edge, in pixels."""


def fog(images: Images, percent: float, chance: np.random.Generator) -> Images:
    """Let fog of uneven grey take the place of `percent` of the picture's contrast."""
    import cv2

    share = percent / 100
    greys = chance.uniform(0, 255, (len(images), CLOUDS, CLOUDS)).astype(np.float32)
    result = np.empty_like(images)
    for at, picture in enumerate(images):
        cloud = cv2.resize(greys[at], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        mixed = (1 - share) * picture + share * cloud.clip(0, 255)
        result[at] = np.rint(mixed)
    return result


def noise(images: Images, percent: float, chance: np.random.Generator) -> Images:
    """Add to each pixel a normal deviate of `percent` of full ink; cut off at both ends."""
    deviates = chance.standard_normal(images.shape, np.float32)
    noisy: Images = (
        np.rint(images + np.float32(2.55 * percent) * deviates).clip(0, 255).astype(np.uint8)
    )
    return noisy


def invert(images: Images, percent: float, chance: np.random.Generator) -> Images:
    """Turn ink and paper about in `percent` of each picture, from one of its four sides on."""
    width = round(SIDE * percent / 100)
    result = images.copy()
    side = chance.integers(0, 4, len(images))
    first, last = slice(None, width), slice(SIDE - width, None)
    for which, place in enumerate(
        (np.s_[:, first], np.s_[:, last], np.s_[:, :, first], np.s_[:, :, last])
    ):
        chosen = result[side == which]
        chosen[place] = 255 - chosen[place]
        result[side == which] = chosen
    return result


def occlude(images: Images, pixels: float, chance: np.random.Generator) -> Images:
    """Cover a square `pixels` wide with paper, somewhere in the box that the digit is in."""
    width = round(pixels)
    result = images.copy()
    corners = chance.random((len(images), 2))
    # The square stays inside the box while it is narrower than that.
    room = max(SIDE - 2 * MARGIN - width, 0)
    for picture, (down, across) in zip(result, corners, strict=True):
        top, left = MARGIN + round(down * room), MARGIN + round(across * room)
        picture[top : top + width, left : left + width] = 0
    return result
