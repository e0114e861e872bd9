"""Coloured print dropped out: the channel in which printed boxes and rules vanish.

Postal codes are written into orange boxes, numbers on red rules and blue squares, because
scanners of the time saw these colours as white. An orange box is as bright as the paper in
the red channel, where blue and black ink are dark; a pale blue grid is so in the blue one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.imaging.binarize import to_gray
from digitlens.layout.boxes import find_boxes, rows_of
from digitlens.layout.illumination import (
    SIDE,
    dilate,
    erode,
    estimate_background,
    extract_ink,
    fast_quantile,
    label_components,
    open_mask,
    subtract,
    union,
    upscale,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Gray: TypeAlias = "NDArray[np.uint8]"
    Pixels: TypeAlias = "NDArray[np.uint8]"


CHANNELS = ("red", "green", "blue")

STRONG = 28
"""Ink, of 255, in its strongest channel, from which a pixel's colour is looked at."""

WEAK = 0.42
"""A channel in which a pixel has less than this share of its strongest one has dropped it."""

LEAST = 0.02
"""The least share of all ink that coloured print must be, and that other ink must be."""

DRAWN = (0.0, 0.65, 0.75)
"""The share of what is of one colour that must be boxes and rules."""

LONG = 0.12
"""The least length of a rule, or of a grid, in the view's longer side."""

STRAIGHT = 0.6
"""The share of a box or rule that is straight: sides, without the corners of low resolution."""

WIDEST = 0.05
"""The most that lines are wide, in the longer side: what is wider is an area, not a line."""

COARSE = 300_000
"""Pixels of a view from which on print is looked for at half its size."""

LIGHTEN = 0.6
"""How much of the difference to its darkest channel is added to what is coloured."""

DULL = 10
"""Where channels differ less than this from the grey, the picture has no colours."""


@dataclass(frozen=True, eq=False)
class ColorDropout:
    """The grey picture in which ink stands out and coloured print does not.

    Parameters
    ----------
    channel
        0, 1, 2 for red, green, blue; None for the brightness.
    print_
        uint8 (h, w), 1 where coloured print was dropped; None where there is none.
    """

    channel: int | None
    print_: Gray | None = None


def gray_of(pixels: Pixels, channel: int | None) -> Gray:
    """Return the brightness, or one channel in which what is coloured is lightened further.

    A box that is not quite as bright as the paper in its channel is far darker in another
    one; by a share of that difference (`LIGHTEN`) it is made brighter. Black is as dark in
    all channels, and blue ink darkest in the red one: they stay.

    Parameters
    ----------
    pixels
        uint8 (H, W), or (H, W, 3) red, green, blue.
    channel
        0, 1, 2, or None for the brightness.
    """
    if pixels.ndim == 2:
        return pixels
    if channel is None:
        return to_gray(pixels)
    single, *others = (
        cv2.extractChannel(pixels, index) for index in (channel, *({0, 1, 2} - {channel}))
    )
    darkest = cv2.min(cv2.min(single, others[0]), others[1])
    return np.asarray(cv2.addWeighted(single, 1 + LIGHTEN, darkest, -LIGHTEN, 0), np.uint8)


def drop_colored_print(pixels: Pixels, *, inverted: bool) -> ColorDropout:
    """Choose the channel to look at.

    Parameters
    ----------
    pixels
        uint8 (h, w) or (h, w, 3) of a view.
    inverted
        Whether ink is lighter than the paper.
    """
    if pixels.ndim == 2 or inverted:
        return ColorDropout(None)
    if _is_dull(pixels[::4, ::4]):
        return ColorDropout(None)
    coarse = pixels
    if pixels.shape[0] * pixels.shape[1] > COARSE:
        # Whether there is print is seen at half the size, in a quarter of the time.
        half = pixels.shape[1] // 2, pixels.shape[0] // 2
        coarse = np.asarray(cv2.resize(pixels, half, interpolation=cv2.INTER_AREA), np.uint8)
    total, masks = _weak(coarse, SIDE if coarse is pixels else SIDE // 2)
    best, most = ColorDropout(None), 0
    for channel, mask in enumerate(masks):
        area = int(np.count_nonzero(mask))
        share = area / max(total, 1)
        if area > most and LEAST <= share <= 1 - LEAST and _is_print(mask, channel):
            best, most = ColorDropout(channel, mask), area
    if best.channel is not None and coarse is not pixels:
        return ColorDropout(best.channel, _weak(pixels)[1][best.channel])
    return best


def _is_dull(sample: Pixels) -> bool:
    """Say whether nearly all of a picture has the hue of its middle colour."""
    planes = [
        plane.astype(np.float32) - _middle(plane)
        for plane in (np.ascontiguousarray(sample[..., index]) for index in range(3))
    ]
    highest = np.maximum(np.maximum(planes[0], planes[1]), planes[2])
    lowest = np.minimum(np.minimum(planes[0], planes[1]), planes[2])
    return fast_quantile((highest - lowest).ravel(), 0.999) < DULL


def _middle(plane: Gray) -> np.float32:
    """Return the median of grey values, of which there are so few that they are counted."""
    places = np.array([(plane.size - 1) // 2, plane.size // 2])
    so_far = np.bincount(plane.ravel(), minlength=256).cumsum()
    return np.float32(np.searchsorted(so_far, places, side="right").mean())


def _weak(pixels: Pixels, side: int = SIDE) -> tuple[int, list[Gray]]:
    """Return how many pixels are inked, and for each channel where it shows no ink there.

    Parameters
    ----------
    side
        As for `estimate_background`.
    """
    inks = []
    for channel in range(3):
        single = np.asarray(cv2.extractChannel(pixels, channel), np.uint8)
        paper = estimate_background(single, inverted=False, side=side)
        inks.append(extract_ink(single, upscale(paper.small, single.shape), inverted=False))
    strongest = np.asarray(np.maximum(np.maximum(inks[0], inks[1]), inks[2]), np.uint8)
    strong = strongest > STRONG
    bound = np.asarray(cv2.convertScaleAbs(strongest, alpha=WEAK), np.uint8)
    masks = [((ink < bound) & strong).astype(np.uint8) for ink in inks]
    return int(np.count_nonzero(strong)), masks


def _is_print(mask: Gray, channel: int) -> bool:
    """Say whether a colour is that of boxes or rules.

    There must be a long rule, a grid, or two boxes side by side. Nobody writes blue into red
    boxes and means the boxes, so whatever else is red does not matter; but blue and green are
    the colours of pens too.
    """
    drawn, longest = _drawn(mask)
    if channel and drawn < DRAWN[channel] * cv2.countNonZero(mask):
        return False
    if drawn and longest >= LONG * max(mask.shape):
        return True
    return bool(drawn and rows_of(find_boxes(mask)))


def _drawn(mask: Gray) -> tuple[int, int]:
    """Return how many pixels of a mask belong to boxes, rules and grids, and the longest rule.

    These are mostly straight, level or upright: pieces 3.5 times as long as the mask's lines
    are wide fit in them. And they are hollow, or much longer than wide. Of handwriting a
    third is straight; solid shapes do not count, as their lines are wide.
    """
    side = max(3, round(WIDEST * max(mask.shape)))
    mask = subtract(mask, dilate(open_mask(mask, side, side), 5, 5))
    area = cv2.countNonZero(mask)
    wide = 2 * area / max(area - cv2.countNonZero(erode(mask, 3, 3)), 1)
    run = max(9, round(3.5 * wide))
    straight = union(open_mask(mask, 1, run), open_mask(mask, run, 1))
    if cv2.countNonZero(straight) < 0.2 * area:
        return 0, 0
    labels, stats = label_components(mask)
    item = np.bincount(labels[straight > 0], minlength=len(stats))
    width, height, size = stats[:, 2], stats[:, 3], stats[:, 4]
    longer = np.maximum(width, height)
    line = longer >= 5 * np.minimum(width, height)
    drawn = (item >= STRAIGHT * size) & (line | (size < 0.6 * width * height))
    drawn[0] = False
    grid = (size < 0.3 * width * height) & (longer >= 2.5 * LONG * max(mask.shape))
    ruled = drawn & (line | grid)
    return int(size[drawn].sum()), int(longer[ruled].max(initial=0))
