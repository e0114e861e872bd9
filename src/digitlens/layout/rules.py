"""Printed lines taken out of the marks: rules, underlines, table lines, long frames.

* Sides of printed boxes that have their top and bottom in common: one long box, parted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.layout.illumination import (
    close_mask,
    dilate,
    intersect,
    label_components,
    open_mask,
    subtract,
    union,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bar: TypeAlias = "tuple[int, int, float, float]"
    """Left, right, and the row at each end."""
    Mask: TypeAlias = "NDArray[np.uint8]"


BOTH = 0.6
"""The share of the shorter line over which a box's top and bottom lie above each other."""

HEIGHTS = (0.9, 3.5)
"""The least and the most that they are apart, in the height of the page's writing."""

REACHES = 0.9
"""A side reaches over this share of the way from line to line; a 1 seldom does."""

SIDES_SLIM = 0.2
"""The most that a side is wide, in its length."""


def box_sides(mask: Mask, level: Mask, height: float) -> Mask:
    """Return the strokes that run straight from a level line to the next one below.

    Where digits touch their boxes, no box is closed paper any more, but top and bottom are
    long lines, and the sides stand between them.

    Parameters
    ----------
    mask
        uint8 (H, W), 1 = mark, lines included.
    level
        uint8 (H, W), 1 where a level line was found in it.
    height
        The height of the page's writing in pixels.
    """
    sides = np.zeros_like(mask)
    bars = _bars(level)
    for index, top in enumerate(bars):
        for low in bars[index + 1 :]:
            if not _above(top, low, height):
                continue
            # The outermost sides cross the lines' ends, and so are no part of them.
            room = round(0.3 * height)
            left, right = max(top[0], low[0]) - room, min(top[1], low[1]) + room
            first, last = round(min(top[2:])), round(max(low[2:]))
            here = slice(max(0, first), last + 1), slice(max(0, left), right)
            length = round(REACHES * (min(low[2:]) - max(top[2:])))
            result = open_mask(np.ascontiguousarray(mask[here]), max(5, length), 1)
            sides[here] |= _slim(result, SIDES_SLIM * length)
            break
    return sides


def _bars(level: Mask) -> list[Bar]:
    """Return the level lines, from top to bottom."""
    # Strokes that cross cut a line to pieces, a sloping one steps from row to row.
    joined = close_mask(level, 5, 41)
    labels, stats = label_components(joined)
    result = []
    for index in range(1, len(stats)):
        left, top, width, height, _ = (int(value) for value in stats[index])
        here = labels[top : top + height, left : left + width] == index
        deep = max(1, width // 8)
        ends = [
            top + float(np.flatnonzero(part.any(axis=1)).mean())
            for part in (here[:, :deep], here[:, -deep:])
        ]
        result.append((left, left + width, ends[0], ends[1]))
    return sorted(result, key=lambda bar: bar[2] + bar[3])


def _above(top: Bar, low: Bar, height: float) -> bool:
    shared = min(top[1], low[1]) - max(top[0], low[0])
    least, most = (share * height for share in HEIGHTS)
    apart = min(low[2] - top[2], low[3] - top[3])
    return (
        shared >= BOTH * min(top[1] - top[0], low[1] - low[0])
        and least <= apart
        and max(low[2] - top[2], low[3] - top[3]) <= most
    )


def _slim(result: Mask, most: float) -> Mask:
    """Keep what is narrow, a pixel wider on both sides."""
    labels, stats = label_components(result)
    keep = stats[:, 2] <= max(3.0, most)
    keep[0] = False
    if len(stats) == 1 or not keep.any():
        return np.zeros_like(result)
    slim = keep.astype(np.uint8)[labels]
    return dilate(slim, 1, 3)


RUN = 0.75
"""Length of the straight pieces that lines are made of, in the height of the page's writing:
the bars of digits are shorter."""

LEAST_RUN = 16, 0.015
"""And the least, in pixels, and in the view's longer side."""

LONG = 0.08
"""The least length of a line, in the view's longer side."""

LONGER = 2.2
"""And in the height of the page's writing: the stem of a digit is as long as it is high."""

SLIM = 0.15
"""The most that a line is wide, in the height of the page's writing: as wide as a broad pen."""

WHOLE = 0.8
"""The least share of its length that a line covers: bars of digits side by side cover less."""

CROSSES = 2.2
"""What reaches this many times a line's width across it is a stroke that crosses, and stays."""


@dataclass(frozen=True, eq=False)
class Ruled:
    """Marks and lines apart.

    Parameters
    ----------
    mask, lines
        uint8 (H, W), 1 = mark, 1 = line.
    height
        The height of the page's writing in pixels; 0.0 where there is none.
    """

    mask: Mask
    lines: Mask
    height: float


def remove_rules(mask: Mask) -> Ruled:
    """Take long thin lines out of the marks, whether level, upright, or up to 5 degrees off.

    Strokes that cross a line keep the pixels that they share with it.

    Parameters
    ----------
    mask
        uint8 (H, W), 1 = mark.
    """
    height = _writing_height(mask)
    least = max(LONG * max(mask.shape), LONGER * height)
    most = max(3.0, SLIM * height)
    run = round(max(RUN * height, LEAST_RUN[0], LEAST_RUN[1] * max(mask.shape)))
    level = _lines(mask, run, least, most)
    upright = np.ascontiguousarray(_lines(np.ascontiguousarray(mask.T), run, least, most).T)
    sides = box_sides(mask, level, height) if cv2.countNonZero(level) else level
    lines = union(union(level, upright), intersect(sides, mask))
    return Ruled(subtract(mask, lines), lines, height)


def _writing_height(mask: Mask) -> float:
    """Return the height of the writing: the median over marks that may be digits, by ink."""
    # Heights are wanted to a few pixels only, and a quarter of the pixels take a quarter of
    # the time.
    coarse = dilate(mask, 2, 2)[::2, ::2]
    _, stats = label_components(np.ascontiguousarray(coarse))
    width, height, area = stats[1:, 2], stats[1:, 3], stats[1:, 4].astype(np.float64)
    may = (width <= 1.5 * height) & (height <= 12 * width) & (area >= 8)
    may &= area >= 0.08 * width * height  # a frame's box is emptier
    if not may.any():
        return 0.0
    height, area = height[may], area[may]
    order = np.argsort(height, kind="stable")
    so_far = np.cumsum(area[order])
    return 2.0 * float(height[order][np.searchsorted(so_far, so_far[-1] / 2)])


def _lines(mask: Mask, run: int, least: float, most: float) -> Mask:
    """Return the pixels of level lines, without those of strokes that cross them.

    Parameters
    ----------
    run
        The length of the straight pieces that they are made of.
    least, most
        The least length of a line and its greatest width.
    """
    straight = open_mask(mask, 1, run)
    if not cv2.countNonZero(straight):
        return np.zeros_like(mask)
    # The pieces of a sloping line lie a row apart; those of a broken one a gap.
    joined = dilate(straight, 3, run // 2 * 2 + 1)
    outlines, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    lines = np.zeros_like(mask)
    for outline in outlines:
        left, top, width, height = cv2.boundingRect(outline)
        if width < least:
            continue
        here = slice(top, top + height), slice(left, left + width)
        inside = np.zeros((height, width), np.uint8)
        cv2.drawContours(inside, [outline], -1, 1, cv2.FILLED, offset=(-left, -top))
        piece = intersect(straight[here], inside)
        columns = int(np.count_nonzero(np.asarray(piece.any(axis=0))))
        thick = cv2.countNonZero(piece) / max(columns, 1)
        if columns < WHOLE * (width - run) or thick > most:
            continue
        lines[here] |= _alone(mask, piece, here, thick)
    return lines


def _alone(mask: Mask, piece: Mask, here: tuple[slice, slice], thick: float) -> Mask:
    """Return a line's pixels, its ragged edges included, but not where strokes cross it."""
    reach = max(1, round(thick / 2))
    room = 2 * reach + round(CROSSES * thick) + 2
    rows = slice(max(0, here[0].start - room), min(mask.shape[0], here[0].stop + room))
    around = mask[rows, here[1]]
    width = np.zeros_like(around)
    offset = here[0].start - rows.start
    width[offset : offset + piece.shape[0]] = piece
    width = intersect(dilate(width, 2 * reach + 1, 3), around)
    tall = max(3, round(CROSSES * thick) + 1)
    alone = subtract(width, open_mask(around, tall, 1))
    return np.asarray(alone[offset : offset + piece.shape[0]], np.uint8)
