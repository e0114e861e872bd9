"""Ink and paper of a picture of one line, quickly; and where the writing's body is.

All of it takes less time than reading the line. The network needs none of it to read: it says
how far digits reach, and makes a second picture to look at, cut close to the writing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grey: TypeAlias = "NDArray[np.uint8]"
    Place: TypeAlias = "tuple[int, int, int, int]"
    """Left, top, right, bottom."""

EXTREME = 0.01
"""Share of the pixels on either side that is passed over when full ink is looked for."""

GRAIN = 8
"""Where what is left differs from the paper by no more grey levels than this, there is little
ink on much paper, and none is passed over: light ink would be lost, and grain become ink."""

WORK = 96
"""Rows at which the writing's body is looked for."""

INKED = 110
"""Ink, of 255, that belongs to a stroke of the body."""

TALL = 0.3
"""Marks of less than this share of the tallest one's height are not of the body."""

SPECK = 40
"""Pixels at `WORK` rows that a mark of the body has at least."""

MARGIN, BESIDE = 0.12, 0.24
"""Paper left around the body, in its heights: above and below, at the sides."""


def quick_ink(grey: Grey) -> Grey:
    """Tell ink from paper where most is paper and the light is even, in microseconds.

    The paper is the median; ink is what differs from it towards the side that differs more.

    Parameters
    ----------
    grey
        uint8 (h, w), either polarity.

    Returns
    -------
    uint8 (h, w): 0 = paper, 255 = full ink.

    Examples
    --------
    >>> quick_ink(np.array([[9, 200, 200, 200]], np.uint8)).tolist()
    [[255, 0, 0, 0]]
    """
    # The grey values' counts hold all that is asked, and are far quicker than sorting.
    counts = np.bincount(grey.ravel(), minlength=256).cumsum() / grey.size
    dark, paper, light = np.searchsorted(counts, [EXTREME, 0.5, 1 - EXTREME]).tolist()
    if max(paper - dark, light - paper) <= GRAIN:
        dark, light = int(grey.min()), int(grey.max())
    sign = -1 if paper - dark >= light - paper else 1
    full = max(paper - dark, light - paper, 1)
    steps = np.clip((np.arange(256) - paper) * sign * 255.0 / full, 0, 255)
    return np.asarray(steps.astype(np.uint8)[grey])


def body_of(grey: Grey) -> Place | None:
    """Find where the tall marks of a line stand, small ones and the paper's pattern left out.

    Parameters
    ----------
    grey
        uint8 (h, w), either polarity: one line of writing.

    Returns
    -------
    Left, top, right, bottom with a little paper around, in pixels; None where there is no mark.
    """
    high, wide = grey.shape
    scale = WORK / high
    size = max(8, round(wide * scale)), WORK
    large = cv2.GaussianBlur(cv2.resize(grey, size), (0, 0), 1.2)
    # Uneven light is what a median over a good part of the line's height leaves.
    small = cv2.resize(large, (max(4, size[0] // 4), WORK // 4), interpolation=cv2.INTER_AREA)
    paper = cv2.resize(cv2.medianBlur(small, 13), size)
    even = np.clip(128 + large.astype(np.int16) - paper.astype(np.int16), 0, 255)
    ink = quick_ink(even.astype(np.uint8))
    stats = cv2.connectedComponentsWithStats((ink > INKED).astype(np.uint8))[2]
    tallest = int(stats[1:, 3].max(initial=0))
    kept = (stats[:, 3] >= TALL * tallest) & (stats[:, 4] >= SPECK)
    kept[0] = False
    if not kept.any():
        return None
    left, top = stats[kept, 0].min(), stats[kept, 1].min()
    right = (stats[kept, 0] + stats[kept, 2]).max()
    bottom = (stats[kept, 1] + stats[kept, 3]).max()
    above, beside = MARGIN * (bottom - top), BESIDE * (bottom - top)
    return (
        max(0, int((left - beside) / scale)),
        max(0, int((top - above) / scale)),
        min(wide, int(np.ceil((right + beside) / scale))),
        min(high, int(np.ceil((bottom + above) / scale))),
    )
