"""The most errors that chance may hide: exact upper limits of a binomial share."""

from __future__ import annotations

import numpy as np

STEPS = 60
"""Halvings of 0..1: to below what float64 tells apart near 1."""


def chance_of_at_most(misses: int, count: int, share: float) -> float:
    """Return the probability of `misses` or fewer among `count`, each missed with `share`.

    Parameters
    ----------
    misses
        0..count.
    count
        At least 0.
    share
        0..1.

    Examples
    --------
    >>> round(chance_of_at_most(1, 3, 0.5), 6)
    0.5
    """
    assert 0 <= misses <= count, "misses are among those counted"
    if misses == count or share <= 0.0:
        return 1.0
    if share >= 1.0:
        return 0.0
    order = np.arange(1, misses + 1)
    ways = np.concatenate([[0.0], np.cumsum(np.log((count - order + 1) / order))])
    missed = np.arange(misses + 1)
    logs = ways + missed * np.log(share) + (count - missed) * np.log1p(-share)
    top = logs.max()
    return float(min(1.0, np.exp(top) * np.exp(logs - top).sum()))


def most_errors(misses: int, count: int, level: float = 0.95) -> float:
    """Return the exact one-sided upper limit of the error rate.

    Whatever the true rate is, of many samples drawn alike a share of `level` or more gives a
    limit that is not below it. With no miss among n it is about 3 / n at a level of 95 %.

    Parameters
    ----------
    misses
        0..count.
    count
        At least 0; of nothing the limit is 1.
    level
        Between 0 and 1.

    Notes
    -----
    C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the
    case of the binomial", Biometrika 26 (1934) 404-413.

    Examples
    --------
    >>> round(most_errors(0, 300), 5), most_errors(3, 3)
    (0.00994, 1.0)
    """
    assert 0 < level < 1, "a level lies between 0 and 1"
    if misses == count:
        return 1.0
    low, high = misses / count, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        if chance_of_at_most(misses, count, middle) > 1 - level:
            low = middle
        else:
            high = middle
    return high
