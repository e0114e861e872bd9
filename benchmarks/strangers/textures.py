"""No writing at all: patterns, noise, blank paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.digits import SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Digits, Images


def textures(count: int, rng: np.random.Generator, _: Digits) -> Images:
    """Draw checkerboards, gratings, dots, gradients and rings in turn, over the whole field."""
    makers = (_checkerboard, _grating, _dots, _gradient, _rings)
    return _bytes(np.stack([makers[index % len(makers)](rng) for index in range(count)]))


def noise(count: int, rng: np.random.Generator, _: Digits) -> Images:
    """Draw even noise, noise smoothed to blobs, and specks, in turn."""
    kinds = []
    for index in range(count):
        even = rng.random((SIDE, SIDE))
        if index % 3 == 0:
            kinds.append(even)
        elif index % 3 == 1:
            blobs = cv2.GaussianBlur(even, (0, 0), rng.uniform(0.8, 2.5))
            spread = np.ptp(blobs)
            kinds.append((blobs - blobs.min()) / spread)
        else:
            kinds.append((even < rng.uniform(0.02, 0.5)).astype(np.float64))
    return _bytes(np.stack(kinds))


def blank(count: int, rng: np.random.Generator, _: Digits) -> Images:
    """Draw paper: white, grey, with a trace of grain, and all ink."""
    gray = rng.choice([0.0, 0.0, 0.1, 0.3, 1.0], count)[:, None, None]
    grain = rng.choice([0.0, 0.01, 0.03], count)[:, None, None]
    return _bytes(gray + grain * np.abs(rng.normal(size=(count, SIDE, SIDE))))


def _bytes(shares: NDArray[np.float64]) -> Images:
    whole: Images = np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8)
    return whole


def _turned(rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two coordinates at right angles, in pixels, turned and moved by chance."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] - SIDE / 2
    angle = rng.uniform(0, np.pi)
    first = x * np.cos(angle) + y * np.sin(angle) + rng.uniform(0, 10)
    second = y * np.cos(angle) - x * np.sin(angle) + rng.uniform(0, 10)
    return first, second


def _checkerboard(rng: np.random.Generator) -> NDArray[np.float64]:
    first, second = _turned(rng)
    side = rng.uniform(2, 9)
    return ((first // side + second // side) % 2).astype(np.float64)


def _grating(rng: np.random.Generator) -> NDArray[np.float64]:
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * _turned(rng)[0] / rng.uniform(3, 14))
    sharp: NDArray[np.float64] = wave if rng.random() < 0.5 else np.rint(wave)
    return sharp


def _dots(rng: np.random.Generator) -> NDArray[np.float64]:
    first, second = _turned(rng)
    step = rng.uniform(4, 10)
    away = np.hypot(first % step - step / 2, second % step - step / 2)
    dots: NDArray[np.float64] = np.clip(step * rng.uniform(0.15, 0.4) - away + 0.5, 0, 1)
    return dots


def _gradient(rng: np.random.Generator) -> NDArray[np.float64]:
    slope = _turned(rng)[0]
    gradient: NDArray[np.float64] = (slope - slope.min()) / np.ptp(slope)
    return gradient


def _rings(rng: np.random.Generator) -> NDArray[np.float64]:
    y, x = np.mgrid[0:SIDE, 0:SIDE] - rng.uniform(4, 24, 2)[:, None, None]
    rings: NDArray[np.float64] = 0.5 + 0.5 * np.cos(
        2 * np.pi * np.hypot(y, x) / rng.uniform(4, 9)
    )
    return rings
