"""A picture of one line: where its writing is, and whether it slopes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.geometry import clip_box
from digitlens.imaging.sheets import project_box
from digitlens.layout.connected import fit_centers

if TYPE_CHECKING:
    from digitlens.geometry import Box, Floats, Gray

    IntBox: TypeAlias = "tuple[int, int, int, int]"
    """Left, top, right, bottom in whole pixels."""


EXTREMES = 0.01
"""Share of the pixels on either side that is left out when full ink is looked for."""

PAPER_GRAIN = 8
"""Where what is left differs from the paper by no more grey levels than this, there is little
ink on much paper, and nothing is left out: light ink would be lost, and grain become ink."""

BODY_ROWS = 96  # rows to which a line is scaled when the writing's body is looked for
# Rows in which its slope is measured, and those on which its light is.
SLOPE_ROWS, PAPER_ROWS = 48, 24

BODY_INK = 110  # ink, of 255, that belongs to a stroke of the body

MIN_BODY_HEIGHT = 0.3
"""Marks of less than this share of the tallest one's height are not of the body."""

MIN_BODY_PIXELS = 40  # fewest pixels, at `BODY_ROWS`, of a mark of the body

BODY_MARGIN, BODY_SIDE_MARGIN = 0.12, 0.24
"""Paper left around the body, in its heights: above and below, at the sides."""


def quick_binarize(gray: Gray) -> Gray:
    """Tell ink from paper in uint8 (h, w), in microseconds, where most is evenly lit paper.

    The paper is the median; ink is what differs from it towards the side that differs more.
    0 = paper, 255 = full ink comes out.

    >>> quick_binarize(np.array([[9, 200, 200, 200]], np.uint8)).tolist()
    [[255, 0, 0, 0]]
    """
    # The grey values' counts hold all that is asked, and are far quicker than sorting.
    counts = np.bincount(gray.ravel(), minlength=256).cumsum() / gray.size
    dark, paper, light = np.searchsorted(counts, [EXTREMES, 0.5, 1 - EXTREMES]).tolist()
    if max(paper - dark, light - paper) <= PAPER_GRAIN:
        dark, light = int(gray.min()), int(gray.max())
    # Ink is on the side that reaches farther from the paper.
    sign = -1 if paper - dark >= light - paper else 1
    full = max(paper - dark, light - paper, 1)
    steps = np.clip((np.arange(256) - paper) * sign * 255.0 / full, 0, 255)
    return np.asarray(steps.astype(np.uint8)[gray])


def find_writing_body(gray: Gray) -> IntBox | None:
    """Find where the tall marks of a line stand, small ones and the paper's pattern left out.

    Left, top, right, bottom with a little paper around; None where there is no mark.
    """
    height, width = gray.shape
    marks = _find_tall_marks(gray, BODY_ROWS, MIN_BODY_HEIGHT)
    if not len(marks):
        return None
    # The box around them, with a margin, in pixels of the picture.
    scale = BODY_ROWS / height
    left, top = marks[:, :2].min(axis=0).tolist()
    right, bottom = marks[:, 2:].max(axis=0).tolist()
    above, beside = BODY_MARGIN * (bottom - top), BODY_SIDE_MARGIN * (bottom - top)
    return (
        max(0, int((left - beside) / scale)),
        max(0, int((top - above) / scale)),
        min(width, math.ceil((right + beside) / scale)),
        min(height, math.ceil((bottom + above) / scale)),
    )


def _find_tall_marks(gray: Gray, rows: int, min_height: float) -> Floats:
    """Return the boxes (n, 4) of a line's tall marks, where it is so many rows high.

    min_height: of a mark, in the tallest one's height
    """
    height, width = gray.shape
    size = max(8, round(width * rows / height)), rows
    # The line in one size, its uneven light taken out.
    large = cv2.GaussianBlur(cv2.resize(gray, size), (0, 0), rows / 80)
    # Uneven light is what a median over a good part of the line's height leaves.
    coarse = max(4, size[0] * PAPER_ROWS // rows), PAPER_ROWS
    small = cv2.resize(large, coarse, interpolation=cv2.INTER_AREA)
    paper = cv2.resize(cv2.medianBlur(small, 13), size)
    even = np.clip(128 + large.astype(np.int16) - paper.astype(np.int16), 0, 255)
    ink = quick_binarize(even.astype(np.uint8))
    # The tall marks, without specks.
    stats = cv2.connectedComponentsWithStats((ink > BODY_INK).astype(np.uint8))[2][1:]
    tallest = int(stats[:, 3].max(initial=0))
    least = MIN_BODY_PIXELS * (rows / BODY_ROWS) ** 2
    kept = stats[(stats[:, 3] >= min_height * tallest) & (stats[:, 4] >= least)]
    return np.column_stack([kept[:, :2], kept[:, :2] + kept[:, 2:4]]).astype(np.float64)


# Degrees between which a line is turned level. Hands slope less: of 212 cheque amounts none is
# turned. What slopes by less is read as well as it is.
MIN_SLOPE, MAX_SLOPE = 9.0, 30.0

# A slope is that of so many marks, at least, of such a share of the tallest one's height.
MIN_SLOPE_MARKS, MIN_SLOPE_HEIGHT = 3, 0.5

# In the height of such marks: the widest that is no rule, how far they must spread, and how far
# their centers may lie off one straight line.
MAX_MARK_WIDTH, MIN_SPREAD, MAX_OFF_LINE = 2.5, 1.2, 0.2


@dataclass(frozen=True)
class LevelPicture:
    """A picture of a line, turned level if it sloped."""

    gray: Gray
    size: tuple[int, int]  # width and height of the picture that it was made of
    # float64 (3, 3): (x, y, 1) of `gray` -> that of the picture; None where it is the same.
    to_picture: Floats | None = None

    def locate(self, box: Box) -> Box:
        """Return the upright box in the picture around a box of the level line."""
        if self.to_picture is None:
            return box
        return clip_box(project_box(box, self.to_picture), self.size)


def level_line(gray: Gray) -> LevelPicture:
    """Turn a line level that clearly slopes, and cut it close to its writing.

    >>> level_line(np.full((20, 60), 200, np.uint8)).to_picture is None
    True
    """
    height, width = gray.shape
    angle = measure_slope(gray)
    if not angle:
        return LevelPicture(gray, (width, height))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -angle, 1)
    cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
    size = int(height * sine + width * cosine), int(height * cosine + width * sine)
    turn[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    # Beyond the edge the paper goes on.
    turned = cv2.warpAffine(gray, turn, size, borderMode=cv2.BORDER_REPLICATE)
    level = np.asarray(turned, np.uint8)
    left, top, right, bottom = find_writing_body(level) or (0, 0, *size)
    to_picture = np.vstack([cv2.invertAffineTransform(turn), [0.0, 0.0, 1.0]])
    to_picture[:2, 2] += to_picture[:2, :2] @ (left, top)
    part = np.ascontiguousarray(level[top:bottom, left:right])
    return LevelPicture(part, (width, height), to_picture)


def measure_slope(gray: Gray) -> float:
    """Return by how many degrees, counter-clockwise, a line slopes; 0.0 if that is unclear."""
    marks = _find_tall_marks(gray, SLOPE_ROWS, MIN_SLOPE_HEIGHT)
    if not len(marks):
        return 0.0
    heights, widths = marks[:, 3] - marks[:, 1], marks[:, 2] - marks[:, 0]
    marks = marks[widths <= MAX_MARK_WIDTH * heights.max()]
    if len(marks) < MIN_SLOPE_MARKS:
        return 0.0
    unit = float(np.median(marks[:, 3] - marks[:, 1]))
    if np.ptp((marks[:, 0] + marks[:, 2]) / 2) < MIN_SPREAD * unit:
        return 0.0
    angle, off = fit_centers(marks)
    return angle if off <= MAX_OFF_LINE and MIN_SLOPE <= abs(angle) <= MAX_SLOPE else 0.0


WRITING_INK = 90  # ink, of 255, that counts as writing when bare paper around it is looked for

LINE_MARGIN = 0.2
"""Paper left above and below the writing, in its heights: as the networks were trained."""

MIN_BARE = 0.2
"""Paper beyond that is cut away only where it is this share of the picture's height."""


def tight_crop(gray: Gray) -> Gray | None:
    """Cut a line close to its writing; None where there is no writing."""
    place = find_writing_body(gray)
    if place is None:
        return None
    left, top, right, bottom = place
    return gray[top:bottom, left:right]


def find_writing(ink: Gray) -> IntBox:
    """Return where the writing is with a little paper around: left, top, right, bottom."""
    height, width = ink.shape
    rows = np.flatnonzero(ink.max(axis=1) > WRITING_INK)
    columns = np.flatnonzero(ink.max(axis=0) > WRITING_INK)
    if not len(rows):
        return 0, 0, width, height
    margin = max(1, round(LINE_MARGIN * (rows[-1] + 1 - rows[0])))
    top, bottom = max(0, rows[0] - margin), min(height, rows[-1] + 1 + margin)
    if height - (bottom - top) < MIN_BARE * height:
        top, bottom = 0, height
    beside = 2 * margin
    left, right = max(0, columns[0] - beside), min(width, columns[-1] + 1 + beside)
    return int(left), int(top), int(right), int(bottom)
