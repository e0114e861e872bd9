"""Windows cut out of a line: where they are, and what lies beyond its ends."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from digitlens.imaging.crop import (
    HEIGHT,
    WINDOW,
    cut_windows,
    input_width,
    prepare_line,
    warp_window,
)


@given(seed=st.integers(0, 1000), width=st.integers(20, 90), centre=st.floats(-30, 130))
def test_a_window_is_the_lines_own_pixels(seed: int, width: int, centre: float) -> None:
    """Each column of a window is the line's column there, or bare paper beyond its ends."""
    line = np.random.default_rng(seed).normal(size=(WINDOW, width)).astype(np.float32)
    (window,) = cut_windows(line, np.array([centre]))
    first = min(max(round(centre), 0), width) - WINDOW // 2
    for column in range(WINDOW):
        place = first + column
        wanted = line[:, place] if 0 <= place < width else np.zeros(WINDOW)
        assert np.array_equal(window[:, column], wanted)


def test_no_window_is_cut_where_there_is_no_place() -> None:
    """Without places there are (0, 40, 40)."""
    line = np.zeros((WINDOW, 50), np.float32)
    assert cut_windows(line, np.empty(0)).shape == (0, WINDOW, WINDOW)


def test_an_undistorted_window_is_the_plain_one() -> None:
    """Scale 1, no shear and no lift change nothing."""
    line = np.random.default_rng(1).normal(size=(WINDOW, 120)).astype(np.float32)
    for centre in (0.0, 31.0, 120.0):
        (plain,) = cut_windows(line, np.array([centre]))
        warped = warp_window(line, centre, (1.0, 1.0), 0.0, 0.0)
        np.testing.assert_allclose(warped, plain, atol=1e-5)


def test_the_middle_stays_the_middle() -> None:
    """However a window is distorted, a dot in its middle stays there; lift moves it up."""
    line = np.zeros((WINDOW, 100), np.float32)
    line[19:22, 59:62] = 1
    for scale, shear in (((0.9, 1.1), 0.0), ((1.1, 0.9), 0.1), ((1.0, 1.0), -0.1)):
        window = warp_window(line, 60.0, scale, shear, 0.0)
        rows, columns = np.nonzero(window > 0.5)
        assert abs(rows.mean() - 20) < 1
        assert abs(columns.mean() - 20) < 1
    rows, _ = np.nonzero(warp_window(line, 60.0, (1.0, 1.0), 0.0, 4.0) > 0.5)
    assert rows.mean() == 16


@given(height=st.integers(5, 90), width=st.integers(1, 4000))
def test_lines_of_either_height_have_the_same_proportions(height: int, width: int) -> None:
    """A line at 40 rows is 40 / 32 as wide as at 32, at the limits too, within rounding."""
    small, large = input_width(height, width), input_width(height, width, WINDOW)
    assert abs(large - small * WINDOW / HEIGHT) <= 1.125
    if height * width < 40_000:
        assert prepare_line(np.zeros((height, width), np.uint8), WINDOW).shape == (
            WINDOW,
            large,
        )
