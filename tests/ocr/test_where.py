"""Lines that are wanted in some places of a page only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from digitlens.ocr import Reader

Make = Callable[..., Any]


def in_upper_half(box: tuple[float, float, float, float], size: tuple[int, int]) -> bool:
    """Say whether a line stands in the upper half of the page."""
    return box[3] < size[1] / 2


def test_only_lines_in_wanted_places_are_read(network: Any, make_sheet: Make) -> None:
    """Lines elsewhere are not read; their boxes and the picture's size are what is known."""
    page = make_sheet(("4735", 100, 80), ("257", 250, 300))
    result = Reader(network=network).page(page, where=in_upper_half)
    assert [line.text for line in result.lines] == ["4735"]
    assert len(network.seen) == 1


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
