"""A digit's ink -> MNIST's frame.

"The original black and white images from NIST were size normalized to fit in a 20x20 pixel
box while preserving their aspect ratio. The resulting images contain grey levels as a
result of the anti-aliasing technique used by the normalization algorithm. The images were
centered in a 28x28 image by computing the center of mass of the pixels, and translating the
image so as to position this point at the center of the 28x28 field." (Y. LeCun, C. Cortes,
C. J. C. Burges, "The MNIST database of handwritten digits".) Measured on its 60,000 training
digits: the longer side is 20 in all but 13, the center of mass between 13.5 and 14.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import SIDE
from digitlens.imaging.components import INK_THRESHOLD, disk_kernel

if TYPE_CHECKING:
    from digitlens.geometry import FloatGray, Gray, Mask


# The longer side of a digit.
BOX_SIDE = 20
# Row and column of the center of mass, counted from 0 at the middle of the first pixel.
CENTER = 14.0
# Ink, of 255, where the box begins.
BOX_EDGE = 64.0
# The digit's longer side where stroke widths are changed: six times the box, so that an edge
# falls on a sixth of a pixel.
FINE_SIDE = 120
# Strokes thinner than the first (2 % of MNIST's are) get the second width before they are
# scaled down, which leaves 2.3 of it: MNIST's median is 2.4.
MIN_STROKE, THIN_TARGET = 1.5, 2.8
# Strokes thicker than the first (1 % of MNIST's are) are given the second width.
MAX_STROKE, THICK_TARGET = 4.5, 4.0


@dataclass(frozen=True, eq=False)
class FittedDigit:
    """A digit in its box."""

    box: Gray  # uint8 (H, W), the longer side 20
    about: str  # what was done to it, in words


def fit_to_frame(ink: FloatGray) -> FittedDigit:
    """Scale a digit until its longer side is `BOX_SIDE`, proportions kept.

    A digit that has that size already, and strokes of a pen, is copied pixel by pixel.
    """
    digit = _crop_to_ink(ink, BOX_EDGE)
    side = max(digit.shape)
    width = stroke_width(digit) * BOX_SIDE / side
    about = f"strokes {width:.1f} pixels wide"
    if side == BOX_SIDE and width >= MIN_STROKE:
        box = np.rint(digit).astype(np.uint8)
    else:
        fine, unit = _enlarge(digit)
        if width < MIN_STROKE:
            fine = _thicken(fine, (THIN_TARGET - width) * unit / 2)
            about += f", made {THIN_TARGET:.1f}"
        elif width > MAX_STROKE:
            fine = _thin(fine, (width - THICK_TARGET) * unit / 2)
            about += f", made {THICK_TARGET:.1f}"
        box = _shrink(fine)
    return FittedDigit(box, f"{box.shape[1]} x {box.shape[0]} pixels, {about}")


def center_by_mass(box: Gray) -> Gray:
    """Place a digit in 28 x 28 with its centre of mass in the middle, to the nearest pixel.

    Where the middle cannot be reached without cutting the digit, it is placed as near as the
    edge allows.
    """
    mass = box.astype(np.float64)
    frame = np.zeros((SIDE, SIDE), np.uint8)
    position = []
    for axis in (0, 1):
        profile = mass.sum(axis=1 - axis)
        center = float(profile @ np.arange(len(profile))) / max(float(profile.sum()), 1.0)
        start = np.floor(CENTER - center + 0.5)
        position.append(int(np.clip(start, 0, SIDE - len(profile))))
    top, left = position
    frame[top : top + box.shape[0], left : left + box.shape[1]] = box
    return frame


def stroke_width(ink: FloatGray) -> float:
    """Return the mean width of the strokes in pixels: twice the area by the outline's length.

    The outline's length is the total variation, so that gray edges count by their share.

    >>> bar = np.zeros((40, 40), np.float32)
    >>> bar[5:35, 18:21] = 255
    >>> round(stroke_width(bar), 1)
    2.8
    """
    padded = np.pad(ink, 1) / 255
    down = np.diff(padded, axis=0)[:, :-1]
    across = np.diff(padded, axis=1)[:-1]
    outline = float(np.sqrt(down * down + across * across).sum())
    return 2 * float(padded.sum()) / max(outline, 1e-6)


def _crop_to_ink(ink: FloatGray, threshold: float) -> FloatGray:
    rows = np.flatnonzero((ink > threshold).any(axis=1))
    columns = np.flatnonzero((ink > threshold).any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _enlarge(digit: FloatGray) -> tuple[FloatGray, float]:
    """Return a smooth digit of `FINE_SIDE` pixels or more, and how many make a box pixel."""
    import cv2

    side = max(digit.shape)
    padded = np.pad(digit, 2)
    if side >= FINE_SIDE:
        return padded, side / BOX_SIDE
    times = -(-FINE_SIDE // side)
    large = cv2.resize(padded, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    if times > 1:
        large = cv2.GaussianBlur(large, (0, 0), 0.35 * times)
    return np.clip(large, 0, 255).astype(np.float32), side * times / BOX_SIDE


def _thicken(fine: FloatGray, radius: float) -> FloatGray:
    import cv2

    room = int(radius) + 2
    return np.asarray(cv2.dilate(np.pad(fine, room), disk_kernel(radius)), np.float32)


def _thin(fine: FloatGray, radius: float) -> FloatGray:
    import cv2

    return np.asarray(cv2.erode(fine, disk_kernel(radius)), np.float32)


def _shrink(fine: FloatGray) -> Gray:
    """Scale by area, as MNIST's own anti-aliasing did, and let the strokes reach full ink."""
    import cv2

    digit = _crop_to_ink(fine, 0.4 * float(fine.max()))
    scale = BOX_SIDE / max(digit.shape)
    height, width = (max(1, round(length * scale)) for length in digit.shape)
    small = cv2.resize(digit, (width, height), interpolation=cv2.INTER_AREA)
    full = float(np.percentile(small, 98) if small.size > 30 else small.max())
    return np.asarray(np.clip(np.rint(small * (255 / max(full, 1.0))), 0, 255), np.uint8)


# An outline drawing has stroke insides along at least this share of its lines. Of the outlines
# of MNIST's training digits that are closed, 99 % have; of their center lines 10 %.
MIN_OUTLINE_SHARE = 0.8
# Half the width of an outline's inside in the 20 x 20 box: MNIST's boldest strokes.
MAX_INSIDE_RADIUS = 3.0
# The greatest width of an outline's lines, in pixels of the 20 x 20 box.
MAX_OUTLINE_WIDTH = 1.5
# An inside is at least this many times as long as wide. Digits' loops are shorter: among the
# center lines of 1,000 training digits 99 % have no loop beyond 1.9.
MIN_LOOP_LENGTH = 2.2


def fill_outline(ink: FloatGray) -> tuple[FloatGray, bool]:
    """Fill the strokes of an outline drawing, and say so; leave any other digit as it is.

    What lies one line in from the outside is a stroke's inside; what lies two lines in is a
    hole. The drawing counts as an outline when its insides are as narrow as strokes and run
    along most of its lines.
    """
    import cv2

    lines = np.pad((ink > INK_THRESHOLD).astype(np.uint8), 3)
    rows, columns = np.flatnonzero(lines.any(1)), np.flatnonzero(lines.any(0))
    unit = max(rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1) / BOX_SIDE
    width = max(1, round(stroke_width(ink)))
    if width > MAX_OUTLINE_WIDTH * max(unit, 1):
        return ink, False
    # An outline may have gaps: ever wider ones are closed.
    for gap in (1, 2, 3):
        bridge = np.ones((gap, gap), np.uint8)
        closed = np.asarray(cv2.morphologyEx(lines, cv2.MORPH_CLOSE, bridge), np.uint8)
        inside = _find_inside(closed, width)
        if inside is None:
            continue
        area, radius = inside
        along = cv2.dilate(area, np.ones((3, 3), np.uint8), iterations=width + gap - 1) > 0
        length = float(area.sum()) / (2 * radius) ** 2
        if (
            radius <= MAX_INSIDE_RADIUS * unit
            and length >= MIN_LOOP_LENGTH
            and along[lines > 0].mean() >= MIN_OUTLINE_SHARE
        ):
            filled = np.maximum(np.pad(ink, 3), 255 * (area | closed).astype(np.float32))
            return filled[3:-3, 3:-3], True
    return ink, False


def _find_inside(lines: Mask, width: int) -> tuple[Mask, float] | None:
    """Return what lies one line in from the outside, and half its width."""
    import cv2

    _, regions = cv2.connectedComponents(1 - lines, connectivity=4)
    outside = (regions == regions[0, 0]).astype(np.uint8)
    near = cv2.dilate(outside, np.ones((3, 3), np.uint8), iterations=width + 1) > 0
    first = np.unique(regions[near & (lines == 0)])
    area = np.isin(regions, first[first != regions[0, 0]]).astype(np.uint8)
    if not area.any():
        return None
    return area, float(cv2.distanceTransform(area, cv2.DIST_L2, 3).max())
