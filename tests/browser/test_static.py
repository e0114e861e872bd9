"""The lab without a server: what it cannot do is not offered, and it says how it is had."""

from __future__ import annotations

from typing import Any

import pytest

from digitlens.server.export import LATER

pytestmark = pytest.mark.parametrize("backend", ["static"])


def test_views_of_the_server_say_how_they_are_had(open_page: Any, go: Any, expect: Any) -> None:
    """Nothing is there but what the view is for, and the two commands that open it."""
    page = open_page("#read")
    for tab in ("read", "digits", "review"):
        go(page, tab)
        view = page.locator(f"#view-{tab}")
        controls = view.locator("button:visible, input:visible, select:visible")
        expect(controls).to_have_count(0)
        words = view.locator(".static-only")
        expect(words).to_contain_text("pip install")
        expect(words).to_contain_text("digitlens serve")


def test_what_is_offered_works(open_page: Any, expect: Any) -> None:
    """No link to the service, no saving, no photo; the networks and digits that are here."""
    page = open_page()
    for place in ("#keep", "#picture", ".side-foot a"):
        expect(page.locator(place)).to_be_hidden()
    expect(page.locator("#network option")).to_have_text(["cnn", "universal", "tiny"])
    page.goto(page.url.split("#")[0] + "#mistakes?data=generated&network=tiny")
    expect(page.locator("#mistakes-words")).to_contain_text("of 300 (generated test)")


def test_training_code_is_loaded_by_who_trains(open_page: Any, go: Any, expect: Any) -> None:
    """The first answer waits for none of it; the tab Train offers what the page can do."""
    page = open_page()
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if url.endswith(tuple(LATER))] == []
    go(page, "train")
    expect(page.locator("#train-network option")).to_have_text(["custom"])
    command = "digitlens train custom --data uci --limit 129 --layers dense128 --epochs 40"
    expect(page.locator("#train-command")).to_contain_text(command)


def test_the_nearest_digit_is_one_of_ucis(open_page: Any, expect: Any) -> None:
    """What would change the answer is looked for among the training digits that are here."""
    page = open_page()
    page.locator("#why-nearest-ask").click()
    expect(page.locator("#why-nearest")).to_contain_text("of uci train")
    page.get_by_role("button", name="Inspect it").click()
    expect(page.locator("#now-sure")).not_to_have_text("nothing drawn")


def test_a_digit_finds_its_place_on_the_map(open_page: Any, expect: Any) -> None:
    """The map is of UCI's held-back digits; the opening 4 lies among them."""
    page = open_page("#map")
    expect(page.locator("#map-words")).to_contain_text("144 digits (uci validation)")
    expect(page.locator("#map-near-words")).to_contain_text("are 4s")
    expect(page.locator("#map-near button")).to_have_count(5)


def test_a_photo_is_refused_with_a_way_out(
    open_page: Any, expect: Any, seven_png: bytes
) -> None:
    """A dropped picture is not half read: the page says what reads it."""
    page = open_page()
    file = {"name": "seven.png", "mimeType": "image/png", "buffer": seven_png}
    page.locator("#picture").set_input_files(file)
    expect(page.locator("#draw-problem")).to_contain_text(
        "Photos need digitlens on your machine"
    )
