"""Edges instead of strokes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from corruptions.pixels import shares, smooth

if TYPE_CHECKING:
    from digitlens.digits import Images

UNIT = 1024
"""What a gradient of 1.0 is in whole numbers; Sobel's can reach 4."""


def canny_edges(
    images: Images,
    _: np.random.Generator,
    *,
    sigma: float = 1.0,
    thresholds: tuple[float, float] = (0.1, 0.2),
) -> Images:
    """Keep Canny's edges: 255 on an edge, 0 elsewhere.

    Parameters
    ----------
    sigma
        Of the Gaussian before it, in pixels.
    thresholds
        Of Sobel's gradient where full ink is 1: an edge begins above the second and goes
        on above the first.
    """
    low, high = (UNIT * bound for bound in thresholds)
    result = np.empty_like(images)
    for index, picture in enumerate(smooth(shares(images), sigma)):
        across, down = (
            np.rint(UNIT * cv2.Sobel(picture, cv2.CV_32F, *order)).astype(np.int16)
            for order in ((1, 0), (0, 1))
        )
        result[index] = cv2.Canny(across, down, low, high, L2gradient=True)
    result[:, [0, -1]] = result[:, :, [0, -1]] = 0  # no neighbour to compare with
    return result
