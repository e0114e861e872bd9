"""What is found on a picture: crops of writing, each with its place, and grids."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.geometry import Box

    Gray: TypeAlias = "NDArray[np.uint8]"
    Corners: TypeAlias = "NDArray[np.float64]"


@dataclass(frozen=True, eq=False)
class LineCrop:
    """One line of writing, cut out, levelled and cleaned.

    Parameters
    ----------
    ink
        uint8 (h, w): 0 = paper, 255 = full ink, whatever the picture's polarity. The paper,
        printed rules and frames, and what belongs to other lines are taken out; grey edges
        and faint strokes stay.
    columns
        float64 (w + 1,): for each column's left edge, and the last one's right, the place
        along the line before gaps were shortened; it rises all along.
    to_picture
        float64 (2, 3): (place along the line, row of the crop, 1) -> (x, y) in the picture.
        Pixel (row y, column x) covers y..y+1 and x..x+1.
    height
        Of the writing, in pixels of the picture.
    slope
        Rows down per column to the right along the line, in the picture as it was read, that
        is after `PageLayout.rotation`.
    marks
        How many marks the line has: about as many as digits, fewer where digits touch.
    score
        0..1: how much it looks like a number; only the order means something.
    margin
        Rows and columns of paper on each side of the ink, in pixels of the crop.
    boxed
        Whether the digits stand in a row of printed boxes, one in each.
    part
        Whether this is a part of another crop, parted at a wide gap.

    Examples
    --------
    >>> ink = np.zeros((20, 30), np.uint8)
    >>> turn = np.array([[2.0, 0, 10], [0, 2.0, 40]])
    >>> crop = LineCrop(ink, np.arange(31.0), turn, height=40, slope=0.0, marks=1, score=1)
    >>> crop.box, crop.locate_box(5, 10)
    ((10.0, 40.0, 70.0, 80.0), (20.0, 40.0, 30.0, 80.0))
    """

    ink: Gray
    columns: NDArray[np.float64]
    to_picture: NDArray[np.float64]
    height: float
    slope: float
    marks: int
    score: float
    margin: int = 0
    boxed: bool = False
    part: bool = False

    def place(self, column: float) -> float:
        """Return the place along the line of a column, 0 .. w, whole or between two."""
        return float(np.interp(column, np.arange(len(self.columns)), self.columns))

    def locate_corners(
        self, left: float, right: float, top: float = 0.0, bottom: float | None = None
    ) -> Corners:
        """Return where a part of the crop lies in the picture.

        Returns
        -------
        float64 (4, 2): x and y of its upper left, upper right, lower right and lower left
        corner, as one reads it.
        """
        low = float(self.ink.shape[0]) if bottom is None else bottom
        start, end = self.place(left), self.place(right)
        spots = np.array([[start, top, 1], [end, top, 1], [end, low, 1], [start, low, 1]])
        return np.asarray(spots @ self.to_picture.T, np.float64)

    def locate_box(
        self, left: float, right: float, top: float = 0.0, bottom: float | None = None
    ) -> Box:
        """Return the upright box around it: left, top, right, bottom in the picture."""
        corners = self.locate_corners(left, right, top, bottom)
        (x, y), (end, low) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        return x, y, end, low

    @property
    def corners(self) -> Corners:
        """The corners of the ink in the picture, margins left out; see `locate_corners`."""
        height, width = self.ink.shape
        edge = self.margin
        return self.locate_corners(edge, width - edge, edge, height - edge)

    @property
    def box(self) -> Box:
        """The upright box around the ink in the picture: left, top, right, bottom."""
        corners = self.corners
        (x, y), (end, low) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        return x, y, end, low

    @property
    def picture(self) -> Gray:
        """The crop as dark ink on white paper: uint8 (h, w), 255 = paper."""
        return np.asarray(255 - self.ink, np.uint8)

    def upside_down(self) -> LineCrop:
        """Return the same crop as it reads with the page turned by 180 degrees."""
        height = self.ink.shape[0]
        length = float(self.columns[0] + self.columns[-1])
        turn = np.array([[-1.0, 0, length], [0, -1.0, height], [0, 0, 1]])
        return replace(
            self,
            ink=np.ascontiguousarray(self.ink[::-1, ::-1]),
            columns=length - self.columns[::-1],
            to_picture=self.to_picture @ turn,
        )


@dataclass(frozen=True, eq=False)
class GridCell:
    """One box of a table.

    Parameters
    ----------
    row, column
        Counted from 0, at the upper left.
    corners
        float64 (4, 2): x and y of its upper left, upper right, lower right and lower left
        corner in the picture.
    crop
        What is written in it; None where it is empty.
    """

    row: int
    column: int
    corners: Corners
    crop: LineCrop | None


@dataclass(frozen=True, eq=False)
class Grid:
    """A table of equal boxes.

    Parameters
    ----------
    rows, columns
        How many.
    cells
        Row by row, `rows * columns` of them.
    """

    rows: int
    columns: int
    cells: tuple[GridCell, ...]

    def upside_down(self) -> Grid:
        """Return the same table as it reads with the page turned by 180 degrees."""
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


@dataclass(frozen=True, eq=False)
class PageLayout:
    """The lines of a picture.

    Parameters
    ----------
    crops
        In reading order: columns of text from left to right, in each from top to bottom. A
        part of a line follows the line.
    size
        Width and height of the picture, upright as its EXIF entry says.
    rotation
        Degrees, counter-clockwise, by which the picture was turned for the lines to run from
        left to right; near 0 where nothing speaks against it. Upside-down writing looks like
        writing: whether `rotation` + 180 is right only a reader can say (`upside_down`).
    inverted
        Whether the ink is lighter than the paper.
    grids
        Tables of cells that were found, a sudoku say; what stands in them is in no crop.
    stages
        (name, picture) of the steps, uint8 (H, W) or (H, W, 3), when they were asked for.
    about
        What was done, in words.
    """

    crops: tuple[LineCrop, ...]
    size: tuple[int, int]
    rotation: float = 0.0
    inverted: bool = False
    grids: tuple[Grid, ...] = ()
    stages: tuple[tuple[str, Gray], ...] = ()
    about: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.crops)

    @property
    def ranked(self) -> tuple[LineCrop, ...]:
        """The crops, the likeliest number first."""
        return tuple(sorted(self.crops, key=lambda crop: -crop.score))

    def upside_down(self) -> PageLayout:
        """Return the same lines as they read with the page turned by 180 degrees."""
        return replace(
            self,
            crops=tuple(crop.upside_down() for crop in self.crops[::-1]),
            rotation=(self.rotation + 180) % 360,
            grids=tuple(grid.upside_down() for grid in self.grids[::-1]),
        )
