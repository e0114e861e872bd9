"""Salt and pepper out of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.ink.guesses import otsu

if TYPE_CHECKING:
    from numpy.typing import NDArray

SALTED = 0.02
"""Specks to a pixel from which a picture counts as salted. Clean digits, drawings and cut-outs
have fewer than 0.008; one pixel in six turned black or white by chance makes 0.028 or more."""

LARGEST_SPECK = 2
"""Pixels of a speck where they are counted."""

LARGEST_PATCH = 6
"""Pixels of a patch that is smoothed away: chance joins specks, but no more than a few."""

ROUNDS = 2
"""The median cleans a half at each go where specks lie close."""


def count_specks(grey: NDArray[np.uint8]) -> float:
    """Return how many marks of one or two pixels, dark or light, there are to a pixel."""
    import cv2

    bound, _ = otsu(grey.astype(np.float32))
    found = 0
    for side in (grey > bound, grey <= bound):
        stats = cv2.connectedComponentsWithStats(side.astype(np.uint8), connectivity=8)[2]
        found += int((stats[1:, cv2.CC_STAT_AREA] <= LARGEST_SPECK).sum())
    return found / grey.size


def remove_specks(grey: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """Take salt and pepper out of a salted picture; leave every other picture as it is.

    Only small patches that differ from the median of their 3 x 3 neighbourhood are changed,
    so that thin strokes, which differ from it too but hang together, stay.

    Parameters
    ----------
    grey
        uint8 (H, W).

    Returns
    -------
    The picture, uint8 (H, W), and the share of its pixels that were changed.
    """
    import cv2

    clean = grey
    for _ in range(ROUNDS):
        if count_specks(clean) < SALTED:
            break
        middle = cv2.medianBlur(clean, 3)
        reach = float(clean.max()) - float(clean.min())
        odd = (cv2.absdiff(clean, middle) > 0.35 * reach).astype(np.uint8)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(odd, connectivity=8)
        small = stats[:, cv2.CC_STAT_AREA] <= LARGEST_PATCH
        small[0] = False
        clean = np.where(small[labels], middle, clean)
    return clean, float((clean != grey).mean())
