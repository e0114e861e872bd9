"""How sure a reading must be, so that of those accepted no more than a wanted share is wrong.

What is below the bar goes to a person. The bar is set on lines whose truth is known, and so
that the promise holds for others: not the error rate seen is what counts but the most that
chance may hide behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import UsageError
from digitlens.score.coverage import coverage_curve
from digitlens.score.limits import chance_of_at_most, most_errors

if TYPE_CHECKING:
    from numpy.typing import NDArray

POINTS = 200
"""Bars that a curve remembers: read rates are then known to half a per cent."""

LEVEL = 0.95
"""How sure the promise is, unless told otherwise."""


@dataclass(frozen=True)
class Curve:
    """How many readings each bar accepts, and how many of these are wrong.

    Parameters
    ----------
    count
        All readings that were judged.
    bars
        Confidences, falling.
    accepted
        For each bar, how many readings are as sure or surer; rising.
    misses
        For each bar, how many of these are wrong.
    """

    count: int
    bars: tuple[float, ...]
    accepted: tuple[int, ...]
    misses: tuple[int, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the curve as plain values."""
        return {
            "count": self.count,
            "bars": list(self.bars),
            "accepted": list(self.accepted),
            "misses": list(self.misses),
        }


@dataclass(frozen=True)
class Bar:
    """The least confidence that is accepted at a wanted error rate.

    Parameters
    ----------
    error
        The wanted error rate among accepted readings, at most.
    confidence
        The bar; None where no bar keeps the promise.
    accepted, misses, count
        Readings accepted by it, wrong ones among them, and all that were judged.
    limit
        The upper limit of the error rate among accepted ones; 1.0 where there is no bar.
    level
        Of that limit.
    """

    error: float
    confidence: float | None
    accepted: int
    misses: int
    count: int
    limit: float
    level: float

    @property
    def read_rate(self) -> float:
        """The share of all readings that is accepted, 0..1."""
        return self.accepted / self.count


def curve_of(
    confidence: NDArray[np.floating[Any]],
    right: NDArray[np.bool_],
    *,
    points: int = POINTS,
) -> Curve:
    """Return the curve of readings whose truth is known.

    Parameters
    ----------
    confidence
        float (N,), 0..1; N at least 1. Not of the readings that the confidence was fitted on.
    right
        bool (N,): whether all of the string was right.
    points
        Bars to keep at most, evenly over the readings.

    Examples
    --------
    >>> curve_of(np.array([0.9, 0.8, 0.5]), np.array([True, True, False])).misses
    (0, 0, 1)
    """
    accepted, misses, bars = coverage_curve(confidence, right)
    if len(bars) > points:
        wanted = np.linspace(1, len(right), points)
        keep = np.unique(np.searchsorted(accepted, wanted))
        accepted, misses, bars = accepted[keep], misses[keep], bars[keep]
    return Curve(
        len(right),
        tuple(bars.tolist()),
        tuple(accepted.tolist()),
        tuple(misses.tolist()),
    )


def bar_for(error: float, curve: Curve, *, level: float = LEVEL) -> Bar:
    """Return the lowest bar whose upper limit of the error rate is at most `error`.

    The limit is Clopper and Pearson's, one-sided: with no error among them it takes 299
    accepted readings to promise 1 %. It is the limit of one bar; as the lowest of many bars
    is taken, the promise is a little weaker than `level` says.

    Parameters
    ----------
    error
        Above 0, at most 1.
    curve
        Of validation lines.
    level
        Between 0 and 1.

    Raises
    ------
    UsageError
        An error rate or a level out of range.

    Examples
    --------
    >>> sure = np.linspace(1, 0, 1000)
    >>> bar = bar_for(0.01, curve_of(sure, sure > 0.5))
    >>> round(bar.read_rate, 2), bar.limit <= 0.01
    (0.5, True)
    """
    if not 0 < error <= 1:
        raise UsageError(
            "a wanted error rate must be above 0 and at most 1",
            seen=f"{error:g}",
            try_="0.01 for one wrong reading in a hundred" if error != 0 else None,
            likely="no bar can promise that nothing is wrong" if error == 0 else None,
        )
    if not 0 < level < 1:
        raise UsageError("a level must lie between 0 and 1", seen=f"{level:g}")
    for bar, accepted, misses in zip(
        reversed(curve.bars), reversed(curve.accepted), reversed(curve.misses), strict=True
    ):
        if misses <= error * accepted and (
            error == 1 or chance_of_at_most(misses, accepted, error) <= 1 - level
        ):
            limit = most_errors(misses, accepted, level)
            return Bar(error, bar, accepted, misses, curve.count, limit, level)
    return Bar(error, None, 0, 0, curve.count, 1.0, level)
