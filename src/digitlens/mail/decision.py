"""The decision: a ZIP that may be trusted, or the reason why a person must look."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import prod
from typing import TYPE_CHECKING, Any

from digitlens.ctc import Line
from digitlens.errors import UsageError
from digitlens.geometry import enclosing_box
from digitlens.mail.candidates import ZipCandidate
from digitlens.mail.posterior import USUAL, Priors, ZipPosterior, zip_posterior
from digitlens.mail.thresholds import ThresholdSet, known_of
from digitlens.mail.zipcode import FIVE, NINE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.mail.directory import Directory, Place


BAR = 0.99
"""How likely a ZIP must be to be accepted, unless told otherwise: of those, at most 1 % wrong
if probabilities are to be trusted. Bars that were measured (`Measured.bars`) accept more at
the same error rate."""

GUESSES = 3
"""How many ZIPs a person is offered."""

LIKELY = 0.5

PLACES = 6


class Reason(StrEnum):
    """Why a person must look."""

    UNREADABLE = "unreadable"
    NO_DIGITS = "no-digits"
    LENGTH = "length"
    UNKNOWN = "unknown-zip"
    PLACE = "other-place"
    UNSURE = "unsure"


@dataclass(frozen=True)
class ZipGuess:
    """A ZIP that a line may say.

    Parameters
    ----------
    zip
        Five digits.
    probability
        0..1, directory and place considered.
    place
        Where it is; None where the directory has no such ZIP.
    """

    zip: str
    probability: float
    place: Place | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the guess as plain values."""
        return {
            "zip": self.zip,
            "probability": round(self.probability, PLACES),
            "city": self.place.city if self.place else None,
            "state": self.place.state if self.place else None,
        }


@dataclass(frozen=True)
class Routing:
    """Where a piece of mail goes, or why a person must look.

    Parameters
    ----------
    zip
        The ZIP that is accepted, five digits; None where a person must look.
    four
        The digits behind the dash, where nine were read; else ``""``.
    probability
        0..1: that the likeliest ZIP, which is `zip` where one is accepted, is right.
    reason, why
        Why a person must look, as a word and as a sentence; None and ``""`` otherwise.
    guesses
        The likeliest ZIPs, at most three.
    text
        What the reader read; of letters and a ZIP only the ZIP, see `line_with`.
    """

    zip: str | None
    four: str
    probability: float
    reason: Reason | None
    why: str
    guesses: tuple[ZipGuess, ...]
    text: str

    @property
    def place(self) -> Place | None:
        """Where the accepted ZIP is; None where none is accepted."""
        return self.guesses[0].place if self.zip is not None else None

    def as_dict(self) -> dict[str, Any]:
        """Return the routing as plain values that JSON can hold."""
        return {
            "zip": self.zip,
            "zip4": f"{self.zip}-{self.four}" if self.zip and self.four else None,
            "probability": round(self.probability, PLACES),
            "reason": self.reason and str(self.reason),
            "why": self.why,
            "guesses": [guess.as_dict() for guess in self.guesses],
            "text": self.text,
        }


def decide(
    line: Line | Sequence[ZipCandidate] | None,
    directory: Directory,
    *,
    city: str | None = None,
    state: str | None = None,
    bar: float | ThresholdSet = BAR,
    beliefs: Priors = USUAL,
) -> Routing:
    """Decide where a line that is a ZIP sends its piece.

    Parameters
    ----------
    line
        As the reader read it, if it is surely the ZIP; or what `weigh_lines` made of all lines
        of a picture; None, or empty, where it found none.
    directory
        The ZIPs in use.
    city, state
        What is known of the address, as people write it.
    bar
        A ZIP is accepted from this probability on, 0..1; or a bar for each amount of
        knowledge: that of city and state where a city is given, of the state where only that
        is, else of the directory.
    beliefs
        What is believed of readers and writers.

    Raises
    ------
    UsageError
        A bar out of range, or a city or state that the directory does not know.
    """
    least = bar.of[known_of(city, state)] if isinstance(bar, ThresholdSet) else bar
    if least is not None and not 0 <= least <= 1:
        raise UsageError("a bar lies between 0 and 1", seen=f"{least:g}")
    place = " ".join(filter(None, (city, state)))
    allowed = directory.serving(city, state) if place else None
    candidates = (ZipCandidate(line),) if isinstance(line, Line) else line or ()
    if not any(item.line.text or item.line.alternatives for item in candidates):
        return Routing(None, "", 0.0, Reason.NO_DIGITS, "no line of digits was found", (), "")
    weighed = zip_posterior(candidates, directory, allowed, beliefs)
    ranked = sorted(weighed.posterior.items(), key=lambda item: (-item[1], item[0]))
    guesses = tuple(
        ZipGuess(text, share, directory.place(text)) for text, share in ranked[:GUESSES]
    )
    best = guesses[0] if guesses else None
    first = line_with(best.zip if best else "", candidates)
    possible = directory if allowed is None else allowed
    sure = best is not None and least is not None and best.probability >= least
    if best is not None and sure and best.zip in possible:
        four = _four(first, best.zip)
        return Routing(best.zip, four, best.probability, None, "", guesses, first.text)
    reason, why = _reason(weighed, first, best, place, directory, allowed)
    if best is not None and reason is Reason.UNSURE:
        wanted = "no bar keeps" if least is None else f"{100 * least:.1f} % is wanted"
        why = f"{best.zip} is {100 * best.probability:.1f} % sure; {wanted}"
        why += " what was promised" if least is None else ""
    share = best.probability if best else 0.0
    return Routing(None, "", share, reason, why, guesses, first.text)


def line_with(five: str, candidates: Sequence[ZipCandidate]) -> Line:
    """Return the likeliest line that says this ZIP, or may; else the likeliest of all.

    Of nine digits whose last five are the ZIP it is the part that they are: what is before
    them are letters that were read as digits (`Beliefs.joined`).

    Parameters
    ----------
    candidates
        The likeliest first, at least one.
    """
    lines = [item.line for item in candidates]
    for line in lines:
        if line.text[:FIVE] == five:
            return line
    for line in lines:
        if any(item.text[:FIVE] == five for item in line.alternatives):
            return line
    for line in lines:
        if len(line.digits) == NINE and line.text[-FIVE:] == five:
            return _end_of(line)
    return lines[0]


def _end_of(line: Line) -> Line:
    """Return the last five digits of a line, as a line."""
    digits = line.digits[-FIVE:]
    return Line(
        line.text[-FIVE:],
        prod(digit.confidence for digit in digits),
        enclosing_box(digit.box for digit in digits),
        digits,
    )


def _four(line: Line, five: str) -> str:
    for text in (line.text, *(item.text for item in line.alternatives)):
        if len(text) == NINE and text.startswith(five):
            return text[FIVE:]
        if text == five:
            return ""
    return ""


def _reason(
    weighed: ZipPosterior,
    line: Line,
    best: ZipGuess | None,
    place: str,
    directory: Directory,
    allowed: frozenset[str] | None,
) -> tuple[Reason, str]:
    count = len(line.text)
    if best is None or weighed.odd >= LIKELY:
        if not count:
            return Reason.NO_DIGITS, "most likely there are no digits"
        return Reason.LENGTH, f"{count} digits were read; a ZIP has 5 or 9"
    read = max(weighed.read, key=lambda text: weighed.read[text])
    if weighed.read[read] >= LIKELY and read not in directory:
        return Reason.UNKNOWN, f"{read} was read; there is no such ZIP"
    if weighed.read[read] >= LIKELY and allowed is not None and read not in allowed:
        known = directory.place(read)
        assert known is not None, "it is in the directory"
        return (
            Reason.PLACE,
            f"{read} was read, which is {known.city} {known.state}, not {place}",
        )
    return Reason.UNSURE, ""
