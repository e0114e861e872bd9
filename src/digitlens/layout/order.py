"""Reading order: columns from left to right, in each the lines from top to bottom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Table = NDArray[np.float64]

GUTTER = 1.2
"""The least width of bare paper between columns, in line heights."""

LEAST = 3
"""The least lines of a column: two numbers to the right of others are no column."""


def reading_order(boxes: Table) -> list[int]:
    """Return the order in which lines are read.

    The page is cut across where bare paper runs through, into blocks; a block is cut
    downwards where bare paper at least `GUTTER` lines wide runs through and all sides have
    three lines or more (G. Nagy and S. Seth, recursive X-Y cuts, 1984). What stands side by
    side otherwise is read from left to right.

    Parameters
    ----------
    boxes
        float64 (n, 4): left, top, right, bottom.

    Examples
    --------
    >>> page = [[x, y, x + 40, y + 10] for y in (0, 20, 40) for x in (60, 0)]
    >>> reading_order(np.array(page, float))
    [1, 3, 5, 0, 2, 4]
    """
    if not len(boxes):
        return []
    height = float(np.median(boxes[:, 3] - boxes[:, 1]))
    return _ordered(boxes, list(range(len(boxes))), height)


def _ordered(boxes: Table, group: list[int], height: float) -> list[int]:
    if len(group) < 2:
        return group
    columns = _cut(boxes, group, 0, GUTTER * height)
    if len(columns) > 1 and all(_lines(boxes, column) >= LEAST for column in columns):
        return [at for column in columns for at in _ordered(boxes, column, height)]
    bands = _cut(boxes, group, 1, 0.0)
    if len(bands) > 1:
        return [at for band in bands for at in _ordered(boxes, band, height)]
    return _rows(boxes, group)


def _cut(boxes: Table, group: list[int], axis: int, least: float) -> list[list[int]]:
    """Part a group where nothing lies, for at least `least` pixels along an axis."""
    order = sorted(group, key=lambda at: float(boxes[at, axis]))
    parts = [[order[0]]]
    end = float(boxes[order[0], axis + 2])
    for at in order[1:]:
        if boxes[at, axis] - end > least:
            parts.append([])
        parts[-1].append(at)
        end = max(end, float(boxes[at, axis + 2]))
    return parts


def _lines(boxes: Table, group: list[int]) -> int:
    """Return how many lines stand one below the other."""
    return len(_cut(boxes, group, 1, 0.0))


def _rows(boxes: Table, group: list[int]) -> list[int]:
    """Order what cannot be parted: by rows whose middles overlap, each from the left."""
    rest = sorted(group, key=lambda at: float(boxes[at, 1] + boxes[at, 3]))
    found: list[int] = []
    while rest:
        first = rest[0]
        row = [
            at
            for at in rest
            if 2 * boxes[first, 1] <= boxes[at, 1] + boxes[at, 3] <= 2 * boxes[first, 3]
        ]
        found += sorted(row, key=lambda at: float(boxes[at, 0]))
        rest = [at for at in rest if at not in row]
    return found
