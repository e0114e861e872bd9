"""Whole pages of handwritten numbers, composed: on these `digitlens.layout` is measured.

A page has its own paper, print, light and camera; its lines are written by
`digitlens.synth` in different handwritings, each with its slope, and lie in one to three
columns. The truth is each line's box and text. Words between the lines are printed, and are
no truth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.synth import STYLES, Glyphs
from digitlens.synth.compose import compose_line
from digitlens.synth.fonts import printed_words
from digitlens.synth.random import Random
from digitlens.synth.writer import sample_writer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels: TypeAlias = "NDArray[np.uint8]"
    Field: TypeAlias = "NDArray[np.float32]"
    Table: TypeAlias = "NDArray[np.float64]"

KINDS = (
    "plain",
    "ruled",
    "squared",
    "boxes",
    "comb",
    "columns",
    "dark",
    "photo",
    "text",
    "turned",
)
"""What is special: nothing; rules; squares; a box for each digit, coloured or black; the same
open at the top; columns; white on black; light and blur; printed words; the page turned."""

SIZE = (900, 1200)
"""Height and width of a page."""

WARM = ((235, 130, 50), (225, 90, 70), (240, 160, 60))
COOL = ((170, 200, 240), (180, 215, 230), (200, 200, 235))
INKS = ((30, 30, 35), (35, 45, 140), (20, 25, 90), (70, 70, 75))
"""Red, green, blue of boxes and rules, of squares, and of pens."""


@dataclass(frozen=True)
class LineTruth:
    """One line of a page.

    Parameters
    ----------
    text
        Its digits.
    corners
        float64 (4, 2): x and y of the corners of its ink, before the page was turned upright.
    """

    text: str
    corners: Table

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The upright box around it."""
        (left, top), (right, bottom) = self.corners.min(axis=0), self.corners.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


@dataclass(frozen=True)
class Page:
    """A page and its truth.

    Parameters
    ----------
    image
        uint8 (H, W, 3).
    lines
        In reading order: column by column.
    kind
        One of `KINDS`.
    """

    image: Pixels
    lines: tuple[LineTruth, ...]
    kind: str


def compose(glyphs: Glyphs, seed: int, kind: str) -> Page:
    """Compose page `seed` of a kind.

    Parameters
    ----------
    glyphs
        Of `digitlens.synth.prepare_glyphs`.
    """
    rng = Random(np.random.default_rng([seed, KINDS.index(kind)]))
    rows, columns = SIZE
    level = rng.uniform(190, 250)
    tint = [level + rng.normal(0, 4), level, level - rng.uniform(0, 14)]
    page = np.empty((rows, columns, 3), np.float32)
    page[:] = tint
    count = 1 + rng.integers(3) if kind == "columns" else 1
    if kind == "columns":
        count = max(count, 2)
    _print_page(page, rng, kind)
    lines = []
    for column in range(count):
        span = columns / count
        lines += _write_column(
            page, rng, glyphs, kind, (column * span + 30, (column + 1) * span - 40)
        )
    image, lines = _photograph(page, lines, rng, kind)
    return Page(image, tuple(lines), kind)


def _print_page(page: Field, rng: Random, kind: str) -> None:
    rows, columns = page.shape[:2]
    if kind == "squared":
        step, color = round(rng.uniform(22, 40)), rng.choice(COOL)
        for x in range(step, columns, step):
            cv2.line(page, (x, 0), (x, rows), color, 1, cv2.LINE_AA)
        for y in range(step, rows, step):
            cv2.line(page, (0, y), (columns, y), color, 1, cv2.LINE_AA)


def _write_column(
    page: Field, rng: Random, glyphs: Glyphs, kind: str, span: tuple[float, float]
) -> list[LineTruth]:
    lines: list[LineTruth] = []
    color, y = rng.choice(INKS), rng.uniform(20, 90)
    usual = rng.uniform(26, 60)
    while True:
        height = usual * rng.uniform(0.85, 1.2)
        pitch = height * rng.uniform(1.7, 2.6)
        if y + pitch + 10 > page.shape[0]:
            return lines
        if kind == "text" and rng.bernoulli(0.5):
            _print_words(page, rng, span, y + 0.3 * pitch)
            y += 0.7 * pitch
            continue
        room = (span[1] - span[0]) / height
        length = max(2, min(1 + rng.integers(9), int(room / 1.6)))
        text = "".join(str(rng.integers(10)) for _ in range(length))
        line = _write_line(page, rng, glyphs, kind, text, height, color, (span, y, pitch))
        if line is not None:
            lines.append(line)
        y += pitch


def _write_line(
    page: Field,
    rng: Random,
    glyphs: Glyphs,
    kind: str,
    text: str,
    height: float,
    color: tuple[int, int, int],
    place: tuple[tuple[float, float], float, float],
) -> LineTruth | None:
    """Write one line, and print its rule or boxes before; None where it does not fit."""
    cells = kind in ("boxes", "comb")
    spacing = (("cells", 1.0),) if cells else (("usual", 0.6), ("wide", 0.2), ("tight", 0.2))
    style = replace(STYLES["clean"], height=(height, height), slope=0.0, spacing=spacing)
    writer = sample_writer(glyphs, rng, style, text)
    line_canvas = compose_line(glyphs, rng, text, writer, style)
    boxes = np.array(line_canvas.boxes)
    left, top = int(boxes[:, 0].min()), int(boxes[:, 1].min())
    right, bottom = int(np.ceil(boxes[:, 2].max())), int(np.ceil(boxes[:, 3].max()))
    (start, end), y, pitch = place
    room = end - start - (right - left)
    if room < 0:
        return None
    x = start + rng.uniform(0, 0.9) * room
    slope = 0.0 if cells or kind in ("squared", "ruled") else rng.normal(0, 0.035)
    drop = abs(slope) * (right - left)
    base = y + pitch - 0.35 * height - drop / 2
    # From the canvas that the line was written on to the page.
    move = np.array([[1, 0, x - left], [slope, 1, base - bottom - slope * left]])
    ink = cv2.warpAffine(line_canvas.ink, move, page.shape[1::-1], flags=cv2.INTER_LINEAR)
    if cells:
        edges = np.asarray(
            line_canvas.first + line_canvas.pitch * np.arange(len(text) + 1) + x - left,
            np.float64,
        )
        _print_boxes(
            page, rng, edges, (base - 1.16 * (bottom - top), base + 0.12 * height), kind
        )
    if kind == "ruled":
        row = round(base + rng.uniform(-0.02, 0.12) * height)
        rule_color = rng.choice(((120, 120, 120), *WARM, (90, 110, 170)))
        cv2.line(
            page, (0, row), (page.shape[1], row), rule_color, 1 + rng.integers(2), cv2.LINE_AA
        )
    share = (ink.astype(np.float32) / 255)[..., None] * rng.uniform(0.75, 1.0)
    page += share * (np.array(color, np.float32) - page)
    corners = np.array(
        [[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1.0]]
    )
    return LineTruth(text, corners @ move.T)


def _print_boxes(
    page: Field, rng: Random, edges: Table, span: tuple[float, float], kind: str
) -> None:
    top, bottom = (round(value) for value in span)
    color = rng.choice(((40, 40, 40), (90, 90, 90), *WARM, *WARM))
    thick, apart = 1 + rng.integers(3), rng.bernoulli(0.5) and kind == "boxes"
    inset = round(0.06 * (edges[1] - edges[0])) if apart else 0
    if kind == "comb":
        tooth = round(bottom - 0.4 * (bottom - top))
        cv2.line(page, (round(edges[0]), bottom), (round(edges[-1]), bottom), color, thick)
        for x in edges:
            cv2.line(page, (round(x), bottom), (round(x), tooth), color, thick)
        return
    for one, two in pairwise(edges.tolist()):
        corners = (round(one) + inset, top), (round(two) - inset, bottom)
        cv2.rectangle(page, *corners, color, thick)


def _print_words(page: Field, rng: Random, span: tuple[float, float], y: float) -> None:
    words, size = printed_words(()), rng.uniform(12, 22)
    x = span[0]
    while x < span[1]:
        word = rng.choice(words)
        width = round(word.shape[1] * size / word.shape[0])
        if x + width > span[1]:
            return
        patch = cv2.resize(word, (width, round(size)), interpolation=cv2.INTER_AREA)
        here = page[round(y) : round(y) + patch.shape[0], round(x) : round(x) + width]
        share = (patch[: here.shape[0]].astype(np.float32) / 255)[..., None]
        here += share * (np.float32(40) - here)
        x += width + 0.5 * size


def _photograph(
    page: Field, lines: list[LineTruth], rng: Random, kind: str
) -> tuple[Pixels, list[LineTruth]]:
    """Turn the page, let light fall on it, and take the picture."""
    rows, columns = page.shape[:2]
    if kind == "turned":
        angle = rng.choice((-1, 1)) * rng.uniform(8, 20)
        turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), angle, 0.8)
        edge = cv2.BORDER_REPLICATE
        page = np.asarray(
            cv2.warpAffine(page, turn, (columns, rows), borderMode=edge), np.float32
        )
        lines = [
            LineTruth(item.text, np.column_stack([item.corners, np.ones(4)]) @ turn.T)
            for item in lines
        ]
    if kind in ("photo", "turned"):
        down, across = np.mgrid[0:rows, 0:columns].astype(np.float32)
        light = 1 - rng.uniform(0.1, 0.5) * (
            across / columns * rng.uniform(-1, 1) + down / rows * rng.uniform(-1, 1)
        )
        edge = rng.uniform(0.2, 0.9) * columns + rng.normal(0, 0.5) * down
        light *= 1 - rng.uniform(0.0, 0.35) * (
            0.5 + 0.5 * np.tanh((across - edge) / rng.uniform(12, 100))
        )
        page = page * np.clip(light, 0.25, 1.0)[..., None]
        page = np.asarray(cv2.GaussianBlur(page, (0, 0), rng.uniform(0.5, 1.4)), np.float32)
    noise = np.random.default_rng(rng.integers(1 << 30)).standard_normal(page.shape[:2])
    grain = (noise * rng.uniform(0.5, 5 if kind == "photo" else 2.5))[..., None]
    image = np.clip(np.rint(page + grain), 0, 255).astype(np.uint8)
    if kind == "dark":
        image = 255 - image
    quality = [cv2.IMWRITE_JPEG_QUALITY, round(rng.uniform(60, 95))]
    data = cv2.imencode(".jpg", image[..., ::-1], quality)[1]
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1]), lines
