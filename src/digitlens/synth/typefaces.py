"""Glyphs of a font -> one digit in MNIST's frame, as prints differ.

Printing varies less than writing: ink spreads or wears off, type is set narrow or oblique,
displays leave their unlit segments visible, and dots or segments stand apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.errors import DataError
from digitlens.synth.pen import frame_ink, sample_scan, scan

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.ImageFont import FreeTypeFont

HEIGHT = 120
"""Height in pixels that a digit is drawn with: six times its height in MNIST's frame."""

SAME = 1.0
"""Two digits that differ by less than this, in gray values a pixel, are the box that a font
shows for what it lacks."""

ROOM = 40  # pixels of paper around a glyph while it is slanted and turned


@dataclass(frozen=True)
class Print:
    """How a glyph is printed."""

    # Pixels, of 120 for the glyph's height, by which ink spreads (above 0) or is worn off
    # (below 0) on each side.
    weight: float = 0.0
    slant: float = 0.0  # columns to the right for each row upwards
    rotation: float = 0.0  # degrees clockwise
    aspect: float = 1.0  # factor on the glyph's breadth
    ghost: float = 0.0  # how dark the unlit segments of a display are, 0..1
    # The glyph's longer side in the pixels of a coarse scan, 8 or more; 0 for a fine one.
    pixels: int = 0


def sample_print(rng: np.random.Generator, *, display: bool = False) -> Print:
    """Draw a print; that of a `display` may show its unlit segments, one time in four."""
    return Print(
        weight=rng.uniform(-3.0, 5.0),
        slant=rng.normal(0.0, 0.09),
        rotation=rng.normal(0.0, 2.5),
        aspect=math.exp(rng.normal(0.0, 0.14)),
        ghost=rng.uniform(0.05, 0.35) if display and rng.random() < 0.25 else 0.0,
        pixels=sample_scan(rng),
    )


@lru_cache(maxsize=1024)
def open_font(path: Path) -> FreeTypeFont:
    """Open a font in the size in which digits are about 120 pixels high, else a `DataError`."""
    from PIL import ImageFont

    try:
        probe = ImageFont.truetype(str(path), 100)
        _, top, _, bottom = probe.getbbox("0123456789")
        height = max(1, bottom - top)  # that of a font without digits is none
        return ImageFont.truetype(str(path), min(400, round(100 * HEIGHT / height)))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} must be a font that Pillow can read",
            seen=str(error),
            try_="take it out of the folder",
        ) from error


def draw_text(font: FreeTypeFont, text: str) -> NDArray[np.uint8]:
    """Draw `text` without paper around it: uint8 (H, W), 255 = ink; (0, 0) for a blank."""
    from PIL import Image, ImageDraw

    left, top, right, bottom = (int(edge) for edge in font.getbbox(text))
    canvas = Image.new("L", (max(1, right - left) + 8, max(1, bottom - top) + 8))
    ImageDraw.Draw(canvas).text((4 - left, 4 - top), text, fill=255, font=font)
    return _cut(np.asarray(canvas, np.uint8))


def has_digits(path: Path) -> bool:
    """Say whether a font draws ten digits that all differ; a font without them shows a box."""
    font = open_font(path)
    drawn = [draw_text(font, digit) for digit in "0123456789"]
    if any(ink.size == 0 for ink in drawn):
        return False
    framed = np.stack([frame_ink(ink) for ink in drawn]).astype(np.float32)
    return all(
        float(np.abs(framed[one] - framed[other]).mean()) > SAME
        for one in range(10)
        for other in range(one)
    )


def print_glyph(
    ink: NDArray[np.uint8], how: Print, *, unlit: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Print a glyph in MNIST's frame.

    ink: uint8 (H, W), 255 = ink, without paper around it: see `draw_text`
    how: what is done to it
    unlit: the glyph with all segments lit, as high as `ink` and as wide or wider, its right
        edge that of `ink`; for a print with a `ghost`

    Returns uint8 (28, 28), 0 = paper, 255 = ink.
    """
    if unlit is not None and how.ghost:
        ink = _with_ghost(ink, unlit, how.ghost)
    field = np.pad(ink, ROOM)
    height, width = field.shape
    angle = math.radians(how.rotation)
    cos, sin = math.cos(angle), math.sin(angle)
    shear = np.array([[how.aspect, -how.slant], [0.0, 1.0]])
    matrix = np.array([[cos, -sin], [sin, cos]]) @ shear
    middle = np.array([width / 2, height / 2])
    size = (int(width * max(how.aspect, 1.0)) + 40, height + 40)
    offset = np.array(size) / 2 - matrix @ middle
    moved = cv2.warpAffine(field, np.column_stack([matrix, offset]), size)
    step = round(abs(how.weight))
    if step:
        nib = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * step + 1,) * 2)
        changed = cv2.dilate(moved, nib) if how.weight > 0 else cv2.erode(moved, nib)
        if int(changed.max(initial=0)) > 127:
            moved = changed
    return frame_ink(scan(_cut(np.asarray(moved, np.uint8)), how.pixels))


def _with_ghost(
    ink: NDArray[np.uint8], unlit: NDArray[np.uint8], ghost: float
) -> NDArray[np.uint8]:
    height, width = np.maximum(ink.shape, unlit.shape)
    field = np.zeros((height, width), np.uint8)
    faint = (unlit * ghost).astype(np.uint8)
    field[height - unlit.shape[0] :, width - unlit.shape[1] :] = faint
    part = field[height - ink.shape[0] :, width - ink.shape[1] :]
    np.maximum(part, ink, out=part)
    return field


def _cut(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    left, top, width, height = cv2.boundingRect(np.asarray(ink > 24, np.uint8))
    return np.ascontiguousarray(ink[top : top + height, left : left + width])
