"""Pixels, Features, Answer and Convolution: every number on the page is the right one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Go = Callable[[Any, str], None]


BOTH = pytest.mark.parametrize("backend", ["server", "static"])
SERVED = pytest.mark.parametrize(
    "backend", ["server", pytest.param("static", marks=pytest.mark.slow)]
)
"""The page is one, and tests/server/test_export.py compares what its backends answer."""


STROKES = "FAADQEDAQHPN"
"""A 7 in the address, as it stands there when it was drawn with a pointer."""


@pytest.fixture
def seven(open_page: Any, expect: Any) -> Any:
    """Return the page with a 7 on it, opened at once where its numbers are looked at."""
    page = open_page(f"#pixels?strokes={STROKES}")
    expect(page.locator("#now-digit")).to_have_text("7")
    return page


def pixels_of(page: Any, go: Go) -> Any:
    """Return the digit's pixels as the page writes them, (28, 28)."""
    go(page, "pixels")
    text = page.locator("#pixels-text").text_content()
    return np.array([[int(word) for word in line.split()] for line in text.splitlines()])


def number_in(page: Any, expect: Any, place: str, pattern: str) -> float:
    """Return the number that follows `pattern` in a text of the page."""
    expect(page.locator(place)).to_contain_text(re.compile(pattern))
    result = re.search(pattern + r"\s*(-?[\d.]+)", page.locator(place).text_content())
    assert result is not None
    return float(result[1].rstrip("."))


@SERVED
def test_pixels_are_written_in_three_forms(seven: Any, go: Go, expect: Any) -> None:
    """The grid holds 28 x 28 numbers: as bytes, as shares of full ink, as bits."""
    pixels = pixels_of(seven, go)
    assert pixels.shape == (28, 28)
    assert pixels.max() == 255
    seven.locator('input[name="form"][value="bit"]').check(force=True)
    bits = seven.locator("#pixels-text").text_content().split()
    assert [int(bit) for bit in bits] == (pixels.ravel() > 127).astype(int).tolist()
    seven.locator('input[name="form"][value="share"]').check(force=True)
    shares = [float(word) for word in seven.locator("#pixels-text").text_content().split()]
    assert np.abs(np.array(shares) - pixels.ravel() / 255).max() <= 0.0051
    expect(seven.locator("#steps li strong").first).to_have_text("What came in")


@SERVED
def test_a_pixel_is_found_in_the_ribbon_and_back(seven: Any, go: Go, expect: Any) -> None:
    """Row 5, column 9 is place 149; the ribbon's end is row 27, column 27."""
    go(seven, "features")
    side = seven.locator("#unroll-picture").bounding_box()["width"]
    cell = side / 28
    seven.locator("#unroll-picture").hover(position={"x": 9.5 * cell, "y": 5.5 * cell})
    expect(seven.locator("#unroll-formula")).to_have_text("28 x 5 + 9 = 149")
    width = seven.locator("#ribbon").bounding_box()["width"]
    seven.locator("#ribbon").hover(position={"x": width - 1.5, "y": 9})
    expect(seven.locator("#unroll-formula")).to_have_text("28 x 27 + 27 = 783")
    expect(seven.locator("#onehot-text")).to_have_text("7 → [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]")


@SERVED
def test_the_digit_is_shifted(seven: Any, go: Go, expect: Any) -> None:
    """A slider shifts what all chosen networks see; far enough, one of them gives up."""
    go(seven, "answer")
    cards = seven.locator("#answers .card")
    cards.nth(2).wait_for()
    expect(cards.locator(".verdict-digit")).to_have_text(["7", "7", "7"])
    seven.locator("#dx").focus()
    for _ in range(7):
        seven.keyboard.press("ArrowRight")
    seven.locator("#dy").focus()
    for _ in range(7):
        seven.keyboard.press("ArrowLeft")
    digits = cards.locator(".verdict-digit")
    expect(digits.filter(has_not_text="7")).not_to_have_count(0)
    seven.wait_for_url("**dx=7&dy=-7**")
    number_in(seven, expect, ".card:nth-of-type(3) .held", "the same at")
    expect(cards.nth(2).locator(".held")).to_contain_text("rejected as no digit")


@BOTH
def test_a_cell_of_a_feature_map_is_what_numpy_says(
    seven: Any, go: Go, expect: Any, ask_page: Any
) -> None:
    """The sum that is shown for a hovered cell is that of window times kernel."""
    pixels = pixels_of(seven, go)
    layer = ask_page(seven, "/v1/networks/universal/layers/1")
    kernels, biases = np.array(layer["kernels"]), np.array(layer["biases"])
    go(seven, "convolution")
    seven.locator("#maps button").nth(5).click()
    out = seven.locator("#conv-out")
    size = out.bounding_box()["width"] / 12
    out.hover(position={"x": 4.5 * size, "y": 6.5 * size})
    expect(seven.locator("#cell-title")).to_contain_text("map 5, row 6, column 4")
    shown = number_in(seven, expect, "#cell-words", "products sum to")
    total = (pixels[12:17, 8:13] * kernels[5, 0]).sum()
    assert shown == pytest.approx(total, rel=2e-3, abs=2e-3)
    before = number_in(seven, expect, "#cell-words", "that is")
    assert before == pytest.approx(total + biases[5], rel=2e-3, abs=2e-3)
    assert seven.locator("#cell .numbers").count() == 3


@SERVED
def test_an_edited_kernel_makes_another_map(
    seven: Any, go: Go, expect: Any, ask_page: Any
) -> None:
    """Numbers, stride and padding typed by hand give the map that numpy gives."""
    pixels = pixels_of(seven, go)
    go(seven, "convolution")
    seven.locator("#kernel input").nth(24).wait_for()
    seven.get_by_role("button", name="Prewitt, horizontal edges").click()
    seven.locator("#kernel input[aria-label='kernel, row 0, column 0']").fill("-0.5")
    expect(seven.locator("#stride")).to_have_value("1")
    seven.locator("#padding").focus()
    seven.keyboard.press("ArrowRight")
    kernel = np.array([[-0.5, -1, -1], [0, 0, 0], [1, 1, 1]]) / 255
    framed = np.pad(pixels.astype(float), 2)
    windows = np.lib.stride_tricks.sliding_window_view(framed, (3, 3))
    edit = {"kernel": [kernel.tolist()], "stride": 1, "padding": 2, "frame": False}
    result = ask_page(seven, "/v1/explain/kernel", {**edit, "picture": pixels.tolist()})
    assert np.allclose(result["before"], (windows * kernel).sum((2, 3)), atol=1e-2)
    expect(seven.locator("#arithmetic")).to_have_text("(28 + 2 x 2 - 3) / 1 + 1 = 30")
    seven.wait_for_url("**kernel=0.1.1.2*")
    seven.reload()
    first = seven.locator("#kernel input").first
    expect(first).to_have_value("-0.5")
    expect(seven.locator("#padding")).to_have_value("2")
    seven.locator("#bench-own").click()
    expect(seven.locator("#kernel input")).to_have_count(25)


@BOTH
def test_the_whole_network_follows_the_pen(
    page: Any, draw_seven: Any, go: Go, expect: Any, settle: Any
) -> None:
    """Pixels, every layer's maps, logits, softmax and answer; the shares are those answered."""
    go(page, "network")
    draw_seven(page, lift=False, pad="#net-pad", digit="#net-digit")
    rows = page.locator("#net-rows .net-layer")
    expect(rows).to_have_count(5)
    page.mouse.up()
    page.wait_for_url("**strokes=*")
    expect(rows.nth(0).locator(".maps button")).to_have_count(24)
    settle(page)  # what is shown is the whole 7, not the half that was a 7 already
    shares = page.locator("#net-rows .softmax tbody td:last-child").all_text_contents()
    assert len(shares) == 10
    go(page, "draw")
    bars = page.locator("#draw-bars .bar:not(.refusal) output")
    expect(bars.nth(7)).to_have_text(shares[7])
    go(page, "network")
    ribbons = page.locator("#net-links path")
    assert ribbons.count() > 12
    page.locator("#net-ribbons").uncheck()
    expect(ribbons).to_have_count(0)
    rows.nth(1).locator(".maps button").nth(3).click()
    expect(page.locator("#cell-title")).to_contain_text("layer 2, map")


@SERVED
def test_a_layer_is_drawn_without_being_made_anew(page: Any, go: Go, expect: Any) -> None:
    """Another digit is painted on the canvases that are there; only numbers change."""
    go(page, "network")
    expect(page.locator("#net-words")).to_contain_text("universal is 9")
    first = page.locator("#net-rows .maps button").first
    handle = first.element_handle()
    before = page.locator("#net-rows .formula").text_content()
    go(page, "draw")
    page.get_by_role("button", name="Example: a 2").click()
    go(page, "network")
    expect(page.locator("#net-rows .formula")).not_to_have_text(before)
    assert page.evaluate("button => button.isConnected", handle)


@SERVED
def test_a_kernel_slides_and_its_map_grows(page: Any, go: Go, expect: Any) -> None:
    """Step by step or by itself; a click pins a place, and Escape frees it."""
    page.goto(page.url.split("#")[0] + "#convolution?network=tiny&layer=1&map=2")
    title = page.locator("#cell-title")
    page.locator("#play-step").click()
    expect(title).to_have_text("One number: layer 1, map 2, row 0, column 0")
    page.locator("#play-step").click()
    expect(title).to_have_text("One number: layer 1, map 2, row 0, column 1")
    page.locator("#play-speed").fill("25")
    page.locator("#play").click()
    # One row lasts a second: on a busy machine a later one is seen first.
    expect(title).to_contain_text(re.compile(r"row [1-9]\d*, column"))
    page.locator("#play").click()
    expect(page.locator("#play")).to_have_text("Go on")
    page.locator("#play-all").click()
    expect(page.locator("#play")).to_have_text("Play")
    out = page.locator("#conv-out")
    cell = out.bounding_box()["width"] / 24
    out.click(position={"x": 4.5 * cell, "y": 6.5 * cell})
    expect(title).to_contain_text("row 6, column 4")
    out.hover(position={"x": 9.5 * cell, "y": 9.5 * cell})
    expect(page.locator("#pin-words")).to_contain_text("Pinned")
    expect(title).to_contain_text("row 6, column 4")
    page.keyboard.press("Escape")
    out.hover(position={"x": 8.5 * cell, "y": 9.5 * cell})
    expect(title).to_contain_text("row 9, column 8")


@SERVED
def test_pooling_and_dense_layers_say_where_numbers_come_from(page: Any, expect: Any) -> None:
    """The largest of a window is marked; inputs are named by place, logits by digit."""
    page.goto(page.url.split("#")[0] + "#convolution?network=tiny&layer=2")
    expect(page.locator("#cell-words")).to_contain_text("is passed on; the others are dropped")
    largest = page.locator("#cell .numbers .marked")
    expect(largest).to_have_text(page.locator("#chain dd").text_content())
    page.locator("#network").select_option("universal")
    page.locator("#layers button").nth(3).click()
    expect(page.locator("#cell .inputs").first).to_contain_text(
        re.compile(r"map \d+, row \d, column \d")
    )
    page.locator("#layers button").nth(4).click()
    expect(page.locator("#cell-title")).to_have_text("One number: layer 5, the digit 4")
    expect(page.locator("#out-names span")).to_have_count(11)


@SERVED
def test_networks_without_kernels_are_not_told_to_have_some(
    open_page: Any, expect: Any, backend: str
) -> None:
    """Over a dense network the view does not say that a kernel slides."""
    if backend == "static":
        pytest.skip("an exported lab has no dense network: 6 MB")
    page = open_page(f"#convolution?network=dense-deformed&strokes={STROKES}")
    expect(page.locator("#conv-lead")).to_contain_text("dense-deformed has no convolution")


@SERVED
@pytest.mark.parametrize("network", ["tiny", "fast"])
def test_every_layer_of_other_networks_opens(
    open_page: Any, network: str, expect: Any, backend: str
) -> None:
    """Pooling, grouped and dense layers, and a cascade: each number is told."""
    if backend == "static" and network == "fast":
        pytest.skip("an exported lab has no cascade")
    page = open_page(f"#convolution?network={network}&strokes={STROKES}")
    page.locator("#layers button").first.wait_for()
    for number in range(page.locator("#layers button").count()):
        page.locator("#layers button").nth(number).click()
        title = re.compile(f"^One number: layer {number + 1},")
        expect(page.locator("#cell-title")).to_have_text(title)
        assert page.locator("#chain dd").last.text_content()


@SERVED
def test_the_digit_moves_over_a_map_of_digits(
    open_page: Any, draw_seven: Any, go: Go, expect: Any
) -> None:
    """Held-back digits lie about it; its neighbours are told and opened, and follow the pen."""
    page = open_page("#map?network=tiny")
    expect(page.locator("#map-words")).to_contain_text("by layer 8, 18 numbers a digit")
    words = page.locator("#map-near-words")
    expect(words).to_contain_text("are 4s")
    draw_seven(page, pad="#map-pad", digit="#now-digit")
    expect(words).to_contain_text("are 7s")
    page.locator("#map-near button").first.click()
    page.wait_for_url("**pixels=*")
    page.locator("#map-clear").click()
    expect(words).to_have_text("")


@SERVED
def test_ribbons_leave_words_alone(open_page: Any, expect: Any, settle: Any) -> None:
    """On a phone too: words and numbers stand before them, on a ground of their own."""
    page = open_page("#network?network=cnn", viewport={"width": 390, "height": 844})
    ribbons = page.locator("#net-links path")
    expect(ribbons.first).to_be_attached()
    settle(page)  # nothing moves any more between one measurement and the next
    desk = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for words in ("h2", "p.quiet", ".softmax table"):
        expect(page.locator(f"#net-rows {words}").first).to_have_css("background-color", desk)
    table = page.locator("#net-rows .softmax table").bounding_box()
    ends = page.evaluate(
        """() => [...document.querySelectorAll('#net-links path')].map(path => {
            const point = path.getPointAtLength(path.getTotalLength());
            const box = path.ownerSVGElement.getBoundingClientRect();
            return [point.x + box.x, point.y + box.y];
        })"""
    )
    assert [x for x, y in ends if table["y"] <= y and x > table["x"]] == []
