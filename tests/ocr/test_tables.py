"""Tables of boxes: their cells and their rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from digitlens.ctc import Line, LineDigit
from digitlens.layout import Grid, GridCell, find_lines
from digitlens.ocr.page import Table
from digitlens.ocr.recognize import recognize_table

Make = Callable[..., Any]
ROWS = ["3  9 ", " 47 2", "5   7", "     ", " 2 4 "]


def cell(text: str, confidence: float, left: float, top: float = 0.0) -> Line:
    """Return a cell 10 x 10 that was read so."""
    box = (left, top, left + 10, top + 10)
    return Line(text, confidence, box, tuple(LineDigit(item, 0.9, box) for item in text))


def test_each_cell_is_read(make_table: Make, network: Any) -> None:
    """A table gives what stands in each cell, and None where nothing does."""
    layout = find_lines(make_table(ROWS))
    table = recognize_table(network, layout.grids[0])
    assert (table.rows, table.columns) == (5, 5)
    assert ["".join(item or " " for item in row) for row in table.texts] == ROWS
    assert len(table.cells) == 25


def test_boxes_of_cells_lie_in_their_cells(make_table: Make, network: Any) -> None:
    """A digit's box is on its ink, within its cell."""
    grid = find_lines(make_table(ROWS)).grids[0]
    table = recognize_table(network, grid)
    for cell_, line in zip(grid.cells, table.cells, strict=True):
        if line is None:
            continue
        (left, top), (right, bottom) = cell_.corners.min(axis=0), cell_.corners.max(axis=0)
        for box in (line.box, line.digits[0].box):
            assert left < box[0] < box[2] < right
            assert top < box[1] < box[3] < bottom
            assert box[3] - box[1] == pytest.approx(37, abs=2)


def test_empty_cells_are_shown_to_nobody(make_table: Make, network: Any) -> None:
    """The network sees the cells that hold something, each once."""
    recognize_table(network, find_lines(make_table(ROWS)).grids[0])
    assert len(network.seen) == sum(text != " " for row in ROWS for text in row)


@pytest.mark.parametrize("sure", [0.26, 0.35])
def test_what_is_not_sure_in_a_cell_is_left_out(
    make_table: Make, replies: Make, make_frames: Make, sure: float
) -> None:
    """Below a confidence of 30 % a cell counts as empty."""
    strip = find_lines(make_table(ROWS)).grids[0].cells[0].crop
    corners = np.zeros((4, 2))
    grid = Grid(1, 2, (GridCell(0, 0, corners, strip), GridCell(0, 1, corners, None)))
    frame = {"4": sure} | dict.fromkeys("012", (0.999 - sure) / 3)
    table = recognize_table(replies(make_frames(frame)), grid)
    assert table.texts == ((("4" if sure > 0.3 else ""), ""),)


def test_rows_are_lines() -> None:
    """Each row that holds something is a line: its texts, boxes and digits together."""
    one, two, three = cell("4", 0.9, 0), cell("07", 0.8, 40, 2), cell("1", 0.7, 20, 30)
    table = Table(3, 3, (one, None, two, None, None, None, None, three, None))
    first, second = table.row_lines()
    assert first.text == "407"
    assert first.confidence == pytest.approx(0.9 * 0.8)
    assert first.box == (0, 0, 50, 12)
    assert first.digits == (*one.digits, *two.digits)
    assert (second.text, second.box, second.confidence) == ("1", three.box, 0.7)


def test_an_empty_table_has_no_lines() -> None:
    """Where no cell holds anything there is no line."""
    assert Table(2, 2, (None,) * 4).row_lines() == []
