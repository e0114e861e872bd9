"""Connected ink on a page: which of it may be digits, and which way its lines run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.layout.morphology import dilate, label_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.geometry import Floats, Gray
    from digitlens.layout.rules import RuledPage


# In pixels of the working image.
MIN_DIGIT_HEIGHT = 7
# In its height: so many digits may touch.
MAX_DIGIT_WIDTH = 9.0
# Components that lines are made of, the largest areas first. A page full of handwriting has
# 1,000; linking takes time with the square of this.
MAX_CANDIDATES = 1200
# What remains beside a removed line and is lower than the first, in the writing's height, is
# removed too; so is what is narrower than the second and not as high as a 1.
MAX_RESIDUE_HEIGHT, MAX_RESIDUE_WIDTH = 0.3, 0.07
# From center to center, in the larger side of a component.
MAX_NEIGHBOR_DISTANCE = 2.5
# From fewer neighbors no direction is estimated, and from fewer components none either.
MIN_NEIGHBORS, MIN_COMPONENTS = 4, 3
# Of fewer components than the first a line is fitted to the centers, from which they lie no
# farther than this share of their height.
MANY_COMPONENTS, MAX_OFF_LINE = 5, 0.15
# A page lies on its side when so many times more neighbors are above or below, ...
SIDEWAYS_RATIO = 1.6
# ... and its components are this many times as wide as high: digits are higher than wide, in a
# column of single ones too.
LYING_RATIO = 1.05
# Degrees between which a page is turned for its slope; less is corrected line by line.
MIN_PAGE_SLOPE, MAX_PAGE_SLOPE = 6.0, 40.0


@dataclass(frozen=True, eq=False)
class Components:
    """Connected pieces of ink."""

    # int32 (H, W): the component that each pixel belongs to, from 1; 0 = none.
    labels: NDArray[np.int32]
    boxes: Floats  # float64 (n, 4): left, top, right, bottom of component 1 .. n.
    areas: Floats  # float64 (n,): pixels
    contrast: Floats  # float64 (n,): mean ink, 0..255
    # bool (n,): whether it may be a digit, or digits that touch, by its size.
    is_digit: NDArray[np.bool_]
    # bool (n,): whether it is only the rest of a line that was removed.
    is_residue: NDArray[np.bool_]
    dropped: int  # how many candidates there were beyond `MAX_CANDIDATES`


def find_components(ruled: RuledPage, ink: Gray) -> Components:
    """Find connected pieces of ink, and say which may be digits."""
    labels, stats = label_components(ruled.mask)
    count = len(stats)
    table = stats[1:].astype(np.float64)
    left, top, width, height, areas = table.T if count > 1 else np.zeros((5, 0))
    boxes = np.column_stack([left, top, left + width, top + height])
    spots = np.flatnonzero(ruled.mask.ravel() != 0)  # bool: four times as fast
    sums = np.bincount(labels.ravel()[spots], weights=ink.ravel()[spots], minlength=count)[1:]
    contrast = sums / np.maximum(areas, 1)

    # What may be a digit: not too low or wide, no residue, no frame, no dash.
    fill = areas / np.maximum(width * height, 1)
    is_digit = (height >= MIN_DIGIT_HEIGHT) & (width <= MAX_DIGIT_WIDTH * height) & (areas >= 8)
    is_residue = _find_residues(ruled, labels, boxes)
    is_digit &= ~is_residue & ((height < 0.97 * ink.shape[0]) | (width < 0.5 * ink.shape[1]))
    is_digit &= (fill >= 0.035) & ((fill <= 0.85) | (width <= 0.5 * height))
    is_digit &= ~((width > 2.2 * height) & (fill > 0.6))

    candidates = np.flatnonzero(is_digit)
    dropped = max(0, len(candidates) - MAX_CANDIDATES)
    if dropped:
        by_area = candidates[np.argsort(-areas[candidates], kind="stable")]
        is_digit[by_area[MAX_CANDIDATES:]] = False
    return Components(labels, boxes, areas, contrast, is_digit, is_residue, dropped)


def _find_residues(
    ruled: RuledPage, labels: NDArray[np.int32], boxes: Floats
) -> NDArray[np.bool_]:
    """Say which components are what lines leave behind, frayed edges and corners: bool (n,)."""
    if not len(boxes) or not cv2.countNonZero(ruled.lines):
        return np.zeros(len(boxes), np.bool_)
    near = dilate(ruled.lines, 5, 5)
    beside = np.zeros(len(boxes) + 1, bool)
    beside[labels[near > 0]] = True
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    low = height <= MAX_RESIDUE_HEIGHT * ruled.height
    thin = width <= max(3.0, MAX_RESIDUE_WIDTH * ruled.height)
    thin &= height <= 0.75 * ruled.height
    return np.asarray(beside[1:] & (low | thin), np.bool_)


def estimate_rotation(
    components: Components, *, boxed: bool = False, sideways: bool | None = None
) -> tuple[float, bool]:
    """Return the angle of a page's lines, and whether the page may lie on its side after all.

    Digits have their nearest neighbors in their line (L. O'Gorman, "The document spectrum",
    1993).

    Parameters
    ----------
    boxed
        Whether printed boxes stand in level rows: then only the components' shape counts,
        since in a table half empty the neighbors of digits are anywhere.
    sideways
        Whether the page lies on its side, where that is known.

    Returns
    -------
    Degrees, -45..135: 90 is a page on its side. Counter-clockwise is positive: turning the page
    by the negative angle makes its lines run from left to right; 0.0 where little speaks for
    another angle. Then whether a quarter more, or less, may be right as well: where digits are
    wider than high, or one below the other.
    """
    boxes = components.boxes[components.is_digit]
    if not len(boxes):
        return 0.0, False
    side = np.maximum(boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0])
    tall = side >= 0.5 * np.median(side)
    boxes, side = boxes[tall], side[tall]
    width, height = (boxes[:, 2] - boxes[:, 0]), (boxes[:, 3] - boxes[:, 1])
    lying = bool(np.median(width / height) > LYING_RATIO)
    if boxed and sideways is None:
        return (90.0 if lying else 0.0), lying
    steps = _steps_to_neighbors(boxes, side)
    angles = np.degrees(np.arctan2(-steps[:, 1], steps[:, 0])) % 180  # 0 .. 180
    level = (angles < MAX_PAGE_SLOPE) | (angles > 180 - MAX_PAGE_SLOPE)
    upright = np.abs(angles - 90) < MAX_PAGE_SLOPE
    doubtful = sideways is None and bool(upright.sum() + lying > level.sum())
    if boxed or len(steps) < MIN_NEIGHBORS or len(boxes) < MIN_COMPONENTS:
        return 0.0, doubtful
    if len(boxes) < MANY_COMPONENTS:
        angle, off = fit_centers(boxes)
        is_line = off <= MAX_OFF_LINE and MIN_PAGE_SLOPE < abs(angle) < MAX_PAGE_SLOPE
        return (angle if is_line and level.all() else 0.0), doubtful
    if sideways is None and lying and upright.sum() > SIDEWAYS_RATIO * level.sum():
        return 90.0 + _common_slope(angles[upright] - 90), True
    return _common_slope((angles[level] + 90) % 180 - 90), doubtful


def _steps_to_neighbors(boxes: Floats, side: Floats) -> Floats:
    """Return the way from each box to its two nearest neighbors of like size: (n, 2)."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    offset = center[None] - center[:, None]
    distance = np.hypot(offset[..., 0], offset[..., 1])
    larger = np.maximum(side[None], side[:, None])
    alike = np.minimum(side[None], side[:, None]) >= 0.55 * larger
    distance[~alike | (distance > MAX_NEIGHBOR_DISTANCE * larger)] = np.inf
    np.fill_diagonal(distance, np.inf)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :2]
    index = np.arange(len(distance))[:, None]
    steps = offset[index, nearest][np.isfinite(distance[index, nearest])]
    return np.asarray(steps, np.float64)


def _common_slope(angles: Floats) -> float:
    """Return the angle on which neighbors agree; 0.0 when it is small or they do not."""
    if len(angles) < MIN_NEIGHBORS:
        return 0.0
    middle = float(np.median(angles))
    spread = float(np.median(np.abs(angles - middle)))
    agreed = spread < max(4.0, 0.5 * abs(middle))
    return middle if abs(middle) > MIN_PAGE_SLOPE and agreed else 0.0


def fit_centers(boxes: Floats) -> tuple[float, float]:
    """Fit a line through the centers of some boxes, (n, 4), two at least.

    Between two digits the way says little: boxes of slanted ones have their centers anywhere.

    Returns its angle, in degrees, counter-clockwise, and how far the farthest center lies off
    it, in the median height of the boxes.
    """
    x, y = ((boxes[:, :2] + boxes[:, 2:]) / 2).T
    slope, start = np.polyfit(x, y, 1)
    off = np.abs(y - slope * x - start).max() / np.median(boxes[:, 3] - boxes[:, 1])
    return -math.degrees(math.atan(slope)), float(off)
