"""Strips: a line levelled, cleaned of all that is not its own, its wide gaps shortened.

* What stands in the cells of a table.
* A crop as it stands in the picture, with its paper: another view of the same line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.imaging.binarize import to_gray
from digitlens.layout.analysis import warp_affine
from digitlens.layout.color import gray_of
from digitlens.layout.grouping import TextLine, bounds, line_height
from digitlens.layout.illumination import (
    dilate,
    extract_ink,
    fast_median,
    fast_quantile,
    subtract,
)
from digitlens.layout.types import Grid, GridCell, LineCrop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.layout.analysis import PageAnalysis
    from digitlens.layout.grids import Lattice

    Gray: TypeAlias = "NDArray[np.uint8]"
    Mask: TypeAlias = "NDArray[np.uint8]"
    Matrix: TypeAlias = "NDArray[np.float64]"
    Table: TypeAlias = "NDArray[np.float64]"


HEIGHTS = (24.0, 48.0)
"""The least and the most pixels that writing has in a crop: what is smaller is enlarged, what
is larger loses nothing that a reader of 32 rows could use."""

MARGIN = 0.15
"""Paper left above, below and beside the ink, in the writing's height."""

LONGEST_GAP = 0.35
"""Gaps wider than this, in the writing's height, are shortened to it: a reader learns numbers,
not distances."""

FINER = 1.5
"""From so many pixels of the picture on for one of the crop, crops are cut from the view."""

MOST_COLUMNS = 4096
"""The most columns of a crop before gaps are shortened: 80 digits far apart."""

STEEPEST = 0.35
"""The most that a line is taken to slope, in rows per column."""


class CropSource:
    """The picture that crops are cut from, in the channel of its scene.

    Parameters
    ----------
    picture
        uint8 (H, W) or (H, W, 3).
    """

    def __init__(self, picture: Gray, scene: PageAnalysis) -> None:
        self._picture, self._scene = picture, scene

    @cached_property
    def _whole(self) -> Gray:
        return gray_of(self._picture, self._scene.dropped.channel)

    def cut(self, back: Matrix, size: tuple[int, int], times: float) -> Gray:
        """Return `size` (width, height) pixels: uint8 (height, width).

        Parameters
        ----------
        back
            float64 (3, 3): (x, y, 1) of the crop -> (x, y, 1) of the view.
        times
            Pixels of the picture to one of the crop: where there are many, the view, which
            has fewer, is fine enough.
        """
        if times > FINER and self._scene.view.scale < 1:
            return warp_affine(self._scene.gray, back, size)
        return warp_affine(self._whole, self._scene.view.to_picture @ back, size)


def line_slope(boxes: Table) -> tuple[float, float]:
    """Return a line's slope in rows per column, and how many heights long it is.

    The median slope between the tops and between the bottoms of its marks (P. K. Sen, 1968).
    """
    left, top, right, bottom = boxes.T
    height = fast_median(bottom - top)
    across = (left + right) / 2
    if len(boxes) > 60:
        left, top, right, bottom, across = (
            item[:: len(boxes) // 60 + 1] for item in (left, top, right, bottom, across)
        )
    one, two = np.triu_indices(len(across), 1)
    step = across[two] - across[one]
    far = np.abs(step) > 0.6 * height
    if not far.any():
        return 0.0, 0.0
    slopes = np.concatenate(
        [(edge[two] - edge[one])[far] / step[far] for edge in (top, bottom)]
    )
    return fast_median(slopes), float(across.max() - across.min()) / height


@dataclass(frozen=True, eq=False)
class LineMask:
    """Ink that makes one line.

    Parameters
    ----------
    left, top
        Where `own` lies in the view.
    own
        uint8 (h, w): 255 where a mark of the line is, 0 elsewhere.
    height
        The height of its digits in pixels of the view.
    slope
        Rows down per column to the right.
    row
        Its marks, and whether it is boxed or a part.
    score
        0..1.
    """

    left: int
    top: int
    own: Mask
    height: float
    slope: float
    row: TextLine
    score: float


def line_mask(scene: PageAnalysis, row: TextLine, *, slope: float, score: float) -> LineMask:
    """Return a row's marks as a piece."""
    left, top, right, bottom = (
        int(edge) for edge in bounds(scene.marks, row.marks + row.small)
    )
    chosen = np.zeros(len(scene.marks.boxes) + 1, np.uint8)
    chosen[[index + 1 for index in row.marks + row.small]] = 255
    own = chosen[scene.marks.labels[top:bottom, left:right]]
    return LineMask(left, top, own, line_height(scene.marks, row.marks), slope, row, score)


def crop_line(scene: PageAnalysis, source: CropSource, piece: LineMask) -> LineCrop | None:
    """Cut one line out; None where nothing of it is left.

    Parameters
    ----------
    scene
        The view that it was found on.
    source
        The picture.
    """
    height = piece.height
    unit = min(max(height / scene.view.scale, HEIGHTS[0]), HEIGHTS[1]) / height
    frame, back = _frame(piece, unit)
    if frame[0] > MOST_COLUMNS:
        return None
    own, other = _masks(scene, piece, back, frame)
    rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
    if not len(rows):
        return None
    margin = round(MARGIN * height * unit)
    top, low = rows[0] - margin, rows[-1] + 1 + margin  # `_frame` leaves room for it
    left, right = columns[0] - margin, columns[-1] + 1 + margin
    own, other = own[top:low, left:right], other[top:low, left:right]
    back = back @ np.array([[1, 0, left], [0, 1, top], [0, 0, 1.0]])
    ink = _ink(scene, source, back, own, other, 1 / (unit * scene.view.scale))
    kept = _kept(np.asarray(own.any(axis=0)), round(LONGEST_GAP * height * unit))
    shown = np.flatnonzero(kept)
    return LineCrop(
        ink=np.ascontiguousarray(ink[:, kept]),
        columns=np.append(shown, shown[-1] + 1).astype(np.float64),
        to_picture=(scene.view.to_picture @ back)[:2],
        height=height / scene.view.scale,
        slope=piece.slope,
        marks=len(piece.row.marks),
        score=piece.score,
        margin=margin,
        boxed=piece.row.boxed,
        part=piece.row.part,
    )


def _frame(piece: LineMask, unit: float) -> tuple[tuple[int, int], Matrix]:
    """Return the size of a crop around a piece, and its (x, y, 1) -> that of the view."""
    angle = math.atan(piece.slope)
    cos, sin = math.cos(angle), math.sin(angle)
    tall, width = piece.own.shape
    room = 2 * MARGIN * piece.height + 4 / unit + 2
    length = width * cos + tall * abs(sin) + room
    depth = tall * cos + width * abs(sin) + room
    size = max(4, math.ceil(length * unit)), max(4, math.ceil(depth * unit))
    back = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]]) / unit
    back[2, 2] = 1.0
    middle = back @ np.array([size[0] / 2, size[1] / 2, 1])
    back[:2, 2] = piece.left + width / 2 - middle[0], piece.top + tall / 2 - middle[1]
    return size, back


def _masks(
    scene: PageAnalysis, piece: LineMask, back: Matrix, size: tuple[int, int]
) -> tuple[Mask, Mask]:
    """Return what belongs to the line, and ink that does not, in the crop's frame.

    uint8 (h, w), the first 0 or 255, the second with soft edges; what lies outside the
    picture counts as other ink.
    """
    corners = np.array([[0, 0, 1], [size[0], 0, 1], [size[0], size[1], 1], [0, size[1], 1.0]])
    spots = corners @ back.T
    shape = scene.mask.shape
    left, top = (max(0, math.floor(value) - 2) for value in spots[:, :2].min(axis=0))
    right = min(shape[1], math.ceil(spots[:, 0].max()) + 2)
    low = min(shape[0], math.ceil(spots[:, 1].max()) + 2)
    own = np.zeros((low - top, right - left), np.uint8)
    tall, width = piece.own.shape
    y, x = piece.top - top, piece.left - left
    own[y : y + tall, x : x + width] = piece.own
    inked = scene.inked[top:low, left:right]
    if scene.view.inside is not None:
        inked = inked | (1 - scene.view.inside[top:low, left:right])
    other = subtract(inked * np.uint8(255), own)
    # Edges that are paler than a mark go with it; the line's own edges stay.
    other = subtract(dilate(other, 5, 5), dilate(own, 3, 3))
    shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]])
    own = warp_affine(own, shift @ back, size, fill=0)
    own = (own > 127).astype(np.uint8) * np.uint8(255)
    return own, warp_affine(other, shift @ back, size, fill=255)


def _ink(
    scene: PageAnalysis,
    source: CropSource,
    back: Matrix,
    own: Mask,
    other: Mask,
    times: float,
) -> Gray:
    """Cut the line's ink out of the picture, brought to 0 = paper, 255 = full ink.

    Parameters
    ----------
    times
        Pixels of the picture to one of the crop.
    """
    size = own.shape[1], own.shape[0]
    gray = source.cut(back, size, times)
    small, shape = scene.paper.small, scene.mask.shape
    shrink = np.diag([small.shape[1] / shape[1], small.shape[0] / shape[0], 1.0])
    paper = warp_affine(small, shrink @ back, size)
    ink = extract_ink(gray, paper, inverted=scene.paper.inverted).astype(np.float32)
    marked = ink[own > 0]
    full = fast_quantile(marked, 0.8) if marked.size else 255.0
    start = min(2.5 * scene.paper.noise, 0.35 * full)
    scaled = (
        (ink - start) * (255 / max(full - start, 1.0)) * (1 - other.astype(np.float32) / 255)
    )
    return np.asarray(np.clip(np.rint(scaled), 0, 255), np.uint8)


def _kept(inked: NDArray[np.bool_], longest: int) -> NDArray[np.bool_]:
    """Say which columns stay when gaps longer than `longest` lose their middle."""
    kept = np.ones(len(inked), bool)
    columns = np.flatnonzero(inked)
    for one, two in pairwise(columns.tolist()):
        if two - one - 1 > longest:
            half = longest // 2
            kept[one + 1 + half : two - (longest - half)] = False
    return kept


INSET = 0.05
"""How far in from its corners a cell is looked at, in its size: lines are no wider."""

LEAST_HEIGHT, LEAST_AREA = 0.3, 0.012
"""The least height and ink of a digit, in the cell's height and area."""

MIDDLE, PART = 0.33, 0.2
"""How far from the middle of its cell a digit's may be, in its size, and the least height of a
digit's largest part."""

CORNER, ALONG = 0.65, 0.14
"""What is so wide and high, in the cell's size, and lies so near its sides, is its frame."""

BROAD = 0.15
"""Narrower pieces near a side, in the cell's size, are rests of its line."""

RIM = 0.14
"""What has its middle so near a cell's side, in its size, is a rest of the line there."""


def crop_table(
    scene: PageAnalysis, source: CropSource, lattice: Lattice, free: NDArray[np.bool_]
) -> Grid:
    """Cut out what is written in each cell.

    Parameters
    ----------
    free
        bool (n,): marks that belong to no line yet; those inside the table are taken off.
    """
    quads = {
        (row, column): lattice.corners(row, column)
        for row in range(lattice.rows)
        for column in range(lattice.columns)
    }
    for index in lattice.members:
        spot = lattice.spot(scene.cells.places[index, :2])
        if spot in quads:
            quads[spot] = scene.cells.corners[index]
    whole = np.array([lattice.at(0, 0), lattice.at(lattice.columns, 0)])
    below = [lattice.at(lattice.columns, lattice.rows), lattice.at(0, lattice.rows)]
    free &= ~_inside(scene, np.concatenate([whole, below]))
    cells = []
    for (row, column), quad in quads.items():
        piece = _written(scene, quad)
        crop = crop_line(scene, source, piece) if piece is not None else None
        spots = np.column_stack([quad, np.ones(4)]) @ scene.view.to_picture.T
        cells.append(GridCell(row, column, np.asarray(spots[:, :2]), crop))
    return Grid(lattice.rows, lattice.columns, tuple(cells))


def _inside(scene: PageAnalysis, quad: Table) -> NDArray[np.bool_]:
    """Say of each mark whether its middle lies within four corners: bool (n,)."""
    boxes = scene.marks.boxes
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = np.ones(len(boxes), bool)
    for one, two in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        side = two - one
        inside &= side[0] * (middle[:, 1] - one[1]) - side[1] * (middle[:, 0] - one[0]) >= 0
    return inside


def _written(scene: PageAnalysis, quad: Table) -> LineMask | None:
    """Return what is written in a cell, without rests of its lines; None where it is empty."""
    shape = scene.inked.shape
    inner = quad + INSET * 2 * (quad.mean(axis=0) - quad)
    left, top = np.maximum(np.floor(inner.min(axis=0)).astype(int), 0).tolist()
    right = min(shape[1], int(np.ceil(inner[:, 0].max())))
    low = min(shape[0], int(np.ceil(inner[:, 1].max())))
    if right - left < 4 or low - top < 4:
        return None
    field = np.zeros((low - top, right - left), np.uint8)
    points = np.rint((inner - (left + 0.5, top + 0.5)) * 16).astype(np.int32)
    cv2.fillConvexPoly(field, points, 1, shift=4)
    field &= scene.inked[top:low, left:right]
    height = float(np.linalg.norm(quad[3] - quad[0] + quad[2] - quad[1]) / 2)
    width = float(np.linalg.norm(quad[1] - quad[0] + quad[2] - quad[3]) / 2)
    _, joined, stats, middles = cv2.connectedComponentsWithStats(field, connectivity=8)
    labels = np.asarray(joined, np.int32)
    spots = (middles + np.array([left, top]) - quad.mean(axis=0)) / (width, height)
    across, down = stats[:, 2] / width, stats[:, 3] / height
    # What is broad may come near a side: half a digit whose other half crosses the line.
    rim = np.where((across > BROAD) & (down > BROAD), RIM / 2, RIM)
    keep = (np.abs(spots) < 0.5 - rim[:, None]).all(axis=1) & (stats[:, 4] >= 3)
    keep &= ~_frame_tables(labels, (across >= CORNER) & (down >= CORNER))
    keep[0] = False
    # A digit, or the larger part of a broken one, is in the middle of its cell.
    if not (keep & (np.abs(spots) < MIDDLE).all(axis=1) & (down >= PART)).any():
        return None
    own = keep[labels]
    rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
    tall = rows[-1] + 1 - rows[0]
    if tall < LEAST_HEIGHT * height or own.sum() < LEAST_AREA * width * height:
        return None
    own = own[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    side = quad[1] - quad[0] + quad[2] - quad[3]
    slope = float(side[1] / side[0])
    row = TextLine([0], boxed=True)
    place = left + int(columns[0]), top + int(rows[0])
    return LineMask(*place, own.astype(np.uint8) * np.uint8(255), float(tall), slope, row, 1.0)


def _frame_tables(labels: NDArray[np.int32], large: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which of the large pieces lie along the sides of the field: bool (n,)."""
    result = np.zeros_like(large)
    rows, columns = labels.shape
    deep, width = max(1, round(ALONG * rows)), max(1, round(ALONG * columns))
    for index in np.flatnonzero(large[1:]) + 1:
        piece = labels == index
        inner = int(piece[deep : rows - deep, width : columns - width].sum())
        result[index] = inner < 0.3 * int(piece.sum())
    return result


def crop_original(pixels: Gray, crop: LineCrop) -> Gray:
    """Cut a crop out of the picture with all that is on the paper.

    Taking out rules and patterns may take strokes along; where a cleaned crop is not read
    surely, this view shows what was there.

    Parameters
    ----------
    pixels
        uint8 (H, W), or (H, W, 3) red, green, blue: the picture that the crop was found on.
    crop
        Found on it; not necessarily upright.

    Returns
    -------
    uint8 (h, w), the shape of `crop.ink`: grey, levelled, in the picture's own polarity;
    its columns are those of the crop.
    """
    import cv2

    height, width = crop.ink.shape
    along = np.interp(np.arange(width) + 0.5, np.arange(width + 1), crop.columns)
    down = np.arange(height) + 0.5
    turn = crop.to_picture
    # OpenCV's coordinates are those of pixel centres: half a pixel less than ours.
    x = turn[0, 0] * along[None, :] + turn[0, 1] * down[:, None] + turn[0, 2] - 0.5
    y = turn[1, 0] * along[None, :] + turn[1, 1] * down[:, None] + turn[1, 2] - 0.5
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
