"""What chance leaves open: Wilson's interval, Clopper and Pearson's limit, McNemar's test."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from digitlens.digits import Labels


class Interval(NamedTuple):
    """The ends of an interval of accuracies, each 0..1."""

    low: float
    high: float


def wilson(misses: int, count: int, confidence: float = 0.95) -> Interval:
    """Return the Wilson score interval of the accuracy with `misses` among `count` answers.

    Of many test sets drawn alike, about `confidence` would give an interval that holds the
    accuracy on all digits there could be. Unlike the estimate plus and minus two standard
    errors, it stays inside 0..1 and is honest where nothing or nearly nothing was missed.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22 (1927) 209-212; method 3 of
    R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872.

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


HALVINGS = 60  # halvings of 0..1: to below what float64 tells apart near 1


def binomial_cdf(misses: int, count: int, share: float) -> float:
    """Return the probability of `misses` or fewer among `count`, each missed with `share`.

    >>> round(binomial_cdf(1, 3, 0.5), 6)
    0.5
    """
    assert 0 <= misses <= count, "misses are among those counted"
    if misses == count or share <= 0.0:
        return 1.0
    if share >= 1.0:
        return 0.0
    # In logarithms: binomial coefficients of 10,000 digits overflow any float.
    order = np.arange(1, misses + 1)
    ways = np.concatenate([[0.0], np.cumsum(np.log((count - order + 1) / order))])
    missed = np.arange(misses + 1)
    logs = ways + missed * np.log(share) + (count - missed) * np.log1p(-share)
    top = logs.max()
    return float(min(1.0, np.exp(top) * np.exp(logs - top).sum()))


def clopper_pearson_upper(misses: int, count: int, level: float = 0.95) -> float:
    """Return the exact one-sided upper limit of the error rate; 1 where `count` is 0.

    Whatever the true rate is, of many samples drawn alike a share of `level` or more gives a
    limit that is not below it. With no miss among n it is about 3 / n at a level of 95 %.

    C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the
    case of the binomial", Biometrika 26 (1934) 404-413.

    >>> round(clopper_pearson_upper(0, 300), 5), clopper_pearson_upper(3, 3)
    (0.00994, 1.0)
    """
    assert 0 < level < 1, "a level lies between 0 and 1"
    if misses == count:
        return 1.0
    low, high = misses / count, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if binomial_cdf(misses, count, middle) > 1 - level:
            low = middle
        else:
            high = middle
    return high


@dataclass(frozen=True)
class Discordance:
    """Digits on which two models disagree about being right."""

    # How many digits only the first, only the second got right.
    only_first: int
    only_second: int
    both_wrong: int  # how many both got wrong

    @property
    def p(self) -> float:
        """The exact two-sided McNemar p-value, see `mcnemar`."""
        return mcnemar(self.only_first, self.only_second)


def discordance(labels: Labels, first: Labels, second: Labels) -> Discordance:
    """Count the `labels` (N,) on which only one of two models' answers is right, or neither.

    >>> truth = np.array([1, 2, 3, 4])
    >>> discordance(truth, np.array([1, 2, 3, 0]), np.array([1, 0, 0, 0]))
    Discordance(only_first=2, only_second=0, both_wrong=1)
    """
    one, two = first == labels, second == labels
    return Discordance(
        only_first=int(np.sum(one & ~two)),
        only_second=int(np.sum(two & ~one)),
        both_wrong=int(np.sum(~one & ~two)),
    )


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p-value of McNemar's test, in whole numbers and rounded once.

    Were both models equally good, each digit that only one of them gets right would be a
    toss of a coin. The p-value is the chance that such tosses fall at least as unevenly as
    these did (1 where the models do not differ): under 0.05 it is usual to say that chance
    alone does not explain them.

    Q. McNemar, Psychometrika 12 (1947) 153-157, with the binomial distribution in place of
    its approximation, doubled and at most 1, as in M. W. Fagerland, S. Lydersen and
    P. Laake, BMC Medical Research Methodology 13:91 (2013).

    >>> mcnemar(1, 7)
    0.0703125
    """
    assert min(only_first, only_second) >= 0, "counts are not negative"
    tosses, fewer = only_first + only_second, min(only_first, only_second)
    ways, total = 1, 1
    for heads in range(1, fewer + 1):
        ways = ways * (tosses - heads + 1) // heads
        total += ways
    return min(1.0, 2 * total / (1 << tosses))
