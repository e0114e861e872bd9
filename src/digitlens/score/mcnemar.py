"""McNemar's exact test: whether two sets of answers to the same digits differ by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from digitlens.digits import Labels


@dataclass(frozen=True)
class Discordance:
    """Digits on which two models disagree about being right.

    Parameters
    ----------
    only_first, only_second
        How many digits only the first, only the second got right.
    both_wrong
        How many both got wrong.
    """

    only_first: int
    only_second: int
    both_wrong: int

    @property
    def p(self) -> float:
        """The exact two-sided McNemar p-value, see `mcnemar`."""
        return mcnemar(self.only_first, self.only_second)


def discordance(labels: Labels, first: Labels, second: Labels) -> Discordance:
    """Count on which digits only one of two models is right.

    Parameters
    ----------
    labels, first, second
        (N,), whole numbers 0..9: the truth and the answers of two models, in one order.

    Examples
    --------
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
    """Return the two-sided p-value of McNemar's test, exactly.

    Were both models equally good, each digit that only one of them gets right would be a
    toss of a coin. The p-value is the chance that such tosses fall at least as unevenly as
    these did: under 0.05 it is usual to say that chance alone does not explain them.

    Parameters
    ----------
    only_first, only_second
        Whole numbers from 0 on: the digits that only the first, only the second got right.

    Returns
    -------
    0..1; 1 where the models do not differ. Worked out in whole numbers, rounded once.

    Notes
    -----
    Q. McNemar, Psychometrika 12 (1947) 153-157, with the binomial distribution in place of
    its approximation, doubled and at most 1, as in M. W. Fagerland, S. Lydersen and
    P. Laake, BMC Medical Research Methodology 13:91 (2013).

    Examples
    --------
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
