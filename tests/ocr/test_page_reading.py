"""What is read on a page, which way up it stands, and which lines are wanted."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from digitlens.ctc import Line, LineDigit
from digitlens.layout import PageLayout, find_lines
from digitlens.ocr import Reader
from digitlens.ocr.page import Table
from digitlens.ocr.page_reading import (
    DIM_LEAD,
    HALF_TOLD_LEAD,
    HEAD_LEAD,
    UNTOLD_LEAD,
    PageReading,
    choose_side,
    choose_way_up,
    read_layout,
)

Make = Callable[..., Any]
EMPTY = PageLayout(
    (), (100, 100), 90.0, stages=(("1-seen", np.zeros((2, 2), np.uint8)),), about=("a",)
)


def line(text: str, confidence: float) -> Line:
    """Return a line that was read so."""
    box = (0.0, 0.0, 9.0, 9.0)
    return Line(text, confidence, box, tuple(LineDigit(item, 0.9, box) for item in text))


def test_lines_are_read_in_reading_order(make_sheet: Make, network: Any) -> None:
    """Every number is read, from top to bottom and left to right."""
    page = make_sheet(("1357", 250, 300), ("4028", 100, 80), ("96", 450, 82))
    reading = read_layout(network, find_lines(page), page, None)
    assert [item.text for item in reading.lines] == ["4028", "96", "1357"]
    assert reading.tables == ()


def test_with_a_length_the_likeliest_is_first(make_sheet: Make, network: Any) -> None:
    """Numbers of a wanted length come in the order of how sure they are, not of the page."""
    page = make_sheet(("42", 100, 80), ("4357", 250, 300))
    reading = read_layout(network, find_lines(page, count=4), page, frozenset({4}))
    assert reading.lines[0].text == "4357"
    assert all(len(item.text) == 4 for item in reading.lines)


def test_with_a_length_whole_lines_and_parts_are_offered(
    make_sheet: Make, network: Any
) -> None:
    """Which of a line and its parts is meant, the wanted lengths say."""
    page = make_sheet(("47", 60, 100), ("357", 182, 100))
    layout = find_lines(page)
    assert [strip.part for strip in layout.crops] == [False, True, True]
    reading = read_layout(network, layout, page, frozenset({3, 5}))
    assert {"47357", "357"} <= {item.text for item in reading.lines}


def test_small_strokes_beside_numbers_are_left_out(make_sheet: Make, network: Any) -> None:
    """A stroke of a third of a number's height is no 1."""
    page = make_sheet(("4028", 100, 80))
    page[300:317] = np.minimum(page[300:317], make_sheet(("1", 100, 0), height=17)[:17])
    layout = find_lines(page)
    assert len(layout.crops) == 2
    assert [item.text for item in read_layout(network, layout, page, None).lines] == ["4028"]


def test_a_doubt_is_looked_at_on_the_picture(make_sheet: Make, make_network: Make) -> None:
    """Doubtful strips are shown to the network a second time, with their paper."""
    page = make_sheet(("4028", 100, 80), ("1357", 250, 300))
    for sure, looks in ((0.999, 2), (0.9, 4)):
        network = make_network(sure)
        read_layout(network, find_lines(page), page, None)
        assert len(network.seen) == looks


def test_tables_are_read(make_table: Make, network: Any) -> None:
    """What stands in tables is read, and is in no line."""
    page = make_table(["4  7", " 2  ", "  35"])
    reading = read_layout(network, find_lines(page), page, None)
    (table,) = reading.tables
    assert ["".join(item or " " for item in row) for row in table.texts] == [
        "4  7",
        " 2  ",
        "  35",
    ]
    assert reading.lines == ()


def test_a_reading_is_worth_the_odds_of_its_lines() -> None:
    """Lines and cells count by their log odds, each further digit again, doubtful ones not."""
    table = Table(1, 3, (line("7", 0.8), None, line("12", 0.5)))
    reading = PageReading(EMPTY, (line("407", 0.9),), (table,))
    assert reading.score == pytest.approx(2 * math.log(9) + math.log(4))
    assert reading.line_score == pytest.approx(2 * math.log(9))
    nothing = PageReading(EMPTY, (), ())
    assert (nothing.has_certain_number(), nothing.score) == (False, 0)


def test_numbers_are_certain_where_they_are_long_sure_and_none_on_their_heads() -> None:
    """A doubtful number, a short one, and digits that turn into others are not enough."""
    for text, confidence, certain in (
        ("40713", 0.99, True),
        ("40713", 0.9, False),
        ("47", 0.99, False),
        ("80618", 0.999, False),
    ):
        reading = PageReading(EMPTY, (line(text, confidence),), ())
        assert reading.has_certain_number() is certain


def test_a_table_is_certain_where_many_digits_are_sure_and_none_on_their_heads() -> None:
    """A few boxes, doubtful ones and digits that turn into others are not enough."""
    for text, count, confidence, certain in (
        ("4", 8, 0.99, True),
        ("4", 7, 0.99, False),
        ("4", 20, 0.8, False),
        ("6", 20, 0.999, False),
    ):
        cells = (*(line(text, confidence) for _ in range(count)), None)
        reading = PageReading(EMPTY, (), (Table(1, count + 1, cells),))
        assert reading.has_certain_number() is certain


def test_numbers_that_are_numbers_on_their_heads_are_twins() -> None:
    """6 and 9 change places; what is the same both ways is no doubt, nor what has a 2."""
    for text, other, twins in (
        ("6", "9", True),
        ("1906", "9061", True),
        ("8008", "8008", False),
        ("25", "52", False),
    ):
        one, two = (PageReading(EMPTY, (line(item, 0.99),), ()) for item in (text, other))
        assert one.is_twin_of(two) is twins


@pytest.mark.parametrize(
    ("items", "tells"),
    [(["686"], False), (["19", "80"], False), (["19", "3"], True), ([], False)],
)
def test_digits_on_their_heads_do_not_tell_the_way(items: list[str], tells: bool) -> None:
    """0, 1, 6, 8 and 9 are digits either way."""
    reading = PageReading(EMPTY, tuple([line(item, 0.99) for item in items]), ())
    assert reading.tells_its_way() is tells


@pytest.mark.parametrize(
    ("text", "clarity", "lead"),
    [
        ("2719", 0.9, HEAD_LEAD),
        ("2719", 0.87, HEAD_LEAD),
        ("2719", 0.8, DIM_LEAD),
        ("8669", 0.9, UNTOLD_LEAD),
        ("8669", 0.8, UNTOLD_LEAD),
        ("9850", 0.9, HALF_TOLD_LEAD),
        ("9850", 0.8, DIM_LEAD),
        ("9850 73", 0.9, HEAD_LEAD),
        ("5 2", 0.9, HEAD_LEAD),
    ],
)
def test_what_is_read_on_its_head_must_be_clear_or_lead(
    text: str, clarity: float, lead: float
) -> None:
    """Less clear writing, and digits that are digits on their heads, prove little.

    Neither do 2 and 5 beside others: on their heads they are read as each other.
    """
    assert HEAD_LEAD < HALF_TOLD_LEAD < DIM_LEAD < UNTOLD_LEAD
    lines = tuple([line(item, 0.99) for item in text.split()])
    turned = PageReading(replace(EMPTY, clarity=clarity), lines, ())
    assert turned.needed_lead(replace(EMPTY, clarity=0.89)) == lead


def test_where_up_cannot_be_told_no_line_is_sure() -> None:
    """A reading that is doubted keeps its lines and says why they are not sure."""
    page = PageReading(EMPTY, (line("1906", 0.99),), ()).doubted().to_page(None)
    assert [(item.text, item.confidence) for item in page.lines] == [("1906", 0.5)]
    assert page.about[-1] == "which way is up cannot be told"


def test_rows_of_tables_are_lines_of_the_page() -> None:
    """A page has the lines, and after them the rows of its tables that hold something."""
    table = Table(3, 2, (line("4", 0.9), line("7", 0.9), None, None, line("1", 0.9), None))
    reading = PageReading(EMPTY, (line("356", 0.9),), (table,))
    page = reading.to_page(None)
    assert [item.text for item in page.lines] == ["356", "47", "1"]
    assert page.tables == (table,)
    assert (page.size, page.turn, page.about) == ((100, 100), 90.0, ("a",))
    assert page.stages == EMPTY.stages
    assert [item.text for item in reading.to_page(frozenset({2})).lines] == ["356", "47"]


def test_turned_over_it_is_read_from_the_other_end(make_sheet: Make, network: Any) -> None:
    """A layout turned over is read as the page upside down."""
    page = make_sheet(("4735", 100, 80), ("257", 250, 300))
    over = np.ascontiguousarray(page[::-1, ::-1])
    layout = find_lines(over)
    assert read_layout(network, layout, over, None).score < 1
    right = read_layout(network, layout.upside_down(), over, None)
    assert [item.text for item in right.lines] == ["4735", "257"]
    assert replace(right.layout, rotation=0.0).size == (700, 500)


def test_a_clear_page_is_not_read_on_its_head(
    make_network: Make, make_sheet: Make, top_heavy: Any
) -> None:
    """Where letters and digits stand upright, lines are not read the other way up as well."""
    page = make_sheet(("77277", 100, 80), ("77727", 250, 300))
    seen = {}
    for name, signs in (("told", top_heavy), ("not told", None)):
        network = make_network(0.9)
        reader = Reader(network=network)
        reader.signs = signs
        assert [item.text for item in reader.page(page).lines] == ["77277", "77727"]
        seen[name] = len(network.seen)
    assert seen["told"] < seen["not told"]


@pytest.mark.parametrize(("words", "clearer"), [(0, False), (3, True)])
def test_on_a_page_of_words_less_clear_writing_tells_the_way(words: int, clearer: bool) -> None:
    """Many words that are fairly clear one way up, and less so the other, stand that way."""
    word = find_lines(np.pad(np.zeros((40, 20), np.uint8), 60, constant_values=255)).crops[:1]
    layout = replace(EMPTY, words=word * words, clarity=0.87)
    other = replace(layout, clarity=0.8)
    assert PageReading(layout, (), ()).is_clearer_than(other) is clearer
    clear = replace(layout, clarity=0.95)
    assert PageReading(clear, (), ()).is_clearer_than(other)
    assert not PageReading(other, (), ()).is_clearer_than(layout)


def reading(*texts: str, clarity: float = 0.0, confidence: float = 0.999) -> PageReading:
    """Return what was read one way up."""
    layout = replace(EMPTY, clarity=clarity)
    return PageReading(layout, tuple([line(text, confidence) for text in texts]), ())


WEAK = 0.6  # a confidence that speaks for hardly anything


@pytest.mark.parametrize(
    ("upright", "turned", "is_turned", "is_doubted"),
    [
        # Far more is read on its head, a digit among it that is none upright: it stands there.
        (reading("1", confidence=WEAK), reading("2719"), True, False),
        # The same of digits that are digits on their heads too proves nothing.
        (reading("1", confidence=WEAK), reading("880619"), True, True),
        # As much is read either way: an upright page is likelier, but not sure.
        (reading("2719"), reading("3547"), False, True),
        # On its head it is the same number.
        (reading("8008"), reading("8008"), False, False),
        # It is the other number on its head.
        (reading("1608"), reading("8091"), False, True),
        # Upright it is clearly writing, whatever is read on its head.
        (
            reading("1", clarity=0.95, confidence=WEAK),
            reading("2719", clarity=0.8),
            False,
            False,
        ),
        # Less is read on its head.
        (reading("2719"), reading("35", confidence=WEAK), False, False),
    ],
)
def test_the_way_up_is_chosen(
    upright: PageReading, turned: PageReading, is_turned: bool, is_doubted: bool
) -> None:
    """A page is turned where it reads far better on its head, and doubted in between."""
    chosen = choose_way_up(upright, turned, is_line=False)
    assert (chosen.texts == turned.texts != upright.texts) is is_turned
    assert chosen.is_doubted is is_doubted


@pytest.mark.parametrize("is_line", [True, False])
def test_a_line_without_a_number_may_be_one_on_its_head(is_line: bool) -> None:
    """Clear writing without a number is turned where it is one line, and then doubted."""
    upright, turned = reading(clarity=0.95), reading("27194", clarity=0.9)
    chosen = choose_way_up(upright, turned, is_line=is_line)
    assert chosen.texts == (["27194"] if is_line else [])
    assert chosen.is_doubted is is_line


@pytest.mark.parametrize(
    ("lying", "turned", "is_turned", "is_doubted"),
    [
        (reading("2"), reading("2719"), True, False),
        (reading("2719"), reading("2"), False, False),
        (reading("271"), reading("354"), False, True),
        # Nothing is read once it was turned: nothing speaks against how it lies.
        (reading(), reading(), False, False),
        # What is clearly writing stands upright.
        (reading("2719", clarity=0.8), reading("3", clarity=0.95), True, False),
        (reading("3", clarity=0.95), reading("27194", clarity=0.8), False, True),
        (reading("2719", clarity=0.95), reading("3", clarity=0.8), False, False),
    ],
)
def test_the_side_is_chosen(
    lying: PageReading, turned: PageReading, is_turned: bool, is_doubted: bool
) -> None:
    """A sheet is turned by 90 degrees where it then reads better, or is clearly writing."""
    chosen = choose_side(lying, turned)
    assert (chosen is turned) is is_turned
    assert chosen.is_doubted is is_doubted
