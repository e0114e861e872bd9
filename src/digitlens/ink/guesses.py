"""Guesses at the paper under the ink, and the threshold that parts two groups of values.

Each guess takes float32 (H, W), in which ink is thought to be the larger, and returns the
paper's value under each pixel, of the same shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grey: TypeAlias = "NDArray[np.float32]"


def flat(values: Grey) -> Grey:
    """Guess one value all over: the median of what Otsu's threshold takes for paper."""
    bound, _ = otsu(values)
    return np.full_like(values, np.median(values[values <= bound]))


def edge(values: Grey) -> Grey:
    """Guess that the edge is paper and that the inside goes on from it.

    S. A. Coons, "Surfaces for computer-aided design of space forms", 1967: the sum of the
    two ruled surfaces between opposite edges, less the bilinear one between the corners.
    The edge is the median over a fourteenth of the picture, and over neighbours along it.
    """
    height, width = values.shape
    deep = max(1, round(min(height, width) / 14))
    top, bottom = (_smooth(np.median(part, 0)) for part in (values[:deep], values[-deep:]))
    left, right = (
        _smooth(np.median(part, 1)) for part in (values[:, :deep], values[:, -deep:])
    )
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    across = np.linspace(0, 1, width, dtype=np.float32)[None]
    corners = (
        (1 - down) * (1 - across) * (top[0] + left[0])
        + (1 - down) * across * (top[-1] + right[0])
        + down * (1 - across) * (bottom[0] + left[-1])
        + down * across * (bottom[-1] + right[-1])
    ) / 2
    ruled = (1 - down) * top + down * bottom + (1 - across) * left[:, None]
    whole: Grey = (ruled + across * right[:, None] - corners).astype(np.float32)
    return whole


def _smooth(line: NDArray[np.float32]) -> NDArray[np.float32]:
    reach = max(1, len(line) // 18)
    padded = np.pad(line, reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    return np.median(windows, axis=1).astype(np.float32)


def local(values: Grey, *, share: float = 0.16, rounds: int = 6) -> Grey:
    """Guess that the paper changes slowly and that ink stands out from it.

    A weighted Gaussian mean, whose width begins at `share` of the longer side; pixels above
    it lose weight from round to round, those below keep it: asymmetric least squares, as it
    is used to find the baseline under peaks (P. H. C. Eilers, 2004).
    """
    width = share * max(values.shape)
    least = width / 2
    weights: Grey = np.ones_like(values)
    paper = values
    for _ in range(rounds):
        total = _blur(weights, width)
        paper = np.divide(
            _blur(weights * values, width), np.maximum(total, 1e-3), dtype=np.float32
        )
        rest = values - paper
        below = rest[rest < 0]
        spread = max(1.5 * float(np.sqrt(np.mean(below**2))), 1.0) if below.size else 1.0
        stand = np.maximum(rest, 0) / np.float32(spread)
        weights = (1 / np.square(1 + np.square(stand))).astype(np.float32)
        width = max(width * 0.93, least)
    return paper


def opened(values: Grey, *, share: float = 0.15) -> Grey:
    """Guess that ink is what is narrower than `share` of the shorter side.

    A morphological opening (J. Serra, 1982): the paper keeps its hard edges, of a shadow or a
    table under it, which smoothing would turn into marks.
    """
    import cv2

    width = max(3, round(share * min(values.shape)))
    smooth = cv2.medianBlur(values, 3)
    round_one = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    low = np.asarray(cv2.morphologyEx(smooth, cv2.MORPH_OPEN, round_one), np.float32)
    # The lowest of many noisy values lies under the paper.
    return low + np.float32(np.median(values - low))


def _blur(values: Grey, width: float) -> Grey:
    import cv2

    blurred = cv2.GaussianBlur(values, (0, 0), width, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32)


def otsu(values: Grey) -> tuple[float, float]:
    """Return the threshold that parts `values` best, and how well: 0.0 not at all, 1.0 fully.

    N. Otsu, "A threshold selection method from gray-level histograms", 1979; the second is
    his eta, the share of the variance that lies between the parts. In a gap between the
    parts the middle is taken.
    """
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-6:
        return low, 0.0
    step = (high - low) / 255
    counts = np.bincount(((values - low) / step).astype(np.int32).ravel(), minlength=256)
    level = np.arange(256)
    total = values.size
    below, weighted = counts.cumsum(), (counts * level).cumsum()
    mean = weighted[-1] / total
    variance = float((counts * (level - mean) ** 2).sum()) / total
    room = np.maximum(below.astype(np.float64) * (total - below), 1e-9)
    between = np.where(below < total, (mean * below - weighted) ** 2 / room, 0.0)
    best = np.flatnonzero(between >= between.max() * 0.9999)
    bound = low + ((best[0] + best[-1]) / 2 + 0.5) * step
    return float(bound), float(between.max()) / max(variance, 1e-9)
