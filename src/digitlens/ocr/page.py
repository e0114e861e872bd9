"""What is wanted of a picture (`FormField`) and what is read on it (`Page`, `Table`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from digitlens.ctc.line import Line
from digitlens.geometry import enclosing_box

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from digitlens.geometry import Box, Size

    Stage: TypeAlias = "tuple[str, NDArray[np.uint8]]"
    Where: TypeAlias = "Callable[[Box, Size], bool]"


@dataclass(frozen=True)
class Table:
    """A table of equal boxes that was read, such as a sudoku.

    Examples
    --------
    >>> Table(1, 2, (None, None)).texts
    (('', ''),)
    """

    rows: int
    columns: int
    # Row by row, `rows * columns` of them; None where a box is empty.
    cells: tuple[Line | None, ...]

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """What stands in each cell, row by row; empty where nothing does."""
        flat = ["" if cell is None else cell.text for cell in self.cells]
        return tuple(
            tuple(flat[index : index + self.columns])
            for index in range(0, len(flat), self.columns)
        )

    def row_lines(self) -> list[Line]:
        """Return each row that holds something as one line."""
        lines = []
        for index in range(0, len(self.cells), self.columns):
            cells = [cell for cell in self.cells[index : index + self.columns] if cell]
            if cells:
                lines.append(
                    Line(
                        "".join(cell.text for cell in cells),
                        prod(cell.confidence for cell in cells),
                        enclosing_box(cell.box for cell in cells),
                        tuple(digit for cell in cells for digit in cell.digits),
                    )
                )
        return lines

    def as_dict(self) -> dict[str, Any]:
        """Return the table as plain values that JSON can hold."""
        return {
            "rows": self.rows,
            "columns": self.columns,
            "cells": [None if cell is None else cell.as_dict() for cell in self.cells],
        }


@dataclass(frozen=True)
class Page:
    """A whole picture, read."""

    # Numbers, in reading order; the likeliest first where a length was asked for; one for each
    # field, in the fields' order, where fields were given.
    lines: tuple[Line, ...]
    # Tables of boxes; the rows of each that hold something are among the lines too.
    tables: tuple[Table, ...] = ()
    # Width and height of the picture, upright as its EXIF entry says.
    size: tuple[int, int] = (0, 0)
    turn: float = 0.0  # degrees, counter-clockwise, by which it was turned to be read
    # (name, picture) of the steps, where they were asked for.
    stages: tuple[Stage, ...] = field(default=(), repr=False)
    about: tuple[str, ...] = ()  # what was done, in words

    def as_dict(self) -> dict[str, Any]:
        """Return lines, tables, size and turn as plain values; stages are left out."""
        return {
            "size": list(self.size),
            "turn": round(self.turn, 1),
            "lines": [line.as_dict() for line in self.lines],
            "tables": [table.as_dict() for table in self.tables],
        }


@dataclass(frozen=True)
class FormField:
    """One number that is wanted from a picture.

    Examples
    --------
    >>> FormField(count=5, area=(400, 300, 640, 360), boxes=True).count
    5
    """

    count: int | None = None  # how many digits it has; None when that is not known
    # Left, top, right, bottom in pixels of the picture; None for all of it.
    area: Box | None = None
    boxes: bool = False  # whether it is written into a row of printed boxes
    name: str = ""  # what results call it
