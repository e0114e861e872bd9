"""Pictures of lines in which no number stands: what a reader must leave alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np

from digitlens.geometry import Gray
from digitlens.synth.fonts import CAPITAL, printed_words, script_words
from digitlens.synth.page import paste, resize_to_height
from digitlens.synth.random import Random
from digitlens.synth.strokes import Point, arc, bend_stroke, draw_strokes
from digitlens.synth.style import Style
from digitlens.synth.writer import WriterStyle

Maker = Callable[[Gray, Random, Style, float, float], None]


# What is shown, and how often. `frame` and `cells` are empty boxes and combs; `paper` is bare,
# or ruled.
KINDS = (
    *(
        ("printed", 0.24),
        ("script", 0.14),
        ("cursive", 0.14),
        ("letters", 0.06),
        ("logo", 0.07),
    ),
    *(("stamp", 0.08), ("scribble", 0.08), ("crossed", 0.03), ("frame", 0.06), ("cells", 0.06)),
    ("paper", 0.04),
)


def draw_distractor(rng: Random, style: Style, hand: WriterStyle) -> tuple[str, Gray]:
    """Draw what is no number: its kind and uint8 (H, W), 0 = paper, 255 = full ink."""
    kind = rng.weighted(KINDS)
    height = hand.height
    shape = int(height * rng.uniform(1.1, 2.0)), int(height * rng.uniform(1.5, 7.0))
    ink = np.zeros(shape, np.uint8)
    if kind in _MAKERS:
        _MAKERS[kind](ink, rng, style, height, hand.stroke)
    return kind, ink


def _words(ink: Gray, rng: Random, words: list[Gray], height: float) -> None:
    rows, columns = ink.shape
    size = height * rng.uniform(0.5, 1.1)
    x, line = size * rng.uniform(-0.3, 1.0), rows * rng.uniform(0.6, 0.9)
    for _ in range(1 + rng.integers(3)):
        patch = _of_letters(rng.choice(words), size * rng.uniform(0.9, 1.1))
        paste(ink, patch, round(x), round(line - patch.shape[0]))
        x += patch.shape[1] + size * rng.uniform(0.3, 0.9)
        if x > columns:
            break


def _of_letters(patch: Gray, height: float) -> Gray:
    """Scale a word so that its capitals, not those with accents or tails, have `height`."""
    return resize_to_height(patch, patch.shape[0] * height / CAPITAL)


def _draw_printed(ink: Gray, rng: Random, style: Style, height: float, _: float) -> None:
    _words(ink, rng, printed_words(style.fonts), height)


def _script(ink: Gray, rng: Random, _: Style, height: float, __: float) -> None:
    _words(ink, rng, script_words(), height)


def _cursive(ink: Gray, rng: Random, _: Style, height: float, stroke: float) -> None:
    """Write words that nobody can read: arcades and loops in one stroke, some of them tall."""
    rows, columns = ink.shape
    line, x = rows * rng.uniform(0.6, 0.8), height * rng.uniform(0.0, 0.6)
    slant, low = rng.normal(0.25, 0.2), height * rng.uniform(0.2, 0.4)
    # Word after word: strokes up to the middle zone, to ascenders, or down below the line,
    # in one way without lifting the pen.
    while x < columns - height * 0.5:
        way: list[Point] = [(x, line)]
        for _letter in range(3 + rng.integers(7)):
            tall = rng.bernoulli(0.3)
            high = low * (rng.uniform(1.8, 2.8) if tall else rng.uniform(0.7, 1.2))
            if rng.bernoulli(0.12):
                high = -low * rng.uniform(1.0, 1.8)
            step = low * rng.uniform(0.5, 1.1)
            start = way[-1]
            top = (start[0] + step * 0.6 + slant * high, line - high)
            end = (start[0] + step, line + rng.normal(0, 0.05) * low)
            loop = step * (
                rng.uniform(-0.9, -0.3) if tall or high < 0 else rng.uniform(-0.1, 0.3)
            )
            way += bend_stroke(start, (top[0] + 0.3 * step, (start[1] + top[1]) / 2), top, 5)[
                1:
            ]
            way += bend_stroke(top, (top[0] + loop, (top[1] + end[1]) / 2), end, 5)[1:]
        draw_strokes(ink, way, stroke * 0.8)
        x = way[-1][0] + height * rng.uniform(0.3, 0.8)


def _letters(ink: Gray, rng: Random, style: Style, height: float, _: float) -> None:
    """Print one or two words small, as in a form's footnotes, on several lines."""
    words = printed_words(style.fonts)
    line = height * 0.3
    while line < ink.shape[0] * 1.2:
        x = height * rng.uniform(-0.5, 0.5)
        while x < ink.shape[1]:
            patch = _of_letters(rng.choice(words), 0.36 * height)
            paste(ink, patch, round(x), round(line - patch.shape[0]))
            x += patch.shape[1] + 0.2 * height
        line += height * 0.55


def _logo(ink: Gray, rng: Random, style: Style, height: float, _: float) -> None:
    """Draw a sign of solid shapes, mostly with a word beside it."""
    rows, columns = ink.shape
    middle = (columns * rng.uniform(0.15, 0.5), rows * 0.5)
    size = min(rows * 0.48, height * rng.uniform(0.4, 0.9))
    # A polygon or a star, maybe hollow, maybe ringed, with a word at its side.
    corners = 3 + rng.integers(5)
    start = rng.uniform(0, 2 * math.pi)
    star = rng.uniform(0.35, 0.75) if rng.bernoulli(0.5) else math.cos(math.pi / corners)
    points = []
    for index in range(2 * corners):
        angle, away = start + math.pi * index / corners, size * (star if index % 2 else 1.0)
        points.append((middle[0] + away * math.cos(angle), middle[1] + away * math.sin(angle)))
    solid = np.array(points, np.float32).round().astype(np.int32)
    cv2.fillPoly(ink, [solid], 255, cv2.LINE_AA)
    if rng.bernoulli(0.5):
        inner = (
            (solid - solid.mean(axis=0)) * rng.uniform(0.3, 0.8) + solid.mean(axis=0)
        ).round()
        cv2.fillPoly(ink, [inner.astype(np.int32)], 0, cv2.LINE_AA)
    if rng.bernoulli(0.4):
        draw_strokes(
            ink, arc(middle, size * 1.2, size * 1.2, start, 2 * math.pi), max(1.0, size * 0.1)
        )
    if rng.bernoulli(0.7):
        word = resize_to_height(
            rng.choice(printed_words(style.fonts)), size * rng.uniform(0.6, 1.2)
        )
        top = round(middle[1] - word.shape[0] / 2)
        paste(ink, word, round(middle[0] + size * 1.4), top)


def _stamp(ink: Gray, rng: Random, style: Style, height: float, _: float) -> None:
    """Stamp a word in a frame or rings, turned, with too little ink."""
    rows, columns = ink.shape
    plate = np.zeros_like(ink)
    middle, thick = (columns / 2, rows / 2), max(1.0, height * rng.uniform(0.04, 0.12))
    if rng.bernoulli(0.5):
        for size in (0.46, 0.38):
            draw_strokes(
                plate, arc(middle, columns * size, rows * size, 0.0, 2 * math.pi), thick
            )
    else:
        x, y = columns * 0.06, rows * 0.12
        corners = [(x, y), (columns - x, y), (columns - x, rows - y), (x, rows - y)]
        draw_strokes(plate, corners, thick, closed=True)
    patch = rng.choice(printed_words(style.fonts))
    word = resize_to_height(
        patch, min(rows * 0.5, columns * 0.75 * patch.shape[0] / patch.shape[1])
    )
    stamp_height, stamp_width = word.shape
    paste(plate, word, round(middle[0] - stamp_width / 2), round(middle[1] - stamp_height / 2))
    turn = cv2.getRotationMatrix2D(middle, rng.normal(0.0, 8.0), 1.0)
    turned = cv2.warpAffine(plate, turn, (columns, rows))
    np.maximum(ink, (turned * rng.uniform(0.3, 0.9)).astype(np.uint8), out=ink)


def _scribble(ink: Gray, rng: Random, _: Style, height: float, stroke: float) -> None:
    """Draw a signature-like tangle, or zigzags that strike something out."""
    rows, columns = ink.shape
    count = 6 + rng.integers(10)
    x, way = columns * rng.uniform(0.05, 0.3), list[tuple[float, float]]()
    step = columns * 0.6 / count
    for index in range(count):
        away = rows * rng.uniform(0.15, 0.4) * (1 if index % 2 else -1)
        way.append((x + rng.normal(0, 1.2) * step, rows / 2 + away))
        x += step
    curve = [way[0]]
    for one, two in pairwise(way[1:]):
        curve += bend_stroke(curve[-1], one, ((one[0] + two[0]) / 2, (one[1] + two[1]) / 2), 5)[
            1:
        ]
    draw_strokes(ink, curve, max(1.0, min(stroke, 0.1 * height)))


def _draw_crossed(ink: Gray, rng: Random, _: Style, height: float, stroke: float) -> None:
    """Strike an empty field through, or tick a box."""
    rows, columns = ink.shape
    if rng.bernoulli(0.5):
        y = rows * rng.uniform(0.3, 0.7)
        draw_strokes(
            ink, [(columns * 0.1, y), (columns * 0.9, y + rng.normal(0, 0.2) * rows)], stroke
        )
        return
    x, size = columns * rng.uniform(0.2, 0.7), height * rng.uniform(0.4, 0.7)
    way = [(x, rows * 0.55), (x + size * 0.35, rows * 0.55 + size * 0.4)]
    draw_strokes(ink, [*way, (x + size * 1.3, rows * 0.55 - size * 0.7)], stroke)


_MAKERS: dict[str, Maker] = {
    "printed": _draw_printed,
    "script": _script,
    "cursive": _cursive,
    "letters": _letters,
    "logo": _logo,
    "stamp": _stamp,
    "scribble": _scribble,
    "crossed": _draw_crossed,
}
