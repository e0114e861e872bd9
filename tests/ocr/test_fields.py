"""What is known of a number before it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from digitlens.errors import UsageError
from digitlens.ocr import FormField, Reader

Gray = np.ndarray
Make = Callable[..., Any]
UPPER, LOWER = (50.0, 50.0, 400.0, 150.0), (200.0, 250.0, 690.0, 400.0)


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


def test_each_field_is_one_line_in_their_order(reader: Reader, page: Gray) -> None:
    """Fields give one line each, in their own order, from where they are."""
    lines = reader.read(
        page, fields=[FormField(area=LOWER), FormField(area=UPPER), FormField(area=LOWER)]
    )
    assert texts(lines) == ["257", "4735", "257"]
    plain = {line.text: line.box for line in reader.read(page)}
    for line in lines:
        assert line.box == pytest.approx(plain[line.text], abs=1.5)
        assert [digit.text for digit in line.digits] == [*line.text]


def test_a_count_says_how_many_digits(reader: Reader, page: Gray) -> None:
    """A field has as many digits as it should; `length` counts where it says nothing."""
    fields = [FormField(count=3), FormField(count=4), FormField()]
    assert texts(reader.read(page, 3, fields=fields)) == ["257", "4735", "257"]
    assert len(reader.read(page, fields=[FormField(count=2, area=UPPER)])[0].text) == 2


def test_the_surest_number_of_a_field_counts(page: Gray, make_network: Make) -> None:
    """Where a field holds several numbers, the surest one is it."""
    reader = Reader(network=make_network(0.95))
    (line,) = reader.read(page, fields=[FormField()])
    assert line.text == "257"
    assert line.confidence == max(item.confidence for item in reader.read(page))


def test_a_field_with_nothing_in_it_is_empty(reader: Reader, page: Gray) -> None:
    """Where nothing is found there is an empty line, its box the field's within the picture."""
    fields = [
        FormField(5, (0.0, 150.0, 150.0, 250.0)),
        FormField(area=UPPER),
        FormField(area=(600, 400, 900, 900)),
    ]
    first, second, third = reader.read(page, fields=fields)
    assert (first.text, first.confidence, first.digits) == ("", 0.0, ())
    assert first.box == (0, 150, 150, 250)
    assert second.text == "4735"
    assert third.box == (600, 400, 700, 500)
    bare = np.full((300, 400), 255, np.uint8)
    (nothing,) = reader.read(bare, fields=[FormField()])
    assert (nothing.text, nothing.box) == ("", (0, 0, 400, 300))


def test_an_area_may_reach_beyond_the_picture(reader: Reader, page: Gray) -> None:
    """What of an area lies in the picture is looked at."""
    lines = reader.read(page, fields=[FormField(area=(-50.0, -50.0, 400.0, 200.0))])
    assert texts(lines) == ["4735"]


@pytest.mark.parametrize(
    "area", [(800, 10, 900, 100), (300, 100, 100, 300), (0, 0, 4, 400), (-90, 0, -10, 90)]
)
def test_an_area_outside_the_picture_is_refused(
    reader: Reader, page: Gray, area: tuple[float, ...]
) -> None:
    """An area that leaves nothing to look at is told with the picture's size."""
    with pytest.raises(UsageError) as caught:
        reader.read(page, fields=[FormField(), FormField(area=area)])
    assert str(caught.value) == (
        "the area must be left, top, right, bottom within the picture, 5 pixels at least\n"
        f"  seen    {area}; the picture is 700 x 500"
    )


@pytest.mark.parametrize("count", [0, -1, 2.5, "5", True])
def test_a_count_that_cannot_be_is_refused(reader: Reader, page: Gray, count: Any) -> None:
    """A count is a whole number of at least 1."""
    with pytest.raises(UsageError):
        reader.read(page, fields=[FormField(count=count)])


def test_boxes_may_be_known(reader: Reader, make_sheet: Make) -> None:
    """Digits in a row of printed boxes are one number, though most of them are empty."""
    page = make_sheet(("4", 80, 110), ("7", 280, 110))
    for left in range(60, 560, 100):
        cv2.rectangle(page, (left, 95), (left + 70, 170), 60, 3)
    (line,) = reader.read(page, fields=[FormField(boxes=True)])
    assert line.text == "47"
    assert [round(digit.box[0], -1) for digit in line.digits] == [80, 280]


def test_a_cut_out_field_may_be_upside_down(reader: Reader, page: Gray) -> None:
    """A field of a page on its head is turned over, though it shows but one line."""
    over = np.ascontiguousarray(page[::-1, ::-1])
    (line,) = reader.read(over, fields=[FormField(area=(300, 350, 650, 450))])
    assert line.text == "4735"
    assert line.box == pytest.approx((438, 375, 600, 420), abs=1.5)


def test_a_field_of_a_picture_of_one_line_is_cut_out(reader: Reader, print_line: Make) -> None:
    """Of a picture that shows one line only the field's part is read."""
    picture = print_line("4735")
    width = picture.shape[1]
    left, right = (0, 0, width / 2, 65), (width / 2, 0, width, 65)
    fields = [FormField(area=left), FormField(area=right), FormField()]
    assert texts(reader.read(picture, fields=fields)) == ["47", "35", "4735"]


def test_the_steps_of_each_field_are_kept(reader: Reader, page: Gray) -> None:
    """With `stages` the steps of each field are there, under names that differ."""
    fields = [FormField(area=LOWER), FormField(area=UPPER)]
    assert reader.page(page, fields=fields).stages == ()
    result = reader.page(page, fields=fields, stages=True)
    names = [name for name, _ in result.stages]
    assert len(set(names)) == len(names) == 14
    assert names[0] == "field-1-1-seen"
    assert names[-1] == "field-2-7-strips"
    assert texts(result.lines) == ["257", "4735"]


def test_a_page_of_fields_says_how_it_was_opened(reader: Reader, page: Gray) -> None:
    """Size and words are those of the whole picture."""
    result = reader.page(page, fields=[FormField(area=LOWER)])
    assert result.size == (700, 500)
    assert result.about == ("700 x 500 pixels, grey",)


def test_no_fields_are_no_hint(reader: Reader, page: Gray) -> None:
    """An empty list of fields is a page without hints."""
    assert texts(reader.read(page, fields=[])) == ["4735", "257"]
