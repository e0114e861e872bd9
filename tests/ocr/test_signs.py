"""Numbers are told from words, and cut out of lines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from digitlens.errors import UsageError
from digitlens.imaging.crop import PITCH, input_width
from digitlens.layout.page_layout import LineCrop, PageLayout
from digitlens.ocr.signs import (
    DIGIT,
    LETTER,
    MARK,
    POINT,
    SEPARATOR,
    choose_parting,
    cut_numbers,
    holds_only_numbers,
    keep_numbers,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEIGHT, WIDTH, MARGIN = 40, 16, 6
"""Of a glyph, and of the paper around a line, in pixels."""


class Oracle:
    """Says of each frame what was drawn there."""

    def __init__(self, signs: list[tuple[int, int, int]]) -> None:
        self.signs = signs
        self.sure = 0.992  # of a sign, the probability of what it is
        self.doubt = 0.002  # the probability that a separator is a digit
        self.mark_doubt = 0.002  # and that a mark is

    def log_probs(self, gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Answer as the network does."""
        rows, columns = gray.shape
        frames = -(-input_width(rows, columns) // PITCH)
        probs = np.full((frames, 5), 0.002, np.float32)
        for left, right, sign in self.signs:
            first, last = (int(x * frames / columns) for x in (left, right))
            probs[first : last + 1] = 0.002
            probs[first : last + 1, sign] = 0.992
            if sign == MARK:
                probs[first : last + 1, DIGIT] = self.mark_doubt
            if sign == SEPARATOR:
                probs[first : last + 1, sign] = self.sure
                probs[first : last + 1, DIGIT] = self.doubt
        return np.log(probs)


def line_of(text: str, gap: int = 8) -> tuple[Oracle, LineCrop]:
    """Draw boxes for digits (d), letters (a), dashes, dots, commas, colons, slashes, low ones
    (l) and marks ($); a gap is half a height of paper (_) or two (a blank).
    """
    signs, x = [], MARGIN
    ink = np.zeros((HEIGHT + 2 * MARGIN, MARGIN + 30 * len(text)), np.uint8)
    kinds = {"d": DIGIT, "a": LETTER, ".": POINT, ",": POINT, "$": MARK}
    kinds |= dict.fromkeys("-/l:", SEPARATOR)
    columns = list[int]()
    for char in text:
        if char == " ":
            columns.append(x)
            continue
        if char == "_":
            x += HEIGHT // 2 - gap
            continue
        top = {
            "-": MARGIN + 18,
            ":": MARGIN + 8,
            ".": MARGIN + 34,
            ",": MARGIN + 32,
            "l": MARGIN + 10,
        }
        bottom = MARGIN + {"-": 24, ",": HEIGHT + 4, "l": HEIGHT + 3}.get(char, HEIGHT)
        width = 6 if char in ".,:" else WIDTH
        row = top.get(char, MARGIN)
        cv2.rectangle(ink, (x, row), (x + width - 1, bottom - 1), 255, -1)
        if char == ":":
            ink[row + 16 : bottom - 8, x : x + width] = 0
        signs.append((x, x + width - 1, kinds[char]))
        x += width + gap
    ink = ink[:, : x - gap + MARGIN]
    places = np.arange(ink.shape[1] + 1, dtype=np.float64)
    for gap_at in columns:  # shortened gaps: two heights of paper were left out here
        places[gap_at - gap // 2 :] += 2.0 * HEIGHT
    crop = LineCrop(ink, places, np.eye(2, 3), float(HEIGHT), 0.0, text.count("d"), 1.0, MARGIN)
    return Oracle(signs), crop


def places(crops: list[LineCrop]) -> list[int]:
    """Return how many digits each crop has."""
    return [crop.components for crop in crops]


@pytest.mark.parametrize(
    ("text", "usual", "join", "split"),
    [
        ("ddd", [3], [3], [3]),
        ("aaa", [], [], []),
        ("aadddd", [4], [4], [4]),
        ("$ddd", [3], [3], [3]),
        ("dd-dd-dddd", [2, 2, 4], [8], [2, 2, 4]),
        ("d.ddd.dd", [6], [6], [1, 3, 2]),
        ("dd aaa ddd", [2, 3], [2, 3], [2, 3]),
        ("ddd -dddd", [3, 4], [7], [3, 4]),
        ("dd:dd", [2, 2], [4], [2, 2]),
        ("$d$", [1], [1], [1]),
        ("dd/", [2], [2], [2]),
        ("/dd", [2], [2], [2]),
    ],
)
def test_a_line_gives_its_numbers(
    text: str, usual: list[int], join: list[int], split: list[int]
) -> None:
    """Words, marks and dashes part numbers and lend them nothing; options say otherwise."""
    network, crop = line_of(text)
    assert places(cut_numbers(network, crop)) == usual  # type: ignore[arg-type]
    assert places(cut_numbers(network, crop, "join")) == join  # type: ignore[arg-type]
    assert places(cut_numbers(network, crop, "split")) == split  # type: ignore[arg-type]


@pytest.mark.parametrize(("doubt", "is_sure"), [(0.002, True), (0.02, False)])
def test_a_slash_that_may_be_a_one_leaves_no_number_sure(doubt: float, is_sure: bool) -> None:
    """It parts numbers, but what stands beside it may lack a digit."""
    network, crop = line_of("dd/dd")
    network.doubt = doubt
    numbers = cut_numbers(network, crop)  # type: ignore[arg-type]
    assert places(numbers) == [2, 2]
    assert [item.certainty > 0.9 for item in numbers] == [is_sure, is_sure]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ddlddldddd", [2, 2, 4]),
        ("dldldd", [1, 1, 2]),
        ("ddddldldd", [4, 1, 2]),
        ("ddddldd", [6]),  # one stroke is no date's
        ("dddlddldd", [7]),  # nor are these, of a number with ones that stand low
        ("dd/dd/dd", [6]),  # as high as the digits
    ],
)
def test_slashes_of_a_date_are_told_from_ones(text: str, wanted: list[int]) -> None:
    """Two low strokes that the network takes for ones part digits where a date has them."""
    network, crop = line_of(text)
    network.sure, network.doubt = 0.1, 0.85
    assert places(cut_numbers(network, crop)) == wanted  # type: ignore[arg-type]


def test_a_stroke_that_is_rather_a_slash_leaves_no_number_sure() -> None:
    """What is read as a 1 among digits, but by itself is a slash, may be either."""
    network, crop = line_of("ddd/dd")
    network.sure, network.doubt = 0.6, 0.39
    (number,) = cut_numbers(network, crop)  # type: ignore[arg-type]
    assert number.certainty <= 0.5


def test_a_slash_at_an_end_is_cut_off_a_line_of_a_page() -> None:
    """It was read along, as a 1, where nothing else said that there is more than a number."""
    network, crop = line_of("dd/")
    kept = keep_numbers(network, PageLayout((crop,), (500, 900)))  # type: ignore[arg-type]
    assert [(item.components, item.certainty > 0.9) for item in kept.crops] == [(2, True)]


@pytest.mark.parametrize(
    ("text", "sure", "doubt", "mark_doubt", "is_sure"),
    [
        ("ddd", 0.9, 0.05, 0.05, True),
        ("dd/", 0.4, 0.55, 0.05, False),  # a 1 that by itself may be a slash
        ("/dd", 0.4, 0.55, 0.05, True),  # numbers often begin with such a one
        ("/dd", 0.6, 0.35, 0.05, False),  # but not with what rather is a slash
        ("dd$", 0.9, 0.05, 0.2, False),
        ("$dd", 0.9, 0.05, 0.05, False),
        ("$$$", 0.9, 0.05, 0.1, False),
    ],
)
def test_a_picture_of_one_line_is_doubted_where_it_may_be_more(
    text: str, sure: float, doubt: float, mark_doubt: float, is_sure: bool
) -> None:
    """It is read whole, and surely only where marks at its ends are not as likely."""
    network, crop = line_of(text)
    network.sure, network.doubt, network.mark_doubt = sure, doubt, mark_doubt
    layout = PageLayout((crop,), (crop.ink.shape[1], crop.ink.shape[0]))
    (number,) = keep_numbers(network, layout, may_be_line=True).crops  # type: ignore[arg-type]
    assert number.ink is crop.ink
    assert (number.certainty == 1.0) is is_sure


def test_marks_on_both_sides_are_cut_off_a_picture_of_one_line() -> None:
    """Digits in brackets are a number, in a picture of them alone, too."""
    network, crop = line_of("$ddd$")
    layout = PageLayout((crop,), (crop.ink.shape[1], crop.ink.shape[0]))
    (number,) = keep_numbers(network, layout, may_be_line=True).crops  # type: ignore[arg-type]
    assert places([number]) == [3]


def test_a_doubtful_letter_on_a_page_of_many_lines_is_no_sure_number() -> None:
    """What is rather a digit, but not by much, may be a letter that stands alone."""
    network, crop = line_of("$d")
    network.mark_doubt = 0.3
    lines = tuple(replace(crop) for _ in range(5))
    kept = keep_numbers(network, PageLayout(lines, (500, 900)))  # type: ignore[arg-type]
    assert all(item.certainty <= 0.5 for item in kept.crops)


@pytest.mark.parametrize(
    ("text", "doubt", "is_sure"),
    [
        ("aaa ddd$", 0.1, False),
        ("aaa $ddd", 0.1, False),
        ("aaa ddd$", 0.01, True),
        ("aaa ddd $", 0.1, True),  # two heights of paper between
    ],
)
def test_a_mark_at_a_number_that_may_be_a_digit_leaves_it_unsure(
    text: str, doubt: float, is_sure: bool
) -> None:
    """The number may be longer than what was cut out."""
    network, crop = line_of(text, gap=12)
    network.mark_doubt = doubt
    (number,) = cut_numbers(network, crop)  # type: ignore[arg-type]
    assert places([number]) == [3]
    assert (number.certainty > 0.9) is is_sure


def test_a_dash_parts_numbers_though_it_may_be_a_piece_of_a_digit() -> None:
    """A low broad stroke at half height is a dash, whatever the network says."""
    network, crop = line_of("ddd-dddd")
    network.sure, network.doubt = 0.4, 0.55
    assert places(cut_numbers(network, crop)) == [3, 4]  # type: ignore[arg-type]


@pytest.mark.parametrize(("doubt", "wanted"), [(0.22, [2]), (0.05, [1, 1])])
def test_the_tail_of_a_digit_is_no_dash(doubt: float, wanted: list[int]) -> None:
    """What a digit runs out in parts numbers only where it is clearly something else."""
    network, crop = line_of("dd", gap=34)
    end = MARGIN + WIDTH
    crop.ink[MARGIN + 18 : MARGIN + 24, end - 1 : end + 26] = 255
    network.signs.append((end, end + 26, SEPARATOR))
    network.sure, network.doubt = 0.98 - doubt, doubt
    assert places(cut_numbers(network, crop)) == wanted  # type: ignore[arg-type]


def test_a_flat_dot_at_half_height_is_no_dash() -> None:
    """A dot inside an amount stays one where the line slopes and it is a few pixels high."""
    network, crop = line_of("d.dd")
    dot = np.flatnonzero(crop.ink[MARGIN + 36, MARGIN + WIDTH : MARGIN + 2 * WIDTH] > 0)
    left = MARGIN + WIDTH + int(dot[0])
    crop.ink[MARGIN + 34 : MARGIN + HEIGHT, left : left + len(dot)] = 0
    crop.ink[MARGIN + 22 : MARGIN + 26, left : left + len(dot)] = 255
    network.signs[1] = (left, left + len(dot), SEPARATOR)
    assert len(dot) == 6
    assert places(cut_numbers(network, crop)) == [3]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "wanted", "is_sure"),
    [
        ("aa d,ddd", [4], True),
        ("aa d,_ddd", [4], False),  # where every sign is as broad as the next, or a list
        ("aa dd._ddd,dd", [7], True),  # a point is of one number
        ("aa ddddd,_ddd", [5, 3], True),  # no amount has such groups
        ("aa dd,_dd,_dd", [2, 2, 2], True),
        ("aa dd,__dd", [2, 2], True),
        ("ddddd,_ddd", [5, 3], True),  # without a word beside it, too
    ],
)
def test_a_comma_is_of_an_amount_or_of_a_list(
    text: str, wanted: list[int], is_sure: bool
) -> None:
    """The paper behind it and the groups of digits say which; else the number is not sure."""
    network, crop = line_of(text)
    numbers = cut_numbers(network, crop)  # type: ignore[arg-type]
    assert places(numbers) == wanted
    assert all((number.certainty > 0.9) is is_sure for number in numbers)


@pytest.mark.parametrize(("text", "count"), [("ddd_._dd", 1), ("ddd___dd", 3)])
def test_a_gap_with_a_point_in_it_parts_nothing(text: str, count: int) -> None:
    """The parts to which a wide gap led are dropped where a point stands in it."""
    network, crop = line_of(text)
    part = replace(crop, part=True)
    kept = keep_numbers(network, PageLayout((crop, part, part), (500, 300)))  # type: ignore[arg-type]
    assert len(kept.crops) == count


def test_a_number_stays_as_it_was() -> None:
    """A line of digits alone is not cut, whatever points and tails it has."""
    for text in ("dddd", "d.dd", "ddd-"):
        network, crop = line_of(text)
        (number,) = cut_numbers(network, crop)  # type: ignore[arg-type]
        assert number.ink is crop.ink


def test_a_wide_gap_parts_numbers() -> None:
    """Two heights of paper part digits beside a word, but not where gaps recur."""
    network, crop = line_of("aa ddd dd")
    assert places(cut_numbers(network, crop)) == [3, 2]  # type: ignore[arg-type]
    network, crop = line_of("aa d d d d")
    assert places(cut_numbers(network, crop)) == [4]  # type: ignore[arg-type]


def test_what_is_cut_out_lies_where_it_was() -> None:
    """A number's crop shows its own ink only, and its box is that of its digits."""
    network, crop = line_of("aadd")
    (number,) = cut_numbers(network, crop)  # type: ignore[arg-type]
    left = MARGIN + 2 * (WIDTH + 8)
    assert number.box == (left, MARGIN, left + 2 * WIDTH + 8, MARGIN + HEIGHT)
    assert int((number.ink > 0).sum()) == int((crop.ink[:, left:] > 0).sum())


def test_a_page_keeps_its_words_apart() -> None:
    """Lines without a digit are the layout's words, and their parts are no numbers either."""
    network, word = line_of("aaa")
    part = replace(word, part=True)
    layout = PageLayout((word, part), (500, 300))
    kept = keep_numbers(network, layout)  # type: ignore[arg-type]
    assert not kept.crops
    assert kept.words == (word,)
    assert not holds_only_numbers(layout, kept)


def test_join_and_split_are_opposites() -> None:
    """Both at once are refused."""
    with pytest.raises(UsageError, match="opposites"):
        choose_parting(join=True, split=True)
