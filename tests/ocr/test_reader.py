"""Pictures of lines and whole pages -> numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from digitlens.ctc import ConfidenceModels
from digitlens.layout import find_lines
from digitlens.ocr import FormField, Reader

Gray = np.ndarray
Make = Callable[..., Any]


@pytest.fixture
def reader(network: Any) -> Reader:
    """Return a reader of printed digits."""
    return Reader(network=network)


@pytest.fixture
def page(make_sheet: Make) -> Gray:
    """Return a page with 4735 at (100, 80) and 257 at (250, 300)."""
    return make_sheet(("4735", 100, 80), ("257", 250, 300))


def texts(lines: Any) -> list[str]:
    """Return what was read."""
    return [line.text for line in lines]


def check_boxes(lines: Any, picture: Gray, *, level: bool = True) -> None:
    """Check that all boxes lie in the picture and hold ink, digits' within their line's."""
    height, width = picture.shape[:2]
    away = np.abs(picture.astype(int) - int(np.median(picture))) > 100
    for line in lines:
        if level:
            lefts = [digit.box[0] for digit in line.digits]
            assert lefts == sorted(lefts)
        for box in [line.box, *(digit.box for digit in line.digits)]:
            left, top, right, bottom = box
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height
            inside = away[round(top) : round(bottom), round(left) : round(right)]
            assert inside.mean() > 0.05
            assert line.box[0] - 3 <= left
            assert right <= line.box[2] + 3


def turned(picture: Gray, angle: float) -> Gray:
    """Turn a picture about its middle by degrees, on white paper."""
    height, width = picture.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    return cv2.warpAffine(picture, turn, (width, height), borderValue=255)


def test_a_page_is_read(reader: Reader, page: Gray) -> None:
    """All numbers of a page come back in reading order, each digit with its box."""
    result = reader.page(page)
    assert texts(result.lines) == ["4735", "257"]
    assert result.size == (700, 500)
    assert result.turn == 0
    assert result.tables == ()
    assert result.stages == ()
    check_boxes(result.lines, page)
    assert result.lines[0].box == pytest.approx((100, 80, 262, 125), abs=1.5)
    assert reader.read(page) == list(result.lines)


def test_white_on_black_is_read_alike(reader: Reader, page: Gray) -> None:
    """The other polarity gives the same lines with boxes in the same places."""
    plain, light = reader.read(page), reader.read(255 - page)
    assert texts(light) == texts(plain)
    check_boxes(light, 255 - page)
    for one, two in zip(plain, light, strict=True):
        assert one.box == pytest.approx(two.box, abs=1.5)


def test_colours_are_read(reader: Reader, page: Gray) -> None:
    """A coloured picture gives the same lines."""
    coloured = np.dstack([page, page, np.maximum(page, 120)])
    assert texts(reader.read(coloured)) == ["4735", "257"]


@pytest.mark.parametrize("angle", [-9, -3, 4, 10])
def test_sloping_lines_are_read(reader: Reader, page: Gray, angle: float) -> None:
    """Lines that slope are read; boxes are upright around their ink, inside the picture."""
    picture = turned(page, angle)
    lines = reader.read(picture)
    assert texts(lines) == ["4735", "257"]
    check_boxes(lines, picture)


def test_boxes_do_not_leave_the_picture(reader: Reader, make_sheet: Make) -> None:
    """Of a sloping line that runs into the picture's corner the boxes end at its edge."""
    picture = turned(make_sheet(("40283517", 200, 230)), 14)
    rows, columns = (
        np.flatnonzero(picture.min(axis=1) < 128),
        np.flatnonzero(picture.min(axis=0) < 128),
    )
    picture = np.ascontiguousarray(picture[rows[0] :, columns[0] :])
    lines = reader.read(picture)
    assert texts(lines) == ["40283517"]
    check_boxes(lines, picture)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turned_pages_are_read(reader: Reader, page: Gray, quarters: int) -> None:
    """A page on its side or its head is turned; boxes are in the picture as it was given."""
    picture = np.ascontiguousarray(np.rot90(page, quarters))
    result = reader.page(picture)
    assert texts(result.lines) == ["4735", "257"]
    assert result.size == picture.shape[::-1]
    assert result.turn % 360 == (360 - 90 * quarters) % 360
    check_boxes(result.lines, picture, level=False)


def test_digits_that_read_both_ways_do_not_keep_a_page_on_its_head(
    reader: Reader, make_sheet: Make
) -> None:
    """0, 8, 6 and 9 are digits upside down as well; the others tell which way is up."""
    page = make_sheet(("4208", 100, 80), ("357", 250, 300))
    result = reader.page(np.ascontiguousarray(page[::-1, ::-1]))
    assert texts(result.lines) == ["4208", "357"]
    assert result.turn == 180


def test_a_page_read_surely_is_not_turned_over(
    reader: Reader, network: Any, page: Gray
) -> None:
    """Only where nothing was read surely is the page tried the other way up."""
    reader.page(page)
    assert len(network.seen) == 2
    network.seen.clear()
    reader.page(np.ascontiguousarray(page[::-1, ::-1]))
    assert len(network.seen) >= 4


def test_what_is_less_sure_the_other_way_up_stays(make_network: Make, make_sheet: Make) -> None:
    """A doubtful page is tried upside down, and left as it is where that is worse."""
    page = make_sheet(("47", 100, 80))
    for sure, looks in ((0.97, 2), (0.6, 3)):
        network = make_network(sure)
        result = Reader(network=network).page(page)
        assert texts(result.lines) == ["47"]
        assert result.lines[0].confidence == pytest.approx(sure**2, rel=0.01)
        assert result.turn == 0
        assert len(network.seen) == looks


def test_a_wanted_length_is_told_to_the_layout(
    reader: Reader, page: Gray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One wanted length is a hint for which lines look like numbers; several are none."""
    asked = []

    def finding(*args: Any, **hints: Any) -> Any:
        asked.append((hints["count"], hints.get("boxes", False)))
        return find_lines(*args, **hints)

    monkeypatch.setattr("digitlens.ocr.reader.find_lines", finding)
    for length in (None, 4, {4}, {3, 4}):
        reader.read(page, length)
    reader.read(page, 4, fields=[FormField(3, boxes=True), FormField()])
    assert [count for count, _ in asked] == [None, 4, 4, None, 3, None]
    assert [boxes for _, boxes in asked] == [False] * 4 + [True, False]


def test_nothing_to_read_is_no_line(
    reader: Reader, make_sheet: Make, make_network: Make, strict: ConfidenceModels
) -> None:
    """Bare paper, and writing that is no number, give no line; with a length neither."""
    word = make_sheet(("KXWM", 150, 156))
    calibrated = Reader(network=make_network(calibrations=strict))
    for picture in (
        *(word, np.ascontiguousarray(word[130:230, 100:500])),
        *(make_sheet(size=size) for size in ((700, 500), (60, 300), (400, 60), (5, 5))),
    ):
        assert reader.read(picture) == []
        assert calibrated.read(picture) == calibrated.read(picture, 5) == []


def test_a_word_beside_a_number_is_left_alone(reader: Reader, make_sheet: Make) -> None:
    """Of a page with words only the numbers come back."""
    page = make_sheet(("4735", 100, 80), ("257", 250, 300), ("KXWM", 150, 400))
    assert texts(reader.read(page)) == ["4735", "257"]


def test_with_a_length_the_likeliest_comes_first(reader: Reader, page: Gray) -> None:
    """Only numbers of the wanted length come back, the likeliest first."""
    for length, first in ((3, "257"), (4, "4735"), ({3, 7}, "257")):
        lines = reader.read(page, length)
        assert lines[0].text == first
        allowed = {length} if isinstance(length, int) else length
        assert {len(line.text) for line in lines} <= allowed
        values = [line.confidence for line in lines]
        assert values[0] == max(values)


def test_even_gaps_are_one_number(reader: Reader, make_sheet: Make) -> None:
    """Digits far apart at even distance are one number; at odd ones they are several."""
    places = [60, 180, 300, 420, 540]
    even = make_sheet(*((text, x, 100) for text, x in zip("40285", places, strict=True)))
    assert texts(reader.read(even)) == ["40285"]
    apart = make_sheet(("47", 60, 100), ("35", 330, 100))
    assert texts(reader.read(apart)) == ["47", "35"]


def test_a_picture_of_one_line_is_one_line(reader: Reader, print_line: Make) -> None:
    """A cut-out line, small or large, with a gap or none, is one number."""
    gap = np.full((62, 55), 255, np.uint8)
    parted = np.hstack(
        [print_line("47", height=44)[:60], gap[:60], print_line("35", height=44)[:60]]
    )
    for picture, text in (
        (print_line("0028"), "0028"),
        (print_line("4735", height=200), "4735"),
        (print_line("4735", height=200, margin=40), "4735"),
        (parted, "4735"),
    ):
        lines = reader.read(picture)
        assert texts(lines) == [text]
        check_boxes(lines, picture)
        assert reader.read_line(picture).text == text


def test_a_large_picture_of_one_line_is_read_from_edge_to_edge(
    reader: Reader, network: Any, print_line: Make
) -> None:
    """A line that fills its picture is shown whole as well, however large it is."""
    for height in (44, 200):
        network.seen.clear()
        picture = print_line("4735", height=height)
        assert texts(reader.read(picture)) == ["4735"]
        assert picture.shape in [item.shape for item in network.seen]


def test_zeros_in_front_stay(reader: Reader, make_sheet: Make) -> None:
    """Numbers are text: zeros in front are digits."""
    assert texts(reader.read(make_sheet(("00407", 100, 80)))) == ["00407"]


def test_the_steps_are_kept_where_they_are_asked_for(
    reader: Reader, page: Gray, print_line: Make
) -> None:
    """With `stages` a page has the pictures of its steps, turned over or of one line, too."""
    for picture in (page, np.ascontiguousarray(page[::-1, ::-1]), print_line("4028")):
        result = reader.page(picture, stages=True)
        names = [name for name, _ in result.stages]
        assert names[0] == "1-seen"
        assert names[-1] == "7-strips"
        assert all(item.dtype == np.uint8 for _, item in result.stages)
        assert result.lines == reader.page(picture).lines


def test_tables_are_read(reader: Reader, make_table: Make) -> None:
    """A table is read cell by cell, and its rows are lines; with a length, those of it."""
    rows = ["3  9 ", " 47 2", "5   7", "     ", " 2 4 "]
    picture = make_table(rows)
    result = reader.page(picture)
    (table,) = result.tables
    assert ["".join(item or " " for item in row) for row in table.texts] == rows
    assert texts(result.lines) == ["39", "472", "57", "24"]
    check_boxes(result.lines, picture)
    assert texts(reader.read(picture, 3)) == ["472"]


def test_a_table_on_its_head_is_turned_over(
    make_table: Make, make_network: Make, strict: ConfidenceModels
) -> None:
    """A table is read the way up in which its digits are sure."""
    rows = ["3  4 ", " 47 2", "5   7", "     ", " 2 4 "]
    picture = np.ascontiguousarray(make_table(rows)[::-1, ::-1])
    result = Reader(network=make_network(calibrations=strict)).page(picture)
    (table,) = result.tables
    assert ["".join(item or " " for item in row) for row in table.texts] == rows
    assert result.turn == 180
    assert texts(result.lines) == ["34", "472", "57", "24"]
    check_boxes(result.lines, picture, level=False)
