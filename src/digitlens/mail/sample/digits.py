"""Which digits a ZIP is written with: MNIST's test digits, or ones that the program draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.digits import SIDE, Digits
from digitlens.mail.sample.letters import CAPITAL, rounded, strokes_of
from digitlens.writing.dice import Dice
from digitlens.writing.strokes import draw

if TYPE_CHECKING:
    from digitlens.writing.written import Grey

BOX = 20
"""MNIST's digits have their longer side at 20 pixels, their centre of mass in the middle."""

ZOOM = 4
"""Digits are drawn so many times larger first: MNIST's edges are soft."""


def mnist_at_hand() -> Digits | None:
    """Return MNIST's test digits where its four files lie on this machine, else None.

    Nothing is downloaded. Readers are trained on the training digits: mail written with
    those would look easier than it is.
    """
    from digitlens.data import load_digits, places
    from digitlens.data.published import MNIST

    for place in (*places.own_places(MNIST), places.cache(MNIST)):
        if place.folder is not None and all(places.find(MNIST.files, place.folder)):
            return load_digits("mnist", validation=0.0).test
    return None


def drawn_digits(hands: int = 40, *, seed: int = 0) -> Digits:
    """Draw digits with a pen: three of each class by each of so many hands.

    Parameters
    ----------
    hands
        At least 1; they are the digits' writers.

    Examples
    --------
    >>> drawn_digits(2).counts.tolist()
    [6, 6, 6, 6, 6, 6, 6, 6, 6, 6]
    """
    images, labels, writers = [], [], []
    for hand in range(hands):
        dice = Dice(np.random.default_rng([seed, hand]))
        slant, wide = dice.normal(0.12, 0.18), dice.even(0.75, 1.1)
        pen, habit = dice.even(1.6, 3.2), dice.even(0.01, 0.05)
        for label in [*range(10)] * 3:
            images.append(_drawn(dice, label, (slant, wide, pen, habit)))
            labels.append(label)
            writers.append(hand)
    return Digits(
        np.stack(images),
        np.array(labels, np.uint8),
        source="drawn",
        writers=np.array(writers, np.int64),
    )


def _drawn(dice: Dice, label: int, hand: tuple[float, float, float, float]) -> Grey:
    slant, wide, pen, stray = hand
    side, unit = ZOOM * SIDE, ZOOM * BOX / CAPITAL
    ink = np.zeros((side, side), np.uint8)
    for stroke in strokes_of(str(label)):
        points = []
        for x, y, corner in stroke:
            across = x * unit * 0.85 * wide + dice.normal(0, stray) * unit * CAPITAL
            up = (y - CAPITAL / 2) * unit * 0.92 + dice.normal(0, stray) * unit * CAPITAL
            points.append((side / 4 + across + slant * up, side / 2 - up, corner))
        draw(ink, rounded(points), ZOOM * pen)
    if label == 7 and dice.hit(0.15):
        middle = side / 2 - 0.05 * side
        draw(ink, [(side * 0.4, middle), (side * 0.66, middle - 3)], ZOOM * pen)
    return _framed(ink)


def _framed(ink: Grey) -> Grey:
    """Bring the ink to MNIST's frame: the longer side 20 pixels, its mass in the middle."""
    left, top, across, high = cv2.boundingRect(ink)
    scale = BOX / max(across, high)
    size = max(1, round(across * scale)), max(1, round(high * scale))
    cut = ink[top : top + high, left : left + across]
    small = cv2.resize(cut, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
    mass = small.sum()
    x = round(SIDE / 2 - float((small * columns).sum() / mass) - 0.5)
    y = round(SIDE / 2 - float((small * rows).sum() / mass) - 0.5)
    x, y = min(max(x, 0), SIDE - size[0]), min(max(y, 0), SIDE - size[1])
    found = np.zeros((SIDE, SIDE), np.uint8)
    found[y : y + size[1], x : x + size[0]] = small.round()
    return found
