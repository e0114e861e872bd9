"""Finding the lines of a page."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image

from digitlens.errors import MissingDataError, ShapeError, UsageError
from digitlens.layout import PageLayout, find_lines
from digitlens.layout.detect import MAX_CROPS
from digitlens.synth import Glyphs
from layout import count_found, overlap
from pages import KINDS, compose

PLACES = [(110, 102, 257, 146), (263, 323, 405, 366)]
"""Where the ink of the fixture `page` is, to a pixel or two."""


def boxes(layout: PageLayout) -> list[tuple[float, ...]]:
    """Return the box of each crop."""
    return [crop.box for crop in layout.crops]


def near(one: np.ndarray, two: np.ndarray) -> float:
    """Return the mean difference of two crops' ink, brought to one size: 0..255."""
    same = cv2.resize(two, one.shape[::-1], interpolation=cv2.INTER_AREA)
    return float(np.abs(one.astype(float) - same).mean())


def test_lines_are_found_from_top_to_bottom(page: np.ndarray) -> None:
    """Each number of a page is one crop; its box is that of its ink in the picture."""
    layout = find_lines(page)
    assert layout.size == (700, 500)
    assert len(layout) == 2
    for result, place in zip(boxes(layout), PLACES, strict=True):
        assert overlap(result, place) > 0.85
    assert [crop.components for crop in layout.crops] == [4, 4]


def test_a_strip_is_ink_on_bare_paper(page: np.ndarray) -> None:
    """In a crop 0 is paper and 255 full ink; its margin is bare; `picture` is its negative."""
    crop = find_lines(page).crops[0]
    edge = crop.margin
    assert crop.ink.dtype == np.uint8
    assert crop.ink.max() == 255
    assert crop.ink[: edge - 1].max() == crop.ink[:, : edge - 1].max() == 0
    assert np.array_equal(crop.picture, 255 - crop.ink)


@pytest.mark.parametrize("kind", KINDS)
def test_lines_of_composed_pages_are_found_whole(glyphs: Glyphs, kind: str) -> None:
    """On pages of every kind most lines are one crop each, neither parted nor joined."""
    result = total = 0
    for seed in range(2):
        page = compose(glyphs, seed, kind)
        result += count_found(page, find_lines(page.image))[0]
        total += len(page.lines)
    assert total >= 8
    assert result >= 0.85 * total


def test_white_on_black_is_read_like_black_on_white(page: np.ndarray) -> None:
    """The other polarity gives the same crops, and is told."""
    plain, turned = find_lines(page), find_lines(255 - page)
    assert (plain.inverted, turned.inverted) == (False, True)
    assert len(turned) == 2
    for one, two in zip(plain.crops, turned.crops, strict=True):
        assert near(one.ink, two.ink) < 4


def test_a_shadow_does_not_matter(page: np.ndarray) -> None:
    """Under light that falls to a third, the same lines are found."""
    light = np.linspace(1, 0.33, page.shape[1])
    layout = find_lines((page * light).astype(np.uint8))
    assert [overlap(*pair) > 0.8 for pair in zip(boxes(layout), PLACES, strict=True)] == [
        True
    ] * 2


@pytest.mark.parametrize("color", [(240, 130, 40), (60, 60, 60)])
def test_boxes_around_digits_are_taken_out(
    write: Callable[..., np.ndarray], color: tuple[int, int, int]
) -> None:
    """Printed boxes, orange or black, are in no crop, and the digits are one boxed line."""
    plain = np.full((300, 700, 3), 255, np.uint8)
    for index, digit in enumerate("20142"):
        line = write(digit)
        rows, columns = line.shape
        x = 60 + 100 * index + (80 - columns) // 2
        plain[110 : 110 + rows, x : x + columns] = line[..., None]
    sheet = plain.copy()
    for left in range(60, 560, 100):
        cv2.rectangle(sheet, (left, 100), (left + 80, 195), color, 3)
    layout = find_lines(sheet)
    best = layout.ranked[0]
    assert ("coloured print dropped: the red channel" in layout.about) == (color[2] < 50)
    assert best.boxed
    assert best.components == 5
    inked = np.flatnonzero(best.ink.max(axis=0) > 60)
    assert len(np.flatnonzero(np.diff(inked) > 3)) == 4
    assert near(find_lines(plain).ranked[0].ink, best.ink) < 16


def test_known_boxes_may_be_mostly_empty(write: Callable[..., np.ndarray]) -> None:
    """One digit in a row of boxes is a boxed line when boxes are known to be there."""
    sheet = np.full((300, 700), 255, np.uint8)
    for left in range(60, 560, 100):
        cv2.rectangle(sheet, (left, 100), (left + 80, 195), 60, 3)
    line = write("7")
    sheet[110 : 110 + line.shape[0], 175 : 175 + line.shape[1]] = line
    assert [crop.boxed for crop in find_lines(sheet, boxes=True).crops] == [True]
    assert [crop.boxed for crop in find_lines(sheet).ranked[:1]] == [False]


def test_digits_far_apart_are_one_line_with_short_gaps(
    write: Callable[..., np.ndarray],
) -> None:
    """Digits at an even distance are one number; each column's box is where its digit was."""
    sheet = np.full((200, 900), 255, np.uint8)
    lefts = [50, 190, 330, 470]
    for left, digit in zip(lefts, "4567", strict=True):
        line = write(digit)
        sheet[60 : 60 + line.shape[0], left : left + line.shape[1]] = line
    layout = find_lines(sheet)
    assert len(layout) == 1
    crop = layout.crops[0]
    assert crop.ink.shape[1] < 6 * crop.ink.shape[0]
    inked = np.flatnonzero(crop.ink.max(axis=0) > 128)
    runs = np.split(inked, np.flatnonzero(np.diff(inked) > 3) + 1)
    assert len(runs) == 4
    for left, run in zip(lefts, runs, strict=True):
        x, _, end, _ = crop.locate_box(float(run[0]), float(run[-1] + 1))
        columns = np.flatnonzero(sheet[:, left : left + 60].min(axis=0) < 128) + left
        assert x == pytest.approx(columns[0], abs=3)
        assert end == pytest.approx(columns[-1] + 1, abs=3)


def test_a_code_before_a_town_is_offered_alone_too(write: Callable[..., np.ndarray]) -> None:
    """A line is parted at a gap much wider than its others; the parts follow the line."""
    sheet = np.full((200, 900), 255, np.uint8)
    for left, word in ((40, "44640"), (260, "NANTES")):
        line = write(word)
        sheet[60 : 60 + line.shape[0], left : left + line.shape[1]] = line
    crops = find_lines(sheet).crops
    assert [crop.part for crop in crops] == [False, True, True]
    assert crops[1].components == 5
    assert crops[0].box[0] == pytest.approx(crops[1].box[0], abs=2)


def test_parts_of_lines_that_are_not_asked_for_are_not_cut(
    write: Callable[..., np.ndarray],
) -> None:
    """What says which lines are parted sees whole ones only; parts follow their line."""
    sheet = np.full((200, 900), 255, np.uint8)
    for left, word in ((40, "44640"), (260, "NANTES")):
        line = write(word)
        sheet[60 : 60 + line.shape[0], left : left + line.shape[1]] = line
    layout = find_lines(sheet, parted=lambda whole: whole.crops)
    assert [crop.part for crop in layout.crops] == [False, True, True]
    assert [crop.part for crop in find_lines(sheet, parted=lambda _: ()).crops] == [False]


def test_a_wanted_count_changes_the_ranking(write: Callable[..., np.ndarray]) -> None:
    """The line that has as many marks as digits are wanted comes first."""
    sheet = np.full((400, 700), 255, np.uint8)
    for top, number in ((40, "12"), (160, "44640"), (280, "1234567")):
        line = write(number)
        sheet[top : top + line.shape[0], 40 : 40 + line.shape[1]] = line
    for count in (2, 5, 7):
        assert find_lines(sheet, count=count).ranked[0].components == count


@pytest.mark.parametrize("quarters", [1, 3])
def test_a_page_on_its_side_is_turned(write: Callable[..., np.ndarray], quarters: int) -> None:
    """Lines that run upwards or downwards are levelled; boxes stay those of the picture.

    Which of the two it was, only a reader can say: one of both readings is the right one.
    """
    sheet = np.full((600, 700), 255, np.uint8)
    for top, number in ((40, "440723"), (180, "4464091"), (320, "23574")):
        line = write(number)
        sheet[top : top + line.shape[0], 40 : 40 + line.shape[1]] = line
    upright = find_lines(sheet).crops[1]
    lying = np.ascontiguousarray(np.rot90(sheet, quarters))
    layout = find_lines(lying)
    assert round(layout.rotation) in (90, 270)
    assert len(layout) == 3
    readings = [layout.crops[1], layout.upside_down().crops[1]]
    assert min(near(upright.ink, item.ink) for item in readings) < 6
    rows = np.flatnonzero(lying[:, 40:].min(axis=1) < 128)
    assert layout.crops[1].box[1] >= rows[0] - 3
    assert layout.crops[1].box[3] <= rows[-1] + 3
    assert overlap(readings[0].box, readings[1].box) > 0.95


def test_a_turn_can_be_given(page: np.ndarray) -> None:
    """With `turn` the picture is turned by it, whatever its lines look like."""
    layout = find_lines(np.ascontiguousarray(np.rot90(page)), rotation=270)
    assert layout.rotation == 270
    assert near(find_lines(page).crops[0].ink, layout.crops[0].ink) < 4


def test_a_sloping_line_is_levelled(write: Callable[..., np.ndarray]) -> None:
    """A line that falls by one in ten is cut out level, and its slope is told."""
    line = write("4028135")
    move = np.array([[1, 0, 60.0], [0.1, 1, 80]])
    sheet = cv2.warpAffine(line, move, (600, 300), borderValue=255)
    crop = find_lines(sheet).crops[0]
    assert crop.slope == pytest.approx(0.1, abs=0.03)
    rows = [np.flatnonzero(part.max(axis=1) > 128) for part in np.array_split(crop.ink, 3, 1)]
    assert abs(rows[0][0] - rows[2][0]) <= 0.12 * crop.ink.shape[0]


@pytest.mark.parametrize("digits", ["473", "4735", "600"])
@pytest.mark.parametrize("slope", [-20, -14, -8, 0, 8, 14, 20])
def test_a_few_digits_tell_their_slope(
    write: Callable[..., np.ndarray], digits: str, slope: int
) -> None:
    """Three digits or four on a crooked picture are one line, of a page turned level."""
    sheet = np.full((350, 500), 255, np.uint8)
    line = write(digits)
    sheet[150 : 150 + line.shape[0], 180 : 180 + line.shape[1]] = line
    turn = cv2.getRotationMatrix2D((250, 170), slope, 1)
    layout = find_lines(cv2.warpAffine(sheet, turn, (500, 350), borderValue=255))
    assert len([crop for crop in layout.crops if not crop.part]) == 1
    assert abs((layout.rotation + slope + 180) % 360 - 180) <= 4


def test_an_area_limits_what_is_looked_at(page: np.ndarray) -> None:
    """Only what lies in the area is found; its box is that in the whole picture."""
    layout = find_lines(page, area=(200, 250, 600, 450))
    assert len(layout) == 1
    assert layout.size == (700, 500)
    assert overlap(layout.crops[0].box, PLACES[1]) > 0.85


def test_a_file_is_turned_as_its_exif_entry_says(page: np.ndarray) -> None:
    """Boxes are those of the upright picture."""
    picture = Image.fromarray(np.ascontiguousarray(np.rot90(page)))
    exif = picture.getexif()
    exif[0x0112] = 6  # to be turned by 270 degrees
    file = io.BytesIO()
    picture.save(file, "PNG", exif=exif)
    layout = find_lines(file.getvalue())
    assert layout.size == (700, 500)
    assert overlap(layout.crops[0].box, PLACES[0]) > 0.85


@pytest.mark.parametrize("gray", [255, 128, 0])
def test_bare_paper_has_no_lines(gray: int) -> None:
    """A picture of one grey gives no crops and no error."""
    assert find_lines(np.full((300, 400), gray, np.uint8)).crops == ()


def test_thousands_of_specks_give_a_bounded_number_of_crops() -> None:
    """Half a million specks are cut to the likeliest few lines, and this is said."""
    rng = np.random.default_rng(0)
    sheet = np.where(rng.random((1000, 1200)) < 0.45, 20, 240).astype(np.uint8)
    layout = find_lines(sheet)
    assert len(layout) <= MAX_CROPS
    assert any("left out" in note for note in layout.about)


def test_stages_are_pictures_of_the_steps(page: np.ndarray) -> None:
    """With `stages` each step is a picture, numbered in order; without it there are none."""
    assert find_lines(page).stages == ()
    stages = find_lines(page, stages=True).stages
    assert [name[0] for name, _ in stages] == list("1234567")
    assert {picture.dtype for _, picture in stages} == {np.dtype(np.uint8)}


@pytest.mark.parametrize("area", [(600, 10, 500, 90), (0, 0, 3, 100), (900, 0, 999, 100)])
def test_an_area_outside_the_picture_is_refused(
    page: np.ndarray, area: tuple[float, float, float, float]
) -> None:
    """The error names the area and the picture's size."""
    with pytest.raises(UsageError, match="the picture is 700 x 500"):
        find_lines(page, area=area)


@pytest.mark.parametrize("edge", [math.nan, math.inf])
def test_an_area_that_is_no_number_is_refused(page: np.ndarray, edge: float) -> None:
    """An edge that no arithmetic gave is told, not rounded."""
    with pytest.raises(UsageError) as error:
        find_lines(page, area=(0, 0, edge, 100))
    assert error.value.wanted == (
        "the area must be left, top, right, bottom in pixels, four numbers"
    )
    assert error.value.seen == f"(0, 0, {edge}, 100)"


def test_what_cannot_be_looked_at_is_refused(page: np.ndarray) -> None:
    """Too many pixels, a count of none and a missing file are errors that say what to do."""
    huge = np.broadcast_to(np.uint8(255), (10_000, 9_000))
    with pytest.raises(ShapeError, match="at most 80,000,000 pixels") as error:
        find_lines(huge)
    assert "9,000 x 10,000 = 90,000,000" in str(error.value)
    with pytest.raises(UsageError, match="1 or more"):
        find_lines(page, count=0)
    with pytest.raises(MissingDataError):
        find_lines("no such file.png")
