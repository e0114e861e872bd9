"""Drawings: black on white, and all of it one digit."""

from __future__ import annotations

import numpy as np
import pytest

from digitlens.errors import NoInkError
from digitlens.imaging import frame_drawing, frame_steps


def strokes(*parts: tuple[int, int, int, int], side: int = 140) -> np.ndarray:
    """Return a drawing with black boxes: top, bottom, left, right."""
    draw_digit = np.full((side, side), 255, np.uint8)
    for top, bottom, left, right in parts:
        draw_digit[top:bottom, left:right] = 0
    return draw_digit


SEVEN = strokes((30, 42, 40, 100), (42, 110, 80, 92))


def test_a_drawing_of_one_mark_is_framed_as_any_picture() -> None:
    """Where nothing has to be guessed the digit is the one that `frame_steps` finds."""
    drawn, result = frame_drawing(SEVEN), frame_steps(SEVEN)
    assert np.array_equal(drawn.digit, result.digit)
    assert drawn.box == result.box
    assert [step.name for step in drawn.steps] == [step.name for step in result.steps]
    assert not drawn.inverted
    assert drawn.digit_count == 1


def test_marks_far_apart_stay_together() -> None:
    """A bar that touches nothing belongs to the digit, however small it is."""
    draw_digit = strokes((60, 120, 60, 70), (10, 16, 100, 106))
    framing = frame_drawing(draw_digit)
    assert framing.box == (60, 10, 106, 120)
    assert framing.digit[:6].any()


def test_two_digits_are_counted_and_framed_as_one() -> None:
    """Marks as high as each other, far to the side, look like two digits, and are counted."""
    assert frame_drawing(strokes((40, 100, 15, 25), (40, 100, 110, 120))).digit_count == 2


def test_a_sheet_full_of_ink_is_ink() -> None:
    """The paper is known to be white, so that a black sheet is a square of ink."""
    digit = frame_drawing(np.zeros((140, 140), np.uint8)).digit
    assert digit[8:20, 8:20].min() == 255
    assert not digit[:4].any()


def test_bare_paper_is_no_digit() -> None:
    """White, or white with a grey that nobody sees, holds nothing."""
    for level in (255, 250):
        with pytest.raises(NoInkError, match="blank must show a digit"):
            frame_drawing(np.full((60, 60), level, np.uint8), name="blank")


def test_a_large_drawing_is_made_smaller() -> None:
    """Its box is still in pixels of the drawing, its digit that of a small one."""
    large = np.kron(SEVEN, np.ones((10, 10), np.uint8))
    framing = frame_drawing(large)
    small = frame_drawing(SEVEN)
    assert framing.steps[0].picture.shape == (640, 640)
    assert np.abs(np.subtract(framing.box, 10 * np.array(small.box))).max() <= 10
    assert np.abs(framing.digit.astype(int) - small.digit).mean() < 3
