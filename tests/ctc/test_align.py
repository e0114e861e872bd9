"""Places of digits in a line, their confidence, and their boxes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from digitlens.ctc import FrameScale, align, decode, digit_boxes
from digitlens.errors import DataError, ShapeError, UsageError

Lines = Callable[..., np.ndarray]


def test_digits_stand_where_their_peaks_are(line: Lines) -> None:
    """Each digit's centre and extent are those of its peak; the order is that of the text."""
    spans = align(line("440", step=8), "440")
    assert [span.digit for span in spans] == ["4", "4", "0"]
    assert [span.center for span in spans] == pytest.approx([8, 16, 24], abs=1e-3)
    assert [(span.first, span.last) for span in spans] == [(8, 8), (16, 16), (24, 24)]


def test_a_broad_peak_has_an_extent() -> None:
    """A digit that is shown by three frames reaches over three frames, from the middle out."""
    frames = np.full((20, 11), 1e-9)
    frames[8:11, 6] = 0.5, 0.98, 0.5
    frames[:, 10] = 1 - frames[:, :10].sum(axis=1)
    (span,) = align(frames, "6")
    assert (span.first, span.last) == (8, 10)
    assert span.center == pytest.approx(9)


def test_a_digit_that_no_frame_shows_for_sure() -> None:
    """A digit that may be in any of many frames has an extent all the same."""
    frames = np.full((60, 11), 1e-9)
    frames[10:50, 6] = 0.02
    frames[:, 10] = 1 - frames[:, :10].sum(axis=1)
    (span,) = align(frames, "6")
    assert 10 <= span.first <= span.last < 50
    assert span.center == pytest.approx(29.5)


def test_confidence_is_that_of_the_place(line: Lines) -> None:
    """A doubtful digit has its rival beside it, and leaves its neighbours as sure as ever."""
    one, two, three = align(line("123", peak=0.99, rivals={1: ("7", 0.39)}), "123")
    assert two.confidence == pytest.approx(0.6, abs=0.001)
    assert [text for text, _ in two.alternatives] == ["7", ""]
    assert two.alternatives[0][1] == pytest.approx(0.39, abs=0.001)
    assert one.confidence == pytest.approx(0.99, abs=0.001)
    assert three.confidence == pytest.approx(0.99, abs=0.001)


def test_a_digit_that_may_not_be_there(line: Lines) -> None:
    """Where blank is the rival, the alternative is no digit."""
    (span,) = align(line("5", peak=0.8), "5")
    assert span.confidence == pytest.approx(0.8, abs=0.001)
    assert span.alternatives == (("", pytest.approx(0.2, abs=0.001)),)


def test_a_string_that_is_not_the_best(line: Lines) -> None:
    """Any string can be looked for; its wrong digit is held for unlikely."""
    spans = align(line("123", rivals={1: ("7", 0.09)}), "173")
    assert spans[1].confidence == pytest.approx(0.09, abs=0.002)
    assert spans[1].alternatives[0][0] == "2"


def test_a_string_that_the_frames_hardly_hold(line: Lines) -> None:
    """Digits of which no frame has a trace are placed all the same, in order."""
    spans = align(line("12", noise=1e-9), "1832")
    centres = [span.center for span in spans]
    assert centres == sorted(centres)
    assert spans[1].confidence < 1e-3


def test_a_string_too_unlikely_for_a_float_is_placed() -> None:
    """A string of less than 1e-308, as a length asked of noise may bring, has its places."""
    frames = np.full((400, 11), 0.099)
    frames[:, 10] = 0.01
    frames[100, 3], frames[300, 4] = 0.5, 0.3
    frames /= frames.sum(axis=1, keepdims=True)
    three, four = align(frames, "34")
    assert three.center < four.center
    assert 0 < three.confidence < 1
    best = decode(frames, lengths={2}).best
    assert best is not None
    assert best.probability == 0.0


def test_no_string_has_no_digits(line: Lines) -> None:
    """The empty string has no places."""
    assert align(line("12"), "") == ()


def test_impossible_strings_are_refused() -> None:
    """Twins need a blank between them: four frames hold 12 and not 1112."""
    probs = np.full((4, 11), 1 / 11)
    assert len(align(probs, "1213")) == 4
    with pytest.raises(DataError) as caught:
        align(probs, "1112")
    assert caught.value.likely == "the line is too short: 4 digits take 6 time steps or more"


def test_a_string_of_impossible_digits_is_refused() -> None:
    """Where the frames are many enough, no cause is guessed."""
    frames = np.zeros((8, 11))
    frames[:, 10] = 1.0
    with pytest.raises(DataError) as caught:
        align(frames, "1")
    assert caught.value.likely is None


def test_only_digits_can_be_looked_for(line: Lines) -> None:
    """A text with anything else in it is refused."""
    with pytest.raises(UsageError, match="must be made of the digits"):
        align(line("12"), "1-2")


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
