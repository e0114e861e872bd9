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
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.ink.guesses import edge, flat, local, opened, otsu

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Grey: TypeAlias = "NDArray[np.float32]"

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


GUESSES: dict[str, tuple[Callable[[Grey], Grey], float, float]] = {
    "flat": (flat, 1.0, 0.0),
    "local": (local, 1.5, 0.0),
    "opened": (opened, 1.5, 0.1),
    "edge": (edge, 2.0, 0.55),
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
    light
        Whether the ink is lighter than the paper.
    guess
        How the paper was found: "flat", "local", "opened" or "edge".
    contrast
        Grey values between the paper and full ink; 0 when there is no ink.
    cost
        How little it looks like strokes on paper; 0 is best.
    """

    ink: Grey
    paper: Grey
    light: bool
    guess: str
    contrast: float
    cost: float


def find_ink(grey: NDArray[np.uint8]) -> Ink:
    """Tell ink from paper in a grey picture.

    Parameters
    ----------
    grey
        uint8 (H, W), either polarity.

    Examples
    --------
    >>> paper = np.full((28, 28), 200, np.uint8)
    >>> paper[5:23, 12:15] = 90
    >>> found = find_ink(paper)
    >>> found.light, found.guess, found.contrast, found.ink[10, 13].item()
    (False, 'flat', 110.0, 255.0)
    """
    best = _best(_reduced(grey).astype(np.float32))
    values = grey.astype(np.float32) if best.light else 255 - grey.astype(np.float32)
    paper, rest, bound = best.paper, best.rest, best.bound
    if paper.shape != values.shape:
        paper = _resized(paper, values.shape)
        rest = np.abs(values - paper) if best.bands else values - paper
        bound, _ = otsu(np.maximum(rest, 0))
    ink, contrast = _stretch(rest, bound)
    return Ink(
        ink, paper if best.light else 255 - paper, best.light, best.name, contrast, best.cost
    )


def _best(upright: Grey) -> _Guess:
    best: _Guess | None = None
    for name, (guess, times, toll) in GUESSES.items():
        if name == "opened" and min(upright.shape) < SCENE:
            continue
        for light in (True, False):
            values = upright if light else 255 - upright
            found = _judge(name, light, guess(values), values)
            # Of two guesses that explain a scene alike, that of dark ink and full contrast:
            # the inside of a 0 is light, and narrow too.
            faint = 1 - found.contrast / max(float(np.ptp(values)), 1.0)
            extra = toll * (2 * faint + light) if name == "opened" else 0.0
            found = replace(found, cost=times * found.cost + toll + extra)
            if best is None or found.cost < best.cost:
                best = found
        assert best is not None, "there are guesses"
        if best.cost < GOOD:
            break
    assert best is not None, "there are guesses"
    return best


def _reduced(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring a large picture down to `ENOUGH` pixels on its longer side."""
    side = max(grey.shape)
    if side <= ENOUGH:
        return grey
    import cv2

    height, width = (max(2, round(length * ENOUGH / side)) for length in grey.shape)
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA))


def _resized(paper: Grey, shape: tuple[int, ...]) -> Grey:
    import cv2

    return np.asarray(
        cv2.resize(paper, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32
    )


@dataclass(frozen=True, eq=False)
class _Guess:
    """A guess at the paper: what is left above it, Otsu's threshold of that, and its cost."""

    name: str
    light: bool
    paper: Grey
    rest: Grey
    bound: float
    cost: float
    contrast: float
    bands: bool


def _judge(name: str, light: bool, paper: Grey, values: Grey) -> _Guess:
    rest = values - paper
    bands = name == "edge" and float(np.ptp(paper)) > BANDS * float(np.ptp(values))
    if bands:
        rest = np.abs(rest)
    bound, parted = otsu(np.maximum(rest, 0))
    cost = _cost(rest, bound, parted)
    marked = rest > bound
    contrast = float(np.median(rest[marked])) if marked.any() else 0.0
    return _Guess(name, light, paper, rest, bound, cost, contrast, bands)


def _cost(rest: Grey, bound: float, parted: float) -> float:
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
        off = round(inset * min(marked.shape))
        inner = marked[off : len(marked) - off, off : marked.shape[1] - off]
        first, last, left, right = inner[0], inner[-1], inner[:, 0], inner[:, -1]
        ring = np.concatenate([first, last, left[1:-1], right[1:-1]])
        across = max((first & last).mean(), (left & right).mean())
        shares.append(float(ring.mean() + across))
    return min(shares)


def _stretch(rest: Grey, bound: float) -> tuple[Grey, float]:
    """Return ink from 0.0, where the paper's noise ends, to 255.0, its upper quartile."""
    marked = rest > bound
    if not marked.any():
        return np.zeros_like(rest), 0.0
    full = float(np.percentile(rest[marked], 75))
    start = min(NOISE * float(np.median(np.abs(rest)[~marked])), 0.4 * full)
    ink: Grey = (np.clip((rest - start) / (full - start), 0, 1) * 255).astype(np.float32)
    return ink, full
