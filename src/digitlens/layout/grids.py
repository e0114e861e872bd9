"""Tables of equal boxes, one digit in each: a sudoku, a table of marks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.layout.cells import Cells, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Table: TypeAlias = "NDArray[np.float64]"

LEAST = 3
"""A table has at least so many rows and columns."""

WALL = 0.35
"""The most that the cells of a table are apart, in their size: by lines, not by paper."""

SEEN = 6
"""And at least so many cells were seen whole: of a sudoku cut off, two rows of blocks."""

FOUND = 0.5
"""The share of a table's cells that must have been seen whole."""

STRAIGHT = 0.22
"""A cell's middle is at most so far, in cells, from where the table's fit has it."""

FLAT = 1e-6
"""The least determinant of a table's fit: less is a table seen from its edge."""

ROUNDS = 6
"""How often a table is fitted anew to what was found where it goes on."""

UNLIKE = 0.4
"""How far a cell's width and height may be off the median ones, as a share."""


@dataclass(frozen=True, eq=False)
class Lattice:
    """Where the cells of a table lie in a view.

    Parameters
    ----------
    rows, columns
        How many.
    to_view
        float64 (3, 3): a homography from (column, row) to (x, y); cell (r, c) is what lies
        between c and c + 1, r and r + 1.
    members
        The `Cells` that it was made of.
    """

    rows: int
    columns: int
    to_view: Table
    members: tuple[int, ...]

    def at(self, column: float, row: float) -> Table:
        """Return x and y in the view of a place in the table: float64 (2,)."""
        found = self.to_view @ np.array([column, row, 1.0])
        return np.asarray(found[:2] / found[2], np.float64)

    def corners(self, row: int, column: int) -> Table:
        """Return the corners of a cell in the view: float64 (4, 2)."""
        steps = ((0, 0), (1, 0), (1, 1), (0, 1))
        return np.array([self.at(column + right, row + down) for right, down in steps])

    def spot(self, place: Table) -> tuple[int, int]:
        """Return row and column of the cell in which (x, y) of the view lies."""
        found = np.linalg.inv(self.to_view) @ np.array([place[0], place[1], 1.0])
        return int(np.floor(found[1] / found[2])), int(np.floor(found[0] / found[2]))


def find_lattices(cells: Cells) -> list[Lattice]:
    """Find tables among cells.

    Parameters
    ----------
    cells
        All of a view.
    """
    rows = rows_of(cells, apart=WALL)
    if len(rows) < LEAST - 1:
        return []
    turned = Cells(cells.places[:, [1, 0, 3, 2, 4]], cells.corners)
    found: list[Lattice] = []
    used: set[int] = set()
    groups = _connected(rows, rows_of(turned, apart=WALL), len(cells))
    for spots in sorted(groups, key=len, reverse=True):
        if used & set(spots):
            continue
        lattice = _fit(cells, spots)
        if lattice is not None and not used & set(lattice.members):
            used |= set(lattice.members)
            found.append(lattice)
    return found


def _connected(
    rows: list[list[int]], columns: list[list[int]], count: int
) -> list[dict[int, tuple[int, int]]]:
    """Return groups of cells that neighbours join, each with its row and column."""
    steps: list[list[tuple[int, int, int]]] = [[] for _ in range(count)]
    for runs, down, across in ((rows, 0, 1), (columns, 1, 0)):
        for run in runs:
            for one, two in pairwise(run):
                steps[one].append((two, down, across))
                steps[two].append((one, -down, -across))
    groups, seen = [], set()
    for start in range(count):
        if start in seen or not steps[start]:
            continue
        spots = {start: (0, 0)}
        waiting = [start]
        while waiting:
            at = waiting.pop(0)
            row, column = spots[at]
            for other, down, across in steps[at]:
                if other not in spots:
                    spots[other] = (row + down, column + across)
                    waiting.append(other)
        seen |= set(spots)
        if len(spots) >= SEEN:
            groups.append(spots)
    return groups


def _fit(cells: Cells, spots: dict[int, tuple[int, int]]) -> Lattice | None:
    """Fit a homography to cells whose rows and columns are known, and let it find more."""
    found = dict(spots)
    matrix = None
    for _ in range(ROUNDS):
        if len(found) < SEEN:
            return None
        members = np.array(sorted(found))
        table = np.array([found[at] for at in members.tolist()], np.float64)
        size = float(np.median(cells.places[members, 2:4]))
        source = (table[:, ::-1] + 0.5).reshape(-1, 1, 2)
        middles = cells.places[members, :2].reshape(-1, 1, 2)
        matrix, good = cv2.findHomography(source, middles, cv2.RANSAC, STRAIGHT * size)
        if matrix is None or abs(np.linalg.det(matrix)) < FLAT or int(good.sum()) < SEEN:
            return None
        table, members = table[good.ravel() > 0], members[good.ravel() > 0]
        more = _nearby(cells, np.asarray(matrix, np.float64), table, members)
        if set(more) <= set(members.tolist()):
            break
        found = more
    first, last = table.min(axis=0).astype(int), table.max(axis=0).astype(int)
    rows, columns = (int(value) for value in last - first + 1)
    if min(rows, columns) < LEAST or len(members) < FOUND * rows * columns:
        return None
    shift = np.array([[1, 0, first[1]], [0, 1, first[0]], [0, 0, 1.0]])
    return Lattice(rows, columns, matrix @ shift, tuple(int(at) for at in members))


def _nearby(
    cells: Cells, matrix: Table, table: Table, members: NDArray[np.int64]
) -> dict[int, tuple[int, int]]:
    """Return all cells that lie where the table goes on, two steps beyond it at most."""
    places = np.column_stack([cells.places[:, :2], np.ones(len(cells))])
    back = places @ np.linalg.inv(matrix).T
    back = back[:, 1::-1] / back[:, 2:] - 0.5  # row, column
    spot = np.rint(back)
    fits = (np.abs(back - spot) <= 1.5 * STRAIGHT).all(axis=1)
    fits &= (spot >= table.min(axis=0) - 2).all(axis=1)
    fits &= (spot <= table.max(axis=0) + 2).all(axis=1)
    size = np.median(cells.places[members, 2:4], axis=0)
    fits &= (np.abs(cells.places[:, 2:4] / size - 1) <= UNLIKE).all(axis=1)
    found: dict[tuple[int, int], int] = {}
    for at in np.flatnonzero(fits).tolist():
        row, column = (int(value) for value in spot[at])
        found.setdefault((row, column), at)
    return {at: place for place, at in found.items()}
