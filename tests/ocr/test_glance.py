"""Lines without digits are left out at a glance, and long lines tell which way is up."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlens.layout.page_layout import LineCrop, PageLayout
from digitlens.ocr.glance import MIN_DIGIT_WIDTH, LineGlances
from digitlens.ocr.units import DIGIT, LETTER

HEIGHT, MARGIN = 30, 5


class Marked:
    """Reads the marks in a line's upper left corner: how much of it is digits, how clearly."""

    def __init__(self) -> None:
        self.asked = 0

    def log_probs(self, gray: np.ndarray) -> np.ndarray:
        """Answer as the network of signs does: of a line on its head less surely."""
        self.asked += 1
        mark, digit, clarity = (255 - gray[0, :3].astype(int)) / 100
        probs = np.full((gray.shape[1] // 2, 5), 0.001)
        probs[:, DIGIT] = digit if mark else 0.3
        probs[:, LETTER] = clarity if mark else 0.8
        return np.log(np.maximum(probs, 1e-6))


def crop(
    digit: float, *, width: int = 200, part: bool = False, clarity: float = 0.95
) -> LineCrop:
    """Return a line of full ink, of which so much is a digit's."""
    ink = np.full((HEIGHT + 2 * MARGIN, width + 2 * MARGIN), 255, np.uint8)
    ink[[0, -1]] = 0
    ink[0, :3] = 100, round(100 * digit), round(100 * clarity)
    return LineCrop(
        ink, np.arange(ink.shape[1] + 1.0), np.eye(3)[:2], 30, 0.0, 5, 1.0, MARGIN, part=part
    )


def page(*crops: LineCrop, doubtful: bool = False) -> PageLayout:
    """Return a page of these lines."""
    return PageLayout(crops, (600, 400), doubtful=doubtful)


def test_lines_without_digits_are_left_out() -> None:
    """A line stays whose ink may hold the digits that are wanted."""
    word, number = crop(0.01), crop(0.9)
    kept = LineGlances(Marked()).drop_words(page(word, number), 5)  # type: ignore[arg-type]
    assert kept.crops == (number,)


@pytest.mark.parametrize("is_turned", [False, True])
def test_parts_of_words_are_not_looked_at(is_turned: bool) -> None:
    """A part is only asked for where its line is kept, before or after it in the order."""
    lines = crop(0.01), crop(0.9, part=True), crop(0.9), crop(0.9, part=True)
    layout = page(*(lines if not is_turned else (lines[3], lines[2], lines[1], lines[0])))
    network = Marked()
    kept = LineGlances(network).drop_words(layout, 5)  # type: ignore[arg-type]
    assert set(kept.crops) >= {lines[2], lines[3]}
    assert lines[0] not in kept.crops
    only_word = page(lines[0], lines[1])
    network = Marked()
    assert LineGlances(network).drop_words(only_word, 5).crops == ()  # type: ignore[arg-type]
    assert network.asked == 1


def test_only_lines_with_digits_are_parted() -> None:
    """Parts are cut of upright lines that may hold digits, and of all where nothing is told."""
    word, number = crop(0.01, clarity=0.97), crop(0.9, clarity=0.97)
    layout = PageLayout((word, number), (600, 400))
    glances = LineGlances(Marked())  # type: ignore[arg-type]
    assert glances.find_parted(layout, 5, lambda *_: True) == (number,)
    assert glances.find_parted(layout, 5, lambda *_: False) == ()
    turned = layout.upside_down()
    assert glances.find_parted(turned, 5, lambda *_: True) == turned.crops


@given(st.lists(st.floats(0, 1), max_size=6), st.tuples(*[st.integers(1, 12)] * 2))
def test_more_wanted_digits_keep_fewer_lines(
    shares: list[float], counts: tuple[int, int]
) -> None:
    """What may hold many digits may hold few; order and lines stay as they are."""
    layout = page(*map(crop, shares))
    glances = LineGlances(Marked())  # type: ignore[arg-type]
    few, many = (glances.drop_words(layout, count).crops for count in sorted(counts))
    assert set(many) <= set(few)
    places = [layout.crops.index(item) for item in few]
    assert all(one < two for one, two in pairwise(places))
    # All of a line's ink, the margins too, is seven heights wide.
    least = MIN_DIGIT_WIDTH * min(counts) / 7 - 0.01
    assert all(shares[index] >= least for index in places)


@pytest.mark.parametrize("is_turned", [False, True])
def test_long_lines_tell_which_way_is_up(is_turned: bool) -> None:
    """The way up is the one in which long lines are writing more clearly."""
    upright = page(crop(0.1, clarity=0.97), crop(0.5, width=40, clarity=0.1))
    layout = upright.upside_down() if is_turned else upright
    best = LineGlances(Marked()).tell_way_up(layout)  # type: ignore[arg-type]
    assert best is not None
    assert best.rotation == 0
    assert best.clarity == pytest.approx(0.97)


def test_a_sheet_that_lay_has_no_likelier_head() -> None:
    """A small lead tells which way is up where a page stands as it should, and nowhere else."""
    layout = page(crop(0.1, clarity=0.82))
    for network, lead, is_told in ((Marked(), 0.015, True), (Marked(), 0.03, False)):
        best = LineGlances(network, lead).tell_way_up(layout)  # type: ignore[arg-type]
        assert (best is not None) is is_told


def test_two_clear_lines_are_enough() -> None:
    """Where the longest lines are clear about it, the others are not looked at."""
    longest, long = crop(0.1, width=300, clarity=0.97), crop(0.1, width=250, clarity=0.97)
    others = [crop(0.1, width=180, clarity=0.82) for _ in range(5)]
    for is_doubtful, asked in ((False, 4), (True, 14)):
        network = Marked()
        layout = page(*others, long, longest, doubtful=is_doubtful)
        best = LineGlances(network).tell_way_up(layout)  # type: ignore[arg-type]
        assert best is not None
        assert best.rotation == 0
        assert network.asked == asked


def test_where_both_ways_look_alike_nothing_is_told() -> None:
    """No long line, or hardly a difference: which way is up is for a reader to say."""
    for layout in (page(), page(crop(0.1, width=40)), page(crop(0.1, clarity=0.81))):
        assert LineGlances(Marked()).tell_way_up(layout) is None  # type: ignore[arg-type]


def test_clear_writing_does_not_lie() -> None:
    """A page that may lie on its side does not where its long lines are clearly writing."""
    for clarity, is_doubtful in ((0.99, False), (0.9, True)):
        layout = page(crop(0.1, clarity=clarity), doubtful=True)
        best = LineGlances(Marked()).tell_way_up(layout)  # type: ignore[arg-type]
        assert best is not None
        assert best.doubtful is is_doubtful
