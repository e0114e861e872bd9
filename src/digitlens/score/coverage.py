"""Coverage: how much can be answered, the surest first, at a wanted error rate.

What is not answered goes on to a person. "Per cent read at 1 % error" is how post offices
measure their readers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitlens.digits import Indices

ERROR_RATES = (0.01, 0.005, 0.001)
"""The error rates that an evaluation reports: 1 %, 0.5 %, 0.1 %."""


@dataclass(frozen=True)
class Coverage:
    """What can be answered at one error rate.

    Parameters
    ----------
    error_rate
        The most wrong answers allowed, as a share of those given.
    count
        All pictures.
    answered
        How many of them are answered.
    misses
        How many of the answers are wrong.
    threshold
        The least confidence that is answered; None where nothing is.
    """

    error_rate: float
    count: int
    answered: int
    misses: int
    threshold: float | None

    @property
    def share(self) -> float:
        """The share of the pictures that is answered, 0..1."""
        return self.answered / self.count


def coverage_curve(
    confidence: NDArray[np.floating[Any]], right: NDArray[np.bool_]
) -> tuple[Indices, Indices, NDArray[np.float64]]:
    """Walk from the surest answer to the least sure.

    Parameters
    ----------
    confidence
        float (N,), 0..1; N at least 1.
    right
        bool (N,).

    Returns
    -------
    Three arrays (K,), one entry for each distinct confidence, falling: int64 answers so
    far, int64 misses among them, float64 the confidence. Answers of the same confidence
    come together, as no threshold can part them.

    Examples
    --------
    >>> curve = coverage_curve(np.array([0.9, 0.8, 0.8]), np.array([1, 1, 0], bool))
    >>> [part.tolist() for part in curve]
    [[1, 3], [0, 1], [0.9, 0.8]]
    """
    values = confidence.astype(np.float64)
    distinct, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    missed = np.bincount(group, weights=~right, minlength=len(distinct)).astype(np.int64)
    answered = np.cumsum(sizes[::-1]).astype(np.int64)
    return answered, np.cumsum(missed[::-1]), distinct[::-1]


def coverage_at(
    confidence: NDArray[np.floating[Any]],
    right: NDArray[np.bool_],
    error_rates: Sequence[float] = ERROR_RATES,
) -> tuple[Coverage, ...]:
    """Return the most that can be answered at each error rate, the surest first.

    The largest number of answers such that at most `error_rate` of them are wrong;
    answers of the same confidence are given together or not at all. The threshold is
    chosen on the very digits it is judged on, so the figure is optimistic: on new digits
    choose the threshold on validation data and expect a little less.

    Parameters
    ----------
    confidence
        float (N,), 0..1: the probability given to the answer; N at least 1.
    right
        bool (N,): whether the answer was right.
    error_rates
        Each 0..1.

    Examples
    --------
    >>> sure = np.array([0.99, 0.9, 0.8, 0.7])
    >>> half, none = coverage_at(sure, np.array([1, 0, 1, 0], bool), (0.34, 0.0))
    >>> half.answered, half.misses, half.threshold
    (3, 1, 0.8)
    >>> none.answered, none.share
    (1, 0.25)
    """
    answered, misses, thresholds = coverage_curve(confidence, right)
    found = []
    for rate in error_rates:
        # Divided, not multiplied: 1 / 100 rounds to the same float as 0.01 does.
        allowed = np.flatnonzero(misses / answered <= rate)
        if len(allowed):
            last = int(allowed[-1])
            least = float(thresholds[last])
            best = Coverage(rate, len(right), int(answered[last]), int(misses[last]), least)
        else:
            best = Coverage(rate, len(right), 0, 0, None)
        found.append(best)
    return tuple(found)
