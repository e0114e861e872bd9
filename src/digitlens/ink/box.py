"""A digit's ink -> MNIST's frame.

"The original black and white images from NIST were size normalized to fit in a 20x20 pixel
box while preserving their aspect ratio. The resulting images contain grey levels as a
result of the anti-aliasing technique used by the normalization algorithm. The images were
centered in a 28x28 image by computing the center of mass of the pixels, and translating the
image so as to position this point at the center of the 28x28 field." (Y. LeCun, C. Cortes,
C. J. C. Burges, "The MNIST database of handwritten digits".) Measured on its 60,000 training
digits: the longer side is 20 in all but 13, the centre of mass between 13.5 and 14.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.digits import SIDE
from digitlens.ink.disk import disk
from digitlens.ink.strokes import stroke_width

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grey: TypeAlias = "NDArray[np.float32]"

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
class Fitted:
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


def fit_box(ink: Grey) -> Fitted:
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


def _fitted(box: NDArray[np.uint8], about: str) -> Fitted:
    return Fitted(box, f"{box.shape[1]} x {box.shape[0]} pixels, {about}")


def centre(box: NDArray[np.uint8]) -> NDArray[np.uint8]:
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
        at = float(along @ np.arange(len(along))) / max(float(along.sum()), 1.0)
        place.append(int(np.clip(np.floor(MIDDLE - at + 0.5), 0, SIDE - len(along))))
    top, left = place
    field[top : top + box.shape[0], left : left + box.shape[1]] = box
    return field


def _cut(ink: Grey, bound: float) -> Grey:
    rows = np.flatnonzero((ink > bound).any(axis=1))
    columns = np.flatnonzero((ink > bound).any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _enlarge(cut: Grey) -> tuple[Grey, float]:
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


def _thicken(fine: Grey, radius: float) -> Grey:
    import cv2

    room = int(radius) + 2
    return np.asarray(cv2.dilate(np.pad(fine, room), disk(radius)), np.float32)


def _thin(fine: Grey, radius: float) -> Grey:
    import cv2

    return np.asarray(cv2.erode(fine, disk(radius)), np.float32)


def _shrink(fine: Grey) -> NDArray[np.uint8]:
    """Scale by area, as MNIST's own anti-aliasing did, and let the strokes reach full ink."""
    import cv2

    cut = _cut(fine, 0.4 * float(fine.max()))
    scale = BOX / max(cut.shape)
    height, width = (max(1, round(length * scale)) for length in cut.shape)
    small = cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA)
    full = float(np.percentile(small, 98) if small.size > 30 else small.max())
    return np.asarray(np.clip(np.rint(small * (255 / max(full, 1.0))), 0, 255), np.uint8)
