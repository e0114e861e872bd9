"""What a reader made of strings whose truth is known: the table a simulation is fed with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import DataError
from digitlens.mail.zipcode import FIVE, is_digits
from digitlens.reading import Alternative, Line, LineDigit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

KEYS = ("truth", "text", "confidence", "alternatives")

BEST = 8
"""Strings that a reading made from single digits lists."""


@dataclass(frozen=True)
class Reading:
    """What a reader made of a string.

    Parameters
    ----------
    truth
        The digits that were written.
    text, confidence, alternatives
        As a `Line` has them.
    """

    truth: str
    text: str
    confidence: float
    alternatives: tuple[Alternative, ...] = ()

    @classmethod
    def of(cls, truth: str, line: Line) -> Reading:
        """Return what `line`, read from a picture of `truth`, says."""
        return cls(truth, line.text, line.confidence, line.alternatives)

    @property
    def right(self) -> bool:
        """Whether the whole string was read right."""
        return self.text == self.truth

    def line(self) -> Line:
        """Return the reading as a `Line` that stands nowhere."""
        nowhere = (0.0, 0.0, 1.0, 1.0)
        digits = tuple(LineDigit(digit, self.confidence, nowhere) for digit in self.text)
        return Line(self.text, self.confidence, nowhere, digits, self.alternatives)

    def carried_to(self, zip_: str) -> Reading:
        """Return the same reading of another string: digits are misread in the same places.

        Where the reader took the truth's 4 for a 9, it takes the digit of `zip_` in that
        place for a 9 too. Strings of another length than the truth's stay as they are.
        """

        def carried(text: str) -> str:
            if len(text) != len(self.truth):
                return text
            pairs = zip(text, self.truth, zip_, strict=True)
            return "".join(new if read == old else read for read, old, new in pairs)

        others = tuple(
            Alternative(carried(each.text), each.probability) for each in self.alternatives
        )
        return Reading(zip_, carried(self.text), self.confidence, others)

    def touched(self) -> tuple[int, ...]:
        """Return the places in which something else than the truth was thought of.

        Those that the text itself has wrong come first, then those of the alternatives.
        """
        found: dict[int, None] = {}
        for text in (self.text, *(each.text for each in self.alternatives)):
            if len(text) == len(self.truth):
                pairs = enumerate(zip(text, self.truth, strict=True))
                found |= {at: None for at, (read, true) in pairs if read != true}
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """Return the reading as plain values: one line of a table."""
        return {
            "truth": self.truth,
            "text": self.text,
            "confidence": round(self.confidence, 6),
            "alternatives": [each.as_dict() for each in self.alternatives],
        }


def write_readings(readings: Iterable[Reading]) -> str:
    """Return a table of readings: JSON Lines, one reading a line; see `Reading.as_dict`."""
    return "".join(json.dumps(reading.as_dict()) + "\n" for reading in readings)


def parse_readings(text: str, name: str = "the table") -> list[Reading]:
    """Return the readings that a table of JSON Lines holds.

    Raises
    ------
    DataError
        A line that is no reading, or no line at all.

    Examples
    --------
    >>> parse_readings(write_readings([Reading("00501", "00507", 0.5)]))[0].right
    False
    """
    found = []
    for at, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            others = tuple(
                Alternative(str(each["text"]), float(each["probability"]))
                for each in row["alternatives"]
            )
            reading = Reading(
                str(row["truth"]), str(row["text"]), float(row["confidence"]), others
            )
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{name}, line {at}: a reading has the keys {', '.join(KEYS)}",
                seen=f"{type(error).__name__}: {error}",
            ) from error
        found.append(reading)
    if not found:
        raise DataError(f"{name} holds no readings")
    return found


def fives(readings: Iterable[Reading]) -> list[Reading]:
    """Return the readings of strings of five digits, which are those that can be ZIPs."""
    return [reading for reading in readings if is_digits(reading.truth, FIVE)]


def readings_from_digits(
    shares: NDArray[np.floating[Any]],
    truths: Sequence[str],
    chance: np.random.Generator,
    *,
    sharpness: float = 3.0,
) -> list[Reading]:
    """Make readings up from a table of how often which digit is taken for which.

    For trying a simulation before a reader's own readings are at hand. Each digit gets
    probabilities drawn about its row; what is read is then drawn from these, so that the
    confidence is calibrated by construction.

    Parameters
    ----------
    shares
        float (10, 10), a row for each true digit, summing to 1.
    truths
        The strings.
    sharpness
        How uneven readings are: the smaller, the more are either sure or doubtful.
    """
    found = []
    for truth in truths:
        rows = []
        for digit in truth:
            row = chance.dirichlet(np.asarray(shares[int(digit)], float) * sharpness + 1e-4)
            # The truth is a draw from the row: so the row is turned to have it come true.
            drawn = chance.choice(10, p=row)
            row[[drawn, int(digit)]] = row[[int(digit), drawn]]
            rows.append(row)
        best = _likeliest(rows)
        text, share = best[0]
        others = tuple(Alternative(*each) for each in best[1:])
        found.append(Reading(truth, text, share, others))
    return found


def _likeliest(rows: Sequence[NDArray[np.float64]]) -> list[tuple[str, float]]:
    """Return the likeliest strings of independent digits, the likeliest first."""
    found = [("", 1.0)]
    for row in rows:
        order = np.argsort(-row)[:BEST]
        grown = [
            (text + str(digit), share * float(row[digit]))
            for text, share in found
            for digit in order
        ]
        found = sorted(grown, key=lambda each: -each[1])[:BEST]
    return found
