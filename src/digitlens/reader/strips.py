"""One strip of writing -> the line that stands on it, with places in the picture."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.ink.line_input import PITCH, input_width
from digitlens.layout.unclean import as_it_stands
from digitlens.reader.views import look_at
from digitlens.reading.assemble import read_frames
from digitlens.reading.boxes import Scale
from digitlens.reading.decode import decode
from digitlens.reading.frames import wanted_lengths
from digitlens.reading.line import Line

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from digitlens.layout.found import Strip
    from digitlens.reader.network import LineNetwork
    from digitlens.reading.decode import Decoded
    from digitlens.reading.line import Box, LineDigit

    Grey: TypeAlias = "NDArray[np.uint8]"

CLEAR = 0.5
"""Several digits in one cell of a table are believed from this confidence on."""

POSSIBLE = 1e-5
"""A line in which an allowed length is less likely than this is not searched for strings. Its
confidence would be less than `digitlens.reader.choose.LEAST`, and it be left out: of 1,780
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


def read_strip(
    network: LineNetwork,
    strip: Strip,
    *,
    lengths: int | Collection[int] | None = None,
    pixels: Grey | None = None,
) -> Line:
    """Read a strip that was found on a picture; boxes are in pixels of that picture.

    Parameters
    ----------
    network, lengths
        As for `look_at`.
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
    allowed = wanted_lengths(lengths)
    if allowed and _is_short(strip, min(allowed)):
        return Line("", 0.0, strip.box)
    second = None if pixels is None else partial(as_it_stands, pixels, strip)
    least = 0.0
    if allowed and network.calibrations is not None:
        least = POSSIBLE if len(allowed) == 1 else SEVERAL
    frames, decoded = look_at(
        network, strip.picture, lengths=lengths, second=second, least=least
    )
    if decoded.best is None:
        return Line("", 0.0, strip.box)
    return _in_picture(strip, spelled(network, frames, decoded, strip.ink))


def _is_short(strip: Strip, count: int) -> bool:
    """Say whether so many digits cannot stand on a strip."""
    high, wide = (side - 2 * strip.margin for side in strip.ink.shape)
    return bool(wide < NARROWEST * (count - 1) * high)


def read_cell(network: LineNetwork, strip: Strip) -> Line:
    """Read what stands in a cell of a table: one digit, unless several are clearly there."""
    frames, decoded = look_at(network, strip.picture)
    line = spelled(network, frames, decoded, strip.ink)
    if len(line.text) < 2 or line.confidence < CLEAR:
        # What was found in a cell is rarely dirt: faint and heavy print is asked for its digit.
        line = spelled(network, frames, decode(frames, lengths=1), strip.ink)
    return _in_picture(strip, line)


def spelled(
    network: LineNetwork, frames: NDArray[np.float32], decoded: Decoded, ink: Grey
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
    high, wide = ink.shape
    step = wide / input_width(high, wide)
    line = read_frames(
        frames,
        (0.0, 0.0, float(wide), float(high)),
        scale=Scale(PITCH * step, PITCH * step / 2),
        decoded=decoded,
        ink=np.where(ink > INKED, ink, 0).sum(axis=0, dtype=np.float64),
        calibrations=network.calibrations,
    )
    return replace(line, digits=tuple(_tight(each, ink) for each in line.digits))


def _in_picture(strip: Strip, line: Line) -> Line:
    digits = tuple(replace(each, box=_there(strip, each.box)) for each in line.digits)
    return replace(line, box=strip.box, digits=digits)


def _tight(digit: LineDigit, ink: Grey) -> LineDigit:
    """Let the digit's box end, above and below, where its ink does."""
    left, top, right, bottom = digit.box
    start = min(int(left), ink.shape[1] - 1)
    part = ink[:, start : max(start + 1, int(np.ceil(right)))]
    rows = np.flatnonzero(part.max(axis=1) > INKED)
    if not len(rows):
        return replace(digit, box=(left, top, right, bottom))
    return replace(digit, box=(left, float(rows[0]), right, float(rows[-1] + 1)))


def _there(strip: Strip, box: Box) -> Box:
    left, top, right, bottom = box
    return strip.box_of(left, right, top, bottom)
