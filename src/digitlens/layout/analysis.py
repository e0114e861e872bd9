"""What is known of a page before lines are looked for: paper, ink, components, lines, boxes.

`prepare_image` makes the working image, `analyze_page` all the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.imaging.crop import resize_quickly
from digitlens.layout.boxes import (
    PrintedBoxes,
    are_filled,
    complete_rows,
    draw_frames,
    find_box_rows,
    find_boxes,
    find_lone_boxes,
    merge_boxes,
)
from digitlens.layout.color import ColorDropout, drop_colored_print, extract_channel
from digitlens.layout.connected import Components, find_components
from digitlens.layout.grids import Lattice, find_lattices, split_sudoku_blocks
from digitlens.layout.illumination import (
    Background,
    estimate_background,
    extract_ink,
    threshold,
    upscale,
)
from digitlens.layout.morphology import writing_height
from digitlens.layout.rules import remove_rules

if TYPE_CHECKING:
    from digitlens.geometry import Floats, Gray, Mask, Pixels


# On these lines are found: digits on a page of 30 lines are 20 pixels high.
MAX_WORKING_PIXELS = 800_000
# A picture whose longer side is shorter is enlarged to it, as strokes of one pixel cannot be
# told from gaps of one pixel; but no more than so many times.
MIN_WORKING_SIDE, MAX_ENLARGEMENT = 500, 4.0


@dataclass(frozen=True, eq=False)
class WorkingImage:
    """The picture in the size and rotation in which lines are found."""

    pixels: Pixels  # uint8 (h, w) or (h, w, 3)
    # float64 (3, 3): (x, y, 1) of the working image -> (x, y, 1) of the picture.
    to_picture: Floats
    rotation: float  # degrees by which the picture was turned counter-clockwise
    scale: float  # pixels of the working image to one of the picture
    # uint8 (h, w), 1 = in the picture; None where all is. Around a picture that was turned a
    # little its edge is continued, so that the paper is.
    inside: Mask | None = None


def prepare_image(picture: Pixels, rotation: float = 0.0) -> WorkingImage:
    """Bring a picture to the size in which lines are found, and turn it counter-clockwise."""
    return rotate_image(_resize(picture), rotation)


def _resize(picture: Pixels) -> WorkingImage:
    height, width = picture.shape[:2]
    scale = min(1.0, math.sqrt(MAX_WORKING_PIXELS / (height * width)))
    if max(height, width) < MIN_WORKING_SIDE:
        scale = min(MAX_ENLARGEMENT, MIN_WORKING_SIDE / max(height, width))
    size = max(1, int(width * scale)), max(1, int(height * scale))
    small = picture if scale == 1.0 else resize_quickly(picture, size)
    back = np.diag([width / size[0], height / size[1], 1.0])
    return WorkingImage(small, back, 0.0, size[0] / width)


def rotate_image(view: WorkingImage, rotation: float) -> WorkingImage:
    """Turn a working image by more degrees, counter-clockwise; nothing is cut off."""
    rotation %= 360
    height, width = view.pixels.shape[:2]
    angle = math.radians(rotation)
    cos, sin = math.cos(angle), math.sin(angle)
    new_width = max(1, round(abs(width * cos) + abs(height * sin)))
    new_height = max(1, round(abs(width * sin) + abs(height * cos)))
    # (x, y) of the turned image -> (x, y) of the one before; y points down.
    back = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
    center = back @ np.array([new_width / 2, new_height / 2, 1])
    back[:2, 2] = width / 2 - center[0], height / 2 - center[1]
    quarters = round(rotation / 90)
    inside = None
    if abs(rotation - 90 * quarters) < 1e-9:
        pixels = np.ascontiguousarray(np.rot90(view.pixels, quarters))
    else:
        pixels = warp_affine(view.pixels, back, (new_width, new_height))
        everything = np.ones(view.pixels.shape[:2], np.uint8)
        inside = warp_affine(everything, back, (new_width, new_height), fill=0)
    total = (view.rotation + rotation) % 360
    return WorkingImage(pixels, view.to_picture @ back, total, view.scale, inside)


def warp_affine(
    pixels: Pixels, back: Floats, size: tuple[int, int], *, fill: int | None = None
) -> Pixels:
    """Take `size` (width, height) pixels out of `pixels`, from where `back` says.

    back: (3, 3) or (2, 3): (x, y, 1) of the result -> (x, y) of `pixels`. The center of pixel
        (row y, column x) is at (x + 0.5, y + 0.5).
    fill: what lies outside; None continues the edge
    """
    # OpenCV counts from the center of the first pixel.
    shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    inner = back[:2] @ shift
    inner[:, 2] -= 0.5
    border = cv2.BORDER_REPLICATE if fill is None else cv2.BORDER_CONSTANT
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(
        pixels, inner, size, flags=flags, borderMode=border, borderValue=fill or 0
    )
    return np.asarray(warped, np.uint8)


@dataclass(frozen=True, eq=False)
class PageAnalysis:
    """A page taken apart."""

    view: WorkingImage
    dropout: ColorDropout  # which channel is used, and what colored print that drops
    background: Background  # the paper in that channel
    gray: Gray  # uint8 (h, w): that channel
    ink: Gray  # uint8 (h, w), 0 = paper, 255 = all light taken away
    printed: Mask  # uint8 (h, w), 1 = ink or colored print, lines included
    mask: Mask  # uint8 (h, w), 1 = ink without lines and frames
    components: Components  # connected pieces of `mask`
    boxes: PrintedBoxes
    box_rows: list[list[int]]  # which boxes stand in rows, for one digit each
    lattices: list[Lattice]  # tables of boxes


def analyze_page(
    view: WorkingImage, *, inverted: bool | None, expect_boxes: bool
) -> PageAnalysis:
    """Find paper, ink, components, lines and boxes of a page.

    inverted: whether the ink is lighter than the paper; None finds out
    expect_boxes: whether digits are known to stand in printed boxes: then rows of boxes count
        in which only one is filled
    """
    # Ink: in the channel that drops colored print, the background divided out.
    gray = extract_channel(view.pixels, None)
    background = estimate_background(gray, inverted)
    inverted = background.inverted
    dropout = drop_colored_print(view.pixels, inverted=inverted)
    if dropout.channel is not None:
        gray = extract_channel(view.pixels, dropout.channel)
        background = estimate_background(gray, inverted)
    ink = extract_ink(gray, upscale(background.small, gray.shape), inverted=inverted)
    marked = threshold(ink, background.noise)
    if view.inside is not None:
        marked &= view.inside
    printed = marked if dropout.mask is None else marked | dropout.mask

    # What is left without boxes, frames and rules is writing.
    height = writing_height(printed)
    boxes, rows, lattices, framed = _find_page_boxes(
        printed, marked, ink, dropout, height, min_filled=1 if expect_boxes else 2
    )
    frames = draw_frames(boxes, framed, marked)
    if dropout.mask is not None:
        # Dropped print is not in the ink any more, and neither are its frames.
        marked, frames = marked & ~dropout.mask, np.zeros_like(frames)
    # Where nothing was taken away, the writing's height is known.
    is_whole = dropout.mask is None and not framed
    ruled = remove_rules(marked & ~frames, height if is_whole else None)
    components = find_components(replace(ruled, lines=ruled.lines | frames), ink)
    return PageAnalysis(
        view,
        dropout,
        background,
        gray,
        ink,
        printed,
        ruled.mask,
        components,
        boxes,
        rows,
        lattices,
    )


def _find_page_boxes(
    printed: Mask,
    marked: Mask,
    ink: Gray,
    dropout: ColorDropout,
    height: float,
    *,
    min_filled: int,
) -> tuple[PrintedBoxes, list[list[int]], list[Lattice], list[int]]:
    """Find boxes in tables, in rows and alone.

    Returns all boxes; those of each row of which `min_filled` at least are filled; the tables;
    and the boxes whose frames are no writing.
    """
    boxes = find_boxes(printed, height)
    if dropout.mask is not None:
        boxes = merge_boxes(find_boxes(dropout.mask), boxes)
    filled = are_filled(boxes, marked)
    all_rows = find_box_rows(boxes)
    tables = find_lattices(boxes)
    in_tables = {index for lattice in tables for index in lattice.members}
    lattices = [split_sudoku_blocks(lattice, ink) for lattice in tables]
    rows = [
        row
        for row in all_rows
        if not in_tables & set(row) and sum(bool(filled[index]) for index in row) >= min_filled
    ]
    boxes, rows = complete_rows(boxes, rows, printed)
    framed = sorted({index for row in rows for index in row} | in_tables)
    framed += find_lone_boxes(
        boxes, printed, set(np.flatnonzero(filled).tolist()) - set(framed), height
    )
    return boxes, rows, lattices, framed
