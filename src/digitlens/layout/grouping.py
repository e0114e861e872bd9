"""From marks to lines: neighbours of like height are linked, far ones where they are even.

* Lines of digits that stand in a row of printed boxes, one in each.
* How much a line looks like a number, cheaply: so that the likeliest are read first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.layout.boxes import FRAMED, PrintedBoxes, chains, framed
from digitlens.layout.illumination import dilate, fast_median, fast_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.layout.connected import Components

    Table: TypeAlias = "NDArray[np.float64]"
    Mask: TypeAlias = "NDArray[np.uint8]"


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
class TextLine:
    """Marks that make one line.

    Parameters
    ----------
    marks
        Places in `Components` of what may be digits, left to right.
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


def group_into_lines(marks: Components, free: NDArray[np.bool_]) -> list[TextLine]:
    """Make lines of the marks that may be digits.

    Parameters
    ----------
    free
        bool (n,): those that belong to no line yet.
    """
    chosen = np.flatnonzero(marks.digits & free)
    if not len(chosen):
        return []
    runs = [[int(chosen[index]) for index in run] for run in _near(marks.boxes[chosen])]
    runs = _merge_nested(marks, runs)
    runs = _join_distant(marks, runs)
    return [TextLine(sorted(run, key=lambda index: marks.boxes[index, 0])) for run in runs]


def _near(boxes: Table) -> list[list[int]]:
    cost = _cost(boxes, boxes, NEAR)
    return _with_single(chains(cost), len(boxes))


def _with_single(runs: list[list[int]], count: int) -> list[list[int]]:
    """Add what was linked to nothing as runs of one."""
    linked = {index for run in runs for index in run}
    return runs + [[index] for index in range(count) if index not in linked]


def _cost(ones: Table, twos: Table, reach: float) -> Table:
    """Return the cost of each pair of boxes as neighbours, inf where they are none.

    Parameters
    ----------
    ones, twos
        float64 (n, 4): of each thing the box at its right end, and the one at its left end.
    """
    height = ones[:, 3] - ones[:, 1], twos[:, 3] - twos[:, 1]
    taller = np.maximum(height[0][:, None], height[1][None])
    shorter = np.minimum(height[0][:, None], height[1][None])
    gap = twos[None, :, 0] - ones[:, None, 2]
    offset = np.abs((twos[:, 1] + twos[:, 3])[None] - (ones[:, 1] + ones[:, 3])[:, None]) / 2
    top = np.maximum(ones[:, None, 1], twos[None, :, 1])
    overlap = np.minimum(ones[:, None, 3], twos[None, :, 3]) - top
    fits = (shorter >= ALIKE * taller) & (offset <= STEP * taller) & (overlap >= 0.35 * shorter)
    fits &= gap <= reach * taller
    fits &= (twos[:, 0] + twos[:, 2])[None] > (ones[:, 0] + ones[:, 2])[:, None]
    width = ones[:, 2] - ones[:, 0], twos[:, 2] - twos[:, 0]
    fits &= gap >= -0.7 * np.minimum(width[0][:, None], width[1][None])
    # Off the line costs more than farther along it; another height costs too.
    cost = np.maximum(gap, 0) + 0.8 * offset + 0.5 * (taller - shorter)
    np.fill_diagonal(fits, False)
    return np.where(fits, cost, np.inf)


def bounds(marks: Components, run: list[int]) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of some marks."""
    boxes = marks.boxes[run]
    left, top = boxes[:, :2].min(axis=0).tolist()
    right, bottom = boxes[:, 2:].max(axis=0).tolist()
    return left, top, right, bottom


def line_height(marks: Components, run: list[int]) -> float:
    """Return the height of a line's digits: the upper quartile of its marks' heights."""
    boxes = marks.boxes[run]
    return fast_quantile(boxes[:, 3] - boxes[:, 1], 0.75)


def _merge_nested(marks: Components, runs: list[list[int]]) -> list[list[int]]:
    """Give a run that lies within another one's band and length to it: broken strokes."""
    order = sorted(runs, key=lambda run: -line_height(marks, run) * len(run))
    kept: list[list[int]] = []
    edges: list[tuple[float, float, float, float]] = []
    for run in order:
        left, top, right, bottom = bounds(marks, run)
        for index, (x, y, end, low) in enumerate(edges):
            height = low - y
            shared = min(right, end) - max(left, x)
            within = min(bottom, low + 0.1 * height) - max(top, y - 0.1 * height)
            inside = shared >= 0.6 * (right - left) and within >= 0.8 * (bottom - top)
            fits = len(run) <= len(kept[index]) and bottom - top >= PIECE * height
            if inside and fits:
                kept[index] += run
                edges[index] = min(x, left), min(y, top), max(end, right), max(low, bottom)
                break
        else:
            kept.append(list(run))
            edges.append((left, top, right, bottom))
    return kept


def _join_distant(marks: Components, runs: list[list[int]]) -> list[list[int]]:
    """Join what stands far apart in one row, where all distances are even."""
    if len(runs) < 2:
        return runs
    first = [min(run, key=lambda index: marks.boxes[index, 0]) for run in runs]
    last = [max(run, key=lambda index: marks.boxes[index, 2]) for run in runs]
    cost = _cost(marks.boxes[last], marks.boxes[first], FAR)
    joined: set[int] = set()
    result = []
    for chain in chains(cost):
        for piece in _even_pieces(marks, [runs[index] for index in chain]):
            members = [chain[index] for index in piece]
            joined.update(members)
            result.append([mark for index in members for mark in runs[index]])
    return result + [run for index, run in enumerate(runs) if index not in joined]


def _even_pieces(marks: Components, chain: list[list[int]]) -> list[list[int]]:
    """Part a chain of runs where it is not even; two digits alone must be near each other."""
    middles = [np.sort(marks.boxes[run][:, [0, 2]].mean(axis=1)) for run in chain]
    steps = [float(two[0] - one[-1]) for one, two in pairwise(middles)]
    own = [fast_median(np.diff(item)) if len(item) > 1 else np.inf for item in middles]
    between = [
        step
        for step, one, two in zip(steps, middles, middles[1:], strict=False)
        if len(one) == len(two) == 1
    ]
    single = float(np.median(between)) if between else np.inf
    pieces = [[0]]
    for index, step in enumerate(steps, start=1):
        usual = min(own[index - 1], own[index])
        gap = bounds(marks, chain[index])[0] - bounds(marks, chain[index - 1])[2]
        widest = max(_widest_gap(marks, chain[index - 1]), _widest_gap(marks, chain[index]))
        even = step <= EVEN * (usual if np.isfinite(usual) else single)
        if not even and gap > WIDER * widest:
            pieces.append([])
        pieces[-1].append(index)
    result = []
    for piece in pieces:
        together = [index for place in piece for index in chain[place]]
        if len(piece) < 2:
            continue
        if len(together) == 2:
            gap = bounds(marks, chain[piece[1]])[0] - bounds(marks, chain[piece[0]])[2]
            if gap > ALONE * line_height(marks, together):
                continue
        result.append(piece)
    return result


def _widest_gap(marks: Components, run: list[int]) -> float:
    boxes = marks.boxes[sorted(run, key=lambda index: float(marks.boxes[index, 0]))]
    return float(np.max(boxes[1:, 0] - boxes[:-1, 2], initial=0.0))


def split_at_gaps(marks: Components, row: TextLine) -> list[TextLine]:
    """Part a line at gaps much wider than its others, as between a code and a town."""
    if len(row.marks) < 3 or row.boxed:
        return []
    boxes = marks.boxes[row.marks]
    height = line_height(marks, row.marks)
    reached = np.maximum.accumulate(boxes[:, 2])[:-1]
    gaps = np.maximum(boxes[1:, 0] - reached, 0) / height
    least, times = WIDE_GAP
    width = (gaps > least) & (gaps > times * max(fast_median(gaps), 0.05))
    cuts = np.flatnonzero(width) + 1
    if not len(cuts):
        return []
    pieces = np.split(np.array(row.marks), cuts)
    return [TextLine([int(index) for index in piece], part=True) for piece in pieces]


def attach_small(marks: Components, rows: list[TextLine]) -> None:
    """Give each row the small marks that lie in its band: dots, bars, broken strokes."""
    free = ~marks.rests
    free[[index for row in rows for index in row.marks]] = False
    rest = np.flatnonzero(free)
    if not len(rest):
        return
    rest = rest[np.argsort(-marks.areas[rest], kind="stable")][:MOST_SMALL]
    x, y, end, low = marks.boxes[rest].T
    for row in rows:
        left, top, right, bottom = bounds(marks, row.marks)
        height = line_height(marks, row.marks)
        inside = (x >= left - 0.3 * height) & (end <= right + 0.3 * height)
        inside &= (y >= top - 0.1 * height) & (low <= bottom + 0.1 * height)
        inside &= end - x <= 1.2 * height
        row.small += [int(index) for index in rest[inside]]


MISSING = 3
"""Rows of boxes that stand in one line belong together when at most so many boxes between them
were not seen: a digit that runs over the frame hides a box."""

OFF = 0.3
"""How far from where a box must be, in the distance of boxes, one may be."""

TALLEST = 1.25
"""The most height of a digit in a box, in the box's: some reach over it."""


def complete_rows(
    cells: PrintedBoxes, chains: list[list[int]], printed: Mask
) -> tuple[PrintedBoxes, list[list[int]]]:
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
    near = dilate(printed, 3, 3)
    quads = [cells.corners]
    rows = []
    for chain in _joined(cells, chains):
        row = list(chain)
        pitch = _pitch(cells, chain)
        for index in (0, -1) if pitch else ():
            quad, step = cells.corners[row[index]], np.array([1.0, cells.places[row[index], 4]])
            for away in range(1, MISSING + 1):
                moved = quad + (away if index else -away) * pitch * step
                if framed(near, moved) < FRAMED:
                    break
                quads.append(moved[None])
                new = sum(len(item) for item in quads) - 1
                row = [*row, new] if index else [new, *row]
        rows.append(row)
    return PrintedBoxes.of(np.concatenate(quads)), rows


def _pitch(cells: PrintedBoxes, chain: list[int]) -> float:
    """Return the distance of the boxes of a row; 0.0 for a single one."""
    if len(chain) < 2:
        return 0.0
    return float(np.median(np.diff(cells.places[chain, 0])))


def _joined(cells: PrintedBoxes, chains: list[list[int]]) -> list[list[int]]:
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


def _goes_on(cells: PrintedBoxes, before: list[int], chain: list[int]) -> bool:
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
    marks: Components, cells: PrintedBoxes, chains: list[list[int]], free: NDArray[np.bool_]
) -> list[TextLine]:
    """Make a line of what stands in each row of boxes.

    Parameters
    ----------
    chains
        Rows of boxes, each from left to right.
    free
        bool (n,): the marks that belong to no line yet; those that are used are taken off.
    """
    result = []
    for chain in chains:
        row = _row(marks, cells, chain, free)
        if row is not None:
            free[row.marks + row.small] = False
            result.append(row)
    return result


def _row(
    marks: Components, cells: PrintedBoxes, chain: list[int], free: NDArray[np.bool_]
) -> TextLine | None:
    """Return the marks between the first box and the last, at their height."""
    places = cells.places[chain]
    x, y = places[:, 0], places[:, 1]
    width, height = float(np.median(places[:, 2])), float(np.median(places[:, 3]))
    middle = (marks.boxes[:, :2] + marks.boxes[:, 2:]) / 2
    tall = marks.boxes[:, 3] - marks.boxes[:, 1]
    inside = free & (middle[:, 0] >= x[0] - width / 2) & (middle[:, 0] <= x[-1] + width / 2)
    inside &= np.abs(middle[:, 1] - np.interp(middle[:, 0], x, y)) <= height / 2
    inside &= tall <= TALLEST * height
    digits = inside & marks.digits
    if not digits.any():
        return None
    order = sorted(
        np.flatnonzero(digits).tolist(), key=lambda index: float(marks.boxes[index, 0])
    )
    small = np.flatnonzero(inside & ~digits).tolist()
    return TextLine(order, small=small, boxed=True)


USUAL = (2, 12)
"""Marks of most numbers."""


@dataclass(frozen=True)
class PageStatistics:
    """What a line is compared with.

    Parameters
    ----------
    shape
        Height and width of the view.
    tallest
        The height of the tallest line of the view: what was written by hand is larger than
        small print.
    strongest
        The ink, 0..255, that a tenth of all ink on the view goes beyond.
    count
        How many digits are wanted; None when that is not known.
    """

    shape: tuple[int, ...]
    tallest: float
    strongest: float
    count: int | None = None


def number_likelihood(marks: Components, row: TextLine, page: PageStatistics) -> float:
    """Return 0..1 for a line of a page."""
    boxes = marks.boxes[row.marks]
    high, wide = boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]
    height, number = line_height(marks, row.marks), len(row.marks)
    even = np.count_nonzero(np.abs(high - height) > 0.3 * height) / number
    shape_ = np.count_nonzero((wide > 1.15 * high) | (wide < 0.06 * high)) / number
    # Of a scribble the box is nearly empty, of a picture or a logo nearly full.
    filled = marks.areas[row.marks] / np.maximum(wide * high, 1)
    odd = np.count_nonzero((filled < 0.08) | ((filled > 0.62) & (wide > 0.5 * high))) / number
    size = min(1.0, height / max(0.5 * page.tallest, 1.0))
    ink = min(1.0, fast_median(marks.contrast[row.marks]) / (0.6 * max(page.strongest, 1.0)))
    value = (1 - 0.5 * even) * (1 - 0.4 * shape_) * (1 - 0.6 * odd) * (0.4 + 0.6 * size)
    value *= 0.2 + 0.8 * ink
    value *= _number(number, page.count)
    if _touches(bounds(marks, row.marks), page.shape):
        value *= 0.5
    if row.part:
        value *= 0.9
    return float(min(1.0, value * 0.8 + (0.2 if row.boxed else 0.0)))


def _number(number: int, count: int | None) -> float:
    """Return how likely a line with so many marks is."""
    if count is None:
        least, most = USUAL
        if number < least:
            return 0.6
        return 1.0 if number <= most else max(0.2, most / number)
    # Touching digits make fewer marks, broken ones more.
    offset = abs(number - count) / max(count, 1)
    return max(0.2, 1.0 - (0.6 if number < count else 1.0) * offset)


def _touches(box: tuple[float, float, float, float], shape: tuple[int, ...]) -> bool:
    left, top, right, bottom = box
    return left < 1 or top < 1 or right > shape[1] - 1 or bottom > shape[0] - 1


def select_likeliest(marks: Components) -> float:
    """Return the ink, 0..255, that a tenth of all that may be digits goes beyond."""
    if not marks.digits.any():
        return 0.0
    contrast, areas = marks.contrast[marks.digits], marks.areas[marks.digits]
    order = np.argsort(contrast, kind="stable")
    so_far = np.cumsum(areas[order])
    return float(contrast[order][np.searchsorted(so_far, 0.9 * so_far[-1])])
