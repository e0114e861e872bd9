"""How likely each ZIP is, given what was read, the directory and the address (Bayes' rule).

A reading gives strings with probabilities. Mail bears ZIPs that exist and that belong to its
city, with few exceptions; so strings that contradict count for nearly nothing, and the
remaining probability is divided anew. Two things count besides, because otherwise a single
remaining string would always come out as certain: strings that the reader did not list, and
the possibility that the line is no ZIP at all. The more ZIPs are possible, the more easily one
of them is read by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from digitlens.mail.directory import ZIP5, ZIP9, ZIP_LENGTHS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from digitlens.ctc import Line
    from digitlens.mail.candidates import ZipCandidate
    from digitlens.mail.directory import Directory


DIGITS = "0123456789"

N_FIVE_DIGIT_STRINGS = 10**ZIP5


@dataclass(frozen=True)
class Priors:
    """What is assumed before a line is read."""

    # of the wrong readings, the share whose truth is not among the alternatives. It belongs to
    # the reader (`digitlens.mail.measure.unlisted_rate`); the default is the published one's.
    unlisted_rate: float = 0.17
    # how much likelier a ZIP of the directory is than one that is not in it. A choice: with
    # 42,000 ZIPs in use of 100,000, it means that one piece in 700 bears one that is not.
    unknown: float = 1000.0
    # how much likelier a ZIP of the city is than one of another city: people write the names of
    # neighbouring towns. A choice: for a city of five ZIPs among 50 around, it means that two
    # pieces in a hundred bear one of these. docs/mail.md shows how little both matter.
    misplaced: float = 500.0
    # of the lines that were wrongly read as nine digits, the share that are a state's letters
    # and a ZIP. A choice: 19 of 31 such lines were, on 800 envelopes drawn with digits of
    # validation writers, where 0.2 to 0.8 accept the same pieces but two; the lower, the better
    # real ZIP+4 are read.
    letters_rate: float = 0.2


DEFAULT_PRIORS = Priors()


@dataclass(frozen=True)
class ZipPosterior:
    """ZIPs of five digits, and how likely each is.

    `read` is by the reading alone; its remainder to 1.0 is other strings and `wrong_length`:
    that the line has not 5 or 9 digits. `posterior` is after directory and address; its
    remainder is something else.
    """

    read: Mapping[str, float]
    wrong_length: float
    posterior: Mapping[str, float]


def zip_posterior(
    candidates: Sequence[ZipCandidate],
    directory: Directory,
    allowed: frozenset[str] | None = None,
    priors: Priors = DEFAULT_PRIORS,
) -> ZipPosterior:
    """Weigh the strings that lines may hold against the directory and the address.

    A line's confidence counts as the probability that its text is right; the alternatives share
    the remainder in proportion to their own probabilities. `allowed` are the ZIPs of the known
    city or state; None where neither is known.

    Of the strings that the reader did not list, those count that are one digit away from its
    text, exist and are allowed: they get their share of `Priors.unlisted_rate`. If none of the
    lines is the ZIP, or if it has not five or nine digits, all allowed ZIPs are as likely as
    chance makes them: their share of the 100,000 strings of five digits.
    """
    possible = directory if allowed is None else allowed

    # What the reading alone says: five digits each, whichever line they stand in.
    read: dict[str, float] = {}
    wrong_length = unlisted = 0.0
    for candidate in candidates:
        strings = _spread(candidate.line, priors)
        listed = set()
        for text, probability in strings.items():
            if len(text) in ZIP_LENGTHS:
                listed.add(text[:ZIP5])
                read[text[:ZIP5]] = read.get(text[:ZIP5], 0.0) + candidate.share * probability
            else:
                wrong_length += candidate.share * probability
        rest = max(0.0, 1.0 - sum(strings.values()))
        near = _possible_neighbors(candidate.line.text[:ZIP5], listed, possible)
        unlisted += candidate.share * rest * near

    # The directory and the address: what contradicts them is divided by its odds.
    posterior = {
        text: probability * _weigh_prior(text, directory, allowed, priors)
        for text, probability in read.items()
    }

    # No line is the ZIP: then any possible one may be, by chance.
    no_zip = wrong_length + max(0.0, 1.0 - sum(candidate.share for candidate in candidates))
    by_chance = no_zip * len(possible) / N_FIVE_DIGIT_STRINGS
    total = sum(posterior.values()) + unlisted + by_chance
    if total > 0:
        posterior = {text: weight / total for text, weight in posterior.items()}
    return ZipPosterior(read, wrong_length, posterior)


def _spread(line: Line, priors: Priors) -> dict[str, float]:
    """Return each string that the line may hold, with its probability by the reading."""
    result = {line.text: line.confidence}
    rest = 1.0 - line.confidence
    others = {
        item.text: item.probability for item in line.alternatives if item.text != line.text
    }
    total = sum(others.values())
    # Nine digits with a place each may be letters and a ZIP: then the last five count.
    may_have_letters = len(line.text) == len(line.digits) == ZIP9
    letters = priors.letters_rate if may_have_letters else 0.0
    for text, probability in others.items():
        if total > 0:
            scale = rest * (1.0 - letters) * (1.0 - priors.unlisted_rate)
            result[text] = scale * probability / total
    if letters:
        end = line.text[-ZIP5:]
        confidence = prod(digit.confidence for digit in line.digits[-ZIP5:])
        result[end] = result.get(end, 0.0) + rest * letters * confidence
    return result


def _weigh_prior(
    text: str, directory: Directory, allowed: frozenset[str] | None, priors: Priors
) -> float:
    factor = 1.0 if text in directory else 1.0 / priors.unknown
    if allowed is not None and text not in allowed:
        factor /= priors.misplaced
    return factor


def _possible_neighbors(
    text: str, listed: set[str], possible: Directory | frozenset[str]
) -> float:
    """Return the share of the unlisted strings one digit away from `text` that is possible."""
    if len(text) != ZIP5:
        return 1.0
    near = {
        text[:index] + digit + text[index + 1 :]
        for index in range(ZIP5)
        for digit in DIGITS
        if digit != text[index]
    } - listed
    return sum(item in possible for item in near) / max(len(near), 1)
