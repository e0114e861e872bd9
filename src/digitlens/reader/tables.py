"""Tables of boxes: what stands in each, and the rows as lines."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from digitlens.reader.page import Table
from digitlens.reader.strips import read_strip
from digitlens.reading.line import Line

if TYPE_CHECKING:
    from digitlens.layout.found import Grid, Strip
    from digitlens.reader.network import LineNetwork

LEAST = 0.3
"""Less sure than this, what stands in a cell is taken for specks or no digit."""

CLEAR = 0.5
"""Several digits in one cell are believed from this confidence on."""


def read_table(network: LineNetwork, grid: Grid) -> Table:
    """Read every cell of a table; most hold one digit or none."""
    return Table(
        grid.rows, grid.columns, tuple(_read_cell(network, cell.strip) for cell in grid.cells)
    )


def _read_cell(network: LineNetwork, strip: Strip | None) -> Line | None:
    if strip is None:
        return None
    line = read_strip(network, strip)
    if len(line.text) > 1 and line.confidence >= CLEAR:
        return line
    # What was found in a cell is rarely dirt: faint and heavy print is asked for its digit.
    one = read_strip(network, strip, lengths=1)
    return one if one.confidence >= LEAST else None


def row_lines(table: Table) -> list[Line]:
    """Return each row of a table that holds something as one line."""
    rows = []
    for at in range(0, len(table.cells), table.columns):
        cells = [cell for cell in table.cells[at : at + table.columns] if cell is not None]
        if cells:
            boxes = [cell.box for cell in cells]
            lows, highs = zip(*((box[:2], box[2:]) for box in boxes), strict=True)
            (left, top), (right, bottom) = (
                map(min, zip(*lows, strict=True)),
                map(max, zip(*highs, strict=True)),
            )
            rows.append(
                Line(
                    "".join(cell.text for cell in cells),
                    prod(cell.confidence for cell in cells),
                    (left, top, right, bottom),
                    tuple(digit for cell in cells for digit in cell.digits),
                )
            )
    return rows
