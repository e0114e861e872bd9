"""Printed lines taken out of the marks: rules, underlines, table lines, long frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.layout.masks import both, connected, either, opened, widened, without
from digitlens.layout.sides import box_sides

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask: TypeAlias = "NDArray[np.uint8]"

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
    high
        The height of the page's writing in pixels; 0.0 where there is none.
    """

    mask: Mask
    lines: Mask
    high: float


def remove_rules(mask: Mask) -> Ruled:
    """Take long thin lines out of the marks, whether level, upright, or up to 5 degrees off.

    Strokes that cross a line keep the pixels that they share with it.

    Parameters
    ----------
    mask
        uint8 (H, W), 1 = mark.
    """
    high = _writing_height(mask)
    least = max(LONG * max(mask.shape), LONGER * high)
    most = max(3.0, SLIM * high)
    run = round(max(RUN * high, LEAST_RUN[0], LEAST_RUN[1] * max(mask.shape)))
    level = _lines(mask, run, least, most)
    upright = np.ascontiguousarray(_lines(np.ascontiguousarray(mask.T), run, least, most).T)
    sides = box_sides(mask, level, high) if cv2.countNonZero(level) else level
    lines = either(either(level, upright), both(sides, mask))
    return Ruled(without(mask, lines), lines, high)


def _writing_height(mask: Mask) -> float:
    """Return the height of the writing: the median over marks that may be digits, by ink."""
    # Heights are wanted to a few pixels only, and a quarter of the pixels take a quarter of
    # the time.
    coarse = widened(mask, 2, 2)[::2, ::2]
    _, stats = connected(np.ascontiguousarray(coarse))
    wide, high, area = stats[1:, 2], stats[1:, 3], stats[1:, 4].astype(np.float64)
    may = (wide <= 1.5 * high) & (high <= 12 * wide) & (area >= 8)
    may &= area >= 0.08 * wide * high  # a frame's box is emptier
    if not may.any():
        return 0.0
    high, area = high[may], area[may]
    order = np.argsort(high, kind="stable")
    so_far = np.cumsum(area[order])
    return 2.0 * float(high[order][np.searchsorted(so_far, so_far[-1] / 2)])


def _lines(mask: Mask, run: int, least: float, most: float) -> Mask:
    """Return the pixels of level lines, without those of strokes that cross them.

    Parameters
    ----------
    run
        The length of the straight pieces that they are made of.
    least, most
        The least length of a line and its greatest width.
    """
    straight = opened(mask, 1, run)
    if not cv2.countNonZero(straight):
        return np.zeros_like(mask)
    # The pieces of a sloping line lie a row apart; those of a broken one a gap.
    joined = widened(straight, 3, run // 2 * 2 + 1)
    outlines, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    lines = np.zeros_like(mask)
    for outline in outlines:
        left, top, width, height = cv2.boundingRect(outline)
        if width < least:
            continue
        here = slice(top, top + height), slice(left, left + width)
        inside = np.zeros((height, width), np.uint8)
        cv2.drawContours(inside, [outline], -1, 1, cv2.FILLED, offset=(-left, -top))
        piece = both(straight[here], inside)
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
    wide = np.zeros_like(around)
    off = here[0].start - rows.start
    wide[off : off + piece.shape[0]] = piece
    wide = both(widened(wide, 2 * reach + 1, 3), around)
    tall = max(3, round(CROSSES * thick) + 1)
    alone = without(wide, opened(around, tall, 1))
    return np.asarray(alone[off : off + piece.shape[0]], np.uint8)
