"""`Reader`: pictures of lines and whole pages -> numbers.

* All that was found on a picture, read.
* Tables of boxes: what stands in each, and the rows as lines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from digitlens.ctc.probs import check_lengths
from digitlens.ctc.result import Line
from digitlens.errors import ModelError, ShapeError
from digitlens.geometry import enclosing_box, rotate_upright
from digitlens.imaging.io import LoadedImage, load_image
from digitlens.layout import find_lines
from digitlens.metrics.risk_coverage import ThresholdResult, threshold_for_risk
from digitlens.ocr.network import load_line_recognizer
from digitlens.ocr.page import Page, Table, within
from digitlens.ocr.recognize import recognize_cell, recognize_crop, recognize_line_image
from digitlens.ocr.select import (
    RecognizedLine,
    drop_specks,
    is_one_line,
    may_be_one_line,
    merge_single_line,
    numbers,
    sort_by_likelihood,
    suppress_overlaps,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from digitlens.imaging.io import ImageSource
    from digitlens.layout.types import Grid, PageLayout
    from digitlens.ocr.network import LineRecognizer
    from digitlens.ocr.page import FormField, Stage, Where

    Pixels: TypeAlias = "NDArray[np.uint8]"
    Lengths = int | Collection[int]


LEAST = 0.3
"""Less sure than this, what stands in a cell is taken for specks or no digit."""


def read_table(network: LineRecognizer, grid: Grid) -> Table:
    """Read every cell of a table; most hold one digit or none."""
    cells = [
        None if cell.crop is None else recognize_cell(network, cell.crop) for cell in grid.cells
    ]
    clear = [None if cell is None or cell.confidence < LEAST else cell for cell in cells]
    return Table(grid.rows, grid.columns, tuple(clear))


def row_lines(table: Table) -> list[Line]:
    """Return each row of a table that holds something as one line."""
    rows = []
    for index in range(0, len(table.cells), table.columns):
        cells = [
            cell for cell in table.cells[index : index + table.columns] if cell is not None
        ]
        if cells:
            rows.append(
                Line(
                    "".join(cell.text for cell in cells),
                    prod(cell.confidence for cell in cells),
                    enclosing_box(cell.box for cell in cells),
                    tuple(digit for cell in cells for digit in cell.digits),
                )
            )
    return rows


UPRIGHT = 0.8
"""The least worth of a digit, on average, on a page that stands upright. 0, 1, 6, 8 and 9 are
sure the other way up, too, so that one sure line says little."""

ONE_WAY = frozenset("347")
"""Digits that are none on their heads: a sure number with one of them stands upright."""

CERTAIN, LONG = 0.9, 3
"""Confidence and digits of such a number, at least."""

CREDIBLE = 0.8
"""Less sure lines are worth nothing: words give doubtful digits either way up."""

CLEARLY = 1.1
"""A page is turned over when it is worth so many times more the other way up."""


@dataclass(frozen=True)
class PageReading:
    """What stands on a picture, one way up.

    Parameters
    ----------
    layout
        What was found.
    lines
        Numbers among its strips.
    tables
        Its tables.
    result
        All strips that were read, and what on them; whether it is a number or not.
    """

    layout: PageLayout
    lines: tuple[Line, ...]
    tables: tuple[Table, ...]
    found: tuple[RecognizedLine, ...] = ()

    @property
    def _all(self) -> list[Line]:
        return [*self.lines, *(cell for table in self.tables for cell in table.cells if cell)]

    @property
    def worth(self) -> float:
        """How many digits were read with some confidence, surely read ones counting most."""
        credible = (line for line in self._all if line.confidence >= CREDIBLE)
        return sum(len(line.text) * line.confidence**2 for line in credible)

    @property
    def certain(self) -> bool:
        """Whether there is a sure number that is none on its head."""
        return any(
            line.confidence >= CERTAIN and len(line.text) >= LONG and ONE_WAY & set(line.text)
            for line in self.lines
        )

    @property
    def sure(self) -> bool:
        """Whether the digits are so sure that the page cannot stand on its head."""
        return self.certain or self.worth > UPRIGHT * sum(len(line.text) for line in self._all)

    def beats(self, other: PageReading) -> bool:
        """Say whether this way up is clearly the right one."""
        return self.worth > CLEARLY * other.worth

    def of(self, where: Where | None) -> PageReading:
        """Return the same without the lines that are not wanted."""
        if where is None:
            return self
        size, turn = self.layout.size, self.layout.rotation
        wanted = tuple(
            line for line in self.lines if where(*rotate_upright(line.box, size, turn))
        )
        return replace(self, lines=wanted)

    def page(self, lengths: frozenset[int] | None) -> Page:
        """Return the result; rows of tables are lines where they have an allowed length.

        Boxes around what slopes may leave the picture a little: they end at its edges here.
        """
        size = self.layout.size
        lines = tuple(_within(line, size) for line in self.lines)
        tables = tuple(
            replace(table, cells=tuple(cell and _within(cell, size) for cell in table.cells))
            for table in self.tables
        )
        rows = [line for table in tables for line in row_lines(table)]
        if lengths is not None:
            rows = [line for line in rows if len(line.text) in lengths]
        layout = self.layout
        return Page(
            (*lines, *rows),
            tables,
            size,
            layout.rotation,
            layout.stages,
            layout.about,
        )


def _within(line: Line, size: tuple[int, int]) -> Line:
    digits = tuple(replace(item, box=within(item.box, size)) for item in line.digits)
    return replace(line, box=within(line.box, size), digits=digits)


def recognize_layout(
    network: LineRecognizer,
    layout: PageLayout,
    pixels: Pixels,
    lengths: frozenset[int] | None,
    where: Where | None = None,
    known: PageReading | None = None,
) -> PageReading:
    """Read every strip and table of a picture.

    Parameters
    ----------
    network
        That reads them.
    layout
        As `digitlens.layout.find_lines` found it.
    pixels
        uint8 (H, W) or (H, W, 3): the picture.
    lengths
        Allowed numbers of digits; then the likeliest numbers come first.
    where
        As for `digitlens.ocr.Reader.page`.
    known
        What was read of the same layout; it is not read again.
    """
    read = {item.strip: item for item in known.found} if known else {}
    result = [
        read.get(strip)
        or RecognizedLine(strip, recognize_crop(network, strip, lengths=lengths, pixels=pixels))
        for strip in layout.crops
        if where is None or where(*rotate_upright(strip.box, layout.size, layout.rotation))
    ]
    tables = (
        known.tables if known else tuple(read_table(network, grid) for grid in layout.grids)
    )
    cells = [cell for table in tables for cell in table.cells if cell]
    kept = numbers(suppress_overlaps(result) if lengths is None else result)
    kept = sort_by_likelihood(kept) if lengths is not None else drop_specks(kept, cells)
    lines = tuple(item.line for item in kept)
    return PageReading(layout, lines, tables, tuple(result))


LONGEST = 100_000
"""Pixels that a side may have: finding lines on a strip that is longer takes a minute."""


class Reader:
    """Reads numbers from pictures.

    Parameters
    ----------
    source
        A published line network, a run folder of ``digitlens train reader``, or an .onnx file.
    network
        A line network that is loaded already, instead.

    Raises
    ------
    ModelError
        There is no such network.

    Examples
    --------
    >>> reader = Reader()  # doctest: +SKIP
    >>> reader.read_line("amount.png").text  # doctest: +SKIP
    '12500'
    """

    def __init__(
        self, source: str | Path = "reader", *, network: LineRecognizer | None = None
    ) -> None:
        self.network = network or load_line_recognizer(source)

    def read_line(
        self, picture: ImageSource | LoadedImage, length: Lengths | None = None
    ) -> Line:
        """Read the one line of digits that a picture shows.

        Parameters
        ----------
        picture
            A path, the bytes of a picture file, a Pillow picture, an array uint8 (H, W) or
            (H, W, 3), or what `load_image` gave: the line from edge to edge, with or
            without paper around; dark on light or light on dark.
        length
            How many digits there are, or several numbers that are allowed; None when that is
            not known.

        Returns
        -------
        The line; its boxes are in pixels of the picture, upright as its EXIF entry says. The
        text is empty where no digit was seen.

        Raises
        ------
        MissingDataError, DataError, CorruptFileError, ShapeError
            As `digitlens.imaging.io.load_image` says; or a side of more than 100,000
            pixels.
        UsageError
            A length below 1.
        """
        lengths = check_lengths(length)
        return recognize_line_image(self.network, _opened(picture), lengths)

    def read(
        self,
        picture: ImageSource | LoadedImage,
        length: Lengths | None = None,
        *,
        fields: Sequence[FormField] | None = None,
    ) -> list[Line]:
        """Read all numbers of a whole picture; see `page`, whose lines these are."""
        return list(self.page(picture, length, fields=fields).lines)

    def page(
        self,
        picture: ImageSource | LoadedImage,
        length: Lengths | None = None,
        *,
        fields: Sequence[FormField] | None = None,
        stages: bool = False,
        where: Where | None = None,
    ) -> Page:
        """Read all numbers of a whole picture, and the tables on it.

        Parameters
        ----------
        picture
            As for `read_line`: any photo or scan; upside down or on its side, too.
        length
            How many digits a wanted number has, or several allowed numbers. Only such lines
            come back then, the likeliest first.
        fields
            What is wanted, one number each; `length` then counts for fields without a count.
        stages
            Whether `Page.stages` is filled; with fields, by the steps of each of them.
        where
            Says of the box around a line, and of width and height of the picture, both as
            they are once the picture is turned upright, whether the line is read; that takes
            most of the time. Neither tables nor fields are asked for.

        Returns
        -------
        The lines from top to bottom, left to right, columns one after the other, and rows of
        tables after them; or as said above. What is no number is left out, so that there may
        be no line.

        Raises
        ------
        MissingDataError, DataError, CorruptFileError, ShapeError, UsageError
            As `digitlens.layout.find_lines` says.
        """
        lengths = check_lengths(length)
        opened = _opened(picture)
        if fields:
            return self._fields(opened, fields, lengths, stages=stages)
        count = next(iter(lengths)) if lengths and len(lengths) == 1 else None
        layout = find_lines(opened, count=count, stages=stages)
        return self._read(layout, lengths, opened, where=where)

    def bar(self, max_error: float, length: Lengths | None = None) -> ThresholdResult:
        """Return how sure a line must be read, for at most `max_error` of these to be wrong.

        Parameters
        ----------
        max_error
            Above 0, at most 1: the share of wrong ones among the lines that reach the bar.
        length
            As it is given to `read_line` or `read`.

        Returns
        -------
        The bar. Its `confidence` is None where no bar keeps the promise: no line is then sure
        enough. It is set on lines composed of digits by writers held back from training; on
        other paper and by other hands the promise is only as good as that likeness.

        Raises
        ------
        UsageError
            A rate or a length out of range.
        ModelError
            The network has not been calibrated.
        """
        if self.network.calibrations is None:
            raise ModelError(
                f"{self.network.path} must be calibrated for a promise about errors",
                seen="no calibration in the file",
                try_="the published reader",
            )
        calibration = self.network.calibrations.of(check_lengths(length))
        return threshold_for_risk(max_error, calibration.curve)

    def _fields(
        self,
        opened: LoadedImage,
        fields: Sequence[FormField],
        lengths: frozenset[int] | None,
        *,
        stages: bool,
    ) -> Page:
        lines: list[Line] = []
        steps: list[Stage] = []
        height, width = opened.pixels.shape[:2]
        for number, field in enumerate(fields, 1):
            wanted = lengths if field.count is None else check_lengths(field.count)
            layout = find_lines(
                opened,
                count=field.count,
                area=field.area,
                boxes=field.boxes,
                stages=stages,
            )
            result = self._read(layout, wanted, opened, cut=field.area is not None)
            whole = 0.0, 0.0, float(width), float(height)
            nothing = Line("", 0.0, within(field.area or whole, (width, height)))
            lines.append(max(result.lines, key=_sureness, default=nothing))
            steps += [(f"field-{number}-{name}", picture) for name, picture in result.stages]
        return Page(
            tuple(lines), size=(width, height), stages=tuple(steps), about=(opened.about,)
        )

    def _read(
        self,
        layout: PageLayout,
        lengths: frozenset[int] | None,
        opened: LoadedImage,
        *,
        cut: bool = False,
        where: Where | None = None,
    ) -> Page:
        reading = recognize_layout(self.network, layout, opened.pixels, lengths, where)
        certain = is_one_line(layout)
        if not cut and (certain or may_be_one_line(layout)):
            whole = recognize_line_image(self.network, opened, lengths)
            return replace(
                reading, lines=merge_single_line(reading.lines, whole, certain=certain)
            ).page(lengths)
        reading = self._right_way_up(reading, opened.pixels, lengths)
        return reading.of(where).page(lengths)

    def _right_way_up(
        self, reading: PageReading, pixels: Pixels, lengths: frozenset[int] | None
    ) -> PageReading:
        """Read a page on its head, too, where it may stand so; by all of its lines."""
        layout = reading.layout
        if reading.certain:
            return reading
        if len(reading.found) < len(layout):
            reading = recognize_layout(self.network, layout, pixels, lengths, known=reading)
        if reading.sure:
            return reading
        turned = recognize_layout(self.network, layout.upside_down(), pixels, lengths)
        return turned if turned.beats(reading) else reading


def _opened(picture: ImageSource | LoadedImage) -> LoadedImage:
    opened = picture if isinstance(picture, LoadedImage) else load_image(picture)
    height, width = opened.pixels.shape[:2]
    if max(height, width) > LONGEST:
        raise ShapeError(
            f"{opened.name} is too long: a side may have {LONGEST:,} pixels at most",
            seen=f"{width:,} x {height:,} pixels",
            try_="cut it to pieces",
        )
    return opened


def _sureness(line: Line) -> float:
    return line.confidence
