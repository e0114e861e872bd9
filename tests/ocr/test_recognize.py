"""Line crops and cells of tables -> lines, with a second look only in doubt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from digitlens.ctc import ConfidenceModels, Line, LineDigit, decode, decode_ensemble, to_probs
from digitlens.geometry import Box
from digitlens.layout import Grid, GridCell, LineCrop, find_lines
from digitlens.models.inference import Predictions
from digitlens.ocr.page import Table
from digitlens.ocr.recognize import (
    build_line,
    recognize,
    recognize_cell,
    recognize_crop,
    recognize_table,
)

Gray = np.ndarray
Make = Callable[..., Any]


def only(page: Gray) -> LineCrop:
    """Return the one strip of a page."""
    (strip,) = (item for item in find_lines(page).crops if not item.part)
    return strip


def inside(inner: Box, outer: Box, slack: float = 1.0) -> bool:
    """Say whether a box lies within another one."""
    low = all(one >= two - slack for one, two in zip(inner[:2], outer[:2], strict=True))
    return low and all(
        one <= two + slack for one, two in zip(inner[2:], outer[2:], strict=True)
    )


def check_boxes(line: Line, page: Gray, *, slack: float = 1.5) -> None:
    """Check that digits stand from left to right, and that the ink in each box fills it."""
    lefts = [digit.box[0] for digit in line.digits]
    assert lefts == sorted(lefts)
    away = np.abs(page.astype(int) - int(np.median(page))) > 100
    for digit in line.digits:
        assert inside(digit.box, line.box)
        left, top, right, bottom = (round(edge) for edge in digit.box)
        part = away[max(0, top) : bottom, max(0, left) : right]
        rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        result = left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1
        assert digit.box == pytest.approx(result, abs=slack)


@pytest.mark.parametrize("height", [20, 44, 150])
@pytest.mark.parametrize("light", [False, True])
def test_boxes_are_on_the_ink(make_sheet: Make, network: Any, height: int, light: bool) -> None:
    """A strip gives its line; each box is that of a digit's ink, to two pixels."""
    page = make_sheet(("4028", 100, 80), height=height)
    page = 255 - page if light else page
    line = recognize_crop(network, only(page))
    assert line.text == "4028"
    assert line.box == only(page).box
    check_boxes(line, page, slack=max(2, height / 20))


def test_the_network_sees_dark_on_light(make_sheet: Make, network: Any) -> None:
    """Whatever the picture's polarity, the strip is shown as ink on white paper."""
    for page in (make_sheet(("47", 100, 80)), 255 - make_sheet(("47", 100, 80))):
        strip = only(page)
        recognize_crop(network, strip)
        assert np.array_equal(network.seen[-1], 255 - strip.ink)


def test_boxes_are_where_digits_stood_before_gaps_were_shortened(
    make_sheet: Make, network: Any
) -> None:
    """Digits far apart are read as one line; their boxes are their places on the page."""
    page = make_sheet(*((text, 60 + 120 * index, 100) for index, text in enumerate("40285")))
    line = recognize_crop(network, only(page))
    assert line.text == "40285"
    check_boxes(line, page)
    assert [round(digit.box[0], -1) for digit in line.digits] == [60, 180, 300, 420, 540]


@pytest.mark.parametrize("angle", [-8, 5, 12])
def test_boxes_of_sloping_lines_hold_their_digits(
    make_sheet: Make, network: Any, angle: float
) -> None:
    """On a sloping line each digit's box holds its middle, and not those of the others."""
    page = make_sheet(("40285", 260, 230))
    turn = cv2.getRotationMatrix2D((350, 250), angle, 1.0)
    page = cv2.warpAffine(page, turn, (700, 500), borderValue=255)
    line = recognize_crop(network, only(page))
    assert line.text == "40285"
    count, _, _, middles = cv2.connectedComponentsWithStats((page < 128).astype(np.uint8))
    assert count == 6
    places = sorted(middles[1:].tolist())
    for digit, (x, y) in zip(line.digits, places, strict=True):
        left, top, right, bottom = digit.box
        assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((x, y), abs=5)


def test_a_doubt_is_looked_at_as_it_stands(make_sheet: Make, make_network: Make) -> None:
    """With the picture at hand, a doubtful strip is shown with its paper; a sure one is not."""
    page = 255 - make_sheet(("4028", 100, 80))
    strip = only(page)
    for sure, looks in ((0.999, 1), (0.9, 2)):
        network = make_network(sure)
        assert recognize_crop(network, strip, pixels=page).text == "4028"
        assert len(network.seen) == looks
    assert network.seen[1].shape == strip.ink.shape
    assert np.median(network.seen[1]) == 0, "the paper is black, as in the picture"
    network = make_network(0.9)
    recognize_crop(network, strip)
    assert len(network.seen) == 1


def test_lengths_are_kept(make_sheet: Make, make_network: Make) -> None:
    """With lengths the line has one of these."""
    strip = only(make_sheet(("4028", 100, 80)))
    for lengths in ({2}, {2, 3}, {5}):
        line = recognize_crop(make_network(0.9), strip, lengths=lengths)
        assert len(line.text) in lengths
        assert len(line.digits) == len(line.text)


def test_confidence_is_calibrated(
    make_sheet: Make, make_network: Make, calibrations: ConfidenceModels
) -> None:
    """A network's calibrations say how sure a line is; without them the string itself does."""
    strip = only(make_sheet(("4028", 100, 80)))
    raw = recognize_crop(make_network(0.9), strip)
    assert raw.confidence == pytest.approx(0.9**4, rel=1e-3)
    told = recognize_crop(make_network(0.9, calibrations), strip)
    assert told.text == raw.text
    assert told.confidence != raw.confidence
    assert 0 <= told.confidence <= 1


def test_a_strip_of_no_digit_is_empty(
    make_sheet: Make, replies: Make, make_frames: Make
) -> None:
    """Where no digit is seen, the line is empty text with the strip's box."""
    strip = only(make_sheet(("4028", 100, 80)))
    line = recognize_crop(replies(make_frames()), strip)
    assert (line.text, line.digits, line.box) == ("", (), strip.box)
    assert line.confidence > 0.9


def test_a_cell_holds_one_digit(make_sheet: Make, replies: Make, make_frames: Make) -> None:
    """What is faint in a cell is asked for its digit; what is clearly several is several."""
    strip = only(make_sheet(("4", 100, 80)))
    faint = recognize_cell(replies(make_frames({"4": 0.2, "9": 0.05})), strip)
    assert faint.text == "4"
    assert faint.confidence == pytest.approx(0.8, abs=0.01)
    clear = recognize_cell(replies(make_frames({"1": 0.9}, {"2": 0.9})), strip)
    assert clear.text == "12"
    doubtful = recognize_cell(replies(make_frames({"1": 0.95}, {"2": 0.5})), strip)
    assert doubtful.text in {"1", "2"}


def test_a_cell_is_looked_at_once(make_sheet: Make, make_network: Make) -> None:
    """However doubtful, a cell is shown to the network once."""
    network = make_network(0.3)
    line = recognize_cell(network, only(make_sheet(("4", 100, 80))))
    assert line.text == "4"
    assert len(network.seen) == 1


def test_boxes_end_above_and_below_where_the_ink_does(make_frames: Make, replies: Make) -> None:
    """A digit's box has the rows of its own ink; faint ink is paper."""
    ink = np.zeros((32, 48), np.uint8)
    ink[10:20, 6:14] = 255
    ink[4:30, 30:40] = 200
    ink[30:, 30:40] = 40
    probs = to_probs(make_frames({"4": 0.9}, {"1": 0.9}, step=8))
    probs = probs[:24]
    line = build_line(replies(), probs, decode(probs), ink)
    assert [digit.box for digit in line.digits] == [(6, 10, 14, 20), (30, 4, 40, 30)]
    assert line.box == (0, 0, 48, 32)


def test_neighbours_part_half_way_between_their_frames(
    make_frames: Make, replies: Make
) -> None:
    """Where ink says nothing, the border is in the middle of the two digits' time steps."""
    probs = to_probs(make_frames({"4": 0.9}, {"1": 0.9}, step=8))
    line = build_line(replies(), probs, decode(probs), np.full((32, 48), 255, np.uint8))
    # They are the 8th and the 16th step, two columns each: their middles are at 15 and 31.
    assert [digit.box for digit in line.digits] == [(0, 0, 23, 32), (23, 0, 48, 32)]


def test_a_digit_without_ink_keeps_the_line_s_rows(make_frames: Make, replies: Make) -> None:
    """Where a digit is read on bare paper its box is as high as the line."""
    probs = to_probs(make_frames({"4": 0.9}, step=8))
    line = build_line(replies(), probs, decode(probs), np.zeros((32, 32), np.uint8))
    assert line.digits[0].box[1::2] == (0, 32)


@pytest.mark.parametrize("shape", [(64, 96), (16, 24), (100, 20)])
def test_boxes_are_in_pixels_of_the_line(
    make_frames: Make, replies: Make, shape: tuple[int, int]
) -> None:
    """However large the line's picture is, boxes are in its pixels and within it."""
    probs = to_probs(make_frames({"4": 0.9}, {"1": 0.9}, step=8))
    line = build_line(replies(), probs, decode(probs), np.full(shape, 255, np.uint8))
    height, width = shape
    assert all(inside(digit.box, (0, 0, width, height), 0) for digit in line.digits)


def test_a_strip_too_short_for_so_many_digits_is_not_read(
    make_sheet: Make, make_network: Make
) -> None:
    """Where an allowed number of digits cannot stand, the network is not asked."""
    strip = only(make_sheet(("40", 100, 80)))
    network = make_network(0.9)
    line = recognize_crop(network, strip, lengths={9, 20})
    assert (line.text, line.confidence, line.box) == ("", 0.0, strip.box)
    assert network.seen == []
    assert len(recognize_crop(network, strip, lengths={2, 20}).text) == 2


def test_slim_digits_are_read(make_sheet: Make, make_network: Make) -> None:
    """The last digit may be a mere stroke: only the steps between digits take room."""
    strip = only(make_sheet(("40", 100, 80)))
    height, width = (side - 2 * strip.margin for side in strip.ink.shape)
    count = int(4 * width / height)
    assert len(recognize_crop(make_network(0.9), strip, lengths={count + 1}).text) == count + 1
    assert recognize_crop(make_network(0.9), strip, lengths={count + 2}).text == ""


def test_what_hardly_has_an_allowed_length_is_not_searched(
    make_sheet: Make, make_network: Make, calibrations: ConfidenceModels
) -> None:
    """A calibrated network's word that there are four digits is taken: nine are not found."""
    page = make_sheet(("4028", 100, 80))
    strip = only(page)
    for lengths, text in (({6}, ""), ({6, 9}, ""), ({4}, "4028"), ({4, 9}, "4028")):
        network = make_network(0.999, calibrations)
        line = recognize_crop(network, strip, lengths=lengths, pixels=page)
        assert (line.text, line.confidence > 0) == (text, bool(text))
        assert len(network.seen) == 1
    assert len(recognize_crop(make_network(0.999), strip, lengths={6}).text) == 6


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


ROWS = ["3  9 ", " 47 2", "5   7", "     ", " 2 4 "]


def cell(text: str, confidence: float, left: float, top: float = 0.0) -> Line:
    """Return a cell 10 x 10 that was read so."""
    box = (left, top, left + 10, top + 10)
    return Line(text, confidence, box, tuple(LineDigit(item, 0.9, box) for item in text))


def test_each_cell_is_read(make_table: Make, network: Any) -> None:
    """A table gives what stands in each cell, and None where nothing does."""
    layout = find_lines(make_table(ROWS))
    table = recognize_table(network, layout.grids[0])
    assert (table.rows, table.columns) == (5, 5)
    assert ["".join(item or " " for item in row) for row in table.texts] == ROWS
    assert len(table.cells) == 25


def test_boxes_of_cells_lie_in_their_cells(make_table: Make, network: Any) -> None:
    """A digit's box is on its ink, within its cell."""
    grid = find_lines(make_table(ROWS)).grids[0]
    table = recognize_table(network, grid)
    for cell_, line in zip(grid.cells, table.cells, strict=True):
        if line is None:
            continue
        (left, top), (right, bottom) = cell_.corners.min(axis=0), cell_.corners.max(axis=0)
        for box in (line.box, line.digits[0].box):
            assert left < box[0] < box[2] < right
            assert top < box[1] < box[3] < bottom
            assert box[3] - box[1] == pytest.approx(37, abs=2)


def test_empty_cells_are_shown_to_nobody(make_table: Make, network: Any) -> None:
    """The network sees the cells that hold something, each once."""
    recognize_table(network, find_lines(make_table(ROWS)).grids[0])
    assert len(network.seen) == sum(text != " " for row in ROWS for text in row)


@pytest.mark.parametrize("sure", [0.26, 0.35])
def test_what_is_not_sure_in_a_cell_is_left_out(
    make_table: Make, replies: Make, make_frames: Make, sure: float
) -> None:
    """Below a confidence of 30 % a cell counts as empty."""
    strip = find_lines(make_table(ROWS)).grids[0].cells[0].crop
    corners = np.zeros((4, 2))
    grid = Grid(1, 2, (GridCell(0, 0, corners, strip), GridCell(0, 1, corners, None)))
    frame = {"4": sure} | dict.fromkeys("012", (0.999 - sure) / 3)
    table = recognize_table(replies(make_frames(frame)), grid)
    assert table.texts == ((("4" if sure > 0.3 else ""), ""),)


def test_a_network_for_digits_reads_cells_of_one_digit(
    make_table: Make, replies: Make, make_frames: Make
) -> None:
    """It is asked where the line network sees one digit at most; two digits stay two."""

    class Digits:
        """A network that takes every digit for a 7, and calls it doubtful."""

        def predict(self, images: Any) -> Predictions:
            """Answer 7 with 0.9, and no digit with 0.5."""
            shares = np.full((len(images), 10), 0.1 / 9, np.float32)
            shares[:, 7] = 0.9
            labels = np.full(len(images), 7, np.uint8)
            return Predictions(labels, shares, np.full(len(images), 0.5, np.float32))

    strip = find_lines(make_table(ROWS)).grids[0].cells[0].crop
    line = recognize_cell(replies(make_frames({"4": 0.8})), strip, Digits())
    assert (line.text, line.confidence) == ("7", pytest.approx(0.45))
    assert line.digits[0].box[2] > line.digits[0].box[0]
    two = recognize_cell(replies(make_frames({"1": 0.9}, {"2": 0.9})), strip, Digits())
    assert two.text == "12"


@pytest.mark.parametrize("light_on_dark", [False, True])
def test_a_doubtful_cell_is_looked_at_on_its_paper(
    make_table: Make, replies: Make, make_frames: Make, light_on_dark: bool
) -> None:
    """In doubt the picture itself is shown, as ink on paper; the surer answer of two stays."""
    seen: list[Any] = []

    class Digits:
        """A network that is the surer the second time."""

        def predict(self, images: Any) -> Predictions:
            """Answer 3 with 0.5, then 8 with 0.95."""
            seen.append(images[0])
            label, share = ((3, 0.5), (8, 0.95))[len(seen) - 1]
            shares = np.full((1, 10), (1 - share) / 9, np.float32)
            shares[:, label] = share
            return Predictions(np.array([label], np.uint8), shares, None)

    page = make_table(ROWS)
    page = 255 - page if light_on_dark else page
    strip = find_lines(page).grids[0].cells[0].crop
    line = recognize_cell(replies(make_frames({"3": 0.8})), strip, Digits(), page)
    assert (line.text, line.confidence) == ("8", pytest.approx(0.95))
    cleaned, other = seen
    assert np.abs(cleaned.astype(float) - other).mean() < 20  # both bright ink on black


def test_rows_are_lines() -> None:
    """Each row that holds something is a line: its texts, boxes and digits together."""
    one, two, three = cell("4", 0.9, 0), cell("07", 0.8, 40, 2), cell("1", 0.7, 20, 30)
    table = Table(3, 3, (one, None, two, None, None, None, None, three, None))
    first, second = table.row_lines()
    assert first.text == "407"
    assert first.confidence == pytest.approx(0.9 * 0.8)
    assert first.box == (0, 0, 50, 12)
    assert first.digits == (*one.digits, *two.digits)
    assert (second.text, second.box, second.confidence) == ("1", three.box, 0.7)


def test_an_empty_table_has_no_lines() -> None:
    """Where no cell holds anything there is no line."""
    assert Table(2, 2, (None,) * 4).row_lines() == []
