"""Sides of printed boxes that have their top and bottom in common: one long box, parted."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.layout.masks import closed, connected, opened, widened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask: TypeAlias = "NDArray[np.uint8]"
    Bar: TypeAlias = "tuple[int, int, float, float]"
    """Left, right, and the row at each end."""

BOTH = 0.6
"""The share of the shorter line over which a box's top and bottom lie above each other."""

HEIGHTS = (0.9, 3.5)
"""The least and the most that they are apart, in the height of the page's writing."""

REACHES = 0.9
"""A side reaches over this share of the way from line to line; a 1 seldom does."""

SLIM = 0.2
"""The most that a side is wide, in its length."""


def box_sides(mask: Mask, level: Mask, high: float) -> Mask:
    """Return the strokes that run straight from a level line to the next one below.

    Where digits touch their boxes, no box is closed paper any more, but top and bottom are
    long lines, and the sides stand between them.

    Parameters
    ----------
    mask
        uint8 (H, W), 1 = mark, lines included.
    level
        uint8 (H, W), 1 where a level line was found in it.
    high
        The height of the page's writing in pixels.
    """
    sides = np.zeros_like(mask)
    bars = _bars(level)
    for at, top in enumerate(bars):
        for low in bars[at + 1 :]:
            if not _above(top, low, high):
                continue
            # The outermost sides cross the lines' ends, and so are no part of them.
            room = round(0.3 * high)
            left, right = max(top[0], low[0]) - room, min(top[1], low[1]) + room
            first, last = round(min(top[2:])), round(max(low[2:]))
            here = slice(max(0, first), last + 1), slice(max(0, left), right)
            length = round(REACHES * (min(low[2:]) - max(top[2:])))
            found = opened(np.ascontiguousarray(mask[here]), max(5, length), 1)
            sides[here] |= _slim(found, SLIM * length)
            break
    return sides


def _bars(level: Mask) -> list[Bar]:
    """Return the level lines, from top to bottom."""
    # Strokes that cross cut a line to pieces, a sloping one steps from row to row.
    joined = closed(level, 5, 41)
    labels, stats = connected(joined)
    found = []
    for at in range(1, len(stats)):
        left, top, wide, high, _ = (int(value) for value in stats[at])
        here = labels[top : top + high, left : left + wide] == at
        deep = max(1, wide // 8)
        ends = [
            top + float(np.flatnonzero(part.any(axis=1)).mean())
            for part in (here[:, :deep], here[:, -deep:])
        ]
        found.append((left, left + wide, ends[0], ends[1]))
    return sorted(found, key=lambda bar: bar[2] + bar[3])


def _above(top: Bar, low: Bar, high: float) -> bool:
    shared = min(top[1], low[1]) - max(top[0], low[0])
    least, most = (share * high for share in HEIGHTS)
    apart = min(low[2] - top[2], low[3] - top[3])
    return (
        shared >= BOTH * min(top[1] - top[0], low[1] - low[0])
        and least <= apart
        and max(low[2] - top[2], low[3] - top[3]) <= most
    )


def _slim(found: Mask, most: float) -> Mask:
    """Keep what is narrow, a pixel wider on both sides."""
    labels, stats = connected(found)
    keep = stats[:, 2] <= max(3.0, most)
    keep[0] = False
    if len(stats) == 1 or not keep.any():
        return np.zeros_like(found)
    slim = keep.astype(np.uint8)[labels]
    return widened(slim, 1, 3)
