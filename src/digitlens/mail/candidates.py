"""Which line of an envelope is the ZIP it is sent to, and how likely that is.

The constants are rough: they were set on 1,300 envelopes of sample mail with digits of
validation writers, where halving or doubling any of them changed little.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from digitlens.ctc import Line, LineDigit
from digitlens.imaging.io import load_image
from digitlens.mail.directory import ZIP5, ZIP9, ZIP_LENGTHS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from digitlens.geometry import Box, Size
    from digitlens.imaging.io import ImageSource
    from digitlens.ocr import Reader


# A line less likely to have five or nine digits is no ZIP: stray marks are read too.
MIN_ZIP_PROBABILITY = 0.2
# The odds that the ZIP is none of the lines, where those of a line read with 0.5 are 1.
NO_LINE_ODDS = 0.1
# Higher confidences count as this one: a line is not the ZIP because it is easy to read.
MAX_CONFIDENCE = 0.999
# By what the odds of a row above the lowest one are multiplied: there may be a stray mark below
# the ZIP.
ABOVE_FACTOR = 0.03
# The same for a row more than three heights above the lowest: mostly it is the sender's.
FAR_HEIGHTS, FAR_ABOVE_FACTOR = 3.0, 1e-5
# The same for a line that has another to its right: town and state stand left of the ZIP.
LEFT_FACTOR = 0.3
# Lines side by side may overlap by this share of their height.
SIDE_OVERLAP = 0.3
# Two lines are readings of the same ink where they share this much of the smaller one.
SAME_INK_OVERLAP = 0.6
# The sender's corner: the upper 35 % of an envelope, its left half.
SENDER_TOP, SENDER_LEFT = 0.35, 0.5
# How sure a barcode is whose check fits its digits: chance passes the check one time in 2,048,
# and few misread barcodes are well formed at all.
BARCODE_PROBABILITY = 0.9999
# Lines of an envelope are lower than this share of it; a cut-out ZIP has no corner.
MAX_LINE_HEIGHT = 0.15


@dataclass(frozen=True)
class ZipCandidate:
    """A line, and how likely it is the ZIP of the receiver.

    The shares of all lines, 0..1, sum to less than 1.0: the ZIP may be none of them. What an
    Intelligent Mail barcode says is checked by itself, and stands beside them.
    """

    line: Line
    share: float = 1.0
    is_barcode: bool = False


def read_mail(reader: Reader, picture: ImageSource) -> tuple[ZipCandidate, ...]:
    """Read the lines of a piece of mail that may be the receiver's ZIP, the likeliest first.

    The piece may lie on its side or upside down. The sender's lines are not read, as reading
    takes most of the time. What an Intelligent Mail barcode says comes last.
    """
    image = load_image(picture)
    page = reader.page(image, ZIP_LENGTHS, where=_may_be_of_receiver)
    # Lines are ranked by their places on the upright envelope, and returned where they lie.
    as_read = {}
    for line in page.lines:
        box, size = page.upright(line.box)
        if _may_be_of_receiver(box, size):  # rows of tables are read wherever they stand
            as_read[replace(line, box=box)] = line
    ranked = rank_zip_lines(tuple(as_read))
    lines = [replace(item, line=as_read[item.line]) for item in ranked]
    # OpenCV is loaded only where something is read: a run with nothing new takes 17 MB less.
    from digitlens.mail.barcode_search import find_barcodes

    codes = {
        code.content.routing: code for code in find_barcodes(image) if code.content.routing
    }
    if len({routing[:ZIP5] for routing in codes}) == 1:  # several would say nothing
        routing, code = max(codes.items(), key=lambda item: len(item[0]))
        lines.append(ZipCandidate(_make_line(routing[:ZIP9], code.corners), is_barcode=True))
    return tuple(lines)


def _make_line(text: str, corners: NDArray[np.float64]) -> Line:
    """Return the digits of a barcode as a line that was read where the barcode is."""
    (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    box = (x0, y0, x1, y1)
    digits = tuple(LineDigit(digit, BARCODE_PROBABILITY, box) for digit in text)
    return Line(text, BARCODE_PROBABILITY, box, digits)


def _may_be_of_receiver(box: Box, size: Size) -> bool:
    return not is_of_sender(box, size)


def rank_zip_lines(lines: Sequence[Line]) -> tuple[ZipCandidate, ...]:
    """Return which lines of one picture may be the ZIP of the receiver, the likeliest first.

    The receiver's ZIP ends the last line of an address, and the sender's address stands above
    it, to the left. So three things speak for a line: a confident reading, as words read as
    digits seldom look sure; a low place on the upright envelope; and nothing to its right. Of
    two readings of the same ink, such as a line and a part of it, the more confident one
    counts.
    """
    possible = [line for line in lines if _zip_probability(line) >= MIN_ZIP_PROBABILITY]
    # Without any the most confident line is shown, whatever its length.
    possible = possible or sorted(lines, key=attrgetter("confidence"))[-1:]
    if not possible:
        return ()
    # Where several are readings of the same ink, keep the most confident one.
    distinct: list[Line] = []
    for line in sorted(possible, key=attrgetter("confidence"), reverse=True):
        if all(_overlap(line, other) < SAME_INK_OVERLAP for other in distinct):
            distinct.append(line)
    # Odds by confidence and place, divided by those of all lines and of none.
    lowest = max(distinct, key=_middle)
    odds = [_odds(line) * _place_factor(line, lowest, distinct) for line in distinct]
    total = sum(odds) + NO_LINE_ODDS
    result = [
        ZipCandidate(line, item / total) for line, item in zip(distinct, odds, strict=True)
    ]
    return tuple(sorted(result, key=lambda item: -item.share))


def is_of_sender(box: Box, size: Size) -> bool:
    """Say whether a line stands in the sender's corner of an upright envelope, `size` in
    pixels.

    Where the receiver's ZIP is not found, the sender's would otherwise be the lowest line, and
    read with confidence, as it is often printed. A line higher than 15 % of the envelope is no
    line of one, but one that somebody cut out.
    """
    left, top, right, bottom = box
    width, height = size
    return (
        top + bottom <= 2 * SENDER_TOP * height
        and left + right <= 2 * SENDER_LEFT * width
        and bottom - top <= MAX_LINE_HEIGHT * height
    )


def _zip_probability(line: Line) -> float:
    """Return how likely the line has five or nine digits."""
    strings = [(line.text, line.confidence)]
    strings += [(item.text, item.probability) for item in line.alternatives]
    return sum(probability for text, probability in strings if len(text) in ZIP_LENGTHS)


def _odds(line: Line) -> float:
    confidence = min(line.confidence, MAX_CONFIDENCE)
    return confidence / (1 - confidence)


def _place_factor(line: Line, lowest: Line, lines: Sequence[Line]) -> float:
    """Return by what the odds of a line are multiplied for its place among `lines`."""
    factor = 1.0
    if _middle(line) < lowest.box[1]:
        above = (_middle(lowest) - _middle(line)) / max(_height(line), 1.0)
        factor = FAR_ABOVE_FACTOR if above > FAR_HEIGHTS else ABOVE_FACTOR
    # Another line in the same row that begins where this one ends.
    end = line.box[2] - SIDE_OVERLAP * _height(line)
    if any(
        other is not line and other.box[0] >= end and line.box[1] < _middle(other) < line.box[3]
        for other in lines
    ):
        factor *= LEFT_FACTOR
    return factor


def _overlap(one: Line, other: Line) -> float:
    """Return how much of the smaller of two boxes lies in both, 0..1."""
    width = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    height = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one.box, other.box))
    return max(width, 0.0) * max(height, 0.0) / max(smaller, 1.0)


def _middle(line: Line) -> float:
    return (line.box[1] + line.box[3]) / 2


def _height(line: Line) -> float:
    return line.box[3] - line.box[1]
