"""Between pictures of bytes and of shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Images


def shares(images: Images) -> NDArray[np.float32]:
    """Return uint8 0..255 as float32 0..1."""
    return images.astype(np.float32) / np.float32(255)


def pixels(values: NDArray[np.floating[Any]]) -> Images:
    """Return 0..1 as uint8, what lies outside cut off, to the nearest."""
    whole: Images = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return whole


def smooth(values: NDArray[np.floating[Any]], sigma: float) -> NDArray[np.float32]:
    """Blur each picture (N, H, W) with a Gaussian of `sigma` pixels; 0 leaves it as it is.

    The Gaussian ends after four sigmas; pixels at the edge go on beyond it.
    """
    result = np.array(values, np.float32)
    if sigma > 0:
        side = 2 * int(4 * sigma + 0.5) + 1
        border = cv2.BORDER_REPLICATE
        for picture in result:
            cv2.GaussianBlur(picture, (side, side), sigma, dst=picture, borderType=border)
    return result
