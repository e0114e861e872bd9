"""Ink told from paper: polarity, light, fog, colours, specks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from digitlens.imaging.binarize import (
    binarize,
    binarize_color,
    otsu_threshold,
    quantile_of_values,
)
from digitlens.imaging.components import count_specks, remove_specks

Write = Callable[..., np.ndarray]


def overlap(result: np.ndarray, wanted: np.ndarray) -> float:
    """Return the share of pixels that are ink in both, of those that are in either."""
    marked = result > 127
    return float((marked & wanted).sum() / (marked | wanted).sum())


@pytest.mark.parametrize(("paper", "ink", "light"), [(230, 20, False), (20, 230, True)])
@pytest.mark.parametrize("size", [28, 120, 500])
def test_either_polarity_is_seen(
    write_digit: Write, draw_digit: Write, paper: int, ink: int, light: bool, size: int
) -> None:
    """Dark ink on light paper and light ink on dark paper give the same ink."""
    result = binarize(write_digit(7, size, paper=paper, ink=ink))
    assert (result.inverted, result.estimator) == (light, "flat")
    assert overlap(result.ink, draw_digit(7, size)) > 0.95


def test_a_slope_of_light_is_paper(draw_digit: Write) -> None:
    """Paper that gets darker to one side, beyond the ink's own grey, is still paper."""
    size = 160
    slope = np.linspace(250, 60, size)[None].repeat(size, 0)
    mask = draw_digit(5, size)
    gray = np.where(mask, slope * 0.45, slope).astype(np.uint8)
    result = binarize(gray)
    assert not result.inverted
    assert overlap(result.ink, mask) > 0.8


def test_bands_of_black_and_white_are_paper(draw_digit: Write) -> None:
    """A picture that is turned about in bands at both sides shows its digit all the same."""
    mask = draw_digit(7, 28)
    gray = (255 * mask).astype(np.uint8)
    gray[:, :7] = 255 - gray[:, :7]
    gray[:, 21:] = 255 - gray[:, 21:]
    result = binarize(gray)
    assert result.estimator == "edge"
    assert overlap(result.ink, mask) > 0.9


def test_a_table_around_the_paper_is_no_ink(draw_digit: Write) -> None:
    """Paper on a dark table: the digit is ink, the table is not."""
    gray = np.full((200, 240), 220, np.uint8)
    gray[:, :28] = 30
    gray[176:] = 30
    mask = np.zeros(gray.shape, bool)
    mask[40:140, 80:180] = draw_digit(7, 100)
    gray[mask] = 50
    result = binarize(gray)
    assert not result.inverted
    assert overlap(result.ink, mask) > 0.75


def test_bare_paper_has_no_contrast() -> None:
    """A picture of one grey value holds no ink."""
    result = binarize(np.full((40, 40), 99, np.uint8))
    assert result.contrast == 0
    assert not result.ink.any()


@pytest.mark.parametrize(
    ("paper", "ink", "where"),
    [
        ((255, 255, 255), (255, 240, 0), "the blue channel"),
        ((60, 150, 60), (220, 85, 60), "the red channel"),
        ((255, 255, 255), (0, 0, 120), "the brightness"),
    ],
)
def test_coloured_ink_is_seen_where_it_stands_out(
    draw_digit: Write, paper: tuple[int, ...], ink: tuple[int, ...], where: str
) -> None:
    """Yellow on white and red on green of one brightness are found in a colour's channel."""
    mask = draw_digit(7, 90)
    pixels = np.where(mask[..., None], ink, paper).astype(np.uint8)
    _, result, said = binarize_color(pixels)
    assert said == where
    assert overlap(result.ink, mask) > 0.95


def test_salt_and_pepper_go_and_strokes_stay(draw_digit: Write) -> None:
    """One pixel in six turned black or white is cleaned; the picture without is untouched."""
    clean = (255 * draw_digit(5, 28, pen=0.12)).astype(np.uint8)
    rng = np.random.default_rng(0)
    hit = rng.random(clean.shape) < 0.17
    salted = np.where(hit, 255 * (rng.random(clean.shape) < 0.5), clean).astype(np.uint8)
    mended, share = remove_specks(salted)
    assert share > 0.05
    assert (mended != clean).mean() < 0.4 * (salted != clean).mean()
    again, share = remove_specks(clean)
    assert (share, np.array_equal(again, clean)) == (0.0, True)


def test_a_thin_line_is_no_speck(draw_digit: Write) -> None:
    """A digit one pixel wide counts no specks."""
    assert count_specks((255 * draw_digit(5, 28, pen=0.01)).astype(np.uint8)) == 0


def test_otsu_parts_two_groups_in_the_middle() -> None:
    """Two groups of values are parted halfway, perfectly; equal values not at all."""
    bound, parted = otsu_threshold(np.array([[10, 10, 10], [90, 90, 90]], np.float32))
    assert bound == pytest.approx(50, abs=1)
    assert parted == pytest.approx(1)
    assert otsu_threshold(np.full((3, 3), 7, np.float32)) == (7, 0)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.37, 0.5, 0.995, 1.0])
def test_quantiles_by_counting_are_those_of_numpy(share: float) -> None:
    """Between two gray values, too, and of a single pixel."""
    rng = np.random.default_rng(3)
    for size in (1, 2, 7, 64):
        values = rng.integers(0, 256, (size, 3), np.uint8)
        for some in (values, values[:1, :1]):
            assert quantile_of_values(some, share) == pytest.approx(np.quantile(some, share))
