"""Prefix beam search: which strings a line may hold.

Most time steps of a line are surely blank. They are not searched at all, and they cut the line
into segments that do not depend on each other: after a blank it does not matter which digit
stood before it. So each segment, a digit or two, is searched alone, and the segments' strings
are concatenated, the likeliest first. That is the prefix beam search of A. Y. Hannun and
others, "First-pass large vocabulary continuous speech recognition using bi-directional
recurrent DNNs" (2014), without a language model, and with its sums over alignments; only the
work where nothing is open is left out.

Sums are of plain probabilities, scaled up when they become small.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.ctc.probs import BLANK

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitlens.ctc.probs import Probs


DIGITS = "0123456789"

MAX_SINGLE_STEPS = 6  # in so many time steps one digit can be written three times, but not four

# Where the best prefix's probability falls below this, all are scaled up: they would underflow.
RESCALE_BELOW = 1e-100

# Time steps opened for each wanted digit where no string of an allowed length was found.
STEPS_PER_DIGIT = 4

# Neighbouring time steps: of each, the probability of blank, and the digits that count.
Segment: TypeAlias = "list[tuple[float, list[tuple[str, float]]]]"

# Strings and their probabilities, up to one factor for all of them.
Scores: TypeAlias = "dict[str, float]"

# What one segment may hold, the likeliest first, with a score of 1.
Ranking: TypeAlias = "list[tuple[str, float]]"

# Prefixes and the probabilities that they end in a blank, and that they end in a digit.
Prefixes: TypeAlias = "dict[str, list[float]]"

Prune: TypeAlias = "Callable[[Prefixes], Prefixes]"


@dataclass(frozen=True)
class BeamOptions:
    """How far the search looks."""

    # Digits with no more than this in a time step are left out of the search there.
    floor: float = 1e-3
    # Strings with less than this share of the best one's probability are pruned.
    ratio: float = 1e-3
    width: int = 10  # most strings that are followed at a time
    # As `ratio`, where lengths are kept apart: a share of the best one of any length.
    length_ratio: float = 1e-5
    # As `width`, in a segment where lengths are kept apart: so many of each length.
    length_width: int = 4
    # Most digits above the floor, all time steps together; where there are more, the floor is
    # raised. A line of noise then costs no more than one of a hundred digits.
    max_digits: int = 400

    def choose_floor(self, probs: Probs) -> float:
        """Return the floor for a line: `floor`, or what leaves `max_digits` above it.

        More where several are alike, as none of these is better than the others.
        """
        digits = probs[:, :BLANK]
        if np.count_nonzero(digits > self.floor) <= self.max_digits:
            return self.floor
        return float(np.nextafter(np.sort(digits, axis=None)[-self.max_digits], 0.0))


def beam_search(probs: Probs, beam: BeamOptions) -> Scores:
    """Return the likeliest strings of a line, with probabilities up to one factor for all."""
    strings = {"": 1.0}
    for segment in find_segments(probs, beam.choose_floor(probs)):
        # Most segments hold one digit for sure, and nothing has to be sorted.
        ranking = search_segment(segment, beam, beam.ratio)[0]
        if len(ranking) == 1:
            ((end, _),) = ranking
            strings = {text + end: score for text, score in strings.items()}
        else:
            strings = _concat_beams(strings, ranking, beam)
    return strings


def find_segments(probs: Probs, floor: float) -> list[Segment]:
    """Return the runs of neighbouring time steps in which a digit has more than `floor`."""
    steps, columns = (probs[:, :BLANK] > floor).nonzero()
    values = probs[steps, columns].tolist()
    blanks = probs[steps, BLANK].tolist()
    result: list[Segment] = []
    previous = -2
    digits: list[tuple[str, float]] = []
    for step, column, value, blank in zip(
        steps.tolist(), columns.tolist(), values, blanks, strict=True
    ):
        if step != previous:
            digits = []
            # A gap ends the segment: the steps between are blank.
            if step != previous + 1:
                result.append([])
            result[-1].append((blank, digits))
            previous = step
        digits.append((DIGITS[column], value))
    return result


def _concat_beams(strings: Scores, ranking: Ranking, beam: BeamOptions) -> Scores:
    """Append what a segment may hold to what those before it may hold."""
    cut = max(strings.values()) * beam.ratio
    longer: Scores = {}
    find = longer.get
    for text, before in strings.items():
        for end, after in ranking:
            score = before * after
            if score < cut:
                break  # the likeliest come first
            longer[text + end] = find(text + end, 0.0) + score
    if len(longer) > beam.width:
        kept = sorted(longer, key=longer.__getitem__, reverse=True)[: beam.width]
        longer = {text: longer[text] for text in kept}
    return longer


def search_segment(
    segment: Segment, beam: BeamOptions, ratio: float, prune: Prune | None = None
) -> tuple[Ranking, float]:
    """Search one segment of at least one time step, with a blank before it and one after it.

    `prune` chooses the prefixes that are followed further, by default by `ratio` (as in
    `BeamOptions`) and `beam.width`. Returns strings and scores, the likeliest first with a
    score of 1, none where `prune` left none; and the unit of these scores: times it, they are
    probabilities.
    """
    digit = segment[0][1][0][0]
    others = [pairs for _, pairs in segment if len(pairs) > 1 or pairs[0][0] != digit]
    if len(segment) <= MAX_SINGLE_STEPS and not others:
        scores, unit = _search_one_digit(segment, digit), 1.0
    else:
        scores, unit = _search_digits(segment, beam, ratio, prune)
    best = max(scores.values(), default=0.0)
    if best == 0.0:
        return [], 0.0
    cut = best * ratio
    ranking = [(text, score / best) for text, score in scores.items() if score >= cut]
    if len(ranking) > 1:
        ranking.sort(key=itemgetter(1), reverse=True)
    return ranking, unit * best


def _search_one_digit(segment: Segment, digit: str) -> Scores:
    """Search a segment of one digit only: it stands there not at all, or up to three times.

    The same sums as `_search_digits`, without its tables: most segments are like this.
    """
    none = 1.0
    # From the longest to the shortest, as each is fed by the one before it of the last step.
    once = once_blank = twice = twice_blank = thrice = thrice_blank = 0.0
    for blank, ((_, value),) in segment:
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


def _search_digits(
    segment: Segment, beam: BeamOptions, ratio: float, prune: Prune | None
) -> tuple[Scores, float]:
    prefixes: Prefixes = {"": [1.0, 0.0]}
    best = unit = 1.0
    for blank, digits in segment:
        top = max([value for _, value in digits])
        # The best prefix of this step will have at least best * max(blank, top) / 2, unless
        # `prune` takes it away.
        cut = best * max(blank, top) * ratio / 2
        prefixes = _extend_prefixes(prefixes, blank, digits, cut)
        if prune is not None:
            prefixes = prune(prefixes)
        elif len(prefixes) > 1:
            prefixes = _keep_likeliest(prefixes, ratio, beam.width)
        best = max([pair[0] + pair[1] for pair in prefixes.values()], default=0.0)
        # `prune` may leave no prefix at all.
        if best == 0.0:
            return {}, 0.0
        if best < RESCALE_BELOW:
            prefixes = {text: [one / best, two / best] for text, (one, two) in prefixes.items()}
            unit *= best
            best = 1.0
    return {text: pair[0] + pair[1] for text, pair in prefixes.items()}, unit


def _extend_prefixes(
    prefixes: Prefixes, blank: float, digits: list[tuple[str, float]], cut: float
) -> Prefixes:
    """Take one time step: each prefix stays as it is, or grows by one digit."""
    result: Prefixes = {}
    find = result.get
    for text, (in_blank, in_digit) in prefixes.items():
        both = in_blank + in_digit
        last = text[-1:]
        stays = 0.0
        for digit, value in digits:
            if digit == last:
                # The same digit again: a run goes on, or a blank parted the twins.
                stays = in_digit * value
                more = in_blank * value
            else:
                more = both * value
            if more > cut:
                longer = text + digit
                pair = find(longer)
                if pair is None:
                    result[longer] = [0.0, more]
                else:
                    pair[1] += more
        # A blank follows, or the last digit goes on.
        pauses = both * blank
        if pauses + stays > cut:
            pair = find(text)
            if pair is None:
                result[text] = [pauses, stays]
            else:
                pair[0] += pauses
                pair[1] += stays
    return result


def _keep_likeliest(prefixes: Prefixes, ratio: float, width: int) -> Prefixes:
    totals = [pair[0] + pair[1] for pair in prefixes.values()]
    least = max(totals) * ratio
    if len(totals) > width:
        least = max(least, sorted(totals)[-width])
    return {text: pair for text, pair in prefixes.items() if pair[0] + pair[1] >= least}


def beam_search_lengths(
    probs: Probs, beam: BeamOptions, lengths: AbstractSet[int]
) -> tuple[Scores, float]:
    """Return the likeliest strings of the allowed lengths, and how likely such lengths are.

    Each length has a beam of its own. Where nothing of an allowed length is found, the search
    is done again without `length_ratio`, and then with so low a floor that four time steps are
    open for each wanted digit. Such strings need not be the very best; they are so unlikely
    that it does not matter. The strings' probabilities are up to one factor for all; strings
    that the search left aside do not count in that of the lengths.
    """
    result, share = _search_lengths(probs, beam, lengths)
    # An allowed length may be far less likely than the others in one segment.
    if not result:
        beam = replace(beam, length_ratio=0.0)
        result, share = _search_lengths(probs, beam, lengths)
    # There may be fewer open steps than wanted digits.
    if not result:
        beam = replace(beam, floor=_open_floor(probs, STEPS_PER_DIGIT * max(lengths)))
        result, share = _search_lengths(probs, beam, lengths)
    return result, share


def _open_floor(probs: Probs, count: int) -> float:
    """Return a floor above which `count` time steps have a digit; all if there are fewer."""
    if count > len(probs):
        return 0.0
    top = np.sort(probs[:, :BLANK].max(axis=1))
    return float(np.nextafter(top[-count], 0.0))


def _search_lengths(
    probs: Probs, beam: BeamOptions, lengths: AbstractSet[int]
) -> tuple[Scores, float]:
    longest = max(lengths)

    def prune(prefixes: Prefixes) -> Prefixes:
        return _keep_likeliest_by_length(prefixes, beam, longest)

    # Search each segment by itself.
    floor = beam.choose_floor(probs)
    unit, stray = _sum_unsearched(probs, floor)
    rankings = []
    for segment in find_segments(probs, floor):
        ranking, factor = search_segment(segment, beam, beam.length_ratio, prune)
        if not ranking:
            return {}, 0.0
        rankings.append(ranking)
        unit *= factor
    # Which allowed lengths are likely enough, seen from the end back to each segment.
    rests = _best_rests(rankings, longest)
    bests = {length: rests[0].get(length, 0.0) for length in lengths}
    least = max(bests.values()) * beam.length_ratio
    goals = {length: score for length, score in bests.items() if score > 0 and score >= least}
    # Concatenate the segments' strings; what cannot reach a goal any more is left out.
    result = {"": 1.0}
    for ranking, rest in zip(rankings, rests[1:], strict=True):
        result = _concat_by_length(result, ranking, beam, _outlooks(rest, goals))
    return (result if goals else {}), unit * _length_share(rankings, lengths, stray)


def _keep_likeliest_by_length(prefixes: Prefixes, beam: BeamOptions, longest: int) -> Prefixes:
    """Keep so many of each length; `length_ratio` is to the best one of all lengths."""
    # Too long already: no ending makes it shorter.
    if max(map(len, prefixes), default=0) > longest:
        prefixes = {text: pair for text, pair in prefixes.items() if len(text) <= longest}
    if len(prefixes) <= beam.length_width:
        return prefixes
    least = max([pair[0] + pair[1] for pair in prefixes.values()]) * beam.length_ratio
    groups: dict[int, list[tuple[float, str]]] = {}
    for text, pair in prefixes.items():
        total = pair[0] + pair[1]
        if total >= least:
            groups.setdefault(len(text), []).append((total, text))
    kept = _cut_groups(groups, beam.length_width, beam.ratio)
    return {text: prefixes[text] for text in kept}


def _cut_groups(
    groups: dict[int, list[tuple[float, str]]], width: int, ratio: float
) -> list[str]:
    """Keep of each group the `width` likeliest, none below a share of its best."""
    kept: list[str] = []
    for group in groups.values():
        if len(group) == 1:
            kept.append(group[0][1])
            continue
        if len(group) > width:
            group.sort(reverse=True)
            del group[width:]
        least = max(group)[0] * ratio
        kept += [text for total, text in group if total >= least]
    return kept


def _best_rests(rankings: list[Ranking], longest: int) -> list[dict[int, float]]:
    """Return, for each place between segments, the best score of all that follows, by length.

    The first entry is of all segments, the last of none. Lengths above `longest` are left out.
    """
    rests = [{0: 1.0}]
    for ranking in reversed(rankings):
        best: dict[int, float] = {}
        for text, score in ranking:
            best.setdefault(len(text), score)  # the likeliest comes first
        here: dict[int, float] = {}
        for length, score in best.items():
            for more, after in rests[-1].items():
                both = length + more
                if both <= longest and score * after > here.get(both, 0.0):
                    here[both] = score * after
        rests.append(here)
    return rests[::-1]


def _outlooks(rest: dict[int, float], goals: dict[int, float]) -> dict[int, float]:
    """Return what a beginning of each length is worth.

    Its score times this is the share of a goal's best that its best ending reaches. Lengths
    from which no goal can be reached are left out.
    """
    outlooks: dict[int, float] = {}
    for goal, best in goals.items():
        for length, score in rest.items():
            before = goal - length
            if before >= 0 and score / best > outlooks.get(before, 0.0):
                outlooks[before] = score / best
    return outlooks


def _concat_by_length(
    strings: Scores, ranking: Ranking, beam: BeamOptions, outlooks: dict[int, float]
) -> Scores:
    """Append what a segment may hold to what those before it may hold."""
    ends: dict[int, Ranking] = {}
    for pair in ranking:
        ends.setdefault(len(pair[0]), []).append(pair)
    longer: Scores = {}
    find = longer.get
    for text, before in strings.items():
        for more, pairs in ends.items():
            outlook = outlooks.get(len(text) + more)
            if outlook is None:
                continue
            for end, after in pairs:
                score = before * after
                if score * outlook < beam.ratio:
                    break  # the likeliest come first
                longer[text + end] = find(text + end, 0.0) + score
    if len(longer) <= beam.width:
        return longer
    groups: dict[int, list[tuple[float, str]]] = {}
    for text, score in longer.items():
        groups.setdefault(len(text), []).append((score, text))
    return {text: longer[text] for text in _cut_groups(groups, beam.width, beam.ratio)}


def _sum_unsearched(probs: Probs, floor: float) -> tuple[float, float]:
    """Return the probability that all closed time steps are blank, and the sum of all digits'
    probabilities that are not above the floor."""
    digits = probs[:, :BLANK]
    closed = digits.max(axis=1) <= floor
    stray = (digits * (digits <= floor)).sum()
    return float(probs[closed, BLANK].prod()), float(stray)


def _length_share(rankings: list[Ranking], lengths: AbstractSet[int], stray: float) -> float:
    """Return the sum over all strings, one from each segment, whose length is allowed.

    `stray` digits come in as those of a Poisson process do, two at most: each too unlikely to
    be searched for, but on a line of many time steps not all of them together.
    """
    sums = {0: 1.0}
    longest = max(lengths)
    for ranking in rankings:
        by_length: dict[int, float] = {}
        for text, score in ranking:
            by_length[len(text)] = by_length.get(len(text), 0.0) + score
        longer: dict[int, float] = {}
        for length, score in by_length.items():
            for count, before in sums.items():
                both = count + length
                if both <= longest:
                    longer[both] = longer.get(both, 0.0) + before * score
        sums = longer
    find = sums.get
    return sum(
        [
            find(item, 0.0) + stray * (find(item - 1, 0.0) + stray / 2 * find(item - 2, 0.0))
            for item in lengths
        ]
    )
