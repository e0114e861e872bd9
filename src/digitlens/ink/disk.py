"""A disk to thicken and to thin strokes with."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def disk(radius: float) -> NDArray[np.uint8]:
    """Return the pixels within `radius` of the middle one: uint8, 1 inside, 0 outside.

    Examples
    --------
    >>> disk(1.0).tolist()
    [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    """
    return _disk(round(radius, 1))


@functools.lru_cache(maxsize=256)
def _disk(radius: float) -> NDArray[np.uint8]:
    reach = int(np.ceil(radius))
    down, across = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    inside: NDArray[np.uint8] = (down**2 + across**2 <= radius**2 + 0.25).astype(np.uint8)
    inside.flags.writeable = False
    return inside
