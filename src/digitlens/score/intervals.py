"""What chance leaves open about an accuracy: the Wilson interval."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple


class Interval(NamedTuple):
    """The ends of an interval of accuracies, each 0..1."""

    low: float
    high: float


def wilson(misses: int, count: int, confidence: float = 0.95) -> Interval:
    """Return the Wilson score interval of the accuracy.

    Of many test sets drawn alike, about `confidence` would give an interval that holds the
    accuracy on all digits there could be. Unlike the estimate plus and minus two standard
    errors, it stays inside 0..1 and is honest where nothing or nearly nothing was missed.

    Parameters
    ----------
    misses
        Wrong answers, 0..count.
    count
        Answers, at least 1.
    confidence
        Between 0 and 1.

    Notes
    -----
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22 (1927) 209-212; method 3 of
    R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872.

    Examples
    --------
    >>> low, high = wilson(42, 10_000)
    >>> f"{low:.4f} {high:.4f}"
    '0.9943 0.9969'
    """
    assert 0 <= misses <= count, "misses are among the digits counted"
    assert count > 0, "no interval without a digit"
    share = (count - misses) / count
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    middle = share + z * z / (2 * count)
    reach = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    # Rounding must not push an end past 0, 1 or the estimate itself.
    low = min(max((middle - reach) / scale, 0.0), share)
    high = max(min((middle + reach) / scale, 1.0), share)
    return Interval(low, high)
