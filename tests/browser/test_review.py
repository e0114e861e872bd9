"""Review: a person settles mail with few keys, and no two have the same piece."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

Open = Callable[..., Any]

COUNT = 30
READY = "#review-desk[aria-busy='false']"
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def lab_address(
    run_lab: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Return the address of a lab with thirty pieces; it stands in for the usual lab."""
    folder = tmp_path_factory.mktemp("mail")
    with run_lab("lab_with_mail.py", folder, str(COUNT)) as address:
        yield address


@pytest.fixture
def review(open_page: Open, expect: Any) -> Open:
    """Return a function that opens the view and waits for a piece."""

    def opened(**options: Any) -> Any:
        page = open_page("#review", **options)
        expect(page.locator(READY)).to_be_visible()
        return page

    return opened


def piece(page: Any) -> int:
    """Return the number of the piece on the page."""
    result = re.search(r"\d+", page.locator("#piece-title").text_content())
    assert result is not None
    return int(result[0])


def press(page: Any, key: str, expect: Any) -> int:
    """Press a key that settles the piece; return the next piece's number."""
    before = piece(page)
    page.keyboard.press(key)
    expect(page.locator("#piece-title")).not_to_contain_text(f"Piece {before} ")
    expect(page.locator(READY)).to_be_visible()
    return piece(page)


def ask(page: Any, path: str, body: Any = None) -> Any:
    """Ask the lab past the page; the answer's JSON."""
    address = page.url.partition("#")[0] + path
    answer = (
        page.request.get(address) if body is None else page.request.post(address, data=body)
    )
    assert answer.ok, answer.text()
    return answer.json()


def test_a_guess_is_one_key(review: Open, expect: Any) -> None:
    """Keys 1 and 2 send a piece to the tray of a guess; the next piece is there and told."""
    page = review()
    expect(page.locator("#piece-why")).to_contain_text("02134 is ")
    expect(page.locator("#guesses button")).to_have_count(3)
    expect(page.locator("#guesses button").first).to_contain_text("Allston MA")
    for picture in page.locator("#review-desk img").all():
        assert picture.evaluate("each => each.naturalWidth") > 100
    expect(page.locator("#piece-close .zip-box")).to_have_count(1)
    first = piece(page)
    second = press(page, "1", expect)
    assert page.evaluate("document.activeElement.id") == "piece-title"
    expect(page.locator("#live")).to_contain_text(f"Piece {first} went to the tray MA. Piece")
    expect(page.locator("#live")).to_contain_text("1: 0 2 1 3 4, Allston MA")
    press(page, "2", expect)
    expect(page.locator("#review-count")).to_contain_text("you settled 2")
    said = {
        item["piece"]: item["zip"] for item in ask(page, "v1/mail/corrections")["corrections"]
    }
    assert (said[first], said[second]) == ("02134", "02135")


def test_a_zip_is_typed_and_looked_up(review: Open, expect: Any) -> None:
    """T opens the field; the town is told while one types; Enter sends the piece on."""
    page = review()
    before = piece(page)
    page.keyboard.press("t")
    page.keyboard.type("9021")
    expect(page.locator("#zip-place")).to_have_text("")
    page.keyboard.type("0")
    expect(page.locator("#zip-place")).to_have_text("Beverly Hills CA, to the tray CA")
    assert piece(page) == before, "digits in the field choose no guess"
    press(page, "Enter", expect)
    expect(page.locator("#zip")).to_have_value("")
    expect(page.locator("#live")).to_contain_text(f"Piece {before} went to the tray CA.")


def test_an_unknown_zip_is_asked_about(review: Open, expect: Any) -> None:
    """What is no ZIP, or none that is known, is not sent; on purpose the latter is."""
    page = review()
    before = piece(page)
    page.keyboard.press("t")
    page.keyboard.type("123")
    page.keyboard.press("Enter")
    expect(page.locator("#zip-place")).to_have_text("A ZIP is five digits, or nine.")
    page.keyboard.type("45-6789")
    expect(page.locator("#zip-place")).to_contain_text("There is no ZIP 12345")
    page.keyboard.press("Enter")
    expect(page.locator("#zip-anyway")).to_be_focused()
    assert piece(page) == before
    press(page, "Enter", expect)
    expect(page.locator("#live")).to_contain_text("went to the tray other.")
    page.keyboard.press("3")  # the third guess is no known ZIP
    expect(page.locator("#zip-anyway")).to_have_text("Send it to 99134 all the same")
    page.keyboard.press("1")
    expect(page.locator("#live")).to_contain_text("went to the tray MA.")


def test_two_pages_never_have_the_same_piece(
    review: Open, open_page: Open, expect: Any
) -> None:
    """Two tabs are two people, also when a browser copies a tab; a reload changes nothing."""
    ann, bob = review(), review()
    expect(ann.locator("#review-person")).not_to_have_value("")
    seen = [piece(ann), piece(bob)]
    for _ in range(2):
        seen += [press(ann, "1", expect), press(bob, "1", expect)]
    assert len(set(seen)) == 6
    with ann.expect_popup() as popup:
        ann.evaluate("window.open(location.href)")  # what is kept for the tab is copied
    copy = popup.value
    expect(copy.locator(READY)).to_be_visible()
    assert piece(copy) not in seen
    name = ann.locator("#review-person").input_value()
    ann.reload()
    expect(ann.locator(READY)).to_be_visible()
    assert (piece(ann), ann.locator("#review-person").input_value()) == (seen[-2], name)


def test_all_is_done_by_keyboard(review: Open, expect: Any) -> None:
    """Tab reaches every control in order; S gives a piece back and 0 puts it aside."""
    page = review()
    first = piece(page)
    order = []
    for _ in range(7):
        page.keyboard.press("Tab")
        order.append(
            page.evaluate("document.activeElement.id || document.activeElement.innerText")
        )
    assert ["".join(item.split())[:6] for item in order[:3]] == ["102134", "202135", "399134"]
    assert order[3:] == ["zip", "zip-send", "review-unreadable", "review-skip"]
    answer = page.locator("#view-review").aria_snapshot()
    assert "textbox" in answer
    assert re.findall(r'- (?:button|textbox|link|img)\b(?! ")', answer) == []
    second = press(page, "s", expect)
    assert second != first
    expect(page.locator("#live")).to_contain_text(f"Piece {first} was skipped.")
    press(page, "0", expect)
    expect(page.locator("#live")).to_contain_text(f"Piece {second} went to unsortable.")
    assert ask(page, "v1/mail")["queue"]["unsortable"] == 1


def test_keys_work_in_the_view_alone(review: Open, expect: Any) -> None:
    """A key pressed on the menu, with Ctrl, or twice at once settles nothing."""
    page = review()
    before = piece(page)
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)  # the lab answers when both keys were pressed

    page.route("**/settle", hold)
    page.locator("#theme").focus()
    page.keyboard.press("1")
    page.locator("#piece-title").focus()
    page.keyboard.press("Control+1")
    assert piece(page) == before
    with page.expect_request(re.compile("settle")):
        page.keyboard.press("1")
        page.keyboard.press("1")
    while not held:
        page.evaluate("0")  # a request is told while something else is asked
    held[0].continue_()
    expect(page.locator("#review-count")).to_contain_text("you settled 1")
    expect(page.locator(READY)).to_be_visible()
    expect(page.locator("#review-count")).to_contain_text("you settled 1")
    assert len(held) == 1


def test_a_lost_piece_is_told(review: Open, expect: Any) -> None:
    """When another person has the piece by now, the page says so and takes the next one."""
    page = review()
    before = piece(page)
    token = page.evaluate("JSON.parse(sessionStorage.getItem('digitlens-person')).token")
    ask(page, f"v1/mail/pieces/{before}/release", {"token": token})
    taken = ask(page, "v1/mail/claim", {"person": "Zoe"})["task"]
    assert taken["piece"] == before
    assert press(page, "1", expect) != before
    expect(page.locator("#review-problem")).to_contain_text("no longer yours")
    expect(page.locator("#live")).to_contain_text("is no longer yours. Here is the next.")
    press(page, "1", expect)
    expect(page.locator("#review-problem")).to_be_hidden()
    assert [fault for fault in page.faults if "409" not in fault] == []
    page.faults.clear()


def test_a_piece_is_kept_while_somebody_looks(review: Open, expect: Any) -> None:
    """After a minute the page lends the piece for longer; for nobody it does not."""
    page = review()
    page.clock.install()
    page.once = True
    page.reload()
    expect(page.locator(READY)).to_be_visible()
    page.mouse.move(500, 500)
    with page.expect_response(re.compile("/renew$")) as answer:
        page.clock.fast_forward("01:31")
    assert answer.value.ok
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(3):
        page.clock.fast_forward("20:00")
    expect(page.locator(READY)).to_be_visible()
    assert asked == []


def test_a_new_name_keeps_the_piece(review: Open, expect: Any) -> None:
    """Who says who they are has the same piece, and their name stands by what they say."""
    page = review()
    before = piece(page)
    page.locator("#review-person").fill("Grace")
    page.keyboard.press("Enter")
    page.locator("#piece-title").click()
    expect(page.locator(READY)).to_be_visible()
    assert piece(page) == before
    press(page, "1", expect)
    answer = ask(page, "v1/mail/corrections")["corrections"][-1]
    assert (answer["piece"], answer["person"]) == (before, "Grace")


def test_a_phone_shows_a_piece_in_one_column(review: Open, expect: Any) -> None:
    """On a phone nothing is wider than the screen, and a tap settles the piece."""
    page = review(viewport=PHONE, has_touch=True, is_mobile=True, color_scheme="dark")
    before = piece(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator("#guesses button").first.tap()
    expect(page.locator("#piece-title")).not_to_contain_text(f"Piece {before} ")
    expect(page.locator(READY)).to_be_visible()
    assert page.locator("#piece-title").bounding_box()["y"] > 0


def test_a_piece_can_be_turned(review: Open, expect: Any) -> None:
    """R turns the picture by quarters and keeps its shape; the next piece lies as it did."""
    page = review()
    whole = page.locator("#piece-whole")
    lying = whole.locator("img").bounding_box()
    page.keyboard.press("r")
    expect(whole).to_have_attribute("data-turn", "1")
    standing = whole.locator("img").bounding_box()
    assert standing["height"] / standing["width"] == pytest.approx(
        lying["width"] / lying["height"], rel=0.02
    )
    page.locator("#review-turn").click()
    expect(whole).to_have_attribute("data-turn", "2")
    page.locator("#piece-title").focus()
    press(page, "s", expect)
    expect(whole).to_have_attribute("data-turn", "0")
