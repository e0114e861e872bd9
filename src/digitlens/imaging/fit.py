"""A digit's ink -> MNIST's frame.

"The original black and white images from NIST were size normalized to fit in a 20x20 pixel
box while preserving their aspect ratio. The resulting images contain grey levels as a
result of the anti-aliasing technique used by the normalization algorithm. The images were
centered in a 28x28 image by computing the center of mass of the pixels, and translating the
image so as to position this point at the center of the 28x28 field." (Y. LeCun, C. Cortes,
C. J. C. Burges, "The MNIST database of handwritten digits".) Measured on its 60,000 training
digits: the longer side is 20 in all but 13, the centre of mass between 13.5 and 14.5.

* How thick the pen is, and what is done about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.digits import SIDE
from digitlens.imaging.components import INKED, disk_kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Gray: TypeAlias = "NDArray[np.float32]"


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


def stroke_width(ink: Gray) -> float:
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


def fill_outline(ink: Gray) -> tuple[Gray, bool]:
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
    width = max(1, round(stroke_width(ink)))
    if width > LINE * max(unit, 1):
        return ink, False
    for gap in (1, 2, 3):
        bridge = np.ones((gap, gap), np.uint8)
        closed = np.asarray(cv2.morphologyEx(lines, cv2.MORPH_CLOSE, bridge), np.uint8)
        inside = _inside(closed, width)
        if inside is None:
            continue
        area, depth = inside
        along = cv2.dilate(area, np.ones((3, 3), np.uint8), iterations=width + gap - 1) > 0
        long = float(area.sum()) / (2 * depth) ** 2
        if (
            depth <= WIDEST_INSIDE * unit
            and long >= LONGEST_LOOP
            and along[lines > 0].mean() >= HOLLOW
        ):
            filled = np.maximum(np.pad(ink, 3), 255 * (area | closed).astype(np.float32))
            return filled[3:-3, 3:-3], True
    return ink, False


def _inside(lines: NDArray[np.uint8], width: int) -> tuple[NDArray[np.uint8], float] | None:
    """Return what lies one line in from the outside, as 0 or 1, and half its width."""
    import cv2

    _, regions = cv2.connectedComponents(1 - lines, connectivity=4)
    outside = (regions == regions[0, 0]).astype(np.uint8)
    near = cv2.dilate(outside, np.ones((3, 3), np.uint8), iterations=width + 1) > 0
    first = np.unique(regions[near & (lines == 0)])
    area = np.isin(regions, first[first != regions[0, 0]]).astype(np.uint8)
    if not area.any():
        return None
    return area, float(cv2.distanceTransform(area, cv2.DIST_L2, 3).max())


BOX = 20
"""The longer side of a digit."""

MIDDLE = 14.0
"""Row and column of the centre of mass, counted from 0 at the middle of the first pixel."""

FINE = 120
"""The digit's longer side where strokes are made thicker and scaled down from: six times the
box, so that a stroke's edge falls on a sixth of a pixel."""

THIN = 1.5
"""Strokes thinner than this are made thicker: 2 % of MNIST's are thinner."""

PEN = 2.8
"""The width that thin strokes are given before they are scaled down, which leaves 2.3 of it:
MNIST's median is 2.4."""

THICK = 4.5
"""Strokes thicker than this are made thinner: 1 % of MNIST's are thicker."""

BOLD = 4.0
"""The width that thick strokes are given."""

EDGE = 64.0
"""Ink, of 255, where the box begins."""


@dataclass(frozen=True, eq=False)
class FittedDigit:
    """A digit in its box.

    Parameters
    ----------
    box
        uint8 (H, W), the longer side 20.
    about
        What was done to it, in words.
    """

    box: NDArray[np.uint8]
    about: str


def fit_to_frame(ink: Gray) -> FittedDigit:
    """Scale a digit until its longer side is `BOX`, proportions kept.

    Parameters
    ----------
    ink
        float32 (H, W), the digit alone; 0.0 = paper, 255.0 = full ink.

    A digit that has that size already, and strokes of a pen, is copied pixel by pixel.
    """
    cut = _cut(ink, EDGE)
    side = max(cut.shape)
    width = stroke_width(cut) * BOX / side
    about = f"strokes {width:.1f} pixels wide"
    if side == BOX and width >= THIN:
        return _fitted(np.rint(cut).astype(np.uint8), about)
    fine, unit = _enlarge(cut)
    if width < THIN:
        fine = _thicken(fine, (PEN - width) * unit / 2)
        about += f", made {PEN:.1f}"
    elif width > THICK:
        fine = _thin(fine, (width - BOLD) * unit / 2)
        about += f", made {BOLD:.1f}"
    return _fitted(_shrink(fine), about)


def _fitted(box: NDArray[np.uint8], about: str) -> FittedDigit:
    return FittedDigit(box, f"{box.shape[1]} x {box.shape[0]} pixels, {about}")


def center_by_mass(box: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay a digit in 28 x 28 with its centre of mass in the middle, to the nearest pixel.

    Parameters
    ----------
    box
        uint8 (H, W), at most 28 x 28; 0 = paper. Where the middle cannot be reached without
        cutting the digit, it is laid as near as the edge allows.
    """
    mass = box.astype(np.float64)
    field = np.zeros((SIDE, SIDE), np.uint8)
    place = []
    for axis in (0, 1):
        along = mass.sum(axis=1 - axis)
        index = float(along @ np.arange(len(along))) / max(float(along.sum()), 1.0)
        place.append(int(np.clip(np.floor(MIDDLE - index + 0.5), 0, SIDE - len(along))))
    top, left = place
    field[top : top + box.shape[0], left : left + box.shape[1]] = box
    return field


def _cut(ink: Gray, bound: float) -> Gray:
    rows = np.flatnonzero((ink > bound).any(axis=1))
    columns = np.flatnonzero((ink > bound).any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _enlarge(cut: Gray) -> tuple[Gray, float]:
    """Return a smooth digit whose longer side is `FINE` or more, and pixels a box pixel."""
    import cv2

    side = max(cut.shape)
    padded = np.pad(cut, 2)
    if side >= FINE:
        return padded, side / BOX
    times = -(-FINE // side)
    large = cv2.resize(padded, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    if times > 1:
        large = cv2.GaussianBlur(large, (0, 0), 0.35 * times)
    return np.clip(large, 0, 255).astype(np.float32), side * times / BOX


def _thicken(fine: Gray, radius: float) -> Gray:
    import cv2

    room = int(radius) + 2
    return np.asarray(cv2.dilate(np.pad(fine, room), disk_kernel(radius)), np.float32)


def _thin(fine: Gray, radius: float) -> Gray:
    import cv2

    return np.asarray(cv2.erode(fine, disk_kernel(radius)), np.float32)


def _shrink(fine: Gray) -> NDArray[np.uint8]:
    """Scale by area, as MNIST's own anti-aliasing did, and let the strokes reach full ink."""
    import cv2

    cut = _cut(fine, 0.4 * float(fine.max()))
    scale = BOX / max(cut.shape)
    height, width = (max(1, round(length * scale)) for length in cut.shape)
    small = cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA)
    full = float(np.percentile(small, 98) if small.size > 30 else small.max())
    return np.asarray(np.clip(np.rint(small * (255 / max(full, 1.0))), 0, 255), np.uint8)
