"""What is paper and what is ink.

The paper is guessed in four ways, each for dark ink and for light ink, and the guess wins
under which the rest looks most like pen strokes on paper. Simple guesses come first, and a
later one is tried only where they fail:

* *flat*: one grey value all over, as in a drawing or a clean scan;
* *local*: the paper is what changes slowly, found by smoothing again and again with ever
  less weight on what stands out, as under fog or a lamp;
* *opened*: the paper is all that is wider than a pen, so that it may have hard edges: of a
  shadow, or of the table under it;
* *edge*: the picture's edge is paper, and the inside goes on from it (a Coons patch), as
  under a shadow or a band that runs across.

* Guesses at the paper under the ink, and the threshold that parts two groups of values.
* Colours -> the one grey picture in which the ink stands out most.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Gray: TypeAlias = "NDArray[np.float32]"
    Pixels: TypeAlias = "NDArray[np.uint8]"


def flat_background(values: Gray) -> Gray:
    """Guess one value all over: the median of what Otsu's threshold takes for paper."""
    bound, _ = otsu_threshold(values)
    return np.full_like(values, np.median(values[values <= bound]))


def edge_background(values: Gray) -> Gray:
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
    whole: Gray = (ruled + across * right[:, None] - corners).astype(np.float32)
    return whole


def _smooth(line: NDArray[np.float32]) -> NDArray[np.float32]:
    reach = max(1, len(line) // 18)
    padded = np.pad(line, reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    return np.median(windows, axis=1).astype(np.float32)


def local_background(values: Gray, *, share: float = 0.16, rounds: int = 6) -> Gray:
    """Guess that the paper changes slowly and that ink stands out from it.

    A weighted Gaussian mean, whose width begins at `share` of the longer side; pixels above
    it lose weight from round to round, those below keep it: asymmetric least squares, as it
    is used to find the baseline under peaks (P. H. C. Eilers, 2004).
    """
    width = share * max(values.shape)
    least = width / 2
    weights: Gray = np.ones_like(values)
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


def opening_background(values: Gray, *, share: float = 0.15) -> Gray:
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


def _blur(values: Gray, width: float) -> Gray:
    import cv2

    blurred = cv2.GaussianBlur(values, (0, 0), width, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32)


def otsu_threshold(values: Gray) -> tuple[float, float]:
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


GOOD = 0.25
"""A flat guess with less than this cost is taken; of clean digits 99 in 100 cost under 0.2."""

ENOUGH = 160
"""The longer side in pixels on which the paper is guessed: shadows are no finer."""

BANDS = 0.6
"""Paper that spans this share of all grey values is paper in bands, black and white: on each
the ink is what differs from it, darker or lighter."""

SCENE = 64
"""The least height and width of a picture in which a pen's strokes may be taken for narrow: in
a smaller one the digit fills the picture, and its strokes with it."""

RINGS = (0.0, 0.05, 0.1)
"""How far in, in the shorter side, a large picture's edge is looked at."""

NO_INK = 9.0
"""The cost of a guess that leaves no ink at all."""

NOISE = 3.7
"""Ink begins this many median deviations above the paper: 2.5 standard deviations (a median
deviation of normal noise is 1 / 1.4826 of one), so that about 1 % of the paper shows."""


BACKGROUND_ESTIMATORS: dict[str, tuple[Callable[[Gray], Gray], float, float]] = {
    "flat": (flat_background, 1.0, 0.0),
    "local": (local_background, 1.5, 0.0),
    "opened": (opening_background, 1.5, 0.1),
    "edge": (edge_background, 2.0, 0.55),
}
"""The guesses at the paper, the simplest first; how many times its cost each pays, and what on
top. The edge explains away whatever touches it, a digit that fills its picture too, so it
must be far better than the others: among 2,000 such digits it wins once."""


@dataclass(frozen=True, eq=False)
class Ink:
    """Ink on paper.

    Parameters
    ----------
    ink
        float32 (H, W), 0.0 = paper, 255.0 = full ink.
    paper
        float32 (H, W): the paper's grey value under each pixel, 0 = black.
    inverted
        Whether the ink is lighter than the paper.
    guess
        How the paper was found: "flat", "local", "opened" or "edge".
    contrast
        Grey values between the paper and full ink; 0 when there is no ink.
    cost
        How little it looks like strokes on paper; 0 is best.
    """

    ink: Gray
    paper: Gray
    inverted: bool
    guess: str
    contrast: float
    cost: float


def binarize(gray: NDArray[np.uint8]) -> Ink:
    """Tell ink from paper in a grey picture.

    Parameters
    ----------
    gray
        uint8 (H, W), either polarity.

    Examples
    --------
    >>> paper = np.full((28, 28), 200, np.uint8)
    >>> paper[5:23, 12:15] = 90
    >>> found = binarize(paper)
    >>> found.inverted, found.guess, found.contrast, found.ink[10, 13].item()
    (False, 'flat', 110.0, 255.0)
    """
    best = _best(_reduced(gray).astype(np.float32))
    values = gray.astype(np.float32) if best.inverted else 255 - gray.astype(np.float32)
    paper, rest, bound = best.paper, best.rest, best.bound
    if paper.shape != values.shape:
        paper = _resized(paper, values.shape)
        rest = np.abs(values - paper) if best.bands else values - paper
        bound, _ = otsu_threshold(np.maximum(rest, 0))
    ink, contrast = _stretch(rest, bound)
    return Ink(
        ink,
        paper if best.inverted else 255 - paper,
        best.inverted,
        best.name,
        contrast,
        best.cost,
    )


def _best(upright: Gray) -> _Estimate:
    best: _Estimate | None = None
    for name, (guess, times, toll) in BACKGROUND_ESTIMATORS.items():
        if name == "opened" and min(upright.shape) < SCENE:
            continue
        for light in (True, False):
            values = upright if light else 255 - upright
            result = _judge(name, light, guess(values), values)
            # Of two guesses that explain a scene alike, that of dark ink and full contrast:
            # the inside of a 0 is light, and narrow too.
            faint = 1 - result.contrast / max(float(np.ptp(values)), 1.0)
            extra = toll * (2 * faint + light) if name == "opened" else 0.0
            result = replace(result, cost=times * result.cost + toll + extra)
            if best is None or result.cost < best.cost:
                best = result
        assert best is not None, "there are guesses"
        if best.cost < GOOD:
            break
    assert best is not None, "there are guesses"
    return best


def _reduced(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring a large picture down to `ENOUGH` pixels on its longer side."""
    side = max(gray.shape)
    if side <= ENOUGH:
        return gray
    import cv2

    height, width = (max(2, round(length * ENOUGH / side)) for length in gray.shape)
    return np.asarray(cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA))


def _resized(paper: Gray, shape: tuple[int, ...]) -> Gray:
    import cv2

    return np.asarray(
        cv2.resize(paper, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32
    )


@dataclass(frozen=True, eq=False)
class _Estimate:
    """A guess at the paper: what is left above it, Otsu's threshold of that, and its cost."""

    name: str
    inverted: bool
    paper: Gray
    rest: Gray
    bound: float
    cost: float
    contrast: float
    bands: bool


def _judge(name: str, light: bool, paper: Gray, values: Gray) -> _Estimate:
    rest = values - paper
    bands = name == "edge" and float(np.ptp(paper)) > BANDS * float(np.ptp(values))
    if bands:
        rest = np.abs(rest)
    bound, parted = otsu_threshold(np.maximum(rest, 0))
    cost = _cost(rest, bound, parted)
    marked = rest > bound
    contrast = float(np.median(rest[marked])) if marked.any() else 0.0
    return _Estimate(name, light, paper, rest, bound, cost, contrast, bands)


def _cost(rest: Gray, bound: float, parted: float) -> float:
    """Return how little `rest`, values less paper, looks like strokes on paper.

    The sum of: grey values that do not fall into two groups; uneven paper; ink on the
    picture's edge, and once more what reaches from one edge to the opposite one; ink all
    over (from 40 %; a bold digit cut close reaches that); much that is on the far side of
    the paper; strokes wider than 22 % of the picture (from MNIST's boldest digits, and
    USPS', which fill their pictures).
    """
    import cv2

    marked = rest > bound
    if not marked.any() or bound < 0.5:
        return NO_INK
    contrast = float(np.median(rest[marked]))
    uneven = float(np.median(np.abs(rest)[~marked])) / contrast
    under = float((rest < -0.5 * contrast).mean())
    padded = np.pad(marked.astype(np.uint8), 1)
    widest = 2 * float(cv2.distanceTransform(padded, cv2.DIST_L2, 3).max()) / max(rest.shape)
    return float(
        0.5 * (1 - parted)
        + 2 * uneven
        + _rim(marked)
        + 2 * max(0.0, float(marked.mean()) - 0.4)
        + 2 * under
        + 2 * max(0.0, widest - 0.22)
    )


def _rim(marked: NDArray[np.bool_]) -> float:
    """Return the share of a picture's edge that is ink, and of what reaches right across.

    A large picture may have a drawn frame, or a table around the paper: the best of a few
    rings, each farther in, is taken.
    """
    insets = RINGS if min(marked.shape) >= SCENE else RINGS[:1]
    shares = []
    for inset in insets:
        offset = round(inset * min(marked.shape))
        inner = marked[offset : len(marked) - offset, offset : marked.shape[1] - offset]
        first, last, left, right = inner[0], inner[-1], inner[:, 0], inner[:, -1]
        ring = np.concatenate([first, last, left[1:-1], right[1:-1]])
        across = max((first & last).mean(), (left & right).mean())
        shares.append(float(ring.mean() + across))
    return min(shares)


def _stretch(rest: Gray, bound: float) -> tuple[Gray, float]:
    """Return ink from 0.0, where the paper's noise ends, to 255.0, its upper quartile."""
    marked = rest > bound
    if not marked.any():
        return np.zeros_like(rest), 0.0
    full = float(np.percentile(rest[marked], 75))
    start = min(NOISE * float(np.median(np.abs(rest)[~marked])), 0.4 * full)
    ink: Gray = (np.clip((rest - start) / (full - start), 0, 1) * 255).astype(np.float32)
    return ink, full


CHANNELS = ("red", "green", "blue")

PREFER = 1.5
"""A colour's channel is taken when its contrast is this many times that of the brightness:
ink of one colour on paper as bright as it, yellow on white before all."""


def to_gray(pixels: Pixels) -> Pixels:
    """Return (H, W, 3) red, green, blue as the grey that an eye sees; grey as it is.

    Parameters
    ----------
    pixels
        uint8 (H, W) or (H, W, 3).

    Returns
    -------
    uint8 (H, W): .299 red + .587 green + .114 blue (ITU-R BT.601).

    Examples
    --------
    >>> to_gray(np.array([[[255, 0, 0], [255, 255, 255]]], np.uint8)).tolist()
    [[76, 255]]
    """
    if pixels.ndim == 2:
        return pixels
    import cv2

    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def binarize_color(pixels: Pixels) -> tuple[Pixels, Ink, str]:
    """Tell ink from paper in a grey picture or one in colours.

    Parameters
    ----------
    pixels
        uint8 (H, W), or (H, W, 3) red, green, blue.

    Returns
    -------
    The grey picture, uint8 (H, W); its ink; and in words where it was looked for.

    Examples
    --------
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
    for channel, name in enumerate(CHANNELS):
        single = np.ascontiguousarray(pixels[..., channel])
        result = binarize(single)
        ahead = PREFER if best[2] == "the brightness" else 1.0
        if result.contrast > ahead * best[1].contrast and result.cost <= best[1].cost + 0.1:
            best = single, result, f"the {name} channel"
    return best
