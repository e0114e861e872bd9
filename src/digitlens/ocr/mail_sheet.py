"""Mail: a sheet on which one number is wanted, the receiver's ZIP.

Reading takes most of the time. So a glance says which lines may hold a ZIP and which way up
they are, they are read from the bottom up, and what stands above a sure ZIP is not read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from digitlens.geometry import rotate_upright
from digitlens.ocr.glance import TURNED_LEAD, LineGlances, is_wanted, keep_wanted
from digitlens.ocr.page_reading import ReadingOrder
from digitlens.ocr.select import is_likely_line
from digitlens.ocr.sheet_reader import SheetReader
from digitlens.ocr.signs import holds_only_numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from digitlens.ctc.line import Line
    from digitlens.ctc.probs import Lengths
    from digitlens.imaging.io import LoadedImage
    from digitlens.layout.page_layout import LineCrop, PageLayout
    from digitlens.ocr.page import Where
    from digitlens.ocr.page_reading import PageReading
    from digitlens.ocr.sheet_reader import FindParted


@dataclass
class MailSheetReader(SheetReader):
    """Reads those lines of a sheet that the request's `where` wants.

    Where no length is asked for, or nothing tells signs apart, no line is left out before.
    """

    def __post_init__(self) -> None:
        assert self.request.where is not None, "of mail it is known where a ZIP may stand"
        self.where: Where = self.request.where
        # Digits of the shortest that is wanted.
        self.count = min(self.request.lengths or [0])
        self.glances = LineGlances(self.signs) if self.signs and self.count else None

    def detect(
        self, image: LoadedImage, quarters: int | None = None, parted: FindParted | None = None
    ) -> PageLayout:
        """Find lines and tables, and parts only of lines that may hold what is wanted."""
        if self.glances is not None:
            parted = partial(self.glances.find_parted, count=self.count, where=self.where)
        return super().detect(image, quarters, parted)

    def read_turned(self, image: LoadedImage) -> PageReading:
        """Read a sheet turned by 90 degrees; neither end is likelier to be its head."""
        if self.signs is not None and self.glances is not None:
            self.glances = LineGlances(self.signs, TURNED_LEAD)
        return super().read_turned(image)

    def orient(self, layout: PageLayout, pixels: NDArray[np.uint8]) -> PageReading:
        """Read the wanted lines the way up that their writing tells, or that reads best."""
        if self.glances is not None and not is_likely_line(layout):
            upright = self.glances.tell_way_up(layout)
            if upright is not None:
                wanted = self.glances.drop_words(keep_wanted(upright, self.where), self.count)
                return self.read_way(wanted, pixels, order=self.order_lines(wanted))
            # Writing all the same: a page that lies on its side is less clear than this.
            layout = self.glances.measure_clarity(layout)
        reading = self.recognize(layout, pixels)
        if not reading.has_certain_number():
            # Lines that are not wanted tell which way is up as well.
            whole = pixels if holds_only_numbers(layout, reading.layout) else None
            reading = self.read_way(reading.layout, pixels, whole=whole, known=reading)
            reading = self.turn_over(reading, layout, pixels)
        wanted_lines = [
            line for line in reading.lines if is_wanted(line.box, reading.layout, self.where)
        ]
        return replace(reading, lines=tuple(wanted_lines))

    def keep_numbers(self, layout: PageLayout) -> PageLayout:
        """Return a layout without lines that have hardly a digit; no line is cut.

        Mail itself sees through letters that touch a ZIP: cut here, the ZIP would be lost.
        """
        if self.glances is None or is_likely_line(layout):
            return layout
        return self.glances.drop_words(layout, self.count)

    def order_lines(self, layout: PageLayout) -> ReadingOrder:
        """Return the wanted lines from the bottom up."""
        return BottomUp(layout, self.request.lengths, self.where)


SURE_END = 0.99
"""A number read with this confidence ends an address: of what stands above it nothing is read.
That changed the first answer of none of 80 drawn envelopes, nor of the real ones."""

FAR_ABOVE = 3.0
"""In heights of the line: what is farther above a sure number is another address's. What is
nearer is so only where words stand beside the number, as the town does: below a ZIP there may
be a number that somebody printed."""


class BottomUp(ReadingOrder):
    """Lines from the bottom up, as they stand on the upright picture.

    What is not wanted is left out, and so is what a sure number makes needless.
    """

    def __init__(self, layout: PageLayout, lengths: Lengths, where: Where) -> None:
        crops = (*layout.crops, *layout.words)
        turned = partial(rotate_upright, size=layout.size, turn=layout.rotation)
        self._boxes = {crop: turned(crop.box)[0] for crop in crops}
        self._crops = layout.crops
        self._whole = {crop: self._find_whole(crop) for crop in self._crops}
        self._sure: list[tuple[LineCrop, bool]] = []  # and whether words stand beside it
        self._lengths = lengths
        self.crops = [crop for crop in self._order() if is_wanted(crop.box, layout, where)]

    def _find_whole(self, part: LineCrop) -> LineCrop:
        """Return the line that a part belongs to; itself for what is none."""
        x0, y0, x1, y1 = self._boxes[part]
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        for crop, (left, top, right, bottom) in self._boxes.items():
            is_around = left <= x <= right and top <= y <= bottom
            if part.part and not crop.part and is_around:
                return crop
        return part

    def _order(self) -> list[LineCrop]:
        """Return lines from the bottom up, of each its parts first, these from the right."""

        def place(crop: LineCrop) -> tuple[float, float, bool, float]:
            left, top, _, bottom = self._boxes[self._whole[crop]]
            return -(top + bottom), left, not crop.part, -self._boxes[crop][2]

        return sorted(self._crops, key=place)

    def add(self, crop: LineCrop, line: Line) -> None:
        """Take note of what was read."""
        is_allowed = self._lengths is not None and len(line.text) in self._lengths
        if is_allowed and line.confidence >= SURE_END:
            self._sure.append((crop, self._has_words(crop)))

    def _has_words(self, crop: LineCrop) -> bool:
        """Say whether writing stands in the same row, to the left."""
        x0, y0, _, y1 = self._boxes[crop]
        return any(
            left < x0 - (y1 - y0) and top < (y0 + y1) / 2 < bottom
            for left, top, _, bottom in self._boxes.values()
        )

    def _ends(self, crop: LineCrop, part: LineCrop) -> bool:
        """Say whether a part is the end of a line whose other parts are words."""
        others = [item for item in self._crops if self._whole[item] is crop]
        x1, (_, top, right, bottom) = self._boxes[part][2], self._boxes[crop]
        return {*others} == {crop, part} and right - x1 < 0.5 * (bottom - top)

    def may_matter(self, crop: LineCrop) -> bool:
        """Say whether a line may be what is looked for, after what was read below it."""
        _, top, _, bottom = self._boxes[crop]
        for sure, has_words in self._sure:
            if self._whole[sure] is crop and self._ends(crop, sure):
                return False
            _, upper, _, lower = self._boxes[sure]
            gap = (upper + lower - top - bottom) / 2
            is_above = (top + bottom) / 2 < upper
            if is_above and (has_words or gap > FAR_ABOVE * (bottom - top)):
                return False
        return True
