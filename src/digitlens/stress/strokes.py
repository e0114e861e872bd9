"""Thicker, thinner, blurred: what the pen and the lens do to strokes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import SIDE

if TYPE_CHECKING:
    from digitlens.digits import Images

FINER = 4
"""Strokes change by parts of a pixel: they are worked on in pictures this much finer."""


def thicken(images: Images, pixels: float, _: np.random.Generator) -> Images:
    """Make every stroke `pixels` wider, half of it on either side."""
    return _brush(images, pixels, widen=True)


def thin(images: Images, pixels: float, _: np.random.Generator) -> Images:
    """Make every stroke `pixels` narrower; what is not wider than that goes."""
    return _brush(images, pixels, widen=False)


def blur(images: Images, sigma: float, _: np.random.Generator) -> Images:
    """Blur with a Gaussian of `sigma` pixels."""
    import cv2

    blurred = [cv2.GaussianBlur(picture, (0, 0), sigma) for picture in images]
    return np.array(blurred, np.uint8).reshape(images.shape)


def _brush(images: Images, pixels: float, *, widen: bool) -> Images:
    import cv2

    width = 2 * round(pixels * FINER / 2) + 1
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    change = cv2.dilate if widen else cv2.erode
    fine = (SIDE * FINER, SIDE * FINER)
    result = np.empty_like(images)
    for at, picture in enumerate(images):
        large = cv2.resize(picture, fine, interpolation=cv2.INTER_LINEAR)
        cv2.resize(
            change(large, brush), (SIDE, SIDE), dst=result[at], interpolation=cv2.INTER_AREA
        )
    return result
