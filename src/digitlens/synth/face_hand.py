"""A font's digits drawn for a line: school hands and people's hands, prints and displays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digitlens.synth.fonts import HEIGHT, draw_text, open_font, with_ghost
from digitlens.synth.pen import Drawn
from digitlens.synth.random import Random

BLACK = 0.12  # so many prints are set much bolder than their font: on signs, crates and jerseys
MARKED_ZEROS = 0.12  # so many prints and displays mark their zeros with a slash or a dot


class Bridge(NamedTuple):
    """The gap that holds a stencil together, where a digit's ink is left out."""

    width: float  # of the digit's height
    angle: float  # radians from upright, clockwise
    offset: float  # from the digit's middle, of its height
    everywhere: bool  # in every digit but 1; else in those alone that have a counter


@dataclass(frozen=True)
class FaceHand:
    """One font for one line, printed or written."""

    path: Path
    weight: float  # pixels, of 120, by which strokes are thicker (above 0) or thinner
    ghost: float  # how dark the unlit segments of a display are, 0..1
    even: bool  # whether digits stand as the font has them, `tracking` times as far apart
    tracking: float
    jitter: float  # deviation of each digit's size, as handwriting has it
    bridge: Bridge | None = None  # of a stencil that is cut from a printed font
    zero_mark: str = ""  # what a 0 has inside: "slash", "dot" or nothing
    # As `PenHand` has them: no font tells where its pen was lifted.
    links: float = 0.0
    zero_links: float = 0.0

    def draw(
        self, rng: Random, label: int, height: float, shape: NDArray[np.float64], width: float
    ) -> Drawn:
        """Print one digit; the parameters are those of `PenHand.draw`."""
        ink, drop, bearing, advance = face_digit(self.path, label)
        if label == 0 and self.zero_mark:
            ink = _mark_zero(ink, self.zero_mark)
        if self.ghost:
            ink = with_ghost(ink, face_digit(self.path, 8)[0], self.ghost)
        # A written font takes the line's pen, as far as thickening can.
        weight = self.weight
        if not self.even:
            weight += (width / height * HEIGHT - _stroke_width(self.path)) * 0.35
        step = round(min(abs(weight), 14))
        if step:
            nib = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * step + 1,) * 2)
            changed = cv2.dilate(np.pad(ink, step), nib) if weight > 0 else cv2.erode(ink, nib)
            if int(changed.max(initial=0)) > 127:
                ink = np.asarray(changed, np.uint8)
        if self.bridge is not None:
            ink = _cut_bridge(ink, self.bridge, label)
        scale = height / HEIGHT
        if self.jitter:
            scale *= max(0.6, rng.normal(1.0, self.jitter))
        size = max(2, round(ink.shape[1] * scale)), max(2, round(ink.shape[0] * scale))
        small = np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), np.uint8)
        if abs(shape - np.eye(2)).max() > 0.01:
            small = _warp(small, shape)
        across = scale * float(shape[0, 0])
        return Drawn(
            small,
            drop=drop * scale,
            bearing=bearing * across,
            advance=advance * across * self.tracking if self.even else None,
        )


def sample_face_hand(
    rng: Random, path: Path, *, kind: str, written: bool, cut: bool = False
) -> FaceHand:
    """Draw how a font is printed for one line; `cut` makes a stencil of it."""
    ghost = kind == "segment" and rng.bernoulli(0.25)
    weight = rng.uniform(-2.0, 3.0) if written else rng.uniform(-3.0, 5.0)
    # Too bold a seven-segment digit is an 8, and dots run together.
    if kind in ("printed", "stencil") and rng.bernoulli(BLACK):
        weight = rng.uniform(5.0, 13.0)
    marks = not written and rng.bernoulli(MARKED_ZEROS)
    return FaceHand(
        path,
        weight=weight,
        bridge=_sample_bridge(rng) if cut else None,
        zero_mark=rng.choice(("slash", "slash", "dot")) if marks else "",
        ghost=rng.uniform(0.05, 0.3) if ghost else 0.0,
        even=not written,
        tracking=1.0
        if written or rng.bernoulli(0.5)
        else rng.uniform(0.92, 1.35)
        if rng.bernoulli(0.8)
        else rng.uniform(1.35, 2.2),
        jitter=0.035 if written else 0.0,
    )


# Digits that enclose paper, which falls out of a stencil that has no bridge there.
COUNTERS = (0, 4, 6, 8, 9)


def _sample_bridge(rng: Random) -> Bridge:
    return Bridge(
        width=rng.uniform(0.04, 0.12),
        angle=rng.normal(0.0, 0.2) if rng.bernoulli(0.4) else 0.0,
        offset=rng.normal(0.0, 0.02),
        everywhere=rng.bernoulli(0.5),
    )


def _cut_bridge(ink: NDArray[np.uint8], bridge: Bridge, label: int) -> NDArray[np.uint8]:
    """Return a digit without the ink of an upright band through its middle."""
    if label not in COUNTERS and not (bridge.everywhere and label != 1):
        return ink
    height, width = ink.shape
    rows, columns = np.ogrid[:height, :width]
    across = (columns - width / 2 - bridge.offset * height) * math.cos(bridge.angle)
    along = (rows - height / 2) * math.sin(bridge.angle)
    kept = np.abs(across + along) > bridge.width * height / 2
    return np.asarray(ink * kept, np.uint8)


def _mark_zero(ink: NDArray[np.uint8], mark: str) -> NDArray[np.uint8]:
    """Return a 0 with a slash from lower left to upper right, or a dot, inside."""
    height, width = ink.shape
    marked = ink.copy()
    # As thick as the 0's own stroke, which its middle row shows.
    thick = max(4, int((ink[height // 2] > 127).sum()) // 2)
    if mark == "dot":
        cv2.circle(marked, (width // 2, height // 2), max(4, round(0.6 * thick)), 255, -1)
        return marked
    ends = (int(0.25 * width), int(0.8 * height)), (int(0.75 * width), int(0.2 * height))
    cv2.line(marked, *ends, 255, max(3, round(0.7 * thick)), cv2.LINE_AA)
    return marked


@lru_cache(maxsize=6_000)
def face_digit(path: Path, label: int) -> tuple[NDArray[np.uint8], float, float, float]:
    """Return a font's digit without paper around it, 120 pixels high or so.

    Its ink; how far it reaches below the line; from its place to its ink; to the next place.
    """
    font = open_font(path)
    text = str(label)
    left, _, _, bottom = font.getbbox(text, anchor="ls")
    return draw_text(font, text), float(bottom), float(left), float(font.getlength(text))


@lru_cache(maxsize=600)
def _stroke_width(path: Path) -> float:
    """Return how wide a font's strokes are: twice the ink by the length of its outline."""
    ink = np.pad(face_digit(path, 0)[0], 2).astype(np.float32)
    around = np.hypot(np.diff(ink, axis=0)[:, :-1], np.diff(ink, axis=1)[:-1]).sum()
    return 2 * float(ink.sum()) / max(float(around), 1.0)


def _warp(ink: NDArray[np.uint8], shape: NDArray[np.float64]) -> NDArray[np.uint8]:
    height, width = ink.shape
    columns = math.ceil(abs(shape[0, 0]) * width + abs(shape[0, 1]) * height) + 2
    rows = math.ceil(abs(shape[1, 0]) * width + abs(shape[1, 1]) * height) + 2
    offset = np.array([columns, rows]) / 2 - shape @ (np.array([width, height]) / 2)
    matrix = np.column_stack([shape, offset])
    return np.asarray(cv2.warpAffine(ink, matrix, (columns, rows)), np.uint8)
