"""A digit drawn with lines, at any size, for the tests of framing."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

# A seven with its bar and a five, in a field of 1 x 1: strokes of (x, y) points.
_SHAPES = {
    7: [[(0.2, 0.15), (0.8, 0.15), (0.45, 0.9)]],
    5: [
        [(0.75, 0.1), (0.3, 0.1), (0.28, 0.45)],
        [(0.28, 0.45), (0.6, 0.4), (0.75, 0.6), (0.6, 0.85), (0.25, 0.85)],
    ],
    0: [
        [(0.5, 0.1), (0.25, 0.3), (0.25, 0.7), (0.5, 0.9), (0.75, 0.7), (0.75, 0.3), (0.5, 0.1)]
    ],
}


def draw(digit: int, size: int, *, pen: float = 0.1) -> np.ndarray:
    """Return bool (size, size): `digit` with a pen of that share of the size."""
    field = np.zeros((size, size), np.uint8)
    for stroke in _SHAPES[digit]:
        points = (np.array(stroke) * size).round().astype(np.int32)
        cv2.polylines(field, [points], False, 1, max(1, round(pen * size)))
    return field > 0


@pytest.fixture
def draw_digit() -> Callable[..., np.ndarray]:
    """Return `draw`."""
    return draw


@pytest.fixture
def write_digit() -> Callable[..., np.ndarray]:
    """Return a function that writes a digit on paper, grey on grey: uint8 (size, size)."""

    def write(
        digit: int = 7,
        size: int = 120,
        *,
        paper: float = 220,
        ink: float = 40,
        pen: float = 0.1,
    ) -> np.ndarray:
        return np.where(draw(digit, size, pen=pen), ink, paper).astype(np.uint8)

    return write


@pytest.fixture
def correlate() -> Callable[[np.ndarray, np.ndarray], float]:
    """Return a function that says how alike two framed digits are: their correlation."""

    def compare(one: np.ndarray, two: np.ndarray) -> float:
        return float(np.corrcoef(one.ravel(), two.ravel())[0, 1])

    return compare
