"""The page where MNIST is not on the machine: it says so, and what works is offered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Go = Callable[[Any, str], None]


@pytest.fixture(scope="module")
def lab_address(start_lab: Callable[..., Any], tmp_path_factory: Any) -> Any:
    """Return the address of a lab that has no digits but those of the package."""
    empty = str(tmp_path_factory.mktemp("nothing"))
    with start_lab(DIGITLENS_DATA=empty, XDG_CACHE_HOME=empty) as address:
        yield address


def test_mistakes_say_how_mnist_is_had(page: Any, go: Go, expect: Any) -> None:
    """The command that fetches MNIST is named, and UCI's digits are measured at a click."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    go(page, "mistakes")
    expect(page.locator("#mistakes-missing")).to_contain_text("digitlens data fetch mnist")
    assert [url for url in asked if "/v1/mistakes" in url] == []
    page.get_by_role("button", name="UCI").click()
    page.locator("#matrix [data-cell='00']").wait_for()
    expect(page.locator("#mistakes-missing")).to_be_hidden()


def test_own_digits_are_asked_for_first(page: Any, go: Go, expect: Any) -> None:
    """Before any digit was kept there is nothing to measure on, and that is said."""
    go(page, "mistakes")
    page.locator("#mistakes-data").select_option("own")
    expect(page.locator("#mistakes-missing")).to_contain_text("no digits of your own yet")


def test_training_offers_what_is_here(page: Any, go: Go, expect: Any) -> None:
    """UCI is chosen, what is not here cannot be, and how to get it stands beside."""
    go(page, "train")
    expect(page.locator("#train-data")).to_have_value("uci")
    expect(page.locator("#train-data option:disabled")).to_have_count(4)
    expect(page.locator("#train-data option:enabled")).to_have_text(["UCI, 1,797"])
    expect(page.locator("#train-missing")).to_contain_text("digitlens data fetch mnist")
