"""Draw: with a pointer, by keyboard, with a picture."""

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

GO = Callable[[Any, str], None]

SERVED = ["server", pytest.param("static", marks=pytest.mark.slow)]
"""The page is one, and tests/server/test_export.py compares what its backends answer."""

COURSE = Path(__file__).parents[2] / "docs" / "course"

DROP = """([kind, place, data]) => {
    const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], 'a.png', {type: 'image/png'}));
    const event = kind === 'paste'
        ? new ClipboardEvent('paste', {clipboardData: carried, bubbles: true})
        : new DragEvent('drop', {dataTransfer: carried, bubbles: true, cancelable: true});
    document.querySelector(place).dispatchEvent(event);
}"""


def answer(page: Any) -> str:
    """Return the digit that is answered."""
    return str(page.locator("#answer-digit").text_content())


def bare(page: Any) -> bool:
    """Say whether the page holds no drawing."""
    return "strokes=" not in page.url and "pixels=" not in page.url


@pytest.mark.parametrize("backend", ["server", "static"])
def test_a_seven_drawn_with_a_pointer_is_read(seven: Any, expect: Any) -> None:
    """The drawn 7 is answered with 7, in the bars, in words, and beside every view."""
    # The half of it was called a 7 too, less surely: the answer to all of it is waited for.
    expect(seven.locator("#answer-words")).to_contain_text("universal is 9")
    expect(seven.locator("#draw-bars .bar.first b")).to_have_text(["7"])
    expect(seven.locator("#now-digit")).to_have_text("7")


@pytest.mark.parametrize("backend", ["server", "static"])
def test_the_page_is_never_empty(page: Any, go: GO, expect: Any) -> None:
    """It opens on a drawn 4; examples, and digits that people wrote, are a click away."""
    expect(page.locator("#answer-digit")).to_have_text("4")
    expect(page.locator("#pad-hint")).to_have_text("An example: draw over it")
    assert bare(page)
    examples = page.locator("#examples button")
    assert examples.count() == 14
    assert page.locator("#examples button[tabindex='0']").count() == 1
    page.get_by_role("button", name="Example: letter B").click()
    expect(page.locator("#answer-digit")).to_have_text("8")
    expect(page.locator("#example-words")).to_contain_text("read as an 8, and surely")
    page.locator("#example-other").click()
    expect(page.locator("#example-words")).to_have_text(
        re.compile(r"^Number [\d,]+ of \w+ test, labelled \d\.$")
    )
    page.wait_for_url("**pixels=*")
    go(page, "pixels")
    expect(page.locator("#pixels-text")).to_contain_text(re.compile(r"\d"))


def test_an_example_gives_way_to_the_first_stroke(page: Any, go: GO, expect: Any) -> None:
    """What is drawn over the opening example stands alone; a cleared sheet stays clear."""
    expect(page.locator("#answer-digit")).to_have_text("4")
    strokes(page, [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)])
    expect(page.locator("#answer-digit")).to_have_text("7")
    page.locator("#clear").click()
    page.wait_for_url("**strokes=")
    page.reload()
    expect(page.locator("#pad-hint")).to_have_text("Write a digit here")
    expect(page.locator("#now-sure")).to_have_text("nothing drawn")
    go(page, "pixels")
    page.get_by_role("button", name="Take an example").click()
    expect(page.locator("#now-digit")).to_have_text("4")


def test_a_tour_leads_through_the_views(page: Any, expect: Any) -> None:
    """Seven steps by keys alone; closed halfway it is gone on with, left it stays away."""
    page.get_by_role("button", name="Take the tour").press("Enter")
    title = page.locator("#tour-title")
    for number, tab in enumerate(("draw", "pixels", "network"), 1):
        expect(title).to_contain_text(f"{number} of 7: ")
        expect(title).to_be_focused()
        page.locator(f"#view-{tab} .tour-spot").wait_for()
        if number < 3:
            page.locator("#tour-next").press("Enter")
    page.goto(page.url.split("#")[0] + "?again")
    page.get_by_role("button", name="Go on with it").click()
    expect(title).to_contain_text("3 of 7: ")
    for number in range(4, 8):
        page.locator("#tour-next").click()
        expect(title).to_contain_text(f"{number} of 7: ")
    page.locator("#view-mistakes").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator("#tour")).to_be_hidden()
    page.goto(page.url.split("?")[0])
    expect(page.locator("#answer-digit")).to_have_text("4")
    expect(page.locator("#tour-invitation")).to_be_hidden()
    expect(page.locator("#tour-start")).to_be_visible()


def test_every_view_is_explained_with_its_lessons(page: Any) -> None:
    """Under each view stands a text that names lessons of the course, all of which exist."""
    course = {path.stem for path in COURSE.glob("[0-9]*.md")}
    views = page.locator("section.view").all()
    for view in views:
        text = view.locator(".lesson")
        assert len(text.text_content().split()) > 60
        assert set(text.get_attribute("data-lessons").split(",")) <= course
    assert len(views) >= 10


def test_answers_appear_while_drawing(open_page: Any, draw_seven: Callable[..., None]) -> None:
    """The 7 is read before the pen is lifted, and the address waits until it is."""
    page = open_page("#draw?strokes=")
    draw_seven(page, lift=False)
    assert page.url.endswith("strokes=")
    page.mouse.up()
    page.wait_for_url("**strokes=F*")


@pytest.mark.parametrize("backend", SERVED)
def test_no_digit_is_no_eleventh_bar(seven: Any, expect: Any) -> None:
    """Ten bars sum to 1; apart from them stands "no digit" with a tick at the card's limit."""
    expect(seven.locator("#draw-bars .bar:not(.refusal)")).to_have_count(10)
    expect(seven.locator("#draw-bars .refusal-words")).to_contain_text("Rejected above 78.7 %")
    left = seven.locator("#draw-bars .refusal em").evaluate("tick => tick.style.left")
    assert float(left.rstrip("%")) == pytest.approx(78.7499)


def test_while_the_answer_is_on_its_way_nothing_else_is_said(
    open_page: Any, expect: Any
) -> None:
    """A stroke is there: the page does not say that nothing is written."""
    page = open_page("#draw?strokes=")
    expect(page.locator("#answer-words")).to_have_text("Nothing is written yet.")
    page.route("**/v1/predict*", lambda route: None)
    strokes(page, [(0.3, 0.5), (0.6, 0.5)])
    expect(page.locator("#answer-words")).to_have_text("Reading…")
    page.unroute_all(behavior="ignoreErrors")


@pytest.mark.parametrize("backend", SERVED)
def test_why_is_answered_beside_the_drawing(seven: Any, expect: Any) -> None:
    """Occlusion is there at once, the runner-up in words; the nearest other digit opens."""
    expect(seven.locator("#why-title")).to_have_text("Why 7?")
    expect(seven.locator("#why-mattered")).to_contain_text("Without the 5 x 5 pixels")
    expect(seven.locator("#why-next")).to_contain_text("Runner-up:")
    seven.locator("#why-nearest-ask").click()
    expect(seven.locator("#why-nearest")).to_contain_text("nearest to this 7")
    seven.get_by_role("button", name="Inspect it").click()
    expect(seven.locator("#answer-digit")).not_to_have_text("7")


@pytest.mark.parametrize("backend", SERVED)
def test_undo_and_clear(seven: Any, expect: Any) -> None:
    """Undo takes back a step, clear all of them, and clear can be undone."""
    seven.locator("#clear").click()
    expect(seven.locator("#answer-digit")).to_have_text("–")
    expect(seven).to_have_url(re.compile("strokes=$"))
    seven.locator("#undo").click()
    expect(seven.locator("#answer-digit")).to_have_text("7")
    seven.keyboard.press("Control+z")
    expect(seven.locator("#answer-digit")).to_have_text("4")


def test_a_seven_painted_by_keyboard_alone_is_read(open_page: Any, expect: Any) -> None:
    """Tab reaches the cells; arrows with Shift paint, and a 7 made of them is read as 7."""
    page = open_page("#draw?strokes=")
    page.keyboard.press("Tab")
    page.locator('input[name="tool"]').first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "cells"
    page.keyboard.press(" ")  # at row 6, column 8
    for _ in range(11):
        page.keyboard.press("Shift+ArrowRight")
    for _ in range(5):
        for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowLeft"):
            page.keyboard.press(f"Shift+{key}")
    expect(page.locator("#answer-digit")).to_have_text("7")
    expect(page.locator("#live")).to_contain_text("row 21, column 14")
    page.keyboard.press("Backspace")
    page.keyboard.press("Control+z")
    page.wait_for_url("**pixels=*")


def test_a_picture_is_taken(
    page: Any, seven_png: bytes, png: Callable[[Any], bytes], go: GO, expect: Any
) -> None:
    """A dropped or pasted picture of a 7 is read, and its steps are told in Pixels."""
    smaller = png(np.asarray(Image.open(io.BytesIO(seven_png)))[5:135, 5:135])
    for kind, content, size in (
        ("drop", seven_png, "140 x 140"),
        ("paste", smaller, "130 x 130"),
    ):
        go(page, "draw")
        page.locator("#clear").click()
        expect(page.locator("#answer-digit")).to_have_text("–")
        page.evaluate(DROP, [kind, "#paper", base64.b64encode(content).decode()])
        expect(page.locator("#answer-digit")).to_have_text("7")
        go(page, "pixels")
        page.locator("#steps img").nth(4).wait_for()
        expect(page.locator("#steps li").first).to_contain_text(size)


def test_a_finger_draws_and_does_not_scroll(open_page: Any) -> None:
    """On the paper and on the cells a touch is a stroke: the browser may not pan."""
    page = open_page(viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)
    for place in ("#pad", "#cells"):
        action = f"getComputedStyle(document.querySelector('{place}')).touchAction"
        assert page.evaluate(action) == "none"
    paper = page.locator("#pad").bounding_box()
    page.touchscreen.tap(paper["x"] + 100, paper["y"] + 100)
    page.wait_for_url("**strokes=*")


def test_a_drawn_digit_is_kept_on_purpose(seven: Any, go: GO, expect: Any) -> None:
    """Keep saves the digit among one's own; a page lists them, and removes it again."""
    seven.locator("#keep").click()
    expect(seven.locator("#keep-done")).to_contain_text("1")
    go(seven, "digits")
    seven.locator("#own img[alt='a 7 of yours']").wait_for()
    seven.locator("#own button[aria-label='Remove this 7']").click()
    expect(seven.locator("#own")).to_contain_text("None yet")


def strokes(page: Any, *lines: list[tuple[float, float]], steps: int = 6) -> None:
    """Draw lines, each of corners as shares of the paper's side, with stops between them."""
    paper = page.locator("#pad").bounding_box()
    for line in lines:
        corners = [
            (paper["x"] + x * paper["width"], paper["y"] + y * paper["height"]) for x, y in line
        ]
        page.mouse.move(*corners[0])
        page.mouse.down()
        for corner in corners[1:]:
            page.mouse.move(*corner, steps=steps)
        page.mouse.up()


TWO_STROKES = {
    "4": ([(0.22, 0.18), (0.18, 0.54), (0.57, 0.54)], [(0.79, 0.15), (0.77, 0.86)]),
    "5": (
        [(0.36, 0.32), (0.34, 0.5), (0.6, 0.54), (0.57, 0.79), (0.29, 0.82)],
        [(0.43, 0.18), (0.75, 0.16)],
    ),
    "7": ([(0.25, 0.21), (0.75, 0.21)], [(0.71, 0.34), (0.43, 0.84)]),
}
"""Digits of two strokes that do not touch."""


def test_strokes_that_do_not_touch_are_one_digit(page: Any, expect: Any) -> None:
    """A drawing is one digit, of however many strokes; nothing is logged on the way to it."""
    for digit, lines in TWO_STROKES.items():
        page.locator("#clear").click()
        expect(page.locator("#answer-digit")).to_have_text("–")
        strokes(page, *lines)
        expect(page.locator("#answer-digit")).to_have_text(digit)
        expect(page.locator("#draw-several")).to_be_hidden()


@pytest.mark.parametrize("backend", SERVED)
def test_what_looks_like_two_digits_is_told(page: Any, expect: Any) -> None:
    """Two digits side by side are answered as one drawing, and a way to Read is shown."""
    seven = [(0.08, 0.3), (0.36, 0.3), (0.2, 0.7)]
    strokes(page, seven, [(x + 0.55, y) for x, y in seven])
    expect(page.locator("#draw-several")).to_contain_text("more than one digit")
    page.locator("#draw-to-read").click()
    page.locator("#view-read").wait_for()


def test_a_sheet_full_of_ink_is_no_fault(page: Any, expect: Any) -> None:
    """Even a black sheet is answered: nothing that is drawn makes the browser log an error."""
    page.locator("#width").fill("36")
    rows = [(0.02 if index % 2 else 0.98, index / 14) for index in range(15)]
    strokes(page, [(1 - x, y) for x, y in rows for x in (1 - x, x)], steps=1)
    expect(page.locator("#now-sure")).not_to_have_text("nothing drawn")
    expect(page.locator("#draw-problem")).to_be_hidden()


def test_a_doubtful_answer_stays_visible_and_is_to_be_checked(page: Any, expect: Any) -> None:
    """Unsure or refused, the best guess is shown with a question mark and "Check this"."""
    doubts: tuple[tuple[dict[str, Any], str, str], ...] = (
        ({"unsure": True, "confidence": 0.55}, "is 55.0 % sure", "55.0 %, check"),
        ({"digit": None, "confidence": 0.83}, "rejected as “not a digit”", "no digit"),
    )
    change: dict[str, Any] = {}

    def doubt(route: Any) -> None:
        response = route.fetch()
        result = response.json()
        for picture in result["pictures"]:
            picture["answers"] = [answer | change for answer in picture["answers"]]
        route.fulfill(response=response, json=result)

    page.route("**/v1/predict*", doubt)
    for made, words, sure in doubts:
        change.clear()
        change.update(made)
        page.locator("#clear").click()
        expect(page.locator("#answer-digit")).to_have_text("–")
        strokes(page, [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)])
        expect(page.locator("#answer-digit")).to_have_text("7?")
        expect(page.locator("#answer-words")).to_contain_text(words)
        expect(page.locator("#answer-words")).to_contain_text("Check this.")
        expect(page.locator("#now-digit")).to_have_text("7?")
        expect(page.locator("#now-sure")).to_have_text(sure)
        expect(page.locator("#keep-label")).to_have_value("7")
    page.unroute_all(behavior="wait")  # an answer may be under way still


def test_when_the_lab_is_gone_that_is_told(seven: Any, go: GO, expect: Any) -> None:
    """Without the service every view says so in one place; it goes when the service is back."""
    seven.route("**/v1/**", lambda route: route.abort())
    strokes(seven, [(0.3, 0.5), (0.6, 0.5)])
    expect(seven.locator("#offline")).to_contain_text("The lab does not answer")
    go(seven, "pixels")
    expect(seven.locator("#view-pixels .empty")).to_have_text("The lab does not answer.")
    seven.unroute("**/v1/**")
    go(seven, "draw")
    seven.locator("#undo").click()
    expect(seven.locator("#offline")).to_be_hidden()
    expect(seven.locator("#answer-digit")).to_have_text("7")
    assert [fault for fault in seven.faults if "ERR_FAILED" not in fault] == []
    seven.faults.clear()  # browsers log every request that fails
