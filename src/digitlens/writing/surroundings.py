"""What else is on the page near a number: other lines, cut by the edge, and words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.writing.fonts import printed_words, script_words

if TYPE_CHECKING:
    from digitlens.writing.dice import Dice
    from digitlens.writing.glyphs import Glyphs
    from digitlens.writing.style import Style
    from digitlens.writing.written import Grey

DEEPEST = 0.38
"""No more than this share of a neighbour's height is seen: too little to be read."""


def paste(ink: Grey, patch: Grey, left: int, top: int) -> None:
    """Lay `patch` on `ink`, where it lies inside; the darker of both stays."""
    rows, columns = ink.shape
    up, across = max(0, -top), max(0, -left)
    down = min(patch.shape[0], rows - top)
    end = min(patch.shape[1], columns - left)
    if up < down and across < end:
        place = ink[top + up : top + down, left + across : left + end]
        np.maximum(place, patch[up:down, across:end], out=place)


def add_neighbours(
    ink: Grey, glyphs: Glyphs, dice: Dice, height: float, free: tuple[float, float]
) -> None:
    """Let the line above, below or both reach into the picture.

    Parameters
    ----------
    ink
        uint8 (H, W): the picture's own ink, written to.
    height
        Of a digit, in pixels.
    free
        Rows above the writing and below it; neighbours reach hardly further.
    """
    above, below = dice.pick(((True, False), (False, True), (True, True)))
    words = dice.hit(0.35)
    for upper, wanted in ((True, above), (False, below)):
        if not wanted:
            continue
        room = max(0.0, free[0] if upper else free[1]) + 0.08 * height
        seen = min(dice.even(0.06, DEEPEST) * height, room)
        x = dice.normal(0.0, 0.6) * height
        while x < ink.shape[1]:
            size = height * dice.normal(1.0, 0.1)
            if words:
                patch = sized(dice.pick(script_words()), size * 0.9)
            else:
                image = glyphs.images[dice.below(len(glyphs.images))]
                patch = np.asarray(image[4:24, 4:24], np.uint8)
                patch = sized(patch, size)
            off = round(seen + dice.normal(0, 0.04) * size)
            paste(ink, patch, round(x), off - patch.shape[0] if upper else ink.shape[0] - off)
            x += patch.shape[1] * dice.even(0.85, 1.6) + (0.3 * size if words else 0.0)
            if dice.hit(0.12):
                x += dice.even(0.5, 4.0) * height


def add_label(
    ink: Grey, dice: Dice, style: Style, span: tuple[float, float], row: float
) -> None:
    """Print a word to the left or right of the writing, as far as there is room.

    Parameters
    ----------
    span
        Left and right edge of the writing.
    row
        Of the line, in the picture; the word stands on it.
    """
    word = dice.pick(printed_words(style.fonts))
    size = dice.even(0.25, 0.6) * max(20.0, 0.5 * ink.shape[0])
    patch = sized(word, size)
    top = round(row - size * dice.even(0.8, 1.3))
    if span[0] > ink.shape[1] - span[1]:
        left = round(span[0] - patch.shape[1] - dice.even(0.3, 1.0) * size)
    else:
        left = round(span[1] + dice.even(0.5, 1.5) * size)
    paste(ink, (patch * dice.even(0.4, 1.0)).astype(np.uint8), left, top)


def sized(patch: Grey, height: float) -> Grey:
    """Scale `patch` to `height` pixels, proportions kept; at least 2 x 2 pixels remain."""
    factor = height / patch.shape[0]
    size = max(2, round(patch.shape[1] * factor)), max(2, round(height))
    way = cv2.INTER_AREA if factor < 0.7 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(patch, size, interpolation=way), np.uint8)
