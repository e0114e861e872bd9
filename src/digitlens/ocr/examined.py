"""A line and what its ink is, looked at as a whole: a number, a word, both, or in doubt.

What the signs of connected ink (`digitlens.ocr.units`) say together: whether anything is
clearly no digit, so that `digitlens.ocr.signs` parts the line, and where nothing is, whether
the line is a number for sure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digitlens.ocr.units import (
    CLIP,
    DIGIT,
    INK,
    LETTER,
    POINT,
    PROBABLE_SLASH,
    SEPARATOR,
    SLASH_DOUBT,
    find_units,
    is_glyph,
    is_tall,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.geometry import Gray
    from digitlens.layout.page_layout import LineCrop
    from digitlens.ocr.network import SignRecognizer
    from digitlens.ocr.units import Unit


CLEARLY_FOREIGN, CLEARLY_MARKED, CLEARLY_SEVERAL = 5.5, 5.0, 12.0
"""Nats: where no line of a page says so clearly that it is more than a number, all is read;
where a picture of one line does not, that is read from edge to edge. The second counts for
lines with marks and without a letter."""

MIN_FOREIGN, MIN_MARKED, MIN_FOREIGN_OF_LINE = 4.0, 3.0, 5.0
"""Nats: of a line that says so less clearly nothing is cut off: it is read whole, and not
surely. The second counts for lines with marks and without a letter, the last in a picture of
one line."""

CLEAR = (0.01, 0.9)
"""A line with no glyph that may be a digit with a probability between these is clear."""

MIN_ALONE, MIN_ALONE_OF_FEW, FEW_LINES = 0.6, 0.3, 3
"""A number is not sure where one of its digits, looked at alone, is one with less than the
first probability; in a picture of no more than so many lines, which most likely are numbers,
where the first or last digit is one with less than the second."""

CLEAR_MARK, LIKELY_MARK, LIKELY_END = 0.9, 0.75, (0.5, 0.25)
"""Where a picture shows so few lines, something at an end is a mark from the first probability
on, the last of several from the second; from these on the first and the last are slashes."""

NO_DIGIT, NO_DIGITS = 0.1, 0.2
"""There a letter is no digit with less than the first, and several of anything are none with
less than the second."""


@dataclass(frozen=True, eq=False)
class Examined:
    """A line and what its ink is."""

    crop: LineCrop
    labels: NDArray[np.int32]  # (h, w): connected ink, from 1
    units: list[Unit]  # from left to right
    height: float  # of its writing, in pixels of the crop
    clarity: float  # 0..1: the mean probability of what is likeliest in each frame with ink

    @property
    def foreign(self) -> float:
        """How clearly something is no digit: the log odds of all such ink, in nats.

        A clear dash or slash between digits says it alone, a slash also beside them.
        """
        digits = [unit.center for unit in self.units if unit.sign == DIGIT]
        parted = any(
            unit.sign == SEPARATOR
            and unit.certainty < SLASH_DOUBT
            and (digits[0] < unit.center < digits[-1] or is_tall(unit, self.height))
            for unit in self.units
            if digits
        )
        others = [unit.certainty for unit in self.glyphs if unit.sign != DIGIT]
        shares = np.clip(others, *CLIP)
        return float(np.sum(np.log((1 - shares) / shares))) + CLEARLY_SEVERAL * parted

    @property
    def glyphs(self) -> list[Unit]:
        """What may be a digit or a letter: all but dashes, points and specks."""
        return [unit for unit in self.units if is_glyph(unit, self.height)]

    @property
    def points(self) -> list[Unit]:
        """Points and commas."""
        return [unit for unit in self.units if unit.sign == POINT]

    @property
    def min_foreign(self) -> float:
        """How clearly something must be no digit for anything to be cut off."""
        return MIN_FOREIGN if self.has_letters() else MIN_MARKED

    def has_letters(self) -> bool:
        """Say whether something is rather a letter than a mark."""
        return any(unit.sign == LETTER for unit in self.units)

    def has_only_marks(self) -> bool:
        """Say whether beside digits there is nothing but likely marks."""
        others = [unit for unit in self.glyphs if unit.sign != DIGIT]
        return 0 < len(others) < len(self.glyphs) and all(
            unit.mark > CLEAR_MARK for unit in others
        )

    def says_more(self, *, is_single: bool) -> bool:
        """Say whether it is clearly more than a number, or none.

        `is_single` says that it is all that a picture shows: that is rarely a word.
        """
        if is_single:
            bar = MIN_FOREIGN_OF_LINE if self.is_clear() else CLEARLY_SEVERAL
            return self.is_framed() or self.foreign >= bar
        bar = CLEARLY_FOREIGN if self.has_letters() else CLEARLY_MARKED
        return self.foreign >= (self.min_foreign if self.is_clear() else bar)

    def is_framed(self) -> bool:
        """Say whether clear marks, as brackets are, stand on both sides of digits."""
        if len(self.glyphs) <= 2:
            return False
        first, *inner, last = self.glyphs
        are_marks = min(first.mark, last.mark) > CLEAR_MARK
        return are_marks and all(unit.sign == DIGIT for unit in inner)

    def is_doubtful(self, *, are_few: bool) -> bool:
        """Say whether a line that is read whole may be more, or less, than a number.

        `are_few` says that there are not more of them than of a picture of numbers.
        """
        tall = [unit for unit in self.units if is_tall(unit, self.height)]
        digits = [unit for unit in tall if unit.sign == DIGIT]
        if not are_few:
            return len(digits) < len(tall) or any(map(is_rather_none, digits))
        if not tall:
            return True
        first, last = tall[0], tall[-1]
        if not digits:
            bar = NO_DIGITS if len(tall) > 1 else NO_DIGIT * (first.sign == LETTER)
            return all(unit.alone < bar for unit in tall)
        # The first of several is often a 1 that leans like a slash, or reaches far.
        is_mark = first.mark - first.slash > CLEAR_MARK and len(tall) == len(digits) + 1
        is_slash = first.slash > LIKELY_END[0] or last.slash > LIKELY_END[1]
        if is_mark or is_slash or last.mark > LIKELY_MARK:
            return True
        return any(unit.alone < MIN_ALONE_OF_FEW for unit in (digits[0], digits[-1]))

    def is_clear(self) -> bool:
        """Say whether of every glyph it is known whether it is a digit."""
        return all(not CLEAR[0] < unit.certainty < CLEAR[1] for unit in self.glyphs)


def is_rather_none(unit: Unit) -> bool:
    """Say whether what was taken for a digit may be something else, looked at alone."""
    return unit.alone < MIN_ALONE or unit.slash > PROBABLE_SLASH


def examine(network: SignRecognizer, crop: LineCrop) -> Examined:
    """Ask the network what the ink of a line is."""
    probs = np.exp(network.log_probs(crop.picture))
    labels, units, height = find_units(crop.ink, probs)
    return Examined(crop, labels, units, height, _measure_clarity(crop.ink, probs))


def _measure_clarity(ink: Gray, probs: NDArray[np.float32]) -> float:
    inked = np.interp(
        np.arange(len(probs)), np.linspace(0, len(probs), ink.shape[1]), ink.max(axis=0)
    )
    best = probs.max(axis=1)[inked > INK]
    return float(best.mean()) if best.size else 0.0
