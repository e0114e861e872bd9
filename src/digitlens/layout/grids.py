"""Tables of equal boxes, one digit in each: a sudoku, a table of marks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.layout.boxes import PrintedBoxes, find_box_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.geometry import Floats, Gray

    Places: TypeAlias = dict[int, tuple[int, int]]
    """Row and column of each box."""


# Rows and columns of a table, at least.
MIN_ROWS = 3
# Between the cells of a table, in their size: lines part them, not paper.
MAX_WALL = 0.35
# Cells that were found as boxes, at least: of a sudoku cut off, two rows of blocks, ...
MIN_BOXES = 6
# ... and this share of the table's cells.
MIN_BOX_SHARE = 0.5
# From a cell's center to where the table's fit has it, in cells.
MAX_FIT_ERROR = 0.22
# Of a table's fit: less is a table seen from its edge.
MIN_DETERMINANT = 1e-6
# How often a table is fitted again to the boxes that lie where it continues.
FIT_ROUNDS = 6
# Of a cell's width and height from the median ones, as a share.
MAX_SIZE_DIFFERENCE = 0.4


@dataclass(frozen=True, eq=False)
class Lattice:
    """Where the cells of a table lie in the working image."""

    rows: int  # how many
    columns: int
    # float64 (3, 3): a homography from (column, row) to (x, y); cell (r, c) is what lies
    # between c and c + 1, r and r + 1.
    to_view: Floats
    members: tuple[int, ...]  # the `PrintedBoxes` that it was made of

    def locate(self, column: float, row: float) -> Floats:
        """Return x and y in the working image of a place in the table: float64 (2,)."""
        point = self.to_view @ np.array([column, row, 1.0])
        return np.asarray(point[:2] / point[2], np.float64)

    def corners(self, row: int, column: int) -> Floats:
        """Return the corners of a cell in the working image: float64 (4, 2)."""
        steps = ((0, 0), (1, 0), (1, 1), (0, 1))
        return np.array([self.locate(column + right, row + down) for right, down in steps])

    def find_cell(self, point: Floats) -> tuple[int, int]:
        """Return row and column of the cell in which (x, y) of the working image lies."""
        place = np.linalg.inv(self.to_view) @ np.array([point[0], point[1], 1.0])
        return int(np.floor(place[1] / place[2])), int(np.floor(place[0] / place[2]))


def find_lattices(boxes: PrintedBoxes) -> list[Lattice]:
    """Find tables among printed boxes."""
    rows = find_box_rows(boxes, max_gap=MAX_WALL)
    if len(rows) < MIN_ROWS - 1:
        return []
    transposed = PrintedBoxes(boxes.rects[:, [1, 0, 3, 2, 4]], boxes.corners)
    columns = find_box_rows(transposed, max_gap=MAX_WALL)
    lattices: list[Lattice] = []
    used: set[int] = set()
    groups = _connect(rows, columns, len(boxes))
    for places in sorted(groups, key=len, reverse=True):
        if used & set(places):
            continue
        lattice = _fit(boxes, places)
        if lattice is not None and not used & set(lattice.members):
            used |= set(lattice.members)
            lattices.append(lattice)
    return lattices


def _connect(rows: list[list[int]], columns: list[list[int]], count: int) -> list[Places]:
    """Return groups of boxes that are connected by neighbors."""
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
        places = {start: (0, 0)}
        queue = [start]
        while queue:
            index = queue.pop(0)
            row, column = places[index]
            for other, down, across in steps[index]:
                if other not in places:
                    places[other] = (row + down, column + across)
                    queue.append(other)
        seen |= set(places)
        if len(places) >= MIN_BOXES:
            groups.append(places)
    return groups


def _fit(boxes: PrintedBoxes, places: Places) -> Lattice | None:
    """Fit a homography to boxes whose rows and columns are known, and let it find more."""
    current = dict(places)
    matrix = None
    for _ in range(FIT_ROUNDS):
        if len(current) < MIN_BOXES:
            return None
        members = np.array(sorted(current))
        table = np.array([current[index] for index in members.tolist()], np.float64)
        size = float(np.median(boxes.rects[members, 2:4]))
        source = (table[:, ::-1] + 0.5).reshape(-1, 1, 2)
        centers = boxes.rects[members, :2].reshape(-1, 1, 2)
        matrix, good = cv2.findHomography(source, centers, cv2.RANSAC, MAX_FIT_ERROR * size)
        if matrix is None or abs(np.linalg.det(matrix)) < MIN_DETERMINANT:
            return None
        if int(good.sum()) < MIN_BOXES:
            return None
        table, members = table[good.ravel() > 0], members[good.ravel() > 0]
        nearby = _find_nearby(boxes, np.asarray(matrix, np.float64), table, members)
        if set(nearby) <= set(members.tolist()):
            break
        current = nearby
    first, last = table.min(axis=0).astype(int), table.max(axis=0).astype(int)
    rows, columns = (int(value) for value in last - first + 1)
    if min(rows, columns) < MIN_ROWS or len(members) < MIN_BOX_SHARE * rows * columns:
        return None
    shift = np.array([[1, 0, first[1]], [0, 1, first[0]], [0, 0, 1.0]])
    return Lattice(rows, columns, matrix @ shift, tuple(int(index) for index in members))


def _find_nearby(
    boxes: PrintedBoxes, matrix: Floats, table: Floats, members: NDArray[np.int64]
) -> Places:
    """Return all boxes that lie where the table continues, two steps beyond it at most."""
    points = np.column_stack([boxes.rects[:, :2], np.ones(len(boxes))])
    back = points @ np.linalg.inv(matrix).T
    back = back[:, 1::-1] / back[:, 2:] - 0.5  # row, column
    place = np.rint(back)
    fits = (np.abs(back - place) <= 1.5 * MAX_FIT_ERROR).all(axis=1)
    fits &= (place >= table.min(axis=0) - 2).all(axis=1)
    fits &= (place <= table.max(axis=0) + 2).all(axis=1)
    size = np.median(boxes.rects[members, 2:4], axis=0)
    fits &= (np.abs(boxes.rects[:, 2:4] / size - 1) <= MAX_SIZE_DIFFERENCE).all(axis=1)
    result: dict[tuple[int, int], int] = {}
    for index in np.flatnonzero(fits).tolist():
        row, column = (int(value) for value in place[index])
        result.setdefault((row, column), index)
    return {index: place for place, index in result.items()}


# Blocks on each side of a sudoku, and cells on each side of a block.
SUDOKU_BLOCKS = 3
# In pixels of the working image.
MIN_CELL_SIDE = 8.0
# The share of a sudoku's thin lines that must be darker than the paper beside them.
MIN_THIN_LINES = 0.6
# Ink, of 255, by which a line must be darker: the median along it, so digits do not count.
MIN_LINE_INK = 1.5
# Where a line may be, in cells' sizes beside its place, as it may be bent; and, first and last,
# the middle of the cells on both sides.
LINE_OFFSETS = np.array([-0.5, -0.12, -0.06, 0.0, 0.06, 0.12, 0.5])


def split_sudoku_blocks(lattice: Lattice, ink: Gray) -> Lattice:
    """Return nine cells a side of a lattice of three, if thin lines divide its blocks.

    Thin lines, blurred by a photo, may be too faint to be marks, but along their whole length
    they are darker than what is beside them.
    """
    if (lattice.rows, lattice.columns) != (SUDOKU_BLOCKS, SUDOKU_BLOCKS):
        return lattice
    cells = SUDOKU_BLOCKS**2
    top = lattice.locate(SUDOKU_BLOCKS, 0) - lattice.locate(0, 0)
    if float(np.linalg.norm(top)) / cells < MIN_CELL_SIDE:
        return lattice
    dark = [
        _is_line_dark(lattice, ink, index, block, across)
        for across in (False, True)
        for index in range(cells)
        if index % SUDOKU_BLOCKS
        for block in range(SUDOKU_BLOCKS)
    ]
    if float(np.mean(dark)) < MIN_THIN_LINES:
        return lattice
    shrink = np.diag([1 / SUDOKU_BLOCKS, 1 / SUDOKU_BLOCKS, 1.0])
    return Lattice(cells, cells, lattice.to_view @ shrink, ())


def _is_line_dark(lattice: Lattice, ink: Gray, index: int, block: int, across: bool) -> bool:
    """Say whether there is a line where cells `index` - 1 and `index` meet, along one block."""
    along = block + np.linspace(0.06, 0.94, 40)
    places = (index + LINE_OFFSETS) / SUDOKU_BLOCKS
    points = [np.tile(along, len(places)), np.repeat(places, len(along))]
    if not across:
        points.reverse()
    # All of them at once: one by one this took a tenth of the time for a sudoku.
    mapped = np.column_stack([*points, np.ones(len(points[0]))]) @ lattice.to_view.T
    spots = np.floor(mapped[:, :2] / mapped[:, 2:]).astype(int)
    inside = (spots >= 0).all(axis=1) & (spots < ink.shape[::-1]).all(axis=1)
    parts = zip(np.split(spots, len(places)), np.split(inside, len(places)), strict=True)
    levels = [_median_ink(ink, some[is_inside]) for some, is_inside in parts]
    beside = (levels[0] + levels[-1]) / 2
    return max(levels[1:-1]) > beside + MIN_LINE_INK


def _median_ink(ink: Gray, spots: NDArray[np.int_]) -> float:
    """Return the median ink at some spots, (n, 2), x and y; 0.0 without any."""
    return float(np.median(ink[spots[:, 1], spots[:, 0]])) if len(spots) else 0.0
