"""Masks grown, opened and closed by rectangles, and their connected components.

OpenCV's calls with a rectangle's size instead of a kernel, and arrays that mypy knows. Masks
are joined with numpy's own ``|``, ``&`` and ``& ~``: right for 0 and 1, and for 0 and 255.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.geometry import Mask


def dilate(mask: Mask, rows: int, columns: int) -> Mask:
    """Return the largest value in each window of `rows` x `columns`."""
    return np.asarray(cv2.dilate(mask, np.ones((rows, columns), np.uint8)), np.uint8)


def open_mask(mask: Mask, rows: int, columns: int) -> Mask:
    """Keep only what a rectangle of `rows` x `columns` fits in.

    >>> line = np.array([[0, 0, 1, 1, 1, 0, 1, 0, 0]], np.uint8)
    >>> open_mask(line, 1, 3).tolist()
    [[0, 0, 1, 1, 1, 0, 0, 0, 0]]
    >>> close_mask(line, 1, 3).tolist()
    [[0, 0, 1, 1, 1, 1, 1, 0, 0]]
    """
    kernel = np.ones((rows, columns), np.uint8)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel), np.uint8)


def close_mask(mask: Mask, rows: int, columns: int) -> Mask:
    """Fill the gaps that no rectangle of `rows` x `columns` fits in."""
    kernel = np.ones((rows, columns), np.uint8)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel), np.uint8)


def label_components(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return each pixel's component and each component's statistics.

    Returns int32 (H, W), 0 = none; and int32 (n + 1, 5): left, top, width, height and pixels,
    in row 0 of the background. Neighbors over a corner are connected.

    >>> label_components(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0]], np.uint8))[1][1].tolist()
    [0, 0, 2, 2, 2]
    """
    # The same labels as by OpenCV's default algorithm, in a third of its time.
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        mask, 8, cv2.CV_32S, cv2.CCL_GRANA
    )
    return np.asarray(labels, np.int32), np.asarray(stats, np.int32)


def writing_height(mask: Mask) -> float:
    """Return the height of the writing in pixels: the median, by ink, of what may be digits.

    0.0 where nothing may be.
    """
    # A few pixels' accuracy is enough, and a quarter of the pixels take a quarter of the time.
    coarse = dilate(mask, 2, 2)[::2, ::2]
    _, stats = label_components(np.ascontiguousarray(coarse))
    width, height, area = stats[1:, 2], stats[1:, 3], stats[1:, 4].astype(np.float64)
    may_be_digit = (width <= 1.5 * height) & (height <= 12 * width) & (area >= 8)
    may_be_digit &= area >= 0.08 * width * height  # a frame's box is emptier
    if not may_be_digit.any():
        return 0.0
    height, area = height[may_be_digit], area[may_be_digit]
    order = np.argsort(height, kind="stable")
    cumulated = np.cumsum(area[order])
    return 2.0 * float(height[order][np.searchsorted(cumulated, cumulated[-1] / 2)])
