"""Lines as a network would see them, made of peaks, for the tests of reading."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from digitlens.ctc import to_probs

BLANK = 10


def peaks(
    text: str,
    *,
    step: int = 8,
    peak: float = 0.97,
    rivals: dict[int, tuple[str, float]] | None = None,
    noise: float = 1e-7,
) -> np.ndarray:
    """Return float64 (T, 11): a peak of one frame for each digit, at (k + 1) * step.

    `rivals` gives, by place, another digit and its probability; the first gets what is left
    of 0.99.
    """
    frames = np.full((step * (len(text) + 1) + 1, BLANK + 1), noise)
    for index, digit in enumerate(text):
        frame = frames[(index + 1) * step]
        frame[int(digit)] = peak
        if rivals and index in rivals:
            other, probability = rivals[index]
            frame[int(digit)], frame[int(other)] = 0.99 - probability, probability
    frames[:, BLANK] = 0.0
    frames[:, BLANK] = 1 - frames.sum(axis=1)
    assert (frames >= 0).all()
    return to_probs(np.log(frames).astype(np.float32))


@pytest.fixture
def line() -> Callable[..., np.ndarray]:
    """Return the function that makes a line's probabilities: see `peaks`."""
    return peaks
