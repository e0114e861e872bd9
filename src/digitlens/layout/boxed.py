"""Lines of digits that stand in a row of printed boxes, one in each."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.layout.cells import FRAMED, Cells, framed
from digitlens.layout.masks import widened
from digitlens.layout.rows import Row

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.layout.marks import Marks

    Mask: TypeAlias = "NDArray[np.uint8]"
    Table: TypeAlias = "NDArray[np.float64]"

MISSING = 3
"""Rows of boxes that stand in one line belong together when at most so many boxes between them
were not seen: a digit that runs over the frame hides a box."""

OFF = 0.3
"""How far from where a box must be, in the distance of boxes, one may be."""

TALLEST = 1.25
"""The most height of a digit in a box, in the box's: some reach over it."""


def completed(
    cells: Cells, chains: list[list[int]], printed: Mask
) -> tuple[Cells, list[list[int]]]:
    """Join rows of boxes that go on in one line, and add boxes that digits hide.

    A digit that runs over its box's frame cuts the paper in it to pieces, and no cell is
    found; the frame is still there, where the distance of the other boxes says.

    Parameters
    ----------
    chains
        Rows of boxes, each from left to right.
    printed
        uint8 (h, w), 1 = ink or print.
    """
    near = widened(printed, 3, 3)
    quads = [cells.corners]
    rows = []
    for chain in _joined(cells, chains):
        row = list(chain)
        pitch = _pitch(cells, chain)
        for at in (0, -1) if pitch else ():
            quad, step = cells.corners[row[at]], np.array([1.0, cells.places[row[at], 4]])
            for away in range(1, MISSING + 1):
                moved = quad + (away if at else -away) * pitch * step
                if framed(near, moved) < FRAMED:
                    break
                quads.append(moved[None])
                new = sum(len(each) for each in quads) - 1
                row = [*row, new] if at else [new, *row]
        rows.append(row)
    return Cells.of(np.concatenate(quads)), rows


def _pitch(cells: Cells, chain: list[int]) -> float:
    """Return the distance of the boxes of a row; 0.0 for a single one."""
    if len(chain) < 2:
        return 0.0
    return float(np.median(np.diff(cells.places[chain, 0])))


def _joined(cells: Cells, chains: list[list[int]]) -> list[list[int]]:
    """Join rows that go on in the same line at a whole number of distances."""
    rest = sorted(chains, key=lambda chain: float(cells.places[chain[0], 0]))
    joined: list[list[int]] = []
    for chain in rest:
        for before in joined:
            if _goes_on(cells, before, chain):
                before.extend(chain)
                break
        else:
            joined.append(list(chain))
    return joined


def _goes_on(cells: Cells, before: list[int], chain: list[int]) -> bool:
    longer = max(before, chain, key=len)
    if len(longer) < 2:
        return False
    pitch = _pitch(cells, longer)
    last, first = cells.places[before[-1]], cells.places[chain[0]]
    steps = float(first[0] - last[0]) / pitch
    slope = float(np.median(cells.places[longer, 4]))
    level = abs(first[1] - last[1] - slope * (first[0] - last[0])) <= OFF * last[3]
    alike = 0.75 <= first[3] / last[3] <= 1.33
    whole = abs(steps - round(steps)) <= OFF and 1 <= round(steps) <= MISSING + 1
    return bool(level and alike and whole)


def boxed_rows(
    marks: Marks, cells: Cells, chains: list[list[int]], free: NDArray[np.bool_]
) -> list[Row]:
    """Make a line of what stands in each row of boxes.

    Parameters
    ----------
    chains
        Rows of boxes, each from left to right.
    free
        bool (n,): the marks that belong to no line yet; those that are used are taken off.
    """
    found = []
    for chain in chains:
        row = _row(marks, cells, chain, free)
        if row is not None:
            free[row.marks + row.small] = False
            found.append(row)
    return found


def _row(marks: Marks, cells: Cells, chain: list[int], free: NDArray[np.bool_]) -> Row | None:
    """Return the marks between the first box and the last, at their height."""
    places = cells.places[chain]
    x, y = places[:, 0], places[:, 1]
    wide, high = float(np.median(places[:, 2])), float(np.median(places[:, 3]))
    middle = (marks.boxes[:, :2] + marks.boxes[:, 2:]) / 2
    tall = marks.boxes[:, 3] - marks.boxes[:, 1]
    inside = free & (middle[:, 0] >= x[0] - wide / 2) & (middle[:, 0] <= x[-1] + wide / 2)
    inside &= np.abs(middle[:, 1] - np.interp(middle[:, 0], x, y)) <= high / 2
    inside &= tall <= TALLEST * high
    digits = inside & marks.digits
    if not digits.any():
        return None
    order = sorted(np.flatnonzero(digits).tolist(), key=lambda at: float(marks.boxes[at, 0]))
    small = np.flatnonzero(inside & ~digits).tolist()
    return Row(order, small=small, boxed=True)
