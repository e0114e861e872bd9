"""Paper and ink told apart in a picture of one digit.

The background is estimated in four ways, each for dark and for light ink, and the estimate
wins under which the rest looks most like pen strokes on paper. They are tried in this order,
and a later one only where the earlier ones fail:

* *flat*: one gray value all over, as in a drawing or a clean scan;
* *local*: paper changes slowly, found by smoothing again and again with ever less weight on
  what stands out, as under fog or a lamp;
* *opening*: paper is all that is wider than a pen, so that it may have hard edges: of a
  shadow, or of the table under it;
* *edge*: the picture's edge is paper, and the inside continues it (a Coons patch), as under a
  shadow or a band that runs across.

There are two other binarizations, because pictures differ in what can be known beforehand. A
page (`digitlens.layout.illumination`) has far more paper than ink, so that one median filter
finds its paper at a tenth of this cost, but it also has rules, print and many pens. A crop of
one line (`digitlens.ocr.recognize`) needs no gray ink at all, only where the writing is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.imaging.crop import shrink_to_side

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from digitlens.geometry import FloatGray, Gray, Pixels


# An estimate that costs less is taken without trying others. Of clean digits 99 in 100 cost
# under 0.2.
GOOD_COST = 0.25
# The longer side in pixels on which the background is estimated: shadows are no finer.
MAX_ESTIMATE_SIDE = 160
# Paper that spans this share of all gray values is in bands, black and white; on each of them
# ink is what differs from it, darker or lighter.
MIN_BAND_SPAN = 0.6
# The smallest side of a picture in which strokes can be called narrow: in a smaller one the
# digit fills the picture, and its strokes with it.
MIN_SCENE_SIDE = 64
# How far inside a large picture's edge is examined, as shares of the shorter side.
RING_INSETS = (0.0, 0.05, 0.1)
# The cost of an estimate that leaves no ink at all.
NO_INK_COST = 9.0
# Ink begins this many median deviations above the paper: 2.5 standard deviations (a median
# deviation of normal noise is 1 / 1.4826 of one), so that about 1 % of the paper shows.
NOISE_DEVIATIONS = 3.7

COLOR_CHANNELS = ("red", "green", "blue")
# A color channel is taken when its contrast is this many times that of the brightness: for ink
# of one color on paper as bright as it, such as yellow on white.
CHANNEL_PREFERENCE = 1.5


@dataclass(frozen=True, eq=False)
class Ink:
    """Ink on paper."""

    ink: FloatGray  # float32 (H, W), 0.0 = paper, 255.0 = full ink
    paper: FloatGray  # float32 (H, W): the paper's gray value under each pixel, 0 = black
    inverted: bool  # whether the ink is lighter than the paper
    estimator: str  # how the paper was found: "flat", "local", "opening" or "edge"
    contrast: float  # gray values between the paper and full ink; 0 when there is no ink
    cost: float  # how little it looks like strokes on paper; 0 is best


def binarize_color(pixels: Pixels) -> tuple[Gray, Ink, str]:
    """Tell ink from paper in the brightness, or in the color channel with most contrast.

    pixels: uint8 (H, W), or (H, W, 3) red, green, blue

    Returns the gray picture, uint8 (H, W); its ink; and in words which channel it is.

    >>> yellow = np.full((28, 28, 3), 255, np.uint8)
    >>> yellow[5:23, 12:15, 2] = 0
    >>> binarize_color(yellow)[2]
    'the blue channel'
    """
    if pixels.ndim == 2:
        return pixels, binarize(pixels), "the grey values"
    gray = to_gray(pixels)
    best = gray, binarize(gray), "the brightness"
    if (pixels == pixels[..., :1]).all():
        return best
    for channel, name in enumerate(COLOR_CHANNELS):
        plane = np.ascontiguousarray(pixels[..., channel])
        candidate = binarize(plane)
        lead = CHANNEL_PREFERENCE if best[2] == "the brightness" else 1.0
        if (
            candidate.contrast > lead * best[1].contrast
            and candidate.cost <= best[1].cost + 0.1
        ):
            best = plane, candidate, f"the {name} channel"
    return best


def to_gray(pixels: Pixels) -> Gray:
    """Return uint8 (H, W): the brightness that an eye sees of red, green, blue; gray as it is.

    .299 red + .587 green + .114 blue (ITU-R BT.601).

    >>> to_gray(np.array([[[255, 0, 0], [255, 255, 255]]], np.uint8)).tolist()
    [[76, 255]]
    """
    if pixels.ndim == 2:
        return pixels
    import cv2

    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def count_median(plane: Gray) -> np.float32:
    """Return the median of gray values; by counting, as there are only 256 of them."""
    return np.float32(median_of_counts(np.bincount(plane.ravel(), minlength=256)))


def median_of_counts(counts: NDArray[Any]) -> float:
    """Return the median of gray values of which there are so many each: (256,)."""
    cumulated = counts.cumsum()
    total = int(cumulated[-1])
    return float(
        np.searchsorted(cumulated, ((total - 1) // 2, total // 2), side="right").mean()
    )


def quantile_of_values(values: NDArray[np.uint8], share: float) -> float:
    """Return ``numpy.quantile(values, share)`` of gray values, by counting.

    >>> quantile_of_values(np.array([[1, 5], [2, 9]], np.uint8), 0.5)
    3.5
    """
    cumulated = np.bincount(values.ravel(), minlength=256).cumsum()
    place = share * (values.size - 1)
    first = int(place)
    places = (first, min(first + 1, values.size - 1))
    low, high = np.searchsorted(cumulated, places, side="right").tolist()
    return float(low + (place - first) * (high - low))


def median_color(colors: Pixels) -> NDArray[np.float64]:
    """Return the median of each channel of uint8 (n, 3): float64 (3,)."""
    return np.array([count_median(colors[:, index]) for index in range(3)], np.float64)


def binarize(gray: Gray) -> Ink:
    """Tell ink from paper in a gray picture of either polarity.

    >>> picture = np.full((28, 28), 200, np.uint8)
    >>> picture[5:23, 12:15] = 90
    >>> result = binarize(picture)
    >>> result.inverted, result.estimator, result.contrast, result.ink[10, 13].item()
    (False, 'flat', 110.0, 255.0)
    """
    # Everything below works on light ink: dark ink is turned over first, and back at the end.
    small = shrink_to_side(gray, MAX_ESTIMATE_SIDE, min_side=2).astype(np.float32)
    best = _estimate_background(small)
    values = gray.astype(np.float32) if best.inverted else 255 - gray.astype(np.float32)
    paper, rest, threshold = best.paper, best.rest, best.threshold
    if paper.shape != values.shape:
        paper = _upscale(paper, values.shape)
        rest = np.abs(values - paper) if best.banded else values - paper
        threshold, _ = otsu_threshold(np.maximum(rest, 0))
    ink, contrast = _stretch_contrast(rest, threshold)
    return Ink(
        ink,
        paper if best.inverted else 255 - paper,
        best.inverted,
        best.estimator,
        contrast,
        best.cost,
    )


@dataclass(frozen=True, eq=False)
class _Estimate:
    """A background, what is left above it, Otsu's threshold of that, and its cost."""

    estimator: str
    inverted: bool
    paper: FloatGray
    rest: FloatGray
    threshold: float
    cost: float
    contrast: float
    banded: bool


def _estimate_background(gray: FloatGray) -> _Estimate:
    best: _Estimate | None = None
    for name, (estimate, factor, penalty) in BACKGROUND_ESTIMATORS.items():
        if name == "opening" and min(gray.shape) < MIN_SCENE_SIDE:
            continue
        for inverted in (True, False):
            values = gray if inverted else 255 - gray
            candidate = _judge(name, inverted, estimate(values), values)
            # Of two estimates that explain a scene alike, prefer dark ink and full contrast:
            # the inside of a 0 is light and narrow, too.
            faintness = 1 - candidate.contrast / max(float(np.ptp(values)), 1.0)
            extra = penalty * (2 * faintness + inverted) if name == "opening" else 0.0
            cost = factor * candidate.cost + penalty + extra
            candidate = replace(candidate, cost=cost)
            if best is None or candidate.cost < best.cost:
                best = candidate
        assert best is not None, "there are estimators"
        if best.cost < GOOD_COST:
            break
    assert best is not None, "there are estimators"
    return best


def _judge(name: str, inverted: bool, paper: FloatGray, values: FloatGray) -> _Estimate:
    rest = values - paper
    banded = name == "edge" and float(np.ptp(paper)) > MIN_BAND_SPAN * float(np.ptp(values))
    if banded:
        rest = np.abs(rest)
    threshold, separation = otsu_threshold(np.maximum(rest, 0))
    cost = _cost(rest, threshold, separation)
    marked = rest > threshold
    contrast = float(np.median(rest[marked])) if marked.any() else 0.0
    return _Estimate(name, inverted, paper, rest, threshold, cost, contrast, banded)


def _cost(rest: FloatGray, threshold: float, separation: float) -> float:
    """Return how little `rest`, values less paper, looks like strokes on paper."""
    import cv2

    marked = rest > threshold
    if not marked.any() or threshold < 0.5:
        return NO_INK_COST
    contrast = float(np.median(rest[marked]))
    unevenness = float(np.median(np.abs(rest)[~marked])) / contrast
    below_paper = float((rest < -0.5 * contrast).mean())
    padded = np.pad(marked.astype(np.uint8), 1)
    widest = 2 * float(cv2.distanceTransform(padded, cv2.DIST_L2, 3).max()) / max(rest.shape)
    return float(
        # Gray values that do not fall into two groups; uneven paper; ink on the edge.
        0.5 * (1 - separation)
        + 2 * unevenness
        + _edge_ink(marked)
        # Ink all over: a bold digit cut close reaches 40 %.
        + 2 * max(0.0, float(marked.mean()) - 0.4)
        + 2 * below_paper
        # Wide strokes: MNIST's boldest, and USPS' digits that fill their pictures, reach 22 %.
        + 2 * max(0.0, widest - 0.22)
    )


def _edge_ink(marked: NDArray[np.bool_]) -> float:
    """Return the share of the picture's edge that is ink, plus that which reaches right across.

    A large picture may have a drawn frame, or a table around the paper, so the best of a few
    rings, each farther in, is taken.
    """
    insets = RING_INSETS if min(marked.shape) >= MIN_SCENE_SIDE else RING_INSETS[:1]
    shares = []
    for inset in insets:
        offset = round(inset * min(marked.shape))
        inner = marked[offset : len(marked) - offset, offset : marked.shape[1] - offset]
        top, bottom, left, right = inner[0], inner[-1], inner[:, 0], inner[:, -1]
        ring = np.concatenate([top, bottom, left[1:-1], right[1:-1]])
        across = max((top & bottom).mean(), (left & right).mean())
        shares.append(float(ring.mean() + across))
    return min(shares)


def _upscale(paper: FloatGray, shape: tuple[int, ...]) -> FloatGray:
    import cv2

    size = shape[1], shape[0]
    return np.asarray(cv2.resize(paper, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _stretch_contrast(rest: FloatGray, threshold: float) -> tuple[FloatGray, float]:
    """Return ink from 0.0, where the paper's noise ends, to 255.0, its upper quartile."""
    marked = rest > threshold
    if not marked.any():
        return np.zeros_like(rest), 0.0
    full = float(np.percentile(rest[marked], 75))
    start = min(NOISE_DEVIATIONS * float(np.median(np.abs(rest)[~marked])), 0.4 * full)
    ink: FloatGray = (np.clip((rest - start) / (full - start), 0, 1) * 255).astype(np.float32)
    return ink, full


def otsu_threshold(values: FloatGray) -> tuple[float, float]:
    """Return the threshold that separates `values` best, and how well: 0.0 not, 1.0 fully.

    N. Otsu, "A threshold selection method from gray-level histograms", 1979; the second is
    his eta, the share of the variance that lies between the two groups. In a gap between them
    the middle is taken.
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
    product = np.maximum(below.astype(np.float64) * (total - below), 1e-9)
    between = np.where(below < total, (mean * below - weighted) ** 2 / product, 0.0)
    best = np.flatnonzero(between >= between.max() * 0.9999)
    threshold = low + ((best[0] + best[-1]) / 2 + 0.5) * step
    return float(threshold), float(between.max()) / max(variance, 1e-9)


def flat_background(values: FloatGray) -> FloatGray:
    """Estimate one value all over: the median of what is paper by Otsu's threshold."""
    threshold, _ = otsu_threshold(values)
    return np.full_like(values, np.median(values[values <= threshold]))


def local_background(values: FloatGray, *, share: float = 0.16, rounds: int = 6) -> FloatGray:
    """Estimate that the paper changes slowly and that ink stands out from it.

    A weighted Gaussian mean, whose width begins at `share` of the longer side; pixels above
    it lose weight from round to round, those below keep it: asymmetric least squares, as it
    is used to find the baseline under peaks (P. H. C. Eilers, 2004).
    """
    width = share * max(values.shape)
    min_width = width / 2
    weights: FloatGray = np.ones_like(values)
    paper = values
    for _ in range(rounds):
        total = _blur(weights, width)
        paper = np.divide(
            _blur(weights * values, width), np.maximum(total, 1e-3), dtype=np.float32
        )
        rest = values - paper
        below = rest[rest < 0]
        spread = max(1.5 * float(np.sqrt(np.mean(below**2))), 1.0) if below.size else 1.0
        deviation = np.maximum(rest, 0) / np.float32(spread)
        weights = (1 / np.square(1 + np.square(deviation))).astype(np.float32)
        width = max(width * 0.93, min_width)
    return paper


def _blur(values: FloatGray, width: float) -> FloatGray:
    import cv2

    blurred = cv2.GaussianBlur(values, (0, 0), width, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32)


def opening_background(values: FloatGray, *, share: float = 0.15) -> FloatGray:
    """Estimate that ink is what is narrower than `share` of the shorter side.

    A morphological opening (J. Serra, 1982): the paper keeps the hard edges of a shadow or of a
    table under it, which smoothing would turn into marks.
    """
    import cv2

    width = max(3, round(share * min(values.shape)))
    smooth = cv2.medianBlur(values, 3)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    lowest = np.asarray(cv2.morphologyEx(smooth, cv2.MORPH_OPEN, disk), np.float32)
    # The lowest of many noisy values lies below the paper.
    return lowest + np.float32(np.median(values - lowest))


def edge_background(values: FloatGray) -> FloatGray:
    """Estimate that the edge is paper and that the inside continues it.

    S. A. Coons, "Surfaces for computer-aided design of space forms", 1967: the sum of the
    two ruled surfaces between opposite edges, less the bilinear one between the corners.
    The edge is the median over a fourteenth of the picture, and over neighbors along it.
    """
    height, width = values.shape
    depth = max(1, round(min(height, width) / 14))
    top, bottom = (_smooth(np.median(part, 0)) for part in (values[:depth], values[-depth:]))
    left, right = (
        _smooth(np.median(part, 1)) for part in (values[:, :depth], values[:, -depth:])
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
    patch: FloatGray = (ruled + across * right[:, None] - corners).astype(np.float32)
    return patch


def _smooth(line: NDArray[np.float32]) -> NDArray[np.float32]:
    reach = max(1, len(line) // 18)
    padded = np.pad(line, reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    return np.median(windows, axis=1).astype(np.float32)


# The estimators, the simplest first; the factor on each one's cost, and the penalty added. The
# edge explains away whatever touches it, including a digit that fills its picture, so it must
# be far better than the others: among 2,000 such digits it wins once.
BACKGROUND_ESTIMATORS: dict[str, tuple[Callable[[FloatGray], FloatGray], float, float]] = {
    "flat": (flat_background, 1.0, 0.0),
    "local": (local_background, 1.5, 0.0),
    "opening": (opening_background, 1.5, 0.1),
    "edge": (edge_background, 2.0, 0.55),
}
