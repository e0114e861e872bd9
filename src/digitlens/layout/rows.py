"""From marks to lines: neighbours of like height are linked, far ones where they are even."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.layout.cells import chains
from digitlens.layout.middle import median, quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.layout.marks import Marks

    Table: TypeAlias = "NDArray[np.float64]"

NEAR = 1.2
"""The most that neighbours are apart, in the height of the taller one: digits written wide are
0.25 to 1.1 apart."""

FAR = 3.5
"""The same for single digits at an even distance."""

EVEN = 1.6
"""Distances of middles are even when the widest is at most this many times the median one."""

WIDER = 1.25
"""A gap this many times the widest one of a run beside it is still one of that run's gaps."""

ALONE = 1.5
"""The most that two digits are apart that stand alone in their row, where nothing is even."""

ALIKE = 0.4
"""The least height of a neighbour, in that of the taller one: zeros of cents are 0.55."""

PIECE = 0.1
"""The least height of a broken stroke, in the line's; what is lower is a speck, or print in a
picture."""

STEP = 0.42
"""The most that neighbours' middles are off each other's, in the height of the taller one."""

MOST_SMALL = 5000
"""The most small marks that lines are offered, the largest first: bounded time on specks."""

WIDE_GAP = (0.3, 2.3)
"""A line is parted at gaps wider than so many heights and so many times its median gap."""


@dataclass
class Row:
    """Marks that make one line.

    Parameters
    ----------
    marks
        Places in `Marks` of what may be digits, left to right.
    small
        Places of what belongs to them beside: dots, bars, broken strokes.
    boxed
        Whether each stands in a printed box.
    part
        Whether the row is a part of another one.
    """

    marks: list[int]
    small: list[int] = field(default_factory=list)
    boxed: bool = False
    part: bool = False


def link(marks: Marks, free: NDArray[np.bool_]) -> list[Row]:
    """Make lines of the marks that may be digits.

    Parameters
    ----------
    free
        bool (n,): those that belong to no line yet.
    """
    chosen = np.flatnonzero(marks.digits & free)
    if not len(chosen):
        return []
    runs = [[int(chosen[at]) for at in run] for run in _near(marks.boxes[chosen])]
    runs = _absorb(marks, runs)
    runs = _far(marks, runs)
    return [Row(sorted(run, key=lambda at: marks.boxes[at, 0])) for run in runs]


def _near(boxes: Table) -> list[list[int]]:
    cost = _cost(boxes, boxes, NEAR)
    return _with_single(chains(cost), len(boxes))


def _with_single(runs: list[list[int]], count: int) -> list[list[int]]:
    """Add what was linked to nothing as runs of one."""
    linked = {at for run in runs for at in run}
    return runs + [[at] for at in range(count) if at not in linked]


def _cost(ones: Table, twos: Table, reach: float) -> Table:
    """Return the cost of each pair of boxes as neighbours, inf where they are none.

    Parameters
    ----------
    ones, twos
        float64 (n, 4): of each thing the box at its right end, and the one at its left end.
    """
    high = ones[:, 3] - ones[:, 1], twos[:, 3] - twos[:, 1]
    taller = np.maximum(high[0][:, None], high[1][None])
    shorter = np.minimum(high[0][:, None], high[1][None])
    gap = twos[None, :, 0] - ones[:, None, 2]
    off = np.abs((twos[:, 1] + twos[:, 3])[None] - (ones[:, 1] + ones[:, 3])[:, None]) / 2
    top = np.maximum(ones[:, None, 1], twos[None, :, 1])
    overlap = np.minimum(ones[:, None, 3], twos[None, :, 3]) - top
    fits = (shorter >= ALIKE * taller) & (off <= STEP * taller) & (overlap >= 0.35 * shorter)
    fits &= gap <= reach * taller
    fits &= (twos[:, 0] + twos[:, 2])[None] > (ones[:, 0] + ones[:, 2])[:, None]
    wide = ones[:, 2] - ones[:, 0], twos[:, 2] - twos[:, 0]
    fits &= gap >= -0.7 * np.minimum(wide[0][:, None], wide[1][None])
    # Off the line costs more than farther along it; another height costs too.
    cost = np.maximum(gap, 0) + 0.8 * off + 0.5 * (taller - shorter)
    np.fill_diagonal(fits, False)
    return np.where(fits, cost, np.inf)


def bounds(marks: Marks, run: list[int]) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of some marks."""
    boxes = marks.boxes[run]
    left, top = boxes[:, :2].min(axis=0).tolist()
    right, bottom = boxes[:, 2:].max(axis=0).tolist()
    return left, top, right, bottom


def height_of(marks: Marks, run: list[int]) -> float:
    """Return the height of a line's digits: the upper quartile of its marks' heights."""
    boxes = marks.boxes[run]
    return quantile(boxes[:, 3] - boxes[:, 1], 0.75)


def _absorb(marks: Marks, runs: list[list[int]]) -> list[list[int]]:
    """Give a run that lies within another one's band and length to it: broken strokes."""
    order = sorted(runs, key=lambda run: -height_of(marks, run) * len(run))
    kept: list[list[int]] = []
    edges: list[tuple[float, float, float, float]] = []
    for run in order:
        left, top, right, bottom = bounds(marks, run)
        for at, (x, y, end, low) in enumerate(edges):
            high = low - y
            shared = min(right, end) - max(left, x)
            within = min(bottom, low + 0.1 * high) - max(top, y - 0.1 * high)
            inside = shared >= 0.6 * (right - left) and within >= 0.8 * (bottom - top)
            fits = len(run) <= len(kept[at]) and bottom - top >= PIECE * high
            if inside and fits:
                kept[at] += run
                edges[at] = min(x, left), min(y, top), max(end, right), max(low, bottom)
                break
        else:
            kept.append(list(run))
            edges.append((left, top, right, bottom))
    return kept


def _far(marks: Marks, runs: list[list[int]]) -> list[list[int]]:
    """Join what stands far apart in one row, where all distances are even."""
    if len(runs) < 2:
        return runs
    first = [min(run, key=lambda at: marks.boxes[at, 0]) for run in runs]
    last = [max(run, key=lambda at: marks.boxes[at, 2]) for run in runs]
    cost = _cost(marks.boxes[last], marks.boxes[first], FAR)
    joined: set[int] = set()
    found = []
    for chain in chains(cost):
        for piece in _even_pieces(marks, [runs[at] for at in chain]):
            members = [chain[at] for at in piece]
            joined.update(members)
            found.append([mark for at in members for mark in runs[at]])
    return found + [run for at, run in enumerate(runs) if at not in joined]


def _even_pieces(marks: Marks, chain: list[list[int]]) -> list[list[int]]:
    """Part a chain of runs where it is not even; two digits alone must be near each other."""
    middles = [np.sort(marks.boxes[run][:, [0, 2]].mean(axis=1)) for run in chain]
    steps = [float(two[0] - one[-1]) for one, two in pairwise(middles)]
    own = [median(np.diff(each)) if len(each) > 1 else np.inf for each in middles]
    between = [
        step
        for step, one, two in zip(steps, middles, middles[1:], strict=False)
        if len(one) == len(two) == 1
    ]
    single = float(np.median(between)) if between else np.inf
    pieces = [[0]]
    for at, step in enumerate(steps, start=1):
        usual = min(own[at - 1], own[at])
        gap = bounds(marks, chain[at])[0] - bounds(marks, chain[at - 1])[2]
        widest = max(_widest_gap(marks, chain[at - 1]), _widest_gap(marks, chain[at]))
        even = step <= EVEN * (usual if np.isfinite(usual) else single)
        if not even and gap > WIDER * widest:
            pieces.append([])
        pieces[-1].append(at)
    found = []
    for piece in pieces:
        together = [at for place in piece for at in chain[place]]
        if len(piece) < 2:
            continue
        if len(together) == 2:
            gap = bounds(marks, chain[piece[1]])[0] - bounds(marks, chain[piece[0]])[2]
            if gap > ALONE * height_of(marks, together):
                continue
        found.append(piece)
    return found


def _widest_gap(marks: Marks, run: list[int]) -> float:
    boxes = marks.boxes[sorted(run, key=lambda at: float(marks.boxes[at, 0]))]
    return float(np.max(boxes[1:, 0] - boxes[:-1, 2], initial=0.0))


def parts_of(marks: Marks, row: Row) -> list[Row]:
    """Part a line at gaps much wider than its others, as between a code and a town."""
    if len(row.marks) < 3 or row.boxed:
        return []
    boxes = marks.boxes[row.marks]
    high = height_of(marks, row.marks)
    reached = np.maximum.accumulate(boxes[:, 2])[:-1]
    gaps = np.maximum(boxes[1:, 0] - reached, 0) / high
    least, times = WIDE_GAP
    wide = (gaps > least) & (gaps > times * max(median(gaps), 0.05))
    cuts = np.flatnonzero(wide) + 1
    if not len(cuts):
        return []
    pieces = np.split(np.array(row.marks), cuts)
    return [Row([int(at) for at in piece], part=True) for piece in pieces]


def attach(marks: Marks, rows: list[Row]) -> None:
    """Give each row the small marks that lie in its band: dots, bars, broken strokes."""
    free = ~marks.rests
    free[[at for row in rows for at in row.marks]] = False
    rest = np.flatnonzero(free)
    if not len(rest):
        return
    rest = rest[np.argsort(-marks.areas[rest], kind="stable")][:MOST_SMALL]
    x, y, end, low = marks.boxes[rest].T
    for row in rows:
        left, top, right, bottom = bounds(marks, row.marks)
        high = height_of(marks, row.marks)
        inside = (x >= left - 0.3 * high) & (end <= right + 0.3 * high)
        inside &= (y >= top - 0.1 * high) & (low <= bottom + 0.1 * high)
        inside &= end - x <= 1.2 * high
        row.small += [int(at) for at in rest[inside]]
