"""Patterns: surfaces that are no digit, to learn to refuse.

Hatching, bricks, wood, weave, printers' screens, waves, shades and clouds, at many scales. Half
of them fill the picture; the others fill the box that digits fill, light on nothing, as they
come out of `digitlens.imaging`. What looks as simple as a digit there is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitlens.digits import SIDE, Images

Maker = Callable[[np.random.Generator], NDArray[Any]]

# Strokes and holes that a pattern in the box has at least: an 8 has three of them.
MIN_PARTS = 5

INK = 96  # ink of 255 from which a pixel belongs to a stroke
BOX = (12, 20)  # the shorter side of the box is within this, in pixels; the longer one is 20


def draw_patterns(count: int, rng: np.random.Generator) -> Images:
    """Draw patterns of all kinds in turn, half of them in a box: uint8 (count, 28, 28).

    >>> pictures = draw_patterns(4, np.random.default_rng(0))
    >>> pictures.shape, pictures.dtype
    ((4, 28, 28), dtype('uint8'))
    """
    pictures = np.empty((count, SIDE, SIDE), np.uint8)
    for index in range(count):
        make = MAKERS[index // 2 % len(MAKERS)]
        draw = _fill if index % 2 == 0 else _put_into_box
        pictures[index] = draw(make, rng)
    return pictures


def _fill(make: Maker, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a pattern over the whole picture, on any ground, with a little grain."""
    pattern = _either_way(make(rng), rng)
    low, high = rng.uniform(0.0, 0.2), rng.uniform(0.6, 1.0)
    pattern = (
        low + (high - low) * pattern + rng.uniform(0, 0.05) * rng.normal(size=pattern.shape)
    )
    return _as_bytes(pattern)


def _put_into_box(make: Maker, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a pattern in the box that digits fill, and again where it could be a digit."""
    while True:
        sides = [20, int(rng.integers(BOX[0], BOX[1] + 1))]
        height, width = rng.permutation(sides)
        small = cv2.resize(make(rng), (int(width), int(height)), interpolation=cv2.INTER_AREA)
        picture = np.zeros((SIDE, SIDE))
        top, left = (SIDE - height) // 2, (SIDE - width) // 2
        picture[top : top + height, left : left + width] = _either_way(small, rng)
        whole = _as_bytes(picture)
        if make is _shade or _count_parts(whole) >= MIN_PARTS:
            return whole


def _either_way(pattern: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    return np.asarray(1 - pattern if rng.random() < 0.4 else pattern)


def _as_bytes(pattern: NDArray[Any]) -> NDArray[np.uint8]:
    gray: NDArray[np.uint8] = np.rint(pattern.clip(0, 1) * 255).astype(np.uint8)
    return gray


def _count_parts(picture: NDArray[np.uint8]) -> int:
    """Return how many strokes and holes a picture has, specks left out."""
    parts = 0
    for ink, connectivity in ((picture >= INK, 8), (picture < INK, 4)):
        statistics = cv2.connectedComponentsWithStats(
            ink.astype(np.uint8), connectivity=connectivity
        )[2]
        parts += int((statistics[1:, cv2.CC_STAT_AREA] >= 3).sum())
    return parts - 1  # the paper around is no hole


def _coordinates(
    rng: np.random.Generator, bend: float = 0.0
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return two coordinates in pixels, rotated, moved, and bent by a smooth random field."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64)
    angle = rng.uniform(0, np.pi)
    first = columns * np.cos(angle) + rows * np.sin(angle) + rng.uniform(0, 50)
    second = rows * np.cos(angle) - columns * np.sin(angle) + rng.uniform(0, 50)
    if bend:
        first = first + bend * _field(5, rng)
        second = second + bend * _field(5, rng)
    return first, second


def _field(knots: int, rng: np.random.Generator) -> NDArray[Any]:
    """Draw a smooth random field of about unit variance: float64 (28, 28)."""
    coarse = rng.normal(size=(knots, knots))
    return cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def _lines(across: NDArray[Any], step: float, width: float) -> NDArray[Any]:
    """Draw lines of `width` pixels, one each `step`, where the coordinate is a multiple."""
    away = np.abs((across + step / 2) % step - step / 2)
    return (width / 2 + 0.5 - away).clip(0, 1)


def _hatch(rng: np.random.Generator) -> NDArray[Any]:
    """Draw one to three layers of parallel lines, each at an angle of its own."""
    layers = [
        _lines(
            _coordinates(rng, rng.uniform(0, 0.8))[0], rng.uniform(3, 8), rng.uniform(0.6, 2)
        )
        for _ in range(int(rng.integers(1, 4)))
    ]
    return np.asarray(np.max(layers, axis=0))


def _bricks(rng: np.random.Generator) -> NDArray[Any]:
    """Draw the joints of a wall, each course moved by half a brick."""
    along, up = _coordinates(rng, rng.uniform(0, 0.4))
    height, length, width = rng.uniform(4, 9), rng.uniform(7, 16), rng.uniform(0.6, 2)
    shifted = along + (up // height % 2) * length / 2
    joints = np.maximum(_lines(up, height, width), _lines(shifted, length, width))
    return np.asarray(joints)


def _wood(rng: np.random.Generator) -> NDArray[Any]:
    """Draw growth rings of a stem, seen across it or cut along it, around some knot."""
    first, second = _coordinates(rng, rng.uniform(0.5, 2.5))
    first, second = first - first.mean(), second - second.mean()
    long, middle = rng.uniform(1, 6), rng.uniform(-12, 12, 2)
    away = np.hypot(first - middle[0], (second - middle[1]) / long)
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * away / rng.uniform(2.5, 7) + rng.uniform(0, 6))
    return np.asarray(wave ** rng.uniform(0.5, 4))


def _weave(rng: np.random.Generator) -> NDArray[Any]:
    """Draw threads that go over and under each other."""
    first, second = _coordinates(rng, rng.uniform(0, 0.5))
    step = rng.uniform(3, 8)
    over = (first // step + second // step) % 2 == 0
    thread = np.where(over, first % step, second % step) / step
    return np.sin(np.pi * thread) ** rng.uniform(0.5, 2)


def _screen(rng: np.random.Generator) -> NDArray[Any]:
    """Draw a printer's screen: dots that are larger where a gray field is darker."""
    first, second = _coordinates(rng)
    step = rng.uniform(3, 7)
    grid = np.cos(2 * np.pi * first / step) * np.cos(2 * np.pi * second / step)
    return (2.5 * (grid + 0.5 * _field(3, rng)) + 0.5).clip(0, 1)


def _waves(rng: np.random.Generator) -> NDArray[Any]:
    """Draw lines that wave, or go in zigzag."""
    first, second = _coordinates(rng)
    turn = 2 * np.pi * second / rng.uniform(6, 16)
    swing = np.sin(turn) if rng.random() < 0.5 else np.arcsin(np.sin(turn)) * 2 / np.pi
    return _lines(first + rng.uniform(1, 4) * swing, rng.uniform(4, 10), rng.uniform(0.8, 2.5))


def _shade(rng: np.random.Generator) -> NDArray[Any]:
    """Draw light that fades to a side, along a curve or around some place."""
    first, second = _coordinates(rng, rng.uniform(0, 2))
    first, second = first - first.mean(), second - second.mean()
    away = (
        np.hypot(first, second * rng.choice((0.0, 0.5, 1.0))) if rng.random() < 0.5 else first
    )
    fading = (away - away.min()) / np.ptp(away)
    return np.asarray(fading ** rng.uniform(0.5, 2))


def _clouds(rng: np.random.Generator) -> NDArray[Any]:
    """Draw noise of several octaves, as it is or cut into black and white."""
    octaves = rng.choice((3, 5, 8, 14, 28), int(rng.integers(1, 4)), replace=False)
    field = sum(_field(int(knots), rng) * knots ** -rng.uniform(0, 0.8) for knots in octaves)
    field = (field - field.mean()) / (field.std() + 1e-6)
    return np.asarray((field * rng.choice((0.3, 0.6, 3.0)) + 0.5).clip(0, 1))


MAKERS: tuple[Maker, ...] = (_hatch, _bricks, _wood, _weave, _screen, _waves, _shade, _clouds)
