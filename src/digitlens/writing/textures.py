"""Papers and fields of light, drawn once and cut from ever after.

Drawing a texture takes milliseconds, cutting one out a few microseconds. The sheets are drawn
with a seed of their own, so that they are the same in every process; where and how they are
cut is decided by the line's own chance.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from digitlens.writing import patterns
from digitlens.writing.patterns import HEIGHT, WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitlens.writing.dice import Dice
    from digitlens.writing.patterns import Field
    from digitlens.writing.written import Grey

EVEN = 128
"""The grey of a sheet's mean: a texture is what differs from it."""

STRENGTH = 24.0
"""A sheet's standard deviation in grey levels."""

_SEED = 20240229


def cut(dice: Dice, sheets: list[Grey], shape: tuple[int, int]) -> Grey:
    """Cut a piece of `shape` out of one of `sheets`, sometimes mirrored.

    What is larger than a sheet is cut from one with mirrored repeats.
    """
    sheet = dice.pick(sheets)
    rows, columns = shape
    if rows > HEIGHT or columns > WIDTH:
        sheet = np.pad(
            sheet, [(0, max(0, rows - HEIGHT)), (0, max(0, columns - WIDTH))], mode="symmetric"
        )
    top = dice.below(sheet.shape[0] - rows + 1)
    left = dice.below(sheet.shape[1] - columns + 1)
    piece = sheet[top : top + rows, left : left + columns]
    return piece[:, ::-1] if dice.hit(0.5) else piece


@cache
def papers() -> list[Grey]:
    """Return sheets of plain papers: fibres, grain, specks, hatching, halftone."""
    return _sheets(
        [
            patterns.grain,
            patterns.fibres,
            patterns.recycled,
            patterns.hatched,
            patterns.halftone,
            patterns.laid,
            patterns.blotched,
        ],
        4,
    )


@cache
def guilloches() -> list[Grey]:
    """Return sheets of printed fine curves and motifs, as on cheques and certificates."""
    return _sheets(
        [
            *(patterns.waves, patterns.rosettes, patterns.moire, patterns.contours),
            *(patterns.waves, patterns.lattice, patterns.ripples, patterns.lattice),
        ],
        6,
    )


@cache
def noises() -> list[Grey]:
    """Return sheets of a sensor's noise: fine, and as coarse as after scaling."""
    return _sheets([patterns.fine, patterns.coarse], 2)


@cache
def lights() -> list[Grey]:
    """Return fields of light, smooth over a few hundred pixels: 255 = full light."""
    return [_as_light(field) for field in _fields([patterns.shade], 12)]


@cache
def creases() -> list[Grey]:
    """Return crumpled papers: facets that meet in sharp folds."""
    return _sheets([patterns.crumpled], 6)


@cache
def fadings() -> list[Grey]:
    """Return how much ink a pen leaves along its way: 255 = all."""
    return [
        np.clip(np.rint(255 * np.clip(1.25 + field, 0.4, 1)), 0, 255).astype(np.uint8)
        for field in _fields([patterns.patchy], 8)
    ]


def _fields(kinds: list[Callable[[np.random.Generator], Field]], count: int) -> list[Field]:
    chance = np.random.default_rng(_SEED)
    return [np.asarray(kind(chance), np.float32) for kind in kinds for _ in range(count)]


def _sheets(kinds: list[Callable[[np.random.Generator], Field]], count: int) -> list[Grey]:
    sheets = []
    for field in _fields(kinds, count):
        even = (field - field.mean()) / max(float(field.std()), 1e-6)
        sheets.append(np.clip(np.rint(EVEN + STRENGTH * even), 0, 255).astype(np.uint8))
    return sheets


def _as_light(field: Field) -> Grey:
    low, high = float(field.min()), float(field.max())
    return (255 * (0.35 + 0.65 * (field - low) / (high - low))).astype(np.uint8)
