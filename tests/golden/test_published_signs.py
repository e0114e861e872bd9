"""The published network of signs: its card, and lines on which words stand beside numbers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digitlens import Reader
from digitlens.ocr.network import PUBLISHED

LARGEST = 400_000

LINES = {
    "PO Box 1854": ["1854"],
    "Costa Mesa, CA 92627": ["92627"],
    "12/05/2021": ["12", "05", "2021"],
    "555-0142": ["555", "0142"],
    "Hello world": [],
    "Please sign here": [],
}


@pytest.fixture(scope="module")
def reader() -> Reader:
    """Return the published reader."""
    return Reader()


def write(text: str) -> np.ndarray:
    """Return a page with one line in a stroke font."""
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 2, 4)
    page = np.full((height + below + 80, width + 80), 235, np.uint8)
    place = 40, height + 40
    cv2.putText(page, text, place, cv2.FONT_HERSHEY_SIMPLEX, 2, 30, 4, cv2.LINE_AA)
    return page


def test_the_card_says_what_it_is(reader: Reader) -> None:
    """There are five classes, and the file is small."""
    assert reader.signs is not None
    assert reader.signs.card.CLASSES == 5
    assert (PUBLISHED / "signs.onnx").stat().st_size < LARGEST


@pytest.mark.parametrize("text", LINES)
def test_words_lend_no_digits(reader: Reader, text: str) -> None:
    """A line gives its numbers, each by itself, and a word gives none."""
    assert [line.text for line in reader.read(write(text))] == LINES[text]


def test_options_join_and_split(reader: Reader) -> None:
    """A date is one number where numbers are joined, an amount two where they are split."""
    assert [line.text for line in reader.read(write("12/05/2021"), join=True)] == ["12052021"]
    amount = write("Total: 483.27")
    assert [line.text for line in reader.read(amount)] == ["48327"]
    assert [line.text for line in reader.read(amount, split=True)] == ["483", "27"]
