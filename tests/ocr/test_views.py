"""One look at a line, and a second one only in doubt."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from digitlens.ctc import decode, decode_ensemble, to_probs
from digitlens.ocr.recognize import recognize

Make = Callable[..., np.ndarray]
Network = Callable[..., object]
LINE = np.full((32, 60), 255, np.uint8)
OTHER = np.full((32, 40), 200, np.uint8)


def never() -> np.ndarray:
    """Fail where a second picture is asked for."""
    raise AssertionError("a second look was taken")


def test_what_is_sure_is_looked_at_once(make_frames: Make, replies: Network) -> None:
    """A string of 98 % or more is taken at the first look."""
    frames = make_frames({"4": 0.999}, {"7": 0.999})
    network = replies(frames)
    said, decoded = recognize(network, LINE, retry=never)
    assert np.array_equal(said, to_probs(frames))
    assert decoded == decode(to_probs(frames))
    assert [item.shape for item in network.seen] == [LINE.shape]


def test_a_doubt_asks_for_another_look(make_frames: Make, replies: Network) -> None:
    """In doubt the other picture is asked for once, and both looks count together."""
    one, two = (
        make_frames({"4": 0.999}, {"1": 0.6, "7": 0.39}),
        make_frames({"4": 0.99}, {"7": 0.9, "1": 0.09}),
    )
    network = replies(one, two)
    asked = []
    said, decoded = recognize(network, LINE, retry=lambda: asked.append(1) or OTHER)
    assert asked == [1]
    assert [item.shape for item in network.seen] == [LINE.shape, OTHER.shape]
    assert decoded == decode_ensemble([to_probs(one), to_probs(two)])
    assert decode(to_probs(one)).best.text == "41"
    assert decoded.best.text == "47"
    assert np.array_equal(said, to_probs(one)), "places are those of the first picture"


@pytest.mark.parametrize("sure", [0.97, 0.985])
def test_doubt_begins_below_98_per_cent(
    make_frames: Make, replies: Network, sure: float
) -> None:
    """A little below the bar a line is looked at twice, a little above once."""
    frames = make_frames({"4": sure})
    network = replies(frames, frames)
    recognize(network, LINE, retry=lambda: OTHER)
    assert len(network.seen) == (2 if sure < 0.98 else 1)


def test_where_there_is_no_other_picture_the_first_look_stands(
    make_frames: Make, replies: Network
) -> None:
    """A doubt stays one where no second picture can be made, or none is offered."""
    frames = make_frames({"4": 0.6, "9": 0.39})
    for second in (None, lambda: None):
        network = replies(frames)
        said, decoded = recognize(network, LINE, retry=second)
        assert np.array_equal(said, to_probs(frames))
        assert decoded == decode(to_probs(frames))


def test_a_length_may_leave_no_doubt(make_frames: Make, replies: Network) -> None:
    """How sure the string is among those of the wanted length says whether to look again."""
    frames = make_frames({"4": 0.999}, {"7": 0.7})
    network = replies(frames)
    _, decoded = recognize(network, LINE, lengths={2}, retry=never)
    assert decoded.best.text == "47"
    assert decoded.best.probability < 0.98
    network = replies(frames, frames)
    recognize(network, LINE, lengths={1, 2}, retry=lambda: OTHER)
    assert len(network.seen) == 2


def test_lengths_hold_for_both_looks(make_frames: Make, replies: Network) -> None:
    """The second look gives strings of the wanted lengths only."""
    one, two = make_frames({"4": 0.6, "9": 0.39}), make_frames({"4": 0.9}, {"7": 0.999})
    _, decoded = recognize(replies(one, two), LINE, lengths={1}, retry=lambda: OTHER)
    assert {len(item.text) for item in decoded.candidates} == {1}


@pytest.mark.parametrize("empty", [0.4, 0.6])
def test_a_word_is_looked_at_once(make_frames: Make, replies: Network, empty: float) -> None:
    """What most likely holds no digit is looked at again only where that is not likely."""
    rest = (1 - empty) / 3
    frames = make_frames({"4": rest, "9": rest, "7": rest})
    network = replies(frames, frames)
    _, decoded = recognize(network, LINE, retry=lambda: OTHER)
    assert decoded.best.text == ""
    assert len(network.seen) == (2 if empty < 0.5 else 1)


def test_a_length_that_cannot_be_asks_for_nothing(make_frames: Make, replies: Network) -> None:
    """Where no string of the wanted length fits, there is none, and no second look."""
    network = replies(make_frames({"4": 0.9}))
    _, decoded = recognize(network, LINE, lengths={500}, retry=never)
    assert decoded.candidates == ()
