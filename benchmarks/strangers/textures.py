"""No writing at all: patterns, noise, blank paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.digits import SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Digits, Images


def textures(count: int, chance: np.random.Generator, _: Digits) -> Images:
    """Draw checkerboards, gratings, dots, gradients and rings in turn, over the whole field."""
    makers = (_checkerboard, _grating, _dots, _gradient, _rings)
    return _bytes(np.stack([makers[at % len(makers)](chance) for at in range(count)]))


def noise(count: int, chance: np.random.Generator, _: Digits) -> Images:
    """Draw even noise, noise smoothed to blobs, and specks, in turn."""
    kinds = []
    for at in range(count):
        even = chance.random((SIDE, SIDE))
        if at % 3 == 0:
            kinds.append(even)
        elif at % 3 == 1:
            blobs = cv2.GaussianBlur(even, (0, 0), chance.uniform(0.8, 2.5))
            spread = np.ptp(blobs)
            kinds.append((blobs - blobs.min()) / spread)
        else:
            kinds.append((even < chance.uniform(0.02, 0.5)).astype(np.float64))
    return _bytes(np.stack(kinds))


def blank(count: int, chance: np.random.Generator, _: Digits) -> Images:
    """Draw paper: white, grey, with a trace of grain, and all ink."""
    grey = chance.choice([0.0, 0.0, 0.1, 0.3, 1.0], count)[:, None, None]
    grain = chance.choice([0.0, 0.01, 0.03], count)[:, None, None]
    return _bytes(grey + grain * np.abs(chance.normal(size=(count, SIDE, SIDE))))


def _bytes(shares: NDArray[np.float64]) -> Images:
    whole: Images = np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8)
    return whole


def _turned(chance: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two coordinates at right angles, in pixels, turned and moved by chance."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] - SIDE / 2
    angle = chance.uniform(0, np.pi)
    first = x * np.cos(angle) + y * np.sin(angle) + chance.uniform(0, 10)
    second = y * np.cos(angle) - x * np.sin(angle) + chance.uniform(0, 10)
    return first, second


def _checkerboard(chance: np.random.Generator) -> NDArray[np.float64]:
    first, second = _turned(chance)
    side = chance.uniform(2, 9)
    return ((first // side + second // side) % 2).astype(np.float64)


def _grating(chance: np.random.Generator) -> NDArray[np.float64]:
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * _turned(chance)[0] / chance.uniform(3, 14))
    sharp: NDArray[np.float64] = wave if chance.random() < 0.5 else np.rint(wave)
    return sharp


def _dots(chance: np.random.Generator) -> NDArray[np.float64]:
    first, second = _turned(chance)
    step = chance.uniform(4, 10)
    away = np.hypot(first % step - step / 2, second % step - step / 2)
    dots: NDArray[np.float64] = np.clip(step * chance.uniform(0.15, 0.4) - away + 0.5, 0, 1)
    return dots


def _gradient(chance: np.random.Generator) -> NDArray[np.float64]:
    slope = _turned(chance)[0]
    gradient: NDArray[np.float64] = (slope - slope.min()) / np.ptp(slope)
    return gradient


def _rings(chance: np.random.Generator) -> NDArray[np.float64]:
    y, x = np.mgrid[0:SIDE, 0:SIDE] - chance.uniform(4, 24, 2)[:, None, None]
    rings: NDArray[np.float64] = 0.5 + 0.5 * np.cos(
        2 * np.pi * np.hypot(y, x) / chance.uniform(4, 9)
    )
    return rings
