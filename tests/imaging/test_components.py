"""Which marks are the digit."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from digitlens.errors import SeveralDigitsError
from digitlens.imaging import frame_digit
from digitlens.imaging.components import find_digit_components, remove_ruling_lines

Draw = Callable[..., np.ndarray]


@pytest.fixture
def field(draw_digit: Draw) -> np.ndarray:
    """Return ink float32 (200, 200) with a five in the middle."""
    ink = np.zeros((200, 200), np.float32)
    ink[50:150, 50:150] = 255 * draw_digit(5, 100)
    return ink


def test_a_speck_is_left_out(field: np.ndarray) -> None:
    """A small mark far from the digit is no part of it."""
    box = find_digit_components(field).box
    field[10:14, 10:14] = 255
    marks = find_digit_components(field)
    assert (marks.total, marks.chosen, marks.digit_count) == (2, 1, 1)
    assert marks.box == box
    assert not marks.mask[12, 12]


def test_the_bar_of_a_five_is_kept(field: np.ndarray) -> None:
    """A five whose bar does not touch its belly is one digit."""
    field[62:72, :] = 0
    marks = find_digit_components(field)
    assert marks.total >= 2
    assert marks.chosen == marks.total
    assert marks.box[1] < 62


def test_a_frame_around_the_digit_is_left_out(field: np.ndarray) -> None:
    """A drawn box, though it is larger than the digit in it, is no part of it."""
    box = find_digit_components(field).box
    cv2.rectangle(field, (20, 20), (180, 180), 255.0, 4)
    assert find_digit_components(field).box == box


def test_neighbours_that_are_cut_off_are_left_out(field: np.ndarray, draw_digit: Draw) -> None:
    """What touches the picture's edge belongs to something else."""
    box = find_digit_components(field).box
    field[50:150, 170:] = 255 * draw_digit(5, 100)[:, 20:50]
    marks = find_digit_components(field)
    assert (marks.box, marks.digit_count) == (box, 1)


def test_a_nought_whose_halves_do_not_meet_is_one_digit(draw_digit: Draw) -> None:
    """Two arcs side by side make a nought, not two digits."""
    ink = np.zeros((200, 200), np.float32)
    ink[50:150, 50:150] = 255 * draw_digit(0, 100)
    ink[:, 96:104] = 0
    marks = find_digit_components(ink)
    assert (marks.total, marks.chosen, marks.digit_count) == (2, 2, 1)


@pytest.mark.parametrize("count", [2, 3])
def test_several_digits_are_named(draw_digit: Draw, count: int) -> None:
    """Digits side by side are an error that says how many and which command reads them."""
    pixels = np.full((160, 40 + 120 * count), 230, np.uint8)
    for index in range(count):
        pixels[30:130, 30 + 120 * index : 130 + 120 * index][draw_digit(5, 100)] = 30
    with pytest.raises(SeveralDigitsError) as caught:
        frame_digit(pixels)
    assert caught.value.seen == f"{count} marks as high as a digit, side by side"
    assert "digitlens read" in str(caught.value.try_)
    assert (caught.value.exit_code, caught.value.http_status) == (1, 422)


def test_bare_paper_has_no_marks() -> None:
    """Without ink there is nothing to find."""
    marks = find_digit_components(np.zeros((30, 30), np.float32))
    assert (marks.total, marks.chosen, marks.digit_count) == (0, 0, 0)


def test_a_thin_line_right_across_loses_its_arms(field: np.ndarray) -> None:
    """A ruling through a digit is cut at both sides; a digit without one is left alone."""
    plain, cut = remove_ruling_lines(field)
    assert not cut
    assert plain is field
    field[98:101] = 255
    plain, cut = remove_ruling_lines(field)
    assert cut
    assert not plain[:, :40].any()
    assert not plain[:, 160:].any()
    assert plain[60:140, 80:130].any()
