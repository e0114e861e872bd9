"""The result of layout analysis: crops of lines, each with its place, and grids."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from digitlens.geometry import Box, Floats, Gray, Pixels


@dataclass(frozen=True, eq=False)
class LineCrop:
    """One line of writing, cut out, leveled and cleaned.

    >>> ink = np.zeros((20, 30), np.uint8)
    >>> scale = np.array([[2.0, 0, 10], [0, 2.0, 40]])
    >>> crop = LineCrop(ink, np.arange(31.0), scale, 40, slope=0.0, components=1, score=1)
    >>> crop.box, crop.locate_box(5, 10)
    ((10.0, 40.0, 70.0, 80.0), (20.0, 40.0, 30.0, 80.0))
    """

    # uint8 (h, w): 0 = paper, 255 = full ink, whatever the picture's polarity. Paper, printed
    # rules and frames, and what belongs to other lines are removed; gray edges and faint
    # strokes stay.
    ink: Gray
    # float64 (w + 1,): for each column's left edge, and the last one's right, its position
    # along the line before gaps were shortened; strictly rising.
    columns: Floats
    # float64 (2, 3): (position along the line, row of the crop, 1) -> (x, y) in the picture.
    # Pixel (row y, column x) covers y..y+1 and x..x+1.
    to_picture: Floats
    height: float  # of the writing, in pixels of the picture
    # Rows down per column to the right, in the picture after `PageLayout.rotation`.
    slope: float
    # How many connected pieces of ink the line has: about as many as digits, fewer where digits
    # touch.
    components: int
    score: float  # 0..1: how much it looks like a number; only the order means something
    margin: int = 0  # rows and columns of paper on each side of the ink, in pixels of the crop
    boxed: bool = False  # whether the digits stand in a row of printed boxes, one in each
    part: bool = False  # whether this is a part of another line, split at a wide gap
    certainty: float = 1.0  # 0..1: how surely all of its ink is digits, as far as known

    def locate_corners(
        self, left: float, right: float, top: float = 0.0, bottom: float | None = None
    ) -> Floats:
        """Return where a part of the crop lies in the picture.

        Returns float64 (4, 2): x and y of its upper left, upper right, lower right and lower
        left corner, as one reads it.
        """
        bottom = float(self.ink.shape[0]) if bottom is None else bottom
        edges = np.arange(len(self.columns))
        start, end = (float(np.interp(edge, edges, self.columns)) for edge in (left, right))
        spots = np.array([[start, top, 1], [end, top, 1], [end, bottom, 1], [start, bottom, 1]])
        return np.asarray(spots @ self.to_picture.T, np.float64)

    def locate_box(
        self, left: float, right: float, top: float = 0.0, bottom: float | None = None
    ) -> Box:
        """Return the upright box around a part of the crop in the picture."""
        return _bounding_box(self.locate_corners(left, right, top, bottom))

    # Kept once known: reading a piece of mail asks fifty times for the boxes of 18 crops.
    @cached_property
    def corners(self) -> Floats:
        """The corners of the ink in the picture, without the margins."""
        height, width = self.ink.shape
        edge = self.margin
        return self.locate_corners(edge, width - edge, edge, height - edge)

    @cached_property
    def box(self) -> Box:
        """The upright box around the ink in the picture."""
        return _bounding_box(self.corners)

    @property
    def picture(self) -> Gray:
        """The crop as dark ink on white paper: uint8 (h, w), 255 = paper."""
        return np.asarray(255 - self.ink, np.uint8)

    def upside_down(self) -> LineCrop:
        """Return the same crop with the page turned by 180 degrees."""
        height = self.ink.shape[0]
        length = float(self.columns[0] + self.columns[-1])
        half_turn = np.array([[-1.0, 0, length], [0, -1.0, height], [0, 0, 1]])
        return replace(
            self,
            ink=np.ascontiguousarray(self.ink[::-1, ::-1]),
            columns=length - self.columns[::-1],
            to_picture=self.to_picture @ half_turn,
        )

    def shift(self, offset: tuple[int, int]) -> LineCrop:
        """Return the same crop of a picture that begins `offset` (x, y) farther left and up."""
        move = np.zeros((2, 3))
        move[:, 2] = offset
        return replace(self, to_picture=self.to_picture + move)


def _bounding_box(corners: Floats) -> Box:
    (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return x0, y0, x1, y1


@dataclass(frozen=True, eq=False)
class GridCell:
    """One box of a table."""

    row: int  # counted from 0, at the upper left
    column: int
    # float64 (4, 2): x and y of its upper left, upper right, lower right and lower left corner
    # in the picture.
    corners: Floats
    crop: LineCrop | None  # what is written in it; None where it is empty


@dataclass(frozen=True, eq=False)
class Grid:
    """A table of equal boxes: `rows` x `columns` cells, row by row."""

    rows: int
    columns: int
    cells: tuple[GridCell, ...]

    def upside_down(self) -> Grid:
        """Return the same table with the page turned by 180 degrees."""
        return replace(
            self,
            cells=tuple(
                GridCell(
                    self.rows - 1 - cell.row,
                    self.columns - 1 - cell.column,
                    np.roll(cell.corners, 2, axis=0),
                    cell.crop.upside_down() if cell.crop is not None else None,
                )
                for cell in self.cells[::-1]
            ),
        )

    def shift(self, offset: tuple[int, int]) -> Grid:
        """Return the same table, moved as `LineCrop.shift` moves crops."""
        cells = (
            replace(
                cell,
                corners=cell.corners + np.array(offset),
                crop=cell.crop.shift(offset) if cell.crop is not None else None,
            )
            for cell in self.cells
        )
        return replace(self, cells=tuple(cells))


@dataclass(frozen=True, eq=False)
class PageLayout:
    """The lines of a picture."""

    # In reading order: columns of text from left to right, in each from top to bottom. A part
    # of a line follows the line.
    crops: tuple[LineCrop, ...]
    size: tuple[int, int]  # width and height of the picture, upright as its EXIF entry says
    # Degrees, counter-clockwise, by which the picture was turned so that its lines run from
    # left to right. Upside-down writing looks like writing: only a reader can say whether
    # `rotation` + 180 is right (`upside_down`).
    rotation: float = 0.0
    inverted: bool = False  # whether the ink is lighter than the paper
    # Whether `rotation` may be wrong by a quarter turn: only a reader can say.
    doubtful: bool = False
    # Tables of cells, such as a sudoku; what stands in them is not in `crops`.
    grids: tuple[Grid, ...] = ()
    # (name, picture) of the steps, uint8 (H, W) or (H, W, 3), if they were asked for.
    stages: tuple[tuple[str, Pixels], ...] = ()
    about: tuple[str, ...] = ()  # what was done, in words
    # Lines that were found to hold no number, where that was looked at.
    words: tuple[LineCrop, ...] = ()
    clarity: float = 0.0  # 0..1: how clearly its lines are writing this way up, likewise

    def __len__(self) -> int:
        return len(self.crops)

    @property
    def ranked(self) -> tuple[LineCrop, ...]:
        """The crops, the likeliest number first."""
        return tuple(sorted(self.crops, key=lambda crop: -crop.score))

    def upside_down(self) -> PageLayout:
        """Return the same lines with the page turned by 180 degrees."""
        return replace(
            self,
            crops=tuple(crop.upside_down() for crop in self.crops[::-1]),
            rotation=(self.rotation + 180) % 360,
            grids=tuple(grid.upside_down() for grid in self.grids[::-1]),
        )
