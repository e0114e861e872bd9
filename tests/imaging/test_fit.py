"""Strokes and the 20 x 20 box."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from digitlens.imaging.components import disk_kernel
from digitlens.imaging.fit import (
    THIN_TARGET,
    center_by_mass,
    fill_outline,
    fit_to_frame,
    stroke_width,
)

Draw = Callable[..., np.ndarray]


def inked(mask: np.ndarray) -> np.ndarray:
    """Return float32 ink of a mask."""
    return 255 * mask.astype(np.float32)


@pytest.mark.parametrize("width", [2, 4, 8])
def test_the_width_of_a_stroke_is_measured(width: int) -> None:
    """A long bar measures nearly as wide as it is."""
    bar = np.zeros((200, 40), np.float32)
    bar[10:190, 10 : 10 + width] = 255
    assert stroke_width(bar) == pytest.approx(width, rel=0.06)


@pytest.mark.parametrize("size", [16, 28, 90, 400])
def test_the_longer_side_becomes_twenty(draw_digit: Draw, size: int) -> None:
    """A digit of any size fills the box, proportions kept."""
    box = fit_to_frame(inked(draw_digit(7, size))).box
    assert max(box.shape) == 20
    assert box.shape[1] / box.shape[0] == pytest.approx(0.8, abs=0.12)
    assert box.max() == 255


def test_a_digit_of_that_size_is_copied(draw_digit: Draw) -> None:
    """A digit that fills the box already, with a pen's strokes, keeps every pixel."""
    rows, columns = np.nonzero(draw_digit(7, 24, pen=0.12))
    cut = inked(draw_digit(7, 24, pen=0.12))[rows.min() : rows.max() + 1]
    cut = cut[:20, columns.min() : columns.max() + 1]
    assert np.array_equal(fit_to_frame(cut).box, cut)


def test_hairlines_are_made_as_thick_as_a_pen(draw_digit: Draw) -> None:
    """One pixel wide strokes of a large drawing come out about as wide as MNIST's."""
    fitted = fit_to_frame(inked(draw_digit(7, 200, pen=0.01)))
    assert f"made {THIN_TARGET:.1f}" in fitted.about
    assert stroke_width(fitted.box.astype(np.float32)) == pytest.approx(2.4, abs=0.3)


def test_blots_are_made_thinner(draw_digit: Draw) -> None:
    """Strokes far thicker than any pen's lose some of it."""
    fat = inked(draw_digit(7, 200, pen=0.3))
    fitted = fit_to_frame(fat)
    assert "made 4.0" in fitted.about
    assert stroke_width(fitted.box.astype(np.float32)) < stroke_width(fat) / 8


def test_the_centre_of_mass_comes_to_the_middle(draw_digit: Draw) -> None:
    """The mass lies at (14, 14), to half a pixel."""
    field = center_by_mass(fit_to_frame(inked(draw_digit(7, 90))).box)
    rows, columns = np.mgrid[0:28, 0:28]
    for places in (rows, columns):
        index = float((places * field.astype(float)).sum() / field.sum())
        assert index == pytest.approx(14, abs=0.5)


def test_a_lopsided_digit_is_not_cut() -> None:
    """Where the middle cannot be reached the digit stays whole, at the edge."""
    box = np.zeros((20, 20), np.uint8)
    box[-1] = 255
    box[0, 0] = 1
    field = center_by_mass(box)
    assert field.sum(dtype=int) == box.sum(dtype=int)


@pytest.mark.parametrize("digit", [0, 5, 7])
def test_an_outline_is_filled(draw_digit: Draw, digit: int) -> None:
    """The contour of a digit becomes the digit."""
    mask = draw_digit(digit, 140, pen=0.13).astype(np.uint8)
    lines = mask - cv2.erode(mask, np.ones((3, 3), np.uint8))
    filled, done = fill_outline(inked(lines))
    assert done
    assert ((filled > 127) == (mask > 0)).mean() > 0.99


@pytest.mark.parametrize("digit", [0, 5, 7])
@pytest.mark.parametrize("pen", [0.01, 0.1])
def test_a_digit_that_is_no_outline_is_left(draw_digit: Draw, digit: int, pen: float) -> None:
    """A thin nought is a nought, not the outline of a blot."""
    ink = inked(draw_digit(digit, 60, pen=pen))
    filled, done = fill_outline(ink)
    assert not done
    assert filled is ink


def test_a_disk_is_shared_and_cannot_be_changed() -> None:
    """The same radius is the same array, and nobody can write to it."""
    assert disk_kernel(2.0) is disk_kernel(2.04)
    with pytest.raises(ValueError, match="read-only"):
        disk_kernel(2.0)[0, 0] = 1
