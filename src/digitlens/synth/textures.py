"""Papers and fields of light, drawn once and then cropped from.

Drawing a texture takes milliseconds, cropping one a few microseconds. The sheets are drawn
with a seed of their own, so that they are the same in every process; where and how they are
cropped is decided by the line's own generator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitlens.geometry import Gray
from digitlens.synth.random import Random

Field = NDArray[Any]  # float32 or float64 (HEIGHT, WIDTH)


HEIGHT, WIDTH = 288, 1024  # of a sheet, in pixels


def blur_field(field: Field, across: float, down: float = 0.0) -> Field:
    """Smooth `field` by Gaussians of these deviations; `down` is `across` where not given."""
    return np.asarray(cv2.GaussianBlur(field, (0, 0), across, sigmaY=down))


def white_noise(rng: np.random.Generator) -> Field:
    """Numbers of their own for each pixel, normally distributed."""
    return rng.standard_normal((HEIGHT, WIDTH), np.float32)


def smooth_noise(rng: np.random.Generator, across: float, down: float | None = None) -> Field:
    """Return a random field, smooth over `across` and `down` pixels, of deviation 1."""
    down = down or across
    # Drawn coarse and enlarged: a wide blur of a whole sheet would take half a second.
    coarse = max(2, int(HEIGHT / down * 2)), max(2, int(WIDTH / across * 2))
    knots = rng.standard_normal(coarse, np.float32)
    field = cv2.resize(knots, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray((field - field.mean()) / field.std(), np.float32)


def grain(rng: np.random.Generator) -> Field:
    """Grain of paper, a little cloudy."""
    return blur_field(white_noise(rng), rng.uniform(0.5, 1.2)) * 3 + 0.3 * smooth_noise(rng, 40)


def fibres(rng: np.random.Generator) -> Field:
    """Fibres that lie along and across."""
    along = blur_field(white_noise(rng), 4.0, 0.6)
    across = blur_field(white_noise(rng), 0.6, 4.0)
    return np.maximum(along, across) + 0.05 * white_noise(rng)


def recycled_paper(rng: np.random.Generator) -> Field:
    """Grain with dark specks and splinters, as in recycled paper."""
    field = blur_field(white_noise(rng), 1.0)
    for _ in range(int(rng.uniform(100, 700))):
        place = int(rng.integers(WIDTH)), int(rng.integers(HEIGHT))
        length, angle = rng.uniform(0, 6), rng.uniform(0, np.pi)
        end = place[0] + int(length * np.cos(angle)), place[1] + int(length * np.sin(angle))
        cv2.line(field, place, end, -float(rng.uniform(0.5, 3)), 1)
    return blur_field(field, 0.6)


def _rows_columns() -> tuple[Field, Field]:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    return rows, columns


def hatching(rng: np.random.Generator) -> Field:
    """Fine parallel lines: the insides of security envelopes, tinted fields."""
    rows, columns = _rows_columns()
    angle, step = rng.uniform(0, np.pi), rng.uniform(3, 9)
    phase = (np.cos(angle) * columns + np.sin(angle) * rows) / step
    return np.asarray(np.cos(2 * np.pi * phase) + 0.4 * smooth_noise(rng, 60))


def halftone(rng: np.random.Generator) -> Field:
    """A screen of dots: tinted fields in newspapers and forms."""
    rows, columns = _rows_columns()
    step = 2 * np.pi / rng.uniform(3, 7)
    dots = np.cos(step * (columns + rows)) + np.cos(step * (columns - rows))
    return np.asarray(np.minimum(dots, 0.2) * (1 + 0.5 * smooth_noise(rng, 80)))


def laid_paper(rng: np.random.Generator) -> Field:
    """Paper with the marks of its mould, or a scanner's streaks."""
    streaks = rng.standard_normal((1, WIDTH)).astype(np.float32)
    streaks = blur_field(streaks, rng.uniform(0.7, 2.5))
    field = np.repeat(streaks, HEIGHT, axis=0)
    return field + 0.3 * blur_field(white_noise(rng), 0.7)


def blotches(rng: np.random.Generator) -> Field:
    """Stains, and print that shines through from the other side."""
    through = np.clip(smooth_noise(rng, 14, 9) - 0.9, 0, 1)
    return -2 * through + 0.4 * smooth_noise(rng, 90) + 0.15 * white_noise(rng)


def lines(phase: Field, thin: float) -> Field:
    """Return dark lines where `phase` is whole; the larger `thin`, the finer they are."""
    return -np.exp(-thin * (1 - np.cos(2 * np.pi * phase)))


def waves(rng: np.random.Generator) -> Field:
    """Families of parallel sine curves that cross each other."""
    rows, columns = _rows_columns()
    field = np.zeros_like(rows)
    for _ in range(int(rng.integers(1, 4))):
        step = rng.uniform(4, 13)
        swing = rng.uniform(3, 22) * np.sin(columns / rng.uniform(12, 60) + rng.uniform(0, 6))
        swing += rng.uniform(0, 8) * np.sin(columns / rng.uniform(5, 14))
        tilt = rng.normal(0, 0.4) * columns
        field += lines((rows + swing + tilt) / step, rng.uniform(1, 5))
    return field + 0.3 * smooth_noise(rng, 120)


def rosettes(rng: np.random.Generator) -> Field:
    """Flowers of fine lines, one beside the other."""
    rows, columns = _rows_columns()
    field = 0.3 * smooth_noise(rng, 150)
    for _ in range(6):
        y, x = rows - rng.uniform(0, HEIGHT), columns - rng.uniform(0, WIDTH)
        away, angle = np.hypot(x, y), np.arctan2(y, x)
        petals, step = int(rng.integers(5, 24)), rng.uniform(4, 10)
        bloom = away + rng.uniform(2, 9) * np.sin(petals * angle)
        edge = np.clip((rng.uniform(60, 160) - away) / 4, 0, 1)
        field += edge * lines(bloom / step, rng.uniform(1, 4))
    return np.asarray(field, np.float32)


def moire(rng: np.random.Generator) -> Field:
    """Two families of lines at a small angle, which make bands where they meet."""
    rows, columns = _rows_columns()
    bend = 6 * smooth_noise(rng, 150)
    one = lines((rows + bend) / rng.uniform(3, 6), 1)
    two = lines((rows + rng.normal(0, 0.3) * columns - bend) / rng.uniform(4, 9), 2)
    return one + two


def lattice(rng: np.random.Generator) -> Field:
    """Two families of fine lines that cross and make diamonds, a little bent."""
    rows, columns = _rows_columns()
    bend = rng.uniform(0, 10) * smooth_noise(rng, 90)
    field = 0.3 * smooth_noise(rng, 120)
    for side in (-1, 1):
        angle = side * rng.uniform(0.25, 1.2)
        phase = np.cos(angle) * rows + np.sin(angle) * columns + side * bend
        field = field + lines(phase / rng.uniform(3.5, 9), rng.uniform(1, 5))
    return np.asarray(field, np.float32)


def ripples(rng: np.random.Generator) -> Field:
    """One family of fine lines, nearly level and a little wavy, close together."""
    rows, columns = _rows_columns()
    swing = rng.uniform(0.5, 4) * np.sin(columns / rng.uniform(6, 40))
    tilt = rng.normal(0, 0.25) * columns + rng.uniform(0, 9) * smooth_noise(rng, 120)
    thin = rng.uniform(0.5, 4)
    return lines((rows + swing + tilt) / rng.uniform(3, 7), thin) + 0.2 * white_noise(rng)


def contours(rng: np.random.Generator) -> Field:
    """Map-like contours over the tint of a large motif."""
    hills = smooth_noise(rng, rng.uniform(60, 200))
    motif = np.clip(3 * smooth_noise(rng, 110), -1, 1)
    return np.asarray(lines(hills * rng.uniform(2, 5), 2) + 0.5 * motif)


def fine(rng: np.random.Generator) -> Field:
    """A sensor's noise, pixel by pixel."""
    return white_noise(rng)


def coarse(rng: np.random.Generator) -> Field:
    """The same after the camera smoothed or enlarged it."""
    return blur_field(white_noise(rng), rng.uniform(0.6, 1.0))


def shade(rng: np.random.Generator) -> Field:
    """Light from a side, with the soft shadow of a hand or a phone."""
    rows, columns = _rows_columns()
    field = rng.normal() * columns / WIDTH * 2 + rng.normal() * rows / HEIGHT
    across = rng.uniform(100, 400)
    field += 0.6 * smooth_noise(rng, across, across / 2.5)
    for _ in range(2):
        edge = columns + rng.normal(0, 0.6) * rows - rng.uniform(0, WIDTH)
        field += rng.normal(0, 0.6) * np.tanh(edge / rng.uniform(15, 80))
    return np.asarray(field, np.float32)


def creases_of_paper(rng: np.random.Generator) -> Field:
    """Facets that meet in sharp folds."""
    field = np.zeros((HEIGHT, WIDTH), np.float32)
    rows, columns = _rows_columns()
    for _ in range(14):
        angle = rng.uniform(0, np.pi)
        away = np.cos(angle) * columns + np.sin(angle) * rows
        away -= rng.uniform(away.min(), away.max())
        side = np.sign(away) * np.exp(-np.abs(away) / rng.uniform(10, 80))
        field += rng.normal() * side + 0.4 * np.exp(-np.abs(away) / 1.5)
    return blur_field(field, 0.8) + 0.2 * smooth_noise(rng, 60)


def patchy(rng: np.random.Generator) -> Field:
    """Long fades, and the short skips of a ball-point."""
    return 0.35 * smooth_noise(rng, 70) + 0.22 * blur_field(
        white_noise(rng), rng.uniform(0.8, 1.6)
    )


EVEN = 128  # the grey of a sheet's mean: a texture is what differs from it
STRENGTH = 24.0  # a sheet's standard deviation in grey levels

_SEED = 20240229


def crop_texture(rng: Random, sheets: list[Gray], shape: tuple[int, int]) -> Gray:
    """Cut a piece of `shape` out of one of `sheets`, sometimes mirrored.

    What is larger than a sheet is cut from one with mirrored repeats.
    """
    sheet = rng.choice(sheets)
    rows, columns = shape
    if rows > HEIGHT or columns > WIDTH:
        sheet = np.pad(
            sheet, [(0, max(0, rows - HEIGHT)), (0, max(0, columns - WIDTH))], mode="symmetric"
        )
    top = rng.integers(sheet.shape[0] - rows + 1)
    left = rng.integers(sheet.shape[1] - columns + 1)
    piece = sheet[top : top + rows, left : left + columns]
    return piece[:, ::-1] if rng.bernoulli(0.5) else piece


@cache
def papers() -> list[Gray]:
    """Return sheets of plain papers: fibres, grain, specks, hatching, halftone."""
    kinds = [grain, fibres, recycled_paper, hatching, halftone, laid_paper, blotches]
    return _sheets(kinds, 4)


@cache
def guilloches() -> list[Gray]:
    """Return sheets of printed fine curves and motifs, as on cheques and certificates."""
    kinds = [waves, rosettes, moire, contours, waves, lattice, ripples, lattice]
    return _sheets(kinds, 6)


@cache
def noises() -> list[Gray]:
    """Return sheets of a sensor's noise: fine, and as coarse as after scaling."""
    return _sheets([fine, coarse], 2)


@cache
def lights() -> list[Gray]:
    """Return fields of light, smooth over a few hundred pixels: 255 = full light."""
    return [_as_light(field) for field in _fields([shade], 12)]


@cache
def creases() -> list[Gray]:
    """Return crumpled papers: facets that meet in sharp folds."""
    return _sheets([creases_of_paper], 6)


@cache
def fadings() -> list[Gray]:
    """Return how much ink a pen leaves along its way: 255 = all."""
    return [
        np.clip(np.rint(255 * np.clip(1.25 + field, 0.4, 1)), 0, 255).astype(np.uint8)
        for field in _fields([patchy], 8)
    ]


def _fields(kinds: Sequence[Callable[[np.random.Generator], Field]], count: int) -> list[Field]:
    rng = np.random.default_rng(_SEED)
    return [np.asarray(kind(rng), np.float32) for kind in kinds for _ in range(count)]


def _sheets(kinds: Sequence[Callable[[np.random.Generator], Field]], count: int) -> list[Gray]:
    sheets = []
    for field in _fields(kinds, count):
        even = (field - field.mean()) / max(float(field.std()), 1e-6)
        sheets.append(np.clip(np.rint(EVEN + STRENGTH * even), 0, 255).astype(np.uint8))
    return sheets


def _as_light(field: Field) -> Gray:
    low, high = float(field.min()), float(field.max())
    return (255 * (0.35 + 0.65 * (field - low) / (high - low))).astype(np.uint8)
