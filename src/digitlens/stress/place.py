"""Shifted, turned, smaller: the digit keeps its form and loses its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Images

MIDDLE = (SIDE - 1) / 2


def shift(images: Images, pixels: float, chance: np.random.Generator) -> Images:
    """Move each picture by `pixels`, in a direction of its own, to the nearest whole pixel.

    What leaves the picture is lost; paper comes in.
    """
    angle = chance.uniform(0, 2 * np.pi, len(images))
    one = np.broadcast_to(np.eye(2), (len(images), 2, 2))
    way = np.rint(pixels * np.stack([np.cos(angle), np.sin(angle)], axis=1))
    return _warp(images, one, way)


def turn(images: Images, degrees: float, chance: np.random.Generator) -> Images:
    """Turn each picture about its middle by `degrees`, to the left or to the right."""
    angle = np.deg2rad(degrees) * chance.choice([-1.0, 1.0], len(images))
    cos, sin = np.cos(angle), np.sin(angle)
    rows = np.stack([cos, -sin], axis=1), np.stack([sin, cos], axis=1)
    return _warp(images, np.stack(rows, axis=1))


def scale(images: Images, smaller: float, _: np.random.Generator) -> Images:
    """Shrink each picture about its middle by `smaller` per cent of its height and width."""
    factor = 1 / (1 - smaller / 100)
    return _warp(images, np.broadcast_to(factor * np.eye(2), (len(images), 2, 2)))


def _warp(
    images: Images, back: NDArray[np.float64], way: NDArray[np.float64] | None = None
) -> Images:
    """Map each picture; `back` (N, 2, 2) leads from a place in the result to its origin.

    Smaller pictures are averaged down, not sampled, so that no stroke falls between pixels.
    """
    import cv2

    result = np.empty_like(images)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    middle = np.array([MIDDLE, MIDDLE])
    for at, picture in enumerate(images):
        offset = middle - back[at] @ middle - (0 if way is None else way[at])
        size = float(np.sqrt(abs(np.linalg.det(back[at]))))
        seen = picture
        if size > 1.01:  # the Gaussian of Lindeberg's scale space for this step
            seen = cv2.GaussianBlur(picture, (0, 0), 0.5 * np.sqrt(size**2 - 1))
        matrix = np.column_stack([back[at], offset])
        cv2.warpAffine(seen, matrix, (SIDE, SIDE), dst=result[at], flags=flags)
    return result
