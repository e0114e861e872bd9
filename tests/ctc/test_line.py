"""Lines: all of a reading together, and as plain values."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from digitlens.ctc import (
    Alternative,
    ConfidenceModels,
    FrameScale,
    Line,
    assemble_line,
    fit_confidence,
)

Lines = Callable[..., np.ndarray]
BOX = (10.0, 20.0, 90.0, 44.0)


def test_a_line_is_read(line: Lines) -> None:
    """The string, a digit with its box for each character, and other strings come back."""
    probs = line("0123", rivals={2: ("7", 0.2)})
    read = assemble_line(probs, BOX, scale=FrameScale(2.0, 11.0))
    assert str(read) == read.text == "0123"
    assert read.box == BOX
    assert read.alternatives[0].text == "0173"
    assert [digit.text for digit in read.digits] == [*"0123"]
    assert read.digits[2].alternatives[0].text == "7"
    middles = [(digit.box[0] + digit.box[2]) / 2 for digit in read.digits]
    assert middles == pytest.approx([27, 43, 59, 75], abs=0.1)
    assert read.confidence + sum(item.probability for item in read.alternatives) <= 1


def test_by_default_a_frame_is_two_pixels(line: Lines) -> None:
    """Without a scale the frames begin at the left edge of the box, two pixels each."""
    probs = line("0123")
    assert assemble_line(probs, BOX) == assemble_line(probs, BOX, scale=FrameScale(2.0, 11.0))


def test_ink_narrows_the_boxes(line: Lines) -> None:
    """An ink profile is handed on to the boxes."""
    ink = np.zeros(80)
    ink[12:22] = 1.0
    (digit,) = assemble_line(line("5"), BOX, ink=ink).digits
    assert (digit.box[0], digit.box[2]) == (22.0, 32.0)


def test_a_line_of_blanks_has_no_digits(line: Lines) -> None:
    """An empty string is an answer, with the probability that it is right."""
    read = assemble_line(line(""), BOX)
    assert (read.text, read.digits) == ("", ())
    assert read.confidence > 0.99


def test_an_impossible_length_is_no_answer() -> None:
    """Where no string of the length can be, the line is empty and not sure at all."""
    read = assemble_line(np.full((3, 11), 1 / 11), BOX, lengths={5})
    assert (read.text, read.confidence, read.alternatives) == ("", 0.0, ())


def test_noise_is_read_without_a_fault() -> None:
    """A line of noise gives some line of the wanted length, or none."""
    rng = np.random.default_rng(0)
    for spread in (0.0, 1.0, 3.0, 9.0):
        logits = rng.normal(0, spread, (250, 11))
        probs = np.exp(logits)
        probs /= probs.sum(axis=1, keepdims=True)
        for length in (5, 20):
            read = assemble_line(probs, BOX, lengths={length})
            assert len(read.digits) in (0, length)
            assert 0 <= read.confidence <= 1


def test_with_a_length_alternatives_have_it(line: Lines) -> None:
    """Given a length, confidence and alternatives are those among strings of that length."""
    probs = line("0123", peak=0.7, rivals={2: ("7", 0.2)})
    read = assemble_line(probs, BOX, lengths={4})
    assert read.confidence > assemble_line(probs, BOX).confidence
    assert all(len(item.text) == 4 for item in read.alternatives)


def test_calibrations_set_the_confidence(line: Lines) -> None:
    """With calibrations the confidence is the calibrated one, of the length that was given."""
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (200, 5))
    good = fit_confidence(features, np.ones(200, bool), rng)
    bad = fit_confidence(features, np.zeros(200, bool), rng)
    calibrations = ConfidenceModels(good, by_length={4: bad})
    probs = line("0123")
    assert assemble_line(probs, BOX, calibrations=calibrations).confidence > 0.98
    given = assemble_line(probs, BOX, lengths={4}, calibrations=calibrations)
    assert given.text == "0123"
    assert given.confidence < 0.02


def test_a_line_as_plain_values(line: Lines) -> None:
    """What JSON gets is documented, complete and rounded; the text stays text."""
    raw = json.loads(json.dumps(assemble_line(line("07"), BOX).as_dict()))
    assert list(raw) == ["format", "text", "confidence", "box", "digits", "alternatives"]
    assert (raw["format"], raw["text"], raw["box"]) == (1, "07", [10.0, 20.0, 90.0, 44.0])
    assert list(raw["digits"][0]) == ["text", "confidence", "box", "alternatives"]
    assert raw["digits"][0]["text"] == "0"
    assert list(raw["alternatives"][0]) == ["text", "probability"]
    assert raw["confidence"] == round(raw["confidence"], 6)


def test_a_line_has_a_digit_for_each_character() -> None:
    """A line whose digits do not spell its text cannot be made."""
    with pytest.raises(AssertionError, match="a digit for each character"):
        Line("12", 0.5, BOX, (), (Alternative("13", 0.1),))
