"""A made-up hand: the 1 with a flag and the crossed 7 of European schools, on shaded paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Points = list[tuple[float, float]]
    Page = NDArray[np.uint8]

SIDE = 120
FRACTION = 8
"""cv2 takes places in 8ths of a pixel."""


def pictures(count: int, *, steep: tuple[float, float], seed: int) -> tuple[list[Page], Page]:
    """Write `count` digits, 1 and 7 in turn.

    Parameters
    ----------
    steep
        How far the flag of the 1 comes down, from the least to the most, in heights. From
        0.3 to 0.6 it looks like a 7 of MNIST's writers, who do not cross theirs; from 0.5 to
        0.9 it is that of most schools.
    seed
        Decides all of it.

    Returns
    -------
    pages
        uint8 (120, 120) each, dark ink on light paper.
    labels
        uint8 (count,).
    """
    rng = np.random.default_rng(seed)
    labels = np.where(np.arange(count) % 2, 7, 1).astype(np.uint8)
    return [_page(int(label), steep, rng) for label in labels], labels


def _page(digit: int, steep: tuple[float, float], rng: np.random.Generator) -> Page:
    if digit == 1:
        width, down = rng.uniform(0.5, 0.9), rng.uniform(*steep)
        flag = [(0.55 - width, down), (0.55 - width / 2, down * 0.45), (0.55, 0.0)]
        strokes = [flag, [(0.55, 0.0), (0.55, 0.5), (0.52, 1.0)]]
        slant = rng.normal(-0.02, 0.06)
    else:
        strokes = [
            [(0.3, 0.08), (0.5, 0.04), (0.75, 0.0)],
            [(0.75, 0.0), (0.6, 0.45), (0.5, 1.0)],
            [(0.1, 0.62), (0.5, 0.57), (1.0, 0.5)],
        ]
        slant = rng.normal(0.1, 0.06)
    height = rng.uniform(60, 85)
    width = height * rng.uniform(0.6, 0.8)
    thick, ink = int(rng.integers(4, 9)), int(rng.integers(20, 60))
    page = np.full((SIDE, SIDE), 255, np.uint8)
    for stroke in strokes:
        line = _curve(np.array(stroke) + rng.normal(0, 0.03, (len(stroke), 2)))
        x = (line[:, 0] - slant * (line[:, 1] - 0.5) - 0.4) * width + SIDE / 2
        y = (line[:, 1] - 0.5) * height + SIDE / 2
        places = np.rint(np.stack([x, y], axis=1) * FRACTION).astype(np.int32)
        cv2.polylines(page, [places], False, ink, thick, cv2.LINE_AA, shift=3)
    page = np.asarray(cv2.GaussianBlur(page, (0, 0), 1.0), np.uint8)
    shade = np.linspace(-33, -3, SIDE)[None] + rng.normal(0, 4, page.shape)
    return np.clip(page + shade, 0, 255).astype(np.uint8)


def _curve(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a parabola through three points, (12, 2)."""
    first, middle, last = points
    along = np.linspace(0, 1, 12)[:, None]
    bend = 2 * middle - (first + last) / 2
    curve: NDArray[np.float64] = (
        (1 - along) ** 2 * first + 2 * along * (1 - along) * bend + along**2 * last
    )
    return curve
