"""Tables of boxes: what stands in each, and the rows as lines."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from digitlens.reader.page import Table
from digitlens.reader.strips import read_cell
from digitlens.reading.line import Line
from digitlens.reading.places import around

if TYPE_CHECKING:
    from digitlens.layout.found import Grid
    from digitlens.reader.network import LineNetwork

LEAST = 0.3
"""Less sure than this, what stands in a cell is taken for specks or no digit."""


def read_table(network: LineNetwork, grid: Grid) -> Table:
    """Read every cell of a table; most hold one digit or none."""
    cells = [
        None if cell.strip is None else read_cell(network, cell.strip) for cell in grid.cells
    ]
    clear = [None if cell is None or cell.confidence < LEAST else cell for cell in cells]
    return Table(grid.rows, grid.columns, tuple(clear))


def row_lines(table: Table) -> list[Line]:
    """Return each row of a table that holds something as one line."""
    rows = []
    for at in range(0, len(table.cells), table.columns):
        cells = [cell for cell in table.cells[at : at + table.columns] if cell is not None]
        if cells:
            rows.append(
                Line(
                    "".join(cell.text for cell in cells),
                    prod(cell.confidence for cell in cells),
                    around(cell.box for cell in cells),
                    tuple(digit for cell in cells for digit in cell.digits),
                )
            )
    return rows
