"""A picture of one line -> the line: cut to the writing, read from edge to edge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.reader.strips import read_ink

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.ink.opening import Opened
    from digitlens.reader.network import LineNetwork
    from digitlens.reading.line import Box, Line

    Grey: TypeAlias = "NDArray[np.uint8]"

INKED = 90
"""Ink, of 255, that counts as writing when bare paper around it is looked for."""

EXTREME = 1.0
"""Per cent of the pixels on either side that are passed over when full ink is looked for."""

MARGIN = 0.2
"""Paper left above and below the writing, in its heights: as the networks were trained."""

BARE = 0.2
"""Paper beyond that, in the picture's heights, for which it is cut away."""


def line_of(network: LineNetwork, opened: Opened, lengths: frozenset[int] | None) -> Line:
    """Read the line that a picture shows; boxes are in pixels of the picture."""
    grey = _grey(opened.pixels)
    ink = quick_ink(grey)
    left, top, right, bottom = _writing(ink)
    part = slice(top, bottom), slice(left, right)
    line = read_ink(network, grey[part], ink[part], lengths=lengths)
    if (left, top) == (0, 0):
        return line
    digits = tuple(replace(each, box=_moved(each.box, left, top)) for each in line.digits)
    return replace(line, box=_moved(line.box, left, top), digits=digits)


def _grey(pixels: Grey) -> Grey:
    """Return (H, W, 3) as the grey that an eye sees; grey pictures as they are."""
    if pixels.ndim == 2:
        return pixels
    import cv2

    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def quick_ink(grey: Grey) -> Grey:
    """Tell ink from paper where most is paper and the light is even, in microseconds.

    The paper is the median; ink is what differs from it towards the side that differs more.
    The network needs none of this: it says only how far digits reach.

    Parameters
    ----------
    grey
        uint8 (h, w), either polarity.

    Returns
    -------
    uint8 (h, w): 0 = paper, 255 = full ink.

    Examples
    --------
    >>> quick_ink(np.array([[9, 200, 200, 200]], np.uint8)).tolist()
    [[255, 0, 0, 0]]
    """
    # The grey values' counts hold all that is asked, and are far quicker than sorting.
    counts = np.bincount(grey.ravel(), minlength=256).cumsum() / grey.size
    dark, paper, light = np.searchsorted(counts, [EXTREME / 100, 0.5, 1 - EXTREME / 100])
    sign = -1 if paper - dark >= light - paper else 1
    full = max(int(paper - dark), int(light - paper), 1)
    steps = np.clip((np.arange(256) - int(paper)) * sign * 255.0 / full, 0, 255)
    return np.asarray(steps.astype(np.uint8)[grey])


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
