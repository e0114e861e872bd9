"""Tables of equal boxes, one digit in each: a sudoku, a table of marks.

* A sudoku of which only the bold lines were seen: its nine blocks, parted into cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.layout.boxes import PrintedBoxes, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Table: TypeAlias = "NDArray[np.float64]"
    Gray: TypeAlias = "NDArray[np.uint8]"


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
        The `PrintedBoxes` that it was made of.
    """

    rows: int
    columns: int
    to_view: Table
    members: tuple[int, ...]

    def at(self, column: float, row: float) -> Table:
        """Return x and y in the view of a place in the table: float64 (2,)."""
        result = self.to_view @ np.array([column, row, 1.0])
        return np.asarray(result[:2] / result[2], np.float64)

    def corners(self, row: int, column: int) -> Table:
        """Return the corners of a cell in the view: float64 (4, 2)."""
        steps = ((0, 0), (1, 0), (1, 1), (0, 1))
        return np.array([self.at(column + right, row + down) for right, down in steps])

    def spot(self, place: Table) -> tuple[int, int]:
        """Return row and column of the cell in which (x, y) of the view lies."""
        result = np.linalg.inv(self.to_view) @ np.array([place[0], place[1], 1.0])
        return int(np.floor(result[1] / result[2])), int(np.floor(result[0] / result[2]))


def find_lattices(cells: PrintedBoxes) -> list[Lattice]:
    """Find tables among cells.

    Parameters
    ----------
    cells
        All of a view.
    """
    rows = rows_of(cells, apart=WALL)
    if len(rows) < LEAST - 1:
        return []
    turned = PrintedBoxes(cells.places[:, [1, 0, 3, 2, 4]], cells.corners)
    result: list[Lattice] = []
    used: set[int] = set()
    groups = _connected(rows, rows_of(turned, apart=WALL), len(cells))
    for spots in sorted(groups, key=len, reverse=True):
        if used & set(spots):
            continue
        lattice = _fit(cells, spots)
        if lattice is not None and not used & set(lattice.members):
            used |= set(lattice.members)
            result.append(lattice)
    return result


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
            index = waiting.pop(0)
            row, column = spots[index]
            for other, down, across in steps[index]:
                if other not in spots:
                    spots[other] = (row + down, column + across)
                    waiting.append(other)
        seen |= set(spots)
        if len(spots) >= SEEN:
            groups.append(spots)
    return groups


def _fit(cells: PrintedBoxes, spots: dict[int, tuple[int, int]]) -> Lattice | None:
    """Fit a homography to cells whose rows and columns are known, and let it find more."""
    result = dict(spots)
    matrix = None
    for _ in range(ROUNDS):
        if len(result) < SEEN:
            return None
        members = np.array(sorted(result))
        table = np.array([result[index] for index in members.tolist()], np.float64)
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
        result = more
    first, last = table.min(axis=0).astype(int), table.max(axis=0).astype(int)
    rows, columns = (int(value) for value in last - first + 1)
    if min(rows, columns) < LEAST or len(members) < FOUND * rows * columns:
        return None
    shift = np.array([[1, 0, first[1]], [0, 1, first[0]], [0, 0, 1.0]])
    return Lattice(rows, columns, matrix @ shift, tuple(int(index) for index in members))


def _nearby(
    cells: PrintedBoxes, matrix: Table, table: Table, members: NDArray[np.int64]
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
    result: dict[tuple[int, int], int] = {}
    for index in np.flatnonzero(fits).tolist():
        row, column = (int(value) for value in spot[index])
        result.setdefault((row, column), index)
    return {index: place for place, index in result.items()}


BLOCKS = 3
"""Blocks on each side of a sudoku, and cells on each side of a block."""

SMALLEST = 8.0
"""The least side of a cell in pixels of the view."""

THIRDS_SEEN = 0.6
"""The share of a table's thin lines that must be darker than the paper beside them."""

DARKER = 1.5
"""Ink, of 255, by which a line must be: the median along it, so digits do not count."""


def split_thirds(lattice: Lattice, ink: Gray) -> Lattice:
    """Return a table of nine cells a side where `lattice` has three and thin lines part them.

    Thin lines, blurred by a photo, may be too faint to be marks, but along their whole length
    they are darker than what is beside them.

    Parameters
    ----------
    ink
        uint8 (h, w), 0 = paper, of the view.
    """
    if (lattice.rows, lattice.columns) != (BLOCKS, BLOCKS):
        return lattice
    side = float(np.linalg.norm(lattice.at(BLOCKS, 0) - lattice.at(0, 0))) / BLOCKS**2
    if side < SMALLEST:
        return lattice
    seen = [
        _darker(lattice, ink, index, block, across)
        for across in (False, True)
        for index in range(BLOCKS**2)
        if index % BLOCKS
        for block in range(BLOCKS)
    ]
    if float(np.mean(seen)) < THIRDS_SEEN:
        return lattice
    shrink = np.diag([1 / BLOCKS, 1 / BLOCKS, 1.0])
    return Lattice(BLOCKS**2, BLOCKS**2, lattice.to_view @ shrink, ())


def _darker(lattice: Lattice, ink: Gray, index: int, block: int, across: bool) -> bool:
    """Say whether there is a line where cells `index` - 1 and `index` meet, along one block."""
    along = block + np.linspace(0.06, 0.94, 40)
    levels = []
    # On the line, give or take where it is bent to, and in the cells on both sides.
    for offset in (-0.5, -0.12, -0.06, 0.0, 0.06, 0.12, 0.5):
        place = np.full_like(along, (index + offset) / BLOCKS)
        spots = np.column_stack([along, place] if across else [place, along])
        levels.append(_median(lattice, ink, spots))
    beside = (levels[0] + levels[-1]) / 2
    return max(levels[1:-1]) > beside + DARKER


def _median(lattice: Lattice, ink: Gray, spots: NDArray[np.float64]) -> float:
    result = np.column_stack([spots, np.ones(len(spots))]) @ lattice.to_view.T
    places = np.floor(result[:, :2] / result[:, 2:]).astype(int)
    inside = (places >= 0).all(axis=1) & (places < ink.shape[::-1]).all(axis=1)
    return float(np.median(ink[places[inside, 1], places[inside, 0]])) if inside.any() else 0.0
