"""What stands in the cells of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.layout.cut import Piece, cut
from digitlens.layout.found import Cell, Grid
from digitlens.layout.rows import Row

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.layout.cut import Source
    from digitlens.layout.grids import Lattice
    from digitlens.layout.scene import Scene

    Table: TypeAlias = "NDArray[np.float64]"

INSET = 0.05
"""How far in from its corners a cell is looked at, in its size: lines are no wider."""

LEAST_HEIGHT, LEAST_AREA = 0.3, 0.012
"""The least height and ink of a digit, in the cell's height and area."""

MIDDLE, PART = 0.33, 0.2
"""How far from the middle of its cell a digit's may be, in its size, and the least height of a
digit's largest part."""

CORNER, ALONG = 0.65, 0.14
"""What is so wide and high, in the cell's size, and lies so near its sides, is its frame."""

BROAD = 0.15
"""Narrower pieces near a side, in the cell's size, are rests of its line."""

RIM = 0.14
"""What has its middle so near a cell's side, in its size, is a rest of the line there."""


def read_table(scene: Scene, source: Source, lattice: Lattice, free: NDArray[np.bool_]) -> Grid:
    """Cut out what is written in each cell.

    Parameters
    ----------
    free
        bool (n,): marks that belong to no line yet; those inside the table are taken off.
    """
    quads = {
        (row, column): lattice.corners(row, column)
        for row in range(lattice.rows)
        for column in range(lattice.columns)
    }
    for at in lattice.members:
        spot = lattice.spot(scene.cells.places[at, :2])
        if spot in quads:
            quads[spot] = scene.cells.corners[at]
    whole = np.array([lattice.at(0, 0), lattice.at(lattice.columns, 0)])
    below = [lattice.at(lattice.columns, lattice.rows), lattice.at(0, lattice.rows)]
    free &= ~_inside(scene, np.concatenate([whole, below]))
    cells = []
    for (row, column), quad in quads.items():
        piece = _written(scene, quad)
        strip = cut(scene, source, piece) if piece is not None else None
        spots = np.column_stack([quad, np.ones(4)]) @ scene.view.to_picture.T
        cells.append(Cell(row, column, np.asarray(spots[:, :2]), strip))
    return Grid(lattice.rows, lattice.columns, tuple(cells))


def _inside(scene: Scene, quad: Table) -> NDArray[np.bool_]:
    """Say of each mark whether its middle lies within four corners: bool (n,)."""
    boxes = scene.marks.boxes
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = np.ones(len(boxes), bool)
    for one, two in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        side = two - one
        inside &= side[0] * (middle[:, 1] - one[1]) - side[1] * (middle[:, 0] - one[0]) >= 0
    return inside


def _written(scene: Scene, quad: Table) -> Piece | None:
    """Return what is written in a cell, without rests of its lines; None where it is empty."""
    shape = scene.inked.shape
    inner = quad + INSET * 2 * (quad.mean(axis=0) - quad)
    left, top = np.maximum(np.floor(inner.min(axis=0)).astype(int), 0).tolist()
    right = min(shape[1], int(np.ceil(inner[:, 0].max())))
    low = min(shape[0], int(np.ceil(inner[:, 1].max())))
    if right - left < 4 or low - top < 4:
        return None
    field = np.zeros((low - top, right - left), np.uint8)
    points = np.rint((inner - (left + 0.5, top + 0.5)) * 16).astype(np.int32)
    cv2.fillConvexPoly(field, points, 1, shift=4)
    field &= scene.inked[top:low, left:right]
    high = float(np.linalg.norm(quad[3] - quad[0] + quad[2] - quad[1]) / 2)
    wide = float(np.linalg.norm(quad[1] - quad[0] + quad[2] - quad[3]) / 2)
    _, joined, stats, middles = cv2.connectedComponentsWithStats(field, connectivity=8)
    labels = np.asarray(joined, np.int32)
    spots = (middles + np.array([left, top]) - quad.mean(axis=0)) / (wide, high)
    across, down = stats[:, 2] / wide, stats[:, 3] / high
    # What is broad may come near a side: half a digit whose other half crosses the line.
    rim = np.where((across > BROAD) & (down > BROAD), RIM / 2, RIM)
    keep = (np.abs(spots) < 0.5 - rim[:, None]).all(axis=1) & (stats[:, 4] >= 3)
    keep &= ~_frame(labels, (across >= CORNER) & (down >= CORNER))
    keep[0] = False
    # A digit, or the larger part of a broken one, is in the middle of its cell.
    if not (keep & (np.abs(spots) < MIDDLE).all(axis=1) & (down >= PART)).any():
        return None
    own = keep[labels]
    rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
    tall = rows[-1] + 1 - rows[0]
    if tall < LEAST_HEIGHT * high or own.sum() < LEAST_AREA * wide * high:
        return None
    own = own[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    side = quad[1] - quad[0] + quad[2] - quad[3]
    slope = float(side[1] / side[0])
    row = Row([0], boxed=True)
    place = left + int(columns[0]), top + int(rows[0])
    return Piece(*place, own.astype(np.uint8) * np.uint8(255), float(tall), slope, row, 1.0)


def _frame(labels: NDArray[np.int32], large: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which of the large pieces lie along the sides of the field: bool (n,)."""
    found = np.zeros_like(large)
    rows, columns = labels.shape
    deep, wide = max(1, round(ALONG * rows)), max(1, round(ALONG * columns))
    for at in np.flatnonzero(large[1:]) + 1:
        piece = labels == at
        inner = int(piece[deep : rows - deep, wide : columns - wide].sum())
        found[at] = inner < 0.3 * int(piece.sum())
    return found
