"""Paper taken off: what is left is ink, as even as if the light had been.

* Masks, uint8 (H, W) of 0 and 1 or 0 and 255, joined and grown: OpenCV's calls, typed.
* Medians and other quantiles of a few numbers, 15 times as fast as numpy's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask: TypeAlias = "NDArray[np.uint8]"
    Gray: TypeAlias = "NDArray[np.uint8]"


def _window(rows: int, columns: int) -> Mask:
    return np.ones((rows, columns), np.uint8)


def dilate(mask: Mask, rows: int, columns: int) -> Mask:
    """Return the largest value in each window of `rows` x `columns`."""
    return np.asarray(cv2.dilate(mask, _window(rows, columns)), np.uint8)


def erode(mask: Mask, rows: int, columns: int) -> Mask:
    """Return the least value in each window of `rows` x `columns`."""
    return np.asarray(cv2.erode(mask, _window(rows, columns)), np.uint8)


def open_mask(mask: Mask, rows: int, columns: int) -> Mask:
    """Keep only that of a mask in which a piece of `rows` x `columns` fits.

    Examples
    --------
    >>> line = np.array([[0, 0, 1, 1, 1, 0, 1, 0, 0]], np.uint8)
    >>> open_mask(line, 1, 3).tolist()
    [[0, 0, 1, 1, 1, 0, 0, 0, 0]]
    >>> close_mask(line, 1, 3).tolist()
    [[0, 0, 1, 1, 1, 1, 1, 0, 0]]
    """
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, _window(rows, columns)), np.uint8)


def close_mask(mask: Mask, rows: int, columns: int) -> Mask:
    """Fill what no piece of `rows` x `columns` outside a mask fits in: gaps."""
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _window(rows, columns)), np.uint8)


def subtract(mask: Mask, other: Mask) -> Mask:
    """Return `mask` where `other` is not; of grey values, the difference, 0 at least."""
    return np.asarray(cv2.subtract(mask, other), np.uint8)


def label_components(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return which connected piece each pixel belongs to, and what is known of each piece.

    Returns
    -------
    int32 (H, W), 0 = none; and int32 (n + 1, 5): left, top, width, height and pixels, in row
    0 of what belongs to no piece. Neighbours over a corner are connected.

    Examples
    --------
    >>> label_components(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0]], np.uint8))[1][1].tolist()
    [0, 0, 2, 2, 2]
    """
    # The same labels as by OpenCV's own choice of an algorithm, in a third of its time.
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        mask, 8, cv2.CV_32S, cv2.CCL_GRANA
    )
    return np.asarray(labels, np.int32), np.asarray(stats, np.int32)


def union(mask: Mask, other: Mask) -> Mask:
    """Return what is in one of two masks, or in both."""
    return np.asarray(cv2.bitwise_or(mask, other), np.uint8)


def intersect(mask: Mask, other: Mask) -> Mask:
    """Return what is in both masks."""
    return np.asarray(cv2.bitwise_and(mask, other), np.uint8)


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
class PaperLevel:
    """The paper under one channel of a view.

    Parameters
    ----------
    small
        uint8 (h, w), the longer side about `SIDE`: its grey, after `inverted` was made dark.
    inverted
        Whether the ink is lighter than the paper; then all values are turned over.
    noise
        How much the bare paper scatters about its mean, as a standard deviation of ink.
    """

    small: Gray
    inverted: bool
    noise: float


def estimate_background(
    gray: Gray, inverted: bool | None = None, *, side: int = SIDE
) -> PaperLevel:
    """Work out the paper of a view.

    A median over a window wider than strokes, as in V. Wellner's and others' binarisation of
    documents, then a mean over all that is not ink by it.

    Parameters
    ----------
    gray
        uint8 (H, W).
    inverted
        Whether the ink is lighter than the paper; None finds out.
    side
        The longer side in pixels on which it is worked out; windows shrink with it.
    """
    height, width = gray.shape
    times = min(1.0, side / max(height, width))
    size = max(1, round(width * times)), max(1, round(height * times))
    small = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
    wide, fine_ = (round(window * side / SIDE) // 2 * 2 + 1 for window in (COARSE, FINE))
    coarse = _median(small, wide)
    if inverted is None:
        inverted = _is_inverted(small, coarse)
    if inverted:
        small, coarse = 255 - small, 255 - coarse
    fine = _follow(small, coarse, fine_)
    quiet = np.abs(small.astype(np.float32) - fine)
    quiet = quiet[quiet < STANDS_OUT]
    noise = float(quiet.mean() * 1.25) if quiet.size else 0.0
    return PaperLevel(fine, inverted, noise)


def _median(small: Gray, window: int) -> Gray:
    """Return the median of each window; at the edge the picture goes on as in a mirror.

    OpenCV's own median repeats the outermost pixels: a scanner's black edge, two pixels wide,
    would be half of a window.
    """
    rows, columns = small.shape
    half = window // 2
    above, beside = min(half, rows - 1), min(half, columns - 1)
    padded = cv2.copyMakeBorder(small, above, above, beside, beside, cv2.BORDER_REFLECT_101)
    result = cv2.medianBlur(padded, window)
    return np.asarray(result[above : above + rows, beside : beside + columns], np.uint8)


def _is_inverted(small: Gray, paper: Gray) -> bool:
    """Say whether more stands out from the paper towards white than towards black."""
    dark = cv2.subtract(paper, small).astype(np.float32)
    light = cv2.subtract(small, paper).astype(np.float32)
    # Squared: shades of the paper are many and weak, ink is little and strong.
    return float(np.square(light).sum()) > 1.5 * float(np.square(dark).sum())


def _follow(small: Gray, coarse: Gray, side: int) -> Gray:
    weights = (cv2.absdiff(small, coarse) < STANDS_OUT).astype(np.float32)
    window = (side, side)
    total = cv2.boxFilter(weights, -1, window)
    mean = cv2.boxFilter(weights * small, -1, window) / np.maximum(total, 1e-3)
    share = np.clip(total * 4, 0, 1)  # where a quarter of the window is paper, it is known
    return np.asarray(np.rint(share * mean + (1 - share) * coarse), np.uint8)


def extract_ink(gray: Gray, paper: Gray, *, inverted: bool) -> Gray:
    """Return how much of the light the ink takes away: uint8, 0 = paper, 255 = all of it.

    Parameters
    ----------
    gray
        uint8 (H, W), as it is in the picture.
    paper
        uint8 (H, W): the paper under it, of a `PaperLevel`.
    """
    values = cv2.bitwise_not(gray) if inverted else gray
    # Rounded quotients above 255 stay 255: lighter than the paper is paper.
    share = cv2.divide(values, np.maximum(paper, np.uint8(DARKEST)), scale=255)
    return np.asarray(cv2.bitwise_not(share), np.uint8)


def upscale(small: Gray, shape: tuple[int, ...]) -> Gray:
    """Bring the paper to the size of its view."""
    size = shape[1], shape[0]
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def threshold(ink: Gray, noise: float) -> Gray:
    """Tell marks from paper: uint8 (H, W), 1 = mark.

    The bound is a third of the strongest ink nearby, so that pencil beside print and blurred
    strokes keep their width, but never more than `CLEAR`, and above the paper's noise.

    Parameters
    ----------
    ink
        uint8 (H, W), of `extract_ink`.
    noise
        Of the paper.
    """
    rows, columns = ink.shape
    reach = max(3, round(0.02 * max(rows, columns) / 4)) * 2 + 1
    peaks = np.ascontiguousarray(dilate(ink, 5, 5)[::4, ::4])
    peaks = np.asarray(cv2.blur(dilate(peaks, reach, reach), (reach, reach)), np.uint8)
    strongest = float(np.percentile(peaks, 99.5))
    floor = max(FAINTEST, 4.0 * noise, PALE * strongest)
    bound = np.clip(peaks * np.float32(SHARE), floor, max(CLEAR, floor)).astype(np.uint8)
    return (ink > upscale(bound, ink.shape)).astype(np.uint8)


FAINTEST = 14.0
"""Ink, of 255, below which nothing is a mark."""

PALE = 0.15
"""And in the view's strongest ink: paler than this are squares, and what shines through."""

CLEAR = 75.0
"""Ink, of 255, from which everything is a mark."""

SHARE = 0.36


def fast_quantile(values: NDArray[np.floating[Any]], share: float) -> float:
    """Return what `share` of the values are below; between two values, on a straight line.

    Bit by bit what ``numpy.percentile(values, 100 * share)`` gives; a page asks a hundred
    times for that of ten numbers, and most of numpy's time goes into other cases.

    Parameters
    ----------
    values
        float (N,), N at least 1, none of them NaN.
    share
        0..1.

    Examples
    --------
    >>> fast_quantile(np.array([1.0, 5.0, 2.0]), 0.75)
    3.5
    """
    place = share * (len(values) - 1)
    first = int(place)
    offset, second = place - first, min(first + 1, len(values) - 1)
    ranked = np.partition(values, (first, second))
    low, high = ranked[first], ranked[second]
    step = high - low
    return float(high - step * (1 - offset) if offset >= 0.5 else low + step * offset)


def fast_median(values: NDArray[np.floating[Any]]) -> float:
    """Return the value in the middle, or the mean of two.

    Bit by bit what ``numpy.median(values)`` gives.

    Parameters
    ----------
    values
        float (N,), N at least 1, none of them NaN.

    Examples
    --------
    >>> fast_median(np.array([1.0, 5.0, 2.0, 2.5]))
    2.25
    """
    half = len(values) // 2
    if len(values) % 2:
        return float(np.partition(values, half)[half])
    ranked = np.partition(values, (half - 1, half))
    return float((ranked[half - 1] + ranked[half]) / 2)
