"""Mail: which lines are read, in which order, and which way up a piece stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from digitlens.layout import find_lines
from digitlens.ocr import Reader
from digitlens.ocr.mail_sheet import BottomUp
from digitlens.ocr.page_reading import read_layout

Make = Callable[..., Any]


def in_upper_half(box: tuple[float, float, float, float], size: tuple[int, int]) -> bool:
    """Say whether a line stands in the upper half of the page."""
    return box[3] < size[1] / 2


def test_only_lines_in_wanted_places_are_read(make_network: Make, make_sheet: Make) -> None:
    """Lines elsewhere are not read; their boxes and the picture's size are what is known."""
    network = make_network(0.9999)
    page = make_sheet(("4735", 100, 80), ("257", 250, 300))
    result = Reader(network=network).page(page, where=in_upper_half)
    assert [line.text for line in result.lines] == ["4735"]
    assert len(network.seen) == 1


FIVE = frozenset({5})
UPPER = ("44747", 60, 60)


@pytest.mark.parametrize(
    ("rows", "least", "is_read"),
    [
        # Words stand beside it: an address ends there.
        ((UPPER, ("47", 60, 120), ("35771", 300, 120)), 0.99, False),
        # It stands alone: a number below the address, perhaps, ...
        ((UPPER, ("35771", 300, 120)), 0.99, True),
        # ... but not below what is far above it.
        ((UPPER, ("35771", 300, 400)), 0.99, False),
        # In doubt all is read.
        ((UPPER, ("47", 60, 120), ("35771", 300, 120)), 1.1, True),
    ],
)
def test_above_the_sure_end_of_an_address_nothing_is_read(
    make_network: Make,
    make_sheet: Make,
    monkeypatch: pytest.MonkeyPatch,
    rows: Any,
    least: float,
    is_read: bool,
) -> None:
    """Mail is read from the bottom up to a sure number with words beside it, or far below."""
    monkeypatch.setattr("digitlens.ocr.mail_sheet.SURE_END", least)
    page = make_sheet(*rows)
    layout, network = find_lines(page), make_network(0.9999)
    order = BottomUp(layout, FIVE, lambda *_: True)
    reading = read_layout(network, layout, page, FIVE, order=order)
    texts = {item.line.text for item in reading.crops}
    assert ("44747" in texts, "35771" in texts) == (is_read, True)


def test_a_line_is_not_read_whose_end_is_sure(make_network: Make, make_sheet: Make) -> None:
    """A line of which only its last part may be a number is not read as a whole as well."""
    page = make_sheet(("47", 60, 100), ("35771", 182, 100))
    layout = find_lines(page)
    whole, town, code = layout.crops
    assert (whole.part, town.part, code.part) == (False, True, True)
    for crops, is_read in (((whole, code), False), ((whole, town, code), True)):
        network, part = make_network(0.9999), replace(layout, crops=crops)
        order = BottomUp(part, FIVE, lambda *_: True)
        reading = read_layout(network, part, page, FIVE, order=order)
        assert code in [item.crop for item in reading.crops]
        assert (whole in [item.crop for item in reading.crops]) is is_read


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_all_lines_tell_which_way_is_up(
    make_network: Make, make_sheet: Make, quarters: int
) -> None:
    """Places are those on the upright page; lines that are not wanted help to find it."""
    network = make_network(0.97)
    page = make_sheet(("8008", 100, 80), ("4735", 250, 300))
    picture = np.ascontiguousarray(np.rot90(page, quarters))
    result = Reader(network=network).page(picture, where=in_upper_half)
    assert [line.text for line in result.lines] == ["8008"]
    assert result.turn % 360 == (360 - 90 * quarters) % 360


@pytest.mark.parametrize("quarters", [0, 2])
def test_mail_that_is_clearly_writing_is_read_one_way(
    make_network: Make, make_sheet: Make, top_heavy: Any, quarters: int
) -> None:
    """Each wanted line is looked at once, and none on its head, however sure it is."""
    network = make_network(0.985)
    reader = Reader(network=network)
    reader.signs = top_heavy
    page = make_sheet(("77177", 100, 80), ("77717", 250, 300))
    picture = np.ascontiguousarray(np.rot90(page, quarters))
    result = reader.page(picture, length=5, where=in_upper_half)
    assert [item.text for item in result.lines] == ["77177"]
    assert len(network.seen) == 1
