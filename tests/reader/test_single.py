"""A picture of one line -> the line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from digitlens.ink.opening import Opened
from digitlens.reader.single import close_up, line_of

Grey = np.ndarray
Make = Callable[..., Any]


def opened(pixels: Grey) -> Opened:
    """Return a picture as it is opened."""
    return Opened(pixels, "the picture", "")


@pytest.mark.parametrize("margin", [4, 10, 100, 500])
@pytest.mark.parametrize("light", [False, True])
def test_paper_around_does_not_matter(
    print_line: Make, network: Any, ink_box: Make, margin: int, light: bool
) -> None:
    """With little paper around or much a line is read alike, its boxes in the picture."""
    grey = print_line("4028", margin=margin)
    line = line_of(network, opened(255 - grey if light else grey), None)
    assert line.text == "4028"
    left, top, right, bottom = ink_box(grey)
    assert line.digits[0].box[0] == pytest.approx(left, abs=1)
    assert line.digits[-1].box[2] == pytest.approx(right, abs=1)
    assert min(digit.box[1] for digit in line.digits) == pytest.approx(top, abs=1)
    assert max(digit.box[3] for digit in line.digits) == pytest.approx(bottom, abs=1)
    lefts = [digit.box[0] for digit in line.digits]
    assert lefts == sorted(lefts)
    assert 0 <= line.box[0] <= left < right <= line.box[2] <= grey.shape[1]
    assert 0 <= line.box[1] <= top < bottom <= line.box[3] <= grey.shape[0]


def test_a_line_that_fills_its_picture_is_read_from_edge_to_edge(
    print_line: Make, network: Any
) -> None:
    """With little paper around nothing is cut away, and sure lines are looked at once."""
    grey = print_line("4028", margin=4)
    line = line_of(network, opened(grey), None)
    assert line.box == (0, 0, grey.shape[1], grey.shape[0])
    assert [each.shape for each in network.seen] == [grey.shape]


def test_a_little_more_paper_above_and_below_stays(print_line: Make, network: Any) -> None:
    """Paper is cut off above and below from a fifth of the picture's height on, not before."""
    for margin, high in ((12, 45 + 24), (25, 45 + 18)):
        network.seen.clear()
        line_of(network, opened(print_line("4028", margin=margin)), None)
        assert network.seen[0].shape[0] == pytest.approx(high, abs=1)


def test_noise_on_the_paper_does_not_widen_boxes(
    print_line: Make, network: Any, ink_box: Make
) -> None:
    """Each digit's box ends where its strokes do, though the paper is not clean."""
    clean = print_line("4028")
    noise = np.random.default_rng(0).normal(0, 8, clean.shape)
    noisy = np.clip(clean * 0.8 + 20 + noise, 0, 255).astype(np.uint8)
    one, two = (line_of(network, opened(grey), None) for grey in (clean, noisy))
    assert two.text == "4028"
    for plain, other in zip(one.digits, two.digits, strict=True):
        assert other.box == pytest.approx(plain.box, abs=1.5)


def test_colours_are_read_as_grey(print_line: Make, network: Any) -> None:
    """A coloured picture is shown to the network as the grey that an eye sees."""
    grey = print_line("4028")
    coloured = np.dstack([grey, grey, np.full_like(grey, 255)])
    assert line_of(network, opened(coloured), None).text == "4028"
    (shown,) = network.seen
    assert shown.ndim == 2
    assert shown.min() == round(0.114 * 255)


def test_a_doubt_is_looked_at_closely(print_line: Make, make_network: Make) -> None:
    """In doubt the line is shown once more, cut closer to its writing; places stay."""
    grey = print_line("4028", margin=30)
    sure, unsure = make_network(), make_network(0.9)
    one, two = (line_of(each, opened(grey), None) for each in (sure, unsure))
    assert len(sure.seen) == 1
    assert len(unsure.seen) == 2
    assert all(
        near < far for near, far in zip(*(s.shape for s in unsure.seen[::-1]), strict=True)
    )
    assert [digit.box for digit in one.digits] == [digit.box for digit in two.digits]


def test_lengths_are_kept(print_line: Make, make_network: Make) -> None:
    """With a length the line has that many digits, though it shows more."""
    grey = print_line("4028")
    assert len(line_of(make_network(0.9), opened(grey), frozenset({3})).text) == 3
    assert line_of(make_network(0.9), opened(grey), frozenset({3, 4})).text == "4028"


@pytest.mark.parametrize("shape", [(60, 300), (5, 5), (5, 900), (400, 20)])
def test_bare_paper_holds_nothing(network: Any, shape: tuple[int, int]) -> None:
    """Bare paper gives an empty line, the picture its box."""
    line = line_of(network, opened(np.full(shape, 200, np.uint8)), None)
    assert (line.text, line.digits) == ("", ())
    assert line.box == (0, 0, shape[1], shape[0])


def test_there_is_no_close_up_of_bare_paper(
    make_frames: Make, replies: Make, print_line: Make
) -> None:
    """Without writing there is no second picture, and the first look stands."""
    paper = np.full((32, 64), 200, np.uint8)
    assert close_up(paper) is None
    network = replies(make_frames({"4": 0.6}, step=8))
    assert line_of(network, opened(paper), None).text == "4"
    close = close_up(print_line("4028", margin=40))
    assert close is not None
    assert close.shape[0] < 44 + 40
