"""A thin line across the whole picture: a ruling, or what somebody scribbled over the digit."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.ink.disk import disk
from digitlens.ink.marks import INKED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grey: TypeAlias = "NDArray[np.float32]"

ACROSS = 0.78
"""The share of the picture's width that ink must span before a line is looked for. A digit in
MNIST's frame spans at most 0.71."""

ARM = 0.12
"""How far a line must stand out to the left and to the right, in the longer side of what it
crosses."""

SLIM = 0.38
"""A line is slimmer than twice this share of the widest strokes."""

REST = 0.5
"""The share of the ink that must remain without the line: of thin digits nothing would."""

FINE = 100
"""Pixels of the picture's longer side at least, where widths are told apart."""


def cut_lines(ink: Grey) -> tuple[Grey, bool]:
    """Cut off the arms of a thin line that crosses the digit from side to side.

    What lies between the arms stays, and so does any ink that does not span the picture.

    Parameters
    ----------
    ink
        float32 (H, W), 0.0 = paper, 255.0 = full ink.

    Returns
    -------
    The ink, and whether something was cut off.
    """
    import cv2

    whole = cv2.boundingRect((ink > INKED).astype(np.uint8))
    if whole[2] < ACROSS * ink.shape[1]:
        return ink, False
    times = max(1, -(-FINE // max(ink.shape)))
    fine = cv2.resize(ink, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR)
    body = _body((fine > INKED).astype(np.uint8))
    if body is None:
        return ink, False
    left, width, side = body[0] / times, body[2] / times, max(body[2:]) / times
    if min(left - whole[0], whole[0] + whole[2] - left - width) < ARM * side:
        return ink, False
    cut = ink.copy()
    cut[:, : max(round(left) - 1, 0)] = 0
    cut[:, round(left + width) + 1 :] = 0
    return cut, True


def _body(marked: NDArray[np.uint8]) -> tuple[int, int, int, int] | None:
    """Return the box of what is left without slim lines, or None when too little is."""
    import cv2

    depth = cv2.distanceTransform(np.pad(marked, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    if not marked.any():
        return None
    radius = SLIM * 2 * float(np.percentile(depth[marked > 0], 95))
    thick = cv2.morphologyEx(marked, cv2.MORPH_OPEN, disk(radius))
    if thick.sum() < REST * marked.sum():
        return None
    _, labels, stats, _ = cv2.connectedComponentsWithStats(thick)
    large = stats[:, cv2.CC_STAT_AREA] > 0.1 * thick.sum()
    large[0] = False
    left, top, width, height = cv2.boundingRect(large[labels].astype(np.uint8))
    return left, top, width, height
