"""The page around the number: paper, printed rules and boxes, other writing, and light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from digitlens.geometry import Gray
from digitlens.synth.fonts import printed_words, script_words
from digitlens.synth.glyphs import Glyphs
from digitlens.synth.random import Random
from digitlens.synth.strokes import FRACTION
from digitlens.synth.style import Style
from digitlens.synth.textures import (
    EVEN,
    creases,
    crop_texture,
    fadings,
    guilloches,
    lights,
    papers,
)


@dataclass(frozen=True)
class Background:
    """Paper before anything is written on it."""

    paper: Gray  # uint8 (H, W), 255 = white; printed on in place
    level: float  # its mean grey
    contrast: float  # how much darker full ink is, in grey levels


def draw_background(rng: Random, style: Style, shape: tuple[int, int]) -> Background:
    """Draw bare paper of `shape`: white, tinted, textured, or with a cheque's fine curves."""
    low, high = style.contrast
    contrast = low + (high - low) * rng.uniform() ** 0.7
    darkest = min(max(130.0, contrast + 15), 255.0)
    level = darkest + (255 - darkest) * max(rng.uniform(), rng.uniform())
    if not rng.bernoulli(style.textures):
        return Background(np.full(shape, int(level), np.uint8), level, contrast)
    printed = rng.bernoulli(style.guilloche)
    texture = crop_texture(rng, guilloches() if printed else papers(), shape)
    # A print of fine curves is much paler than ink; grain is hardly to be seen at all.
    share = rng.uniform(0.03, 0.2) if printed else rng.uniform(0.01, 0.1)
    strength = share * contrast / 24
    level = min(level, 250 - 24 * strength)
    paper = cv2.convertScaleAbs(texture, alpha=strength, beta=level - EVEN * strength)
    return Background(np.asarray(paper, np.uint8), level, contrast)


def apply_ink(rng: Random, style: Style, page: Background, ink: Gray) -> Gray:
    """Lay ink (0 = none, 255 = full) on paper: the more, the nearer the ink's own gray."""
    dark = max(0.0, page.level - page.contrast)
    strength = 1.0
    if rng.bernoulli(style.fading):
        left = crop_texture(rng, fadings(), ink.shape)
        ink = np.asarray(cv2.multiply(ink, left, scale=1 / 255), np.uint8)
        strength = rng.uniform(0.65, 1.0)
    room = cv2.subtract(page.paper, np.full_like(page.paper, int(dark)))
    return np.asarray(
        cv2.subtract(page.paper, cv2.multiply(ink, room, scale=strength / 255)), np.uint8
    )


def shade_page(rng: Random, style: Style, picture: Gray) -> Gray:
    """Let light fall unevenly, and crumple the paper."""
    if rng.bernoulli(style.shading):
        depth = rng.uniform(0.1, 0.6)
        # Between full light and the field, by its depth, in one multiplication.
        field = cv2.convertScaleAbs(
            crop_texture(rng, lights(), picture.shape), alpha=depth, beta=255 * (1 - depth)
        )
        picture = np.asarray(cv2.multiply(picture, field, scale=1 / 255), np.uint8)
    if rng.bernoulli(style.creases):
        fold = crop_texture(rng, creases(), picture.shape)
        amount = rng.uniform(0.1, 0.5)
        folded = cv2.addWeighted(picture, 1.0, fold, amount, -EVEN * amount)
        picture = np.asarray(folded, np.uint8)
    return picture


UNIT = 1 << FRACTION

# Kinds of rules and how often each is printed; `lines` and `squares` are those of pads.
RULES = (("line", 0.45), ("lines", 0.25), ("squares", 0.15), ("dotted", 0.15))

# Kinds of frames around a whole number.
FRAMES = (("box", 0.4), ("table", 0.35), ("corner", 0.1), ("double", 0.15))

# Kinds of cells, one for each digit.
CELLS = (("boxes", 0.45), ("apart", 0.2), ("comb", 0.25), ("ticks", 0.1))


@dataclass(frozen=True)
class PrintedField:
    """Where the writing is on the page, for what is printed around it."""

    # Of the writing, in pixels.
    left: float
    right: float
    # Row of the line at column 0, and how it falls.
    base: float
    slope: float
    height: float  # of a digit
    # Left edge of the first cell, their distance and number; pitch 0.0 where there are none.
    first: float = 0.0
    pitch: float = 0.0
    count: int = 0


class _Press:
    """Prints lines on a page in one grey and thickness, along the slope of the writing."""

    def __init__(
        self, rng: Random, page: Background, field: PrintedField, *, fine: bool = False
    ) -> None:
        self._paper, self._field = page.paper, field
        darkness = page.contrast * rng.uniform(0.15, 0.5 if fine else 1.0)
        self._grey = max(0.0, page.level - darkness)
        heavy = not fine and rng.bernoulli(0.4)
        self._thick = 1 + (round(field.height * rng.uniform(0.0, 0.08)) if heavy else 0)

    def line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Print from (column, rows above the writing's line) to another such place."""
        slope, base = self._field.slope, self._field.base
        one, two = (
            (
                round((x + slope * up) * UNIT),  # square corners stay square
                round((base + slope * x - up) * UNIT),
            )
            for x, up in (start, end)
        )
        cv2.line(self._paper, one, two, self._grey, self._thick, cv2.LINE_AA, FRACTION)

    def frame(self, left: float, right: float, low: float, height: float) -> None:
        """Print a rectangle."""
        self.line((left, low), (right, low))
        self.line((left, height), (right, height))
        self.line((left, low), (left, height))
        self.line((right, low), (right, height))


def print_rules(rng: Random, page: Background, field: PrintedField) -> None:
    """Print one rule, the lines of a writing pad, squares, or a dotted line."""
    kind = rng.weighted(RULES)
    press = _Press(rng, page, field, fine=kind == "squares")  # else nothing could be read
    width, height = page.paper.shape[1], field.height
    # A pad of squared paper: both ways, over the whole picture.
    if kind == "squares":
        step = height * rng.uniform(0.28, 0.9)
        offset = rng.uniform() * step
        for index in range(int(width / step) + 2):
            press.line(
                (offset + index * step, -3 * height), (offset + index * step, 4 * height)
            )
        for index in range(int(page.paper.shape[0] / step) + 2):
            up = field.base - offset - index * step
            press.line((-5.0, up), (width + 5.0, up))
        return
    # Else a rule under the digits, mostly touching their feet.
    under = height * rng.normal(-0.06, 0.1)
    if kind == "dotted":
        step = max(3.0, height * rng.uniform(0.1, 0.25))
        for index in range(int(width / step) + 1):
            press.line((index * step, under), (index * step + step * 0.3, under))
        return
    press.line((-5.0, under), (width + 5.0, under))
    if kind == "lines":
        step = height * rng.uniform(1.1, 1.7)
        for up in (under + step, under - step):
            press.line((-5.0, up), (width + 5.0, up))


def print_frame(rng: Random, page: Background, field: PrintedField) -> None:
    """Print a box or the lines of a table around the writing."""
    press = _Press(rng, page, field)
    kind, height = rng.weighted(FRAMES), field.height
    left = field.left - height * rng.uniform(0.1, 0.8)
    right = field.right + height * rng.uniform(0.1, 0.9)
    low, top = -height * rng.uniform(0.08, 0.4), height * rng.uniform(1.08, 1.5)
    if kind in ("box", "double"):
        press.frame(left, right, low, top)
        if kind == "double":
            gap = max(2.0, 0.1 * height)
            press.frame(left - gap, right + gap, low - gap, top + gap)
    elif kind == "corner":
        press.line((left, low), (right + 9 * height, low))
        press.line((left, low), (left, top + 2 * height))
    else:
        for up in (low, top):
            press.line((-5.0, up), (page.paper.shape[1] + 5.0, up))
        for x in (left, right):
            press.line((x, -3 * height), (x, 4 * height))


def print_cells(rng: Random, page: Background, field: PrintedField) -> None:
    """Print a box for each digit, side by side or apart, or a comb."""
    press = _Press(rng, page, field)
    kind, height, pitch = rng.weighted(CELLS), field.height, field.pitch
    left, right = field.first, field.first + field.pitch * field.count
    low, top = -height * rng.uniform(0.08, 0.25), height * rng.uniform(1.05, 1.35)
    edges = [left + index * pitch for index in range(field.count + 1)]
    if kind == "apart":
        inset = pitch * rng.uniform(0.03, 0.09)
        for x in edges[:-1]:
            press.frame(x + inset, x + pitch - inset, low, top)
    elif kind == "boxes":
        press.frame(left, right, low, top)
        for x in edges[1:-1]:
            press.line((x, low), (x, top))
    else:
        tooth = low + height * (rng.uniform(0.15, 0.5) if kind == "comb" else 0.12)
        if kind == "comb":
            press.line((left, low), (right, low))
        for x in edges:
            press.line((x, low), (x, tooth))


DEEPEST = 0.38  # no more than this share of a neighbour's height is seen: too little to be read


def paste(ink: Gray, patch: Gray, left: int, top: int) -> None:
    """Lay `patch` on `ink`, where it lies inside; the darker of both stays."""
    rows, columns = ink.shape
    up, across = max(0, -top), max(0, -left)
    down = min(patch.shape[0], rows - top)
    end = min(patch.shape[1], columns - left)
    if up < down and across < end:
        place = ink[top + up : top + down, left + across : left + end]
        np.maximum(place, patch[up:down, across:end], out=place)


def add_neighbours(
    ink: Gray, glyphs: Glyphs, rng: Random, height: float, free: tuple[float, float]
) -> None:
    """Let the line above, below or both reach into the picture's own `ink`, which is changed.

    `free` are the rows above the writing and below it; neighbours reach hardly further.
    """
    above, below = rng.choice(((True, False), (False, True), (True, True)))
    words = rng.bernoulli(0.35)
    for upper, wanted in ((True, above), (False, below)):
        if not wanted:
            continue
        room = max(0.0, free[0] if upper else free[1]) + 0.08 * height
        # How far the neighbouring line reaches in: never onto the number itself.
        seen = min(rng.uniform(0.06, DEEPEST) * height, room)
        x = rng.normal(0.0, 0.6) * height
        while x < ink.shape[1]:
            size = height * rng.normal(1.0, 0.1)
            if words:
                patch = resize_to_height(rng.choice(script_words()), size * 0.9)
            else:
                image = glyphs.images[rng.integers(len(glyphs.images))]
                patch = np.asarray(image[4:24, 4:24], np.uint8)
                patch = resize_to_height(patch, size)
            offset = round(seen + rng.normal(0, 0.04) * size)
            paste(
                ink,
                patch,
                round(x),
                offset - patch.shape[0] if upper else ink.shape[0] - offset,
            )
            x += patch.shape[1] * rng.uniform(0.85, 1.6) + (0.3 * size if words else 0.0)
            if rng.bernoulli(0.12):
                x += rng.uniform(0.5, 4.0) * height


def add_label(
    ink: Gray, rng: Random, style: Style, span: tuple[float, float], row: float
) -> None:
    """Print a word left or right of the writing's `span`, as far as there is room, on `row`."""
    word = rng.choice(printed_words(style.fonts))
    size = rng.uniform(0.25, 0.6) * max(20.0, 0.5 * ink.shape[0])
    patch = resize_to_height(word, size)
    top = round(row - size * rng.uniform(0.8, 1.3))
    if span[0] > ink.shape[1] - span[1]:
        left = round(span[0] - patch.shape[1] - rng.uniform(0.3, 1.0) * size)
    else:
        left = round(span[1] + rng.uniform(0.5, 1.5) * size)
    paste(ink, (patch * rng.uniform(0.4, 1.0)).astype(np.uint8), left, top)


def resize_to_height(patch: Gray, height: float) -> Gray:
    """Scale `patch` to `height` pixels, proportions kept; at least 2 x 2 pixels remain."""
    factor = height / patch.shape[0]
    size = max(2, round(patch.shape[1] * factor)), max(2, round(height))
    way = cv2.INTER_AREA if factor < 0.7 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(patch, size, interpolation=way), np.uint8)
