"""Patterns of paper, print and light, as fields of numbers that textures are made of.

Each function draws one sheet with the generator that it is given: (HEIGHT, WIDTH), more where
it is lighter. How strong it becomes on paper is decided elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[Any]
    """float32 or float64 (HEIGHT, WIDTH)."""

HEIGHT, WIDTH = 288, 1024
"""Of a sheet, in pixels."""


def blurred(field: Field, across: float, down: float = 0.0) -> Field:
    """Smooth `field` by Gaussians of these deviations; `down` is `across` where not given."""
    return np.asarray(cv2.GaussianBlur(field, (0, 0), across, sigmaY=down))


def white(chance: np.random.Generator) -> Field:
    """Numbers of their own for each pixel, normally distributed."""
    return chance.standard_normal((HEIGHT, WIDTH), np.float32)


def smooth(chance: np.random.Generator, across: float, down: float | None = None) -> Field:
    """Return a random field, smooth over `across` and `down` pixels, of deviation 1."""
    down = down or across
    # Drawn coarse and enlarged: a wide blur of a whole sheet would take half a second.
    coarse = max(2, int(HEIGHT / down * 2)), max(2, int(WIDTH / across * 2))
    knots = chance.standard_normal(coarse, np.float32)
    field = cv2.resize(knots, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray((field - field.mean()) / field.std(), np.float32)


def grain(chance: np.random.Generator) -> Field:
    """Grain of paper, a little cloudy."""
    return blurred(white(chance), chance.uniform(0.5, 1.2)) * 3 + 0.3 * smooth(chance, 40)


def fibres(chance: np.random.Generator) -> Field:
    """Fibres that lie along and across."""
    along = blurred(white(chance), 4.0, 0.6)
    across = blurred(white(chance), 0.6, 4.0)
    return np.maximum(along, across) + 0.05 * white(chance)


def recycled(chance: np.random.Generator) -> Field:
    """Grain with dark specks and splinters, as in recycled paper."""
    field = blurred(white(chance), 1.0)
    for _ in range(int(chance.uniform(100, 700))):
        place = int(chance.integers(WIDTH)), int(chance.integers(HEIGHT))
        length, angle = chance.uniform(0, 6), chance.uniform(0, np.pi)
        end = place[0] + int(length * np.cos(angle)), place[1] + int(length * np.sin(angle))
        cv2.line(field, place, end, -float(chance.uniform(0.5, 3)), 1)
    return blurred(field, 0.6)


def _rows_columns() -> tuple[Field, Field]:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    return rows, columns


def hatched(chance: np.random.Generator) -> Field:
    """Fine parallel lines: the insides of security envelopes, tinted fields."""
    rows, columns = _rows_columns()
    angle, step = chance.uniform(0, np.pi), chance.uniform(3, 9)
    phase = (np.cos(angle) * columns + np.sin(angle) * rows) / step
    return np.asarray(np.cos(2 * np.pi * phase) + 0.4 * smooth(chance, 60))


def halftone(chance: np.random.Generator) -> Field:
    """A screen of dots: tinted fields in newspapers and forms."""
    rows, columns = _rows_columns()
    step = 2 * np.pi / chance.uniform(3, 7)
    dots = np.cos(step * (columns + rows)) + np.cos(step * (columns - rows))
    return np.asarray(np.minimum(dots, 0.2) * (1 + 0.5 * smooth(chance, 80)))


def laid(chance: np.random.Generator) -> Field:
    """Paper with the marks of its mould, or a scanner's streaks."""
    streaks = chance.standard_normal((1, WIDTH)).astype(np.float32)
    streaks = blurred(streaks, chance.uniform(0.7, 2.5))
    field = np.repeat(streaks, HEIGHT, axis=0)
    return field + 0.3 * blurred(white(chance), 0.7)


def blotched(chance: np.random.Generator) -> Field:
    """Stains, and print that shines through from the other side."""
    through = np.clip(smooth(chance, 14, 9) - 0.9, 0, 1)
    return -2 * through + 0.4 * smooth(chance, 90) + 0.15 * white(chance)


def lines(phase: Field, thin: float) -> Field:
    """Return dark lines where `phase` is whole; the larger `thin`, the finer they are."""
    return -np.exp(-thin * (1 - np.cos(2 * np.pi * phase)))


def waves(chance: np.random.Generator) -> Field:
    """Families of parallel sine curves that cross each other."""
    rows, columns = _rows_columns()
    field = np.zeros_like(rows)
    for _ in range(int(chance.integers(1, 4))):
        step = chance.uniform(4, 13)
        swing = chance.uniform(3, 22) * np.sin(
            columns / chance.uniform(12, 60) + chance.uniform(0, 6)
        )
        swing += chance.uniform(0, 8) * np.sin(columns / chance.uniform(5, 14))
        tilt = chance.normal(0, 0.4) * columns
        field += lines((rows + swing + tilt) / step, chance.uniform(1, 5))
    return field + 0.3 * smooth(chance, 120)


def rosettes(chance: np.random.Generator) -> Field:
    """Flowers of fine lines, one beside the other."""
    rows, columns = _rows_columns()
    field = 0.3 * smooth(chance, 150)
    for _ in range(6):
        y, x = rows - chance.uniform(0, HEIGHT), columns - chance.uniform(0, WIDTH)
        away, angle = np.hypot(x, y), np.arctan2(y, x)
        petals, step = int(chance.integers(5, 24)), chance.uniform(4, 10)
        bloom = away + chance.uniform(2, 9) * np.sin(petals * angle)
        edge = np.clip((chance.uniform(60, 160) - away) / 4, 0, 1)
        field += edge * lines(bloom / step, chance.uniform(1, 4))
    return np.asarray(field, np.float32)


def moire(chance: np.random.Generator) -> Field:
    """Two families of lines at a small angle, which make bands where they meet."""
    rows, columns = _rows_columns()
    bend = 6 * smooth(chance, 150)
    one = lines((rows + bend) / chance.uniform(3, 6), 1)
    two = lines((rows + chance.normal(0, 0.3) * columns - bend) / chance.uniform(4, 9), 2)
    return one + two


def lattice(chance: np.random.Generator) -> Field:
    """Two families of fine lines that cross and make diamonds, a little bent."""
    rows, columns = _rows_columns()
    bend = chance.uniform(0, 10) * smooth(chance, 90)
    field = 0.3 * smooth(chance, 120)
    for side in (-1, 1):
        angle = side * chance.uniform(0.25, 1.2)
        phase = np.cos(angle) * rows + np.sin(angle) * columns + side * bend
        field = field + lines(phase / chance.uniform(3.5, 9), chance.uniform(1, 5))
    return np.asarray(field, np.float32)


def ripples(chance: np.random.Generator) -> Field:
    """One family of fine lines, nearly level and a little wavy, close together."""
    rows, columns = _rows_columns()
    swing = chance.uniform(0.5, 4) * np.sin(columns / chance.uniform(6, 40))
    tilt = chance.normal(0, 0.25) * columns + chance.uniform(0, 9) * smooth(chance, 120)
    thin = chance.uniform(0.5, 4)
    return lines((rows + swing + tilt) / chance.uniform(3, 7), thin) + 0.2 * white(chance)


def contours(chance: np.random.Generator) -> Field:
    """Map-like contours over the tint of a large motif."""
    hills = smooth(chance, chance.uniform(60, 200))
    motif = np.clip(3 * smooth(chance, 110), -1, 1)
    return np.asarray(lines(hills * chance.uniform(2, 5), 2) + 0.5 * motif)


def fine(chance: np.random.Generator) -> Field:
    """A sensor's noise, pixel by pixel."""
    return white(chance)


def coarse(chance: np.random.Generator) -> Field:
    """The same after the camera smoothed or enlarged it."""
    return blurred(white(chance), chance.uniform(0.6, 1.0))


def shade(chance: np.random.Generator) -> Field:
    """Light from a side, with the soft shadow of a hand or a phone."""
    rows, columns = _rows_columns()
    field = chance.normal() * columns / WIDTH * 2 + chance.normal() * rows / HEIGHT
    across = chance.uniform(100, 400)
    field += 0.6 * smooth(chance, across, across / 2.5)
    for _ in range(2):
        edge = columns + chance.normal(0, 0.6) * rows - chance.uniform(0, WIDTH)
        field += chance.normal(0, 0.6) * np.tanh(edge / chance.uniform(15, 80))
    return np.asarray(field, np.float32)


def crumpled(chance: np.random.Generator) -> Field:
    """Facets that meet in sharp folds."""
    field = np.zeros((HEIGHT, WIDTH), np.float32)
    rows, columns = _rows_columns()
    for _ in range(14):
        angle = chance.uniform(0, np.pi)
        away = np.cos(angle) * columns + np.sin(angle) * rows
        away -= chance.uniform(away.min(), away.max())
        side = np.sign(away) * np.exp(-np.abs(away) / chance.uniform(10, 80))
        field += chance.normal() * side + 0.4 * np.exp(-np.abs(away) / 1.5)
    return blurred(field, 0.8) + 0.2 * smooth(chance, 60)


def patchy(chance: np.random.Generator) -> Field:
    """Long fades, and the short skips of a ball-point."""
    return 0.35 * smooth(chance, 70) + 0.22 * blurred(white(chance), chance.uniform(0.8, 1.6))
