"""A box of a picture, with some paper around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MARGIN = 0.2
"""Of a box's longer side: paper around a digit, by which its ink is told apart."""


def with_margin(
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
    >>> with_margin((10.5, 2, 20, 8), (4, 4, 4, 4), 22, 50)
    (6, 0, 22, 13)
    """
    left, top, right, bottom = box
    x0, y0 = max(0, int(left - margin[0])), max(0, int(top - margin[1]))
    x1, y1 = int(right + margin[2]) + 1, int(bottom + margin[3]) + 1
    return x0, y0, min(width, x1), min(height, y1)


def cut_out(
    pixels: NDArray[np.uint8],
    box: Sequence[float],
    margin: float = MARGIN,
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
    >>> cut_out(np.zeros((50, 40), np.uint8), (10, 10, 20, 20)).shape
    (15, 15)
    """
    left, top, right, bottom = box
    height, width = pixels.shape[:2]
    around = margin * max(right - left, bottom - top)
    x0, y0, x1, y1 = with_margin(box, (around,) * 4, width, height)
    if not (left < right and top < bottom and x0 < x1 and y0 < y1):
        raise UsageError(
            f"the box of {name} must be left, top, right, bottom inside its picture",
            seen=f"{list(box)}, in {width} x {height} pixels",
        )
    return np.ascontiguousarray(pixels[y0:y1, x0:x1])
