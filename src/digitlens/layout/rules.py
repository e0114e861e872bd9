"""Printed lines removed from the marks: rules, underlines, table lines, sides of long boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.layout.morphology import (
    close_mask,
    dilate,
    label_components,
    open_mask,
    writing_height,
)

if TYPE_CHECKING:
    from digitlens.geometry import Mask

    LevelLine: TypeAlias = tuple[int, int, float, float]
    """Left, right, and the row at each end."""


# Length of the straight pieces that lines are made of, in the height of the page's writing: the
# bars of digits are shorter.
STRAIGHT_RUN = 0.75
# The least such length, in pixels, and in the page's longer side.
MIN_RUN = 16, 0.015
# The least length of a line, in the page's longer side, and in the height of its writing: the
# stem of a digit is as long as it is high.
MIN_LINE, MIN_LINE_BY_WRITING = 0.08, 2.2
# In the height of the page's writing: as wide as a broad pen.
MAX_LINE_WIDTH = 0.15
# The share of its length that a line covers: bars of digits side by side cover less.
MIN_LINE_COVER = 0.8
# What reaches this many times a line's width across it is a stroke that crosses, and stays.
CROSSING_REACH = 2.2


@dataclass(frozen=True, eq=False)
class RuledPage:
    """Marks and lines apart."""

    mask: Mask  # uint8 (H, W), 1 = mark, 1 = line
    lines: Mask
    height: float  # the height of the page's writing in pixels; 0.0 where there is none


def remove_rules(mask: Mask, height: float | None = None) -> RuledPage:
    """Remove long thin lines from the marks: level, upright, or up to 5 degrees off.

    Strokes that cross a line keep the pixels that they share with it. `height` is the
    `writing_height` of the marks, where it is known.
    """
    height = writing_height(mask) if height is None else height
    min_length = max(MIN_LINE * max(mask.shape), MIN_LINE_BY_WRITING * height)
    max_width = max(3.0, MAX_LINE_WIDTH * height)
    run = round(max(STRAIGHT_RUN * height, MIN_RUN[0], MIN_RUN[1] * max(mask.shape)))
    level = _find_level_lines(mask, run, min_length, max_width)
    # Upright lines are the level ones of the transposed page.
    transposed = np.asarray(cv2.transpose(mask), np.uint8)
    upright = _find_level_lines(transposed, run, min_length, max_width)
    sides = find_box_sides(mask, level, height) if cv2.countNonZero(level) else level
    lines = level | np.asarray(cv2.transpose(upright), np.uint8) | (sides & mask)
    return RuledPage(mask & ~lines, lines, height)


def _find_level_lines(mask: Mask, run: int, min_length: float, max_width: float) -> Mask:
    """Return the pixels of level lines, without those of strokes that cross them."""
    straight = open_mask(mask, 1, run)
    if not cv2.countNonZero(straight):
        return np.zeros_like(mask)
    # The pieces of a sloping line lie a row apart; those of a broken one a gap.
    joined = dilate(straight, 3, run // 2 * 2 + 1)
    outlines, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    lines = np.zeros_like(mask)
    for outline in outlines:
        left, top, width, height = cv2.boundingRect(outline)
        if width < min_length:
            continue
        window = slice(top, top + height), slice(left, left + width)
        inside = np.zeros((height, width), np.uint8)
        cv2.drawContours(inside, [outline], -1, 1, cv2.FILLED, offset=(-left, -top))
        piece = straight[window] & inside
        columns = int(np.count_nonzero(np.asarray(piece.any(axis=0))))
        thickness = cv2.countNonZero(piece) / max(columns, 1)
        if columns < MIN_LINE_COVER * (width - run) or thickness > max_width:
            continue
        lines[window] |= _without_crossings(mask, piece, window, thickness)
    return lines


def _without_crossings(
    mask: Mask, piece: Mask, window: tuple[slice, slice], thickness: float
) -> Mask:
    """Return a line's pixels, its ragged edges included, but not where strokes cross it."""
    reach = max(1, round(thickness / 2))
    room = 2 * reach + round(CROSSING_REACH * thickness) + 2
    rows = slice(max(0, window[0].start - room), min(mask.shape[0], window[0].stop + room))
    around = mask[rows, window[1]]
    line = np.zeros_like(around)
    offset = window[0].start - rows.start
    line[offset : offset + piece.shape[0]] = piece
    line = dilate(line, 2 * reach + 1, 3) & around
    tall = max(3, round(CROSSING_REACH * thickness) + 1)
    alone = line & ~open_mask(around, tall, 1)
    return alone[offset : offset + piece.shape[0]]


# Rows and columns of gaps in a level line that are closed.
LINE_GAP = 5, 41
# The share of the shorter line over which a box's top and bottom lie above each other.
MIN_SHARED_WIDTH = 0.6
# The least and the greatest distance of the two, in the height of the page's writing.
BOX_HEIGHTS = (0.9, 3.5)
# The share of the way from line to line that a side covers; a 1 seldom does.
MIN_SIDE_LENGTH = 0.9
# In a side's length.
MAX_SIDE_WIDTH = 0.2


def find_box_sides(mask: Mask, level: Mask, height: float) -> Mask:
    """Return the strokes that run straight from a level line to the next one below.

    Where digits touch their boxes, no box is closed paper any more; but the boxes' tops and
    bottoms are long lines, and their sides stand between them.
    """
    sides = np.zeros_like(mask)
    lines = _list_level_lines(level)
    for index, top in enumerate(lines):
        for bottom in lines[index + 1 :]:
            if not _are_top_and_bottom(top, bottom, height):
                continue
            # The outermost sides cross the lines' ends, and so are no part of them.
            room = round(0.3 * height)
            left, right = max(top[0], bottom[0]) - room, min(top[1], bottom[1]) + room
            first, last = round(min(top[2:])), round(max(bottom[2:]))
            window = slice(max(0, first), last + 1), slice(max(0, left), right)
            length = round(MIN_SIDE_LENGTH * (min(bottom[2:]) - max(top[2:])))
            strokes = open_mask(np.ascontiguousarray(mask[window]), max(5, length), 1)
            sides[window] |= _keep_slim(strokes, MAX_SIDE_WIDTH * length)
            break
    return sides


def _list_level_lines(level: Mask) -> list[LevelLine]:
    """Return the level lines, from top to bottom."""
    # Only where lines are, with room to close their gaps: a third of the time.
    down, across = LINE_GAP
    x, y, width, height = cv2.boundingRect(level)
    rows = slice(max(0, y - down), y + height + down)
    columns = slice(max(0, x - across), x + width + across)
    # Strokes that cross cut a line to pieces, a sloping one steps from row to row.
    joined = close_mask(np.ascontiguousarray(level[rows, columns]), down, across)
    labels, stats = label_components(joined)
    lines = []
    for index in range(1, len(stats)):
        left, top, width, height, _ = (int(value) for value in stats[index])
        pixels = labels[top : top + height, left : left + width] == index
        end = max(1, width // 8)
        first, last = (
            rows.start + top + float(np.flatnonzero(part.any(axis=1)).mean())
            for part in (pixels[:, :end], pixels[:, -end:])
        )
        left += columns.start
        lines.append((left, left + width, first, last))
    return sorted(lines, key=lambda line: line[2] + line[3])


def _are_top_and_bottom(top: LevelLine, bottom: LevelLine, height: float) -> bool:
    shared = min(top[1], bottom[1]) - max(top[0], bottom[0])
    min_distance, max_distance = (share * height for share in BOX_HEIGHTS)
    return (
        shared >= MIN_SHARED_WIDTH * min(top[1] - top[0], bottom[1] - bottom[0])
        and min_distance <= min(bottom[2] - top[2], bottom[3] - top[3])
        and max(bottom[2] - top[2], bottom[3] - top[3]) <= max_distance
    )


def _keep_slim(strokes: Mask, max_width: float) -> Mask:
    """Keep what is narrow, a pixel wider on both sides."""
    labels, stats = label_components(strokes)
    keep = stats[:, 2] <= max(3.0, max_width)
    keep[0] = False
    if len(stats) == 1 or not keep.any():
        return np.zeros_like(strokes)
    return dilate(keep.astype(np.uint8)[labels], 1, 3)
