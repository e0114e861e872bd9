"""Boxes of digits: from centres in frames to pixels of the picture."""

from __future__ import annotations

import numpy as np
import pytest

from digitlens.ctc import FrameScale, digit_boxes
from digitlens.errors import ShapeError, UsageError

LINE = (100.0, 40.0, 160.0, 70.0)
SCALE = FrameScale(stride=3.0, offset=101.5)


def ink_at(*spans: tuple[int, int]) -> np.ndarray:
    """Return an ink profile of 60 columns with ink in these columns, ends included."""
    ink = np.zeros(60)
    for first, last in spans:
        ink[first : last + 1] = 5.0
    return ink


def test_borders_lie_half_way_without_ink() -> None:
    """Neighbours part half-way between centres; the outer ones are as wide on both sides."""
    boxes = digit_boxes([3.0, 9.0, 13.0], SCALE, LINE)
    assert [(box[0], box[2]) for box in boxes] == [
        (101.5, 119.5),
        (119.5, 134.5),
        (134.5, 146.5),
    ]
    assert {(box[1], box[3]) for box in boxes} == {(40.0, 70.0)}


def test_one_digit_without_ink_is_as_wide_as_digits_are() -> None:
    """A digit alone gets 0.8 of its height, inside the line's box."""
    ((left, _, right, _),) = digit_boxes([9.0], SCALE, LINE)
    assert (left, right) == (128.5 - 12, 128.5 + 12)
    ((left, _, _, _),) = digit_boxes([0.0], SCALE, LINE)
    assert left == 100.0


def test_boxes_reach_as_far_as_the_ink() -> None:
    """With ink a box begins with its digit's first column and ends after its last."""
    boxes = digit_boxes([3.0, 12.0], SCALE, LINE, ink=ink_at((4, 17), (30, 45)))
    assert [(box[0], box[2]) for box in boxes] == [(104, 118), (130, 146)]


def test_borders_move_to_where_there_is_least_ink() -> None:
    """Digits that touch part at the thinnest column near half-way, not half-way."""
    ink = ink_at((4, 45))
    ink[20] = 1.0
    boxes = digit_boxes([3.0, 12.0], SCALE, LINE, ink=ink)
    assert boxes[0][2] == boxes[1][0] == 120.0


def test_specks_beyond_a_border_are_not_followed() -> None:
    """A gap far from half-way, such as inside a digit, is not taken for the border."""
    ink = ink_at((0, 8), (10, 25), (29, 50))
    boxes = digit_boxes([3.0, 13.0], SCALE, LINE, ink=ink)
    assert [(box[0], box[2]) for box in boxes] == [(100, 126), (129, 151)]


def test_of_several_gaps_the_nearest_counts() -> None:
    """Of two gaps near half-way, digits part at the one that is nearer."""
    ink = ink_at((4, 14), (17, 20), (22, 45))
    boxes = digit_boxes([3.0, 12.0], SCALE, LINE, ink=ink)
    assert [(box[0], box[2]) for box in boxes] == [(104, 121), (122, 146)]


def test_a_digit_without_ink_has_a_box_all_the_same() -> None:
    """Where no ink is, the box goes from border to border."""
    boxes = digit_boxes([3.0, 12.0], SCALE, LINE, ink=np.zeros(60))
    assert all(box[0] < box[2] for box in boxes)
    assert boxes[0][2] == boxes[1][0]


def test_centres_outside_are_brought_inside() -> None:
    """A frame of the padding beside the line has its box in the line."""
    for ink in (None, ink_at((50, 59))):
        for left, _, right, _ in digit_boxes([2.0, 40.0], SCALE, LINE, ink=ink):
            assert 100.0 <= left <= right <= 160.0


def test_no_digits_no_boxes() -> None:
    """A line without digits has no boxes."""
    assert digit_boxes([], SCALE, LINE, ink=np.zeros(60)) == []


@pytest.mark.parametrize(
    ("ink", "wanted"),
    [
        (np.zeros(59), "one number for each column"),
        (np.zeros((30, 60)), "ink.sum"),
        (np.full(60, -1.0), "at least 0"),
        (np.full(60, np.nan), "at least 0"),
    ],
)
def test_other_profiles_are_refused(ink: np.ndarray, wanted: str) -> None:
    """A profile has a number of at least 0 for each column of the box."""
    with pytest.raises(ShapeError, match=wanted):
        digit_boxes([3.0], SCALE, LINE, ink=ink)


def test_frames_must_go_on() -> None:
    """A stride is above 0."""
    with pytest.raises(UsageError, match="stride"):
        digit_boxes([3.0], FrameScale(0.0, 1.0), LINE)
