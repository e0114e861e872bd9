"""The search where only some lengths are allowed: each length has a beam of its own.

So a likely string of a wrong length does not push out one of a right length.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from digitlens.reading.frames import BLANK
from digitlens.reading.search import Beam, spell, stretches

if TYPE_CHECKING:
    from digitlens.reading.frames import Frames
    from digitlens.reading.search import Endings, Masses, Part

OPEN = 4
"""Frames that are opened for each wanted digit where nothing of an allowed length was found."""


def search_lengths(frames: Frames, beam: Beam, lengths: frozenset[int]) -> tuple[Masses, float]:
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
    found, share = _search(frames, beam, lengths)
    if not found:
        beam = replace(beam, ratio_apart=0.0)
        found, share = _search(frames, beam, lengths)
    if not found:
        beam = replace(beam, floor=_floor_for(frames, OPEN * max(lengths)))
        found, share = _search(frames, beam, lengths)
    return found, share


def _floor_for(frames: Frames, count: int) -> float:
    """Return a floor above which `count` frames have a digit, or all where there are fewer."""
    if count > len(frames):
        return 0.0
    top = np.sort(frames[:, :BLANK].max(axis=1))
    return float(np.nextafter(top[-count], 0.0))


def _search(frames: Frames, beam: Beam, lengths: frozenset[int]) -> tuple[Masses, float]:
    most = max(lengths)

    def thin(held: Endings) -> Endings:
        return _likeliest_of_each_length(held, beam, most)

    parts = []
    floor = beam.floor_for(frames)
    unit, stray = _settled(frames, floor)
    for stretch in stretches(frames, floor):
        part, factor = spell(stretch, beam, beam.ratio_apart, thin)
        if not part:
            return {}, 0.0
        parts.append(part)
        unit *= factor
    rests = _best_rests(parts, most)
    wholes = {length: rests[0].get(length, 0.0) for length in lengths}
    bar = max(wholes.values()) * beam.ratio_apart
    goals = {length: mass for length, mass in wholes.items() if mass > 0 and mass >= bar}
    found = {"": 1.0}
    for part, rest in zip(parts, rests[1:], strict=True):
        found = _end_to_end(found, part, beam, _hopes(rest, goals))
    return (found if goals else {}), unit * _share(parts, lengths, stray)


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


def _end_to_end(whole: Masses, part: Part, beam: Beam, hopes: dict[int, float]) -> Masses:
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


def _settled(frames: Frames, floor: float) -> tuple[float, float]:
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
            for at, before in sums.items():
                both = at + length
                if both <= most:
                    joined[both] = joined.get(both, 0.0) + before * mass
        sums = joined
    find = sums.get
    return sum(
        [
            find(each, 0.0) + stray * (find(each - 1, 0.0) + stray / 2 * find(each - 2, 0.0))
            for each in lengths
        ]
    )
