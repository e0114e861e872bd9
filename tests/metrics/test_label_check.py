"""What is likely wrong with labels, on digits that are spoiled on purpose."""

from __future__ import annotations

import numpy as np
import pytest

from digitlens.data import load_digits
from digitlens.digits import Digits
from digitlens.metrics.label_check import check_labels, find_duplicates, suggest_labels
from digitlens.models.inference import load_model
from digitlens.viz.label_page import render_check


@pytest.fixture(scope="module")
def spoiled() -> Digits:
    """120 of uci's digits: four wrong labels, two inverted, two turned, a pair and a copy."""
    digits = load_digits("uci").test[:120]
    images, labels = digits.images.copy(), digits.labels.copy()
    labels[:4] = (labels[:4] + 5) % 10
    images[4:6] = 255 - images[4:6]
    twos = np.flatnonzero((labels == 2) & (np.arange(120) > 10))[:2]
    images[twos] = np.rot90(images[twos], 1, (1, 2))
    images[100], labels[100] = images[90], labels[90]
    images[101], labels[101] = images[91], (labels[91] + 1) % 10
    return Digits(images, labels, source="spoiled")


def test_what_was_spoiled_is_listed_by_its_kind(spoiled: Digits) -> None:
    """Wrong labels, inverted and turned pictures and copies are told apart; others are few."""
    result = check_labels(load_model("universal"), spoiled)
    kinds: dict[str, set[int]] = {}
    for issue in result.issues:
        kinds.setdefault(issue.kind, set()).add(issue.index)
    assert {0, 1, 2, 3} <= kinds["label"]
    assert kinds["inverted"] <= {4, 5}
    assert len(kinds["turned left"]) >= 1
    assert (kinds["duplicate"], kinds["contradiction"]) == ({100}, {101})
    assert len(result.issues) <= 14
    assert result.as_dict()["kinds"] == result.kinds
    assert "label" in result.summary("here")
    assert [issue.likely for issue in result.issues if issue.index == 0] == [
        int(load_digits("uci").test.labels[0])
    ]


def test_the_page_shows_each_picture_with_its_file(spoiled: Digits) -> None:
    """Every issue has its picture and its file's name, escaped; nothing is loaded."""
    result = check_labels(load_model("universal"), spoiled)
    names = [f"<{index}>.png" for index in range(len(spoiled))]
    page = render_check(result, spoiled, names, ())
    assert page.count("<figure>") == len(result.issues)
    assert "&lt;0&gt;.png" in page
    assert "<0>.png" not in page
    assert 'src="http' not in page
    assert "Likely another label" in page
    assert "the same picture as &lt;91&gt;.png, which has another label" in page


def test_labels_that_are_right_are_left_alone() -> None:
    """A digit that no class claims with confidence keeps its label, however unsure."""
    probs = np.full((30, 10), 0.02)
    labels = np.arange(30) % 10
    probs[np.arange(30), labels] = 0.82
    assert suggest_labels(labels, probs).tolist() == labels.tolist()
    probs[3] = 0.1
    assert suggest_labels(labels, probs)[3] == 3


def test_copies_are_found_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy names the first such picture, wherever that stands; blank pictures are none."""
    monkeypatch.setattr("digitlens.metrics.label_check._BLOCK", 7)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 28, 28), dtype=np.uint8)
    images[[20, 33]] = images[2]
    images[[5, 6]] = 0
    assert find_duplicates(images) == [(20, 2), (33, 2)]
