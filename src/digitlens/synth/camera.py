"""What scanners, cameras and files do to a picture."""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from digitlens.geometry import Gray
from digitlens.synth.random import Random
from digitlens.synth.style import Style
from digitlens.synth.textures import EVEN, crop_texture, noises

SMALLEST = 9.0  # digits are never taken at fewer pixels of height than this
BILEVEL_FROM = 110.0  # contrast from which on a scan in black and white keeps the strokes whole


def simulate_camera(
    rng: Random, style: Style, picture: Gray, height: float, contrast: float
) -> tuple[Gray, float]:
    """Take a picture of the page, uint8 (H, W), and say its scale.

    The scale is 0.5 where it has half as many pixels a side. `height` is that of a digit;
    `contrast` that of ink against paper in gray levels: what is pale is not scanned in black
    and white, and meets less noise.
    """
    scale = 1.0
    # One lack of sharpness is enough: of several at once nothing can be read.
    if rng.bernoulli(style.low):
        picture, scale = _coarser(rng, picture, height)
    elif rng.bernoulli(style.motion):
        kernel = _shake(rng.integers(16), height > 24)
        picture = np.asarray(cv2.filter2D(picture, -1, kernel), np.uint8)
    elif rng.bernoulli(style.blur):
        picture = _blur(picture, height * rng.uniform(0.015, 0.055))
    if contrast > BILEVEL_FROM and rng.bernoulli(style.bilevel):
        picture = _black_and_white(rng, picture, contrast)
    elif rng.bernoulli(style.noise):
        sheet = crop_texture(rng, noises(), picture.shape)
        amount = rng.uniform(0.0, 0.0032) * contrast * rng.uniform(0.2, 1.0)
        noisy = cv2.addWeighted(picture, 1.0, sheet, amount, -EVEN * amount)
        picture = np.asarray(noisy, np.uint8)
    if rng.bernoulli(style.negative_film):
        picture = np.asarray(cv2.bitwise_not(picture), np.uint8)
    if rng.bernoulli(style.jpeg):
        quality = int(rng.uniform_in(style.quality))
        data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        picture = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return np.ascontiguousarray(picture), scale


def _coarser(rng: Random, picture: Gray, height: float) -> tuple[Gray, float]:
    """Take fewer pixels; half of these pictures are enlarged again, as by a web page."""
    rows, columns = picture.shape
    least = min(1.0, SMALLEST / height)
    factor = rng.uniform(max(0.3, least), 0.85) if least < 0.85 else 1.0
    small = max(4, round(columns * factor)), max(4, round(rows * factor))
    fewer = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    if rng.bernoulli(0.5):
        way = cv2.INTER_LINEAR if rng.bernoulli(0.6) else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(fewer, (columns, rows), interpolation=way), np.uint8), 1.0
    return np.asarray(fewer, np.uint8), small[1] / rows


def _blur(picture: Gray, deviation: float) -> Gray:
    # The kernel by hand: OpenCV makes one of 8 deviations, and half of them are zeros.
    reach = max(1, math.ceil(2 * deviation))
    side = 2 * reach + 1
    return np.asarray(cv2.GaussianBlur(picture, (side, side), max(0.3, deviation)), np.uint8)


@cache
def _shake(direction: int, far: bool) -> NDArray[np.float32]:
    """Return a kernel that smears along a line, in one of 16 directions."""
    side = 5 if far else 3
    kernel = np.zeros((side, side), np.uint8)
    middle, angle = side // 2, math.pi * direction / 16
    offset = round(middle * math.cos(angle)), round(middle * math.sin(angle))
    cv2.line(
        kernel,
        (middle - offset[0], middle - offset[1]),
        (middle + offset[0], middle + offset[1]),
        1,
    )
    return np.asarray(kernel / kernel.sum(), np.float32)


def _black_and_white(rng: Random, picture: Gray, contrast: float) -> Gray:
    """Scan without grey, at a level that keeps most of what is printed on the paper white."""
    level, _ = cv2.threshold(picture, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    level = min(level, float(np.median(picture)) - 0.35 * contrast) + rng.normal(0.0, 8.0)
    low, high = (0, 255) if rng.bernoulli(0.5) else (rng.integers(60), 200 + rng.integers(56))
    table = np.where(np.arange(256) > level, high, low).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, table), np.uint8)


STRETCH, SHEAR, MARGIN = 0.12, 0.15, 0.08  # at most: of breadth, of slant, of height


def vary_line(image: Gray, rng: np.random.Generator) -> Gray:
    """Return a picture of a line stretched, slanted and moved a little: uint8 (H, W').

    What is learnt again and again is not to look the same each time.
    """
    height, width = image.shape
    above, below = rng.uniform(-MARGIN, MARGIN, 2) * height
    across, shear = 1 + rng.uniform(-STRETCH, STRETCH), rng.uniform(-SHEAR, SHEAR)
    down = 1 + (below - above) / height
    matrix = np.array([[across, -shear, shear * height / 2], [0.0, down, above]])
    size = max(4, round(width * across)), height
    return np.asarray(
        cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
