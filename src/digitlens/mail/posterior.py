"""How likely each ZIP is, once the directory and the city have been asked.

A reading gives strings and how likely each is. Mail bears ZIPs that exist and that belong to
its city, with few exceptions; so strings that contradict count for nearly nothing, and what
is left is divided anew (Bayes' rule). What the reader did not list counts too: else a single
string left over would always come out as certain. And so does that the line is no ZIP at all:
the more ZIPs there are that it could be then, the more easily one of them was read by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from digitlens.mail.zipcode import FIVE, NINE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from digitlens.ctc import Line
    from digitlens.mail.candidates import ZipCandidate
    from digitlens.mail.directory import Directory


DIGITS = "0123456789"

ALL = 10**FIVE
"""Strings of five digits."""


@dataclass(frozen=True)
class Priors:
    """What is believed before a line is read.

    Parameters
    ----------
    elsewhere
        Of the readings that are wrong, the share whose truth is not among the alternatives.
        It is the reader's own; `digitlens.mail.simulate.unlisted_rate` measures it. The
        default is that of the published reader: `digitlens mail measure`.
    unknown
        How much likelier a ZIP of the directory is than one that is not in it. A choice: with
        42,000 ZIPs in use of 100,000, it says that one piece in 700 bears one that is not.
    misplaced
        How much likelier a ZIP of the city is than one of another city: writers err, and
        people write the names of neighbouring towns. A choice: where a city has five ZIPs and
        50 others lie around, it says that two pieces in a hundred bear one of these.
    joined
        Of the lines that were wrongly read as nine digits, the share that are a state's
        letters and a ZIP: its last five digits are what is meant. A choice: 19 of 31 such
        lines were, on 800 envelopes drawn with digits of validation writers, where 0.2 to 0.8
        accept the same pieces but two; the less, the better are real ZIP+4 read.

    Notes
    -----
    docs/mail.md shows how little `unknown` and `misplaced` change what is read.
    """

    elsewhere: float = 0.17
    unknown: float = 1000.0
    misplaced: float = 500.0
    joined: float = 0.2


USUAL = Priors()


@dataclass(frozen=True)
class ZipPosterior:
    """ZIPs of five digits, and how likely each is.

    Parameters
    ----------
    read
        By the reading alone; what is missing to 1.0 are other strings and `odd`.
    odd
        By the reading alone, how likely it is that the line has not 5 or 9 digits.
    posterior
        After directory and place; what is missing to 1.0 is something else.
    """

    read: Mapping[str, float]
    odd: float
    posterior: Mapping[str, float]


def zip_posterior(
    candidates: Sequence[ZipCandidate],
    directory: Directory,
    allowed: frozenset[str] | None = None,
    beliefs: Priors = USUAL,
) -> ZipPosterior:
    """Weigh what lines may say against the directory and the place.

    Parameters
    ----------
    candidates
        From `digitlens.mail.candidates.rank_zip_lines`, or one that is surely the ZIP. A
        line's confidence is taken as the probability that its text is right; the alternatives
        share what is left of it, as their own probabilities have it.
    allowed
        ZIPs of the known city or state; None where neither is known.

    Notes
    -----
    Of strings that the reader did not list, those count that are one digit away from what it
    read, exist and are allowed: so many of the 45 take their share of `elsewhere`. If none of
    the lines is the ZIP, or if it has not five or nine digits, all allowed ones are as likely
    as chance would have it: their share of the 100,000 strings of five digits.
    """
    possible = directory if allowed is None else allowed
    read: dict[str, float] = {}
    odd = unlisted = 0.0
    for item in candidates:
        strings = _strings(item.line, beliefs)
        listed = set()
        for text, weight in strings.items():
            if len(text) in (FIVE, NINE):
                listed.add(text[:FIVE])
                read[text[:FIVE]] = read.get(text[:FIVE], 0.0) + item.share * weight
            else:
                odd += item.share * weight
        rest = max(0.0, 1.0 - sum(strings.values()))
        unlisted += item.share * rest * _share_left(item.line.text[:FIVE], listed, possible)
    posterior = {
        text: weight * _factor(text, directory, allowed, beliefs)
        for text, weight in read.items()
    }
    none = odd + max(0.0, 1.0 - sum(item.share for item in candidates))
    total = sum(posterior.values()) + unlisted + none * len(possible) / ALL
    if total > 0:
        posterior = {text: weight / total for text, weight in posterior.items()}
    return ZipPosterior(read, odd, posterior)


def _strings(line: Line, beliefs: Priors) -> dict[str, float]:
    """Return each string that the line may hold, and how likely the reading makes it."""
    result = {line.text: line.confidence}
    rest = 1.0 - line.confidence
    others = {
        item.text: item.probability for item in line.alternatives if item.text != line.text
    }
    whole = sum(others.values())
    joined = beliefs.joined if len(line.text) == len(line.digits) == NINE else 0.0
    for text, share in others.items():
        if whole > 0:
            result[text] = rest * (1.0 - joined) * (1.0 - beliefs.elsewhere) * share / whole
    if joined:
        end = line.text[-FIVE:]
        sure = prod(digit.confidence for digit in line.digits[-FIVE:])
        result[end] = result.get(end, 0.0) + rest * joined * sure
    return result


def _factor(
    text: str, directory: Directory, allowed: frozenset[str] | None, beliefs: Priors
) -> float:
    factor = 1.0 if text in directory else 1.0 / beliefs.unknown
    if allowed is not None and text not in allowed:
        factor /= beliefs.misplaced
    return factor


def _share_left(text: str, listed: set[str], possible: Directory | frozenset[str]) -> float:
    """Return which share of the strings near `text` is possible and was not listed."""
    if len(text) != FIVE:
        return 1.0
    near = {
        text[:index] + digit + text[index + 1 :]
        for index in range(FIVE)
        for digit in DIGITS
        if digit != text[index]
    } - listed
    return sum(item in possible for item in near) / max(len(near), 1)
