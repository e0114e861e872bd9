"""A picture of one line -> the line: read from edge to edge, then closer where in doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.ink.grey import brightness
from digitlens.reader.crop import body_of, quick_ink
from digitlens.reader.strips import spelled
from digitlens.reader.views import look_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.ink.opening import Opened
    from digitlens.reader.network import LineNetwork
    from digitlens.reading.decode import Decoded
    from digitlens.reading.line import Box, Line

    Grey: TypeAlias = "NDArray[np.uint8]"

INKED = 90
"""Ink, of 255, that counts as writing when bare paper around it is looked for."""

MARGIN = 0.2
"""Paper left above and below the writing, in its heights: as the networks were trained."""

BARE = 0.2
"""Paper beyond that, in the picture's heights, for which it is cut away."""


def line_of(network: LineNetwork, opened: Opened, lengths: frozenset[int] | None) -> Line:
    """Read the line that a picture shows; boxes are in pixels of the picture."""
    grey = brightness(opened.pixels)
    ink = quick_ink(grey)
    left, top, right, bottom = _writing(ink)
    part = slice(top, bottom), slice(left, right)
    frames, decoded = look_closely(network, grey[part], lengths)
    line = spelled(network, frames, decoded, ink[part])
    if (left, top) == (0, 0):
        return line
    digits = tuple(replace(each, box=_moved(each.box, left, top)) for each in line.digits)
    return replace(line, box=_moved(line.box, left, top), digits=digits)


def look_closely(
    network: LineNetwork, grey: Grey, lengths: frozenset[int] | None = None
) -> tuple[NDArray[np.float32], Decoded]:
    """Say which strings a line may hold, with a close-up where in doubt; see `look_at`.

    Parameters
    ----------
    network
        That reads it.
    grey
        uint8 (h, w): the line, 0 = black, 255 = white.
    lengths
        Allowed numbers of digits.
    """
    return look_at(network, grey, lengths=lengths, second=lambda: close_up(grey))


def close_up(grey: Grey) -> Grey | None:
    """Cut a line close to its writing; None where there is no writing."""
    place = body_of(grey)
    if place is None:
        return None
    left, top, right, bottom = place
    return grey[top:bottom, left:right]


def _writing(ink: Grey) -> tuple[int, int, int, int]:
    """Return where the writing is with a little paper around: left, top, right, bottom."""
    high, wide = ink.shape
    rows = np.flatnonzero(ink.max(axis=1) > INKED)
    columns = np.flatnonzero(ink.max(axis=0) > INKED)
    if not len(rows):
        return 0, 0, wide, high
    margin = max(1, round(MARGIN * (rows[-1] + 1 - rows[0])))
    top, bottom = max(0, rows[0] - margin), min(high, rows[-1] + 1 + margin)
    if high - (bottom - top) < BARE * high:
        top, bottom = 0, high
    beside = 2 * margin
    left, right = max(0, columns[0] - beside), min(wide, columns[-1] + 1 + beside)
    return int(left), int(top), int(right), int(bottom)


def _moved(box: Box, x: float, y: float) -> Box:
    left, top, right, bottom = box
    return left + x, top + y, right + x, bottom + y
