"""What cameras and scanners do to a picture: size, light, focus, a shaken hand, slope.

Widths and depths are those of what people send; distances grow with the picture. Each function
takes a picture, uint8 (H, W) or (H, W, 3), and a generator, and returns one like it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Pixels: TypeAlias = "NDArray[np.uint8]"
    Change: TypeAlias = "Callable[[Pixels, np.random.Generator], Pixels]"

USUAL_SIDE = 400
"""Blur is given for a picture whose shorter side is this, or less."""

SHADOW, SOFTNESS = 0.35, 25.0
"""How much light is left in a shadow, and how steep its edge is across a picture."""


def resized(factor: float) -> Change:
    """Return what enlarges a picture, or makes it smaller."""
    kind = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC

    def change(picture: Pixels, _: np.random.Generator) -> Pixels:
        result = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=kind)
        return np.asarray(result, np.uint8)

    return change


def lit(light: float, contrast: float = 1.0) -> Change:
    """Return what dims a picture, and then its contrast around a medium grey."""

    def change(picture: Pixels, _: np.random.Generator) -> Pixels:
        values = picture * np.float32(light)
        return np.asarray(np.clip(128 + (values - 128) * contrast, 0, 255), np.uint8)

    return change


def shaded(picture: Pixels, rng: np.random.Generator) -> Pixels:
    """Lay half of a picture in a shadow, with a soft edge in any direction."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width]
    angle = rng.uniform(0, math.tau)
    depth = (x / width - 0.5) * math.cos(angle) + (y / height - 0.5) * math.sin(angle)
    light = 1 - (1 - SHADOW) / (1 + np.exp(-SOFTNESS * depth))
    return np.asarray(
        picture * light.reshape(light.shape + (1,) * (picture.ndim - 2)), np.uint8
    )


def darker_at_corners(picture: Pixels, _: np.random.Generator) -> Pixels:
    """Darken a picture towards its corners, to a fifth of the light."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width]
    light = 1 - 1.6 * ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2)
    return np.asarray(
        picture * light.reshape(light.shape + (1,) * (picture.ndim - 2)), np.uint8
    )


def out_of_focus(deviation: float) -> Change:
    """Return what blurs a picture."""

    def change(picture: Pixels, _: np.random.Generator) -> Pixels:
        blurred = cv2.GaussianBlur(picture, (0, 0), deviation * _scale(picture))
        return np.asarray(blurred, np.uint8)

    return change


def shaken(length: int) -> Change:
    """Return what smears a picture along a line of so many pixels, in any direction."""

    def change(picture: Pixels, rng: np.random.Generator) -> Pixels:
        side = max(3, round(length * _scale(picture)))
        kernel = np.zeros((side, side), np.float32)
        kernel[side // 2] = 1
        center = (side - 1) / 2
        turn = cv2.getRotationMatrix2D((center, center), rng.uniform(0, 180), 1)
        kernel = np.asarray(cv2.warpAffine(kernel, turn, (side, side)), np.float32)
        return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.uint8)

    return change


def noisy(deviation: float) -> Change:
    """Return what adds a sensor's noise, of so many grey levels."""

    def change(picture: Pixels, rng: np.random.Generator) -> Pixels:
        return np.asarray(
            np.clip(picture + rng.normal(0, deviation, picture.shape), 0, 255), np.uint8
        )

    return change


def sloped(angle: float) -> Change:
    """Return what turns a picture by degrees, counter-clockwise; its edges go on outwards."""

    def change(picture: Pixels, _: np.random.Generator) -> Pixels:
        height, width = picture.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
        cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
        size = int(height * sine + width * cosine), int(height * cosine + width * sine)
        turn[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
        border = cv2.BORDER_REPLICATE
        turned = cv2.warpAffine(picture, turn, size, flags=cv2.INTER_CUBIC, borderMode=border)
        return np.asarray(turned, np.uint8)

    return change


def black_and_white(picture: Pixels, _: np.random.Generator) -> Pixels:
    """Scan a picture without grey, at Otsu's threshold."""
    gray = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    kind = cv2.THRESH_BINARY + cv2.THRESH_OTSU
    return np.asarray(cv2.threshold(gray, 0, 255, kind)[1], np.uint8)


def negative(picture: Pixels, _: np.random.Generator) -> Pixels:
    """Turn light into dark."""
    return np.asarray(255 - picture, np.uint8)


def _dim(picture: Pixels, light: NDArray[np.float64]) -> Pixels:
    """Leave a share of the light, (H, W), to each pixel."""
    return np.asarray(
        picture * light.reshape(light.shape + (1,) * (picture.ndim - 2)), np.uint8
    )


def _scale(picture: Pixels) -> float:
    return float(max(1.0, min(picture.shape[:2]) / USUAL_SIDE))


CHANGES: dict[str, Change] = {
    "a third of the size": resized(1 / 3),
    "three times the size": resized(3),
    "a third of the light": lit(0.3),
    "a third of the contrast": lit(1.0, 0.3),
    "half in a shadow": shaded,
    "darker at the corners": darker_at_corners,
    "out of focus by 1 pixel": out_of_focus(1),
    "out of focus by 2 pixels": out_of_focus(2),
    "shaken by 7 pixels": shaken(7),
    "noise of 12 levels": noisy(12),
    "noise of 25 levels": noisy(25),
    "sloping by 8 degrees": sloped(8),
    "sloping by -14 degrees": sloped(-14),
    "black and white": black_and_white,
    "negative": negative,
}
