"""Sheared, shrunk, turned and moved: what affine maps do, either way by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Images


def shear(images: Images, rng: np.random.Generator, *, angle: float = 0.4) -> Images:
    """Slant by `angle` radians to the left or right, the rows drawn apart (severity 2).

    The columns are turned and keep their length, so a digit grows by 1 / cos(angle) in
    height. Severities 1 to 5: .2, .4, .6, .8, 1.
    """
    angles = angle * rng.choice([-1.0, 1.0], len(images))
    zero, one = np.zeros(len(images)), np.ones(len(images))
    return _warp(images, _matrices(one, -np.sin(angles), zero, np.cos(angles)))


def scale(images: Images, _: np.random.Generator, *, size: float = 0.7) -> Images:
    """Shrink to `size` of the height and width (severity 3).

    Severities 1 to 5: .9, .8, .7, .6, .5.
    """
    zero, factor = np.zeros(len(images)), np.full(len(images), 1 / size)
    return _warp(images, _matrices(factor, zero, zero, factor))


def rotate(images: Images, rng: np.random.Generator, *, angle: float = 0.4) -> Images:
    """Turn by `angle` radians to the left or right (severity 2).

    Severities 1 to 5: .2, .4, .6, .8, 1.
    """
    angles = angle * rng.choice([-1.0, 1.0], len(images))
    cos, sin = np.cos(angles), np.sin(angles)
    return _warp(images, _matrices(cos, -sin, sin, cos))


def translate(images: Images, rng: np.random.Generator, *, pixels: int = 3) -> Images:
    """Move along a diagonal, `pixels` sideways and `pixels` up or down (severity 3).

    Severities 1 to 5: 1, 2, 3, 4, 5.
    """
    one, zero = np.ones(len(images)), np.zeros(len(images))
    matrices = _matrices(one, zero, zero, one)
    matrices[:, :, 2] += pixels * rng.choice([-1.0, 1.0], (len(images), 2))
    return _warp(images, matrices)


def _matrices(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    c: NDArray[np.float64],
    d: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return float64 (N, 2, 3): from a place in the result to its origin, about the middle."""
    linear = np.stack([np.stack([a, b], -1), np.stack([c, d], -1)], axis=1)
    middle = np.full(2, 13.5)
    return np.concatenate([linear, (middle - linear @ middle)[:, :, None]], axis=2)


def _warp(images: Images, matrices: NDArray[np.float64]) -> Images:
    side = images.shape[1]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    result = np.empty_like(images)
    for picture, matrix, target in zip(images, matrices, result, strict=True):
        cv2.warpAffine(picture, matrix, (side, side), dst=target, flags=flags)
    return result
