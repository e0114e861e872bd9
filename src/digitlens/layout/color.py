"""Color dropout: the channel in which printed boxes and rules vanish.

Postal codes are written into orange boxes, numbers on red rules and blue squares, because
scanners of the time saw these colors as white. An orange box is as bright as the paper in the
red channel, where blue and black ink are dark; a pale blue grid is so in the blue one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.imaging.binarize import count_median, to_gray
from digitlens.imaging.crop import resize_quickly
from digitlens.layout.boxes import find_box_rows, find_boxes
from digitlens.layout.grouping import fast_quantile
from digitlens.layout.illumination import (
    BACKGROUND_SIDE,
    estimate_background,
    extract_ink,
    upscale,
)
from digitlens.layout.morphology import dilate, label_components, open_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.geometry import Floats, Gray, Mask, Pixels


# Ink, of 255, in its strongest channel, from which a pixel's color is examined.
MIN_COLORED_INK = 28
# A channel in which a pixel has less than this share of its strongest one has dropped it.
DROPPED_SHARE = 0.42
# The share of all ink that colored print must be, and that other ink must be.
MIN_INK_SHARE = 0.02
# The share of what is dropped by a channel that must be boxes and rules. Nobody writes blue
# into red boxes and means the boxes, so whatever else is red does not matter; but blue and
# green are the colors of pens too.
MIN_PRINT_SHARES = (0.0, 0.65, 0.75)
# A channel is looked at where the paper is so bright in it, as a share of its brightest one: on
# yellow paper blue ink has no contrast in the blue channel, and noise has.
MIN_PAPER_SHARE = 0.7
# Where colored print is dropped, what is as dark in the channel as in the strongest one, by the
# first share, is writing that stays; between the two it is neither. What stays, and is no rule,
# must be so much of what is dropped and no print; where so much of all ink is in between,
# colors are not told apart, and more must stay.
STAYING_SHARE, HALF_DROPPED_SHARE = 0.6, 0.3
MIN_STAYING, MIN_STAYING_IF_UNCLEAR, UNCLEAR_SHARE = 0.3, 0.45, 0.35
# The most of a piece of writing, in the page's longer side.
MAX_WRITING_LENGTH = 0.3
# The least length of a rule, or of a grid, in the page's longer side.
MIN_RULE_LENGTH = 0.12
# The share of a box or rule that is straight: sides, without the corners of low resolution.
MIN_STRAIGHT_SHARE = 0.6
# In the page's longer side: what is wider is an area, not a line.
MAX_LINE_WIDTH = 0.05
# On more pixels, print is looked for at half the size.
COARSE_PIXELS = 300_000
# How much of the difference to its darkest channel is added to what is colored.
LIGHTENING = 0.6
# Where channels differ less than this from the gray, the picture has no colors.
MIN_COLOR_RANGE = 10


@dataclass(frozen=True, eq=False)
class ColorDropout:
    """The channel in which ink stands out and colored print does not."""

    channel: int | None  # 0, 1, 2 for red, green, blue; None for the brightness
    # uint8 (h, w), 1 where colored print was dropped; None where there is none.
    mask: Mask | None = None


def drop_colored_print(pixels: Pixels, *, inverted: bool) -> ColorDropout:
    """Choose the channel that drops colored print; none for light ink on dark paper."""
    if pixels.ndim == 2 or inverted or _is_colorless(pixels[::4, ::4]):
        return ColorDropout(None)
    coarse = pixels
    if pixels.shape[0] * pixels.shape[1] > COARSE_PIXELS:
        # Whether there is print is seen at half the size, in a quarter of the time.
        coarse = resize_quickly(pixels, (pixels.shape[1] // 2, pixels.shape[0] // 2))
    side = BACKGROUND_SIDE if coarse is pixels else BACKGROUND_SIDE // 2
    inks = _extract_inks(coarse, side)
    inked, masks = _find_dropped_ink(inks)
    total = int(np.count_nonzero(inked))
    best, best_area = ColorDropout(None), 0
    sample = (np.ascontiguousarray(pixels[::4, ::4, channel]) for channel in range(3))
    paper = [count_median(plane) for plane in sample]
    for channel, mask in enumerate(masks):
        if paper[channel] < MIN_PAPER_SHARE * max(paper):
            continue
        area = int(np.count_nonzero(mask))
        in_range = MIN_INK_SHARE <= area / max(total, 1) <= 1 - MIN_INK_SHARE
        if area > best_area and in_range and _is_print(mask, channel):
            best, best_area = ColorDropout(channel, mask), area
    if best.channel is not None and best.mask is not None:
        strongest = np.maximum(np.maximum(inks[0], inks[1]), inks[2])
        share = inks[best.channel] / np.maximum(strongest, 1)
        if _drops_writing(best.mask, np.where(inked, share, 0.0)):
            return ColorDropout(None)
    if best.channel is not None and coarse is not pixels:
        masks = _find_dropped_ink(_extract_inks(pixels))[1]
        return ColorDropout(best.channel, masks[best.channel])
    return best


def extract_channel(pixels: Pixels, channel: int | None) -> Gray:
    """Return the brightness, or one channel in which what is colored is lightened further.

    A box that is not quite as bright as the paper in its channel is far darker in another
    one; by a share of that difference (`LIGHTENING`) it is made brighter. Black is as dark in
    all channels, and blue ink darkest in the red one: they stay.
    """
    if pixels.ndim == 2:
        return pixels
    if channel is None:
        return to_gray(pixels)
    plane, *others = (
        cv2.extractChannel(pixels, index) for index in (channel, *({0, 1, 2} - {channel}))
    )
    darkest = cv2.min(cv2.min(plane, others[0]), others[1])
    lightened = cv2.addWeighted(plane, 1 + LIGHTENING, darkest, -LIGHTENING, 0)
    return np.asarray(lightened, np.uint8)


def _is_colorless(sample: Pixels) -> bool:
    """Say whether nearly all of a picture has the hue of its median color."""
    planes = [
        plane.astype(np.float32) - count_median(plane)
        for plane in (np.ascontiguousarray(sample[..., index]) for index in range(3))
    ]
    highest = np.maximum(np.maximum(planes[0], planes[1]), planes[2])
    lowest = np.minimum(np.minimum(planes[0], planes[1]), planes[2])
    return fast_quantile((highest - lowest).ravel(), 0.999) < MIN_COLOR_RANGE


def _extract_inks(pixels: Pixels, side: int = BACKGROUND_SIDE) -> list[Gray]:
    """Return the ink of each channel, uint8 (h, w)."""
    inks = []
    for channel in range(3):
        plane = np.asarray(cv2.extractChannel(pixels, channel), np.uint8)
        background = estimate_background(plane, inverted=False, side=side)
        paper = upscale(background.small, plane.shape)
        inks.append(extract_ink(plane, paper, inverted=False))
    return inks


def _find_dropped_ink(inks: list[Gray]) -> tuple[NDArray[np.bool_], list[Mask]]:
    """Return where there is ink, and for each channel where it shows none of it."""
    strongest = np.asarray(np.maximum(np.maximum(inks[0], inks[1]), inks[2]), np.uint8)
    inked = strongest > MIN_COLORED_INK
    bound = np.asarray(cv2.convertScaleAbs(strongest, alpha=DROPPED_SHARE), np.uint8)
    masks = [((ink < bound) & inked).astype(np.uint8) for ink in inks]
    return inked, masks


def _drops_writing(mask: Mask, share: Floats) -> bool:
    """Say whether what is dropped is rather the writing: hardly any stays.

    mask: what is dropped; share: float (h, w), of the strongest ink, what the channel shows
    """
    dropped = cv2.countNonZero(mask) - _measure_print(mask)[0]
    staying = share >= STAYING_SHARE
    _, _, widths, heights, areas = label_components(staying.astype(np.uint8))[1][1:].T
    longer = np.maximum(widths, heights)
    is_long = longer >= MAX_WRITING_LENGTH * max(mask.shape)
    is_rule = is_long & (longer >= 5 * np.minimum(widths, heights))
    if int(areas.sum()) < MIN_STAYING * dropped:
        return True
    if find_box_rows(find_boxes(mask)):  # these are printed
        return False
    if int(areas[~is_rule].sum()) < MIN_STAYING * dropped:
        return True
    between = np.count_nonzero((share >= HALF_DROPPED_SHARE) & ~staying)
    is_unclear = bool(between >= UNCLEAR_SHARE * np.count_nonzero(share))
    return is_unclear and int(areas[~is_long].sum()) < MIN_STAYING_IF_UNCLEAR * dropped


def _is_print(mask: Mask, channel: int) -> bool:
    """Say whether a color is that of a long rule, a grid, or two boxes side by side."""
    area, longest = _measure_print(mask)
    if channel and area < MIN_PRINT_SHARES[channel] * cv2.countNonZero(mask):
        return False
    if area and longest >= MIN_RULE_LENGTH * max(mask.shape):
        return True
    return bool(area and find_box_rows(find_boxes(mask)))


def _measure_print(mask: Mask) -> tuple[int, int]:
    """Return how many pixels of a mask belong to boxes, rules and grids, and the longest rule.

    These are mostly straight, level or upright: pieces 3.5 times as long as the mask's lines
    are wide fit in them. And they are hollow, or much longer than wide. Of handwriting a
    third is straight; solid shapes do not count, as their lines are wide.
    """
    page_side = max(mask.shape)
    side = max(3, round(MAX_LINE_WIDTH * page_side))
    # Only where something is, with a row of paper around it.
    left, top, columns, rows = cv2.boundingRect(mask)
    mask = mask[max(0, top - 1) : top + rows + 1, max(0, left - 1) : left + columns + 1]
    mask = mask & ~dilate(open_mask(mask, side, side), 5, 5)
    area = cv2.countNonZero(mask)
    edge = area - cv2.countNonZero(cv2.erode(mask, np.ones((3, 3), np.uint8)))
    run = max(9, round(3.5 * (2 * area / max(edge, 1))))
    straight = open_mask(mask, 1, run) | open_mask(mask, run, 1)
    if cv2.countNonZero(straight) < 0.2 * area:
        return 0, 0
    labels, stats = label_components(mask)
    straight_areas = np.bincount(labels[straight > 0], minlength=len(stats))
    width, height, areas = stats[:, 2], stats[:, 3], stats[:, 4]
    longer = np.maximum(width, height)
    is_line = longer >= 5 * np.minimum(width, height)
    is_hollow = areas < 0.6 * width * height
    is_print = (straight_areas >= MIN_STRAIGHT_SHARE * areas) & (is_line | is_hollow)
    is_print[0] = False
    is_grid = areas < 0.3 * width * height
    is_grid &= longer >= 2.5 * MIN_RULE_LENGTH * page_side
    rules = is_print & (is_line | is_grid)
    return int(areas[is_print].sum()), int(longer[rules].max(initial=0))
