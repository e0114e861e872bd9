"""Which strings a line may hold: prefix beams over the stretches that are not settled.

Most frames of a line are surely blank. They are not searched at all, and they cut the line
into stretches that do not know of each other: after a blank it does not matter which digit
stood before it. So each stretch, a digit or two, is searched alone, and what was found in
the stretches is laid end to end, the likeliest first. That is the prefix beam search of
A. Y. Hannun and others, "First-pass large vocabulary continuous speech recognition using
bi-directional recurrent DNNs" (2014), without a language model, and with its sums over
alignments; only the work where nothing is open is left out.

Sums are of plain probabilities, raised again when they become small.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.reading.frames import BLANK

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitlens.reading.frames import Frames

DIGITS = "0123456789"

SHORT = 7
"""Frames that it takes to write one digit four times."""

SMALL = 1e-100
"""Where the best string's probability is below this, all are raised, lest they underflow."""

Stretch: TypeAlias = "list[tuple[float, list[tuple[str, float]]]]"
"""Neighbouring frames: of each, the probability of blank, and the digits that count."""

Masses: TypeAlias = "dict[str, float]"
"""Strings and their probabilities, up to one factor for all of them."""

Part: TypeAlias = "list[tuple[str, float]]"
"""What one stretch may hold, the likeliest first, with a mass of 1."""

Endings: TypeAlias = "dict[str, list[float]]"
"""Strings and the probabilities that they end in a blank, and that they end in a digit."""

Thin: TypeAlias = "Callable[[Endings], Endings]"


@dataclass(frozen=True)
class Beam:
    """How far the search looks.

    Parameters
    ----------
    floor
        Digits with no more than this in a frame are left out of the search there.
    ratio
        Strings with less than this share of the best one's probability are given up.
    width
        Most strings that are followed at a time.
    ratio_apart
        As `ratio`, where lengths are kept apart: a share of the best one of any length.
    width_apart
        As `width`, in a stretch where lengths are kept apart: so many of each length.
    most
        Most digits that are looked at, all frames together; where more are above the floor,
        it is raised. A line of noise, in which everything may be, then costs no more than one
        of a hundred digits.
    """

    floor: float = 1e-3
    ratio: float = 1e-3
    width: int = 10
    ratio_apart: float = 1e-5
    width_apart: int = 4
    most: int = 400

    def floor_for(self, frames: Frames) -> float:
        """Return the floor for a line: `floor`, or what leaves `most` digits above it.

        More where several are alike, as none of these is better than the others.
        """
        digits = frames[:, :BLANK]
        if np.count_nonzero(digits > self.floor) <= self.most:
            return self.floor
        return float(np.nextafter(np.sort(digits, axis=None)[-self.most], 0.0))


def stretches(frames: Frames, floor: float) -> list[Stretch]:
    """Return the stretches of neighbouring frames in which a digit has more than `floor`.

    Parameters
    ----------
    frames
        float64 (T, 11), rows sum to 1.
    floor
        0..1.
    """
    rows, columns = (frames[:, :BLANK] > floor).nonzero()
    values = frames[rows, columns].tolist()
    blanks = frames[rows, BLANK].tolist()
    found: list[Stretch] = []
    previous = -2
    digits: list[tuple[str, float]] = []
    for row, column, value, blank in zip(
        rows.tolist(), columns.tolist(), values, blanks, strict=True
    ):
        if row != previous:
            digits = []
            if row != previous + 1:
                found.append([])
            found[-1].append((blank, digits))
            previous = row
        digits.append((DIGITS[column], value))
    return found


def search(frames: Frames, beam: Beam) -> Masses:
    """Return the likeliest strings of a line, with probabilities up to one factor for all.

    Parameters
    ----------
    frames
        float64 (T, 11), rows sum to 1.
    beam
        How far to look.
    """
    whole = {"": 1.0}
    for stretch in stretches(frames, beam.floor_for(frames)):
        part = spell(stretch, beam, beam.ratio)[0]
        if len(part) == 1:
            ((end, _),) = part
            whole = {text + end: mass for text, mass in whole.items()}
        else:
            whole = _end_to_end(whole, part, beam)
    return whole


def _end_to_end(whole: Masses, part: Part, beam: Beam) -> Masses:
    """Lay what a stretch may hold behind what those before it may hold."""
    cut = max(whole.values()) * beam.ratio
    joined: Masses = {}
    find = joined.get
    for text, before in whole.items():
        for end, after in part:
            mass = before * after
            if mass < cut:
                break
            longer = text + end
            joined[longer] = find(longer, 0.0) + mass
    if len(joined) > beam.width:
        kept = sorted(joined, key=joined.__getitem__, reverse=True)[: beam.width]
        joined = {text: joined[text] for text in kept}
    return joined


def spell(
    stretch: Stretch, beam: Beam, ratio: float, thin: Thin | None = None
) -> tuple[Part, float]:
    """Search one stretch, with a blank before it and one after it.

    Parameters
    ----------
    stretch
        At least one frame.
    beam
        How far to look.
    ratio
        Strings with less than this share of the best one's probability are given up.
    thin
        What chooses the strings that are followed further; by default those of `ratio` and
        `beam.width`.

    Returns
    -------
    Strings and masses, the likeliest first, with a mass of 1, or none where `thin` chose
    none; and the unit of these masses: times it, they are probabilities.
    """
    digit = stretch[0][1][0][0]
    others = [pairs for _, pairs in stretch if len(pairs) > 1 or pairs[0][0] != digit]
    if len(stretch) < SHORT and not others:
        masses, unit = _one_digit(stretch, digit), 1.0
    else:
        masses, unit = _several_digits(stretch, beam, ratio, thin)
    best = max(masses.values(), default=0.0)
    if best == 0.0:
        return [], 0.0
    cut = best * ratio
    part = [(text, mass / best) for text, mass in masses.items() if mass >= cut]
    if len(part) > 1:
        part.sort(key=itemgetter(1), reverse=True)
    return part, unit * best


def _one_digit(stretch: Stretch, digit: str) -> Masses:
    """Search a stretch of one digit only: it stands there not at all, or up to three times.

    The same sums as `_several_digits`, without its tables: most stretches are like this.
    """
    none = 1.0
    # From the longest to the shortest, as each is fed by the one before it of the last frame.
    once = once_blank = twice = twice_blank = thrice = thrice_blank = 0.0
    for blank, ((_, value),) in stretch:
        thrice_blank = blank * (thrice_blank + thrice)
        thrice = value * (thrice + twice_blank)
        twice_blank = blank * (twice_blank + twice)
        twice = value * (twice + once_blank)
        once_blank = blank * (once_blank + once)
        once = value * (once + none)
        none *= blank
    return {
        "": none,
        digit: once + once_blank,
        2 * digit: twice + twice_blank,
        3 * digit: thrice + thrice_blank,
    }


def _several_digits(
    stretch: Stretch, beam: Beam, ratio: float, thin: Thin | None
) -> tuple[Masses, float]:
    held: Endings = {"": [1.0, 0.0]}
    best = unit = 1.0
    for blank, digits in stretch:
        top = max([value for _, value in digits])
        # The best string of this frame will have at least best * max(blank, top) / 2, unless
        # `thin` takes it away.
        held = _grow(held, blank, digits, best * max(blank, top) * ratio / 2)
        if thin is not None:
            held = thin(held)
        elif len(held) > 1:
            held = _likeliest(held, ratio, beam.width)
        best = max([mass[0] + mass[1] for mass in held.values()], default=0.0)
        if best == 0.0:
            return {}, 0.0
        if best < SMALL:
            held = {text: [mass[0] / best, mass[1] / best] for text, mass in held.items()}
            unit *= best
            best = 1.0
    return {text: mass[0] + mass[1] for text, mass in held.items()}, unit


def _grow(held: Endings, blank: float, digits: list[tuple[str, float]], cut: float) -> Endings:
    """Take one frame: each string stays as it is, or grows by one digit."""
    grown: Endings = {}
    find = grown.get
    for text, (in_blank, in_digit) in held.items():
        both = in_blank + in_digit
        last = text[-1:]
        stays = 0.0
        for digit, value in digits:
            if digit == last:
                stays = in_digit * value
                more = in_blank * value
            else:
                more = both * value
            if more > cut:
                longer = text + digit
                mass = find(longer)
                if mass is None:
                    grown[longer] = [0.0, more]
                else:
                    mass[1] += more
        pauses = both * blank
        if pauses + stays > cut:
            mass = find(text)
            if mass is None:
                grown[text] = [pauses, stays]
            else:
                mass[0] += pauses
                mass[1] += stays
    return grown


def _likeliest(held: Endings, ratio: float, width: int) -> Endings:
    totals = [mass[0] + mass[1] for mass in held.values()]
    bar = max(totals) * ratio
    if len(totals) > width:
        bar = max(bar, sorted(totals)[-width])
    return {text: mass for text, mass in held.items() if mass[0] + mass[1] >= bar}
