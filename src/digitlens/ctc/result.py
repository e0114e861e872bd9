"""What reading a line of digits gives: the string, its digits and what else it may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitlens.geometry import Box


FORMAT = 1
"""Raised when a key of `Line.as_dict` changes its meaning."""

PLACES = 6
"""Decimals of probabilities in `as_dict`."""


@dataclass(frozen=True)
class Alternative:
    """Something else that a line, or one place in it, may hold.

    Parameters
    ----------
    text
        A string of digits; of a place one digit, or ``""`` where none may stand there.
    probability
        0..1, as the network sees it.
    """

    text: str
    probability: float

    def as_dict(self) -> dict[str, Any]:
        """Return text and probability as plain values."""
        return {"text": self.text, "probability": round(self.probability, PLACES)}


@dataclass(frozen=True)
class LineDigit:
    """One digit of a line.

    Parameters
    ----------
    text
        The digit, 0..9, as text.
    confidence
        0..1: the probability that this digit stands here, if all others are as read.
    box
        Where it stands in the picture.
    alternatives
        What else may stand here, the likeliest first.
    """

    text: str
    confidence: float
    box: Box
    alternatives: tuple[Alternative, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the digit as plain values."""
        return {
            "text": self.text,
            "confidence": round(self.confidence, PLACES),
            "box": [round(edge, 1) for edge in self.box],
            "alternatives": [item.as_dict() for item in self.alternatives],
        }


@dataclass(frozen=True)
class Line:
    """A line of digits that was read.

    Parameters
    ----------
    text
        The digits, left to right; text, as a code may begin with 0. Empty where no digit was
        seen.
    confidence
        0..1: how often a string read with this confidence is right, all digits of it.
    box
        Where the line stands in the picture.
    digits
        One for each character of `text`.
    alternatives
        Other strings that the line may hold, the likeliest first.

    Examples
    --------
    >>> one = LineDigit("1", 0.75, (4, 0, 10, 20), (Alternative("7", 0.2),))
    >>> line = Line("1", 0.75, (0, 0, 14, 20), (one,), (Alternative("7", 0.2),))
    >>> str(line), line.as_dict()["digits"][0]["box"]
    ('1', [4, 0, 10, 20])
    """

    text: str
    confidence: float
    box: Box
    digits: tuple[LineDigit, ...] = ()
    alternatives: tuple[Alternative, ...] = ()

    def __post_init__(self) -> None:
        spelled = "".join(digit.text for digit in self.digits)
        assert spelled == self.text, "there is a digit for each character"

    def __str__(self) -> str:
        return self.text

    def as_dict(self) -> dict[str, Any]:
        """Return the line as plain values that JSON can hold.

        Keys: ``format`` (1), ``text``, ``confidence``, ``box`` (left, top, right, bottom in
        pixels of the picture), ``digits`` (a list: ``text``, ``confidence``, ``box``,
        ``alternatives``), ``alternatives`` (a list: ``text``, ``probability``). Pixels are
        rounded to one decimal, probabilities to six.
        """
        return {
            "format": FORMAT,
            "text": self.text,
            "confidence": round(self.confidence, PLACES),
            "box": [round(edge, 1) for edge in self.box],
            "digits": [digit.as_dict() for digit in self.digits],
            "alternatives": [item.as_dict() for item in self.alternatives],
        }
