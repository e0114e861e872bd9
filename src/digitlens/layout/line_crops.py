"""Lines and cells cut out: leveled, cleaned of all else, their wide gaps shortened."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.imaging.binarize import to_gray
from digitlens.layout.analysis import warp_affine
from digitlens.layout.color import extract_channel
from digitlens.layout.grouping import (
    TextLine,
    bounds,
    fast_median,
    fast_quantile,
    line_height,
)
from digitlens.layout.illumination import extract_ink
from digitlens.layout.morphology import dilate
from digitlens.layout.page_layout import Grid, GridCell, LineCrop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.geometry import Floats, Gray, Mask, Pixels
    from digitlens.layout.analysis import PageAnalysis
    from digitlens.layout.grids import Lattice


# Pixels that writing has in a crop: what is smaller is enlarged, what is larger loses nothing
# that a network of 32 rows could use.
MIN_HEIGHT, MAX_HEIGHT = 24.0, 48.0
# Paper left above, below and beside the ink, in the writing's height.
MARGIN = 0.15
# Wider gaps, in the writing's height, are shortened to it: a network learns numbers, not
# distances.
MAX_GAP = 0.35
# With more pixels of the picture to one of the crop, crops are cut from the working image.
MAX_OVERSAMPLING = 1.5
# Columns of a crop before gaps are shortened: 80 digits far apart.
MAX_COLUMNS = 4096
# Of a line, in rows per column.
MAX_SLOPE = 0.35
# All values of a pixel.
LEVELS = np.arange(256, dtype=np.float32)


class CropSource:
    """The picture that crops are cut from, in the channel that its analysis uses."""

    def __init__(self, picture: Pixels, page: PageAnalysis) -> None:
        self._picture, self._page = picture, page

    @cached_property
    def _channel(self) -> Gray:
        return extract_channel(self._picture, self._page.dropout.channel)

    def cut(self, to_view: Floats, size: tuple[int, int], oversampling: float) -> Gray:
        """Return `size` (width, height) pixels: uint8 (height, width).

        to_view: float64 (3, 3): (x, y, 1) of the crop -> (x, y, 1) of the working image
        oversampling: pixels of the picture to one of the crop: where there are many, the
            working image, which has fewer, is fine enough
        """
        if oversampling > MAX_OVERSAMPLING and self._page.view.scale < 1:
            return warp_affine(self._page.gray, to_view, size)
        return warp_affine(self._channel, self._page.view.to_picture @ to_view, size)


def line_slope(boxes: Floats) -> tuple[float, float]:
    """Return a line's slope in rows per column, and how many heights long it is.

    The median slope between the tops and between the bottoms of its components (P. K. Sen,
    1968).
    """
    left, top, right, bottom = boxes.T
    height = fast_median(bottom - top)
    center = (left + right) / 2
    if len(boxes) > 60:
        step = len(boxes) // 60 + 1
        top, bottom, center = top[::step], bottom[::step], center[::step]
    one, two = np.triu_indices(len(center), 1)
    distance = center[two] - center[one]
    far = np.abs(distance) > 0.6 * height
    if not far.any():
        return 0.0, 0.0
    slopes = np.concatenate(
        [(edge[two] - edge[one])[far] / distance[far] for edge in (top, bottom)]
    )
    return fast_median(slopes), float(center.max() - center.min()) / height


@dataclass(frozen=True, eq=False)
class LineRegion:
    """Ink that makes one line."""

    left: int  # where `mask` lies in the working image
    top: int
    mask: Mask  # uint8 (h, w): 255 where a component of the line is, 0 elsewhere
    height: float  # the height of its digits in pixels of the working image
    slope: float  # rows down per column to the right
    line: TextLine  # its components, and whether it is boxed or a part
    score: float  # 0..1


def draw_line_region(
    page: PageAnalysis, line: TextLine, *, slope: float, score: float
) -> LineRegion:
    """Return the ink of a line's components."""
    components, members = page.components, line.members + line.small
    left, top, right, bottom = (int(edge) for edge in bounds(components, members))
    values = np.zeros(len(components.boxes) + 1, np.uint8)
    values[[index + 1 for index in members]] = 255
    mask = values[components.labels[top:bottom, left:right]]
    height = line_height(components, line.members)
    return LineRegion(left, top, mask, height, slope, line, score)


def crop_line(page: PageAnalysis, source: CropSource, region: LineRegion) -> LineCrop | None:
    """Cut one line out; None where nothing of it is left."""
    # Level: where a frame around the line lies in the working image.
    height = region.height
    scale = min(max(height / page.view.scale, MIN_HEIGHT), MAX_HEIGHT) / height
    size, to_view = _frame_line(region, scale)
    if size[0] > MAX_COLUMNS:
        return None
    line_ink, other_ink = _warp_masks(page, region, to_view, size)
    x, y, width, rows = cv2.boundingRect(line_ink)
    if not rows:
        return None

    # Trim to the ink and its margin, for which `_frame_line` leaves room.
    margin = round(MARGIN * height * scale)
    top, bottom = y - margin, y + rows + margin
    left, right = x - margin, x + width + margin
    line_ink, other_ink = line_ink[top:bottom, left:right], other_ink[top:bottom, left:right]
    to_view = to_view @ np.array([[1, 0, left], [0, 1, top], [0, 0, 1.0]])

    # Clean, then shorten wide gaps.
    ink = _extract_line_ink(
        page, source, to_view, line_ink, other_ink, 1 / (scale * page.view.scale)
    )
    inked = np.asarray(cv2.reduce(line_ink, 0, cv2.REDUCE_MAX)[0] > 0, np.bool_)
    kept = _shorten_gaps(inked, round(MAX_GAP * height * scale))
    shown = np.flatnonzero(kept)
    return LineCrop(
        ink=ink if kept.all() else np.ascontiguousarray(ink[:, kept]),
        columns=np.append(shown, shown[-1] + 1).astype(np.float64),
        to_picture=(page.view.to_picture @ to_view)[:2],
        height=height / page.view.scale,
        slope=region.slope,
        components=len(region.line.members),
        score=region.score,
        margin=margin,
        boxed=region.line.boxed,
        part=region.line.part,
    )


def _frame_line(region: LineRegion, scale: float) -> tuple[tuple[int, int], Floats]:
    """Return the size of a level frame around a line, and its (x, y, 1) -> working image."""
    angle = math.atan(region.slope)
    cos, sin = math.cos(angle), math.sin(angle)
    height, width = region.mask.shape
    room = 2 * MARGIN * region.height + 4 / scale + 2
    length = width * cos + height * abs(sin) + room
    depth = height * cos + width * abs(sin) + room
    size = max(4, math.ceil(length * scale)), max(4, math.ceil(depth * scale))
    to_view = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]]) / scale
    to_view[2, 2] = 1.0
    center = to_view @ np.array([size[0] / 2, size[1] / 2, 1])
    to_view[:2, 2] = region.left + width / 2 - center[0], region.top + height / 2 - center[1]
    return size, to_view


def _warp_masks(
    page: PageAnalysis, region: LineRegion, to_view: Floats, size: tuple[int, int]
) -> tuple[Mask, Mask]:
    """Return what belongs to the line, and ink that does not, in the crop's frame.

    uint8 (h, w), the first 0 or 255, the second with soft edges; what lies outside the
    picture counts as other ink.
    """
    # The window of the working image that the frame needs.
    corners = np.array([[0, 0, 1], [size[0], 0, 1], [size[0], size[1], 1], [0, size[1], 1.0]])
    spots = corners @ to_view.T
    shape = page.mask.shape
    left, top = (max(0, math.floor(value) - 2) for value in spots[:, :2].min(axis=0))
    right = min(shape[1], math.ceil(spots[:, 0].max()) + 2)
    bottom = min(shape[0], math.ceil(spots[:, 1].max()) + 2)
    window = slice(top, bottom), slice(left, right)

    line_ink = np.zeros((bottom - top, right - left), np.uint8)
    height, width = region.mask.shape
    y, x = region.top - top, region.left - left
    line_ink[y : y + height, x : x + width] = region.mask
    inked = page.printed[window]
    if page.view.inside is not None:
        inked = inked | (1 - page.view.inside[window])
    other_ink = inked * np.uint8(255) & ~line_ink
    # Edges that are paler than a mark go with it; the line's own edges stay.
    other_ink = dilate(other_ink, 5, 5) & ~dilate(line_ink, 3, 3)
    shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]])
    line_ink = warp_affine(line_ink, shift @ to_view, size, fill=0)
    line_ink = np.asarray(cv2.threshold(line_ink, 127, 255, cv2.THRESH_BINARY)[1], np.uint8)
    return line_ink, warp_affine(other_ink, shift @ to_view, size, fill=255)


def _extract_line_ink(
    page: PageAnalysis,
    source: CropSource,
    to_view: Floats,
    line_ink: Mask,
    other_ink: Mask,
    oversampling: float,
) -> Gray:
    """Cut the line's ink out of the picture, brought to 0 = paper, 255 = full ink."""
    size = line_ink.shape[1], line_ink.shape[0]
    gray = source.cut(to_view, size, oversampling)
    small, shape = page.background.small, page.mask.shape
    shrink = np.diag([small.shape[1] / shape[1], small.shape[0] / shape[0], 1.0])
    paper = warp_affine(small, shrink @ to_view, size)
    ink = extract_ink(gray, paper, inverted=page.background.inverted)
    marked = ink[line_ink > 0].astype(np.float32)
    full = fast_quantile(marked, 0.8) if marked.size else 255.0
    start = min(2.5 * page.background.noise, 0.35 * full)
    # Reckoned for the 256 values there are and looked up: a third of the time.
    scaled = cv2.LUT(ink, (LEVELS - start) * (255 / max(full - start, 1.0)))
    scaled = np.asarray(cv2.multiply(scaled, cv2.LUT(other_ink, 1 - LEVELS / 255)), np.float32)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _shorten_gaps(inked: NDArray[np.bool_], max_gap: int) -> NDArray[np.bool_]:
    """Say which columns stay when gaps longer than `max_gap` lose their middle."""
    kept = np.ones(len(inked), bool)
    columns = np.flatnonzero(inked)
    half = max_gap // 2
    for place in np.flatnonzero(np.diff(columns) > max_gap + 1).tolist():
        one, two = columns[place : place + 2].tolist()
        kept[one + 1 + half : two - (max_gap - half)] = False
    return kept


# How far inside its corners a cell is examined, in its size: its lines are no wider.
CELL_INSET = 0.05
# Of a digit, in the cell's height and area.
MIN_DIGIT_HEIGHT, MIN_DIGIT_AREA = 0.3, 0.012
# How far from the middle of its cell a digit's may be, in its size, and the least height of a
# digit's largest part.
MAX_CENTER_OFFSET, MIN_PART_HEIGHT = 0.33, 0.2
# What is so wide or high, in the cell's size, and lies so near its sides, is of its frame:
# all of it, or a corner where rules are broken.
MIN_FRAME_SIZE, FRAME_DEPTH = 0.3, 0.14
# What has its middle so near a cell's side, in its size, is a residue of the line there, unless
# it is wider and higher than the second.
RESIDUE_DISTANCE, MAX_RESIDUE_SIZE = 0.14, 0.15


def crop_table(
    page: PageAnalysis, source: CropSource, lattice: Lattice, free: NDArray[np.bool_]
) -> Grid:
    """Cut out what is written in each cell, and clear all of the table in `free`."""
    quads = {
        (row, column): lattice.corners(row, column)
        for row in range(lattice.rows)
        for column in range(lattice.columns)
    }
    # A cell that was found as a box lies where the box is; the others where the fit says.
    for index in lattice.members:
        place = lattice.find_cell(page.boxes.rects[index, :2])
        if place in quads:
            quads[place] = page.boxes.corners[index]
    outline = np.array(
        [
            lattice.locate(0, 0),
            lattice.locate(lattice.columns, 0),
            lattice.locate(lattice.columns, lattice.rows),
            lattice.locate(0, lattice.rows),
        ]
    )
    free &= ~_are_inside(page.components.boxes, outline)
    cells = []
    for (row, column), quad in quads.items():
        region = _find_cell_ink(page, quad)
        crop = crop_line(page, source, region) if region is not None else None
        corners = np.column_stack([quad, np.ones(4)]) @ page.view.to_picture.T
        cells.append(GridCell(row, column, np.asarray(corners[:, :2]), crop))
    return Grid(lattice.rows, lattice.columns, tuple(cells))


def _are_inside(boxes: Floats, quad: Floats) -> NDArray[np.bool_]:
    """Say of each box whether its middle lies within four corners: bool (n,)."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = np.ones(len(boxes), bool)
    for one, two in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        side = two - one
        inside &= side[0] * (center[:, 1] - one[1]) - side[1] * (center[:, 0] - one[0]) >= 0
    return inside


def _find_cell_ink(page: PageAnalysis, quad: Floats) -> LineRegion | None:
    """Return what is written in a cell, without residues of its lines; None if it is empty."""
    # The ink within the cell's corners, a little inside.
    shape = page.printed.shape
    inner = quad + CELL_INSET * 2 * (quad.mean(axis=0) - quad)
    left, top = np.maximum(np.floor(inner.min(axis=0)).astype(int), 0).tolist()
    right = min(shape[1], int(np.ceil(inner[:, 0].max())))
    bottom = min(shape[0], int(np.ceil(inner[:, 1].max())))
    if right - left < 4 or bottom - top < 4:
        return None
    field = np.zeros((bottom - top, right - left), np.uint8)
    points = np.rint((inner - (left + 0.5, top + 0.5)) * 16).astype(np.int32)
    cv2.fillConvexPoly(field, points, 1, shift=4)
    field &= page.printed[top:bottom, left:right]

    # Its components, without those of the frame and near the sides.
    height = float(np.linalg.norm(quad[3] - quad[0] + quad[2] - quad[1]) / 2)
    width = float(np.linalg.norm(quad[1] - quad[0] + quad[2] - quad[3]) / 2)
    _, label_image, stats, centers = cv2.connectedComponentsWithStats(field, connectivity=8)
    labels = np.asarray(label_image, np.int32)
    offsets = (centers + np.array([left, top]) - quad.mean(axis=0)) / (width, height)
    across, down = stats[:, 2] / width, stats[:, 3] / height
    # What is broad may come near a side: half a digit whose other half crosses the line.
    broad = (across > MAX_RESIDUE_SIZE) & (down > MAX_RESIDUE_SIZE)
    distance = np.where(broad, RESIDUE_DISTANCE / 2, RESIDUE_DISTANCE)
    keep = (np.abs(offsets) < 0.5 - distance[:, None]).all(axis=1) & (stats[:, 4] >= 3)
    keep &= ~_are_frames(labels, np.maximum(across, down) >= MIN_FRAME_SIZE)
    keep[0] = False

    # A digit, or the larger part of a broken one, is in the middle of its cell and large.
    central = (np.abs(offsets) < MAX_CENTER_OFFSET).all(axis=1) & (down >= MIN_PART_HEIGHT)
    if not (keep & central).any():
        return None
    ink = keep[labels]
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    ink_height = rows[-1] + 1 - rows[0]
    if ink_height < MIN_DIGIT_HEIGHT * height or ink.sum() < MIN_DIGIT_AREA * width * height:
        return None
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    side = quad[1] - quad[0] + quad[2] - quad[3]
    return LineRegion(
        left + int(columns[0]),
        top + int(rows[0]),
        ink.astype(np.uint8) * np.uint8(255),
        float(ink_height),
        float(side[1] / side[0]),
        TextLine([0], boxed=True),
        1.0,
    )


def _are_frames(labels: NDArray[np.int32], large: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which of the large components lie along the sides of the field: bool (n,)."""
    frames = np.zeros_like(large)
    rows, columns = labels.shape
    down, across = max(1, round(FRAME_DEPTH * rows)), max(1, round(FRAME_DEPTH * columns))
    for index in np.flatnonzero(large[1:]) + 1:
        component = labels == index
        inner = int(component[down : rows - down, across : columns - across].sum())
        frames[index] = inner < 0.3 * int(component.sum())
    return frames


def crop_original(pixels: Pixels, crop: LineCrop) -> Gray:
    """Cut a line out of the picture with all that is on the paper.

    Removing rules and patterns may remove strokes, too; where a cleaned crop is not read with
    confidence, this one shows what was there.

    pixels: uint8 (H, W), or (H, W, 3) red, green, blue: the picture that the crop was found on
    crop: found on it; not necessarily upright

    Returns uint8 (h, w), the shape of `crop.ink`: gray, level, in the picture's own polarity;
    its columns are those of the crop.
    """
    height, width = crop.ink.shape
    along = np.interp(np.arange(width) + 0.5, np.arange(width + 1), crop.columns)
    down = np.arange(height) + 0.5
    matrix = crop.to_picture
    # OpenCV's coordinates are those of pixel centers: half a pixel less than ours.
    x = matrix[0, 0] * along[None, :] + matrix[0, 1] * down[:, None] + matrix[0, 2] - 0.5
    y = matrix[1, 0] * along[None, :] + matrix[1, 1] * down[:, None] + matrix[1, 2] - 0.5
    left, top = int(max(0, x.min() - 2)), int(max(0, y.min() - 2))
    part = pixels[top : int(y.max()) + 3, left : int(x.max()) + 3]
    if not part.size:
        return np.full((height, width), 255, np.uint8)
    return np.asarray(
        cv2.remap(
            to_gray(part),
            (x - left).astype(np.float32),
            (y - top).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )
