"""One strip of writing -> the line that stands on it, with places in the picture.

* A picture of one line -> the line: read from edge to edge, then closer where in doubt.
* One look at a line, and a second one where the first leaves a doubt.
* Ink and paper of a picture of one line, quickly; and where the writing's body is.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.ctc.align import FrameScale
from digitlens.ctc.assemble import assemble_line
from digitlens.ctc.decode import Decoded, decode, decode_ensemble
from digitlens.ctc.forward import length_posterior
from digitlens.ctc.probs import check_lengths
from digitlens.ctc.result import Line
from digitlens.imaging.binarize import to_gray
from digitlens.imaging.crop import PITCH, input_width
from digitlens.layout.line_crops import crop_original

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    from digitlens.ctc.result import LineDigit
    from digitlens.geometry import Box
    from digitlens.imaging.io import LoadedImage
    from digitlens.layout.types import LineCrop
    from digitlens.ocr.network import LineRecognizer

    Gray: TypeAlias = "NDArray[np.uint8]"
    Place: TypeAlias = "tuple[int, int, int, int]"
    """Left, top, right, bottom."""


SURE = 0.98
"""A string of this probability is taken at the first look: of such strings hardly any changes
at a second one, and most lines are done in half the time."""

WORD = 0.5
"""Writing that holds no digit with this probability is not looked at twice."""


def recognize(
    network: LineRecognizer,
    gray: Gray,
    *,
    lengths: int | Collection[int] | None = None,
    second: Callable[[], Gray | None] | None = None,
    least: float = 0.0,
) -> tuple[NDArray[np.float32], Decoded]:
    """Say which strings a line may hold.

    Parameters
    ----------
    network
        That reads it.
    gray
        uint8 (h, w): the line, 0 = black, 255 = white.
    lengths
        Allowed numbers of digits.
    second
        Makes another picture of the same line, or None where there is no other; called only
        when the first leaves a doubt.
    least
        Where an allowed length is less likely than this, no string is looked for.

    Returns
    -------
    What the network says of the frames of `gray`, and the strings.
    """
    frames = network.log_probs(gray)
    allowed = check_lengths(lengths)
    if least and allowed and (share := length_posterior(frames, allowed)) < least:
        return frames, Decoded((), allowed, share)
    decoded = decode(frames, lengths=lengths)
    if second is None or not _is_doubtful(decoded):
        return frames, decoded
    other = second()
    if other is None:
        return frames, decoded
    views = [frames, network.log_probs(other)]
    return frames, decode_ensemble(views, lengths=lengths, first=decoded)


def _is_doubtful(decoded: Decoded) -> bool:
    """Say whether a second look may change what is read, and be worth its time."""
    best = decoded.best
    if best is None or best.among_lengths >= SURE:
        return False
    # Most words are told from numbers at once: the rest of a page is then read twice as fast.
    return bool(best.text) or best.probability < WORD


CLEAR = 0.5
"""Several digits in one cell of a table are believed from this confidence on."""

POSSIBLE = 1e-5
"""A line in which an allowed length is less likely than this is not searched for strings. Its
confidence would be less than `digitlens.ocr.select.LEAST`, and it be left out: of 1,780
such lines on 100 drawn envelopes, searched all the same and looked at twice, the surest had
0.04. Most words end here, in a fiftieth of the time."""

SEVERAL = 1e-3
"""The same where several lengths are allowed, as on mail: nobody has then said that there is a
number at all. Of 2,000 such lines four had 0.1 or more, and 0.27 at most."""

NARROWEST = 0.25
"""From one digit to the next a hand moves on by this share of the line's height at least. The
last digit may be a mere stroke, so that only the steps between digits count."""

INKED = 64
"""Ink, of 255, that counts as stroke when a digit's box is looked for."""


def recognize_crop(
    network: LineRecognizer,
    strip: LineCrop,
    *,
    lengths: int | Collection[int] | None = None,
    pixels: Gray | None = None,
) -> Line:
    """Read a strip that was found on a picture; boxes are in pixels of that picture.

    Parameters
    ----------
    network, lengths
        As for `recognize`.
    strip
        As `digitlens.layout.find_lines` finds it.
    pixels
        The picture; where the clean strip leaves a doubt, it is looked at with its paper.

    Returns
    -------
    The line; empty, with a confidence of 0.0, where the strip is too short for an allowed
    number of digits, or the network is calibrated and hardly believes in one (`POSSIBLE`,
    `SEVERAL`).
    """
    allowed = check_lengths(lengths)
    if allowed and _is_short(strip, min(allowed)):
        return Line("", 0.0, strip.box)
    second = None if pixels is None else partial(crop_original, pixels, strip)
    least = 0.0
    if allowed and network.calibrations is not None:
        least = POSSIBLE if len(allowed) == 1 else SEVERAL
    frames, decoded = recognize(
        network, strip.picture, lengths=lengths, second=second, least=least
    )
    if decoded.best is None:
        return Line("", 0.0, strip.box)
    return _in_picture(strip, build_line(network, frames, decoded, strip.ink))


def _is_short(strip: LineCrop, count: int) -> bool:
    """Say whether so many digits cannot stand on a strip."""
    height, width = (side - 2 * strip.margin for side in strip.ink.shape)
    return bool(width < NARROWEST * (count - 1) * height)


def recognize_cell(network: LineRecognizer, strip: LineCrop) -> Line:
    """Read what stands in a cell of a table: one digit, unless several are clearly there."""
    frames, decoded = recognize(network, strip.picture)
    line = build_line(network, frames, decoded, strip.ink)
    if len(line.text) < 2 or line.confidence < CLEAR:
        # What was found in a cell is rarely dirt: faint and heavy print is asked for its digit.
        line = build_line(network, frames, decode(frames, lengths=1), strip.ink)
    return _in_picture(strip, line)


def build_line(
    network: LineRecognizer, frames: NDArray[np.float32], decoded: Decoded, ink: Gray
) -> Line:
    """Return a line that was decoded, its boxes in pixels of its own picture.

    Parameters
    ----------
    network
        Whose calibrations count.
    frames
        float32 (T, 11): what it said of the picture.
    decoded
        The strings.
    ink
        uint8 (h, w), the picture's shape: 0 = paper, 255 = full ink; says how far digits reach.
    """
    height, width = ink.shape
    step = width / input_width(height, width)
    line = assemble_line(
        frames,
        (0.0, 0.0, float(width), float(height)),
        scale=FrameScale(PITCH * step, PITCH * step / 2),
        decoded=decoded,
        ink=np.where(ink > INKED, ink, 0).sum(axis=0, dtype=np.float64),
        calibrations=network.calibrations,
    )
    return replace(line, digits=tuple(_tight(item, ink) for item in line.digits))


def _in_picture(strip: LineCrop, line: Line) -> Line:
    digits = tuple(replace(item, box=_there(strip, item.box)) for item in line.digits)
    return replace(line, box=strip.box, digits=digits)


def _tight(digit: LineDigit, ink: Gray) -> LineDigit:
    """Let the digit's box end, above and below, where its ink does."""
    left, top, right, bottom = digit.box
    start = min(int(left), ink.shape[1] - 1)
    part = ink[:, start : max(start + 1, int(np.ceil(right)))]
    rows = np.flatnonzero(part.max(axis=1) > INKED)
    if not len(rows):
        return replace(digit, box=(left, top, right, bottom))
    return replace(digit, box=(left, float(rows[0]), right, float(rows[-1] + 1)))


def _there(strip: LineCrop, box: Box) -> Box:
    left, top, right, bottom = box
    return strip.locate_box(left, right, top, bottom)


EXTREME = 0.01
"""Share of the pixels on either side that is passed over when full ink is looked for."""

GRAIN = 8
"""Where what is left differs from the paper by no more grey levels than this, there is little
ink on much paper, and none is passed over: light ink would be lost, and grain become ink."""

WORK = 96
"""Rows at which the writing's body is looked for."""

CROP_INKED = 110
"""Ink, of 255, that belongs to a stroke of the body."""

TALL = 0.3
"""Marks of less than this share of the tallest one's height are not of the body."""

SPECK = 40
"""Pixels at `WORK` rows that a mark of the body has at least."""

CROP_MARGIN, BESIDE = 0.12, 0.24
"""Paper left around the body, in its heights: above and below, at the sides."""


def quick_binarize(gray: Gray) -> Gray:
    """Tell ink from paper where most is paper and the light is even, in microseconds.

    The paper is the median; ink is what differs from it towards the side that differs more.

    Parameters
    ----------
    gray
        uint8 (h, w), either polarity.

    Returns
    -------
    uint8 (h, w): 0 = paper, 255 = full ink.

    Examples
    --------
    >>> quick_binarize(np.array([[9, 200, 200, 200]], np.uint8)).tolist()
    [[255, 0, 0, 0]]
    """
    # The grey values' counts hold all that is asked, and are far quicker than sorting.
    counts = np.bincount(gray.ravel(), minlength=256).cumsum() / gray.size
    dark, paper, light = np.searchsorted(counts, [EXTREME, 0.5, 1 - EXTREME]).tolist()
    if max(paper - dark, light - paper) <= GRAIN:
        dark, light = int(gray.min()), int(gray.max())
    sign = -1 if paper - dark >= light - paper else 1
    full = max(paper - dark, light - paper, 1)
    steps = np.clip((np.arange(256) - paper) * sign * 255.0 / full, 0, 255)
    return np.asarray(steps.astype(np.uint8)[gray])


def find_writing_body(gray: Gray) -> Place | None:
    """Find where the tall marks of a line stand, small ones and the paper's pattern left out.

    Parameters
    ----------
    gray
        uint8 (h, w), either polarity: one line of writing.

    Returns
    -------
    Left, top, right, bottom with a little paper around, in pixels; None where there is no mark.
    """
    height, width = gray.shape
    scale = WORK / height
    size = max(8, round(width * scale)), WORK
    large = cv2.GaussianBlur(cv2.resize(gray, size), (0, 0), 1.2)
    # Uneven light is what a median over a good part of the line's height leaves.
    small = cv2.resize(large, (max(4, size[0] // 4), WORK // 4), interpolation=cv2.INTER_AREA)
    paper = cv2.resize(cv2.medianBlur(small, 13), size)
    even = np.clip(128 + large.astype(np.int16) - paper.astype(np.int16), 0, 255)
    ink = quick_binarize(even.astype(np.uint8))
    stats = cv2.connectedComponentsWithStats((ink > CROP_INKED).astype(np.uint8))[2]
    tallest = int(stats[1:, 3].max(initial=0))
    kept = (stats[:, 3] >= TALL * tallest) & (stats[:, 4] >= SPECK)
    kept[0] = False
    if not kept.any():
        return None
    left, top = stats[kept, 0].min(), stats[kept, 1].min()
    right = (stats[kept, 0] + stats[kept, 2]).max()
    bottom = (stats[kept, 1] + stats[kept, 3]).max()
    above, beside = CROP_MARGIN * (bottom - top), BESIDE * (bottom - top)
    return (
        max(0, int((left - beside) / scale)),
        max(0, int((top - above) / scale)),
        min(width, int(np.ceil((right + beside) / scale))),
        min(height, int(np.ceil((bottom + above) / scale))),
    )


SINGLE_INKED = 90
"""Ink, of 255, that counts as writing when bare paper around it is looked for."""

MARGIN = 0.2
"""Paper left above and below the writing, in its heights: as the networks were trained."""

BARE = 0.2
"""Paper beyond that, in the picture's heights, for which it is cut away."""


def recognize_line_image(
    network: LineRecognizer, opened: LoadedImage, lengths: frozenset[int] | None
) -> Line:
    """Read the line that a picture shows; boxes are in pixels of the picture."""
    gray = to_gray(opened.pixels)
    ink = quick_binarize(gray)
    left, top, right, bottom = _writing(ink)
    part = slice(top, bottom), slice(left, right)
    frames, decoded = recognize_with_retry(network, gray[part], lengths)
    line = build_line(network, frames, decoded, ink[part])
    if (left, top) == (0, 0):
        return line
    digits = tuple(replace(item, box=_moved(item.box, left, top)) for item in line.digits)
    return replace(line, box=_moved(line.box, left, top), digits=digits)


def recognize_with_retry(
    network: LineRecognizer, gray: Gray, lengths: frozenset[int] | None = None
) -> tuple[NDArray[np.float32], Decoded]:
    """Say which strings a line may hold, with a close-up where in doubt; see `recognize`.

    Parameters
    ----------
    network
        That reads it.
    gray
        uint8 (h, w): the line, 0 = black, 255 = white.
    lengths
        Allowed numbers of digits.
    """
    return recognize(network, gray, lengths=lengths, second=lambda: tight_crop(gray))


def tight_crop(gray: Gray) -> Gray | None:
    """Cut a line close to its writing; None where there is no writing."""
    place = find_writing_body(gray)
    if place is None:
        return None
    left, top, right, bottom = place
    return gray[top:bottom, left:right]


def _writing(ink: Gray) -> tuple[int, int, int, int]:
    """Return where the writing is with a little paper around: left, top, right, bottom."""
    height, width = ink.shape
    rows = np.flatnonzero(ink.max(axis=1) > SINGLE_INKED)
    columns = np.flatnonzero(ink.max(axis=0) > SINGLE_INKED)
    if not len(rows):
        return 0, 0, width, height
    margin = max(1, round(MARGIN * (rows[-1] + 1 - rows[0])))
    top, bottom = max(0, rows[0] - margin), min(height, rows[-1] + 1 + margin)
    if height - (bottom - top) < BARE * height:
        top, bottom = 0, height
    beside = 2 * margin
    left, right = max(0, columns[0] - beside), min(width, columns[-1] + 1 + beside)
    return int(left), int(top), int(right), int(bottom)


def _moved(box: Box, x: float, y: float) -> Box:
    left, top, right, bottom = box
    return left + x, top + y, right + x, bottom + y
