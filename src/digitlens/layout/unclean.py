"""A strip as it stands in the picture, with its paper: another view of the same line."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.ink.grey import brightness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.layout.found import Strip

    Grey: TypeAlias = "NDArray[np.uint8]"


def as_it_stands(pixels: Grey, strip: Strip) -> Grey:
    """Cut a strip out of the picture with all that is on the paper.

    Taking out rules and patterns may take strokes along; where a cleaned strip is not read
    surely, this view shows what was there.

    Parameters
    ----------
    pixels
        uint8 (H, W), or (H, W, 3) red, green, blue: the picture that the strip was found on.
    strip
        Found on it; not necessarily upright.

    Returns
    -------
    uint8 (h, w), the shape of `strip.ink`: grey, levelled, in the picture's own polarity;
    its columns are those of the strip.
    """
    import cv2

    high, wide = strip.ink.shape
    along = np.interp(np.arange(wide) + 0.5, np.arange(wide + 1), strip.columns)
    down = np.arange(high) + 0.5
    turn = strip.to_picture
    # OpenCV's coordinates are those of pixel centres: half a pixel less than ours.
    x = turn[0, 0] * along[None, :] + turn[0, 1] * down[:, None] + turn[0, 2] - 0.5
    y = turn[1, 0] * along[None, :] + turn[1, 1] * down[:, None] + turn[1, 2] - 0.5
    left, top = int(max(0, x.min() - 2)), int(max(0, y.min() - 2))
    part = pixels[top : int(y.max()) + 3, left : int(x.max()) + 3]
    if not part.size:
        return np.full((high, wide), 255, np.uint8)
    return np.asarray(
        cv2.remap(
            brightness(part),
            (x - left).astype(np.float32),
            (y - top).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )
