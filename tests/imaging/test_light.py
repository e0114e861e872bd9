"""Uneven light taken out of pictures of lines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from digitlens.imaging.light import UNEVEN, even_light


def strokes(stroke: int = 3, paper: int = 210) -> np.ndarray:
    """Return a line with upright strokes, one every 20 columns."""
    gray = np.full((48, 200), paper, np.uint8)
    for left in range(10, 190, 20):
        gray[10:38, left : left + stroke] = paper // 5
    return gray


def shadow(gray: np.ndarray, left: float) -> np.ndarray:
    """Return the same with so much of the light left on its right half."""
    light = np.where(np.arange(gray.shape[1]) < gray.shape[1] // 2, 1.0, left)
    return np.rint(gray * light.reshape((1, -1) + (1,) * (gray.ndim - 2))).astype(np.uint8)


@pytest.mark.parametrize("left", [0.15, 0.3, 0.5])
@pytest.mark.parametrize("colored", [False, True])
def test_a_shadow_is_taken_out(left: float, colored: bool) -> None:
    """Away from its edge the line is what it was, to a few grey levels."""
    gray = strokes()
    given_ = np.stack([gray, gray - 10, gray - 20], 2) if colored else gray
    even = even_light(shadow(given_, left))
    difference = np.abs(even.astype(int) - given_)
    assert np.delete(difference, np.s_[90:110], axis=1).max() <= 12


@pytest.mark.parametrize("left", [1.0, 1 / UNEVEN + 0.1])
def test_fairly_even_light_is_left_as_it_is(left: float) -> None:
    """The array itself comes back: what is read on even paper is as it was."""
    gray = shadow(strokes(), left)
    assert even_light(gray) is gray


def test_light_ink_is_left_as_it_is() -> None:
    """What would be light on dark paper is not made even: its paper is not known."""
    gray = np.asarray(255 - strokes(), np.uint8)
    assert even_light(gray) is gray
    shaded = shadow(gray, 0.4)
    assert even_light(shaded) is shaded


def test_type_as_bold_as_a_fifth_of_the_line_is_no_shadow() -> None:
    """Strokes that a window does not span are not taken for dark paper."""
    gray = strokes(stroke=11)
    assert np.abs(even_light(gray).astype(int) - gray).max() <= 30


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=60)))
def test_any_picture_stays_one(gray: np.ndarray) -> None:
    """Shape and kind stay, whatever it shows, and no pixel grows darker."""
    even = even_light(gray)
    assert (even.shape, even.dtype) == (gray.shape, np.uint8)
    assert (even.astype(int) >= gray.astype(int) - 1).all()


@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 255))
def test_bare_paper_is_even(height: int, width: int, level: int) -> None:
    """One colour comes back as it is."""
    paper = np.full((height, width), level, np.uint8)
    assert even_light(paper) is paper
