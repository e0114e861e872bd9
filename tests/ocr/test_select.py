"""Which lines of a page are numbers, whole or in parts, and in which order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from digitlens.ctc import Line, LineDigit
from digitlens.layout import Grid, LineCrop, PageLayout
from digitlens.ocr.select import (
    RecognizedLine,
    doubt_odd_digits,
    doubt_single_line,
    drop_specks,
    drop_twins,
    drop_unsure,
    is_one_line,
    may_be_one_line,
    merge_single_line,
    sort_by_likelihood,
    suppress_overlaps,
)

Box = tuple[float, float, float, float]


def strip(box: Box, *, part: bool = False, score: float = 0.5) -> LineCrop:
    """Return a strip whose ink fills this box of the picture."""
    left, top, right, bottom = box
    width, height = int(right - left), int(bottom - top)
    place = np.array([[1.0, 0, left], [0, 1.0, top]])
    ink = np.full((height, width), 255, np.uint8)
    columns = np.arange(width + 1.0)
    return LineCrop(ink, columns, place, float(height), 0.0, 1, score, part=part)


def line(text: str, confidence: float = 0.9, box: Box = (0, 0, 100, 20)) -> Line:
    """Return a line that was read so."""
    return Line(text, confidence, box, tuple(LineDigit(item, 1.0, box) for item in text))


def result(
    text: str, confidence: float, box: Box, *, part: bool = False, score: float = 0.5
) -> RecognizedLine:
    """Return a strip in this box that was read so."""
    return RecognizedLine(strip(box, part=part, score=score), line(text, confidence, box))


def parted(*gaps: float, sure: float = 0.9, whole: float = 0.5) -> list[RecognizedLine]:
    """Return a line 20 high and its parts, one digit each, so many heights apart."""
    lefts = np.cumsum([0.0, *(20 + 20 * gap for gap in gaps)])
    texts = "1234567"[: len(lefts)]
    boxes = [(left, 0.0, left + 20, 20.0) for left in lefts]
    parts = [result(*item, part=True) for item in zip(texts, [sure] * 9, boxes, strict=False)]
    return [result(texts, whole, (0.0, 0.0, boxes[-1][2], 20.0)), *parts]


def texts(several: list[RecognizedLine]) -> list[str]:
    """Return what was read."""
    return [item.line.text for item in several]


@pytest.mark.parametrize(
    ("gaps", "kept"),
    [
        ((0.75,), ["12"]),
        ((0.85,), ["1", "2"]),
        ((0.75, 0.85), ["123"]),
        ((2.0, 2.9), ["123"]),
        ((2.0, 3.1), ["1", "2", "3"]),
        ((0.2, 2.0), ["1", "2", "3"]),
        ((3.0, 3.0, 3.0), ["1234"]),
    ],
)
def test_even_gaps_make_one_number(gaps: tuple[float, ...], kept: list[str]) -> None:
    """Near parts are one number, far ones too where they are several at even distance."""
    assert texts(suppress_overlaps(parted(*gaps))) == kept


@pytest.mark.parametrize(("gap", "is_sure"), [(1.0, False), (1.3, True)])
def test_a_digit_not_far_from_a_number_leaves_both_unsure(gap: float, is_sure: bool) -> None:
    """It may be of the number; two numbers of several digits are two."""
    one, two = suppress_overlaps(parted(gap, sure=0.99))
    assert [(item.line.confidence > 0.9) for item in (one, two)] == [is_sure, is_sure]
    whole, left, right = parted(gap, sure=0.99)
    longer = [
        replace(item, line=line(text, item.line.confidence, item.line.box))
        for item, text in ((whole, "1257"), (left, "12"), (right, "57"))
    ]
    assert all(item.line.confidence > 0.9 for item in suppress_overlaps(longer))


def test_gaps_are_counted_from_left_to_right() -> None:
    """In which order parts are found says nothing of their gaps."""
    whole, *parts = parted(2.0, 2.2, 2.1)
    for order in (parts, parts[::-1], [parts[2], parts[0], parts[3], parts[1]]):
        assert texts(suppress_overlaps([whole, *parts])) == ["1234"], order


@pytest.mark.parametrize("gaps", [(0.75,), (0.85,), (2.0, 3.1)])
def test_lines_read_from_the_last_to_the_first_are_given_once(gaps: tuple[float, ...]) -> None:
    """A page on its head has the parts of a line before the whole of it."""
    whole, *parts = parted(*gaps)
    there = texts(suppress_overlaps([whole, *parts]))
    on_its_head = replace(whole, line=line(whole.line.text[::-1], 0.9, whole.line.box))
    back = texts(suppress_overlaps([*parts[::-1], on_its_head]))
    assert back == [text[::-1] for text in there[::-1]]


def test_a_number_beside_a_word_is_the_part() -> None:
    """Where one part is no number, the surer of the whole and the parts is kept."""
    place = (0.0, 0.0, 200.0, 20.0)
    whole = result("41", 0.3, place)
    number = result("4", 0.9, (0.0, 0.0, 20.0, 20.0), part=True)
    word = result("", 0.8, (100.0, 0.0, 200.0, 20.0), part=True)
    assert texts(suppress_overlaps([whole, number, word])) == ["4", ""]
    surer = replace(whole, line=line("41", 0.75, place))
    assert texts(suppress_overlaps([surer, number, word])) == ["41"]


def test_parts_read_otherwise_are_weighed() -> None:
    """Where parts and whole differ, the parts count as all of them together."""
    whole, one, two = parted(0.1, whole=0.7)
    other = replace(one, line=line("7", 0.8, one.line.box))
    assert texts(suppress_overlaps([whole, other, two])) == ["7", "2"]
    surer = replace(whole, line=line("12", 0.73, whole.line.box))
    assert texts(suppress_overlaps([surer, other, two])) == ["12"]


def test_one_of_them_empty_is_no_choice() -> None:
    """A whole that is no number gives way to its parts; parts that are none to the whole."""
    whole, one, two = parted(0.1)
    nothing = replace(whole, line=line("", 0.99, whole.line.box))
    assert texts(suppress_overlaps([nothing, one, two])) == ["1", "2"]
    empty = [replace(item, line=line("", 0.99, item.line.box)) for item in (one, two)]
    assert texts(suppress_overlaps([whole, *empty])) == ["12"]
    assert texts(suppress_overlaps([nothing, *empty])) == ["", ""]


def test_only_parts_that_lie_in_a_line_are_its_parts() -> None:
    """A part of another line stays, and parts hold no parts."""
    whole, one, two = parted(0.1)
    elsewhere = result("7", 0.9, (0.0, 100.0, 20.0, 120.0), part=True)
    assert texts(suppress_overlaps([whole, one, two, elsewhere])) == ["12", "7"]
    assert texts(suppress_overlaps([elsewhere, whole, one, two])) == ["7", "12"]
    within = result("5", 0.9, (2.0, 2.0, 12.0, 18.0), part=True)
    assert texts(suppress_overlaps([one, within])) == ["1", "5"]


def test_each_line_is_judged_for_itself() -> None:
    """Lines keep their order, each whole or in parts; without any there is none."""
    below = [
        RecognizedLine(
            strip((*item.crop.box[:1], 50.0, item.crop.box[2], 70.0), part=item.crop.part),
            replace(item.line, box=(item.line.box[0], 50.0, item.line.box[2], 70.0)),
        )
        for item in parted(5.0)
    ]
    assert texts(suppress_overlaps([*parted(0.1), *below, *parted(0.2)])) == [
        *("12", "1", "2", "12")
    ]
    assert suppress_overlaps([]) == []


def layout(*boxes: Box, size: tuple[int, int] = (200, 60), turn: float = 0.0) -> PageLayout:
    """Return a layout of strips in these boxes."""
    return PageLayout(tuple(strip(box) for box in boxes), size, turn)


LINE = (10.0, 10.0, 190.0, 50.0)


@pytest.mark.parametrize(
    ("boxes", "size", "one"),
    [
        ([LINE], (200, 60), True),
        ([], (200, 60), False),
        ([LINE], (200, 150), False),
        ([(10, 10, 50, 50)], (60, 70), False),
        ([(10, 10, 90, 50), (110, 10, 190, 50)], (200, 60), True),
        ([(10, 10, 70, 50), (110, 10, 190, 50)], (200, 60), False),
        ([(10, 5, 190, 28), (10, 32, 190, 55)], (200, 60), False),
        ([LINE, (10, 52, 60, 58)], (200, 60), True),
    ],
    ids=[
        *("a line", "nothing", "a low line", "higher than wide", "near parts"),
        *("far parts", "two lines", "a line and small print"),
    ],
)
def test_a_picture_of_one_line_is_told(
    boxes: list[Box], size: tuple[int, int], one: bool
) -> None:
    """One line fills the picture's height, without others above, below or far beside it."""
    assert is_one_line(layout(*boxes, size=size)) is one


@pytest.mark.parametrize(
    ("turn", "one"), [(0, True), (350, True), (90, False), (180, True), (270, False)]
)
def test_a_line_on_its_side_is_no_one_line(turn: float, one: bool) -> None:
    """A picture that had to be turned far is no picture of one line."""
    assert is_one_line(layout(LINE, turn=turn)) is one


def test_tables_are_no_lines() -> None:
    """A picture with a table is no picture of one line, nor may it be."""
    plain = layout(LINE)
    ruled = replace(plain, grids=(Grid(1, 1, ()),))
    assert is_one_line(plain)
    assert may_be_one_line(plain)
    assert not is_one_line(ruled)
    assert not may_be_one_line(ruled)


def test_a_page_with_a_tall_mark_is_no_one_line() -> None:
    """Three lines of writing below a mark across the page are a page; specks are not."""
    tall = (0.0, 0.0, 300.0, 100.0)
    for components, one in ((4, False), (1, True)):
        small = [(20.0, top, 120.0, top + 9.0) for top in (10.0, 40.0, 70.0)]
        rows = [replace(strip(box), components=components) for box in small]
        assert (
            is_one_line(replace(layout(tall, size=(300, 100)), crops=(strip(tall), *rows)))
            is one
        )


def test_parts_do_not_count_as_lines() -> None:
    """Parts of the one line change nothing."""
    part = strip((10, 10, 60, 50), part=True)
    assert is_one_line(replace(layout(LINE), crops=(strip(LINE), part)))
    assert not is_one_line(replace(layout(), crops=(part,)))


@pytest.mark.parametrize(
    ("size", "may"),
    [((144, 120), True), ((143, 120), False), ((900, 121), False), ((12, 10), True)],
)
def test_low_wide_pictures_may_be_one_line(size: tuple[int, int], may: bool) -> None:
    """What is at most 120 pixels high and 1.2 times as wide may have been cut out."""
    assert may_be_one_line(layout(size=size)) is may


def test_one_line_is_the_longer_and_surer_reading() -> None:
    """Of a picture of one line either a part that holds as much and is surer, or all."""
    whole, surer, shorter = line("4028", 0.6), line("4029", 0.7), line("40", 0.99)
    assert merge_single_line([surer], whole, certain=True) == (surer,)
    assert merge_single_line([shorter], whole, certain=True) == (whole,)
    assert merge_single_line([line("4028", 0.5)], whole, certain=True) == (whole,)
    assert merge_single_line([shorter, surer], whole, certain=True) == (surer,)


def test_what_only_may_be_one_line_is_one_when_read_so() -> None:
    """Where one line is only likely, the whole counts from a confidence of a half on."""
    parts = [line("40", 0.9), line("28", 0.9)]
    assert merge_single_line(parts, line("4028", 0.5), certain=False) == (line("4028", 0.5),)
    assert merge_single_line(parts, line("4028", 0.4), certain=False) == tuple(parts)
    assert merge_single_line(parts, line("4028", 0.4), certain=True) == (line("4028", 0.4),)
    surer = [line("4029", 0.8), line("7", 0.9)]
    assert merge_single_line(surer, line("4028", 0.6), certain=False) == tuple(surer)


def test_a_line_that_may_be_more_than_a_number_is_not_surely_read_from_edge_to_edge() -> None:
    """The doubt of its ink counts, not that of specks beside it."""
    crop, speck = strip((0, 0, 100, 40)), strip((110, 0, 114, 8))
    whole = line("4028", 0.99)
    assert doubt_single_line(whole, [crop, replace(speck, certainty=0.1)]) == whole
    doubted = doubt_single_line(whole, [replace(crop, certainty=0.5), speck])
    assert doubted == replace(whole, confidence=0.8)


def test_an_empty_whole_leaves_the_parts() -> None:
    """Where nothing was read from edge to edge, what the strips hold stays; and the reverse."""
    parts = [line("40", 0.9)]
    for certain in (True, False):
        assert merge_single_line(parts, line("", 0.99), certain=certain) == tuple(parts)
        assert merge_single_line([], line("", 0.99), certain=certain) == ()
        assert merge_single_line([], line("4028", 0.9), certain=certain) == (line("4028", 0.9),)


def test_a_whole_that_is_no_number_is_left_out() -> None:
    """What was read from edge to edge with less than 10 % is no number, as elsewhere."""
    faint = line("4028", 0.09)
    for certain in (True, False):
        assert merge_single_line([], faint, certain=certain) == ()
        assert merge_single_line([line("40", 0.5)], faint, certain=certain) == (
            line("40", 0.5),
        )
        assert merge_single_line([], line("4028", 0.1), certain=certain) == (line("4028", 0.1),)


def test_numbers_have_digits_and_some_confidence() -> None:
    """What is empty, or less sure than 10 %, is no number."""
    several = [
        result(*item, LINE) for item in (("4", 0.1), ("5", 0.09), ("", 0.99), ("6", 1.0))
    ]
    assert texts(drop_unsure(several)) == ["4", "6"]


def test_small_strokes_beside_large_numbers_are_specks() -> None:
    """A digit alone counts from half the height of the tallest sure number on, or cell."""

    def index(text: str, height: float, sure: float = 0.9) -> RecognizedLine:
        return result(text, sure, (0.0, 0.0, 100.0, height))

    large, small, half = index("407", 40), index("1", 19), index("1", 20)
    assert texts(drop_specks([small, large, half])) == ["407", "1"]
    assert texts(drop_specks([small, half])) == ["1", "1"], "there is nothing to compare"
    assert texts(drop_specks([small, index("7", 80)])) == ["1", "7"], "nor are single digits"
    assert texts(drop_specks([index("12", 10), large])) == ["12", "407"], "two are no speck"
    assert texts(drop_specks([small, index("407", 40, 0.4)])) == ["1", "407"], "nor sure"
    cell = line("5", 0.9, (0.0, 0.0, 30.0, 40.0))
    assert texts(drop_specks([small, half], [cell])) == ["1"]
    assert drop_specks([]) == []


def test_rings_and_dashes_are_no_sure_digits() -> None:
    """A digit alone that is flat, or far larger than other writing, is not sure; it stays."""
    ring, dash = result("0", 0.99, (0, 0, 200, 160)), result("1", 0.99, (0, 0, 60, 20))
    words = [strip((0.0, 0.0, 100.0, height)) for height in (30.0, 40.0, 50.0)]

    def sure(item: RecognizedLine, words: list[LineCrop]) -> float:
        (kept,) = doubt_odd_digits([item], words)
        assert kept.line.text == item.line.text
        return kept.line.confidence

    assert sure(ring, words) == sure(dash, []) == 0.5
    assert sure(ring, words[:2]) == 0.99, "two lines are no page of writing"
    assert sure(result("0", 0.99, (0, 0, 90, 120)), words) == 0.99, "a large digit"
    assert sure(result("00", 0.99, (0, 0, 400, 160)), words) == 0.99, "a number"
    assert sure(result("0", 0.3, (0, 0, 200, 160)), words) == 0.3


def test_likeliest_first_counts_look_and_confidence() -> None:
    """What is surely read and looks like a number is first; equals keep their order."""
    several = [
        result(text, sure, LINE, score=score)
        for text, sure, score in (
            ("1", 0.9, 0.2),
            ("2", 0.5, 0.9),
            ("3", 0.9, 0.9),
            ("4", 0.9, 0.2),
        )
    ]
    assert texts(sort_by_likelihood(several)) == ["3", "2", "1", "4"]


@pytest.mark.parametrize(("sure", "is_part"), [(0.9, True), (0.7, True), (0.6, False)])
def test_a_line_and_its_part_that_read_alike_are_one_number(sure: float, is_part: bool) -> None:
    """With a wanted length words and a number hold the same ink as the number: given once."""
    whole = result("25557", 0.8, (0, 0, 200, 20))
    part = result("25557", sure, (80, 0, 200, 20), part=True)
    crops = sort_by_likelihood([whole, part])
    assert [item.crop.part for item in drop_twins(crops)] == [is_part]


def test_equal_numbers_in_two_places_are_two() -> None:
    """What is written twice is given twice, and so are parts that read differently."""
    above, below = (result("25557", 0.9, (0, top, 200, top + 20)) for top in (0, 40))
    other = result("25551", 0.9, (80, 0, 200, 20), part=True)
    neighbour = result("25557", 0.9, (80, 40, 200, 60))
    crops = [above, below, other, neighbour]
    assert drop_twins(crops) == crops
