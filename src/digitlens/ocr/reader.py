"""`Reader`: pictures of lines and whole pages -> numbers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.ctc.line import Line
from digitlens.ctc.probs import check_lengths
from digitlens.errors import ModelError, ShapeError
from digitlens.geometry import clip_box, rotate_upright
from digitlens.imaging.io import load_image
from digitlens.imaging.pictures import list_pictures, load_any
from digitlens.imaging.sheets import draw_sheets, find_sheets, turn_quarter
from digitlens.layout import find_lines
from digitlens.metrics.risk_coverage import ThresholdResult
from digitlens.models.inference import load_model
from digitlens.models.recipe import READERS
from digitlens.ocr.glance import TURNED_LEAD, LineGlances
from digitlens.ocr.network import LineRecognizer, load_line_recognizer, load_sign_recognizer
from digitlens.ocr.page import FormField, Page, join_pages
from digitlens.ocr.page_reading import (
    CLARITY_LEAD,
    CLEAR_LEAD,
    LONE_LEAD,
    UPRIGHT_LEAD,
    PageReading,
    keep_wanted,
    read_layout,
)
from digitlens.ocr.recognize import recognize_line_image
from digitlens.ocr.select import (
    is_one_line,
    may_be_one_line,
    merge_single_line,
)
from digitlens.ocr.signs import choose_parting, holds_only_numbers, keep_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from digitlens.ctc.probs import Lengths
    from digitlens.imaging.io import ImageSource, LoadedImage
    from digitlens.layout.page_layout import PageLayout
    from digitlens.models.inference import Model
    from digitlens.ocr.page import Stage, Where
    from digitlens.ocr.signs import Parting


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
        field = FormField(count)
        return self._read(image, field, lengths, parting, stages=stages, where=where)

    def _read(
        self,
        image: LoadedImage,
        field: FormField,
        lengths: Lengths,
        parting: Parting,
        *,
        stages: bool,
        where: Where | None = None,
    ) -> Page:
        """Read what stands in one field: on the sheets in the picture, or in one place."""
        sheets = []
        if where is not None:  # mail: what is on an envelope is a stamp
            sheets = find_sheets(image.pixels, ENVELOPE_SHARE, MIN_MAIL_SHARE)
        elif field.area is None:
            sheets = find_sheets(image.pixels)
        pages = [
            self._read_sheet(
                replace(image, pixels=sheet.pixels),
                field,
                lengths,
                parting,
                stages=stages,
                where=where,
            ).on_sheet(sheet)
            for sheet in sheets
        ]
        if not any(page.lines for page in pages):
            return self._read_sheet(image, field, lengths, parting, stages=stages, where=where)
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
        parting: Parting,
        *,
        stages: bool,
        where: Where | None,
    ) -> Page:
        """Read what stands on one sheet that fills its picture, or in one place of it."""
        # Detect the lines and tables.
        detect = partial(
            find_lines, count=field.count, area=field.area, boxes=field.boxes, stages=stages
        )
        glances = None
        if where is not None and lengths and self.signs is not None:
            # Mail itself sees through letters that touch a ZIP: cut here, the line would be
            # lost. So lines with hardly a digit are left out, and the others read as they are.
            glances = LineGlances(self.signs)
            parted = partial(glances.find_parted, count=min(lengths), where=where)
            detect = partial(detect, parted=parted)
        layout = detect(image)
        on_its_side = field.area is None and 45 <= layout.rotation % 180 <= 135
        if on_its_side:
            layout = detect(image, quarters=0)
        # Tell numbers from words, recognize, and select the numbers: upright or on their head.
        orient = partial(
            self._orient,
            lengths=lengths,
            parting=parting,
            where=where,
            whole=field.area is None,
            glances=glances,
        )
        reading = orient(layout, image.pixels)
        if not (on_its_side or (field.area is None and reading.may_lie(image.pixels.shape))):
            return reading.to_page(lengths)
        # Digits that lie, or stand one below the other: the sheet may lie on its side.
        sheet = turn_quarter(image.pixels)
        if glances is not None and lengths and where is not None and self.signs is not None:
            # Once it lay on its side, neither end of a sheet is likelier to be its head.
            glances = LineGlances(self.signs, up_lead=TURNED_LEAD)
            parted = partial(glances.find_parted, count=min(lengths), where=where)
            detect, orient = partial(detect, parted=parted), partial(orient, glances=glances)
        turned = orient(detect(replace(image, pixels=sheet.pixels), quarters=0), sheet.pixels)
        lead = turned.line_score - reading.line_score
        if turned.is_clearer_than(reading.layout, CLARITY_LEAD):
            lead = np.inf
        elif reading.is_clearer_than(turned.layout, CLARITY_LEAD):
            # Writing that looks like letters where it lies may be digits all the same.
            reading = reading.doubted() if lead > CLEAR_LEAD else reading
            lead = -np.inf
        if abs(lead) <= CLEAR_LEAD and turned.line_score > 0:
            reading = reading.doubted()
        page = replace(turned.to_page(lengths).on_sheet(sheet), size=layout.size)
        return page if lead > CLEAR_LEAD else reading.to_page(lengths)

    def _orient(
        self,
        layout: PageLayout,
        pixels: NDArray[np.uint8],
        *,
        lengths: Lengths,
        parting: Parting,
        where: Where | None,
        whole: bool,
        glances: LineGlances | None,
    ) -> PageReading:
        """Read lines as they stand and, where it may be so, on their head; choose one."""
        keep: Callable[[PageLayout], PageLayout]
        if where is None:
            keep = partial(keep_numbers, self.signs, parting=parting, may_be_line=whole)
        elif not glances or not lengths or is_one_line(layout) or may_be_one_line(layout):
            keep = partial(keep_numbers, None)
        else:
            keep = partial(glances.drop_words, count=min(lengths))
            upright_layout = glances.tell_way_up(layout)
            if upright_layout is not None:
                wanted = keep_wanted(upright_layout, where)
                return self._read_way(
                    keep(wanted), pixels, lengths=lengths, whole=None, where=where
                )
        numbers = keep(layout)
        # Words beside a number must not be read along with it.
        is_line = whole and (is_one_line(layout) or may_be_one_line(layout))
        whole = whole and holds_only_numbers(layout, numbers)
        read = partial(self._read_way, lengths=lengths)
        upright = pixels if whole else None
        reading = read(numbers, pixels, whole=upright, where=where)
        if not reading.has_certain_number():  # as most pages have one
            if where is not None:
                # Lines that are not wanted tell which way is up as well.
                reading = read(numbers, pixels, whole=upright, known=reading)
            head = keep(layout.upside_down())
            if reading.tells_its_way() and reading.is_clearer_than(head):
                # Its letters and digits stand upright: what it would be on its head is not
                # asked, which takes as long again.
                return reading if where is None else reading.keep_wanted(where)
            over = np.ascontiguousarray(pixels[::-1, ::-1]) if whole else None
            turned = read(head, pixels, whole=over)
            lead = turned.score - reading.score
            is_same = not turned.score or turned.texts == reading.texts
            is_told = turned.tells_its_way()
            if turned.is_twin_of(reading):
                reading = reading.doubted()
            elif reading.is_clearer_than(head):
                # Its letters and digits stand upright, unless it is one line without any.
                if not reading.texts and is_told and lead > LONE_LEAD and is_line:
                    reading = turned.doubted()
            elif lead > turned.needed_lead(reading.layout):
                # Digits that are digits on their heads too do not prove it.
                reading = turned if is_told else turned.doubted()
            elif lead > 0 and is_told and turned.is_clearer_than(reading.layout, CLARITY_LEAD):
                reading = turned.doubted()
            elif lead > UPRIGHT_LEAD and not is_same:
                reading = reading.doubted()
        return reading if where is None else reading.keep_wanted(where)

    def _read_way(
        self,
        layout: PageLayout,
        pixels: NDArray[np.uint8],
        *,
        lengths: Lengths,
        whole: NDArray[np.uint8] | None,
        where: Where | None = None,
        known: PageReading | None = None,
    ) -> PageReading:
        """Read lines one way up; `whole` is the picture that way up, if it may be one line."""
        digits = self.digits if layout.grids else None
        reading = read_layout(
            self.network, layout, pixels, lengths, where, known, digits=digits
        )
        certain = is_one_line(layout)
        if whole is None or not (certain or may_be_one_line(layout)):
            return reading
        # A picture of one line reads best from edge to edge.
        line = recognize_line_image(self.network, whole, lengths)
        if whole is not pixels:
            line = line.map_boxes(lambda box: rotate_upright(box, layout.size, 180)[0])
        return replace(reading, lines=merge_single_line(reading.lines, line, certain=certain))

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
            page = self._read(image, field, allowed, parting, stages=stages)
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
