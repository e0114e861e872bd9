"""Risk and coverage: how much can be answered, the surest first, at a wanted error rate.

What is not answered goes on to a person. "Per cent read at 1 % error" is how post offices
measure their readers. `threshold_for_risk` chooses the confidence from which answers are
accepted, so that the error rate is promised and not only observed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlens.digits import Indices
from digitlens.errors import UsageError
from digitlens.metrics.intervals import binomial_cdf, clopper_pearson_upper

# The error rates that an evaluation reports: 1 %, 0.5 %, 0.1 %.
ERROR_RATES = (0.01, 0.005, 0.001)


@dataclass(frozen=True)
class Coverage:
    """What can be answered at one error rate."""

    error_rate: float  # the most wrong answers allowed, as a share of those given
    count: int  # all pictures
    answered: int  # how many of them are answered
    misses: int  # how many of the answers are wrong
    threshold: float | None  # the least confidence that is answered; None where nothing is

    @property
    def share(self) -> float:
        """The share of the pictures that is answered, 0..1."""
        return self.answered / self.count


def coverage_curve(
    confidence: NDArray[np.floating[Any]], right: NDArray[np.bool_]
) -> tuple[Indices, Indices, NDArray[np.float64]]:
    """Walk from the surest answer to the least sure: (answers, misses, confidence), each (K,).

    int64 answers so far, int64 misses among them and float64 the confidence, falling, for each
    distinct `confidence` (float (N,), 0..1). Answers of the same confidence come together, as
    no threshold can part them.

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

    The largest number of answers such that at most `error_rate` of them are wrong; those of
    the same `confidence` (float (N,), 0..1) are given together or not at all. The threshold is
    chosen on the very digits it is judged on, so the figure is optimistic: on new digits
    choose the threshold on validation data and expect a little less.

    >>> sure = np.array([0.99, 0.9, 0.8, 0.7])
    >>> half, none = coverage_at(sure, np.array([1, 0, 1, 0], bool), (0.34, 0.0))
    >>> half.answered, half.misses, half.threshold
    (3, 1, 0.8)
    >>> none.answered, none.share
    (1, 0.25)
    """
    answered, misses, thresholds = coverage_curve(confidence, right)
    result = []
    for rate in error_rates:
        # Divided, not multiplied: 1 / 100 rounds to the same float as 0.01 does.
        allowed = np.flatnonzero(misses / answered <= rate)
        if len(allowed):
            last = int(allowed[-1])
            least = float(thresholds[last])
            best = Coverage(rate, len(right), int(answered[last]), int(misses[last]), least)
        else:
            best = Coverage(rate, len(right), 0, 0, None)
        result.append(best)
    return tuple(result)


POINTS = 200  # thresholds that a curve keeps: read rates are then known to half a per cent
LEVEL = 0.95  # how sure the promise is, unless told otherwise


@dataclass(frozen=True)
class RiskCoverageCurve:
    """How many readings each threshold accepts, and how many of these are wrong."""

    count: int  # all readings that were judged
    thresholds: tuple[float, ...]  # confidences, falling
    # For each threshold, how many readings are as sure or surer; rising.
    accepted: tuple[int, ...]
    misses: tuple[int, ...]  # for each threshold, how many of these are wrong

    def as_dict(self) -> dict[str, Any]:
        """Return the curve as plain values."""
        return {
            "count": self.count,
            "bars": list(self.thresholds),
            "accepted": list(self.accepted),
            "misses": list(self.misses),
        }


@dataclass(frozen=True)
class ThresholdResult:
    """The least confidence that is accepted at a wanted error rate."""

    error: float  # the wanted error rate among accepted readings, at most
    confidence: float | None  # the threshold; None where none keeps the promise
    # Readings accepted by it, wrong ones among them, and all that were judged.
    accepted: int
    misses: int
    count: int
    # The upper limit of the error rate among accepted ones; 1.0 where there is no threshold.
    limit: float
    level: float  # of that limit

    @property
    def read_rate(self) -> float:
        """The share of all readings that is accepted, 0..1."""
        return self.accepted / self.count


def risk_coverage_curve(
    confidence: NDArray[np.floating[Any]],
    right: NDArray[np.bool_],
    *,
    points: int = POINTS,
) -> RiskCoverageCurve:
    """Return the curve of readings of which is known whether all of the string is `right`.

    They must not be those that the `confidence` (float (N,), 0..1) was fitted on. At most
    `points` thresholds are kept, evenly over the readings.

    >>> risk_coverage_curve(np.array([0.9, 0.8, 0.5]), np.array([True, True, False])).misses
    (0, 0, 1)
    """
    accepted, misses, thresholds = coverage_curve(confidence, right)
    # A curve of 200 points is kept with a reader, not one of 78,000 lines.
    if len(thresholds) > points:
        wanted = np.linspace(1, len(right), points)
        keep = np.unique(np.searchsorted(accepted, wanted))
        accepted, misses, thresholds = accepted[keep], misses[keep], thresholds[keep]
    return RiskCoverageCurve(
        len(right),
        tuple(thresholds.tolist()),
        tuple(accepted.tolist()),
        tuple(misses.tolist()),
    )


def worst_curve(
    curve: RiskCoverageCurve,
    confidence: NDArray[np.floating[Any]],
    right: NDArray[np.bool_],
    sources: NDArray[np.str_],
) -> RiskCoverageCurve:
    """Return, for each threshold of `curve`, the counts of the source that it serves worst.

    A mean over sources hides the one that is often wrong. `sources`, str (N, G), says of each
    reading where it is from, in G ways: what wrote it, on what paper, how long it is.

    >>> sure = np.array([0.9, 0.9, 0.9, 0.8])
    >>> right = np.array([True, True, False, True])
    >>> names = np.array([["pen"], ["pen"], ["font"], ["font"]])
    >>> worst = worst_curve(risk_coverage_curve(sure, right), sure, right, names)
    >>> worst.accepted, worst.misses
    ((1, 2), (1, 1))
    """
    falling = -np.array(curve.thresholds)
    accepted, misses = np.zeros((2, len(falling)), np.int64)
    worst = np.zeros(len(falling))
    for name in np.unique(sources):
        mine = (sources == name).any(axis=1)
        order = np.argsort(-confidence[mine], kind="stable")
        wrong = np.concatenate([[0], np.cumsum(~right[mine][order])])
        count = np.searchsorted(-confidence[mine][order], falling, side="right")
        share = _with_margin(wrong[count]) / np.maximum(count, 1)
        over = (share > worst) | (accepted == 0)
        accepted, misses = np.where(over, count, accepted), np.where(over, wrong[count], misses)
        worst = np.where(over, share, worst)
    return replace(curve, accepted=tuple(accepted.tolist()), misses=tuple(misses.tolist()))


def _with_margin(misses: NDArray[np.int64] | int) -> NDArray[np.float64]:
    """Return counts of rare events and a standard deviation (Poisson's) on top."""
    return np.asarray(misses + np.sqrt(misses), np.float64)


def threshold_for_risk(
    error: float,
    curve: RiskCoverageCurve,
    *,
    level: float = LEVEL,
    worst: RiskCoverageCurve | None = None,
) -> ThresholdResult:
    """Return the lowest threshold whose upper limit of the error rate is at most `error`.

    With `worst`, the counts of the worst source at each threshold (`worst_curve`), no source
    may have more wrong ones either, plus a standard deviation: each has too few lines for
    Clopper and Pearson's limit.

    The limit is Clopper and Pearson's, one-sided: with no error among them it takes 299
    accepted readings to promise 1 %. It is the limit of one threshold; as the lowest of
    many is taken, the promise is a little weaker than `level` says. An error rate outside
    0..1, or 0, and a level that is not between are a `UsageError`.

    >>> sure = np.linspace(1, 0, 1000)
    >>> chosen = threshold_for_risk(0.01, risk_coverage_curve(sure, sure > 0.5))
    >>> round(chosen.read_rate, 2), chosen.limit <= 0.01
    (0.5, True)
    """
    if not 0 < error <= 1:
        raise UsageError(
            "a wanted error rate must be above 0 and at most 1",
            seen=f"{error:g}",
            try_="0.01 for one wrong reading in a hundred" if error != 0 else None,
            likely="no threshold can promise that nothing is wrong" if error == 0 else None,
        )
    if not 0 < level < 1:
        raise UsageError("a level must lie between 0 and 1", seen=f"{level:g}")
    # From the least sure on: the first threshold that keeps the promise accepts most.
    sources = worst or curve
    for threshold, accepted, misses, some, wrong in zip(
        reversed(curve.thresholds),
        reversed(curve.accepted),
        reversed(curve.misses),
        reversed(sources.accepted),
        reversed(sources.misses),
        strict=True,
    ):
        if worst is not None and error < 1 and _with_margin(wrong) > error * some:
            continue
        if misses <= error * accepted and (
            error == 1 or binomial_cdf(misses, accepted, error) <= 1 - level
        ):
            limit = clopper_pearson_upper(misses, accepted, level)
            return ThresholdResult(
                error, threshold, accepted, misses, curve.count, limit, level
            )
    return ThresholdResult(error, None, 0, 0, curve.count, 1.0, level)
