"""What is known of a view before lines are looked for: paper, ink, marks, lines, boxes.

* The picture as it is looked at: turned, and brought to a size at which lines are found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.layout.boxes import (
    PrintedBoxes,
    alone,
    find_boxes,
    frames_of,
    group_boxes,
    inked,
    rows_of,
)
from digitlens.layout.color import ColorDropout, drop_colored_print, gray_of
from digitlens.layout.connected import Components, find_components
from digitlens.layout.grids import Lattice, find_lattices, split_thirds
from digitlens.layout.grouping import complete_rows
from digitlens.layout.illumination import (
    PaperLevel,
    estimate_background,
    extract_ink,
    intersect,
    subtract,
    threshold,
    union,
    upscale,
)
from digitlens.layout.rules import remove_rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels: TypeAlias = "NDArray[np.uint8]"
    Matrix: TypeAlias = "NDArray[np.float64]"
    Gray: TypeAlias = "NDArray[np.uint8]"
    Mask: TypeAlias = "NDArray[np.uint8]"


WORK = 800_000
"""The most pixels on which lines are found: digits on a page of 30 lines are 20 pixels high."""

SMALL = 500
"""A picture whose longer side is shorter than this is enlarged to it, as strokes of one pixel
cannot be told from gaps of one pixel; but no more than `MOST_TIMES`."""

MOST_TIMES = 4.0


@dataclass(frozen=True, eq=False)
class WorkingImage:
    """The picture as it is looked at.

    Parameters
    ----------
    pixels
        uint8 (h, w) or (h, w, 3).
    to_picture
        float64 (3, 3): (x, y, 1) of the view -> (x, y, 1) of the picture.
    rotation
        Degrees by which the picture was turned counter-clockwise.
    scale
        Pixels of the view to one of the picture.
    inside
        uint8 (h, w), 1 = in the picture; None where all is. Around a picture that was turned
        a little its edge goes on, so that the paper does.
    """

    pixels: Pixels
    to_picture: Matrix
    rotation: float
    scale: float
    inside: Pixels | None = None


def prepare_image(picture: Pixels, rotation: float = 0.0) -> WorkingImage:
    """Turn a picture and bring it to at most `WORK` pixels.

    Parameters
    ----------
    picture
        uint8 (H, W) or (H, W, 3).
    rotation
        Degrees, counter-clockwise.
    """
    return rotate_image(_sized(picture), rotation)


def _sized(picture: Pixels) -> WorkingImage:
    height, width = picture.shape[:2]
    scale = min(1.0, math.sqrt(WORK / (height * width)))
    if max(height, width) < SMALL:
        scale = min(MOST_TIMES, SMALL / max(height, width))
    size = max(1, int(width * scale)), max(1, int(height * scale))
    small = picture
    if scale != 1.0:
        # Halved as often as can be, which is fast, and then by interpolation: from half its
        # size on that uses all pixels as well.
        while small.shape[0] >= 2 * size[1] and small.shape[1] >= 2 * size[0]:
            half = max(1, small.shape[1] // 2), max(1, small.shape[0] // 2)
            even = small[: 2 * half[1], : 2 * half[0]]
            small = np.asarray(cv2.resize(even, half, interpolation=cv2.INTER_AREA), np.uint8)
        way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
        small = np.asarray(cv2.resize(small, size, interpolation=way), np.uint8)
    back = np.diag([width / size[0], height / size[1], 1.0])
    return WorkingImage(small, back, 0.0, size[0] / width)


def rotate_image(view: WorkingImage, rotation: float) -> WorkingImage:
    """Turn a view by `rotation` degrees more, counter-clockwise; nothing is cut off."""
    rotation %= 360
    height, width = view.pixels.shape[:2]
    angle = math.radians(rotation)
    cos, sin = math.cos(angle), math.sin(angle)
    wide = max(1, round(abs(width * cos) + abs(height * sin)))
    high = max(1, round(abs(width * sin) + abs(height * cos)))
    # (x, y) of the turned view -> (x, y) of the one before; y points down.
    back = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
    middle = back @ np.array([wide / 2, high / 2, 1])
    back[:2, 2] = width / 2 - middle[0], height / 2 - middle[1]
    quarters = round(rotation / 90)
    inside = None
    if abs(rotation - 90 * quarters) < 1e-9:
        pixels = np.ascontiguousarray(np.rot90(view.pixels, quarters))
    else:
        pixels = warp_affine(view.pixels, back, (wide, high))
        whole = np.ones(view.pixels.shape[:2], np.uint8)
        inside = warp_affine(whole, back, (wide, high), fill=0)
    total = (view.rotation + rotation) % 360
    return WorkingImage(pixels, view.to_picture @ back, total, view.scale, inside)


def warp_affine(
    pixels: Pixels, back: Matrix, size: tuple[int, int], *, fill: int | None = None
) -> Pixels:
    """Take `size` (width, height) pixels out of `pixels`, from where `back` says.

    Parameters
    ----------
    back
        (3, 3) or (2, 3): (x, y, 1) of the result -> (x, y) of `pixels`. The middle of pixel
        (row y, column x) is at (x + 0.5, y + 0.5).
    fill
        What lies outside; None goes on with the edge.
    """
    shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    inner = back[:2] @ shift
    inner[:, 2] -= 0.5
    border = cv2.BORDER_REPLICATE if fill is None else cv2.BORDER_CONSTANT
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    result = cv2.warpAffine(
        pixels, inner, size, flags=flags, borderMode=border, borderValue=fill or 0
    )
    return np.asarray(result, np.uint8)


@dataclass(frozen=True, eq=False)
class PageAnalysis:
    """A view taken apart.

    Parameters
    ----------
    view
        The view.
    dropped
        Which channel is looked at, and what coloured print that drops.
    paper
        The paper in that channel.
    gray
        uint8 (h, w): that channel.
    ink
        uint8 (h, w), 0 = paper, 255 = all light taken away.
    inked
        uint8 (h, w), 1 = ink or coloured print, lines included.
    mask
        uint8 (h, w), 1 = ink without lines and frames.
    marks
        Connected pieces of `mask`.
    cells, boxes
        Printed boxes, and which of them stand in rows for one digit each.
    lattices
        Tables of boxes.
    """

    view: WorkingImage
    dropped: ColorDropout
    paper: PaperLevel
    gray: Gray
    ink: Gray
    inked: Mask
    mask: Mask
    marks: Components
    cells: PrintedBoxes
    boxes: list[list[int]]
    lattices: list[Lattice]


def analyze_page(
    view: WorkingImage, *, inverted: bool | None, expect_boxes: bool
) -> PageAnalysis:
    """Find paper, ink, marks, lines and boxes of a view.

    Parameters
    ----------
    inverted
        Whether the ink is lighter than the paper; None finds out.
    expect_boxes
        Whether digits are known to stand in printed boxes: then rows of empty-looking boxes
        count too.
    """
    gray = gray_of(view.pixels, None)
    paper = estimate_background(gray, inverted)
    inverted = paper.inverted
    dropped = drop_colored_print(view.pixels, inverted=inverted)
    if dropped.channel is not None:
        gray = gray_of(view.pixels, dropped.channel)
        paper = estimate_background(gray, inverted)
    ink = extract_ink(gray, upscale(paper.small, gray.shape), inverted=inverted)
    marked = threshold(ink, paper.noise)
    if view.inside is not None:
        marked = intersect(marked, view.inside)
    printed = marked
    if dropped.print_ is not None:
        printed = union(marked, dropped.print_)
    cells = find_boxes(printed)
    if dropped.print_ is not None:
        cells = group_boxes(find_boxes(dropped.print_), cells)
    written = inked(cells, marked)
    rows = rows_of(cells)
    tables = find_lattices(cells)
    in_tables = {index for lattice in tables for index in lattice.members}
    lattices = [split_thirds(lattice, ink) for lattice in tables]
    least = 1 if expect_boxes else 2
    boxes = [
        row
        for row in rows
        if not in_tables & set(row) and sum(bool(written[index]) for index in row) >= least
    ]
    cells, boxes = complete_rows(cells, boxes, printed)
    framed = sorted({index for row in boxes for index in row} | in_tables)
    framed += alone(cells, printed, set(np.flatnonzero(written).tolist()) - set(framed))
    frames = frames_of(cells, framed, marked)
    if dropped.print_ is not None:
        marked, frames = subtract(marked, dropped.print_), np.zeros_like(frames)
    ruled = remove_rules(subtract(marked, frames))
    marks = find_components(replace(ruled, lines=union(ruled.lines, frames)), ink)
    return PageAnalysis(
        view, dropped, paper, gray, ink, printed, ruled.mask, marks, cells, boxes, lattices
    )
