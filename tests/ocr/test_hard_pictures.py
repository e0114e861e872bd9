"""Pictures that differ from those it was built on: sheets cut wrongly, little light."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from digitlens.imaging.sheets import Sheet
from digitlens.ocr import Reader

Gray = np.ndarray
Make = Callable[..., Any]


@pytest.fixture
def reader(network: Any) -> Reader:
    """Return a reader of printed digits."""
    return Reader(network=network)


def texts(lines: Any) -> list[str]:
    """Return what was read."""
    return [line.text for line in lines]


def cut_sheets(pixels: Gray, edge: int) -> list[Sheet]:
    """Return the two parts of a picture to the left and right of a column as sheets."""
    height = pixels.shape[0]
    sheets = []
    for left, right in ((0, edge), (edge, pixels.shape[1])):
        shift = np.array([[1, 0, left], [0, 1, 0], [0, 0, 1.0]])
        corners = np.array([[left, 0], [right, 0], [right, height], [left, height]], float)
        sheets.append(Sheet(np.ascontiguousarray(pixels[:, left:right]), corners, shift))
    return sheets


@pytest.mark.parametrize(
    ("second", "edge", "read"),
    [
        # The edge runs through a number: it is read as a whole, ...
        (170, 157, ["473528"]),
        # ... and between two numbers that stand apart they are read on their sheets.
        (420, 300, ["4735", "28"]),
    ],
)
def test_no_edge_of_a_sheet_cuts_a_number(
    reader: Reader,
    make_sheet: Make,
    monkeypatch: pytest.MonkeyPatch,
    second: int,
    edge: int,
    read: list[str],
) -> None:
    """What stands as near on two sheets as digits of one number do is read as one line."""
    first = make_sheet(("4735", 40, 200))
    right = int(np.flatnonzero((first < 128).any(axis=0)).max())
    page = make_sheet(("4735", 40, 200), ("28", right + second - 157, 200))
    place = right + (edge - 157) + 6
    monkeypatch.setattr(
        "digitlens.ocr.reader.find_sheets", lambda pixels, *_: cut_sheets(pixels, place)
    )
    assert texts(reader.read(page)) == read


def test_a_number_that_an_edge_may_cut_is_not_sure(
    make_network: Make, make_sheet: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is not read as a whole either, its parts are doubted."""
    page = make_sheet(("4735", 40, 200), ("28", 212, 200))
    network = make_network(0.999)
    answer = network.log_probs

    def misread_long(gray: Gray) -> np.ndarray:
        """Answer that all is as likely for what is longer than four digits."""
        probs = answer(gray)
        is_long = gray.shape[1] > 4 * gray.shape[0]
        return np.full_like(probs, -np.log(11)) if is_long else probs

    monkeypatch.setattr(network, "log_probs", misread_long)
    monkeypatch.setattr(
        "digitlens.ocr.reader.find_sheets", lambda pixels, *_: cut_sheets(pixels, 205)
    )
    lines = Reader(network=network).read(page)
    assert max(line.confidence for line in lines) <= 0.5


@pytest.mark.parametrize("light", [0.1, 0.15, 0.3])
def test_a_dark_photo_is_read_as_a_light_one(
    reader: Reader, make_sheet: Make, light: float
) -> None:
    """Paper of 25 to 75 of 255 grey levels is paper."""
    page = make_sheet(("4735", 100, 80), ("257", 250, 300))
    dark = np.rint((20 + page * 0.9) * light).astype(np.uint8)
    assert texts(reader.read(dark)) == ["4735", "257"]
