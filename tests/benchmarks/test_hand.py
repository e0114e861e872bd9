"""The made-up hand of the tuning benchmark."""

from __future__ import annotations

import numpy as np

from digitlens.imaging import frame_digit
from hand import pictures


def test_the_hand_writes_ones_and_sevens_in_turn() -> None:
    """The same seed writes the same pages, dark ink on light paper, each of which is framed."""
    pages, labels = pictures(6, steep=(0.5, 0.9), seed=3)
    again, _ = pictures(6, steep=(0.5, 0.9), seed=3)
    other, _ = pictures(6, steep=(0.5, 0.9), seed=4)
    assert np.array_equal(labels, [1, 7, 1, 7, 1, 7])
    for page, same, another in zip(pages, again, other, strict=True):
        assert np.array_equal(page, same)
        assert not np.array_equal(page, another)
        assert np.median(page) > 200
        assert frame_digit(page).max() == 255


def test_the_seven_is_crossed() -> None:
    """Below the middle the 1 is as thin as its stroke, the 7 as wide as its bar."""
    pages, _ = pictures(2, steep=(0.1, 0.2), seed=0)
    for page, narrow in zip(pages, (True, False), strict=True):
        inked = (frame_digit(page)[14:20] > 128).any(axis=0)
        assert (np.count_nonzero(inked) < 8) == narrow
