"""`Reader`: pictures of lines and whole pages -> numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from digitlens.ctc.line import Line
from digitlens.ctc.probs import check_lengths
from digitlens.errors import ModelError, ShapeError
from digitlens.geometry import clip_box, rotate_upright
from digitlens.imaging.io import load_image
from digitlens.imaging.sheets import draw_sheets, find_sheets
from digitlens.layout import find_lines
from digitlens.metrics.risk_coverage import ThresholdResult
from digitlens.models.inference import load_model
from digitlens.ocr.network import load_line_recognizer
from digitlens.ocr.page import FormField, Page, Table, join_pages
from digitlens.ocr.recognize import recognize_crop, recognize_line_image, recognize_table
from digitlens.ocr.select import (
    RecognizedLine,
    is_one_line,
    may_be_one_line,
    merge_single_line,
    select_numbers,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from digitlens.ctc.probs import Lengths
    from digitlens.geometry import Box
    from digitlens.imaging.io import ImageSource, LoadedImage
    from digitlens.layout.page_layout import PageLayout
    from digitlens.models.inference import Model
    from digitlens.ocr.network import LineRecognizer
    from digitlens.ocr.page import Stage, Where


MAX_SIDE = 100_000
"""Pixels that a side may have: finding lines on a strip that is longer takes a minute."""


class Reader:
    """Reads numbers from pictures.

    source: a published line network, a run folder of ``digitlens train reader``, or an .onnx
        file
    network: a line network that is loaded already, instead
    digits: reads the cells of tables that hold one digit; with a `source` it is `universal`
        when left out

    Raises ModelError: there is no such network.

    >>> reader = Reader()  # doctest: +SKIP
    >>> reader.read_line("amount.png").text  # doctest: +SKIP
    '12500'
    """

    def __init__(
        self,
        source: str | Path = "reader",
        *,
        network: LineRecognizer | None = None,
        digits: Model | None = None,
    ) -> None:
        self.network = network or load_line_recognizer(source)
        self._digits = digits
        self._loads_digits = network is None

    @property
    def digits(self) -> Model | None:
        """What reads cells of one digit, loaded when the first table is met."""
        if self._digits is None and self._loads_digits:
            self._digits = load_model(threads=1)
        return self._digits

    def read_line(
        self, picture: ImageSource | LoadedImage, length: int | Collection[int] | None = None
    ) -> Line:
        """Read the one line of digits that a picture shows.

        picture: a path, the bytes of a picture file, a Pillow picture, an array uint8 (H, W) or
            (H, W, 3), or what `load_image` gave: the line from edge to edge, with or without
            paper around; dark on light or light on dark
        length: how many digits there are, or several numbers that are allowed; None when that
            is not known

        Returns the line; its boxes are in pixels of the picture, upright as its EXIF entry
        says. The text is empty where no digit was seen.

        Raises MissingDataError, DataError, CorruptFileError, ShapeError: as
        `digitlens.imaging.io.load_image` says; or a side of more than 100,000 pixels;
        UsageError: a length below 1.
        """
        lengths = check_lengths(length)
        return recognize_line_image(self.network, _load(picture).pixels, lengths)

    def read(
        self,
        picture: ImageSource | LoadedImage,
        length: int | Collection[int] | None = None,
        *,
        fields: Sequence[FormField] | None = None,
    ) -> list[Line]:
        """Read all numbers of a whole picture; see `page`, whose lines these are."""
        return list(self.page(picture, length, fields=fields).lines)

    def page(
        self,
        picture: ImageSource | LoadedImage,
        length: int | Collection[int] | None = None,
        *,
        fields: Sequence[FormField] | None = None,
        stages: bool = False,
        where: Where | None = None,
    ) -> Page:
        """Read all numbers of a whole picture, and the tables on it.

        picture: as for `read_line`: any photo or scan; upside down or on its side, too
        length: how many digits a wanted number has, or several allowed numbers. Only such lines
            come back then, the likeliest first.
        fields: what is wanted, one number each; `length` then counts for fields without a count
        stages: whether `Page.stages` is filled; with fields, by the steps of each of them
        where: says of the box around a line, and of width and height of the picture, both on
            the upright picture, whether the line is read; that takes most of the time. Neither
            tables nor fields are asked for.

        Returns the lines from top to bottom, left to right, columns one after the other, and
        rows of tables after them; or as said above. What is no number is left out, so that
        there may be no line.

        Raises MissingDataError, DataError, CorruptFileError, ShapeError, UsageError: as
        `digitlens.layout.find_lines` says.
        """
        # Load: lengths and pictures are checked here, and not again further down.
        lengths = check_lengths(length)
        image = _load(picture)
        if fields:
            return self._read_fields(image, fields, lengths, stages=stages)
        count = next(iter(lengths)) if lengths and len(lengths) == 1 else None
        return self._read(image, FormField(count), lengths, stages=stages, where=where)

    def _read(
        self,
        image: LoadedImage,
        field: FormField,
        lengths: Lengths,
        *,
        stages: bool,
        where: Where | None = None,
    ) -> Page:
        """Read what stands in one field: on the sheets in the picture, or in one place."""
        sheets = find_sheets(image.pixels) if field.area is None else []
        pages = [
            self._read_sheet(
                replace(image, pixels=sheet.pixels), field, lengths, stages=stages, where=where
            ).on_sheet(sheet)
            for sheet in sheets
        ]
        if not any(page.lines for page in pages):
            return self._read_sheet(image, field, lengths, stages=stages, where=where)
        height, width = image.pixels.shape[:2]
        page = join_pages(pages, (width, height), ranked=lengths is not None)
        if stages:
            outlines = draw_sheets(image.pixels, sheets)
            page = replace(page, stages=(("0-sheets", outlines), *page.stages))
        return page

    def _read_sheet(
        self,
        image: LoadedImage,
        field: FormField,
        lengths: Lengths,
        *,
        stages: bool,
        where: Where | None,
    ) -> Page:
        """Read what stands on one sheet that fills its picture, or in one place of it."""
        # Detect the lines and tables.
        layout = find_lines(
            image, count=field.count, area=field.area, boxes=field.boxes, stages=stages
        )
        # Recognize each of them, and select the numbers.
        reading = self._read_layout(layout, image.pixels, lengths, where)
        certain = is_one_line(layout)
        if field.area is None and (certain or may_be_one_line(layout)):
            # A picture of one line reads best from edge to edge.
            whole = recognize_line_image(self.network, image.pixels, lengths)
            lines = merge_single_line(reading.lines, whole, certain=certain)
            reading = replace(reading, lines=lines)
        else:
            # Orient it by all lines: a page may stand on its head.
            reading = self._orient(reading, image, lengths)
            if where is not None:
                reading = reading.keep_wanted(where)
        # Assemble the page.
        return reading.to_page(lengths)

    def _read_layout(
        self,
        layout: PageLayout,
        pixels: NDArray[np.uint8],
        lengths: Lengths,
        where: Where | None = None,
        known: PageReading | None = None,
    ) -> PageReading:
        digits = self.digits if layout.grids else None
        return read_layout(self.network, layout, pixels, lengths, where, known, digits=digits)

    def _orient(
        self, reading: PageReading, image: LoadedImage, lengths: Lengths
    ) -> PageReading:
        """Read a page on its head, too, where it may stand so."""
        layout = reading.layout
        if reading.has_certain_number():
            return reading  # as on most pages
        if len(reading.crops) < len(layout):
            # Lines that are not wanted tell which way is up as well.
            reading = self._read_layout(layout, image.pixels, lengths, known=reading)
        if reading.is_upright():
            return reading
        turned = self._read_layout(layout.upside_down(), image.pixels, lengths)
        return turned if turned.is_clearly_better(reading) else reading

    def _read_fields(
        self,
        image: LoadedImage,
        fields: Sequence[FormField],
        lengths: Lengths,
        *,
        stages: bool,
    ) -> Page:
        """Read the likeliest number of each field."""
        height, width = image.pixels.shape[:2]
        lines: list[Line] = []
        steps: list[Stage] = []
        for number, field in enumerate(fields, 1):
            # Each field is a page of its own, of which the surest number counts.
            allowed = lengths if field.count is None else check_lengths(field.count)
            page = self._read(image, field, allowed, stages=stages)
            area = field.area or (0.0, 0.0, float(width), float(height))
            nothing = Line("", 0.0, clip_box(area, (width, height)))
            lines.append(max(page.lines, key=lambda line: line.confidence, default=nothing))
            steps += [(f"field-{number}-{name}", picture) for name, picture in page.stages]
        return Page(
            tuple(lines), size=(width, height), stages=tuple(steps), about=(image.about,)
        )

    def bar(
        self, max_error: float, length: int | Collection[int] | None = None
    ) -> ThresholdResult:
        """Return how sure a line must be read, for at most `max_error` of these to be wrong.

        The threshold's `confidence` is None where none keeps the promise: no line is then sure
        enough. It is set on lines by writers and fonts held back from training, for the worst
        of them; on other paper and by other hands the promise is as good as that likeness.

        max_error: above 0, at most 1: the share of wrong ones among those accepted
        length: as it is given to `read_line` or `page`

        Raises UsageError: a rate or a length out of range; ModelError: no calibration.
        """
        if self.network.calibrations is None:
            raise ModelError(
                f"{self.network.path} must be calibrated for a promise about errors",
                seen="no calibration in the file",
                try_="the published reader",
            )
        calibration = self.network.calibrations.select(check_lengths(length))
        return calibration.threshold(max_error)


def _load(picture: ImageSource | LoadedImage) -> LoadedImage:
    image = load_image(picture)
    height, width = image.pixels.shape[:2]
    if max(height, width) > MAX_SIDE:
        raise ShapeError(
            f"{image.name} is too long: a side may have {MAX_SIDE:,} pixels at most",
            seen=f"{width:,} x {height:,} pixels",
            try_="cut it to pieces",
        )
    return image


def read_layout(
    network: LineRecognizer,
    layout: PageLayout,
    pixels: NDArray[np.uint8],
    lengths: Lengths,
    where: Where | None = None,
    known: PageReading | None = None,
    *,
    digits: Model | None = None,
) -> PageReading:
    """Recognize the line crops and tables of a picture, and select the numbers.

    `where` is that of `Reader.page`; what is `known` of the same layout is not read again;
    `digits` is that of `recognize_table`.
    """
    read = {item.crop: item for item in known.crops} if known else {}
    crops = []
    for crop in layout.crops:
        if crop in read:
            crops.append(read[crop])
        elif where is None or _is_wanted(crop.box, layout, where):
            line = recognize_crop(network, crop, lengths=lengths, pixels=pixels)
            crops.append(RecognizedLine(crop, line))
    tables = (
        known.tables
        if known
        else tuple([recognize_table(network, grid, digits) for grid in layout.grids])
    )
    return PageReading(layout, select_numbers(crops, tables, lengths), tables, tuple(crops))


def _is_wanted(box: Box, layout: PageLayout, where: Where) -> bool:
    return where(*rotate_upright(box, layout.size, layout.rotation))


MIN_UPRIGHT_SCORE = 0.8
"""The least score a digit, on average, on a page that stands upright. 0, 1, 6, 8 and 9 are
sure the other way up, too, so that one sure line says little."""

UPRIGHT_ONLY = frozenset("347")
"""Digits that are none on their heads: a sure number with one of them stands upright."""

CERTAIN_CONFIDENCE, CERTAIN_DIGITS = 0.9, 3
"""Least confidence and least number of digits of such a number."""

MIN_SCORED_CONFIDENCE = 0.8
"""Less sure lines score nothing: words give doubtful digits either way up."""

CLEARLY_BETTER = 1.1  # a page is turned over when it scores so many times more the other way up


@dataclass(frozen=True)
class PageReading:
    """What was read on a picture, one way up."""

    layout: PageLayout  # what was detected
    lines: tuple[Line, ...]  # the numbers among its line crops
    tables: tuple[Table, ...]  # its tables
    # All line crops that were recognized, whether they hold a number or not.
    crops: tuple[RecognizedLine, ...] = ()

    @property
    def _all_lines(self) -> list[Line]:
        return [*self.lines, *(cell for table in self.tables for cell in table.cells if cell)]

    @property
    def score(self) -> float:
        """How many digits were read with some confidence, surely read ones counting most."""
        return sum(
            len(line.text) * line.confidence**2
            for line in self._all_lines
            if line.confidence >= MIN_SCORED_CONFIDENCE
        )

    def has_certain_number(self) -> bool:
        """Say whether there is a sure number that is none on its head."""
        return any(
            line.confidence >= CERTAIN_CONFIDENCE
            and len(line.text) >= CERTAIN_DIGITS
            and UPRIGHT_ONLY & set(line.text)
            for line in self.lines
        )

    def is_upright(self) -> bool:
        """Say whether the digits are so sure that the page cannot stand on its head."""
        digits = sum(len(line.text) for line in self._all_lines)
        return self.has_certain_number() or self.score > MIN_UPRIGHT_SCORE * digits

    def is_clearly_better(self, other: PageReading) -> bool:
        """Say whether this way up is clearly the right one."""
        return self.score > CLEARLY_BETTER * other.score

    def keep_wanted(self, where: Where) -> PageReading:
        """Return the same without the lines that are not wanted."""
        wanted = [line for line in self.lines if _is_wanted(line.box, self.layout, where)]
        return replace(self, lines=tuple(wanted))

    def to_page(self, lengths: Lengths) -> Page:
        """Return the result; rows of tables are lines where they have an allowed length."""
        layout = self.layout
        # Boxes around what slopes may leave the picture a little: they end at its edges.
        clip = partial(clip_box, size=layout.size)
        lines = [line.map_boxes(clip) for line in self.lines]
        tables = []
        for table in self.tables:
            # Rows of the table are lines, too, unless another length is wanted.
            cells = [cell and cell.map_boxes(clip) for cell in table.cells]
            tables.append(replace(table, cells=tuple(cells)))
            lines += [
                row
                for row in tables[-1].row_lines()
                if lengths is None or len(row.text) in lengths
            ]
        return Page(
            tuple(lines),
            tuple(tables),
            layout.size,
            layout.rotation,
            layout.stages,
            layout.about,
        )
