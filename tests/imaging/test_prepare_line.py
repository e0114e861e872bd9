"""Lines as a line network takes them: one height, one mean, one spread."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlens.errors import ShapeError
from digitlens.imaging.crop import (
    HEIGHT,
    MAX_WIDTH,
    MIN_SPREAD,
    MIN_WIDTH,
    input_width,
    prepare_line,
)


@pytest.fixture
def gray() -> np.ndarray:
    """Return a line of strokes, uint8 (40, 90), dark on light."""
    line = np.full((40, 90), 200, np.uint8)
    line[8:32, 20:24] = line[8:12, 40:60] = line[28:32, 40:60] = 60
    return line


@pytest.mark.parametrize(
    ("shape", "width"),
    [
        ((32, 80), 80),
        ((20, 50), 80),
        ((64, 90), 45),
        ((32, 1), MIN_WIDTH),
        ((500, 5), MIN_WIDTH),
        ((1, 1), 32),
        ((32, 2048), MAX_WIDTH),
        ((32, 2049), MAX_WIDTH),
        ((5, 9000), MAX_WIDTH),
    ],
)
def test_a_line_is_32_rows_high(shape: tuple[int, int], width: int) -> None:
    """Proportions are kept, but the width is 16 at least and 2,048 at most."""
    taken = prepare_line(np.full(shape, 200, np.uint8))
    assert taken.dtype == np.float32
    assert taken.shape == (HEIGHT, width)
    assert input_width(*shape) == width


def test_dark_is_above_0(gray: np.ndarray) -> None:
    """What is darker than the mean is positive, paper a little below 0; the mean is 0."""
    taken = prepare_line(gray)
    assert abs(float(taken.mean())) < 1e-5
    assert taken.max() > 1.5
    assert -1 < taken.min() < 0
    assert (taken > 0).mean() < 0.3


def test_the_other_polarity_turns_the_signs(gray: np.ndarray) -> None:
    """Light ink on dark paper comes out as dark on light does, with the signs turned."""
    np.testing.assert_allclose(prepare_line(255 - gray), -prepare_line(gray), atol=1e-5)


def test_light_and_contrast_do_not_matter(gray: np.ndarray) -> None:
    """More light changes nothing, half the contrast little."""
    taken = prepare_line(gray)
    np.testing.assert_allclose(prepare_line(gray + 40), taken, atol=1e-5)
    pale = (gray // 2 + 100).astype(np.uint8)
    assert np.abs(prepare_line(pale) - taken).max() < 0.1 * taken.max()
    assert np.corrcoef(prepare_line(pale).ravel(), taken.ravel())[0, 1] > 0.999


def test_the_spread_is_that_of_the_picture_and_a_little() -> None:
    """At 32 rows the rule can be counted: (mean - grey) / (standard deviation + 4)."""
    gray = np.random.default_rng(0).integers(0, 256, (32, 70), np.uint8)
    wanted = (gray.mean() - gray) / (gray.std() + MIN_SPREAD)
    np.testing.assert_allclose(prepare_line(gray), wanted, atol=1e-4)


def test_noise_on_bare_paper_stays_small() -> None:
    """A grain of one grey level is not blown up to ink."""
    gray = np.random.default_rng(0).integers(200, 202, (32, 100)).astype(np.uint8)
    assert np.abs(prepare_line(gray)).max() < 0.3


def test_thin_strokes_survive_shrinking() -> None:
    """A stroke of one row of many is still seen as a mean over areas."""
    gray = np.full((320, 320), 255, np.uint8)
    gray[154] = 0
    taken = prepare_line(gray)
    assert taken[15].min() > 1
    assert np.delete(taken, 15, axis=0).max() < 0


def test_a_part_of_a_larger_picture_is_taken_as_it_is(gray: np.ndarray) -> None:
    """A cut-out that is not laid out row after row gives what its copy gives."""
    assert np.array_equal(prepare_line(gray[3:38, 5:80]), prepare_line(gray[3:38, 5:80].copy()))


@pytest.mark.parametrize(
    ("given_", "seen"),
    [
        (np.zeros((32, 40), np.float32), "float32 (32, 40)"),
        (np.zeros((32, 40, 3), np.uint8), "uint8 (32, 40, 3)"),
        (np.zeros(32, np.uint8), "uint8 (32,)"),
        (np.zeros((0, 40), np.uint8), "uint8 (0, 40)"),
        (np.zeros((32, 0), np.uint8), "uint8 (32, 0)"),
    ],
)
def test_what_is_no_line_is_refused(given_: np.ndarray, seen: str) -> None:
    """Another dtype or shape, or no pixels, is an error that shows them."""
    with pytest.raises(ShapeError) as caught:
        prepare_line(given_)
    assert str(caught.value) == (
        f"a line must be uint8 (height, width), at least one pixel\n  seen    {seen}"
    )


@settings(max_examples=40)
@given(height=st.integers(1, 200), width=st.integers(1, 600), seed=st.integers(0, 99))
def test_any_pixels_are_taken(height: int, width: int, seed: int) -> None:
    """Whatever a line shows, its input is finite, of mean 0 and of a spread below 1."""
    rng = np.random.default_rng(seed)
    gray = rng.integers(0, 1 + rng.integers(1, 256), (height, width)).astype(np.uint8)
    taken = prepare_line(gray)
    assert taken.shape == (32, min(MAX_WIDTH, max(MIN_WIDTH, round(width * 32 / height))))
    assert np.isfinite(taken).all()
    assert abs(float(taken.mean())) < 1e-3
    assert float(taken.std()) < 1
