"""What is wanted of a picture (`ReadOptions`, `FormField`) and read on it (`Page`, `Table`)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from io import BytesIO
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from digitlens.ctc.line import Line
from digitlens.display import Shown
from digitlens.errors import UsageError
from digitlens.geometry import enclosing_box, rotate_upright
from digitlens.metrics.formatting import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from digitlens.ctc.probs import Lengths
    from digitlens.errors import DigitlensError
    from digitlens.geometry import Box, Pixels, Size
    from digitlens.imaging.inputs import InputFile
    from digitlens.imaging.sheets import Sheet

    Stage: TypeAlias = "tuple[str, NDArray[np.uint8]]"
    Where: TypeAlias = "Callable[[Box, Size], bool]"


GROUND_CONFIDENCE = 0.5
"""No single digit is surer than this on what lies around sheets, where nothing else is."""


@dataclass(frozen=True)
class Table:
    """A table of equal boxes that was read, such as a sudoku.

    >>> Table(1, 2, (None, None)).texts
    (('', ''),)
    """

    rows: int
    columns: int
    # Row by row, `rows * columns` of them; None where a box is empty.
    cells: tuple[Line | None, ...]

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """What stands in each cell, row by row; empty where nothing does."""
        flat = ["" if cell is None else cell.text for cell in self.cells]
        return tuple(
            tuple(flat[index : index + self.columns])
            for index in range(0, len(flat), self.columns)
        )

    def row_lines(self) -> list[Line]:
        """Return each row that holds something as one line."""
        lines = []
        for index in range(0, len(self.cells), self.columns):
            cells = [cell for cell in self.cells[index : index + self.columns] if cell]
            if cells:
                lines.append(
                    Line(
                        "".join(cell.text for cell in cells),
                        prod(cell.confidence for cell in cells),
                        enclosing_box(cell.box for cell in cells),
                        tuple(digit for cell in cells for digit in cell.digits),
                    )
                )
        return lines

    def as_dict(self) -> dict[str, Any]:
        """Return the table as plain values that JSON can hold."""
        return {
            "rows": self.rows,
            "columns": self.columns,
            "cells": [None if cell is None else cell.as_dict() for cell in self.cells],
        }


@dataclass(frozen=True, eq=False)
class ReadSheet:
    """A sheet in a picture, and by how many degrees it was turned to be read."""

    sheet: Sheet
    turn: float

    def upright(self, box: Box) -> tuple[Box, Size]:
        """Return a box of the picture on the sheet turned upright, and that sheet's size."""
        height, width = self.sheet.pixels.shape[:2]
        return rotate_upright(self.sheet.locate_box(box), (width, height), self.turn)


@dataclass(frozen=True, repr=False)
class Page(Shown):
    """A whole picture, read."""

    PICTURE = "ocr.output:page_png"

    # Numbers, in reading order; the likeliest first where a length was asked for; one for each
    # field, in the fields' order, where fields were given.
    lines: tuple[Line, ...]
    # Tables of boxes; the rows of each that hold something are among the lines too.
    tables: tuple[Table, ...] = ()
    # Width and height of the picture, upright as its EXIF entry says.
    size: tuple[int, int] = (0, 0)
    turn: float = 0.0  # degrees, counter-clockwise, by which it was turned to be read
    # (name, picture) of the steps, where they were asked for.
    stages: tuple[Stage, ...] = field(default=(), repr=False)
    about: tuple[str, ...] = ()  # what was done, in words
    # The sheets that were found in the picture; none where it is a sheet itself.
    sheets: tuple[ReadSheet, ...] = field(default=(), repr=False)
    words: tuple[Box, ...] = ()  # boxes of lines of writing that hold no number

    # What it is called, and its pixels, uint8 (H, W) or (H, W, 3), where they were kept.
    name: str = ""
    pixels: Pixels | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        some = ", ".join(line.text for line in self.lines[:3])
        more = ", ..." if len(self.lines) > 3 else ""
        width, height = self.size
        what = f"{self.name}, " if self.name else ""
        lines = plural(len(self.lines), "line")
        return f"Page({what}{width} x {height} pixels, {lines}: {some or 'nothing'}{more})"

    @property
    def text(self) -> str:
        """All lines, one below the other."""
        return "\n".join(line.text for line in self.lines)

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each line: its text, how sure it is, and its box."""
        edges = ("x0", "y0", "x1", "y1")
        return [
            {"page": self.name, "text": line.text, "confidence": line.confidence}
            | {edge: float(value) for edge, value in zip(edges, line.box, strict=True)}
            for line in self.lines
        ]

    def annotate(self) -> Image:
        """Return the picture, as Pillow has it, with a box around each number that was read.

        UsageError where its pixels were not kept: `digitlens.read` keeps them.
        """
        png = self._repr_png_()
        if png is None:
            raise UsageError(
                "a page needs its picture to be drawn",
                seen="no pixels",
                try_="digitlens.read(picture), or digitlens read FILE --annotate DIR",
            )
        from PIL import Image as pillow  # noqa: N813 - a module whose name is a class's

        return pillow.open(BytesIO(png))

    def upright(self, box: Box) -> tuple[Box, Size]:
        """Return a box on its sheet turned upright, and the sheet's size: width, height."""
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        for item in self.sheets:
            height, width = item.sheet.pixels.shape[:2]
            left, top, _, _ = item.sheet.locate_box((x, y, x, y))
            if 0 <= left <= width and 0 <= top <= height:
                return item.upright(box)
        return rotate_upright(box, self.size, self.turn)

    def on_sheet(self, sheet: Sheet) -> Page:
        """Return what was read on a sheet's pixels with boxes in its picture.

        Where only single digits were read around the sheets none is sure: grain reads as 1.
        """
        is_bare = sheet.is_ground and all(len(line.text) == 1 for line in self.lines)
        most = GROUND_CONFIDENCE if is_bare else 1.0

        def move(line: Line) -> Line:
            return line.map_boxes(sheet.map_box).at_most(most)

        tables = [
            replace(table, cells=tuple([cell and move(cell) for cell in table.cells]))
            for table in self.tables
        ]
        return replace(
            self,
            lines=tuple(map(move, self.lines)),
            tables=tuple(tables),
            words=tuple(map(sheet.map_box, self.words)),
            turn=(self.turn + sheet.rotation) % 360,
            sheets=(ReadSheet(sheet, self.turn),),
        )

    def doubted(self, lines: Sequence[Line], most: float) -> Page:
        """Return the same with these lines no surer than `most`."""
        doubted = [line.at_most(most) if line in lines else line for line in self.lines]
        return replace(self, lines=tuple(doubted))

    def as_dict(self) -> dict[str, Any]:
        """Return lines, tables, words, size and turn as plain values; no stages."""
        return {
            "size": list(self.size),
            "turn": round(self.turn, 1),
            "lines": [line.as_dict() for line in self.lines],
            "tables": [table.as_dict() for table in self.tables],
            "words": [[round(edge, 1) for edge in box] for box in self.words],
        }


def join_pages(pages: Sequence[Page], size: Size, *, ranked: bool) -> Page:
    """Return what was read on the sheets of one picture as one page.

    Parameters
    ----------
    pages
        At least one; the largest sheet says how the picture was turned.
    ranked
        Whether the likeliest lines of all sheets come first, not those of the first sheet.
    """
    lines = [line for page in pages for line in page.lines]
    if ranked and len(pages) > 1:
        lines.sort(key=lambda line: -line.confidence)
    sheets = tuple([item for page in pages for item in page.sheets])
    main = max(range(len(pages)), key=lambda index: sheets[index].sheet.pixels.size)
    stages = [
        (name if len(pages) == 1 else f"sheet-{number}-{name}", picture)
        for number, page in enumerate(pages, 1)
        for name, picture in page.stages
    ]
    about = f"{len(pages)} sheets" if len(pages) > 1 else "the sheet in the picture"
    return Page(
        tuple(lines),
        tuple([table for page in pages for table in page.tables]),
        size,
        pages[main].turn,
        tuple(stages),
        (about, *(note for page in pages for note in page.about)),
        sheets,
        tuple([box for page in pages for box in page.words]),
    )


MAX_CUT_GAP, MIN_ROW_OVERLAP, MAX_HEIGHT_RATIO = 1.0, 0.5, 2.0
"""Two lines may be one number that an edge of a sheet cuts where they are so near, in heights
of the taller one, share so much of the height of the lower one, and are so much alike."""


def find_cut_lines(pages: Sequence[Page]) -> list[Line]:
    """Return lines that stand on sheets of one picture so near as digits of one number do."""
    lines = [(index, line) for index, page in enumerate(pages) for line in page.lines]
    cut = [
        line
        for index, line in lines
        if any(index != other and _may_be_one(line.box, near.box) for other, near in lines)
    ]
    return sorted(cut, key=lambda line: line.box)


def _may_be_one(one: Box, two: Box) -> bool:
    """Say whether two boxes lie side by side as parts of one number do."""
    heights = sorted((one[3] - one[1], two[3] - two[1]))
    overlap = min(one[3], two[3]) - max(one[1], two[1])
    gap = max(one[0], two[0]) - min(one[2], two[2])
    is_row = (
        overlap >= MIN_ROW_OVERLAP * heights[0] and heights[1] <= MAX_HEIGHT_RATIO * heights[0]
    )
    return is_row and gap <= MAX_CUT_GAP * heights[1]


def holds(line: Line, part: Line) -> bool:
    """Say whether the middle of a part lies in a line's box."""
    x, y = (part.box[0] + part.box[2]) / 2, (part.box[1] + part.box[3]) / 2
    return line.box[0] <= x <= line.box[2] and line.box[1] <= y <= line.box[3]


@dataclass(frozen=True)
class FormField:
    """One number that is wanted from a picture.

    >>> FormField(count=5, area=(400, 300, 640, 360), boxes=True).count
    5
    """

    count: int | None = None  # how many digits it has; None when that is not known
    # Left, top, right, bottom in pixels of the picture; None for all of it.
    area: Box | None = None
    boxes: bool = False  # whether it is written into a row of printed boxes
    name: str = ""  # what results call it


DEFAULT_THRESHOLD = 0.9
"""A number counts as sure from this confidence on, where no error rate is promised: of ten
that are just as sure, nine are right."""


@dataclass(frozen=True)
class ReadOptions:
    """What is done with every page."""

    model: str | Path = "reader"  # a published line network, a run folder or an .onnx file
    lengths: Lengths = None  # allowed numbers of digits; None when any will do
    # Where numbers are known to stand; empty when all numbers are wanted.
    fields: tuple[FormField, ...] = ()
    line: bool = False  # whether each picture is one line
    # The confidence from which on a number is sure: one for each field, or one for all where
    # there are no fields. None where no confidence is enough.
    thresholds: tuple[float | None, ...] = (DEFAULT_THRESHOLD,)
    join: bool = False  # as `Reader.page` has them
    split: bool = False
    only_sure: bool = False  # whether results show what is sure, and no more
    # Existing folders for pictures of the steps and of what was read; None for none.
    stages: Path | None = None
    annotate: Path | None = None

    def is_sure(self, line: Line, index: int = 0) -> bool:
        """Say whether the line at place `index` of its page is read surely."""
        threshold = self.thresholds[index if self.fields else 0]
        return bool(line.text) and threshold is not None and line.confidence >= threshold

    def shown(self, lines: Sequence[Line]) -> list[tuple[int, Line]]:
        """Return the lines that results show, with their places on the page."""
        pairs = enumerate(lines)
        return [(i, line) for i, line in pairs if not self.only_sure or self.is_sure(line, i)]

    def field_name(self, index: int) -> str | None:
        """Return what the results call the line at place `index`, where fields are read."""
        return self.fields[index].name if self.fields else None


@dataclass(frozen=True)
class PageTask:
    """A page that is to be read: its file, that file's place among all, its own; from 0."""

    source: InputFile
    file_index: int
    page_index: int = 0


@dataclass(frozen=True)
class PageResult:
    """What came of a page.

    >>> from digitlens.imaging.inputs import InputFile
    >>> PageResult(PageTask(InputFile(Path("a.pdf"), "a.pdf", "a"), 0), number=2).name
    'a.pdf page 2'
    """

    task: PageTask  # which page
    # What stands on it; without stages and sheets. None where it could not be read.
    page: Page | None = None
    error: DigitlensError | None = None  # why it could not; None where it could
    # The page's number, from 1; None where the file has no pages, or could not be opened.
    number: int | None = None
    count: int = 1  # how many pages the file has; 1 when that is not known

    @property
    def lines(self) -> tuple[Line, ...]:
        """The numbers on the page; none where it could not be read."""
        return () if self.page is None else self.page.lines

    @property
    def file(self) -> str:
        """The file's name."""
        return self.task.source.name

    @property
    def name(self) -> str:
        """The file's name with the page's number."""
        return self.file if self.number is None else f"{self.file} page {self.number}"
