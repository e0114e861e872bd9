"""Pictures of lines and whole pages -> numbers."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from digitlens.ctc import ConfidenceModels, Line
from digitlens.errors import (
    CorruptFileError,
    MissingDataError,
    ModelError,
    ShapeError,
    UsageError,
)
from digitlens.imaging.io import load_image
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


def test_a_reader_takes_a_source_or_a_network(network: Any) -> None:
    """Of both one would be passed over in silence."""
    with pytest.raises(UsageError, match="a source or a network, not both"):
        Reader("reader-world", network=network)


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
    for sure, looks in ((0.97, 3), (0.6, 3)):
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

    monkeypatch.setattr("digitlens.ocr.sheet_reader.find_lines", finding)
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


def test_files_bytes_and_pictures_are_read(
    reader: Reader, page: Gray, print_line: Make, tmp_path: Path
) -> None:
    """A path, bytes, a Pillow picture and an array give the same lines."""
    path = tmp_path / "page.png"
    Image.fromarray(page).save(path)
    wanted = reader.read(page)
    for picture in (path, str(path), path.read_bytes(), Image.open(path)):
        assert reader.read(picture) == wanted
    Image.fromarray(print_line("4028")).save(path)
    for picture in (path, path.read_bytes(), Image.open(path)):
        assert reader.read_line(picture).text == "4028"


@pytest.mark.parametrize(
    ("entry", "back"),
    [
        (3, Image.Transpose.ROTATE_180),
        (6, Image.Transpose.ROTATE_90),
        (8, Image.Transpose.ROTATE_270),
    ],
)
def test_exif_s_rotation_is_honoured(
    reader: Reader, page: Gray, print_line: Make, entry: int, back: Image.Transpose
) -> None:
    """A file that says it lies on its side is read upright, boxes and size too, and says so."""

    def lying(pixels: Gray) -> bytes:
        picture, file = Image.fromarray(pixels), io.BytesIO()
        exif = picture.getexif()
        exif[0x0112] = entry
        picture.transpose(back).save(file, "PNG", exif=exif)
        return file.getvalue()

    result, plain = reader.page(lying(page)), reader.page(page)
    assert result.lines == plain.lines
    assert (result.size, result.turn) == (plain.size, plain.turn)
    assert result.about[0].endswith("turned upright as its EXIF entry says")
    assert result.about[1:] == plain.about[1:]
    line = print_line("4028")
    assert reader.read_line(lying(line)) == reader.read_line(line)


def test_a_line_s_lengths(reader: Reader, print_line: Make) -> None:
    """`read_line` keeps to the lengths it is given."""
    picture = print_line("4028")
    assert reader.read_line(picture, 4).text == "4028"
    assert len(reader.read_line(picture, 3).text) == 3
    assert reader.read_line(picture, {4, 9}).text == "4028"
    assert reader.read_line(np.full((40, 200), 255, np.uint8)).text == ""


@pytest.mark.parametrize("length", [0, -1, 2.5, "5", [], [3, 0], True])
def test_lengths_that_cannot_be_are_refused(reader: Reader, page: Gray, length: Any) -> None:
    """A length is a whole number of at least 1, or several."""
    for act in (reader.read_line, reader.read, reader.page):
        with pytest.raises(UsageError):
            act(page, length)


def test_pictures_that_cannot_be_read_are_refused(reader: Reader, tmp_path: Path) -> None:
    """A missing file, one that is no picture, another dtype: each has its error."""
    other = tmp_path / "letter.txt"
    other.write_text("4028")
    for act in (reader.read_line, reader.read):
        with pytest.raises(MissingDataError):
            act(tmp_path / "none.png")
        with pytest.raises(CorruptFileError):
            act(other)
        with pytest.raises(ShapeError):
            act(np.full((40, 50), -1.5, np.float32))
        with pytest.raises(ShapeError):
            act(np.zeros((4, 50), np.uint8))


def test_a_picture_that_is_open_is_read(reader: Reader, page: Gray) -> None:
    """What `load_image` gave is read as the picture itself."""
    opened = load_image(page)
    assert reader.page(opened) == reader.page(page)
    assert reader.read_line(opened) == reader.read_line(page)


def test_what_is_too_long_is_refused(reader: Reader) -> None:
    """A side of more than 100,000 pixels is refused before anything is looked for."""
    for act in (reader.read, reader.read_line):
        with pytest.raises(ShapeError) as caught:
            act(np.zeros((5, 100_001), np.uint8))
        assert str(caught.value) == (
            "the picture is too long: a side may have 100,000 pixels at most\n"
            "  seen    100,001 x 5 pixels\n"
            "  try     cut it to pieces"
        )


def test_a_bar_is_the_calibration_s(make_network: Make, calibrations: ConfidenceModels) -> None:
    """The bar is set on readings like those asked for; a higher rate never raises it."""
    reader = Reader(network=make_network(calibrations=calibrations))
    free, five = reader.bar(0.05), reader.bar(0.05, 5)
    assert free.count == five.count == 1000
    assert free.confidence != five.confidence
    assert free.limit <= 0.05
    assert 0 < free.read_rate < 1
    assert reader.bar(0.2).confidence <= free.confidence
    assert reader.bar(1e-6).confidence is None
    for rate in (0, -0.1, 1.5):
        with pytest.raises(UsageError):
            reader.bar(rate)
    with pytest.raises(UsageError):
        reader.bar(0.05, 0)


def test_without_calibrations_there_is_no_bar(reader: Reader) -> None:
    """A network that was not calibrated makes no promise, and says what to try."""
    with pytest.raises(ModelError) as caught:
        reader.bar(0.01)
    assert str(caught.value) == (
        "print.onnx must be calibrated for a promise about errors\n"
        "  seen    no calibration in the file\n"
        "  try     the published reader"
    )


def test_a_file_is_a_reader(make_onnx: Make, tmp_path: Path, page: Gray) -> None:
    """A reader is made of a network's file as well; what is none is refused."""
    path = tmp_path / "model.onnx"
    path.write_bytes(make_onnx())
    reader = Reader(path)
    assert reader.network.path == path
    assert isinstance(reader.read_line(page), Line)
    with pytest.raises(ModelError):
        Reader(tmp_path / "none.onnx")


def test_a_number_that_is_another_one_on_its_head_is_not_sure(
    make_network: Make, make_sheet: Make
) -> None:
    """66 may be 99: the answer says so."""
    result = Reader(network=make_network(0.999)).page(make_sheet(("66", 100, 80)))
    assert texts(result.lines) == ["66"]
    assert result.lines[0].confidence == 0.5
    assert "which way is up cannot be told" in result.about


def test_a_sheet_on_a_desk_is_read_as_without_it(reader: Reader, page: Gray) -> None:
    """Numbers are those of the sheet; boxes are in the picture."""
    desk = np.full((700, 950), 40, np.uint8)
    desk[100:600, 130:830] = page
    result = reader.page(desk, stages=True)
    assert texts(result.lines) == ["4735", "257"]
    assert (result.size, result.stages[0][0]) == ((950, 700), "0-sheets")
    check_boxes(result.lines, 255 - desk + desk.max() * (desk == 40))
