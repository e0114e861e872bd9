"""Printed boxes: rectangles of paper closed in by lines, alone, in rows and in tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.layout.illumination import (
    close_mask,
    dilate,
    intersect,
    open_mask,
    subtract,
    union,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask: TypeAlias = "NDArray[np.uint8]"
    Table: TypeAlias = "NDArray[np.float64]"


FULL = 0.84
"""The share of the smallest rectangle around it that a cell fills, dents by digits that touch
its frame not counted. The inside of a round 0 fills 0.79, of a triangle 0.5."""

LEAST_FULL = 0.35
"""And with them: digits that touch the frame do not cut more off."""

FRAMED = 0.6
"""The share of a box's four sides along which a line must be seen."""

WHOLE = 0.9
"""The same for a box that stands alone."""

SMALLEST = 9
"""The least height and width of a cell in pixels of the view: a digit of 5 pixels and a frame's
blurred edge."""

GAP, STRAIGHT = (5, 0.011), (25, 0.045)
"""Gaps in lines that are closed, and pieces that count as straight: at least so many pixels, or
this share of the view's longer side."""

MOST = 800
"""The most cells that are looked at, the largest first: bounded time on textures."""

APART = 1.1
"""The most that neighbours in a row of boxes are apart, in their width."""


@dataclass(frozen=True, eq=False)
class PrintedBoxes:
    """Rectangles of paper, all closed in.

    Parameters
    ----------
    places
        float64 (n, 5): x and y of the middle, width, height, and slope (rows per column).
    corners
        float64 (n, 4, 2): upper left, upper right, lower right, lower left.
    """

    places: Table
    corners: Table

    def __len__(self) -> int:
        return len(self.places)

    @classmethod
    def of(cls, corners: Table) -> PrintedBoxes:
        """Make cells of their corners."""
        return cls(_places(corners), corners)


def find_boxes(mask: Mask) -> PrintedBoxes:
    """Find rectangles of paper that lines close in.

    Parameters
    ----------
    mask
        uint8 (H, W), 1 = mark: print, and what is written.
    """
    # Framed, so that boxes that the picture's edge cuts are closed too.
    shut = cv2.copyMakeBorder(_mended(mask), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    outlines, nested = cv2.findContours(shut, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    holes = np.flatnonzero(nested[0, :, 3] >= 0)
    chosen = []
    for index in holes.tolist():
        _, _, width, height = cv2.boundingRect(outlines[index])
        # The outline of a hole runs on the ink around it.
        width, height = width - 2, height - 2
        if min(width, height) < SMALLEST or max(width, height) > 12 * min(width, height):
            continue
        if width < 0.95 * mask.shape[1] or height < 0.95 * mask.shape[0]:
            chosen.append((width * height, index))
    corners = []
    for _, index in sorted(chosen, reverse=True)[:MOST]:
        result = _rectangle(np.asarray(outlines[index], np.int32))
        if result is not None:
            corners.append(result - 1)
    near = dilate(mask, 3, 3)
    corners = [quad for quad in corners if framed(near, quad) >= FRAMED]
    return PrintedBoxes.of(np.array(corners).reshape(-1, 4, 2))


def _mended(mask: Mask) -> Mask:
    """Close gaps in lines: of two pixels anywhere, of more in long straight lines."""
    gap, run = (max(least, round(share * max(mask.shape))) for least, share in (GAP, STRAIGHT))
    mended = close_mask(mask, 3, 3)
    mended = union(mended, open_mask(close_mask(mask, 1, gap), 1, run))
    return union(mended, open_mask(close_mask(mask, gap, 1), run, 1))


def group_boxes(one: PrintedBoxes, two: PrintedBoxes) -> PrintedBoxes:
    """Return all cells of `one`, and those of `two` that lie elsewhere."""
    if not len(one) or not len(two):
        return one if len(one) else two
    offset = np.abs(two.places[:, None, :2] - one.places[None, :, :2])
    close = np.asarray((offset < 0.4 * one.places[None, :, 2:4]).all(axis=2), np.bool_)
    same = close.any(axis=1)
    return PrintedBoxes.of(np.concatenate([one.corners, two.corners[~same]]))


def _rectangle(outline: NDArray[np.int32]) -> Table | None:
    """Return the corners of the rectangle that a hole is, or None.

    Parameters
    ----------
    outline
        Through the middles of the pixels of ink around it.
    """
    hull = cv2.convexHull(outline)
    (x, y), (width, height), angle = cv2.minAreaRect(hull)
    if min(width, height) < 3 or cv2.contourArea(outline) < LEAST_FULL * width * height:
        return None
    if cv2.contourArea(hull) < FULL * width * height:
        return None
    width, height = width - 1, height - 1
    points = np.asarray(cv2.boxPoints(((x + 0.5, y + 0.5), (width, height), angle)), np.float64)
    order = np.argsort(np.arctan2(*(points - points.mean(axis=0)).T[::-1]))
    points = points[order]
    # From the corner that is nearest to the upper left of the box.
    first = int(np.argmin(points.sum(axis=1)))
    turned = np.roll(points, -first, axis=0)
    top = turned[1] - turned[0]
    return turned if abs(top[1]) <= 0.35 * abs(top[0]) + 1e-9 else None


def _places(quads: Table) -> Table:
    across = (quads[:, 1] + quads[:, 2] - quads[:, 0] - quads[:, 3]) / 2
    down = (quads[:, 2] + quads[:, 3] - quads[:, 0] - quads[:, 1]) / 2
    middle = quads.mean(axis=1)
    slope = across[:, 1] / np.maximum(np.abs(across[:, 0]), 1e-9)
    return np.column_stack(
        [middle, np.linalg.norm(across, axis=1), np.linalg.norm(down, axis=1), slope]
    )


def framed(near: Mask, quad: Table) -> float:
    """Return the share of a rectangle's sides along which there is a line.

    Parameters
    ----------
    near
        uint8 (H, W), 1 = ink or print, thickened by a pixel on all sides.
    """
    corners = grown(quad, 1.5)
    share = np.linspace(0, 1, 16)[:, None]
    ends = zip(corners, np.roll(corners, -1, axis=0), strict=True)
    sides = [one + share * (two - one) for one, two in ends]
    spots = np.floor(np.concatenate(sides)).astype(int)
    inside = (spots >= 0).all(axis=1) & (spots < near.shape[::-1]).all(axis=1)
    return float(near[spots[inside, 1], spots[inside, 0]].sum()) / len(spots)


def rows_of(cells: PrintedBoxes, *, apart: float = APART) -> list[list[int]]:
    """Chain cells of one size that stand side by side: rows of two or more, left to right."""
    x, y, width, height = cells.places[:, :4].T
    count = len(cells)
    if count < 2:
        return []
    gap = (x[None] - width[None] / 2) - (x[:, None] + width[:, None] / 2)
    alike = np.minimum(width[None], width[:, None]) >= 0.7 * np.maximum(
        width[None], width[:, None]
    )
    alike &= np.minimum(height[None], height[:, None]) >= 0.75 * np.maximum(
        height[None], height[:, None]
    )
    least = np.minimum(height[None], height[:, None])
    fits = alike & (np.abs(y[None] - y[:, None]) <= 0.35 * least)
    narrower = np.minimum(width[None], width[:, None])
    fits &= (gap >= -0.15 * narrower) & (gap <= apart * narrower)
    cost = np.where(fits, gap + np.abs(y[None] - y[:, None]), np.inf)
    return chains(cost)


def chains(cost: Table) -> list[list[int]]:
    """Link each thing to its best right neighbour, where it is that one's best left one.

    Parameters
    ----------
    cost
        float (n, n): row = the left one, column = the right one, inf = never.

    Returns
    -------
    Runs of two or more, each from left to right.
    """
    right = np.argmin(cost, axis=1)
    left = np.argmin(cost, axis=0)
    own = np.arange(len(cost))
    linked = np.isfinite(cost[own, right]) & (left[right] == own)
    follows = np.zeros(len(cost), bool)
    follows[right[linked]] = True
    result = []
    for start in np.flatnonzero(linked & ~follows):
        run = [int(start)]
        while linked[run[-1]] and len(run) <= len(cost):
            run.append(int(right[run[-1]]))
        result.append(run)
    return result


def inked(cells: PrintedBoxes, mask: Mask) -> NDArray[np.bool_]:
    """Say of each cell whether something is written in its middle: bool (n,)."""
    total = cv2.integral(mask)
    x, y, width, height = cells.places[:, :4].T
    rows, columns = mask.shape
    left, right = (
        np.clip(np.rint(x + s * 0.36 * width), 0, columns).astype(int) for s in (-1, 1)
    )
    top, low = (np.clip(np.rint(y + s * 0.36 * height), 0, rows).astype(int) for s in (-1, 1))
    ink = total[low, right] - total[top, right] - total[low, left] + total[top, left]
    return np.asarray(ink > 0.02 * np.maximum((right - left) * (low - top), 1), np.bool_)


def alone(cells: PrintedBoxes, printed: Mask, among: set[int]) -> list[int]:
    """Return those of some cells whose frame is whole: what strokes close in is not.

    Parameters
    ----------
    printed
        uint8 (H, W), 1 = ink or print.
    among
        Cells that stand in no row.
    """
    if not among:
        return []
    near = dilate(printed, 3, 3)
    return [index for index in sorted(among) if framed(near, cells.corners[index]) >= WHOLE]


def frames_of(cells: PrintedBoxes, chosen: list[int], mask: Mask) -> Mask:
    """Return the lines around some cells: uint8 (H, W), 1 where the frame's ink is.

    A frame begins where the cell's paper ends and is as wide as what is found there, but no
    wider than a third of the cell.
    """
    frame = np.zeros_like(mask)
    if not chosen:
        return frame
    inner = np.zeros_like(mask)
    for index in chosen:
        width, height = cells.places[index, 2:4]
        reach = max(2, round(min(width, height) / 5))
        quad = cells.corners[index]
        around = np.rint(grown(quad, reach) * 16 - 8).astype(np.int32)
        cv2.fillConvexPoly(frame, around, 1, shift=4)
        within = np.rint(grown(quad, -1.0) * 16 - 8).astype(np.int32)
        cv2.fillConvexPoly(inner, within, 1, shift=4)
    return subtract(intersect(frame, mask), inner)


def grown(quad: Table, by: float) -> Table:
    """Move the sides of a rectangle outwards by `by` pixels."""
    across = (quad[1] - quad[0]) / max(float(np.linalg.norm(quad[1] - quad[0])), 1e-9)
    down = (quad[3] - quad[0]) / max(float(np.linalg.norm(quad[3] - quad[0])), 1e-9)
    return np.asarray(
        quad + by * np.array([-across - down, across - down, across + down, down - across]),
        np.float64,
    )
