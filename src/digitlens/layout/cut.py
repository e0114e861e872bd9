"""Strips: a line levelled, cleaned of all that is not its own, its wide gaps shortened."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.layout.colour import grey_of
from digitlens.layout.found import Strip
from digitlens.layout.level import ink_of
from digitlens.layout.masks import widened, without
from digitlens.layout.middle import median, quantile
from digitlens.layout.rows import bounds, height_of
from digitlens.layout.view import warped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.layout.rows import Row
    from digitlens.layout.scene import Scene

    Grey: TypeAlias = "NDArray[np.uint8]"
    Mask: TypeAlias = "NDArray[np.uint8]"
    Matrix: TypeAlias = "NDArray[np.float64]"
    Table: TypeAlias = "NDArray[np.float64]"

HEIGHTS = (24.0, 48.0)
"""The least and the most pixels that writing has in a strip: what is smaller is enlarged, what
is larger loses nothing that a reader of 32 rows could use."""

MARGIN = 0.15
"""Paper left above, below and beside the ink, in the writing's height."""

LONGEST_GAP = 0.35
"""Gaps wider than this, in the writing's height, are shortened to it: a reader learns numbers,
not distances."""

FINER = 1.5
"""From so many pixels of the picture on for one of the strip, strips are cut from the view."""

MOST_COLUMNS = 4096
"""The most columns of a strip before gaps are shortened: 80 digits far apart."""

STEEPEST = 0.35
"""The most that a line is taken to slope, in rows per column."""


class Source:
    """The picture that strips are cut from, in the channel of its scene.

    Parameters
    ----------
    picture
        uint8 (H, W) or (H, W, 3).
    """

    def __init__(self, picture: Grey, scene: Scene) -> None:
        self._picture, self._scene = picture, scene

    @cached_property
    def _whole(self) -> Grey:
        return grey_of(self._picture, self._scene.dropped.channel)

    def cut(self, back: Matrix, size: tuple[int, int], times: float) -> Grey:
        """Return `size` (width, height) pixels: uint8 (height, width).

        Parameters
        ----------
        back
            float64 (3, 3): (x, y, 1) of the strip -> (x, y, 1) of the view.
        times
            Pixels of the picture to one of the strip: where there are many, the view, which
            has fewer, is fine enough.
        """
        if times > FINER and self._scene.view.scale < 1:
            return warped(self._scene.grey, back, size)
        return warped(self._whole, self._scene.view.to_picture @ back, size)


def slope_of(boxes: Table) -> tuple[float, float]:
    """Return a line's slope in rows per column, and how many heights long it is.

    The median slope between the tops and between the bottoms of its marks (P. K. Sen, 1968).
    """
    left, top, right, bottom = boxes.T
    high = median(bottom - top)
    across = (left + right) / 2
    if len(boxes) > 60:
        left, top, right, bottom, across = (
            each[:: len(boxes) // 60 + 1] for each in (left, top, right, bottom, across)
        )
    one, two = np.triu_indices(len(across), 1)
    step = across[two] - across[one]
    far = np.abs(step) > 0.6 * high
    if not far.any():
        return 0.0, 0.0
    slopes = np.concatenate(
        [(edge[two] - edge[one])[far] / step[far] for edge in (top, bottom)]
    )
    return median(slopes), float(across.max() - across.min()) / high


@dataclass(frozen=True, eq=False)
class Piece:
    """Ink that makes one line.

    Parameters
    ----------
    left, top
        Where `own` lies in the view.
    own
        uint8 (h, w): 255 where a mark of the line is, 0 elsewhere.
    high
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
    high: float
    slope: float
    row: Row
    score: float


def piece_of(scene: Scene, row: Row, *, slope: float, score: float) -> Piece:
    """Return a row's marks as a piece."""
    left, top, right, bottom = (
        int(edge) for edge in bounds(scene.marks, row.marks + row.small)
    )
    chosen = np.zeros(len(scene.marks.boxes) + 1, np.uint8)
    chosen[[at + 1 for at in row.marks + row.small]] = 255
    own = chosen[scene.marks.labels[top:bottom, left:right]]
    return Piece(left, top, own, height_of(scene.marks, row.marks), slope, row, score)


def cut(scene: Scene, source: Source, piece: Piece) -> Strip | None:
    """Cut one line out; None where nothing of it is left.

    Parameters
    ----------
    scene
        The view that it was found on.
    source
        The picture.
    """
    high = piece.high
    unit = min(max(high / scene.view.scale, HEIGHTS[0]), HEIGHTS[1]) / high
    frame, back = _frame(piece, unit)
    if frame[0] > MOST_COLUMNS:
        return None
    own, other = _masks(scene, piece, back, frame)
    rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
    if not len(rows):
        return None
    margin = round(MARGIN * high * unit)
    top, low = rows[0] - margin, rows[-1] + 1 + margin  # `_frame` leaves room for it
    left, right = columns[0] - margin, columns[-1] + 1 + margin
    own, other = own[top:low, left:right], other[top:low, left:right]
    back = back @ np.array([[1, 0, left], [0, 1, top], [0, 0, 1.0]])
    ink = _ink(scene, source, back, own, other, 1 / (unit * scene.view.scale))
    kept = _kept(np.asarray(own.any(axis=0)), round(LONGEST_GAP * high * unit))
    shown = np.flatnonzero(kept)
    return Strip(
        ink=np.ascontiguousarray(ink[:, kept]),
        columns=np.append(shown, shown[-1] + 1).astype(np.float64),
        to_picture=(scene.view.to_picture @ back)[:2],
        height=high / scene.view.scale,
        slope=piece.slope,
        marks=len(piece.row.marks),
        score=piece.score,
        margin=margin,
        boxed=piece.row.boxed,
        part=piece.row.part,
    )


def _frame(piece: Piece, unit: float) -> tuple[tuple[int, int], Matrix]:
    """Return the size of a strip around a piece, and its (x, y, 1) -> that of the view."""
    angle = math.atan(piece.slope)
    cos, sin = math.cos(angle), math.sin(angle)
    tall, wide = piece.own.shape
    room = 2 * MARGIN * piece.high + 4 / unit + 2
    length = wide * cos + tall * abs(sin) + room
    depth = tall * cos + wide * abs(sin) + room
    size = max(4, math.ceil(length * unit)), max(4, math.ceil(depth * unit))
    back = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]]) / unit
    back[2, 2] = 1.0
    middle = back @ np.array([size[0] / 2, size[1] / 2, 1])
    back[:2, 2] = piece.left + wide / 2 - middle[0], piece.top + tall / 2 - middle[1]
    return size, back


def _masks(
    scene: Scene, piece: Piece, back: Matrix, size: tuple[int, int]
) -> tuple[Mask, Mask]:
    """Return what belongs to the line, and ink that does not, in the strip's frame.

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
    tall, wide = piece.own.shape
    y, x = piece.top - top, piece.left - left
    own[y : y + tall, x : x + wide] = piece.own
    inked = scene.inked[top:low, left:right]
    if scene.view.inside is not None:
        inked = inked | (1 - scene.view.inside[top:low, left:right])
    other = without(inked * np.uint8(255), own)
    # Edges that are paler than a mark go with it; the line's own edges stay.
    other = without(widened(other, 5, 5), widened(own, 3, 3))
    shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]])
    own = warped(own, shift @ back, size, fill=0)
    own = (own > 127).astype(np.uint8) * np.uint8(255)
    return own, warped(other, shift @ back, size, fill=255)


def _ink(
    scene: Scene,
    source: Source,
    back: Matrix,
    own: Mask,
    other: Mask,
    times: float,
) -> Grey:
    """Cut the line's ink out of the picture, brought to 0 = paper, 255 = full ink.

    Parameters
    ----------
    times
        Pixels of the picture to one of the strip.
    """
    size = own.shape[1], own.shape[0]
    grey = source.cut(back, size, times)
    small, shape = scene.paper.small, scene.mask.shape
    shrink = np.diag([small.shape[1] / shape[1], small.shape[0] / shape[0], 1.0])
    paper = warped(small, shrink @ back, size)
    ink = ink_of(grey, paper, light=scene.paper.light).astype(np.float32)
    marked = ink[own > 0]
    full = quantile(marked, 0.8) if marked.size else 255.0
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
