"""Draw: with a pointer, by keyboard, with a picture."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest

GO = Callable[[Any, str], None]

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


def test_a_seven_drawn_with_a_pointer_is_read(seven: Any) -> None:
    """The drawn 7 is answered with 7, in the bars, in words, and beside every view."""
    assert seven.locator(".bar.first b").first.text_content() == "7"
    assert "cnn is 9" in seven.locator("#answer-words").text_content()
    assert seven.locator("#now-digit").text_content() == "7"


def test_answers_appear_while_drawing(page: Any, draw_seven: Callable[..., None]) -> None:
    """The 7 is read before the pen is lifted, and the address waits until it is."""
    draw_seven(page, lift=False)
    assert bare(page)
    page.mouse.up()
    page.wait_for_url("**strokes=*")


def test_undo_and_clear(seven: Any, expect: Any) -> None:
    """Undo takes back a step, clear all of them, and clear can be undone."""
    seven.locator("#clear").click()
    expect(seven.locator("#answer-digit")).to_have_text("–")
    expect(seven).not_to_have_url(re.compile("strokes="))
    seven.locator("#undo").click()
    expect(seven.locator("#answer-digit")).to_have_text("7")
    seven.keyboard.press("Control+z")
    expect(seven.locator("#answer-digit")).to_have_text("–")


def test_a_seven_painted_by_keyboard_alone_is_read(page: Any, expect: Any) -> None:
    """Tab reaches the cells; arrows with Shift paint, and a 7 made of them is read as 7."""
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


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_is_taken(
    page: Any, seven_png: bytes, kind: str, go: GO, expect: Any
) -> None:
    """A dropped or pasted picture of a 7 is read, and its steps are told in Pixels."""
    data = base64.b64encode(seven_png).decode()
    page.evaluate(DROP, [kind, "#paper", data])
    expect(page.locator("#answer-digit")).to_have_text("7")
    go(page, "pixels")
    page.locator("#steps img").nth(4).wait_for()
    assert "140 x 140" in page.locator("#steps li").first.text_content()


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
    """Keep saves the digit among one's own; Read lists it, and removes it again."""
    seven.locator("#keep").click()
    expect(seven.locator("#keep-done")).to_contain_text("1")
    go(seven, "read")
    seven.locator("#own img[alt='a 7 of yours']").wait_for()
    seven.locator("#own button[aria-label='Remove this 7']").click()
    expect(seven.locator("#own")).to_contain_text("None yet")
