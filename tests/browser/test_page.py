"""The page as a whole: its address, its names, its colours, its weight."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import digitlens

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
CONTROLS = {
    "button", "link", "textbox", "combobox", "checkbox", "radio", "slider", "spinbutton",
    "application", "searchbox", "switch", "img", "image", "progressbar",
}  # fmt: skip
STATIC = Path(digitlens.__file__).parent / "server" / "static"
LOADED = """() => ['navigation', 'resource'].flatMap(kind => performance.getEntriesByType(kind))
    .map(({name, decodedBodySize}) => [name, decodedBodySize])"""
PHONE = {"width": 390, "height": 844}


def test_the_address_opens_the_same_again(seven: Any, go: Go, expect: Any, settle: Any) -> None:
    """Drawing, network, layer, filter and cell are in the address: a reload shows the same."""
    seven.locator("#network").select_option("tiny")
    go(seven, "convolution")
    seven.locator("#layers button").nth(2).click()
    seven.locator("#maps button").nth(4).click()
    seven.locator("#conv-out").focus()
    for key in ("ArrowDown", "ArrowRight"):
        seven.keyboard.press(key)
    # The address is written a while after a step: wait for both steps, not for the first.
    expect(seven).to_have_url(re.compile("&row=1&column=1&"))
    expect(seven.locator("#cell-title")).to_contain_text("layer 3, map 4")
    settle(seven)  # the last question is answered
    expected = {
        place: seven.locator(place).text_content()
        for place in ("#cell-title", "#cell-words", "#now-sure", "#layer-about")
    }
    address = seven.url
    seven.reload()
    for place, words in expected.items():
        expect(seven.locator(place)).to_have_text(words)
    assert seven.url == address
    assert seven.locator("#network").input_value() == "tiny"


def test_back_opens_the_view_before(seven: Any, go: Go) -> None:
    """Views are steps of the browser's history; each has a title, and focus on its heading."""
    go(seven, "pixels")
    assert seven.title() == "Pixels · digitlens"
    assert seven.evaluate("document.activeElement.id") == "h-pixels"
    seven.go_back()
    seven.locator("#view-draw").wait_for()
    assert seven.locator("#answer-digit").text_content() == "7"


@pytest.mark.parametrize(
    "hash_",
    [
        "#nothing?network=..%2F..",
        "#pixels?pixels=AAAA&strokes=%%%",
        "#convolution?layer=-1&map=x",
    ],
)
def test_odd_addresses_do_no_harm(open_page: Any, hash_: str) -> None:
    """What makes no sense in an address is left aside."""
    page = open_page(hash_)
    assert page.locator("main > section:visible").count() == 1


def names(page: Any) -> list[str]:
    """Return the controls that have no accessible name."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    roles = [(node.get("role", {}).get("value"), node) for node in nodes]
    seen = [(role, node) for role, node in roles if role in CONTROLS and not node["ignored"]]
    assert seen, "the tree holds controls"
    return [
        f"{role} {node.get('properties')}"
        for role, node in seen
        if not node.get("name", {}).get("value", "").strip()
    ]


def test_every_view_is_named_and_fits(
    open_page: Any, draw_seven: Callable[..., None], go: Go, settle: Any
) -> None:
    """In every view each control has a name, and a phone's width scrolls one way only."""
    page = open_page("#draw?data=uci", viewport=PHONE, color_scheme="dark")
    draw_seven(page)
    page.locator("#network").select_option("tiny")
    for tab in TABS:
        go(page, tab)
        settle(page)
        assert names(page) == [], tab
        scroll_width = page.evaluate("document.documentElement.scrollWidth")
        assert scroll_width <= PHONE["width"], tab
        assert page.locator("h1:visible").count() == 1


def test_terms_are_explained(page: Any, go: Go, expect: Any) -> None:
    """A "?" opens its term's explanation, 16 pixels large; Escape closes it, focus stays."""
    go(page, "train")
    button = page.get_by_role("button", name="Explain: epoch")
    button.focus()
    page.keyboard.press("Enter")
    box = page.locator("#term")
    expect(box).to_contain_text("One pass over all digits")
    expect(button).to_have_attribute("aria-expanded", "true")
    assert box.evaluate("element => getComputedStyle(element).fontSize") == "16px"
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")


def test_every_term_on_the_page_has_an_explanation(page: Any) -> None:
    """No "?" is without its words."""
    used = re.findall(r'data-term="([^"]+)"', (STATIC / "index.html").read_text("utf-8"))
    script = "import('/static/js/parts/glossary.js').then(({TERMS}) => Object.keys(TERMS))"
    known = page.evaluate(script)
    terms = {term for item in used for term in item.split(",")}
    assert len(terms) > 12
    assert terms <= set(known)


def test_small_laptops_have_room(open_page: Any, draw_seven: Any, go: Go, settle: Any) -> None:
    """Beside the navigation bars are seen, words are read, and nothing leads out sideways."""
    page = open_page(viewport={"width": 900, "height": 800})
    draw_seven(page)
    for width in (900, 1024, 1200):
        page.set_viewport_size({"width": width, "height": 800})
        go(page, "draw")
        assert page.locator("#draw-bars .bar > span").first.bounding_box()["width"] > 80
        for tab in ("network", "convolution"):
            go(page, tab)
            settle(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, tab
        assert page.locator(".outcome").bounding_box()["width"] > 240


def test_high_contrast_keeps_pictures(open_page: Any, draw_seven: Any) -> None:
    """With forced colours pixels still have ink and paper, the chosen view an outline."""
    page = open_page(forced_colors="active")
    draw_seven(page)
    values = page.locator("#now-picture").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data]"
    )
    assert len({tuple(values[index : index + 3]) for index in range(0, len(values), 4)}) > 5
    link = page.locator("nav a[aria-current]")
    assert link.evaluate("link => getComputedStyle(link).outlineStyle") == "solid"


def test_a_chosen_theme_is_there_before_the_first_paint(page: Any) -> None:
    """The theme is set by a script before the style sheets, not when modules have come."""
    page.locator("#theme").select_option("dark")
    page.route(
        "**/js/main.js", lambda route: route.fulfill(body="", content_type="text/javascript")
    )
    page.goto(page.url.split("#")[0] + "?")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_lab_without_mail_says_how_to_get_it(page: Any, go: Go, expect: Any) -> None:
    """Review names the commands, one after the other, and nothing else is shown."""
    go(page, "review")
    expect(page.locator("#review-how pre")).to_have_count(4)
    expect(page.locator("#review-how")).to_contain_text("digitlens serve --trays")
    others = page.locator("#review-desk, #review-bar, #review-rest")
    expect(others.locator("visible=true")).to_have_count(0)


def test_an_unnamed_control_is_found(page: Any) -> None:
    """The check above can fail: a button without a name is told."""
    page.evaluate("document.getElementById('main').append(document.createElement('button'))")
    assert len(names(page)) == 1


def test_all_files_together_are_light(open_page: Any) -> None:
    """The page, all of its files, weighs 380 KB at most; all come from the lab."""
    page = open_page()
    page.wait_for_load_state("networkidle")
    result = page.evaluate(LOADED)
    files = {url: size for url, size in result if "/v1/" not in url}
    assert len(files) > 20
    assert sum(files.values()) <= 380_000
    # What only an exported lab loads is weighed with it, in tests/server/test_export.py.
    on_disk = [
        path for path in STATIC.rglob("*") if path.is_file() and path.parent.name != "local"
    ]
    assert sum(path.stat().st_size for path in on_disk) <= 380_000


def channel(value: int) -> float:
    """Return a colour's part as light, by WCAG 2.2's rule."""
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def light(color: str) -> float:
    """Return a colour's relative luminance."""
    red, green, blue = (channel(int(color[index : index + 2], 16)) for index in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1..21.

    >>> contrast("#000000", "#ffffff")
    21.0
    """
    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def palette(theme: int) -> dict[str, str]:
    """Return the palette's colours, of the light theme (0) or the dark one (1)."""
    text = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")
    result = re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", text)
    return {name: pair[theme] for name, *pair in result}


def mix(one: str, other: str, share: float) -> str:
    """Return so much of one colour and the rest of another, as CSS's color-mix does."""
    parts = (
        share * int(one[index : index + 2], 16)
        + (1 - share) * int(other[index : index + 2], 16)
        for index in (1, 3, 5)
    )
    return "#" + "".join(f"{round(part):02x}" for part in parts)


TEXT = 4.5
"""WCAG 2.2, 1.4.3, level AA."""

PART = 3.0
"""1.4.11, level AA: borders of controls, marks of the focus, curves."""

PAIRS = [
    *((ink, ground, TEXT) for ink in ("ink", "quiet") for ground in ("desk", "sheet", "well")),
    *(("ink", ground, TEXT) for ground in ("wash", "blush")),
    *(("quiet", ground, TEXT) for ground in ("wash", "digit-paper")),
    *(("accent", ground, TEXT) for ground in ("desk", "sheet", "digit-paper")),
    ("on-accent", "accent", TEXT),
    ("on-mark", "mark", TEXT),
    *(("mark", ground, TEXT) for ground in ("blush", "desk")),
    *(("edge", ground, PART) for ground in ("desk", "sheet", "digit-paper")),
    *((sign, "digit-paper", PART) for sign in ("plus", "minus", "digit-ink")),
    ("accent", "well", PART),
    ("quiet", "well", PART),
]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_palette_is_easy_to_read(theme: int) -> None:
    """Every pair of colours that meets on the page has WCAG's AA contrast."""
    colors = palette(theme)
    low = [
        f"{one} on {other}: {contrast(colors[one], colors[other]):.2f}"
        for one, other, least in PAIRS
        if contrast(colors[one], colors[other]) < least
    ]
    assert low == []
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_numbers_of_mistakes_are_easy_to_read(theme: int) -> None:
    """Cells of the confusion matrix are mixed of two colours; text stands out of each mix."""
    colors = palette(theme)
    for share in (0.2, 0.35, 0.95, 1.0):
        mixed = mix(colors["mark"], colors["blush"], share)
        assert contrast(colors["on-mark" if share > 0.5 else "ink"], mixed) >= TEXT, share


def test_for_and_against_have_the_colours_of_the_plots() -> None:
    """Orange speaks for, blue against, here as in `digitlens explain`."""
    from digitlens.viz.canvas import BLUE, ORANGE

    colors = palette(0)
    assert (colors["plus"], colors["minus"]) == (ORANGE.lower(), BLUE.lower())


def test_an_axis_ends_where_values_can(page: Any) -> None:
    """When all answers are right the axis ends at 100 %; one value has room too."""
    spans = page.evaluate(
        "import('/static/js/parts/chart.js').then(({span}) => "
        "[span([1, 1], 1), span([0.4, 0.9], 1), span([2, 2], Infinity)])"
    )
    assert spans[0][1] == 1
    assert all(low < high for low, high, _ in spans)
    assert spans[1][0] <= 0.4
    assert spans[1][1] >= 0.9


def test_colours_stand_in_one_place() -> None:
    """Style sheets take colours from the palette; boxes over photos alone do not."""
    sheets = sorted((STATIC / "css").glob("*.css"))
    assert len(sheets) > 3
    for sheet in sheets:
        if sheet.name != "tokens.css":
            text = sheet.read_text(encoding="utf-8")
            rest = re.sub(r"\.photo[^{]*\{[^}]*\}", "", text)
            assert re.findall(r"#[0-9a-fA-F]{3,6}\b(?![^{]*\{)", rest) == [], sheet.name


def test_scripts_are_short_and_say_what_they_are() -> None:
    """Each module opens with a line that says what it is, and is under 300 lines."""
    modules = sorted((STATIC / "js").rglob("*.js"))
    assert len(modules) > 20
    for module in modules:
        lines = module.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith("// "), module.name
        assert len(lines) < 300, module.name
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(
        r"<style|\sstyle=|<script>|\son[a-z]+=|https?:(?!//www\.w3\.org)", page
    )
