"""For everybody: contrast as it is shown, and every view by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Go = Callable[[Any, str], None]

TABS = (
    "draw",
    "network",
    "pixels",
    "features",
    "answer",
    "convolution",
    "map",
    "train",
    "mistakes",
    "read",
    "digits",
    "review",
)

# The texts that are seen and have less than WCAG's AA contrast with what is behind them, by
# the colours that the browser computed; and how many texts there are.
FAINT = """() => {
    const sheet = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const parts = colour => {
        sheet.clearRect(0, 0, 1, 1);
        sheet.fillStyle = colour;
        sheet.fillRect(0, 0, 1, 1);
        const [red, green, blue, alpha] = sheet.getImageData(0, 0, 1, 1).data;
        return [red, green, blue, alpha / 255];
    };
    const over = ([r, g, b, share], under) =>
        [r, g, b].map((value, at) => value * share + under[at] * (1 - share));
    const linear = value => value / 255 <= 0.04045
        ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
    const light = ([r, g, b]) =>
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const behind = element => {
        const layers = [];
        for (let each = element; each; each = each.parentElement)
            layers.unshift(parts(getComputedStyle(each).backgroundColor));
        return layers.reduce((under, layer) => over(layer, under), [255, 255, 255]);
    };
    const faint = [];
    let seen = 0;
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        const words = texts.currentNode.data.trim();
        const box = element.getBoundingClientRect();
        if (!words || !box.width || !box.height || element.closest('.hidden, option, canvas'))
            continue;
        if (!element.checkVisibility({visibilityProperty: true})) continue;
        seen += 1;
        const style = getComputedStyle(element);
        const paper = behind(element);
        const [high, low] = [light(over(parts(style.color), paper)), light(paper)]
            .sort((one, other) => other - one);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        const contrast = (high + 0.05) / (low + 0.05);
        if (contrast < (large ? 3 : 4.5)) faint.push(`${words}: ${contrast.toFixed(2)}`);
    }
    return [seen, faint];
}"""

# Where the focus is: what has it, whether a ring of 2 pixels is drawn around it or beside it,
# and whether it is in sight.
FOCUS = """() => {
    const here = document.activeElement;
    if (!here || here === document.body || here.closest('.side')) return null;
    const near = [here, here.parentElement, here.nextElementSibling].filter(Boolean);
    const ring = near.map(each => getComputedStyle(each)).some(
        style => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2);
    const box = here.getBoundingClientRect();
    const sight = box.bottom > 0 && box.top < innerHeight && box.right > 0
        && box.left < innerWidth;
    return [here.id || here.textContent.trim() || here.getAttribute('aria-label'), ring, sight];
}"""

LAST = "API"
"""The last thing that can have the focus."""


@pytest.fixture
def visit(go: Go, settle: Callable[[Any], None]) -> Go:
    """Return a function that opens a view and waits until all it asks for is shown."""

    def visited(page: Any, tab: str) -> None:
        go(page, tab)
        if tab == "mistakes":
            page.locator("#matrix button").first.wait_for()
        settle(page)

    return visited


def test_all_that_is_written_is_easy_to_read(
    open_page: Any, draw_seven: Callable[..., None], visit: Go
) -> None:
    """In every view and both themes each text has WCAG's AA contrast, by computed colours."""
    page = open_page("#draw?data=uci")
    draw_seven(page)
    grounds = set()
    for tab in TABS:
        visit(page, tab)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.evaluate("document.getAnimations().forEach(change => change.finish())")
            seen, faint = page.evaluate(FAINT)
            assert seen > 20, tab
            assert faint == [], (tab, theme)
            grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    page.emulate_media(color_scheme="light")
    assert len(grounds) == 2


def test_a_dark_view_is_printed_dark_on_white(open_page: Any, visit: Go) -> None:
    """On paper there is the view alone, in the light colours, and its bars are filled."""
    page = open_page("#answer", color_scheme="dark")
    visit(page, "answer")
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_function(f"() => ({FAINT})()[1].length === 0")  # colours change by and by
    main = page.locator("#view-answer")
    assert not page.locator("nav").is_visible()
    printed = "element => getComputedStyle(element).printColorAdjust"
    assert main.evaluate(printed) == "exact"
    white = "() => getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(white) in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")


def test_a_faint_text_is_found(page: Any) -> None:
    """The check above can fail: grey on white is told."""
    page.evaluate(
        """() => {
            const words = document.createElement('p');
            words.textContent = 'faint';
            words.style.color = '#aaa';
            document.getElementById('main').append(words);
        }"""
    )
    assert page.evaluate(FAINT)[1][0].startswith("faint: ")


def test_every_view_is_walked_by_keyboard(
    open_page: Any, draw_seven: Callable[..., None], visit: Go
) -> None:
    """Tab leads from a view's heading to the page's end; what has the focus is seen to."""
    page = open_page("#draw?data=uci")
    draw_seven(page)
    for tab in TABS:
        visit(page, tab)
        page.locator(f"#h-{tab}").focus()
        answer = None
        for _ in range(150):
            page.keyboard.press("Tab")
            answer = page.evaluate(FOCUS)
            assert answer is not None, tab
            assert answer[1:] == [True, True], (tab, answer[0])
            if answer[0] == LAST:
                break
        assert answer[0] == LAST, tab


STOPS = """tab => {
    const radios = new Set();
    return [...document.querySelectorAll(
        `#view-${tab} :is(a[href], button, input, select, summary, [tabindex])`
    )].filter(item => {
        if (item.disabled || item.tabIndex < 0) return false;
        if (!item.checkVisibility({visibilityProperty: true})) return false;
        if (item.type !== 'radio') return true;
        return !radios.has(item.name) && radios.add(item.name);
    }).length;
}"""
"""How often the Tab key stops in a view; radio buttons of a name are one stop."""


def test_few_stops_and_room_for_large_text(open_page: Any, visit: Go, go: Go) -> None:
    """At most 15 stops of the Tab key in a view; at twice the text size nothing is cut off."""
    page = open_page("#draw?data=uci", viewport={"width": 1366, "height": 800})
    for tab in TABS:
        visit(page, tab)
        assert page.evaluate(STOPS, tab) <= 15, tab
    go(page, "train")
    page.locator("#train-network").select_option("custom")
    assert page.evaluate(STOPS, "train") <= 15
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    for width in (1366, 390):
        page.set_viewport_size({"width": width, "height": 800})
        for tab in TABS:
            go(page, tab)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, tab


def test_arrow_keys_lead_through_a_kernel_and_the_terms(
    open_page: Any, go: Go, expect: Any
) -> None:
    """One number of the kernel has the stop, and one "?"; arrows move both."""
    page = open_page("#convolution")
    first = page.get_by_label("kernel, row 0, column 0")
    first.focus()
    page.keyboard.press("ArrowDown")
    below = page.get_by_label("kernel, row 1, column 0")
    expect(below).to_be_focused()
    assert page.locator("#kernel input[tabindex='0']").count() == 1
    page.get_by_role("button", name="Explain: convolution").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Explain: kernel")).to_be_focused()
