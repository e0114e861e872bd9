"""One line's pixels -> the line: a crop of a page, a cell of a table, a picture of one line.

The network is asked once, and a second time with another picture of the same line where the
first answer is in doubt.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.ctc.align import FrameScale
from digitlens.ctc.decode import Decoded, decode, decode_ensemble
from digitlens.ctc.forward import length_posterior
from digitlens.ctc.line import Alternative, Line, assemble_line
from digitlens.ctc.probs import to_probs
from digitlens.errors import DigitlensError
from digitlens.imaging.binarize import to_gray
from digitlens.imaging.crop import PITCH, input_width
from digitlens.imaging.light import even_light
from digitlens.imaging.normalize import frame_drawing
from digitlens.layout.line_crops import crop_original
from digitlens.ocr.line_picture import find_writing, level_line, quick_binarize, tight_crop
from digitlens.ocr.page import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from digitlens.ctc.line import LineDigit
    from digitlens.ctc.probs import Lengths, Probs
    from digitlens.geometry import Box
    from digitlens.layout.page_layout import Grid, LineCrop
    from digitlens.models.inference import Model
    from digitlens.ocr.network import LineRecognizer

    Gray: TypeAlias = "NDArray[np.uint8]"
    IntBox: TypeAlias = "tuple[int, int, int, int]"
    """Left, top, right, bottom in whole pixels."""


SURE_PROBABILITY = 0.98
"""A string of this probability is final: of such strings hardly any changes when the network is
asked again, and most lines take half the time."""

WORD_PROBABILITY = 0.5
"""Writing that holds no digit with this probability is not looked at twice."""


def recognize(
    network: LineRecognizer,
    gray: Gray,
    *,
    lengths: Lengths = None,
    retry: Callable[[], Gray | None] | None = None,
    min_length_probability: float = 0.0,
) -> tuple[Probs, Decoded]:
    """Say which strings a line may hold.

    network: that reads it
    gray: uint8 (h, w): the line, 0 = black, 255 = white
    lengths: allowed numbers of digits
    retry: makes another picture of the same line, or None where there is no other; called only
        when the first leaves a doubt
    min_length_probability: where an allowed length is less likely than this, no string is
        looked for

    Returns the probabilities of the time steps of `gray`, and the strings.
    """
    probs = to_probs(network.log_probs(gray))
    if lengths and min_length_probability:
        share = length_posterior(probs, lengths)
        if share < min_length_probability:
            return probs, Decoded((), lengths, share)
    probs = network.rescore(gray, probs)
    decoded = decode(probs, lengths=lengths)
    if retry is None or not _is_doubtful(decoded):
        return probs, decoded
    other = retry()
    if other is None:
        return probs, decoded
    # Places are looked up in the first picture; which string it is, both say together.
    views = [probs, network.rescore(other, to_probs(network.log_probs(other)))]
    return probs, decode_ensemble(views, lengths=lengths, first=decoded)


def _is_doubtful(decoded: Decoded) -> bool:
    """Say whether a second picture may change what is read, and be worth its time."""
    best = decoded.best
    if best is None or best.among_lengths >= SURE_PROBABILITY:
        return False
    # Most words are told from numbers at once: the rest of a page is then read twice as fast.
    return bool(best.text) or best.probability < WORD_PROBABILITY


MIN_SEVERAL_CONFIDENCE = 0.5
"""Several digits in one cell of a table are believed from this confidence on."""

MIN_CELL_CONFIDENCE = 0.3
"""What is read in a cell with less confidence counts as specks or no digit."""

SURE_CELL_CONFIDENCE = 0.9
"""A cell's digit of less confidence is looked at again, as it stands on its paper."""

PAPER_SHARE, FULL_INK_SHARE, PAPER_NOISE = 25, 2, 0.3
"""Of a cell's pixels, in percent, those lighter than its paper and those of full ink; of the
way between the two what still counts as paper."""

MIN_ALTERNATIVE = 0.01  # another digit of a cell is told of from this probability on

MIN_LENGTH_PROBABILITY = 1e-5
"""A line in which an allowed length is less likely than this is not searched for strings. Its
confidence would be less than `digitlens.ocr.select.MIN_CONFIDENCE`, and it would be dropped: of
1,780 such lines on 100 drawn envelopes, searched all the same and retried, the surest had 0.04.
Most words end here, in a fiftieth of the time."""

MIN_LENGTHS_PROBABILITY = 1e-3
"""The same where several lengths are allowed, as on mail: nobody has then said that there is a
number at all. Of 2,000 such lines four had 0.1 or more, and 0.27 at most."""

FULL_CERTAINTY = 0.6
"""Where all of a line's ink is digits with this probability, its reading decides alone."""

MIN_PITCH = 0.25
"""From one digit to the next a hand moves on by this share of the line's height at least. The
last digit may be a mere stroke, so that only the steps between digits count."""

STROKE_INK = 64  # ink, of 255, that counts as stroke when a digit's box is looked for


def recognize_crop(
    network: LineRecognizer,
    crop: LineCrop,
    *,
    lengths: Lengths = None,
    pixels: Gray | None = None,
) -> Line:
    """Read a line crop of a page; boxes are in pixels of that page.

    With the page's `pixels` a crop that leaves a doubt is looked at again, with its paper. The
    line is empty, with a confidence of 0.0, where the crop is too short for an allowed number
    of digits, or the network is calibrated and hardly believes in one.
    """
    # Too short for the wanted digits: the network need not be asked.
    if lengths and _is_too_short(crop, min(lengths)):
        return Line("", 0.0, crop.box)
    # In doubt, the same line with its paper and without any cleaning.
    retry = None if pixels is None else partial(crop_original, pixels, crop)
    least = 0.0
    if lengths and network.calibrations is not None:
        least = MIN_LENGTH_PROBABILITY if len(lengths) == 1 else MIN_LENGTHS_PROBABILITY
    probs, decoded = recognize(
        network, crop.picture, lengths=lengths, retry=retry, min_length_probability=least
    )
    if decoded.best is None:
        return Line("", 0.0, crop.box)
    line = _to_page(crop, build_line(network, probs, decoded, crop.ink))
    return replace(line, confidence=line.confidence * trust(crop.certainty, len(line.text)))


def trust(certainty: float, count: int) -> float:
    """Return the factor on the confidence of `count` digits whose ink is so surely theirs.

    What stands alone has no neighbors that say what it is.
    """
    return certainty if count == 1 else min(1.0, certainty / FULL_CERTAINTY)


def _is_too_short(crop: LineCrop, count: int) -> bool:
    """Say whether so many digits cannot stand on a crop."""
    height, width = (side - 2 * crop.margin for side in crop.ink.shape)
    return bool(width < MIN_PITCH * (count - 1) * height)


def recognize_table(
    network: LineRecognizer,
    grid: Grid,
    digits: Model | None = None,
    pixels: Gray | None = None,
) -> Table:
    """Read every cell of a table; most hold one digit or none.

    digits: reads the cells that hold one digit, which it knows better than a network for lines
    pixels: the picture that the table was found on, for cells that leave a doubt
    """
    cells: list[Line | None] = []
    for cell in grid.cells:
        line = None
        if cell.crop is not None:
            line = recognize_cell(network, cell.crop, digits, pixels)
        is_clear = line is not None and line.confidence >= MIN_CELL_CONFIDENCE
        cells.append(line if is_clear else None)
    return Table(grid.rows, grid.columns, tuple(cells))


def recognize_cell(
    network: LineRecognizer,
    crop: LineCrop,
    digits: Model | None = None,
    pixels: Gray | None = None,
) -> Line:
    """Read what stands in a cell of a table: one digit, unless several are clearly there."""
    probs, decoded = recognize(network, crop.picture)
    line = None
    if decoded.best is not None and len(decoded.best.text) > 1:
        line = build_line(network, probs, decoded, crop.ink)
    if line is None or line.confidence < MIN_SEVERAL_CONFIDENCE:
        # What stands in a cell is rarely dirt: faint and heavy print is asked for its digit.
        line = build_line(network, probs, decode(probs, lengths={1}), crop.ink)
        if digits is not None and line.digits:
            line = _ask_digit(digits, line, crop.ink)
            # Cleaning tears faint and blurred digits: in doubt the surer of two pictures.
            if pixels is not None and line.confidence < SURE_CELL_CONFIDENCE:
                other = _ask_digit(
                    digits, line, _stretch_ink(crop_original(pixels, crop), crop)
                )
                line = max(line, other, key=lambda item: item.confidence)
    return _to_page(crop, line)


def _stretch_ink(gray: Gray, crop: LineCrop) -> Gray:
    """Return a cell's gray picture as ink, from its own paper to its own darkest stroke.

    Returns uint8 (h, w): 0 = paper, 255 = full ink, whatever the polarity of the picture.
    """
    inked = crop.ink > STROKE_INK
    if inked.any() and gray[inked].mean() > gray.mean():
        gray = 255 - gray
    paper, full = np.percentile(gray, (100 - PAPER_SHARE, FULL_INK_SHARE)).tolist()
    ink = ((paper - gray) / max(paper - full, 1.0) - PAPER_NOISE) / (1 - PAPER_NOISE)
    return np.asarray(np.rint(255 * np.clip(ink, 0, 1)), np.uint8)


def _ask_digit(model: Model, line: Line, ink: Gray) -> Line:
    """Return a line of one digit as a network for single digits sees it.

    `ink` is that of `build_line`. What cannot be framed as one digit stays as it was read.
    """
    try:
        framed = frame_drawing(255 - ink).digit  # ink and paper are told apart already
    except DigitlensError:
        return line
    answer = model.predict(framed[None])
    shares = answer.probabilities[0].astype(np.float64)
    if answer.no_digit is not None:
        shares *= 1 - float(answer.no_digit[0])
    first, *others = [int(label) for label in np.argsort(-shares, kind="stable")]
    rest = [Alternative(str(label), float(shares[label])) for label in others]
    likely = tuple(item for item in rest if item.probability >= MIN_ALTERNATIVE)
    digit = replace(
        line.digits[0],
        text=str(first),
        confidence=float(shares[first]),
        alternatives=likely,
    )
    return Line(digit.text, digit.confidence, line.box, (digit,), likely)


def build_line(network: LineRecognizer, probs: Probs, decoded: Decoded, ink: Gray) -> Line:
    """Return a line that was decoded, its boxes in pixels of its own picture.

    `ink` is uint8 (h, w), of the picture's shape: 0 = paper, 255 = full ink; it says how far
    digits reach.
    """
    height, width = ink.shape
    step = width / input_width(height, width)
    line = assemble_line(
        probs,
        (0.0, 0.0, float(width), float(height)),
        scale=FrameScale(PITCH * step, PITCH * step / 2),
        decoded=decoded,
        ink=np.where(ink > STROKE_INK, ink, 0).sum(axis=0, dtype=np.float64),
        calibrations=network.calibrations,
    )
    return replace(line, digits=tuple([_trim_rows(item, ink) for item in line.digits]))


def _trim_rows(digit: LineDigit, ink: Gray) -> LineDigit:
    """Let the digit's box end, above and below, where its ink does."""
    left, top, right, bottom = digit.box
    start = min(int(left), ink.shape[1] - 1)
    part = ink[:, start : max(start + 1, int(np.ceil(right)))]
    rows = np.flatnonzero(part.max(axis=1) > STROKE_INK)
    if len(rows):
        top, bottom = float(rows[0]), float(rows[-1] + 1)
    return replace(digit, box=(left, top, right, bottom))


def _to_page(crop: LineCrop, line: Line) -> Line:
    """Bring boxes from pixels of a crop to pixels of its page."""

    def move(box: Box) -> Box:
        left, top, right, bottom = box
        return crop.locate_box(left, right, top, bottom)

    return replace(line.map_boxes(move), box=crop.box)


def recognize_line_image(network: LineRecognizer, pixels: Gray, lengths: Lengths) -> Line:
    """Read the line that a picture shows, with or without paper around.

    `pixels` are uint8 (H, W) or (H, W, 3); boxes are in pixels of the picture.
    """
    # Even the light, turn the line level, and cut bare paper away.
    level = level_line(even_light(to_gray(pixels)))
    ink = quick_binarize(level.gray)
    left, top, right, bottom = find_writing(ink)
    part = slice(top, bottom), slice(left, right)
    probs, decoded = recognize_with_retry(network, level.gray[part], lengths)
    line = build_line(network, probs, decoded, ink[part])
    # Back to pixels of the picture.
    return line.map_boxes(
        lambda box: level.locate((box[0] + left, box[1] + top, box[2] + left, box[3] + top))
    )


def recognize_with_retry(
    network: LineRecognizer, gray: Gray, lengths: Lengths = None
) -> tuple[Probs, Decoded]:
    """Say which strings a line may hold, also by a tight crop where in doubt."""
    return recognize(network, gray, lengths=lengths, retry=lambda: tight_crop(gray))
