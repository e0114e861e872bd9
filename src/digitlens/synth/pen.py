"""Strokes of a pen -> one digit in MNIST's frame, with any pen.

A digit that is known as strokes can be written again and again: thinner or thicker, with a
round, square or broad nib, slanted, turned, stretched, by an unsteady hand. It is drawn in two
levels at several times its size and scaled down by area, the way NIST's scans became MNIST.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from digitlens.digits import SIDE

# float32 (P, 2): x to the right and y downwards, in any unit; P > 0.
Stroke: TypeAlias = NDArray[np.float32]

BOX = 20  # the longer side of a digit in MNIST's frame, in pixels
FINE = 6  # pixels that are drawn for one pixel of the box
SHIFT = 4  # bits of a pixel: OpenCV takes places as whole sixteenths
MARGIN = 4  # drawn pixels of paper around the digit
COARSE = 0.25  # so often a scan is coarse
EDGE = 64  # ink, of 255, where a coarsely scanned digit begins, as in `digitlens.imaging.fit`

JOINTS = ("round", "square", "broad")

KNOT = 0.22  # a hand's unsteadiness changes over about this much of the digit's longer side


@dataclass(frozen=True)
class Pen:
    """How a digit is written."""

    # Of the stroke, as a share of the longer side of the whole digit; MNIST's median is 0.12,
    # nearly all are within 0.07 and 0.23.
    width: float = 0.12
    # What the ends and corners of a stroke look like: "round" (a ball pen), "square" (a marker
    # held straight) or "broad" (a nib that writes wide one way and thin the other).
    joint: str = "round"
    angle: float = 40.0  # of a broad nib, in degrees from the horizontal
    slant: float = 0.0  # columns to the right for each row upwards
    rotation: float = 0.0  # degrees clockwise
    aspect: float = 1.0  # factor on the digit's breadth
    wobble: float = 0.0  # standard deviation of an unsteady hand, as a share of the longer side
    # The digit's longer side in the pixels of a coarse scan, 8 or more; 0 for a fine one.
    pixels: int = 0


@dataclass(frozen=True, eq=False)
class Drawn:
    """One digit of a hand, as large as it stands in the line."""

    ink: NDArray[np.uint8]  # uint8 (H, W), 0 = paper, 255 = full ink
    drop: float = 0.0  # rows by which it reaches below the line that the digits stand on
    # Where the pen was set down and lifted, (column, row) in `ink`; None for print.
    start: tuple[float, float] | None = None
    end: tuple[float, float] | None = None
    # Of print: columns from its place to the ink, and to the place of the next digit.
    bearing: float = 0.0
    advance: float | None = None


def sample_pen(rng: np.random.Generator) -> Pen:
    """Draw a pen and a hand as people have them.

    The widths are spread evenly in their logarithm over 0.05 to 0.26 of a digit; one scan in
    four is coarse.
    """
    joint = JOINTS[int(np.searchsorted((0.8, 0.88), rng.random()))]
    return Pen(
        width=math.exp(rng.uniform(math.log(0.05), math.log(0.26))),
        joint=joint,
        angle=rng.uniform(15, 60),
        slant=rng.normal(0.0, 0.15),
        rotation=rng.normal(0.0, 4.0),
        aspect=math.exp(rng.normal(0.0, 0.18)),
        wobble=abs(rng.normal(0.0, 0.012)),
        pixels=sample_scan(rng),
    )


def sample_scan(rng: np.random.Generator) -> int:
    """Draw how many pixels a scan has for a digit: 9 to 24 in one of four, else 0, for fine."""
    return int(rng.integers(9, 25)) if rng.random() < COARSE else 0


def render_strokes(
    strokes: Sequence[Stroke], pen: Pen, rng: np.random.Generator | None = None
) -> NDArray[np.uint8]:
    """Write one digit in MNIST's frame.

    strokes: at least one, in the order of writing. A stroke of one point is a dot.
    pen: what it is written with
    rng: decides how an unsteady hand moves; only for a pen with a `wobble`

    Returns uint8 (28, 28), 0 = paper, 255 = ink: the longer side 20 pixels, the centre of mass
    in the middle, as Y. LeCun, C. Cortes and C. J. C. Burges made MNIST.

    >>> stem = np.array([[0, 0], [0, 100]], np.float32)
    >>> digit = render_strokes([stem], Pen(width=0.1))
    >>> rows, columns = np.nonzero(digit)
    >>> int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1, digit.max().item()
    (20, 2, 255)
    """
    assert strokes, "a digit has at least one stroke"
    points = np.concatenate(strokes).astype(np.float32)
    points -= points.mean(axis=0)
    ends = np.cumsum([len(stroke) for stroke in strokes])
    if pen.wobble:
        assert rng is not None, "an unsteady hand wants a generator"
        points += _wobble(points, ends, pen.wobble, rng)
    points = points @ _hand(pen).T
    low, high = points.min(axis=0), points.max(axis=0)
    side, width = BOX * FINE, max(1.0, pen.width * BOX * FINE)
    scale = (side - width) / max(float((high - low).max()), 1e-6)
    offset = width / 2 + MARGIN
    placed = (points - low) * scale + offset
    size = np.ceil((high - low) * scale + 2 * offset).astype(int)
    canvas = np.zeros((int(size[1]), int(size[0])), np.uint8)
    for stroke in np.split(placed, ends[:-1]):
        draw_nib(canvas, stroke, width, pen)
    return frame_ink(scan(trim_ink(canvas), pen.pixels))


def _hand(pen: Pen) -> NDArray[np.float32]:
    """Return the matrix of slant, breadth and rotation: float32 (2, 2)."""
    angle = math.radians(pen.rotation)
    cos, sin = math.cos(angle), math.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    shear = np.array([[pen.aspect, -pen.slant], [0.0, 1.0]])
    return np.asarray(turn @ shear, np.float32)


def _wobble(
    points: NDArray[np.float32],
    ends: NDArray[np.int64],
    amount: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return how an unsteady hand moves each point: smooth along each stroke."""
    side = float(np.ptp(points, axis=0).max())
    moved = np.empty_like(points)
    begin = 0
    for end in ends:
        part = points[begin:end]
        steps = np.hypot(*np.diff(part, axis=0).T)
        along = np.concatenate([[0.0], np.cumsum(steps)]) / max(side * KNOT, 1e-6)
        knots = np.arange(int(along[-1]) + 2)
        moves = rng.normal(0.0, amount * side, (2, len(knots)))
        for axis in (0, 1):
            moved[begin:end, axis] = np.interp(along, knots, moves[axis])
        begin = int(end)
    return moved


def draw_nib(canvas: NDArray[np.uint8], stroke: Stroke, width: float, pen: Pen) -> None:
    """Draw one stroke, in pixels, with the pen's nib; edges are hard, so draw large."""
    places = np.rint(stroke * (1 << SHIFT)).astype(np.int32)
    if pen.joint == "round":
        _line(canvas, places, width)
        return
    if pen.joint == "square":
        # A stroke of a pixel, widened by a square nib.
        thin = np.zeros_like(canvas)
        _line(thin, places, 1.0)
        nib = np.ones((max(1, round(width)),) * 2, np.uint8)
        np.maximum(canvas, cv2.dilate(thin, nib), out=canvas)
        return
    angle = math.radians(pen.angle)
    half = np.array([math.cos(angle), -math.sin(angle)]) * width / 2 * (1 << SHIFT)
    nib = np.rint(half).astype(np.int32)
    for start, stop in pairwise(places):
        corners = np.stack([start - nib, start + nib, stop + nib, stop - nib])
        cv2.fillConvexPoly(canvas, corners, 255, cv2.LINE_8, SHIFT)
    _line(canvas, places, width * 0.4)


def _line(canvas: NDArray[np.uint8], places: NDArray[np.int32], width: float) -> None:
    if len(places) == 1:
        places = np.repeat(places, 2, axis=0)
    cv2.polylines(canvas, [places], False, 255, max(1, round(width)), cv2.LINE_8, SHIFT)


def trim_ink(ink: NDArray[np.uint8], above: int = 0) -> NDArray[np.uint8]:
    """Cut off the paper around what is darker than `above`; (0, 0) where nothing is."""
    left, top, width, height = cv2.boundingRect(np.asarray(ink > above, np.uint8))
    return np.ascontiguousarray(ink[top : top + height, left : left + width])


def scan(ink: NDArray[np.uint8], pixels: int) -> NDArray[np.uint8]:
    """Scan ink coarsely and bring it back to its size, as a small picture is enlarged.

    ink: uint8 (H, W), 255 = ink, without paper around it
    pixels: its longer side in the scan; 0 leaves it as it is

    Returns uint8 (H, W), full ink where there is most.
    """
    if not pixels:
        return ink
    height, width = ink.shape
    scale = pixels / max(height, width)
    size = max(2, round(width * scale)), max(2, round(height * scale))
    coarse = cv2.copyMakeBorder(
        cv2.resize(ink, size, interpolation=cv2.INTER_AREA), 1, 1, 1, 1, cv2.BORDER_CONSTANT
    )
    times = (1 + 2 / size[0]) * width, (1 + 2 / size[1]) * height
    full = round(times[0]), round(times[1])
    large = cv2.resize(coarse, full, interpolation=cv2.INTER_CUBIC)
    left, top, across, down = cv2.boundingRect(np.asarray(large > EDGE, np.uint8))
    if not across:
        return ink
    cut = large[top : top + down, left : left + across].astype(np.float32)
    return np.asarray(np.clip(cut * (255 / float(cut.max())), 0, 255), np.uint8)


def frame_ink(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring ink without paper around it into MNIST's frame.

    ink: uint8 (H, W), 255 = ink, larger than 20 pixels

    Returns uint8 (28, 28).
    """
    height, width = ink.shape
    scale = BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    box = np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), np.uint8)
    columns, rows = box.sum(axis=0, dtype=np.int64), box.sum(axis=1, dtype=np.int64)
    mass = max(1, int(rows.sum()))
    top = _start(int(rows @ np.arange(len(rows))) / mass, len(rows))
    left = _start(int(columns @ np.arange(len(columns))) / mass, len(columns))
    digit = np.zeros((SIDE, SIDE), np.uint8)
    digit[top : top + len(rows), left : left + len(columns)] = box
    return digit


def _start(centre: float, length: int) -> int:
    """Return where `length` pixels begin so that their `centre` of mass is in the middle."""
    return min(max(math.floor(SIDE / 2 - centre + 0.5), 0), SIDE - length)
