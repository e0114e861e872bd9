"""The decision: a ZIP that may be trusted, or the reason why a person must look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import prod
from typing import TYPE_CHECKING, Any

from digitlens.ctc import Line
from digitlens.errors import UsageError
from digitlens.geometry import enclosing_box
from digitlens.mail.candidates import ZipCandidate
from digitlens.mail.directory import ZIP5, ZIP9, load_directory
from digitlens.mail.posterior import DEFAULT_PRIORS, Priors, ZipPosterior, zip_posterior
from digitlens.mail.thresholds import name_knowledge, published_thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.mail.directory import Directory, Place
    from digitlens.mail.thresholds import Thresholds

    Address = tuple[str | None, str | None]
    """City and state, each None where it is not known."""


# At most 1 % of what is accepted is wrong, if probabilities are right. Measured thresholds
# accept more at the same error rate.
DEFAULT_THRESHOLD = 0.99
# How many ZIPs a person is offered.
MAX_GUESSES = 3
# What is likelier than this names the reason.
LIKELY = 0.5

DECIMALS = 6


class Reason(StrEnum):
    """Why a person must look."""

    UNREADABLE = "unreadable"
    NO_DIGITS = "no-digits"
    LENGTH = "length"
    UNKNOWN = "unknown-zip"
    PLACE = "other-place"
    BARCODE = "other-barcode"
    UNSURE = "unsure"


@dataclass(frozen=True)
class ZipGuess:
    """A ZIP, five digits, that a line may say.

    `probability`, 0..1, is that after directory and address; `place` is None where the
    directory has no such ZIP.
    """

    zip: str
    probability: float
    place: Place | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the guess as plain values."""
        return {
            "zip": self.zip,
            "probability": round(self.probability, DECIMALS),
            "city": self.place.city if self.place else None,
            "state": self.place.state if self.place else None,
        }


@dataclass(frozen=True)
class Routing:
    """Where a piece of mail goes, or why a person must look.

    `zip` is the one that is accepted, five digits, or None; `plus4` the digits after the dash,
    or ``""``; `probability` that of the likeliest ZIP, 0..1; `reason` and `why` say why a
    person must look, as a word and as a sentence (else None and ``""``); `guesses` are the
    likeliest ZIPs, at most three. `text` is what the reader read; of letters and a ZIP only the
    ZIP, see `find_line`.
    """

    zip: str | None
    plus4: str
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
            "zip4": f"{self.zip}-{self.plus4}" if self.zip and self.plus4 else None,
            "probability": round(self.probability, DECIMALS),
            "reason": self.reason and str(self.reason),
            "why": self.why,
            "guesses": [guess.as_dict() for guess in self.guesses],
            "text": self.text,
        }


def route(
    line: Line | None,
    city: str | None = None,
    state: str | None = None,
    *,
    threshold: float | None = None,
    directory: Directory | None = None,
) -> Routing:
    """Decide where a line that is a ZIP sends its piece of mail.

    The reader's alternatives are weighed against the directory of ZIPs, and against city and
    state where these are known: what contradicts them is ruled out, and the probabilities of
    the others are divided anew.

    Parameters
    ----------
    line
        What a reader made of the ZIP; None where it found no line.
    city, state
        As people write them: "St. Paul", "MN" or "Minnesota".
    threshold
        A ZIP is accepted from this probability on, 0..1. None: the threshold that promises at
        most 1 % wrong, as it was measured for the published reader, told to read 5 or 9
        digits, with the same knowledge: directory, state, or city and state.
    directory
        The ZIPs in use; None: those of the package ``zipcodes``, loaded once in a second.

    Returns
    -------
    A routing whose ``zip`` is five digits of text, or None; then ``reason`` and ``why`` say
    why a person must look, and ``guesses`` are the likeliest ZIPs.

    Raises
    ------
    UsageError
        A threshold out of range, or a city or state that the directory does not know.
    MissingExtraError
        The package ``zipcodes`` is not installed.

    Examples
    --------
    >>> import digitlens as dl
    >>> from digitlens.mail.directory import Directory, Place
    >>> from digitlens.ctc import Line, LineDigit
    >>> small = Directory([Place("00501", "Holtsville", ("Holtsville",), "NY", "", "UNIQUE")])
    >>> digits = tuple(LineDigit(each, 0.999, (0, 0, 9, 9)) for each in "00501")
    >>> dl.route(Line("00501", 0.995, (0, 0, 45, 9), digits), "Holtsville", directory=small).zip
    '00501'
    """
    return decide(
        line,
        load_directory() if directory is None else directory,
        city=city,
        state=state,
        threshold=published_thresholds(0.01).thresholds if threshold is None else threshold,
    )


@dataclass(frozen=True)
class RoutingPolicy:
    """How pieces of one folder are decided on (see `decide`), and what is known of their
    addresses.

    `city` and `state` are those of all pieces, `addresses` those of single pieces by name; of
    these a city that the directory does not know counts as unknown.
    """

    directory: Directory
    threshold: float | Thresholds = DEFAULT_THRESHOLD
    priors: Priors = DEFAULT_PRIORS
    city: str | None = None
    state: str | None = None
    addresses: Mapping[str, Address] = field(default_factory=dict)

    def check(self) -> None:
        """Raise `UsageError` where the directory does not know the address of all pieces."""
        self.directory.find_zips(self.city, self.state)

    def decide(self, candidates: Sequence[ZipCandidate], name: str) -> Routing:
        """Decide on the lines of the piece with this name."""
        city, state = self._find_address(name)
        return decide(
            candidates,
            self.directory,
            city=city,
            state=state,
            threshold=self.threshold,
            priors=self.priors,
        )

    def _find_address(self, name: str) -> Address:
        if name not in self.addresses:
            return self.city, self.state
        # Of an address that the directory does not know, keep what it does know.
        city, state = self.addresses[name]
        for address in ((city, state), (None, state)):
            try:
                self.directory.find_zips(*address)
            except UsageError:
                continue
            return address
        return None, None


def decide(
    line: Line | Sequence[ZipCandidate] | None,
    directory: Directory,
    *,
    city: str | None = None,
    state: str | None = None,
    threshold: float | Thresholds = DEFAULT_THRESHOLD,
    priors: Priors = DEFAULT_PRIORS,
) -> Routing:
    """Decide where a line that is a ZIP sends its piece.

    line: as the reader read it, if it is surely the ZIP; or what `rank_zip_lines` made of all
        lines of a picture; None, or empty, where it found none
    threshold: a ZIP is accepted from this probability on, 0..1; or a threshold for each amount
        of knowledge, of which that counts which `city` and `state` give

    What a barcode says is accepted, unless most likely another ZIP is written, or the address
    is of another place: then a person must look.

    Raises UsageError: a threshold out of range, or a city or state that the directory does not
    know.
    """
    lines = (ZipCandidate(line),) if isinstance(line, Line) else tuple(line or ())
    written = [item for item in lines if not item.is_barcode]
    allowed = directory.find_zips(city, state) if city or state else None
    address = " ".join(filter(None, (city, state)))
    # What is known decides the threshold.
    least = (
        threshold[name_knowledge(city, state)] if isinstance(threshold, Mapping) else threshold
    )
    routing = _decide_by_lines(written, directory, address, allowed, least, priors)
    barcode = next((item for item in lines if item.is_barcode), None)
    if barcode is None or barcode.line.text[:ZIP5] not in directory:
        return routing
    return _check_barcode(barcode.line, routing, directory, allowed)


def _check_barcode(
    barcode: Line, routing: Routing, directory: Directory, allowed: frozenset[str] | None
) -> Routing:
    """Weigh what a barcode says against the written address, which `routing` is of."""
    code, plus4 = barcode.text[:ZIP5], barcode.text[ZIP5:]
    others = [guess for guess in routing.guesses if guess.zip != code]
    other = others[0] if others else None
    guess = ZipGuess(code, barcode.confidence, directory.place(code))
    if other is not None and other.probability >= LIKELY:
        seen = f"the barcode says {code}, and {other.zip} is written"
    elif allowed is not None and code not in allowed:
        seen = f"the barcode says {code}, which is not of the address"
    else:
        rest = tuple(
            replace(item, probability=item.probability * (1 - barcode.confidence))
            for item in others
        )
        guesses = (guess, *rest)[:MAX_GUESSES]
        text = routing.text if routing.zip == code else barcode.text
        return Routing(code, plus4, barcode.confidence, None, "", guesses, text)
    half = replace(guess, probability=0.5 * barcode.confidence)
    guesses = tuple(sorted((half, *others), key=lambda item: -item.probability)[:MAX_GUESSES])
    probability = guesses[0].probability
    return Routing(None, "", probability, Reason.BARCODE, seen, guesses, routing.text)


def _decide_by_lines(
    candidates: Sequence[ZipCandidate],
    directory: Directory,
    address: str,
    allowed: frozenset[str] | None,
    least: float | None,
    priors: Priors,
) -> Routing:
    """Decide by what is written; of `address` are the ZIPs that are `allowed`."""
    if least is not None and not 0 <= least <= 1:
        raise UsageError("a threshold lies between 0 and 1", seen=f"{least:g}")

    # What was read: nothing at all is a reason of its own.
    if not any(item.line.text or item.line.alternatives for item in candidates):
        return Routing(None, "", 0.0, Reason.NO_DIGITS, "no line of digits was found", (), "")

    # Weigh, and rank what may be meant.
    weighed = zip_posterior(candidates, directory, allowed, priors)
    ranked = sorted(weighed.posterior.items(), key=lambda item: (-item[1], item[0]))
    guesses = tuple(
        ZipGuess(text, probability, directory.place(text))
        for text, probability in ranked[:MAX_GUESSES]
    )
    best = guesses[0] if guesses else None
    shown = find_line(best.zip if best else "", candidates)

    # Accept the best, if it is likely enough and possible; else say why not.
    possible = directory if allowed is None else allowed
    is_sure = best is not None and least is not None and best.probability >= least
    if best is not None and is_sure and best.zip in possible:
        plus4 = _find_plus4(shown, best.zip)
        return Routing(best.zip, plus4, best.probability, None, "", guesses, shown.text)
    reason, why = _find_reason(weighed, shown, best, least, address, directory, allowed)
    probability = best.probability if best else 0.0
    return Routing(None, "", probability, reason, why, guesses, shown.text)


def find_line(five: str, candidates: Sequence[ZipCandidate]) -> Line:
    """Return the likeliest line that says this ZIP, or may; else the likeliest of all.

    `candidates` are at least one, the likeliest first. Of nine digits whose last five are the
    ZIP only these are returned: those before them are letters that were read as digits
    (`Priors.letters_rate`).
    """
    lines = [item.line for item in candidates]
    # Its text first, then its alternatives, then nine digits that may begin with letters.
    for line in lines:
        if line.text[:ZIP5] == five:
            return line
    for line in lines:
        if any(item.text[:ZIP5] == five for item in line.alternatives):
            return line
    for line in lines:
        if len(line.digits) == ZIP9 and line.text[-ZIP5:] == five:
            return _take_last_five(line)
    return lines[0]


def _take_last_five(line: Line) -> Line:
    digits = line.digits[-ZIP5:]
    return Line(
        line.text[-ZIP5:],
        prod(digit.confidence for digit in digits),
        enclosing_box(digit.box for digit in digits),
        digits,
    )


def _find_plus4(line: Line, five: str) -> str:
    for text in (line.text, *(item.text for item in line.alternatives)):
        if len(text) == ZIP9 and text.startswith(five):
            return text[ZIP5:]
        if text == five:
            return ""
    return ""


def _find_reason(
    weighed: ZipPosterior,
    line: Line,
    best: ZipGuess | None,
    least: float | None,
    address: str,
    directory: Directory,
    allowed: frozenset[str] | None,
) -> tuple[Reason, str]:
    """Return why a person must look, as a word and as a sentence."""
    # Most likely no ZIP at all.
    count = len(line.text)
    if best is None or weighed.wrong_length >= LIKELY:
        if not count:
            return Reason.NO_DIGITS, "most likely there are no digits"
        return Reason.LENGTH, f"{count} digits were read; a ZIP has 5 or 9"
    # Most likely a ZIP that contradicts the directory or the address.
    read = max(weighed.read, key=lambda text: weighed.read[text])
    if weighed.read[read] >= LIKELY and read not in directory:
        return Reason.UNKNOWN, f"{read} was read; there is no such ZIP"
    if weighed.read[read] >= LIKELY and allowed is not None and read not in allowed:
        place = directory.place(read)
        assert place is not None, "it is in the directory"
        return (
            Reason.PLACE,
            f"{read} was read, which is {place.city} {place.state}, not {address}",
        )
    # A possible ZIP, but none is likely enough.
    wanted = (
        "no threshold keeps what was promised"
        if least is None
        else f"needs {100 * least:.1f} %"
    )
    return Reason.UNSURE, f"{best.zip} is {100 * best.probability:.1f} % sure; {wanted}"
