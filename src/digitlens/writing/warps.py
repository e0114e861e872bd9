"""Smooth distortions: no hand writes a digit twice alike.

P. Simard, D. Steinkraus, J. Platt: Best practices for convolutional neural networks applied to
visual document analysis, ICDAR 2003, section 2: elastic distortions, a displacement of each
pixel, drawn at random and smoothed.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens.writing.forms import CELL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.writing.dice import Dice
    from digitlens.writing.written import Grey

COUNT = 384
"""Distortions that are kept ready; with the digits they meet that makes enough."""

SMOOTH = 5.5
"""Deviation of the smoothing in pixels of a digit 20 pixels high: about a stroke's bend."""

FAR = (0.4, 1.5)
"""How far pixels move: deviations, in pixels of such a digit."""

_SEED = 20030803


def warped(cell: Grey, dice: Dice) -> Grey:
    """Return a digit in its field, uint8 (40, 40), bent by one of the distortions."""
    whole, part = dice.pick(_maps())
    return np.asarray(cv2.remap(cell, whole, part, cv2.INTER_LINEAR), np.uint8)


@cache
def _maps() -> list[tuple[NDArray[np.int16], NDArray[np.uint16]]]:
    """Draw the distortions, in the fixed-point form that OpenCV is quickest with."""
    chance = np.random.default_rng(_SEED)
    rows, columns = np.mgrid[0:CELL, 0:CELL].astype(np.float32)
    found = []
    for _ in range(COUNT):
        far = chance.uniform(*FAR)
        moves = []
        for _ in range(2):
            field = cv2.GaussianBlur(
                chance.standard_normal((CELL, CELL), np.float32), (0, 0), SMOOTH
            )
            moves.append(far * (field - field.mean()) / field.std())
        found.append(
            cv2.convertMaps(
                (columns + moves[0]).astype(np.float32),
                (rows + moves[1]).astype(np.float32),
                cv2.CV_16SC2,
            )
        )
    return found
