"""What reading a line of digits gives: the string, its digits and what else it may be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from digitlens.ctc.align import FrameScale, align, digit_boxes
from digitlens.ctc.confidence import confidence_features
from digitlens.ctc.decode import decode

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from digitlens.ctc.confidence import ConfidenceModels
    from digitlens.ctc.decode import Decoded
    from digitlens.ctc.probs import Lengths, Probs
    from digitlens.geometry import Box


FORMAT = 1  # raised when a key of `Line.as_dict` changes its meaning
DECIMALS = 6  # of probabilities in `as_dict`


@dataclass(frozen=True)
class Alternative:
    """Something else that a line, or one place in it, may hold."""

    text: str  # a string of digits; of a place one digit, or `""` where none may stand there
    probability: float  # 0..1, as the network sees it

    def as_dict(self) -> dict[str, Any]:
        """Return text and probability as plain values."""
        return {"text": self.text, "probability": round(self.probability, DECIMALS)}


@dataclass(frozen=True)
class LineDigit:
    """One digit of a line."""

    text: str  # the digit, 0..9, as text
    # 0..1: the probability that this digit stands here, if all others are as read.
    confidence: float
    box: Box  # where it stands in the picture
    alternatives: tuple[Alternative, ...] = ()  # what else may stand here, the likeliest first

    def as_dict(self) -> dict[str, Any]:
        """Return the digit as plain values."""
        return {
            "text": self.text,
            "confidence": round(self.confidence, DECIMALS),
            "box": [round(edge, 1) for edge in self.box],
            "alternatives": [item.as_dict() for item in self.alternatives],
        }


@dataclass(frozen=True)
class Line:
    """A line of digits that was read.

    >>> one = LineDigit("1", 0.75, (4, 0, 10, 20), (Alternative("7", 0.2),))
    >>> line = Line("1", 0.75, (0, 0, 14, 20), (one,), (Alternative("7", 0.2),))
    >>> str(line), line.as_dict()["digits"][0]["box"]
    ('1', [4, 0, 10, 20])
    """

    # The digits, left to right; text, as a code may begin with 0. Empty where no digit was
    # seen.
    text: str
    # 0..1: how often a string read with this confidence is right, all digits of it.
    confidence: float
    box: Box  # where the line stands in the picture
    digits: tuple[LineDigit, ...] = ()  # one for each character of `text`
    # Other strings that the line may hold, the likeliest first.
    alternatives: tuple[Alternative, ...] = ()

    def __post_init__(self) -> None:
        spelled = "".join([digit.text for digit in self.digits])
        assert spelled == self.text, "there is a digit for each character"

    def __str__(self) -> str:
        return self.text

    def map_boxes(self, move: Callable[[Box], Box]) -> Line:
        """Return the same line with its box and those of its digits moved.

        >>> Line("", 0.0, (4, 0, 10, 20)).map_boxes(lambda box: tuple(2 * x for x in box)).box
        (8, 0, 20, 40)
        """
        digits = [replace(digit, box=move(digit.box)) for digit in self.digits]
        return replace(self, box=move(self.box), digits=tuple(digits))

    def at_most(self, confidence: float) -> Line:
        """Return the same line, no surer than this.

        >>> Line("", 0.9, (4, 0, 10, 20)).at_most(0.5).confidence
        0.5
        """
        return replace(self, confidence=min(confidence, self.confidence))

    def as_dict(self) -> dict[str, Any]:
        """Return the line as plain values that JSON can hold.

        Pixels are rounded to one decimal, probabilities to six.
        """
        return {
            "format": FORMAT,
            "text": self.text,
            "confidence": round(self.confidence, DECIMALS),
            "box": [round(edge, 1) for edge in self.box],
            "digits": [digit.as_dict() for digit in self.digits],
            "alternatives": [item.as_dict() for item in self.alternatives],
        }


def assemble_line(
    probs: Probs,
    box: Box,
    *,
    scale: FrameScale | None = None,
    lengths: Lengths = None,
    ink: NDArray[np.floating[Any]] | None = None,
    calibrations: ConfidenceModels | None = None,
    decoded: Decoded | None = None,
) -> Line:
    """Read a line from its probabilities: strings, places and confidence together.

    probs: float64 (T, 11), from `to_probs`
    box: of the line in the picture
    scale: how time steps become columns of the picture; by default a step every two pixels from
        the left edge of the box on
    lengths: allowed lengths, as for `decode`
    ink: float (W,), as for `digit_boxes`
    calibrations: without them the confidence is the string's probability as the network sees
        it, among the allowed lengths where these are given: it does not say whether the line
        has an allowed length at all
    decoded: the strings, where they are known already: from several views of the line, say.
        `lengths` then counts for nothing.

    Returns the line. Its text is empty, with no digits and a confidence of 0.0, where no string
    of an allowed length has an alignment; and empty with the probability of that where the line
    most likely holds no digit.

    >>> import numpy as np
    >>> probs = np.full((5, 11), 1e-3)
    >>> probs[[0, 2, 4], 10] = probs[1, 4] = probs[3, 1] = 0.99
    >>> line = assemble_line(probs, (0, 0, 10, 8))
    >>> line.text, [round(digit.box[0]) for digit in line.digits]
    ('41', [1, 5])
    """
    # Which string?
    decoded = decoded or decode(probs, lengths=lengths)
    if decoded.best is None:
        return Line("", 0.0, box)
    text = decoded.best.text
    # Where are its digits?
    spans = align(probs, text)
    scale = scale or FrameScale(offset=box[0] + 1.0)
    boxes = digit_boxes([span.center for span in spans], scale, box, ink=ink)
    # How sure is it?
    confidence = decoded.best.among_lengths
    if calibrations is not None:
        features = confidence_features(decoded, spans)[None]
        confidence = float(calibrations.select(decoded.lengths).confidence(features)[0])
    digits = tuple(
        [
            LineDigit(
                span.digit,
                span.confidence,
                place,
                tuple([Alternative(*item) for item in span.alternatives]),
            )
            for span, place in zip(spans, boxes, strict=True)
        ]
    )
    others = decoded.candidates[1:]
    alternatives = tuple([Alternative(item.text, item.among_lengths) for item in others])
    return Line(text, confidence, box, digits, alternatives)
