"""Which strings a line may hold: prefix beams over the stretches that are not settled.

Most frames of a line are surely blank. They are not searched at all, and they cut the line
into stretches that do not know of each other: after a blank it does not matter which digit
stood before it. So each stretch, a digit or two, is searched alone, and what was found in
the stretches is laid end to end, the likeliest first. That is the prefix beam search of
A. Y. Hannun and others, "First-pass large vocabulary continuous speech recognition using
bi-directional recurrent DNNs" (2014), without a language model, and with its sums over
alignments; only the work where nothing is open is left out.

Sums are of plain probabilities, raised again when they become small.

* The search where only some lengths are allowed: each length has a beam of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.ctc.probs import BLANK

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitlens.ctc.probs import Probs


DIGITS = "0123456789"

SHORT = 7
"""Frames that it takes to write one digit four times."""

SMALL = 1e-100
"""Where the best string's probability is below this, all are raised, lest they underflow."""

Segment: TypeAlias = "list[tuple[float, list[tuple[str, float]]]]"
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

    def floor_for(self, frames: Probs) -> float:
        """Return the floor for a line: `floor`, or what leaves `most` digits above it.

        More where several are alike, as none of these is better than the others.
        """
        digits = frames[:, :BLANK]
        if np.count_nonzero(digits > self.floor) <= self.most:
            return self.floor
        return float(np.nextafter(np.sort(digits, axis=None)[-self.most], 0.0))


def find_segments(frames: Probs, floor: float) -> list[Segment]:
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
    result: list[Segment] = []
    previous = -2
    digits: list[tuple[str, float]] = []
    for row, column, value, blank in zip(
        rows.tolist(), columns.tolist(), values, blanks, strict=True
    ):
        if row != previous:
            digits = []
            if row != previous + 1:
                result.append([])
            result[-1].append((blank, digits))
            previous = row
        digits.append((DIGITS[column], value))
    return result


def beam_search(frames: Probs, beam: Beam) -> Masses:
    """Return the likeliest strings of a line, with probabilities up to one factor for all.

    Parameters
    ----------
    frames
        float64 (T, 11), rows sum to 1.
    beam
        How far to look.
    """
    whole = {"": 1.0}
    for stretch in find_segments(frames, beam.floor_for(frames)):
        part = search_segments(stretch, beam, beam.ratio)[0]
        if len(part) == 1:
            ((end, _),) = part
            whole = {text + end: mass for text, mass in whole.items()}
        else:
            whole = _concat_beams(whole, part, beam)
    return whole


def _concat_beams(whole: Masses, part: Part, beam: Beam) -> Masses:
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


def search_segments(
    stretch: Segment, beam: Beam, ratio: float, thin: Thin | None = None
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


def _one_digit(stretch: Segment, digit: str) -> Masses:
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
    stretch: Segment, beam: Beam, ratio: float, thin: Thin | None
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


OPEN = 4
"""Frames that are opened for each wanted digit where nothing of an allowed length was found."""


def beam_search_lengths(
    frames: Probs, beam: Beam, lengths: frozenset[int]
) -> tuple[Masses, float]:
    """Return the likeliest strings of the allowed lengths, and how likely such lengths are.

    Where nothing of an allowed length is found the search is done again without
    `ratio_apart`, and then with so low a floor that four frames are open for each wanted
    digit. Such strings are the best that there is, but not sure to be the best there could
    be, and so unlikely that it does not matter.

    Parameters
    ----------
    frames
        float64 (T, 11), rows sum to 1.
    beam
        How far to look first.
    lengths
        The allowed lengths.

    Returns
    -------
    Strings with probabilities up to one factor for all (none where no alignment of an
    allowed length is possible); and the probability, 0..1, that the line's string has an
    allowed length, strings that the search left aside not counted.
    """
    result, share = _search(frames, beam, lengths)
    if not result:
        beam = replace(beam, ratio_apart=0.0)
        result, share = _search(frames, beam, lengths)
    if not result:
        beam = replace(beam, floor=_floor_for(frames, OPEN * max(lengths)))
        result, share = _search(frames, beam, lengths)
    return result, share


def _floor_for(frames: Probs, count: int) -> float:
    """Return a floor above which `count` frames have a digit, or all where there are fewer."""
    if count > len(frames):
        return 0.0
    top = np.sort(frames[:, :BLANK].max(axis=1))
    return float(np.nextafter(top[-count], 0.0))


def _search(frames: Probs, beam: Beam, lengths: frozenset[int]) -> tuple[Masses, float]:
    most = max(lengths)

    def thin(held: Endings) -> Endings:
        return _likeliest_of_each_length(held, beam, most)

    parts = []
    floor = beam.floor_for(frames)
    unit, stray = _settled(frames, floor)
    for stretch in find_segments(frames, floor):
        part, factor = search_segments(stretch, beam, beam.ratio_apart, thin)
        if not part:
            return {}, 0.0
        parts.append(part)
        unit *= factor
    rests = _best_rests(parts, most)
    wholes = {length: rests[0].get(length, 0.0) for length in lengths}
    bar = max(wholes.values()) * beam.ratio_apart
    goals = {length: mass for length, mass in wholes.items() if mass > 0 and mass >= bar}
    result = {"": 1.0}
    for part, rest in zip(parts, rests[1:], strict=True):
        result = _concat_lengths(result, part, beam, _hopes(rest, goals))
    return (result if goals else {}), unit * _share(parts, lengths, stray)


def _likeliest_of_each_length(held: Endings, beam: Beam, most: int) -> Endings:
    """Keep so many of each length; `ratio_apart` is to the best one of all lengths."""
    if max(map(len, held), default=0) > most:
        held = {text: mass for text, mass in held.items() if len(text) <= most}
    if len(held) <= beam.width_apart:
        return held
    bar = max([mass[0] + mass[1] for mass in held.values()]) * beam.ratio_apart
    groups: dict[int, list[tuple[float, str]]] = {}
    for text, mass in held.items():
        total = mass[0] + mass[1]
        if total >= bar:
            groups.setdefault(len(text), []).append((total, text))
    return {text: held[text] for text in _cut(groups, beam.width_apart, beam.ratio)}


def _cut(groups: dict[int, list[tuple[float, str]]], width: int, ratio: float) -> list[str]:
    """Keep of each group the `width` likeliest, none below a share of its best."""
    kept: list[str] = []
    for group in groups.values():
        if len(group) == 1:
            kept.append(group[0][1])
            continue
        if len(group) > width:
            group.sort(reverse=True)
            del group[width:]
        bar = max(group)[0] * ratio
        kept += [text for total, text in group if total >= bar]
    return kept


def _best_rests(parts: list[Part], most: int) -> list[dict[int, float]]:
    """Return, for each place between parts, the best mass of all that follows, by its length.

    The first entry is of all parts, the last of none. Lengths above `most` are left out.
    """
    rests = [{0: 1.0}]
    for part in reversed(parts):
        best: dict[int, float] = {}
        for text, mass in part:
            best.setdefault(len(text), mass)  # the likeliest comes first
        here: dict[int, float] = {}
        for length, mass in best.items():
            for more, after in rests[-1].items():
                both = length + more
                if both <= most and mass * after > here.get(both, 0.0):
                    here[both] = mass * after
        rests.append(here)
    return rests[::-1]


def _hopes(rest: dict[int, float], goals: dict[int, float]) -> dict[int, float]:
    """Return what a beginning of each length is worth.

    Its mass times this is the share of a goal's best that its best ending reaches. Lengths
    from which no goal can be reached are left out.
    """
    hopes: dict[int, float] = {}
    for goal, best in goals.items():
        for length, mass in rest.items():
            before = goal - length
            if before >= 0 and mass / best > hopes.get(before, 0.0):
                hopes[before] = mass / best
    return hopes


def _concat_lengths(whole: Masses, part: Part, beam: Beam, hopes: dict[int, float]) -> Masses:
    """Lay what a stretch may hold behind what those before it may hold."""
    ends: dict[int, Part] = {}
    for pair in part:
        ends.setdefault(len(pair[0]), []).append(pair)
    joined: Masses = {}
    find = joined.get
    for text, before in whole.items():
        for more, pairs in ends.items():
            hope = hopes.get(len(text) + more)
            if hope is None:
                continue
            for end, after in pairs:
                mass = before * after
                if mass * hope < beam.ratio:
                    break  # the likeliest come first
                longer = text + end
                joined[longer] = find(longer, 0.0) + mass
    if len(joined) <= beam.width:
        return joined
    groups: dict[int, list[tuple[float, str]]] = {}
    for text, mass in joined.items():
        groups.setdefault(len(text), []).append((mass, text))
    return {text: joined[text] for text in _cut(groups, beam.width, beam.ratio)}


def _settled(frames: Probs, floor: float) -> tuple[float, float]:
    """Look at what the search leaves out.

    Returns
    -------
    The probability that all settled frames are blank; and the sum of the probabilities of
    all digits that are not above the floor.
    """
    digits = frames[:, :BLANK]
    settled = digits.max(axis=1) <= floor
    stray = (digits * (digits <= floor)).sum()
    return float(frames[settled, BLANK].prod()), float(stray)


def _share(parts: list[Part], lengths: frozenset[int], stray: float) -> float:
    """Return the sum over all strings, one from each part, whose length is allowed.

    `stray` digits come in as those of a Poisson process do, two at most: each too unlikely to
    be searched for, but on a line of many frames not all of them together.
    """
    sums = {0: 1.0}
    most = max(lengths)
    for part in parts:
        by_length: dict[int, float] = {}
        for text, mass in part:
            length = len(text)
            by_length[length] = by_length.get(length, 0.0) + mass
        joined: dict[int, float] = {}
        for length, mass in by_length.items():
            for index, before in sums.items():
                both = index + length
                if both <= most:
                    joined[both] = joined.get(both, 0.0) + before * mass
        sums = joined
    find = sums.get
    return sum(
        [
            find(item, 0.0) + stray * (find(item - 1, 0.0) + stray / 2 * find(item - 2, 0.0))
            for item in lengths
        ]
    )
