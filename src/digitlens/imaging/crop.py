"""Boxes cut out of a picture, pictures made smaller, and lines as a network takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.errors import ShapeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitlens.geometry import FloatGray, Gray, Pixels


# Paper around a digit, of its box's longer side: its ink is told apart by it.
CROP_MARGIN = 0.2


def expand_box(
    box: Sequence[float], margin: Sequence[float], width: int, height: int
) -> tuple[int, int, int, int]:
    """Return a box in whole pixels, made larger by `margin` as far as the picture reaches.

    box: left, top, right, bottom in pixels; right and bottom lie just outside
    margin: pixels to add to the left, above, to the right and below
    width, height: the picture's

    Returns left, top, right, bottom; empty or reversed where the box is not in the picture.

    >>> expand_box((10.5, 2, 20, 8), (4, 4, 4, 4), 22, 50)
    (6, 0, 22, 13)
    """
    left, top, right, bottom = box
    x0, y0 = max(0, int(left - margin[0])), max(0, int(top - margin[1]))
    x1, y1 = int(right + margin[2]) + 1, int(bottom + margin[3]) + 1
    return x0, y0, min(width, x1), min(height, y1)


MAX_EDGE = 1e9
"""Pixels: no picture is so large, and numbers far above have no sum."""


def crop_with_margin(
    pixels: Pixels,
    box: Sequence[float],
    margin: float = CROP_MARGIN,
    *,
    name: str = "the picture",
) -> Pixels:
    """Cut a box out of a picture, with `margin` of its longer side around it.

    A box that is empty or not in the picture is a `UsageError`.

    >>> crop_with_margin(np.zeros((50, 40), np.uint8), (10, 10, 20, 20)).shape
    (15, 15)
    """
    left, top, right, bottom = box
    height, width = pixels.shape[:2]
    x0 = y0 = x1 = y1 = 0
    if all(abs(edge) < MAX_EDGE for edge in box):  # nor NaN
        around = margin * max(right - left, bottom - top)
        x0, y0, x1, y1 = expand_box(box, (around,) * 4, width, height)
    if not (left < right and top < bottom and x0 < x1 and y0 < y1):
        raise UsageError(
            f"the box of {name} must be left, top, right, bottom inside its picture",
            seen=f"{list(box)}, in {width} x {height} pixels",
        )
    return np.ascontiguousarray(pixels[y0:y1, x0:x1])


def shrink_to_side(pixels: Pixels, max_side: int, *, min_side: int) -> Pixels:
    """Return a picture whose longer side is at most `max_side` pixels, proportions kept.

    >>> shrink_to_side(np.zeros((100, 400), np.uint8), 200, min_side=5).shape
    (50, 200)
    """
    side = max(pixels.shape[:2])
    if side <= max_side:
        return pixels
    import cv2

    height, width = (
        max(min_side, round(length * max_side / side)) for length in pixels.shape[:2]
    )
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))


def halve(pixels: Pixels) -> Pixels:
    """Bring a picture to half its size, without an odd row or column at its end.

    OpenCV takes 20 times as long where the sizes' quotient is not 2.
    """
    import cv2

    half = max(1, pixels.shape[1] // 2), max(1, pixels.shape[0] // 2)
    even = pixels[: 2 * half[1], : 2 * half[0]]
    return np.asarray(cv2.resize(even, half, interpolation=cv2.INTER_AREA), np.uint8)


def resize_quickly(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Bring a picture to `size` (width, height).

    It is halved as often as possible, which is fast, then interpolated: from half its size on
    that uses all pixels as well.
    """
    import cv2

    small = pixels
    while small.shape[0] >= 2 * size[1] and small.shape[1] >= 2 * size[0]:
        small = halve(small)
    way = cv2.INTER_CUBIC if size[0] > pixels.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(small, size, interpolation=way), np.uint8)


# Every line is scaled to this height in pixels: strokes are then 2 to 4 pixels wide.
HEIGHT = 32
# Columns of the network's input to one frame of its output.
PITCH = 2
# Columns. Longer lines are squeezed, so that no picture takes memory without bound.
MIN_WIDTH, MAX_WIDTH = 16, 2048
# Gray levels added to the standard deviation, so that noise on bare paper does not become ink.
MIN_SPREAD = 4.0


def prepare_line(gray: Gray, rows: int = HEIGHT) -> FloatGray:
    """Scale a line to the height and the contrast that a line network takes.

    The picture is scaled to 32 rows, proportions kept; its mean is subtracted, and it is
    divided by its standard deviation plus 4, so that neither brightness nor contrast matters.
    Light ink on dark paper comes out with the signs turned: networks are trained on both.

    gray: uint8 (h, w), h and w at least 1: 0 = black, 255 = white
    rows: instead of 32

    Returns float32 (32, W), W = 32 w / h, at least 16 and at most 2,048: what is darker than
    the mean is positive.

    Raises ShapeError: another shape or dtype, or no pixels.

    >>> prepare_line(np.full((20, 50), 200, np.uint8)).shape
    (32, 80)
    """
    import cv2

    if gray.ndim != 2 or gray.dtype != np.uint8 or not gray.size:
        raise ShapeError(
            "a line must be uint8 (height, width), at least one pixel",
            seen=f"{gray.dtype} {gray.shape}",
        )
    height, across = gray.shape
    width = input_width(height, across, rows)
    # Means over areas keep thin strokes when a line shrinks, but make steps when it grows.
    how = cv2.INTER_AREA if height > rows else cv2.INTER_LINEAR
    scaled = cv2.resize(gray, (width, rows), interpolation=how).astype(np.float32)
    mean, spread = float(scaled.mean()), float(scaled.std())
    return np.asarray((mean - scaled) / (spread + MIN_SPREAD), np.float32)


def input_width(height: int, width: int, rows: int = HEIGHT) -> int:
    """Return the width of `prepare_line` for a picture of this height and width."""
    least, most = MIN_WIDTH * rows // HEIGHT, MAX_WIDTH * rows // HEIGHT
    return min(most, max(least, round(width * rows / height)))


# Rows, and columns, through which one digit of a line is looked at.
WINDOW = 40


def cut_windows(line: FloatGray, centres: NDArray[np.floating]) -> NDArray[np.float32]:
    """Cut a square window out of a line around each of its `centres`.

    line: float32 (40, W), from ``prepare_line(gray, WINDOW)``
    centres: columns of the line; from beyond its edges bare paper of the mean grey is seen

    Returns float32 (N, 40, 40).

    >>> cut_windows(np.ones((40, 60), np.float32), np.array([0.0, 30.0])).mean((1, 2))
    array([0.5, 1. ], dtype=float32)
    """
    half = WINDOW // 2
    padded = np.pad(line, ((0, 0), (half, half)))
    starts = np.clip(np.rint(centres).astype(int), 0, line.shape[1])
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW, axis=1)
    return np.ascontiguousarray(windows[:, starts].transpose(1, 0, 2))


def warp_window(
    line: FloatGray, centre: float, scale: Sequence[float], shear: float, lift: float
) -> NDArray[np.float32]:
    """Cut a window out of a line as `cut_windows` does, and distort it.

    scale: columns and rows of the line to one of the window
    shear: columns of the line by which each row of the window is moved on from the one above
    lift: rows of the line by which the window is moved down

    Returns float32 (40, 40).
    """
    import cv2

    half = WINDOW / 2
    across, down = scale
    # From pixels of the window to those of the line; both middles meet.
    matrix = np.array(
        [
            [across, shear, centre - (across + shear) * half],
            [0.0, down, half - down * half + lift],
        ]
    )
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(line, matrix, (WINDOW, WINDOW), flags=how))
