"""The report is one sound HTML page that needs nothing beside it."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlens.digits import Digits, Images
from digitlens.metrics.comparison import compare
from digitlens.metrics.evaluation import Evaluation, evaluate
from digitlens.viz.report import render, render_comparison

CARD = {
    "name": "fake",
    "weights": 567_434,
    "seed": 0,
    "created": None,
    "measures": {"loss": 0.1},
}
MEASURED = {"machine": "2 cores", "date": "2025-11-20"}
EMPTY = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """What a page holds, and whether its tags are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == [], "every tag is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag, and remember to see it closed."""
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag, which closes itself."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """See that it closes the last one opened."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the words, not the style."""
        if "style" not in self.open:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of each tag of this name."""
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        """All words, spaces made one."""
        return re.sub(r"\s+", " ", " ".join(self.words))


@dataclass(frozen=True)
class Fake:
    """A model whose answers are given, each with a confidence of 0.9."""

    name: str
    labels: Any

    @property
    def probabilities(self) -> Any:
        """Nine tenths for the answer."""
        rows = np.full((len(self.labels), 10), 0.1 / 9, np.float32)
        rows[np.arange(len(rows)), self.labels] = 0.9
        return rows

    def predict(self, images: Images) -> Fake:
        """Give the answers, whatever the pictures show."""
        assert len(images) == len(self.labels)
        return self


def judged(digits: Digits, wrong: int = 7, name: str = "fake") -> Evaluation:
    """A model that misreads the first `wrong` of the digits."""
    answers = digits.labels.copy()
    answers[:wrong] = (answers[:wrong] + 5) % 10
    clock = iter([0.0, 0.5])
    return evaluate(Fake(name, answers), digits, clock=lambda: next(clock))


@pytest.fixture
def page(digits: Digits) -> Page:
    """The report of a model that misreads 7 of 300 digits."""
    return Page(render(judged(digits), card=CARD, measured=MEASURED))


def test_the_page_needs_nothing_beside_it(digits: Digits) -> None:
    """No address leads out of the file, by tag or by style, and the browser is told so."""
    html = render(judged(digits), card=CARD, measured=MEASURED)
    page = Page(html)
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe", "object", "base", "form"}
        for name in ("src", "href", "srcset", "data", "action", "poster", "xlink:href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), (tag, name)
        assert not any(name.startswith("on") for name in attributes)
    assert not re.search(r"@import|url\(|https?://", html)
    (policy,) = [item for item in page.all("meta") if "http-equiv" in item]
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_the_headline_counts_whole_misses(page: Page) -> None:
    """Misses stand first, then accuracy with its interval."""
    assert "misread 7 of 300 digits right 97.67 % 95 % interval 95.26 % to 98.87 %" in page.text


def test_the_mistakes_are_pictures_as_they_were(digits: Digits) -> None:
    """Each mistake is a PNG inside the page, black on white, described in words."""
    result = judged(digits)
    page = Page(render(result, card={}, measured={}, limit=5))
    shown = page.all("img")
    assert len(shown) == 5
    for image, mistake in zip(shown, result.worst(5), strict=True):
        head, content = str(image["src"]).split(",")
        assert head == "data:image/png;base64"
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))
        assert (pixels == 255 - digits.images[mistake.index]).all()
        assert image["alt"] == f"a {mistake.label}, read as {mistake.predicted}"
    assert "5 of its 7 mistakes, the surest first." in page.text


def test_tables_can_be_read_aloud(page: Page) -> None:
    """Each table has a caption, each heading a scope, each diagram a label."""
    assert len(page.all("table")) == len(page.all("caption")) == 3
    assert "digit pictures misses recall precision" in page.text
    assert {attributes.get("scope") for attributes in page.all("th")} == {"row", "col"}
    assert all(attributes.get("aria-label") for attributes in page.all("svg"))
    assert page.all("html") == [{"lang": "en"}]
    assert [tag for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)][:2] == ["h1", "h2"]


def test_the_confusion_matrix_is_there_whole(digits: Digits) -> None:
    """Every count off the diagonal has a cell, coloured by how many it counts."""
    result = judged(digits)
    page = Page(render(result, card={}, measured={}))
    coloured = [item for item in page.all("td") if "--depth" in str(item.get("style"))]
    offset = result.confusion - np.diag(result.confusion.diagonal())
    assert len(coloured) == (offset > 0).sum() == 7


def test_the_card_and_the_measuring_are_told(page: Page) -> None:
    """What is passed in is shown, what is None is left out."""
    assert "What the model is name fake weights 567,434 seed 0 measures loss 0.1" in page.text
    assert "created" not in page.text
    assert "machine 2 cores date 2025-11-20" in page.text
    assert "all 300 of made up, none left out" in page.text


def test_disputed_labels_are_told_where_there_are_some() -> None:
    """The MNIST test set has a second figure; other digits have none."""
    blank = np.zeros((1000, 28, 28), np.uint8)
    some = Digits(blank, np.zeros(1000, np.uint8), "mnist test")
    told = Page(render(judged(some[940:950], wrong=8), card={}, measured={})).text
    assert "right, undisputed 22.22 % 7 of 9 misread, without 1 disputed label" in told
    assert "Northcutt" in told
    other = Digits(blank, np.zeros(1000, np.uint8), "uci test")
    assert "isputed" not in Page(render(judged(other), card={}, measured={})).text


def test_names_are_escaped() -> None:
    """A name that looks like HTML is shown as it is written."""
    evil = "<script>alert('x')</script> & \"more\""
    digits = Digits(np.zeros((20, 28, 28), np.uint8), np.zeros(20, np.uint8), evil)
    result = judged(digits, name=evil)
    for html in (
        render(result, card={evil: evil}, measured={evil: [evil, {evil: evil}]}),
        render_comparison(
            compare([Fake(evil, result.predicted)] * 2, digits), measured={evil: 1}
        ),
    ):
        page = Page(html)
        assert page.all("script") == []
        assert evil in page.text


def test_a_perfect_model_has_a_report(digits: Digits) -> None:
    """Without mistakes the page says so."""
    text = Page(render(judged(digits, wrong=0), card={}, measured={})).text
    assert "There are none." in text
    assert "Nothing was confused." in text
    assert "right 100.00 %" in text


def test_a_hopeless_model_has_a_report(digits: Digits) -> None:
    """Where nothing can be answered the table says 0 and names no threshold."""
    text = Page(render(judged(digits, wrong=300), card={}, measured={})).text
    assert "1 % 0.00 % 0 300 0" in text


def test_the_comparison_has_each_model_and_each_pair(digits: Digits) -> None:
    """Three models: three rows of figures, three pairs in words and in the table."""
    answers = [judged(digits, wrong).predicted for wrong in (0, 4, 40)]
    result = compare([Fake(f"m{index}", item) for index, item in enumerate(answers)], digits)
    page = Page(render_comparison(result, measured=MEASURED))
    for words in result.in_words():
        assert words in page.text
    assert "m0, m2 40 0 0 p < 0.0001" in page.text
    assert len(page.all("caption")) == 2
    assert "machine 2 cores" in page.text


def test_rendering_changes_nothing_and_needs_no_matplotlib(digits: Digits) -> None:
    """The same figures give the same page, and it is made without matplotlib."""
    result = judged(digits)
    assert render(result, card=CARD, measured={}) == render(result, card=CARD, measured={})
    code = "import sys, digitlens.viz.report; print('matplotlib' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_the_check_of_tags_can_fail() -> None:
    """A page with a tag left open is found out."""
    with pytest.raises(AssertionError):
        Page("<p><b>bold</p>")
