"""Pages to find lines on: composed as the benchmark composes them, of made-up digits."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from digitlens.digits import Digits
from digitlens.synth import Glyphs, prepare_glyphs

# The composer is the benchmark's: what is tested is what is measured.
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))


@pytest.fixture(scope="session")
def glyphs(make_digits: Callable[..., Digits]) -> Glyphs:
    """Return 200 made-up digits, ready to write with."""
    return prepare_glyphs(make_digits(200, seed=3))


def written(text: str, *, size: float = 2.0, thick: int = 4) -> np.ndarray:
    """Return a line of printed digits as dark ink on white: uint8 (h, w)."""
    face = cv2.FONT_HERSHEY_SIMPLEX
    (width, height), below = cv2.getTextSize(text, face, size, thick)
    line = np.full((height + below + 20, width + 20), 255, np.uint8)
    cv2.putText(line, text, (10, height + 10), face, size, 0, thick, cv2.LINE_AA)
    return line


@pytest.fixture(scope="session")
def write() -> Callable[..., np.ndarray]:
    """Return `written`."""
    return written


@pytest.fixture
def page(write: Callable[..., np.ndarray]) -> np.ndarray:
    """Return a white page, 700 x 500, with 4028 at (100, 80) and 1357 at (250, 300)."""
    sheet = np.full((500, 700), 255, np.uint8)
    for text, (x, y) in (("4028", (100, 80)), ("1357", (250, 300))):
        line = write(text)
        sheet[y : y + line.shape[0], x : x + line.shape[1]] = line
    return sheet
