"""What stands on one sheet: its lines found, read, and turned the way that reads best.

`SheetReader.read` shows the steps. Mail goes another way at some of them: see
`digitlens.ocr.mail_sheet`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from digitlens.geometry import rotate_upright
from digitlens.imaging.light import even_light
from digitlens.imaging.sheets import turn_quarter
from digitlens.layout import find_lines
from digitlens.ocr.page_reading import (
    ReadingOrder,
    choose_side,
    choose_way_up,
    read_layout,
)
from digitlens.ocr.recognize import recognize_line_image
from digitlens.ocr.select import (
    doubt_single_line,
    is_likely_line,
    is_one_line,
    is_strip,
    may_be_one_line,
    merge_single_line,
)
from digitlens.ocr.signs import holds_only_numbers, keep_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    from digitlens.ctc.probs import Lengths
    from digitlens.imaging.io import LoadedImage
    from digitlens.layout.page_layout import LineCrop, PageLayout
    from digitlens.models.inference import Model
    from digitlens.ocr.network import LineRecognizer, SignRecognizer
    from digitlens.ocr.page import FormField, Page, Where
    from digitlens.ocr.page_reading import PageReading
    from digitlens.ocr.signs import Parting

    FindParted = Callable[[PageLayout], Collection[LineCrop]]


@dataclass(frozen=True)
class PageRequest:
    """What is wanted of a picture, as `Reader.page` has it."""

    field: FormField
    lengths: Lengths
    parting: Parting
    stages: bool = False
    where: Where | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of the picture is asked for, not one place of it."""
        return self.field.area is None


@dataclass
class SheetReader:
    """Reads a sheet that fills its picture, or one place of it; each reads one."""

    network: LineRecognizer  # reads lines
    # Tells digits, letters and marks apart; None where only lines can be read.
    signs: SignRecognizer | None
    # Gives what reads cells of tables that hold one digit, or None.
    load_digits: Callable[[], Model | None]
    request: PageRequest

    def read(self, image: LoadedImage) -> Page:
        """Read what stands on a sheet, upright, on its head or on its side."""
        is_whole, lengths = self.request.is_whole, self.request.lengths
        if is_whole and is_strip(image.pixels.shape):
            # In so low a picture an edge of a shadow is not told from writing.
            image = replace(image, pixels=even_light(image.pixels))
        # Detect the lines and tables.
        layout = self.detect(image)
        on_its_side = is_whole and 45 <= layout.rotation % 180 <= 135
        if on_its_side:
            layout = self.detect(image, quarters=0)
        # Tell numbers from words, recognize, and select the numbers: upright or on their head.
        reading = self.orient(layout, image.pixels)
        if not (on_its_side or (is_whole and reading.may_lie(image.pixels.shape))):
            return reading.to_page(lengths)
        # Digits that lie, or stand one below the other: the sheet may lie on its side.
        sheet = turn_quarter(image.pixels)
        turned = self.read_turned(replace(image, pixels=sheet.pixels))
        chosen = choose_side(reading, turned)
        page = chosen.to_page(lengths)
        return replace(page.on_sheet(sheet), size=layout.size) if chosen is turned else page

    def detect(
        self, image: LoadedImage, quarters: int | None = None, parted: FindParted | None = None
    ) -> PageLayout:
        """Find lines and tables; `quarters` and `parted` are those of `find_lines`."""
        field = self.request.field
        return find_lines(
            image,
            count=field.count,
            area=field.area,
            boxes=field.boxes,
            stages=self.request.stages,
            quarters=quarters,
            parted=parted,
        )

    def read_turned(self, image: LoadedImage) -> PageReading:
        """Read a sheet that was turned by 90 degrees, upright or on its head."""
        return self.orient(self.detect(image, quarters=0), image.pixels)

    def orient(self, layout: PageLayout, pixels: NDArray[np.uint8]) -> PageReading:
        """Read lines as they stand and, where it may be so, on their head; choose one."""
        reading = self.recognize(layout, pixels)
        if reading.has_certain_number():  # as most pages have one
            return reading
        return self.turn_over(reading, layout, pixels)

    def recognize(self, layout: PageLayout, pixels: NDArray[np.uint8]) -> PageReading:
        """Tell numbers from words and read the numbers, as a page stands."""
        numbers = self.keep_numbers(layout)
        is_whole = self._holds_only_numbers(layout, numbers)
        whole = pixels if is_whole else None
        return self.read_way(numbers, pixels, whole=whole, order=self.order_lines(numbers))

    def turn_over(
        self, reading: PageReading, layout: PageLayout, pixels: NDArray[np.uint8]
    ) -> PageReading:
        """Return what was read upright, or what is read on its head where that is likelier."""
        head = self.keep_numbers(layout.upside_down())
        if reading.tells_its_way() and reading.is_clearer_than(head):
            # Its letters and digits stand upright: what it would be on its head is not asked,
            # which takes as long again.
            return reading
        is_whole = self._holds_only_numbers(layout, reading.layout)
        over = np.ascontiguousarray(pixels[::-1, ::-1]) if is_whole else None
        turned = self.read_way(head, pixels, whole=over)
        is_line = self.request.is_whole and is_likely_line(layout)
        return choose_way_up(reading, turned, is_line=is_line)

    def read_way(
        self,
        layout: PageLayout,
        pixels: NDArray[np.uint8],
        *,
        whole: NDArray[np.uint8] | None = None,
        order: ReadingOrder | None = None,
        known: PageReading | None = None,
    ) -> PageReading:
        """Read lines one way up; `whole` is the picture that way up, if it may be one line.

        `order` and `known` are those of `read_layout`.
        """
        lengths = self.request.lengths
        digits = self.load_digits() if layout.grids else None
        reading = read_layout(
            self.network, layout, pixels, lengths, order=order, known=known, digits=digits
        )
        certain = is_one_line(layout)
        if whole is None or not (certain or may_be_one_line(layout)):
            return reading
        # A picture of one line reads best from edge to edge.
        line = recognize_line_image(self.network, whole, lengths)
        if whole is not pixels:
            line = line.map_boxes(lambda box: rotate_upright(box, layout.size, 180)[0])
        line = doubt_single_line(line, layout.crops)
        return replace(reading, lines=merge_single_line(reading.lines, line, certain=certain))

    def keep_numbers(self, layout: PageLayout) -> PageLayout:
        """Return a layout whose crops are numbers, without the words beside them."""
        return keep_numbers(
            self.signs,
            layout,
            parting=self.request.parting,
            may_be_line=self.request.is_whole,
        )

    def order_lines(self, layout: PageLayout) -> ReadingOrder:
        """Return which lines are read first, and in which order."""
        return ReadingOrder(layout)

    def _holds_only_numbers(self, layout: PageLayout, numbers: PageLayout) -> bool:
        """Say whether all of a picture may be read: no word would be read along with it."""
        return self.request.is_whole and holds_only_numbers(layout, numbers)
