"""How thick the pen is, and what is done about it.

MNIST's strokes are 1.4 to 4.3 pixels wide in their 20 x 20 box (98 % of the training
digits, as `stroke_width` measures them). What is drawn with a mouse or scanned small may
be one pixel wide, or an outline of the stroke only; a network that learnt from pens does
not know such digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.ink.marks import INKED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grey: TypeAlias = "NDArray[np.float32]"

HOLLOW = 0.8
"""An outline drawing has stroke insides along at least this share of its lines. Of the outlines
of MNIST's training digits that are closed, 99 % have; of their centre lines 10 %."""

WIDEST_INSIDE = 3.0
"""Half the width of an outline's inside in the 20 x 20 box: MNIST's boldest strokes."""

LINE = 1.5
"""The most that an outline's lines are wide, in pixels of the 20 x 20 box."""

LONGEST_LOOP = 2.2
"""An inside is at least this many times as long as wide. Digits' loops are shorter: among the
centre lines of 1,000 training digits 99 % have no loop beyond 1.9."""


def stroke_width(ink: Grey) -> float:
    """Return the mean width of the strokes in pixels: twice the area by the outline's length.

    The outline's length is the total variation, so that grey edges count by their share.

    Parameters
    ----------
    ink
        float32 (H, W), 0.0 = paper, 255.0 = full ink.

    Examples
    --------
    >>> bar = np.zeros((40, 40), np.float32)
    >>> bar[5:35, 18:21] = 255
    >>> round(stroke_width(bar), 1)
    2.8
    """
    padded = np.pad(ink, 1) / 255
    down = np.diff(padded, axis=0)[:, :-1]
    across = np.diff(padded, axis=1)[:-1]
    around = float(np.sqrt(down * down + across * across).sum())
    return 2 * float(padded.sum()) / max(around, 1e-6)


def fill_outline(ink: Grey) -> tuple[Grey, bool]:
    """Fill the strokes of an outline drawing; leave any other digit as it is.

    What lies one line in from the outside is a stroke's inside; what lies two lines in is a
    hole. The drawing counts as an outline when its insides are as narrow as strokes and run
    along most of its lines.

    Returns
    -------
    The ink, and whether it was filled.
    """
    import cv2

    lines = np.pad((ink > INKED).astype(np.uint8), 3)
    rows, columns = np.flatnonzero(lines.any(1)), np.flatnonzero(lines.any(0))
    unit = max(rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1) / 20
    wide = max(1, round(stroke_width(ink)))
    if wide > LINE * max(unit, 1):
        return ink, False
    for gap in (1, 2, 3):
        bridge = np.ones((gap, gap), np.uint8)
        closed = np.asarray(cv2.morphologyEx(lines, cv2.MORPH_CLOSE, bridge), np.uint8)
        inside = _inside(closed, wide)
        if inside is None:
            continue
        area, depth = inside
        along = cv2.dilate(area, np.ones((3, 3), np.uint8), iterations=wide + gap - 1) > 0
        long = float(area.sum()) / (2 * depth) ** 2
        if (
            depth <= WIDEST_INSIDE * unit
            and long >= LONGEST_LOOP
            and along[lines > 0].mean() >= HOLLOW
        ):
            filled = np.maximum(np.pad(ink, 3), 255 * (area | closed).astype(np.float32))
            return filled[3:-3, 3:-3], True
    return ink, False


def _inside(lines: NDArray[np.uint8], wide: int) -> tuple[NDArray[np.uint8], float] | None:
    """Return what lies one line in from the outside, as 0 or 1, and half its width."""
    import cv2

    _, regions = cv2.connectedComponents(1 - lines, connectivity=4)
    outside = (regions == regions[0, 0]).astype(np.uint8)
    near = cv2.dilate(outside, np.ones((3, 3), np.uint8), iterations=wide + 1) > 0
    first = np.unique(regions[near & (lines == 0)])
    area = np.isin(regions, first[first != regions[0, 0]]).astype(np.uint8)
    if not area.any():
        return None
    return area, float(cv2.distanceTransform(area, cv2.DIST_L2, 3).max())
