"""Train, Mistakes and Read."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlens.digits import SIDE
from digitlens.ocr.output import COLUMNS

Go = Callable[[Any, str], None]


def test_curves_grow_while_a_network_learns(seven: Any, go: Go, expect: Any) -> None:
    """A run on a share of the digits is followed to its end; its network can then be asked."""
    go(seven, "train")
    seven.locator("#train-data").select_option("uci")
    command = "digitlens train dense --data uci --limit 518 --epochs 25 --recipe course"
    expect(seven.locator("#train-command")).to_have_text(command)
    seven.locator("#train-network").select_option("custom")
    seven.locator("#layer-remove").click()
    seven.locator("#layer-add").click()
    command = "--layers conv8,pool,conv16,pool,conv16 --epochs 25"
    expect(seven.locator("#train-command")).to_contain_text(command)
    seven.locator("#train-network").select_option("quick")
    seven.locator("#train-share").fill("40")
    seven.locator("#train-epochs").fill("3")
    seven.locator("#train-start").click()
    seven.locator("#run-progress").wait_for()
    counts = []
    for epochs in (1, 3):
        row = seven.locator("#run-table tbody tr").nth(epochs - 1)
        row.wait_for(state="attached")
        counts.append(seven.locator("#chart-loss .dot.train").count())
    assert counts[0] >= 1
    assert counts[1] == 3
    seven.locator("#run-use").wait_for()
    assert len(seven.locator("#run-words").text_content()) > 20
    seven.locator("#run-use").click()
    expect(seven.locator("#network")).to_have_value("quick-1")
    seven.reload()
    seven.locator("#runs [data-run='quick-1'][aria-pressed='true']").wait_for()
    expect(seven.locator("#run-title")).to_have_text("quick-1")
    expect(seven.locator("#chart-right .dot.validation")).to_have_count(3)
    check_another_run_keeps_its_page(seven, expect)
    check_runs_are_laid_over_each_other(seven, expect)
    check_test_digits_wait(seven, go, expect)


def check_another_run_keeps_its_page(page: Any, expect: Any) -> None:
    """While a network trains, an earlier run is shown as it was, and a line tells of both."""
    page.locator("#train-network").select_option("tiny")
    page.locator("#train-data").select_option("uci")
    page.locator("#train-epochs").fill("900")
    page.locator("#train-start").click()
    page.locator("#run-table tbody tr").nth(4).wait_for(state="attached")
    page.locator("#runs [data-run='quick-1']").click()
    expect(page.locator("#run-title")).to_have_text("quick-1")
    expect(page.locator("#run-state")).to_have_text("done")
    before = page.locator("#train-elsewhere-words").text_content()
    assert before.startswith("tiny-1 is training: ")
    expect(page.locator("#train-elsewhere-words")).not_to_have_text(before)  # it goes on
    expect(page.locator("#run-state")).to_have_text("done")
    expect(page.locator("#chart-right .dot.validation")).to_have_count(3)
    expect(page.locator("#run-progress")).to_be_hidden()
    page.locator("#train-stop").click()
    expect(page.locator("#train-stop")).to_be_hidden()
    expect(page.locator("#run-title")).to_have_text("quick-1")
    expect(page.locator("#run-words")).not_to_contain_text("tiny")


def check_runs_are_laid_over_each_other(page: Any, expect: Any) -> None:
    """Curves of two runs in one chart, told at the pointer; a run that is deleted is gone."""
    page.locator("[data-overlay='tiny-1']").check()
    expect(page.locator("#chart-loss .curve.other-0")).to_have_count(2)
    page.locator("#chart-loss svg").hover(position={"x": 150, "y": 60})
    expect(page.locator("#chart-loss .chart-values")).to_contain_text("tiny-1 validation")
    page.wait_for_url("**overlay=tiny-1*")
    page.locator("#runs [data-run='tiny-1']").click()
    page.locator("#run-delete").click()
    page.locator("#delete-yes").click()
    expect(page.locator("#runs [data-run='tiny-1']")).to_have_count(0)
    expect(page.locator("#run-title")).to_have_text("No run yet")
    page.locator("#runs [data-run='quick-1']").click()


def check_test_digits_wait(page: Any, go: Go, expect: Any) -> None:
    """A run is measured on held-back digits; its test digits are opened on purpose, counted."""
    page.locator("#network").select_option("quick-1")
    go(page, "mistakes")
    page.locator("#mistakes-data").select_option("uci")
    expect(page.locator("#mistakes-part")).to_have_value("validation")
    expect(page.locator("#mistakes-words")).to_contain_text("(uci validation)")
    page.locator("#mistakes-part").select_option("test")
    page.wait_for_url("**part=test*")  # the address is what a reload goes by
    for words in ("opened 0 times for quick-1", "opened once for quick-1"):
        page.get_by_role("button", name=words).click()
        expect(page.locator("#mistakes-words")).to_contain_text("(uci test)")
        page.reload()


def test_what_a_network_learned_from_is_not_called_held_back(page: Any, expect: Any) -> None:
    """Digits that cnn has seen cannot be chosen as held back, and that is said."""
    page.goto(page.url.split("#")[0] + "#mistakes?data=uci&network=cnn")
    parts = {
        "parts": [
            {"part": "test", "count": 10000, "seen": "no", "words": "never trained on"},
            {"part": "validation", "count": 6071, "seen": "all", "words": "seen in training"},
            {"part": "train", "count": 53929, "seen": "all", "words": "seen in training"},
        ],
        "opened": None,
    }
    page.route("**/v1/mistakes/parts*", lambda route: route.fulfill(json=parts))
    page.reload()
    note = page.locator("#mistakes-part-note")
    expect(note).to_contain_text("cannot be measured: seen in training")
    expect(note).to_contain_text("21 wrong of 6,071")
    expect(page.locator("#mistakes-part option[value='validation']")).to_be_disabled()


@pytest.mark.parametrize("backend", ["server", "static"])
def test_a_confusion_cell_opens_its_pictures(page: Any, go: Go, expect: Any) -> None:
    """A click on a cell shows its pictures; one of them is then the digit in every view."""
    page.goto(page.url.split("#")[0] + "#mistakes?data=uci")
    cell = page.locator("#matrix button.wrong:enabled").first
    cell.wait_for()
    place, count = cell.get_attribute("data-cell"), int(cell.text_content())
    cell.click()
    page.locator("#gallery img").first.wait_for()
    expect(page.locator("#gallery button")).to_have_count(count)
    expect(page.locator("#gallery-title")).to_have_text(f"{place[0]}, taken for {place[1]}")
    page.locator("#gallery button").first.click()
    expect(page.locator("#now-digit")).to_have_text(place[1])
    page.locator("#taken button", has_text="Convolution").click()
    page.locator("#maps canvas").first.wait_for()


def test_cells_are_reached_by_arrow_keys(page: Any) -> None:
    """From a cell that holds something the arrows lead to the next one that does."""
    page.goto(page.url.split("#")[0] + "#mistakes?data=uci")
    page.locator("#matrix [data-cell='00']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.disabled") is False
    assert page.locator("#matrix button[tabindex='0']").count() == 1, "one stop of the Tab key"


@pytest.fixture
def strip(make_digits: Any, png: Any) -> bytes:
    """Return a picture of three digits beside each other, dark on light."""
    digits = make_digits(3, seed=1)
    apart = np.zeros((SIDE, 12), np.uint8)
    ink = np.hstack([part for image in digits.images for part in (apart, image)] + [apart])
    return bytes(png(np.kron(255 - ink, np.ones((3, 3), np.uint8))))


DROP = """data => {
    const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], 'a.png', {type: 'image/png'}));
    const drop = {dataTransfer: carried, bubbles: true, cancelable: true};
    const event = new DragEvent("drop", drop);
    document.getElementById('view-read').dispatchEvent(event);
}"""


def test_a_picture_of_several_digits_is_read(page: Any, go: Go, strip: bytes) -> None:
    """Dropped digits are boxed, doubted, corrected by typing, and kept when asked for."""
    go(page, "read")
    page.evaluate(DROP, base64.b64encode(strip).decode())
    fields = page.locator("#lines input")
    fields.nth(2).wait_for()
    assert [field.input_value() for field in fields.all()] == ["4", "7", "0"]
    assert page.locator("#photo .digit-box").count() == 3
    assert page.locator("#photo .digit-box.doubtful").count() == 1
    assert "else 1 31.0 %" in fields.nth(1).get_attribute("aria-label")
    fields.nth(1).press("1")
    assert page.locator("#photo .corrected").count() == 1
    check_a_number_is_edited(page, fields)
    page.get_by_role("button", name="Save the corrected digit").click()
    page.get_by_text("Saved: you have 1").wait_for()
    go(page, "digits")
    page.locator("#own img[alt='a 1 of yours']").wait_for()
    page.locator("#own button[aria-label='Remove this 1']").click()
    page.get_by_text("None yet: save a drawn digit").wait_for()


def test_a_heic_picture_is_named_as_such(page: Any, go: Go, expect: Any) -> None:
    """What the browser cannot open is not sent; the words say what a phone can do about it."""
    go(page, "read")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    picture = {"name": "IMG_1.HEIC", "mimeType": "image/heic", "buffer": b"ftypheic"}
    page.set_input_files("#read-file", picture)
    expect(page.locator("#read-problem")).to_contain_text("Most Compatible")
    assert [url for url in asked if "/v1/read" in url] == []


def check_a_number_is_edited(page: Any, fields: Any) -> None:
    """Digits are added, taken out and chosen, by key and by button; rows are saved."""

    def number() -> str:
        return "".join(field.input_value() for field in fields.all())

    assert page.locator("#lines input[tabindex='0']").count() == 1
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Delete")
    assert number() == "41"
    page.get_by_role("button", name="Insert after").click()
    page.keyboard.press("5")
    assert number() == "415"
    page.get_by_role("button", name="410 (30.0 %)").click()
    assert number() == "410"
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as CSV").click()
    rows = Path(saved.value.path()).read_text("utf-8").splitlines()
    assert rows[0] == ",".join(COLUMNS)
    assert rows[1].startswith(",1,,410,0.600000,false,")
    page.locator("#read-least").select_option("0.9")
    assert page.locator("#read-hidden").text_content() == "1 line is hidden."
    page.locator("#read-least").select_option("0")
    assert number() == "410"


def test_without_a_reader_that_is_said(open_page: Any, go: Go) -> None:
    """Where no reader is installed the view says so before a picture is chosen."""
    page = open_page()

    def without(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"reader": False})

    page.route("**/v1/networks", without)
    page.reload()
    go(page, "read")
    page.get_by_text("No reader of lines is installed").wait_for()
    assert page.locator("#read-file").is_disabled()
