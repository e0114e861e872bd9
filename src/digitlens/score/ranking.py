"""Telling two groups apart by one score: the area under the curve, and a threshold."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def auroc(low: NDArray[np.floating[Any]], high: NDArray[np.floating[Any]]) -> float:
    """Return the area under the receiver operating characteristic.

    The share of pairs, one of `low` and one of `high`, in which the one of `high` scores
    higher; a tie counts half. 1 is told apart without fault, 0.5 is guessing, under 0.5 is
    the wrong way round.

    Parameters
    ----------
    low
        float (N,), N at least 1: scores of those that should score low, such as real digits.
    high
        float (M,), M at least 1: scores of those that should score high.

    Notes
    -----
    The Mann-Whitney form, by ranks: J. A. Hanley and B. J. McNeil, "The meaning and use of
    the area under a receiver operating characteristic (ROC) curve", Radiology 143 (1982).

    Examples
    --------
    >>> auroc(np.array([0.1, 0.2, 0.4]), np.array([0.4, 0.9]))
    0.9166666666666666
    """
    ordered = np.sort(low)
    under = np.searchsorted(ordered, high, side="left")
    not_over = np.searchsorted(ordered, high, side="right")
    halves = int(under.sum()) + int(not_over.sum())
    return halves / (2 * len(low) * len(high))


def bar_that_keeps(scores: NDArray[np.floating[Any]], share: float) -> float:
    """Return the lowest bar such that at least `share` of the scores are not above it.

    Parameters
    ----------
    scores
        float (N,), N at least 1: of those that are to be kept.
    share
        Above 0, at most 1.

    Examples
    --------
    >>> scores = np.array([0.4, 0.1, 0.3, 0.2])
    >>> bar_that_keeps(scores, 0.75), bar_that_keeps(scores, 0.76)
    (0.3, 0.4)
    """
    # 0.99 * 100 must be 99, not the 99.00000000000001 that floats may make of it.
    kept = ceil(round(share * len(scores), 9))
    return float(np.partition(scores, kept - 1)[kept - 1])
