"""Stamp and postmark: what covers the upper right corner of an envelope."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.writing.textures import cut, fadings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.writing.dice import Dice

    Colour = NDArray[np.uint8]

SKIES = ((231, 214, 178), (188, 214, 240), (214, 196, 226), (250, 226, 170), (196, 226, 214))
GROUNDS = ((74, 110, 66), (120, 84, 52), (52, 84, 120), (140, 60, 60), (90, 90, 110))
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
FONT = cv2.FONT_HERSHEY_SIMPLEX


def stamp(dice: Dice, dots: float) -> tuple[Colour, NDArray[np.uint8]]:
    """Draw a stamp: its colours uint8 (H, W, 3), and where it is, 255, and is not, 0.

    Parameters
    ----------
    dots
        Per inch.
    """
    wide, high = round(dice.even(0.82, 0.92) * dots), round(dice.even(0.95, 1.1) * dots)
    if dice.hit(0.4):
        wide, high = high, wide
    scale = 3
    shape = high * scale, wide * scale
    paper = np.full((*shape, 3), 250, np.uint8)
    inner = paper[9 * scale : -9 * scale, 9 * scale : -9 * scale]
    _scene(dice, inner)
    height = inner.shape[0]
    words = dice.pick(("FOREVER", "USA", "FOREVER USA", "USA 55c"))
    size = 0.28 * scale * dots / 150 * 1.4
    low = dice.hit(0.5)
    at = (7 * scale, height - 7 * scale if low else 16 * scale)
    under = inner[at[1] - 6 * scale : at[1], at[0] : at[0] + 30 * scale]
    tone = (245, 245, 240) if under.mean() < 150 else (30, 30, 40)
    cv2.putText(inner, words, at, FONT, size, tone, scale, cv2.LINE_AA)
    mask = np.full(shape, 255, np.uint8)
    pitch, hole = 0.062 * dots * scale, round(0.019 * dots * scale)
    for along, across, turned in ((shape[1], shape[0], False), (shape[0], shape[1], True)):
        for step in range(round(along / pitch) + 1):
            spot = round(step * along / round(along / pitch))
            for side in (0, across - 1):
                cv2.circle(mask, (side, spot) if turned else (spot, side), hole, 0, -1)
    small = cv2.resize(paper, (wide, high), interpolation=cv2.INTER_AREA)
    cut_out = cv2.resize(mask, (wide, high), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), np.asarray(cut_out, np.uint8)


def _scene(dice: Dice, field: Colour) -> None:
    """Paint a sky, a sun and hills, or stripes and a star field, into `field`."""
    rows, columns = field.shape[:2]
    sky, ground = np.array(dice.pick(SKIES)), np.array(dice.pick(GROUNDS))
    if dice.hit(0.25):
        for at in range(7):
            tone = (178, 44, 52) if at % 2 == 0 else (244, 240, 232)
            field[at * rows // 7 : (at + 1) * rows // 7] = tone
        field[: 4 * rows // 7, : columns // 2] = (44, 58, 110)
        for _ in range(14):
            place = dice.below(columns // 2), dice.below(4 * rows // 7)
            cv2.circle(field, place, max(2, rows // 60), (240, 240, 240), -1, cv2.LINE_AA)
        return
    fall = np.linspace(0.9, 1.1, rows)[:, None, None]
    field[:] = np.clip(sky * fall, 0, 255)
    sun = round(dice.even(0.2, 0.8) * columns), round(dice.even(0.2, 0.4) * rows)
    cv2.circle(
        field, sun, round(dice.even(0.08, 0.16) * rows), (250, 214, 120), -1, cv2.LINE_AA
    )
    for layer in range(3):
        base, shade = rows * (0.55 + 0.14 * layer), ground * (1.25 - 0.25 * layer)
        phase, waves = dice.even(0, 6), dice.even(1.0, 2.6)
        ridge = [
            (x, round(base + 0.09 * rows * math.sin(phase + waves * 2 * math.pi * x / columns)))
            for x in range(0, columns + 8, 8)
        ]
        outline = np.array([(0, rows), *ridge, (columns, rows)], np.int32)
        red, green, blue = (float(min(255, each)) for each in shade)
        cv2.fillPoly(field, [outline], (red, green, blue), cv2.LINE_AA)


def postmark(dice: Dice, town: str, dots: float) -> NDArray[np.uint8]:
    """Draw a postmark: a ring with town and date, and waves to its right.

    Returns
    -------
    uint8 (H, W): how much ink lies there, 255 = full.
    """
    scale = 2
    radius = round(0.44 * dots * scale)
    ink = np.zeros((2 * radius + 8 * scale, round(3.1 * dots * scale)), np.uint8)
    middle = radius + 4 * scale
    thin = max(2, round(0.012 * dots * scale))
    for share in (1.0, 0.6) if dice.hit(0.5) else (1.0,):
        spot = middle, middle
        cv2.circle(ink, spot, round(radius * share), 255, thin, cv2.LINE_AA)
    _around(ink, town.upper()[:22], (middle, middle), 0.79 * radius, dots * scale)
    size = 0.0021 * dots * scale
    lines = (
        "PM" if dice.hit(0.5) else "AM",
        f"{dice.below(28) + 1:02d} {dice.pick(MONTHS)}",
        f"20{24 + dice.below(3)}",
    )
    for at, line in enumerate(lines):
        (wide, _), _ = cv2.getTextSize(line, FONT, size, thin)
        row = middle + round((at - 0.68) * 0.34 * radius)
        cv2.putText(ink, line, (middle - wide // 2, row), FONT, size, 255, thin, cv2.LINE_AA)
    for wave in range(5 + dice.below(3)):
        level = middle + (wave - 2.6) * 0.26 * radius
        x = np.arange(middle + radius + 6 * scale, ink.shape[1] - 4, 4)
        y = level + 0.07 * radius * np.sin(x / (0.16 * radius))
        way = np.stack([x, y], axis=1).round().astype(np.int32)
        cv2.polylines(ink, [way], False, 255, thin, cv2.LINE_AA)
    turned = cv2.warpAffine(
        ink,
        cv2.getRotationMatrix2D((middle, middle), dice.normal(0.0, 5.0), 1.0),
        (ink.shape[1], ink.shape[0]),
    )
    shape = round(ink.shape[1] / scale), round(ink.shape[0] / scale)
    small = np.asarray(cv2.resize(turned, shape, interpolation=cv2.INTER_AREA), np.uint8)
    patchy = cut(dice, fadings(), small.shape)
    return np.asarray(cv2.multiply(small, patchy, scale=dice.even(0.55, 0.95) / 255), np.uint8)


def _around(
    ink: NDArray[np.uint8], text: str, middle: tuple[int, int], radius: float, dots: float
) -> None:
    """Write `text` along the upper half of a circle."""
    size = 0.0023 * dots
    side = round(0.2 * dots)
    step = min(0.088 * dots / radius, 4.6 / max(len(text), 1))
    angle = -math.pi / 2 - step * (len(text) - 1) / 2
    for letter in text:
        tile = np.zeros((side, side), np.uint8)
        (wide, high), _ = cv2.getTextSize(letter, FONT, size, 2)
        place = (side - wide) // 2, (side + high) // 2
        cv2.putText(
            tile, letter, place, FONT, size, 255, max(2, round(0.01 * dots)), cv2.LINE_AA
        )
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), -math.degrees(angle) - 90, 1.0)
        tile = np.asarray(cv2.warpAffine(tile, turn, (side, side)), np.uint8)
        left = round(middle[0] + radius * math.cos(angle) - side / 2)
        top = round(middle[1] + radius * math.sin(angle) - side / 2)
        spot = ink[max(top, 0) : top + side, max(left, 0) : left + side]
        np.maximum(spot, tile[-spot.shape[0] :, -spot.shape[1] :], out=spot)
        angle += step
