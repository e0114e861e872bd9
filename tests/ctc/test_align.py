"""Places: where each digit of a string stands, how sure it is, what else it may be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from digitlens.ctc import align, decode
from digitlens.errors import DataError, UsageError

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
