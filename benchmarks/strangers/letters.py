"""Letters by hand and in print, those that could pass for a digit apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from strangers.frame import fit
from strangers.strokes import FIELD, pen

if TYPE_CHECKING:
    from digitlens.digits import Digits, Images

# Strokes are parted by "/", points by blanks: x from 0, y from 0 at the top of a capital to 8
# on the line. A stroke is a smooth curve through its points; corners are where strokes meet.
HAND = {
    "A": "08 30 / 30 68 / 15 55",
    "C": "61 40 12 04 16 38 67",
    "E": "60 00 / 00 08 / 08 68 / 04 44",
    "F": "60 00 / 00 08 / 04 44",
    "H": "00 08 / 60 68 / 04 64",
    "K": "00 08 / 50 04 / 14 58",
    "M": "08 10 / 10 45 / 45 70 / 70 88",
    "N": "08 00 / 00 58 / 58 50",
    "R": "08 00 / 00 40 52 34 04 / 24 58",
    "T": "00 60 / 30 38",
    "U": "00 05 18 38 55 60 / 60 68",
    "V": "00 38 / 38 60",
    "W": "00 28 / 28 42 / 42 68 / 68 80",
    "X": "00 68 / 60 08",
    "P": "08 00 / 00 40 52 34 04",
    "a": "54 34 16 28 47 54 / 54 56 68",
    "c": "54 33 15 27 48 57",
    "d": "54 34 16 28 47 55 / 50 58",
    "e": "06 56 44 24 06 18 38 57",
    "f": "51 30 22 28 / 04 44",
    "h": "00 08 / 06 24 45 48",
    "k": "00 08 / 44 06 / 15 48",
    "m": "04 08 / 06 24 36 38 / 36 54 66 68",
    "n": "04 08 / 06 24 45 48",
    "p": "04 0b / 05 23 45 47 28 07",
    "r": "04 08 / 06 24 44",
    "t": "20 27 38 47 / 04 44",
    "u": "04 06 18 38 45 / 44 48",
    "v": "04 28 / 28 44",
    "w": "04 18 / 18 34 / 34 58 / 58 64",
    "x": "04 48 / 44 08",
}
"""Letters that nobody takes for a digit."""

HAND_LIKE_DIGITS = {
    "O": "30 02 05 38 65 62 30",
    "D": "00 08 / 00 40 63 65 48 08",
    "Q": "30 02 05 38 65 62 30 / 46 78",
    "I": "20 28",
    "l": "10 15 28 48",
    "J": "40 45 28 07",
    "Z": "00 60 / 60 08 / 08 68",
    "S": "61 30 02 24 56 38 07",
    "b": "00 08 / 06 24 46 28 08",
    "G": "61 30 04 38 67 / 67 65 45",
    "B": "08 00 / 00 40 52 34 04 / 34 66 48 08",
    "g": "54 24 06 27 46 54 / 54 5a 2c 0a",
    "q": "54 24 06 28 46 54 / 54 5c",
    "y": "04 27 55 / 64 3c 0c",
}
"""Letters that some take for a 0, 1, 2, 4, 5, 6, 8 or 9."""

PRINTED = "AEFHKMNPRTUVWXYacdefhkmnprtuvwx"
FACES = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)
SHAKE = 0.35
"""How far, in units of the grid, a hand misses a point."""


def hand_letters(count: int, rng: np.random.Generator, _: Digits) -> Images:
    """Draw letters with a pen that is not steady."""
    return _by_hand(HAND, count, rng)


def look_alikes(count: int, rng: np.random.Generator, _: Digits) -> Images:
    """Draw letters that could pass for digits, in the same way."""
    return _by_hand(HAND_LIKE_DIGITS, count, rng)


def printed_letters(count: int, rng: np.random.Generator, _: Digits) -> Images:
    """Print letters in OpenCV's faces, turned and stretched a little."""
    result = np.empty((count, 28, 28), np.uint8)
    for index in range(count):
        letter = PRINTED[index % len(PRINTED)]
        face = int(rng.choice(FACES))
        field = np.zeros((FIELD, FIELD), np.uint8)
        thick = int(rng.integers(1, 6))
        cv2.putText(field, letter, (30, 80), face, 2.5, 255, thick, cv2.LINE_AA)
        angle, stretch = rng.normal(0, 6), np.exp(rng.normal(0, 0.1))
        turn = cv2.getRotationMatrix2D((FIELD / 2, FIELD / 2), angle, 1.0)
        turn[0] *= stretch
        result[index] = fit(cv2.warpAffine(field, turn, (2 * FIELD, FIELD)))
    return result


def _by_hand(strokes: dict[str, str], count: int, rng: np.random.Generator) -> Images:
    names = list(strokes)
    result = np.empty((count, 28, 28), np.uint8)
    for index in range(count):
        drawn = [
            np.array([[int(digit, 16) for digit in point] for point in stroke.split()], float)
            for stroke in strokes[names[index % len(names)]].split("/")
        ]
        result[index] = pen([item + rng.normal(0, SHAKE, item.shape) for item in drawn], rng)
    return result
