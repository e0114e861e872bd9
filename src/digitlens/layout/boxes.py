"""Printed boxes: rectangles of paper enclosed by lines, alone, in rows and in tables."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.layout.morphology import close_mask, dilate, open_mask, writing_height

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.geometry import Floats, Mask


# The share of the smallest rectangle around it that a box fills, dents by digits that touch its
# frame not counted. The inside of a round 0 fills 0.79, of a triangle 0.5.
MIN_HULL_FILL = 0.84
# The same with the dents: digits that touch the frame do not cut more off.
MIN_FILL = 0.35
# The share of a box's four sides along which there must be a line: in a row, and alone.
MIN_FRAME_SHARE, MIN_LONE_FRAME_SHARE = 0.6, 0.9
# In pixels of the working image: a digit of 5 pixels and a frame's blurred edge.
MIN_BOX_SIDE = 9
# Gaps in lines that are closed, and pieces that count as straight: in pixels, and as a share of
# the longer side; the larger of both counts.
CLOSED_GAP, STRAIGHT_RUN = (5, 0.011), (25, 0.045)
# No wider gap is closed, in heights of the writing: between a digit and its frame is more.
MAX_CLOSED_GAP = 0.2
# A box that stands alone is as high as the writing: what a 9 or 6 encloses is lower.
MIN_LONE_HEIGHT = 0.7
# What stands in the middle of a box, to so much of its sides beyond the center, fills it. In a
# box so much narrower than high a mark in the center alone, of this share of its height, fills
# nothing: many faces have zeros with a dot in them.
MIDDLE, MAX_ZERO_ASPECT, MAX_DOT = 0.36, 0.75, 0.4
# The largest ones are examined, so that time is bounded on textures.
MAX_BOXES = 800
# Between neighbors in a row of boxes, in their width.
MAX_ROW_GAP = 1.1
# Rows of boxes on one line belong together when at most this many boxes between them were not
# seen: a digit that runs over the frame hides a box.
MAX_HIDDEN_BOXES = 3
# How far from its expected place a box may be, in the distance of boxes.
MAX_PITCH_ERROR = 0.3


@dataclass(frozen=True, eq=False)
class PrintedBoxes:
    """Rectangles of paper, all enclosed."""

    # float64 (n, 5): x and y of the center, width, height, and slope (rows per column).
    rects: Floats
    corners: Floats  # float64 (n, 4, 2): upper left, upper right, lower right, lower left

    def __len__(self) -> int:
        return len(self.rects)

    @classmethod
    def from_corners(cls, corners: Floats) -> PrintedBoxes:
        """Make boxes of their corners."""
        across = (corners[:, 1] + corners[:, 2] - corners[:, 0] - corners[:, 3]) / 2
        down = (corners[:, 2] + corners[:, 3] - corners[:, 0] - corners[:, 1]) / 2
        slope = across[:, 1] / np.maximum(np.abs(across[:, 0]), 1e-9)
        width, height = np.linalg.norm(across, axis=1), np.linalg.norm(down, axis=1)
        return cls(np.column_stack([corners.mean(axis=1), width, height, slope]), corners)


def find_boxes(mask: Mask, height: float | None = None) -> PrintedBoxes:
    """Find rectangles of paper that lines enclose.

    `height` is the `writing_height` of the mask, where it is known.
    """
    # A frame around all, so that boxes that the picture's edge cuts are closed too.
    closed = cv2.copyMakeBorder(
        _close_gaps(mask, height), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1
    )
    outlines, hierarchy = cv2.findContours(closed, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    holes = np.flatnonzero(hierarchy[0, :, 3] >= 0)
    candidates = []
    for index in holes.tolist():
        _, _, width, height = cv2.boundingRect(outlines[index])
        # The outline of a hole runs on the ink around it.
        width, height = width - 2, height - 2
        if min(width, height) < MIN_BOX_SIDE or max(width, height) > 12 * min(width, height):
            continue
        if width < 0.95 * mask.shape[1] or height < 0.95 * mask.shape[0]:
            candidates.append((width * height, index))
    quads = []
    for _, index in sorted(candidates, reverse=True)[:MAX_BOXES]:
        quad = _fit_rectangle(np.asarray(outlines[index], np.int32))
        if quad is not None:
            quads.append(quad - 1)
    near = dilate(mask, 3, 3) if quads else mask
    quads = [quad for quad in quads if frame_share(near, quad) >= MIN_FRAME_SHARE]
    return PrintedBoxes.from_corners(np.array(quads).reshape(-1, 4, 2))


def _close_gaps(mask: Mask, height: float | None) -> Mask:
    """Close gaps in lines: of two pixels anywhere, of more in long straight lines."""
    gap, run = (
        max(pixels, round(share * max(mask.shape)))
        for pixels, share in (CLOSED_GAP, STRAIGHT_RUN)
    )
    height = writing_height(mask) if height is None else height
    gap = max(CLOSED_GAP[0], min(gap, round(MAX_CLOSED_GAP * height)))
    closed = close_mask(mask, 3, 3)
    closed = closed | open_mask(close_mask(mask, 1, gap), 1, run)
    return closed | open_mask(close_mask(mask, gap, 1), run, 1)


def _fit_rectangle(outline: NDArray[np.int32]) -> Floats | None:
    """Return the corners of a hole, given by the ink around it, if it is a rectangle."""
    hull = cv2.convexHull(outline)
    (x, y), (width, height), angle = cv2.minAreaRect(hull)
    if min(width, height) < 3 or cv2.contourArea(outline) < MIN_FILL * width * height:
        return None
    if cv2.contourArea(hull) < MIN_HULL_FILL * width * height:
        return None
    width, height = width - 1, height - 1
    points = np.asarray(cv2.boxPoints(((x + 0.5, y + 0.5), (width, height), angle)), np.float64)
    order = np.argsort(np.arctan2(*(points - points.mean(axis=0)).T[::-1]))
    points = points[order]
    # Clockwise from the corner that is nearest to the upper left.
    first = int(np.argmin(points.sum(axis=1)))
    quad = np.roll(points, -first, axis=0)
    top = quad[1] - quad[0]
    return quad if abs(top[1]) <= 0.35 * abs(top[0]) + 1e-9 else None


def frame_share(near: Mask, quad: Floats) -> float:
    """Return the share of a rectangle's sides on the thickened ink `near`."""
    corners = grow_quad(quad, 1.5)
    steps = np.linspace(0, 1, 16)[:, None]
    ends = zip(corners, np.roll(corners, -1, axis=0), strict=True)
    sides = [one + steps * (two - one) for one, two in ends]
    spots = np.floor(np.concatenate(sides)).astype(int)
    inside = (spots >= 0).all(axis=1) & (spots < near.shape[::-1]).all(axis=1)
    return float(near[spots[inside, 1], spots[inside, 0]].sum()) / len(spots)


def grow_quad(quad: Floats, pixels: float) -> Floats:
    """Move the sides of a rectangle outwards."""
    across = (quad[1] - quad[0]) / max(float(np.linalg.norm(quad[1] - quad[0])), 1e-9)
    down = (quad[3] - quad[0]) / max(float(np.linalg.norm(quad[3] - quad[0])), 1e-9)
    outwards = np.array([-across - down, across - down, across + down, down - across])
    return np.asarray(quad + pixels * outwards, np.float64)


def merge_boxes(boxes: PrintedBoxes, others: PrintedBoxes) -> PrintedBoxes:
    """Return all of `boxes`, and those of `others` that lie elsewhere."""
    if not len(boxes) or not len(others):
        return boxes if len(boxes) else others
    offset = np.abs(others.rects[:, None, :2] - boxes.rects[None, :, :2])
    close = np.asarray((offset < 0.4 * boxes.rects[None, :, 2:4]).all(axis=2), np.bool_)
    same = close.any(axis=1)
    return PrintedBoxes.from_corners(np.concatenate([boxes.corners, others.corners[~same]]))


def find_box_rows(boxes: PrintedBoxes, *, max_gap: float = MAX_ROW_GAP) -> list[list[int]]:
    """Chain boxes of one size that stand side by side: rows of two or more, left to right."""
    x, y, width, height = boxes.rects[:, :4].T
    if len(boxes) < 2:
        return []
    gap = (x[None] - width[None] / 2) - (x[:, None] + width[:, None] / 2)
    narrower = np.minimum(width[None], width[:, None])
    lower = np.minimum(height[None], height[:, None])
    fits = narrower >= 0.7 * np.maximum(width[None], width[:, None])
    fits &= lower >= 0.75 * np.maximum(height[None], height[:, None])
    fits &= np.abs(y[None] - y[:, None]) <= 0.35 * lower
    fits &= (gap >= -0.15 * narrower) & (gap <= max_gap * narrower)
    cost = np.where(fits, gap + np.abs(y[None] - y[:, None]), np.inf)
    return link_neighbors(cost)


def link_neighbors(cost: Floats) -> list[list[int]]:
    """Link each thing to its best right neighbor, if it is that one's best left one.

    cost: float (n, n): row = the left one, column = the right one, inf = never

    Returns chains of two or more, each from left to right.
    """
    right = np.argmin(cost, axis=1)
    left = np.argmin(cost, axis=0)
    index = np.arange(len(cost))
    linked = np.isfinite(cost[index, right]) & (left[right] == index)
    follows = np.zeros(len(cost), bool)
    follows[right[linked]] = True
    chains = []
    for start in np.flatnonzero(linked & ~follows):
        chain = [int(start)]
        while linked[chain[-1]] and len(chain) <= len(cost):
            chain.append(int(right[chain[-1]]))
        chains.append(chain)
    return chains


def complete_rows(
    boxes: PrintedBoxes, rows: list[list[int]], printed: Mask
) -> tuple[PrintedBoxes, list[list[int]]]:
    """Join rows of boxes that continue each other, and add boxes that digits hide.

    A digit that runs over its box's frame cuts the paper in it to pieces, so that no box is
    found; but the frame is still there, at the distance of the other boxes.
    """
    near = dilate(printed, 3, 3) if rows else printed
    quads = [boxes.corners]
    completed = []
    for joined in _join_rows(boxes, rows):
        row = list(joined)
        pitch = _pitch(boxes, joined)
        for end in (0, -1) if pitch else ():
            quad, step = boxes.corners[row[end]], np.array([1.0, boxes.rects[row[end], 4]])
            for away in range(1, MAX_HIDDEN_BOXES + 1):
                moved = quad + (away if end else -away) * pitch * step
                if frame_share(near, moved) < MIN_FRAME_SHARE:
                    break
                quads.append(moved[None])
                new = sum(len(item) for item in quads) - 1
                row = [*row, new] if end else [new, *row]
        completed.append(row)
    return PrintedBoxes.from_corners(np.concatenate(quads)), completed


def _pitch(boxes: PrintedBoxes, row: list[int]) -> float:
    """Return the distance of the boxes of a row; 0.0 for a single one."""
    if len(row) < 2:
        return 0.0
    return float(np.median(np.diff(boxes.rects[row, 0])))


def _join_rows(boxes: PrintedBoxes, rows: list[list[int]]) -> list[list[int]]:
    """Join rows that continue on the same line at a whole number of distances."""
    joined: list[list[int]] = []
    for row in sorted(rows, key=lambda row: float(boxes.rects[row[0], 0])):
        for before in joined:
            if _continues(boxes, before, row):
                before.extend(row)
                break
        else:
            joined.append(list(row))
    return joined


def _continues(boxes: PrintedBoxes, before: list[int], row: list[int]) -> bool:
    longer = max(before, row, key=len)
    if len(longer) < 2:
        return False
    last, first = boxes.rects[before[-1]], boxes.rects[row[0]]
    steps = float(first[0] - last[0]) / _pitch(boxes, longer)
    slope = float(np.median(boxes.rects[longer, 4]))
    offset = abs(first[1] - last[1] - slope * (first[0] - last[0]))
    on_line = offset <= MAX_PITCH_ERROR * last[3]
    alike = 0.75 <= first[3] / last[3] <= 1.33
    whole = abs(steps - round(steps)) <= MAX_PITCH_ERROR
    return bool(on_line and alike and whole and 1 <= round(steps) <= MAX_HIDDEN_BOXES + 1)


def are_filled(boxes: PrintedBoxes, mask: Mask) -> NDArray[np.bool_]:
    """Say of each box whether more than a zero's dot is written in its middle: bool (n,)."""
    if not len(boxes):
        return np.zeros(0, np.bool_)
    total = cv2.integral(mask)
    x, y, width, height = boxes.rects[:, :4].T
    rows, columns = mask.shape
    left, right = (
        np.clip(np.rint(x + side * MIDDLE * width), 0, columns).astype(int) for side in (-1, 1)
    )
    # The middle from above to below, in three: what has only a dot at its center is a zero.
    edges = [
        np.clip(np.rint(y + share * height), 0, rows).astype(int)
        for share in (-MIDDLE, -MAX_DOT / 2, MAX_DOT / 2, MIDDLE)
    ]
    above, center, below = (
        total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
        for top, bottom in pairwise(edges)
    )
    area = np.maximum((right - left) * (edges[-1] - edges[0]), 1)
    is_dot = (above + below == 0) & (width < MAX_ZERO_ASPECT * height)
    return np.asarray((above + center + below > 0.02 * area) & ~is_dot, np.bool_)


def find_lone_boxes(
    boxes: PrintedBoxes, printed: Mask, among: set[int], height: float | None = None
) -> list[int]:
    """Return those of some boxes that have a whole frame: what strokes enclose is no box.

    `height` is the `writing_height` of what is printed, where it is known.
    """
    if not among:
        return []
    near = dilate(printed, 3, 3)
    least = MIN_LONE_HEIGHT * (writing_height(printed) if height is None else height)
    return [
        index
        for index in sorted(among)
        if boxes.rects[index, 3] >= least
        and frame_share(near, boxes.corners[index]) >= MIN_LONE_FRAME_SHARE
    ]


def draw_frames(boxes: PrintedBoxes, chosen: list[int], mask: Mask) -> Mask:
    """Return the lines around some boxes: uint8 (H, W), 1 where the frame's ink is.

    A frame begins where the box's paper ends and is as wide as the ink there, but no wider
    than a third of the box.
    """
    frame = np.zeros_like(mask)
    if not chosen:
        return frame
    inner = np.zeros_like(mask)
    for index in chosen:
        width, height = boxes.rects[index, 2:4]
        reach = max(2, round(min(width, height) / 5))
        # OpenCV's points are in 16ths of a pixel, from the middle of the first one.
        outer_quad = np.rint(grow_quad(boxes.corners[index], reach) * 16 - 8).astype(np.int32)
        inner_quad = np.rint(grow_quad(boxes.corners[index], -1.0) * 16 - 8).astype(np.int32)
        cv2.fillConvexPoly(frame, outer_quad, 1, shift=4)
        cv2.fillConvexPoly(inner, inner_quad, 1, shift=4)
    return frame & mask & ~inner
