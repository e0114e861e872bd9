"""Read with the published reader: where its boxes stand, and what is kept of a correction."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import digitlens

Go = Callable[[Any, str], None]

NUMBERS = {"40725": (60, 60), "318": (420, 60), "96204": (80, 200), "7351": (300, 320)}
"""What stands on the page, and at which column and row it begins."""

WIDE, HIGH, STEP, TALL = 640, 420, 48, 56
"""The page, and a digit's width and height on it, in pixels."""

DROP = """data => {
    const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], 'a.png', {type: 'image/png'}));
    const drop = {dataTransfer: carried, bubbles: true, cancelable: true};
    document.getElementById('view-read').dispatchEvent(new DragEvent("drop", drop));
}"""

BOXES = """() => {
    const photo = document.querySelector('#photo img');
    const {left, top, width} = photo.getBoundingClientRect();
    const scale = photo.naturalWidth / width;
    return [...document.querySelectorAll('#photo .digit-box')].map(each => {
        const box = each.getBoundingClientRect();
        return [box.left - left, box.top - top, box.right - left, box.bottom - top]
            .map(value => value * scale);
    });
}"""


@pytest.fixture(scope="module")
def lab_address(start_lab: Callable[..., Any]) -> Any:
    """Return the address of a lab with the published reader."""
    with start_lab("--published") as address:
        yield address


@pytest.fixture(scope="module")
def paper() -> Any:
    """Return a page of four numbers, uint8 (420, 640): by hands that digitlens comes with."""
    digits, model = digitlens.load_digits("uci").test, digitlens.load_model("cnn")
    read = model.predict(digits.images)
    clear = (read.labels == digits.labels) & (read.probabilities.max(axis=1) > 0.999)
    page = np.full((HIGH, WIDE), 240, np.uint8)
    for text, (left, top) in NUMBERS.items():
        for index, letter in enumerate(text):
            which = np.flatnonzero(clear & (digits.labels == int(letter)))[0]
            ink = np.kron(digits.images[which][:, 2:26], np.ones((2, 2)))
            place = (
                slice(top, top + TALL),
                slice(left + index * STEP, left + (index + 1) * STEP),
            )
            page[place] = 240 - 0.85 * ink
    return page


def drop(page: Any, go: Go, content: bytes) -> None:
    """Drop a picture on Read and wait for its digits."""
    go(page, "read")
    page.evaluate(DROP, base64.b64encode(content).decode())
    page.locator("#lines input").nth(sum(map(len, NUMBERS)) - 1).wait_for()
    page.wait_for_function("document.querySelector('#photo img').complete")


def texts(page: Any) -> list[str]:
    """Return the numbers that the page lists."""
    lines = page.locator("#lines > li").all()
    return [
        "".join(field.input_value() for field in line.locator("input").all()) for line in lines
    ]


def jpeg(pixels: Any, orientation: int) -> bytes:
    """Return a photo whose EXIF entry says how it is to be turned."""
    exif, into = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(into, "JPEG", quality=95, exif=exif)
    return into.getvalue()


def upright(column: float, row: float) -> tuple[float, float]:
    """A place on the page, where the page is shown upright."""
    return column, row


def on_its_head(column: float, row: float) -> tuple[float, float]:
    """A place on the page, where the page is shown upside down."""
    return WIDE - column, HIGH - row


def on_its_side(column: float, row: float) -> tuple[float, float]:
    """A place on the page, where the page is shown turned to the left by a quarter."""
    return row, WIDE - column


@pytest.mark.parametrize(
    ("turns", "orientation", "shown", "words"),
    [
        (0, 1, upright, "4 lines were found."),
        (1, 6, upright, "4 lines were found."),
        (2, 1, on_its_head, "upside down"),
        (1, 1, on_its_side, "turned to the right"),
    ],
    ids=["upright", "upright by EXIF", "on its head", "on its side"],
)
def test_boxes_stand_on_the_digits_as_the_photo_is_shown(
    page: Any, go: Go, expect: Any, paper: Any, turns: int, orientation: int, shown: Any,
    words: str,
) -> None:  # fmt: skip
    """Every number is read, and each digit's box lies on it, however the photo was turned."""
    drop(page, go, jpeg(np.ascontiguousarray(np.rot90(paper, turns)), orientation))
    assert texts(page) == list(NUMBERS)
    expect(page.locator("#read-state")).to_contain_text(words)
    expect(page.locator("#lines > li").first).to_contain_text("% sure")
    places = [
        (left + index * STEP, top)
        for text, (left, top) in NUMBERS.items()
        for index in range(len(text))
    ]
    boxes = page.evaluate(BOXES)
    assert len(boxes) == len(places)
    for (x0, y0, x1, y1), (left, top) in zip(boxes, places, strict=True):
        ends = [shown(left, top), shown(left + STEP, top + TALL)]
        low, high = np.min(ends, axis=0), np.max(ends, axis=0)
        middle = (x0 + x1) / 2, (y0 + y1) / 2
        assert (low < middle).all(), (left, top)
        assert (middle < high).all(), (left, top)
        assert 15 < max(x1 - x0, y1 - y0) < 60


def test_a_corrected_digit_of_a_turned_page_is_kept_upright(
    page: Any, go: Go, expect: Any, paper: Any
) -> None:
    """What is kept is the digit alone, as it was written, with the label that was typed."""
    drop(page, go, jpeg(np.ascontiguousarray(np.rot90(paper, 2)), 1))
    page.locator("#lines input").nth(2).press("1")
    page.get_by_role("button", name="Save the corrected digit").click()
    expect(page.locator("#read-state")).to_contain_text("Saved: you have 1")
    go(page, "digits")
    kept = page.locator("#own img[alt='a 1 of yours']")
    kept.wait_for()
    content = page.request.get(page.url.split("#")[0].rstrip("/") + kept.get_attribute("src"))
    digit = np.asarray(Image.open(io.BytesIO(content.body())))
    assert digit.shape == (28, 28)
    assert digitlens.load_model("cnn").predict(digit[None]).labels[0] == 7
    expect(page.locator("#own code")).to_have_text(
        re.compile("train universal --from universal --data")
    )
    page.locator("#own button[aria-label='Remove this 1']").click()
    expect(page.locator("#own")).to_contain_text("None yet")


def test_lines_of_one_length_are_asked_for(page: Any, go: Go, expect: Any, paper: Any) -> None:
    """With a number of digits in a line, only such lines are listed."""
    drop(page, go, jpeg(paper, 1))
    page.locator("#read-length").fill("5")
    page.locator("#read-length").press("Tab")
    expect(page.locator("#read-state")).to_have_text("2 lines were found.")
    assert sorted(texts(page)) == ["40725", "96204"]


def test_what_is_no_picture_is_told(page: Any, go: Go, tmp_path: Path) -> None:
    """A file that is no picture is a problem in words; the view stays usable."""
    go(page, "read")
    page.set_input_files("#read-file", {"name": "a.pdf", "mimeType": "", "buffer": b"%PDF-1.4"})
    page.get_by_text("is not a picture").wait_for()
    assert page.locator("#read-part").is_hidden()
    assert [fault for fault in page.faults if "422" not in fault] == []
    page.faults.clear()  # browsers log every 422


def test_a_page_is_made_up_to_try_with(page: Any, go: Go, expect: Any) -> None:
    """Without a photo at hand a page of numbers is made up, and read."""
    go(page, "read")
    page.locator("#read-example").click()
    expect(page.locator("#read-state")).to_contain_text("lines were found")
    lengths = [len(text) for text in texts(page)]
    assert sum(lengths) > 20


def test_several_digits_dropped_on_draw_are_read_at_a_click(
    page: Any, expect: Any, paper: Any
) -> None:
    """Draw takes one digit; a picture of more is handed on to Read."""
    line = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": jpeg(paper[40:140], 1)}
    page.set_input_files("#picture", line)
    expect(page.locator("#draw-problem")).to_contain_text("must show one digit")
    page.get_by_role("button", name="Read all of it").click()
    expect(page.locator("#read-state")).to_contain_text("found")
    assert "".join(texts(page)) == "40725318"
    assert [fault for fault in page.faults if "422" not in fault] == []
    page.faults.clear()  # browsers log every 422
