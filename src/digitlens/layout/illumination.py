"""A page's background estimated and divided out: ink as even as if the light had been.

`digitlens.imaging.binarize` says why there are several binarizations: this one is for pages,
which are mostly paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.imaging.binarize import quantile_of_values
from digitlens.imaging.crop import halve
from digitlens.layout.morphology import dilate

if TYPE_CHECKING:
    from digitlens.geometry import Gray, Mask


# The longer side in pixels on which the background is estimated: light is no finer.
BACKGROUND_SIDE = 256
# In pixels at that size. The first is wider than twice any pen's stroke, so that its median is
# paper; the second follows the light, once it is known what is ink.
COARSE_WINDOW, FINE_WINDOW = 71, 25
# Darker paper counts as this dark: division by less turns noise into ink. With 60, photos of a
# third of the light, and the shadows of others, lost their numbers; desks are as they were.
MIN_BACKGROUND = 24
# Gray values from the paper at which something is left out when the light is followed.
MIN_DEVIATION = 14
# Ink, of 255, below which nothing is marked.
MIN_INK = 14.0
# The same as a share of the page's strongest ink: squared paper, and what shines through the
# sheet, are paler.
MIN_INK_SHARE = 0.15
# Ink, of 255, from which everything is marked.
FULL_INK = 75.0
# The threshold as a share of the strongest ink nearby.
LOCAL_INK_SHARE = 0.36


@dataclass(frozen=True, eq=False)
class Background:
    """The paper under one channel of a page."""

    # uint8 (h, w), the longer side about `BACKGROUND_SIDE`: its gray, after inverted pages were
    # made dark on light.
    small: Gray
    inverted: bool  # whether the ink is lighter than the paper
    noise: float  # the standard deviation of bare paper, in ink


def estimate_background(
    gray: Gray, inverted: bool | None = None, *, side: int = BACKGROUND_SIDE
) -> Background:
    """Estimate the paper of a page.

    A median over a window wider than strokes, as in P. Wellner's and others' binarization of
    documents, then a mean over all that is not ink by it.

    gray: uint8 (H, W)
    inverted: whether the ink is lighter than the paper; None finds out
    side: the longer side in pixels on which it is estimated; windows shrink with it
    """
    height, width = gray.shape
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    fine = gray
    while fine.shape[0] >= 4 * size[1] and fine.shape[1] >= 4 * size[0]:
        fine = halve(fine)  # in a fortieth of the time that other quotients take
    small = np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA), np.uint8)
    coarse_window, fine_window = (
        round(window * side / BACKGROUND_SIDE) // 2 * 2 + 1
        for window in (COARSE_WINDOW, FINE_WINDOW)
    )
    coarse = _median_filter(small, coarse_window)
    if inverted is None:
        inverted = _is_inverted(small, coarse)
    if inverted:
        small, coarse = 255 - small, 255 - coarse
    light = _follow_light(small, coarse, fine_window)
    deviation = np.abs(small.astype(np.float32) - light)
    deviation = deviation[deviation < MIN_DEVIATION]
    # 1.25 mean deviations are a standard deviation of normal noise.
    noise = float(deviation.mean() * 1.25) if deviation.size else 0.0
    return Background(light, inverted, noise)


def _median_filter(small: Gray, window: int) -> Gray:
    """Return the median of each window; beyond the edge the picture is mirrored.

    OpenCV's own median repeats the outermost pixels: a scanner's black edge, two pixels wide,
    would be half of a window.
    """
    rows, columns = small.shape
    half = window // 2
    above, beside = min(half, rows - 1), min(half, columns - 1)
    padded = cv2.copyMakeBorder(small, above, above, beside, beside, cv2.BORDER_REFLECT_101)
    median = cv2.medianBlur(padded, window)
    return np.asarray(median[above : above + rows, beside : beside + columns], np.uint8)


def _is_inverted(small: Gray, paper: Gray) -> bool:
    """Say whether more stands out from the paper towards white than towards black."""
    darker = cv2.subtract(paper, small).astype(np.float32)
    lighter = cv2.subtract(small, paper).astype(np.float32)
    # Squared: shades of the paper are many and weak, ink is little and strong.
    return float(np.square(lighter).sum()) > 1.5 * float(np.square(darker).sum())


def _follow_light(small: Gray, coarse: Gray, side: int) -> Gray:
    weights = (cv2.absdiff(small, coarse) < MIN_DEVIATION).astype(np.float32)
    window = (side, side)
    total = cv2.boxFilter(weights, -1, window)
    mean = cv2.boxFilter(weights * small, -1, window) / np.maximum(total, 1e-3)
    share = np.clip(total * 4, 0, 1)  # with a quarter of the window paper, it is known
    return np.asarray(np.rint(share * mean + (1 - share) * coarse), np.uint8)


def extract_ink(gray: Gray, paper: Gray, *, inverted: bool) -> Gray:
    """Return how much of the light the ink takes away: uint8, 0 = paper, 255 = all of it."""
    values = cv2.bitwise_not(gray) if inverted else gray
    # Quotients above 255 stay 255: lighter than the paper is paper.
    share = cv2.divide(values, np.maximum(paper, np.uint8(MIN_BACKGROUND)), scale=255)
    return np.asarray(cv2.bitwise_not(share), np.uint8)


def upscale(small: Gray, shape: tuple[int, ...]) -> Gray:
    """Bring a background to the size of its page."""
    size = shape[1], shape[0]
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def threshold(ink: Gray, noise: float) -> Mask:
    """Tell marks from paper: uint8 (H, W), 1 = mark.

    The threshold is a third of the strongest ink nearby, so that pencil beside print and
    blurred strokes keep their width, but never more than `FULL_INK`; and above the
    paper's noise.
    """
    rows, columns = ink.shape
    # The strongest ink nearby, on a quarter of the rows and columns.
    reach = max(3, round(0.02 * max(rows, columns) / 4)) * 2 + 1
    peaks = np.ascontiguousarray(dilate(ink, 5, 5)[::4, ::4])
    peaks = np.asarray(cv2.blur(dilate(peaks, reach, reach), (reach, reach)), np.uint8)
    strongest = quantile_of_values(peaks, 0.995)
    lowest = max(MIN_INK, 4.0 * noise, MIN_INK_SHARE * strongest)
    thresholds = np.clip(peaks * np.float32(LOCAL_INK_SHARE), lowest, max(FULL_INK, lowest))
    return (ink > upscale(thresholds.astype(np.uint8), ink.shape)).astype(np.uint8)
