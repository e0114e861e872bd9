"""Scenes: sheets of writing on desks, scanner beds and white pages, as people photograph them.

`place` lays a given picture on a ground; `compose_scene` writes sheets of its own, with numbers
and words, and knows what stands on them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from digitlens.synth import STYLES
from digitlens.synth.compose import compose_line
from digitlens.synth.fonts import printed_words
from digitlens.synth.random import Random
from digitlens.synth.writer import sample_writer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.synth import Glyphs

    Pixels: TypeAlias = "NDArray[np.uint8]"
    Field: TypeAlias = "NDArray[np.float32]"

GROUNDS = ("flat", "wood", "speckled", "lit", "cloth")
"""Desks: one color with a camera's noise; grain along boards; granite; under a lamp; woven."""

WHITE_PAGE = "white page"

TINTS = ((1.0, 1.0, 1.0), (1.12, 0.98, 0.8), (0.85, 1.0, 1.2), (0.9, 1.1, 0.9))
"""Red, green, blue of a desk to its brightness: gray, wooden, blue, green."""

INKS = ((30, 30, 35), (35, 45, 140), (20, 25, 90), (70, 70, 75), (150, 30, 40))
LIGHT_INKS = ((250, 250, 250), (240, 230, 120), (150, 240, 160))


def draw_ground(
    rng: np.random.Generator, kind: str, size: tuple[int, int], level: float
) -> Field:
    """Draw a ground of `size` (height, width): float32 (H, W, 3), about `level` bright."""
    height, width = size
    if kind == WHITE_PAGE:
        return np.full((height, width, 3), 255, np.float32)
    gray = np.full(size, level, np.float32)
    noise = rng.standard_normal(size).astype(np.float32)
    if kind == "wood":
        grain = rng.standard_normal((height, max(2, width // 40))).astype(np.float32)
        blurred = cv2.GaussianBlur(grain, (0, 0), 1.5)
        boards = np.asarray(cv2.resize(blurred, (width, height)), np.float32)
        gray += 9 * boards / max(float(boards.std()), 1e-3)
    elif kind == "speckled":
        fine = np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.2), np.float32)
        gray += 10 * fine / float(fine.std())
    elif kind == "lit":
        down, across = np.mgrid[0 : 1 : 1j * height, 0 : 1 : 1j * width].astype(np.float32)
        gray *= 0.6 + 0.8 * (rng.uniform() * down + rng.uniform() * across)
    elif kind == "cloth":
        down, across = np.mgrid[0:height, 0:width].astype(np.float32)
        gray += 6 * np.sin(down * 0.9) * np.sin(across * 0.9)
    gray += 4 * rng.standard_normal(size).astype(np.float32)
    tint = np.array(TINTS[rng.integers(len(TINTS))], np.float32)
    return gray[..., None] * tint


def place(
    picture: Pixels,
    rng: np.random.Generator,
    *,
    kind: str,
    margin: float,
    level: float = 50.0,
    angle: float = 0.0,
) -> Pixels:
    """Lay a picture on a ground.

    Parameters
    ----------
    margin
        Of ground on each side, as a share of the picture's longer side.
    angle
        Degrees, counter-clockwise, by which the sheet lies turned.
    """
    color = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    height, width = color.shape[:2]
    edge = margin * max(height, width)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    corners = cv2.transform(
        np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float32), turn
    )[0]
    low, high = corners.min(axis=0) - edge, corners.max(axis=0) + edge
    turn[:, 2] -= low
    size = tuple(int(side) for side in np.ceil(high - low))
    ground = draw_ground(rng, kind, (size[1], size[0]), level)
    sheet = cv2.warpAffine(color.astype(np.float32), turn, size, flags=cv2.INTER_LINEAR)
    inside = cv2.warpAffine(np.ones((height, width), np.float32), turn, size)[..., None]
    scene = sheet + (1 - inside) * ground
    return np.clip(np.rint(scene), 0, 255).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture, the numbers that stand on it, and in words what it is made of."""

    image: Pixels  # uint8 (H, W, 3)
    numbers: tuple[str, ...]
    about: str


def compose_scene(glyphs: Glyphs, seed: int) -> Scene:
    """Compose scene `seed`: one or two sheets with up to four numbers each and some words."""
    rng = Random(np.random.default_rng([seed, 15]))
    numbers: list[str] = []
    sheets = []
    for _ in range(2 if rng.bernoulli(0.2) else 1):
        sheet, texts = _write_sheet(rng, glyphs)
        sheets.append(sheet)
        numbers += texts
    image, about = _photograph(rng, sheets)
    return Scene(image, tuple(numbers), about)


def _write_sheet(rng: Random, glyphs: Glyphs) -> tuple[Field, list[str]]:
    """Write one sheet: its pixels float32 (H, W, 3), and its numbers."""
    height = rng.uniform(36, 70)
    rows = 1 + rng.integers(4)
    width = round(height * rng.uniform(6, 13))
    shape = (round(height * (rows * 1.9 + rng.uniform(0.8, 2.5))), width)
    dark = rng.bernoulli(0.15)
    level = rng.uniform(5, 60) if dark else rng.uniform(170, 252)
    sheet = np.full((*shape, 3), level, np.float32)
    sheet += np.array([rng.normal(0, 3), 0, rng.normal(-4, 5)], np.float32)
    color = rng.choice(LIGHT_INKS if dark else INKS)
    texts = []
    words = printed_words(()) if rng.bernoulli(0.4) else []
    for row in range(rows):
        base = height * (0.9 + 1.9 * row)
        if row and words and rng.bernoulli(0.4):
            word = rng.choice(words)
            size = round(0.5 * height)
            length = round(word.shape[1] * size / word.shape[0])
            part = np.asarray(cv2.resize(word, (length, size)), np.uint8)[:, : width - 20]
            _apply(sheet, part, round(base), 10, color)
            continue
        text = "".join(str(rng.integers(10)) for _ in range(2 + rng.integers(6)))
        line = _write_number(rng, glyphs, text, height)
        if line.shape[1] > width - 12 or base + line.shape[0] > shape[0]:
            continue
        left = 6 + rng.integers(width - 12 - line.shape[1] + 1)
        _apply(sheet, line, round(base - 0.25 * height), left, color)
        texts.append(text)
    return sheet, texts


def _write_number(rng: Random, glyphs: Glyphs, text: str, height: float) -> Pixels:
    style = replace(STYLES["clean"], height=(height, height), slope=0.0)
    canvas = compose_line(glyphs, rng, text, sample_writer(glyphs, rng, style, text), style)
    left, top, width, rows = cv2.boundingRect(canvas.ink)
    return np.asarray(canvas.ink[top : top + rows, left : left + width], np.uint8)


def _apply(sheet: Field, ink: Pixels, top: int, left: int, color: tuple[int, ...]) -> None:
    part = sheet[top : top + ink.shape[0], left : left + ink.shape[1]]
    share = (ink[: part.shape[0], : part.shape[1]].astype(np.float32) / 255)[..., None]
    part += share * (np.array(color, np.float32) - part)


def _photograph(rng: Random, sheets: list[Field]) -> tuple[Pixels, str]:
    """Lay the sheets on a ground, turned and in perspective, and take the picture."""
    kind = rng.choice((*GROUNDS, WHITE_PAGE))
    paper = float(np.median(sheets[0]))
    level = rng.uniform(8, max(20.0, paper - 60)) if paper > 100 else rng.uniform(110, 230)
    quarter, slope = rng.choice((0, 0, 0, 90, 180, 270)), rng.uniform(-20, 20)
    slope = slope if rng.bernoulli(0.4) else rng.uniform(-3, 3)
    margin = rng.choice((0.0, 0.05, 0.1, 0.2, 0.4, 0.6))
    bend = rng.uniform(0, 0.06)
    # Sheets one below the other, on a canvas that holds them turned any way.
    gap = 0.06 * max(sheet.shape[1] for sheet in sheets)
    full_height = sum(sheet.shape[0] + gap for sheet in sheets)
    full_width = max(sheet.shape[1] for sheet in sheets)
    middle = np.array([full_width / 2, full_height / 2])
    quads, top = [], 0.0
    for sheet in sheets:
        height, width = sheet.shape[:2]
        quad = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
        shake = np.array([[rng.normal(0, bend) for _ in range(2)] for _ in range(4)])
        quad += shake * min(height, width) + (0, top)
        quads.append(_turn(quad - middle, quarter + slope))
        top += height + gap
    corners = np.concatenate(quads)
    low, high = corners.min(axis=0), corners.max(axis=0)
    sides = [margin * float(max(high - low)) * rng.bernoulli(0.8) for _ in range(4)]
    size = np.ceil(high - low + (sides[0] + sides[2], sides[1] + sides[3])).astype(int)
    field = draw_ground(
        np.random.default_rng(rng.integers(1 << 30)), kind, (size[1], size[0]), level
    )
    for sheet, quad in zip(sheets, quads, strict=True):
        height, width = sheet.shape[:2]
        flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        spots = (quad - low + sides[:2]).astype(np.float32)
        move = cv2.getPerspectiveTransform(flat, spots)
        inside = cv2.warpPerspective(np.ones((height, width), np.float32), move, tuple(size))
        moved = cv2.warpPerspective(sheet, move, tuple(size), borderMode=cv2.BORDER_REPLICATE)
        field += inside[..., None] * (moved - field)
    field = _light(rng, field)
    data = cv2.imencode(
        ".jpg",
        np.clip(field, 0, 255).astype(np.uint8)[..., ::-1],
        [cv2.IMWRITE_JPEG_QUALITY, round(rng.uniform(70, 95))],
    )[1]
    image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    about = f"{kind} {margin:.0%}, turned {quarter} {slope:+.0f}, {len(sheets)} sheets"
    return np.ascontiguousarray(image), about


def _turn(points: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    angle = np.radians(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.asarray(points @ np.array([[cos, -sin], [sin, cos]]), np.float64)


def _light(rng: Random, field: Field) -> Field:
    """Let light fall from one side, a little out of focus, and add a camera's noise."""
    rows, columns = field.shape[:2]
    down, across = np.mgrid[0:rows, 0:columns].astype(np.float32)
    light = 1 - rng.uniform(0, 0.4) * (
        rng.uniform(0, 1) * across / columns + rng.uniform(0, 1) * down / rows
    )
    blurred = cv2.GaussianBlur(field * light[..., None], (0, 0), rng.uniform(0.4, 1.2))
    noise = np.random.default_rng(rng.integers(1 << 30)).standard_normal((rows, columns))
    return np.asarray(blurred + rng.uniform(0.5, 4) * noise[..., None], np.float32)
