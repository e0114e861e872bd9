"""Paper taken off: what is left is ink, as even as if the light had been."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.layout.masks import widened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grey: TypeAlias = "NDArray[np.uint8]"

SIDE = 256
"""The longer side in pixels on which the paper is worked out: light is no finer."""

COARSE, FINE = 71, 25
"""Windows on it, in pixels, at that size. The first is wider than twice any pen's stroke, and
its median is paper; the second follows the light, once what is ink is known."""

DARKEST = 60
"""Paper darker than this counts as this dark: division by less makes ink of noise."""

STANDS_OUT = 14
"""Grey values from which something on the paper is left out when the light is followed."""


@dataclass(frozen=True, eq=False)
class Paper:
    """The paper under one channel of a view.

    Parameters
    ----------
    small
        uint8 (h, w), the longer side about `SIDE`: its grey, after `light` was made dark.
    light
        Whether the ink is lighter than the paper; then all values are turned over.
    noise
        How much the bare paper scatters about its mean, as a standard deviation of ink.
    """

    small: Grey
    light: bool
    noise: float


def find_paper(grey: Grey, light: bool | None = None, *, side: int = SIDE) -> Paper:
    """Work out the paper of a view.

    A median over a window wider than strokes, as in V. Wellner's and others' binarisation of
    documents, then a mean over all that is not ink by it.

    Parameters
    ----------
    grey
        uint8 (H, W).
    light
        Whether the ink is lighter than the paper; None finds out.
    side
        The longer side in pixels on which it is worked out; windows shrink with it.
    """
    height, width = grey.shape
    times = min(1.0, side / max(height, width))
    size = max(1, round(width * times)), max(1, round(height * times))
    small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    wide, fine_ = (round(window * side / SIDE) // 2 * 2 + 1 for window in (COARSE, FINE))
    coarse = _median(small, wide)
    if light is None:
        light = _is_light(small, coarse)
    if light:
        small, coarse = 255 - small, 255 - coarse
    fine = _follow(small, coarse, fine_)
    quiet = np.abs(small.astype(np.float32) - fine)
    quiet = quiet[quiet < STANDS_OUT]
    noise = float(quiet.mean() * 1.25) if quiet.size else 0.0
    return Paper(fine, light, noise)


def _median(small: Grey, window: int) -> Grey:
    """Return the median of each window; at the edge the picture goes on as in a mirror.

    OpenCV's own median repeats the outermost pixels: a scanner's black edge, two pixels wide,
    would be half of a window.
    """
    rows, columns = small.shape
    half = window // 2
    above, beside = min(half, rows - 1), min(half, columns - 1)
    padded = cv2.copyMakeBorder(small, above, above, beside, beside, cv2.BORDER_REFLECT_101)
    found = cv2.medianBlur(padded, window)
    return np.asarray(found[above : above + rows, beside : beside + columns], np.uint8)


def _is_light(small: Grey, paper: Grey) -> bool:
    """Say whether more stands out from the paper towards white than towards black."""
    dark = cv2.subtract(paper, small).astype(np.float32)
    light = cv2.subtract(small, paper).astype(np.float32)
    # Squared: shades of the paper are many and weak, ink is little and strong.
    return float(np.square(light).sum()) > 1.5 * float(np.square(dark).sum())


def _follow(small: Grey, coarse: Grey, side: int) -> Grey:
    weights = (cv2.absdiff(small, coarse) < STANDS_OUT).astype(np.float32)
    window = (side, side)
    total = cv2.boxFilter(weights, -1, window)
    mean = cv2.boxFilter(weights * small, -1, window) / np.maximum(total, 1e-3)
    share = np.clip(total * 4, 0, 1)  # where a quarter of the window is paper, it is known
    return np.asarray(np.rint(share * mean + (1 - share) * coarse), np.uint8)


def ink_of(grey: Grey, paper: Grey, *, light: bool) -> Grey:
    """Return how much of the light the ink takes away: uint8, 0 = paper, 255 = all of it.

    Parameters
    ----------
    grey
        uint8 (H, W), as it is in the picture.
    paper
        uint8 (H, W): the paper under it, of a `Paper`.
    """
    values = cv2.bitwise_not(grey) if light else grey
    # Rounded quotients above 255 stay 255: lighter than the paper is paper.
    share = cv2.divide(values, np.maximum(paper, np.uint8(DARKEST)), scale=255)
    return np.asarray(cv2.bitwise_not(share), np.uint8)


def enlarged(small: Grey, shape: tuple[int, ...]) -> Grey:
    """Bring the paper to the size of its view."""
    size = shape[1], shape[0]
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def threshold(ink: Grey, noise: float) -> Grey:
    """Tell marks from paper: uint8 (H, W), 1 = mark.

    The bound is a third of the strongest ink nearby, so that pencil beside print and blurred
    strokes keep their width, but never more than `CLEAR`, and above the paper's noise.

    Parameters
    ----------
    ink
        uint8 (H, W), of `ink_of`.
    noise
        Of the paper.
    """
    rows, columns = ink.shape
    reach = max(3, round(0.02 * max(rows, columns) / 4)) * 2 + 1
    peaks = np.ascontiguousarray(widened(ink, 5, 5)[::4, ::4])
    peaks = np.asarray(cv2.blur(widened(peaks, reach, reach), (reach, reach)), np.uint8)
    strongest = float(np.percentile(peaks, 99.5))
    floor = max(FAINTEST, 4.0 * noise, PALE * strongest)
    bound = np.clip(peaks * np.float32(SHARE), floor, max(CLEAR, floor)).astype(np.uint8)
    return (ink > enlarged(bound, ink.shape)).astype(np.uint8)


FAINTEST = 14.0
"""Ink, of 255, below which nothing is a mark."""

PALE = 0.15
"""And in the view's strongest ink: paler than this are squares, and what shines through."""

CLEAR = 75.0
"""Ink, of 255, from which everything is a mark."""

SHARE = 0.36
