"""A box of a picture, with some paper around it.

* A picture of one line -> what a line network takes: one height, one mean, one spread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.errors import ShapeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


CROP_MARGIN = 0.2
"""Of a box's longer side: paper around a digit, by which its ink is told apart."""


def expand_box(
    box: Sequence[float], margin: Sequence[float], width: int, height: int
) -> tuple[int, int, int, int]:
    """Return a box in whole pixels, made wider by `margin` as far as the picture reaches.

    Parameters
    ----------
    box
        Left, top, right, bottom in pixels; right and bottom lie just outside.
    margin
        Pixels to the left, above, to the right and below.
    width, height
        Of the picture.

    Returns
    -------
    Left, top, right, bottom; empty or the wrong way round where the box is not in the picture.

    Examples
    --------
    >>> expand_box((10.5, 2, 20, 8), (4, 4, 4, 4), 22, 50)
    (6, 0, 22, 13)
    """
    left, top, right, bottom = box
    x0, y0 = max(0, int(left - margin[0])), max(0, int(top - margin[1]))
    x1, y1 = int(right + margin[2]) + 1, int(bottom + margin[3]) + 1
    return x0, y0, min(width, x1), min(height, y1)


def crop_with_margin(
    pixels: NDArray[np.uint8],
    box: Sequence[float],
    margin: float = CROP_MARGIN,
    *,
    name: str = "the picture",
) -> NDArray[np.uint8]:
    """Cut a box out of a picture, with some paper around it.

    Parameters
    ----------
    pixels
        uint8 (H, W) or (H, W, 3).
    box
        Left, top, right, bottom in pixels.
    margin
        Paper on each side, as a share of the box's longer side.

    Raises
    ------
    UsageError
        The box is empty, or not in the picture.

    Examples
    --------
    >>> crop_with_margin(np.zeros((50, 40), np.uint8), (10, 10, 20, 20)).shape
    (15, 15)
    """
    left, top, right, bottom = box
    height, width = pixels.shape[:2]
    around = margin * max(right - left, bottom - top)
    x0, y0, x1, y1 = expand_box(box, (around,) * 4, width, height)
    if not (left < right and top < bottom and x0 < x1 and y0 < y1):
        raise UsageError(
            f"the box of {name} must be left, top, right, bottom inside its picture",
            seen=f"{list(box)}, in {width} x {height} pixels",
        )
    return np.ascontiguousarray(pixels[y0:y1, x0:x1])


HEIGHT = 32
"""Pixels that every line is brought to: strokes are then 2 to 4 pixels wide."""

PITCH = 2
"""Columns of the input to a frame of the output."""

LEAST_WIDTH, MOST_WIDTH = 16, 2048
"""Columns; what is longer is squeezed, so that no picture takes memory without bound."""

SOFT = 4.0
"""Grey levels added to the spread, so that noise on bare paper is not blown up to ink."""


def prepare_line(gray: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bring a line to the height and the contrast that a line network takes.

    The picture is scaled to 32 rows, proportions kept, its mean taken away and divided by its
    standard deviation plus 4 grey levels: neither light nor contrast then matters. Writing
    lighter than its paper comes out as it is, with the signs turned: networks are trained on
    both.

    Parameters
    ----------
    gray
        uint8 (h, w), h and w at least 1: 0 = black, 255 = white.

    Returns
    -------
    float32 (32, W), W = 32 w / h, at least 16 and at most 2,048: what is darker than the mean
    is positive.

    Raises
    ------
    ShapeError
        Another shape or dtype, or no pixels.

    Examples
    --------
    >>> prepare_line(np.full((20, 50), 200, np.uint8)).shape
    (32, 80)
    """
    import cv2

    if gray.ndim != 2 or gray.dtype != np.uint8 or not gray.size:
        raise ShapeError(
            "a line must be uint8 (height, width), at least one pixel",
            seen=f"{gray.dtype} {gray.shape}",
        )
    height, width = gray.shape[0], input_width(*gray.shape)
    # Means over areas keep thin strokes when a line shrinks; they are steps when it grows.
    how = cv2.INTER_AREA if height > HEIGHT else cv2.INTER_LINEAR
    scaled = cv2.resize(gray, (width, HEIGHT), interpolation=how).astype(np.float32)
    mean, spread = float(scaled.mean()), float(scaled.std())
    return np.asarray((mean - scaled) / (spread + SOFT), np.float32)


def input_width(height: int, width: int) -> int:
    """Return the width of `prepare_line` for a picture of this height and width."""
    return min(MOST_WIDTH, max(LEAST_WIDTH, round(width * HEIGHT / height)))
