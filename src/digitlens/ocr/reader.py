"""`Reader`: pictures of lines and whole pages -> numbers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from digitlens.ctc.line import Line
from digitlens.ctc.probs import check_lengths
from digitlens.errors import ModelError, ShapeError, UsageError
from digitlens.geometry import clip_box
from digitlens.imaging.io import load_image
from digitlens.imaging.pictures import list_pictures, load_any
from digitlens.imaging.sheets import draw_sheets, find_sheets
from digitlens.metrics.risk_coverage import ThresholdResult
from digitlens.models.inference import load_model
from digitlens.models.recipe import READERS
from digitlens.ocr.mail_sheet import MailSheetReader
from digitlens.ocr.network import LineRecognizer, load_line_recognizer, load_sign_recognizer
from digitlens.ocr.page import FormField, Page, find_cut_lines, holds, join_pages
from digitlens.ocr.page_reading import DOUBTED_CONFIDENCE
from digitlens.ocr.recognize import recognize_line_image
from digitlens.ocr.sheet_reader import PageRequest, SheetReader
from digitlens.ocr.signs import choose_parting

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from digitlens.ctc.probs import Lengths
    from digitlens.imaging.io import ImageSource, LoadedImage
    from digitlens.models.inference import Model
    from digitlens.ocr.page import Stage, Where
    from digitlens.ocr.signs import Parting


PUBLISHED_READER = "reader"

MAX_SIDE = 100_000
"""Pixels that a side may have: finding lines on a strip that is longer takes a minute."""

ENVELOPE_SHARE, MIN_MAIL_SHARE = 0.85, 0.05
"""On mail, a sheet of such a share of the picture is the envelope; what is smaller than the
second is a stamp: most have 0.02 of it."""


class Reader:
    """Reads numbers from pictures.

    source: a published line network, a run folder of ``digitlens train reader``, or an .onnx
        file
    network: a line network that is loaded already, instead
    digits: reads the cells of tables that hold one digit; with a `source` it is `universal`
        when left out

    Raises ModelError: there is no such network; UsageError: both a source and a network.

    >>> reader = Reader()  # doctest: +SKIP
    >>> reader.read_line("amount.png").text  # doctest: +SKIP
    '12500'
    """

    def __init__(
        self,
        source: str | Path = PUBLISHED_READER,
        *,
        network: LineRecognizer | None = None,
        digits: Model | None = None,
    ) -> None:
        if network is not None and source != PUBLISHED_READER:
            raise UsageError(
                "a Reader takes a source or a network, not both", seen=f"source {str(source)!r}"
            )
        self.network = network or load_line_recognizer(source)
        self._digits = digits
        self._loads_digits = network is None
        # Another kind of network may read other forms of digits than signs are learnt of.
        card = self.network.card if isinstance(self.network, LineRecognizer) else None
        self.signs = load_sign_recognizer() if card and card.network in READERS else None

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
        join: bool = False,
        split: bool = False,
    ) -> Any:
        """Read all numbers of a whole picture; see `page`, whose lines these are.

        Returns a list of `Line`, or, for a list of pictures or a folder, a list of such lists.
        """
        items, single = list_pictures(picture)
        read = partial(self.page, length=length, fields=fields, join=join, split=split)
        pages = [
            list(read(load_any(item, number)).lines)
            for number, item in enumerate(items, 0 if single else 1)
        ]
        return pages[0] if single else pages

    def page(
        self,
        picture: ImageSource | LoadedImage,
        length: int | Collection[int] | None = None,
        *,
        fields: Sequence[FormField] | None = None,
        join: bool = False,
        split: bool = False,
        stages: bool = False,
        where: Where | None = None,
    ) -> Page:
        """Read all numbers of a whole picture, and the tables on it.

        Slashes, dashes and gaps wider than most of a digit part the numbers of a line, and so
        do words; dots and commas do not.

        picture: as for `read_line`: any photo or scan; upside down or on its side, too
        length: how many digits a wanted number has, or several allowed numbers. Only such lines
            come back then, the likeliest first.
        fields: what is wanted, one number each; `length` then counts for fields without a count
        join: whether only words and marks part numbers: 12/05/2021 is then one
        split: whether dots and commas part numbers, too: 12.50 is then two
        stages: whether `Page.stages` is filled; with fields, by the steps of each of them
        where: says of the box around a line, and of width and height of the picture, both on
            the upright picture, whether the line is read; that takes most of the time. Neither
            tables nor fields are asked for, and words are not cut off: the caller knows what
            may touch a number.

        Returns the lines from top to bottom, left to right, columns one after the other, and
        rows of tables after them; or as said above. What is no number is left out, so that
        there may be no line.

        Raises MissingDataError, DataError, CorruptFileError, ShapeError, UsageError: as
        `digitlens.layout.find_lines` says.
        """
        # Load: lengths and pictures are checked here, and not again further down.
        lengths, parting = check_lengths(length), choose_parting(join=join, split=split)
        image = _load(picture)
        if fields:
            return self._read_fields(image, fields, lengths, parting, stages=stages)
        count = next(iter(lengths)) if lengths and len(lengths) == 1 else None
        return self._read(
            image, PageRequest(FormField(count), lengths, parting, stages=stages, where=where)
        )

    def _read(self, image: LoadedImage, request: PageRequest) -> Page:
        """Read what stands in one field: on the sheets in the picture, or in one place."""
        kind, sheets = SheetReader, []
        if request.where is not None:  # mail: what is on an envelope is a stamp
            kind = MailSheetReader
            sheets = find_sheets(image.pixels, ENVELOPE_SHARE, MIN_MAIL_SHARE)
        elif request.field.area is None:
            sheets = find_sheets(image.pixels)
        start = partial(kind, self.network, self.signs, lambda: self.digits, request)
        pages = [
            start().read(replace(image, pixels=sheet.pixels)).on_sheet(sheet)
            for sheet in sheets
        ]
        if not any(page.lines for page in pages):
            return start().read(image)
        height, width = image.pixels.shape[:2]
        page = join_pages(pages, (width, height), ranked=request.lengths is not None)
        if cut := find_cut_lines(pages):
            # An edge of a sheet cuts no number: what stands there is read as a whole.
            whole = start().read(image)
            numbers = [line for line in whole.lines if line.confidence >= DOUBTED_CONFIDENCE]
            if all(any(holds(number, part) for number in numbers) for part in cut):
                return whole
            page = page.doubted(cut, DOUBTED_CONFIDENCE)
        if request.stages:
            outlines = draw_sheets(image.pixels, sheets)
            page = replace(page, stages=(("0-sheets", outlines), *page.stages))
        return page

    def _read_fields(
        self,
        image: LoadedImage,
        fields: Sequence[FormField],
        lengths: Lengths,
        parting: Parting,
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
            page = self._read(image, PageRequest(field, allowed, parting, stages=stages))
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
