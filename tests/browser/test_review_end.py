"""Review at its end: a picture that cannot be shown, then nothing that waits; and no mail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

READY = "#review-desk[aria-busy='false']"


@pytest.fixture(scope="module")
def lab_address(
    run_lab: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Return the address of a lab with two pieces; the picture of the second is damaged."""
    with run_lab("lab_with_mail.py", tmp_path_factory.mktemp("few"), "2") as address:
        yield address


def test_the_last_pieces_and_an_empty_queue(
    open_page: Callable[..., Any], ask_page: Callable[..., Any], expect: Any
) -> None:
    """A piece without a picture is reviewed by typing; then it is said that nothing waits.

    Meanwhile a second person is told that others have all, and gets what is given back.
    """
    page = open_page("#review")
    expect(page.locator(READY)).to_be_visible()
    page.keyboard.press("1")
    expect(page.locator("#piece-title")).to_contain_text("Piece 2")
    expect(page.locator("#piece-close")).to_contain_text("02.png is not a picture")
    expect(page.locator("#review-desk img")).to_have_count(0)
    expect(page.locator("#zip")).to_be_focused()

    other = open_page("#review")
    expect(other.locator("#rest-title")).to_have_text("Other reviewers have the rest")
    expect(other.locator("#rest-title")).to_be_focused()
    # What is given back comes to who waits, unasked.
    token = "JSON.parse(sessionStorage.getItem('digitlens-person')).token"
    ask_page(page, "/v1/mail/pieces/2/release", {"token": page.evaluate(token)})
    expect(other.locator("#piece-title")).to_contain_text("Piece 2")
    ask_page(other, "/v1/mail/pieces/2/release", {"token": other.evaluate(token)})
    other.goto("about:blank")
    page.reload()
    expect(page.locator("#piece-title")).to_contain_text("Piece 2")
    expect(page.locator("#zip")).to_be_focused()

    page.locator("#zip").fill("00501")
    page.keyboard.press("Enter")
    expect(page.locator("#rest-title")).to_have_text("Nothing waits")
    expect(page.locator("#rest-words")).to_contain_text("2 trays")
    expect(page.locator("#review-count")).to_have_text("0 wait, you settled 2")
    expect(page.locator("#live")).to_have_text("Piece 2 went to the tray NY. Nothing waits")

    # A wrong key is made good: the piece is on the desk again, as it was.
    expect(page.locator("#review-back")).to_have_text("U Take back piece 2 from NY")
    page.keyboard.press("u")
    expect(page.locator("#piece-title")).to_contain_text("Piece 2")
    expect(page.locator("#review-count")).to_have_text("1 waits, you settled 1")
    expect(page.locator("#review-back")).to_be_hidden()
    expect(page.locator("#live")).to_contain_text("Piece 2 was taken back.")
    expect(page.locator("#zip")).to_be_focused()
    page.locator("#zip").fill("00501")
    page.keyboard.press("Enter")
    expect(page.locator("#rest-title")).to_have_text("Nothing waits")

    # The server is asked once, and keeps the question open.
    with other.expect_request(
        lambda asked: asked.url.endswith("/claim") and asked.post_data_json.get("wait")
    ):
        other.go_back()
    expect(other.locator("#rest-title")).to_have_text("Nothing waits")
