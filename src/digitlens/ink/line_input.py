"""A picture of one line -> what a line network takes: one height, one mean, one spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.errors import ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEIGHT = 32
"""Pixels that every line is brought to: strokes are then 2 to 4 pixels wide."""

PITCH = 2
"""Columns of the input to a frame of the output."""

LEAST_WIDTH, MOST_WIDTH = 16, 2048
"""Columns; what is longer is squeezed, so that no picture takes memory without bound."""

SOFT = 4.0
"""Grey levels added to the spread, so that noise on bare paper is not blown up to ink."""


def line_input(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bring a line to the height and the contrast that a line network takes.

    The picture is scaled to 32 rows, proportions kept, its mean taken away and divided by its
    standard deviation plus 4 grey levels: neither light nor contrast then matters. Writing
    lighter than its paper comes out as it is, with the signs turned: networks are trained on
    both.

    Parameters
    ----------
    grey
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
    >>> line_input(np.full((20, 50), 200, np.uint8)).shape
    (32, 80)
    """
    import cv2

    if grey.ndim != 2 or grey.dtype != np.uint8 or not grey.size:
        raise ShapeError(
            "a line must be uint8 (height, width), at least one pixel",
            seen=f"{grey.dtype} {grey.shape}",
        )
    high, width = grey.shape[0], input_width(*grey.shape)
    # Means over areas keep thin strokes when a line shrinks; they are steps when it grows.
    how = cv2.INTER_AREA if high > HEIGHT else cv2.INTER_LINEAR
    scaled = cv2.resize(grey, (width, HEIGHT), interpolation=how).astype(np.float32)
    mean, spread = float(scaled.mean()), float(scaled.std())
    return np.asarray((mean - scaled) / (spread + SOFT), np.float32)


def input_width(high: int, wide: int) -> int:
    """Return the width of `line_input` for a picture of this height and width."""
    return min(MOST_WIDTH, max(LEAST_WIDTH, round(wide * HEIGHT / high)))
