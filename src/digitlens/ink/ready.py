"""Which pictures are in MNIST's frame already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.ink.box import BOX, MIDDLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Images

CHUNK = 256
"""Pictures at a time: what is worked out for them stays in the processor's cache."""

PLACES = np.arange(28, dtype=np.float32)

OFF = 0.51
"""How far the centre of mass may be from (14, 14): MNIST's is within half a pixel, rounded."""

FULL = 250
"""The least that a digit's darkest pixel has: MNIST's have 254 or 255."""

PAPER = 0.5
"""The least share of bare paper: MNIST's fullest digit leaves 55 %."""

HAIRLINE = 1.25
"""The least stroke width: 99.9 % of MNIST's training digits have 1.29 or more, and one pixel
wide lines have less."""


def are_framed(images: Images) -> NDArray[np.bool_]:
    """Say which digits are in MNIST's frame, as numpy does it: many at once.

    A digit is when it has bare paper (0) around, its longer side is 20 pixels, its centre
    of mass is in the middle, its ink is full, and its strokes are those of a pen. The
    bounds are those of MNIST's 60,000 training digits.

    Parameters
    ----------
    images
        uint8 (N, 28, 28).

    Returns
    -------
    bool (N,).
    """
    framed = np.zeros(len(images), np.bool_)
    for at in range(0, len(images), CHUNK):
        framed[at : at + CHUNK] = _are_framed(images[at : at + CHUNK])
    return framed


def _are_framed(images: Images) -> NDArray[np.bool_]:
    # Rows and columns first: they tell the box, and as sums the centre of mass.
    down = images.sum(axis=2, dtype=np.int32)
    across = images.sum(axis=1, dtype=np.int32)
    longer = np.maximum(_extent(down > 0), _extent(across > 0))
    likely: NDArray[np.bool_] = (longer == BOX) & (
        images.reshape(-1, 28 * 28).max(axis=1, initial=0) >= FULL
    )
    mass = np.maximum(down.sum(axis=1), 1)
    for along in (down, across):
        likely &= np.abs(along @ PLACES / mass - MIDDLE) <= OFF
    at = np.flatnonzero(likely)
    ink = images[at]
    likely[at] = (np.count_nonzero(ink, axis=(1, 2)) <= (1 - PAPER) * 28 * 28) & (
        _widths(ink, mass[at]) >= HAIRLINE
    )
    return likely


def _extent(marked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the length from the first mark to the last in each row of bool (N, 28)."""
    length: NDArray[np.int64] = (
        marked.shape[1] - marked.argmax(axis=1) - marked[:, ::-1].argmax(axis=1)
    )
    return np.where(marked.any(axis=1), length, 0)


def _widths(ink: Images, mass: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return `strokes.stroke_width` of digits that do not touch the edge: float32 (N,)."""
    grey = np.zeros((len(ink), 29, 29), np.float32)
    grey[:, 1:, 1:] = ink
    down = np.square(grey[:, 1:, :-1] - grey[:, :-1, :-1])
    down += np.square(grey[:, :-1, 1:] - grey[:, :-1, :-1])
    around = np.sqrt(down, out=down).sum(axis=(1, 2))
    return np.asarray(2 * mass / np.maximum(around, 1e-6), np.float32)
