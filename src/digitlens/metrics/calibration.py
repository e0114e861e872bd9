"""Calibration: whether answers given with 90 % confidence are right nine times in ten."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 15  # as in Guo et al. (2017) and most who followed them.


@dataclass(frozen=True)
class Bin:
    """Answers of like confidence."""

    count: int  # how many answers, at least 1
    misses: int  # how many of them are wrong
    confidence: float  # their mean confidence, 0..1
    # The least and the greatest confidence among them.
    low: float
    high: float

    @property
    def accuracy(self) -> float:
        """The share that is right, 0..1."""
        return (self.count - self.misses) / self.count


@dataclass(frozen=True)
class Calibration:
    """How far confidence and accuracy lie apart."""

    # The expected calibration error, 0..1: the mean distance between confidence and accuracy,
    # each bin weighted by its count.
    error: float
    bins: tuple[Bin, ...]  # the bins, least confident first; empty ones are left out


def logit_bins(share: float, most: float = 5.0) -> float:
    """Return how many nines a share of 0..1 has: 0.9 has one, 0.999 three, at most `most`.

    On this scale the sure answers of a good network, all near 1, are told apart.

    >>> round(logit_bins(0.9), 6), round(logit_bins(0.999), 6), logit_bins(0.0), logit_bins(1.0)
    (1.0, 3.0, 0.0, 5.0)
    """
    return min(most, 0.0 - log10(1 - share)) if share < 1 else most


def measure_calibration(
    confidence: NDArray[np.floating[Any]], right: NDArray[np.bool_], bins: int = BINS
) -> Calibration:
    """Compare `confidence` (float (N,), 0..1) with whether answers are `right` (bool (N,)).

    Each of the `bins` holds as nearly as can be the same number of answers: with bins of equal
    width nearly all answers of a good network would fall into the last one. Answers of the
    same confidence share a bin, so that their order does not matter; where many are exactly 1
    there are fewer and unequal bins. The error is never quite 0 even for perfect calibration,
    as bins of finite size scatter; compare it between networks on the same digits.

    Nguyen and O'Connor, "Posterior calibration and exploratory analysis for natural
    language processing models", EMNLP 2015 (equal mass); Guo, Pleiss, Sun and Weinberger,
    "On calibration of modern neural networks", ICML 2017 (the error, 15 bins).

    >>> right = np.array([1, 1, 1, 0], bool)
    >>> sure = measure_calibration(np.array([0.9, 0.9, 0.6, 0.6]), right, bins=2)
    >>> [(part.count, part.misses, part.accuracy) for part in sure.bins]
    [(2, 1, 0.5), (2, 0, 1.0)]
    >>> round(sure.error, 3)
    0.1
    """
    values = confidence.astype(np.float64)
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    # Bins of equal mass; equal confidences never part into two bins.
    middle = np.cumsum(sizes) - sizes / 2  # the middle rank of each confidence
    place = (middle * bins / len(values)).astype(np.int64)[group]
    parts = []
    for which in np.unique(place):
        inside = place == which
        count = int(inside.sum())
        among = values[inside]
        misses = count - int(right[inside].sum())
        low, high = float(among.min()), float(among.max())
        # A mean of equal numbers may round past them; it must not leave its bin.
        mean = min(max(float(among.mean()), low), high)
        parts.append(Bin(count, misses, mean, low, high))
    apart = sum(part.count * abs(part.confidence - part.accuracy) for part in parts)
    return Calibration(apart / len(values), tuple(parts))
