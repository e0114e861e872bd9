"""How likely a line has so many digits, whichever they are: a sum, without a search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.digits import CLASSES
from digitlens.reading.frames import BLANK, COLUMNS, frames_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

FAINT = 1e-7
"""Frames in which no digit has more than this are taken for blank: in 1,000 of them a digit
comes in with a probability of 0.001 at most."""


def length_probability(
    log_probs: NDArray[np.floating[Any]], lengths: Collection[int], *, floor: float = FAINT
) -> float:
    """Return how likely it is that a line has one of these numbers of digits.

    It is the sum over all strings of these lengths of all their alignments. `decode` weighs
    single strings and says it too, but for words, in which every frame may be anything, takes
    50 times as long.

    Parameters
    ----------
    log_probs
        float (T, 11), as for `digitlens.reading.decode`.
    lengths
        Numbers of digits, each at least 0.
    floor
        Frames in which no digit has more than this are taken for blank; 0.0 is exact.

    Returns
    -------
    0..1.

    Raises
    ------
    ShapeError, DataError
        As `decode` says.

    Notes
    -----
    Beginnings of alignments are kept apart by how many digits they spell and by the class of
    their last frame. The next frame adds a digit where its class is a digit and another than
    that.

    Examples
    --------
    >>> frames = np.log(np.full((2, 11), 1 / 11))
    >>> [round(121 * length_probability(frames, [count])) for count in range(4)]
    [1, 30, 90, 0]
    """
    frames = frames_of(log_probs)
    open_ = frames[:, :BLANK].max(axis=1) > floor
    settled = frames.copy()
    settled[~open_] = 0.0
    settled[~open_, BLANK] = 1.0
    # Of neighbouring frames that are blank one is enough.
    kept = settled[open_ | np.append(True, open_[:-1])]
    # Digits, class: beginnings; before column 0, so that a digit can be added to none.
    held = np.zeros((COLUMNS, max(lengths) + 2))
    held[BLANK, 1] = 1.0
    grown = np.empty((CLASSES, held.shape[1] - 1))
    for frame in kept[:, :, None]:
        total = np.add.reduce(held, axis=0)
        np.subtract(held[:BLANK, 1:], held[:BLANK, :-1], grown)
        np.add(grown, total[:-1], grown)
        np.multiply(grown, frame[:BLANK], held[:BLANK, 1:])
        np.multiply(total, frame[BLANK], held[BLANK])
    ends = held.sum(axis=0)
    return min(1.0, float(sum(ends[length + 1] for length in set(lengths))))
