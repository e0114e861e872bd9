"""A glance at lines: which of them may hold a number, and which way up they are writing.

The small network that tells signs apart takes a sixth of a reader's time for a line, and a
fiftieth where strings of an allowed length are looked for. Mail asks it first.
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from digitlens.geometry import rotate_upright
from digitlens.ocr.select import is_likely_line
from digitlens.ocr.units import DIGIT, INK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.geometry import Box
    from digitlens.layout.page_layout import LineCrop, PageLayout
    from digitlens.ocr.network import SignRecognizer
    from digitlens.ocr.page import Where


MIN_DIGIT_WIDTH = 0.1
"""Lines with less ink that may be a digit's hold no number: the mean probability of a digit
times the width of the ink, in heights of the line, for each wanted digit. Of 196 ZIPs on 200
drawn envelopes the lowest had 0.14, and three of four other lines have less than 0.1."""

MIN_WORD_WIDTH = 3.0
"""What is narrower, in its height, is a stamp or a postmark as often as a word: it does not say
which way is up."""

UP_LEAD, TURNED_LEAD = 0.015, 0.03
"""Long lines are writing so much more clearly upright, where a page stands as it should and
where it stands on its head, which is rarer: three of four of 200 drawn envelopes are told by
that, and none wrongly."""

TOLD, MIN_LINES = 4.0, 2
"""So many times that lead by so many lines is enough: the other lines are then not asked. Of 60
drawn envelopes two more are told so, both rightly, and half as many lines are looked at."""

SURE_WRITING = 0.97
"""Long lines of less clarity may lie on their side, where a layout says so: two of 230 drawn
envelopes had 0.91 and 0.956 there."""


class LineGlances:
    """What the signs on lines are; each line is looked at once.

    up_lead: by how much upright writing must be clearer to be told
    """

    def __init__(self, network: SignRecognizer, up_lead: float = UP_LEAD) -> None:
        self._network = network
        self._up_lead = up_lead
        self._known: dict[tuple[LineCrop, bool], tuple[float, float]] = {}

    def tell_way_up(self, layout: PageLayout) -> PageLayout | None:
        """Return a page the way up that its lines are writing; None where both look alike."""
        clarity, turned_clarity = self._clarity_both_ways(layout)
        if -TURNED_LEAD < clarity - turned_clarity < self._up_lead:
            return None
        best = layout if clarity > turned_clarity else layout.upside_down()
        clarity = max(clarity, turned_clarity)
        # Lines that are clearly writing do not lie on their side.
        is_doubtful = best.doubtful and clarity < SURE_WRITING
        return replace(best, clarity=clarity, doubtful=is_doubtful)

    def measure_clarity(self, layout: PageLayout) -> PageLayout:
        """Return a page with how clearly its lines are writing, upright or on their heads."""
        return replace(layout, clarity=max(self._clarity_both_ways(layout)))

    def _clarity_both_ways(self, layout: PageLayout) -> tuple[float, float]:
        """Return how clearly the long lines of a page are writing, and that on their heads.

        0..1 each; 0 without any. The longest come first, and where two or more of them are
        clear about it, no others are asked.
        """
        sizes = [(_size_of_ink(crop), crop) for crop in layout.crops if not crop.part]
        long = [
            (columns, crop)
            for (rows, columns), crop in sizes
            if columns >= MIN_WORD_WIDTH * rows
        ]
        upright = turned = width = 0.0
        for count, (columns, crop) in enumerate(sorted(long, key=lambda item: -item[0]), 1):
            upright += columns * self._look(crop)[1]
            turned += columns * self._look(crop, turned=True)[1]
            width += columns
            lead = (upright - turned) / width
            is_told = lead >= TOLD * self._up_lead or lead <= -TOLD * TURNED_LEAD
            if count >= MIN_LINES and is_told and not layout.doubtful:
                break
        return (upright / width, turned / width) if width else (0.0, 0.0)

    def drop_words(self, layout: PageLayout, count: int) -> PageLayout:
        """Return a page whose lines may hold `count` digits; the others are its words."""
        least = MIN_DIGIT_WIDTH * count
        crops = layout.crops
        wholes = [index for index, crop in enumerate(crops) if not crop.part]
        may_hold = {index for index in wholes if self._look(crops[index])[0] >= least}
        for index, crop in enumerate(crops):
            if crop.part:
                # Its line is the one before it, or after it where the page was turned: of words
                # no part is looked at.
                place = bisect(wholes, index)
                near = may_hold.intersection(wholes[max(0, place - 1) : place + 1])
                if near and self._look(crop)[0] >= least:
                    may_hold.add(index)
        kept = tuple(crops[index] for index in sorted(may_hold))
        words = tuple(crops[index] for index in wholes if index not in may_hold)
        return replace(layout, crops=kept, words=words)

    def find_parted(self, layout: PageLayout, count: int, where: Where) -> tuple[LineCrop, ...]:
        """Return those of the whole lines of a page whose parts may be what is looked for."""
        if is_likely_line(layout):
            return layout.crops
        best = self.tell_way_up(layout)
        if best is None or best.rotation != layout.rotation:
            return layout.crops
        return self.drop_words(keep_wanted(best, where), count).crops

    def _look(self, crop: LineCrop, *, turned: bool = False) -> tuple[float, float]:
        """Return how wide the ink of digits is, in heights of the line, and the clarity."""
        key = crop, turned
        if key not in self._known:
            item = crop.upside_down() if turned else crop
            self._known[key] = _measure(item, np.exp(self._network.log_probs(item.picture)))
        return self._known[key]


def _size_of_ink(crop: LineCrop) -> tuple[int, int]:
    """Return height and width of a line without its margins."""
    height, width = crop.ink.shape
    return max(1, height - 2 * crop.margin), width - 2 * crop.margin


def _measure(crop: LineCrop, probs: NDArray[np.float32]) -> tuple[float, float]:
    """Return the width of digits and the clarity of a line from the signs of its frames."""
    edges = np.linspace(0, crop.ink.shape[1], len(probs) + 1).astype(int)[:-1]
    inked = np.maximum.reduceat(crop.ink.max(axis=0), edges) > INK
    if not inked.any():
        return 0.0, 0.0
    step = crop.ink.shape[1] / len(probs)
    digits = float(probs[inked, DIGIT].sum()) * step
    return digits / _size_of_ink(crop)[0], float(probs[inked].max(axis=1).mean())


def keep_wanted(layout: PageLayout, where: Where) -> PageLayout:
    """Return a layout without the lines that are not wanted."""
    crops = [crop for crop in layout.crops if is_wanted(crop.box, layout, where)]
    return replace(layout, crops=tuple(crops))


def is_wanted(box: Box, layout: PageLayout, where: Where) -> bool:
    """Say whether `where` wants a line, by its place on the upright picture."""
    return where(*rotate_upright(box, layout.size, layout.rotation))
