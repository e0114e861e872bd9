"""What was read on a picture one way up, and which way up it stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import log
from typing import TYPE_CHECKING

from digitlens.geometry import clip_box
from digitlens.ocr.page import Page, Table
from digitlens.ocr.recognize import recognize_crop, recognize_table
from digitlens.ocr.select import RecognizedLine, select_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from digitlens.ctc.line import Line
    from digitlens.ctc.probs import Lengths
    from digitlens.layout.page_layout import LineCrop, PageLayout
    from digitlens.models.inference import Model
    from digitlens.ocr.network import LineRecognizer


class ReadingOrder:
    """Which lines of a page are read, and in which order: all, from top to bottom."""

    def __init__(self, layout: PageLayout) -> None:
        self.crops: Sequence[LineCrop] = layout.crops

    def may_matter(self, crop: LineCrop) -> bool:  # noqa: ARG002
        """Say whether a line may be what is looked for, after what was read before it."""
        return True

    def add(self, crop: LineCrop, line: Line) -> None:
        """Take note of what was read."""


def read_layout(
    network: LineRecognizer,
    layout: PageLayout,
    pixels: NDArray[np.uint8],
    lengths: Lengths,
    *,
    order: ReadingOrder | None = None,
    known: PageReading | None = None,
    digits: Model | None = None,
) -> PageReading:
    """Recognize the line crops and tables of a picture, and select the numbers.

    order: of this layout's lines; what it does not want is left out
    known: what was read of the same layout; it is not read again
    digits: that of `recognize_table`
    """
    order = order or ReadingOrder(layout)
    read = {item.crop: item.line for item in known.crops} if known else {}
    for crop in order.crops:
        if crop not in read and order.may_matter(crop):
            read[crop] = recognize_crop(network, crop, lengths=lengths, pixels=pixels)
        if crop in read:
            order.add(crop, read[crop])
    items = tuple([RecognizedLine(crop, read[crop]) for crop in layout.crops if crop in read])
    tables = (
        known.tables
        if known
        else tuple([recognize_table(network, grid, digits, pixels) for grid in layout.grids])
    )
    numbers = select_numbers(items, tables, lengths, layout.words)
    return PageReading(layout, numbers, tables, items)


UPRIGHT_ONLY = frozenset("347")
"""Digits that are rarely read, surely, on their heads."""

CERTAIN_SCORE = 18.0
"""A page stands upright when numbers with such a digit score as much: one of five digits does
that is read with 99 %."""

CERTAIN_TABLE = 36.0
"""A table stands upright when such digits, alone in their boxes, score as much in sum: six of
them do that are read with 99.8 %. Six real tables have 39 to 186 upright, and 20 at most on
their heads or sides: they are read one way, which takes a quarter to a half of the time."""

UPRIGHT_LEAD, HEAD_LEAD = -1.0, 5.0
"""A page is turned by 180 degrees where it scores so much more on its head: upright pages are
far more common. Between the two nobody can tell."""

DIM_LEAD, UNTOLD_LEAD, DIMMER = 13.0, 15.0, 0.03
"""The same where its writing is less clear on its head by the last, and where what is read
there are digits on their heads, too. With one lead for all, 6 upright ones of 212 cheque
amounts (development pictures) were turned: by leads of 5 to 12, and one of these two each."""

HALF_TOLD_LEAD = 9.0
"""The same where a number was read whose 2s and 5s alone tell: on their heads both are often
read as themselves, and as each other. On lines by writers and fonts held back 5 of 751 numbers
of such digits, read on their heads, led by more than `HEAD_LEAD`, and 3 of 1,014 with a 3, 4 or
7; by more than this 2 and none. (On others, for the check: 16 of 829 and 6 of 909; 4 and 1.)"""

LONE_LEAD = 10.0
"""Where nothing is read on one line, it is a number on its head that scores so much, though its
ink looks as clearly like letters."""

CLEAR_LEAD = 3.0
"""By how much the other way up must score more: upright pages are far more common. Where it is
less in either direction, nobody can tell."""

POOR_SCORE, PORTRAIT = 6.0, 1.3
"""Where less is read on a sheet that is so much higher than wide, it may lie on its side."""

CLEAR_WRITING, CLARITY_LEAD = 0.9, 0.05
"""What stands upright is writing as clearly as the first says, and by the second clearer than
when it lies: printed and written pages have 0.93 and more, lying ones 0.83 at most."""

MANY_WORDS, TEXT_CLARITY = 3, 0.85
"""Where so many lines are words, the clearer of two ways up is right from this clarity on: of
64 composed pages, a third in hands that are hard to read, the least had 0.86, and lying ones
had 0.87 at most. Digits on their heads may be writing as clearly."""

SINGLE_SHARE = 0.7
"""How much the surest single digit counts where lines may run the wrong way."""

MAX_LOG_ODDS = 7.0
"""Surer lines, of more than 99.9 %, score as these."""

DOUBTED_CONFIDENCE = 0.5
"""No line is surer than this where it cannot be told which way is up."""

ON_THEIR_HEADS = str.maketrans("01689", "01986")
"""What digits are on their heads, as far as they are any."""


def _log_odds(line: Line) -> float:
    """Return 0 for a line that is no surer than not."""
    share = min(line.confidence, 1 - 1e-6)
    return min(MAX_LOG_ODDS, max(0.0, log(share / (1 - share)))) if share > 0 else 0.0


@dataclass(frozen=True)
class PageReading:
    """What was read on a picture, one way up."""

    layout: PageLayout  # what was detected
    lines: tuple[Line, ...]  # the numbers among its line crops
    tables: tuple[Table, ...]  # its tables
    # All line crops that were recognized, whether they hold a number or not.
    crops: tuple[RecognizedLine, ...] = ()
    is_doubted: bool = False  # whether it cannot be told which way is up

    @property
    def _all_lines(self) -> list[Line]:
        return [*self.lines, *(cell for table in self.tables for cell in table.cells if cell)]

    @property
    def texts(self) -> list[str]:
        """All that was read, in any order."""
        return sorted(line.text for line in self._all_lines)

    @property
    def score(self) -> float:
        """How likely this way up is: the log odds of lines, long ones counting most."""
        return sum(_log_odds(line) * max(1, len(line.text) - 1) for line in self._all_lines)

    @property
    def line_score(self) -> float:
        """The same where lines may run the wrong way: single digits are read there as well.

        So only the surest single digit counts, and 0 and 1 count half.
        """
        single = max((_log_odds(line) for line in self.lines if len(line.text) == 1), default=0)
        longer = sum(
            _log_odds(line) * (len(line.text) - 1) * (0.5 if set(line.text) <= {*"01"} else 1)
            for line in self.lines
        )
        return longer + SINGLE_SHARE * single

    def has_certain_number(self) -> bool:
        """Say whether surely read numbers are none on their heads."""
        certain = sum(
            _log_odds(line) * (len(line.text) - 1)
            for line in self.lines
            if UPRIGHT_ONLY & set(line.text)
        )
        return certain >= CERTAIN_SCORE or self._has_certain_table()

    def _has_certain_table(self) -> bool:
        """Say whether single digits in the boxes of a table are none on their heads."""
        return any(
            sum(_log_odds(cell) for cell in table.cells if cell and cell.text in UPRIGHT_ONLY)
            >= CERTAIN_TABLE
            for table in self.tables
        )

    def may_lie(self, shape: tuple[int, ...]) -> bool:
        """Say whether a picture of this shape may lie on its side, by what was read on it."""
        is_poor = self.line_score < POOR_SCORE and shape[0] > PORTRAIT * shape[1]
        is_clear = self.layout.clarity >= CLEAR_WRITING
        is_doubtful = self.layout.doubtful or (is_poor and not is_clear)
        return is_doubtful and not self.has_certain_number()

    def is_clearer_than(self, other: PageLayout, lead: float = 0.0) -> bool:
        """Say whether its lines are clearly writing, and those of another way up less so."""
        clarity = self.layout.clarity
        least = TEXT_CLARITY if len(self.layout.words) >= MANY_WORDS else CLEAR_WRITING
        return clarity >= least and clarity > other.clarity + lead

    def is_twin_of(self, other: PageReading) -> bool:
        """Say whether the numbers are those of the other way up, on their heads."""
        if other.tells_its_way():
            return False
        turned = [text.translate(ON_THEIR_HEADS)[::-1] for text in other.texts]
        return sorted(turned) == self.texts != other.texts

    def tells_its_way(self) -> bool:
        """Say whether a digit was read that is none on its head: 0, 1, 6, 8, 9 are."""
        return not set("".join(self.texts)) <= {*"01689"}

    def _half_tells_its_way(self) -> bool:
        """Say whether no more than the 2s and 5s of longer numbers tell which way is up."""
        texts = self.texts
        return not UPRIGHT_ONLY & set("".join(texts)) and any(len(text) > 1 for text in texts)

    def needed_lead(self, upright: PageLayout) -> float:
        """Return by how much what was read on its head must score more than upright."""
        if not self.tells_its_way():
            return UNTOLD_LEAD
        if self.layout.clarity < upright.clarity - DIMMER:
            return DIM_LEAD
        return HALF_TOLD_LEAD if self._half_tells_its_way() else HEAD_LEAD

    def doubted(self) -> PageReading:
        """Return the same, where it cannot be told which way is up."""
        note = "which way is up cannot be told"
        layout = replace(self.layout, about=(*self.layout.about, note))
        return self if self.is_doubted else replace(self, layout=layout, is_doubted=True)

    def to_page(self, lengths: Lengths) -> Page:
        """Return the result; rows of tables are lines where they have an allowed length."""
        layout = self.layout
        # Boxes around what slopes may leave the picture a little: they end at its edges.
        clip = partial(clip_box, size=layout.size)
        most = DOUBTED_CONFIDENCE if self.is_doubted else 1.0
        lines = [line.map_boxes(clip).at_most(most) for line in self.lines]
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
            words=tuple([clip(crop.box) for crop in layout.words]),
        )


def choose_way_up(reading: PageReading, turned: PageReading, *, is_line: bool) -> PageReading:
    """Return what was read upright or on its head, doubted where that cannot be told.

    `is_line` says whether the picture may show one line, and nothing else.
    """
    lead = turned.score - reading.score
    is_same = not turned.score or turned.texts == reading.texts
    is_told = turned.tells_its_way()
    if turned.is_twin_of(reading):
        return reading.doubted()
    if reading.is_clearer_than(turned.layout):
        # Its letters and digits stand upright, unless it is one line without any.
        is_lone = not reading.texts and is_told and lead > LONE_LEAD and is_line
        return turned.doubted() if is_lone else reading
    if lead > turned.needed_lead(reading.layout):
        # Digits that are digits on their heads too do not prove it.
        return turned if is_told else turned.doubted()
    if lead > 0 and is_told and turned.is_clearer_than(reading.layout, CLARITY_LEAD):
        return turned.doubted()
    return reading.doubted() if lead > UPRIGHT_LEAD and not is_same else reading


def choose_side(reading: PageReading, turned: PageReading) -> PageReading:
    """Return what was read as a sheet lies or once it was turned by 90 degrees: `turned`.

    What was read as it lies is doubted where the two cannot be told apart.
    """
    lead = turned.line_score - reading.line_score
    if turned.is_clearer_than(reading.layout, CLARITY_LEAD):
        return turned
    if reading.is_clearer_than(turned.layout, CLARITY_LEAD):
        # Writing that looks like letters where it lies may be digits all the same.
        return reading.doubted() if lead > CLEAR_LEAD else reading
    if lead > CLEAR_LEAD:
        return turned
    is_close = lead >= -CLEAR_LEAD and turned.line_score > 0
    return reading.doubted() if is_close else reading
