"""Isotonic and logistic regression: from a score, or several, to the share that is right.

Isotonic regression by pooling adjacent violators (R. E. Barlow and others, "Statistical
inference under order restrictions", 1972), with three changes, as a confidence is also used
to sort by: readings are put into bins first, so that a block never rests on one or two; a
block's share is drawn in from 0 and 1, as no finite number of readings proves either; and
between blocks the curve is straight and not a step, so that it never stops rising.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


MIN_BIN_SIZE = 20  # fewest readings in a bin

MAX_BINS = 100


@dataclass(frozen=True)
class IsotonicCalibrator:
    """A rising curve of confidence over score."""

    scores: tuple[float, ...]  # where the curve's knots are, rising; at least one
    shares: tuple[float, ...]  # the curve there, 0..1, rising
    # How fast the curve flattens beyond the outer knots, in units of score; above 0.
    spread: float

    def transform(self, scores: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the curve at these scores: float64 (N,), 0..1.

        Beyond the outer knots it goes on, but never by more than half of the way that is
        left to 0 or to 1, whichever is nearer: there it is no longer counted but guessed.
        """
        given = np.asarray(scores, np.float64)
        low, high = self.shares[0], self.shares[-1]
        above = -np.expm1(-np.maximum(given - self.scores[-1], 0.0) / self.spread)
        below = -np.expm1(-np.maximum(self.scores[0] - given, 0.0) / self.spread)
        result: NDArray[np.float64] = (
            np.interp(given, self.scores, self.shares)
            + above * min(high, 1 - high) / 2
            - below * min(low, 1 - low) / 2
        )
        return result

    def as_dict(self) -> dict[str, Any]:
        """Return the curve as plain values."""
        return {
            "scores": list(self.scores),
            "shares": list(self.shares),
            "spread": self.spread,
        }


def fit_isotonic(
    scores: NDArray[np.floating[Any]], right: NDArray[np.bool_]
) -> IsotonicCalibrator:
    """Fit a rising curve to readings with finite scores (N,), N at least 1, right or wrong.

    >>> scores = np.repeat([0.0, 1.0, 2.0], 40)
    >>> curve = fit_isotonic(scores, scores + np.tile([0, 1], 60) >= 1.5)
    >>> curve.transform(np.array([0.0, 1.0, 2.0])).round(2).tolist()
    [0.01, 0.5, 0.99]
    """
    values = np.asarray(scores, np.float64)
    count = len(values)
    _, which, equals = np.unique(values, return_inverse=True, return_counts=True)
    # Readings of one score share a bin, so that their order does not matter.
    bins = max(1, min(MAX_BINS, count // MIN_BIN_SIZE))
    bin_index = ((np.cumsum(equals) - equals / 2) * bins / count).astype(np.int64)[which]
    used, bin_index = np.unique(bin_index, return_inverse=True)
    sizes = _sums(bin_index, np.ones(count))
    hits = _sums(bin_index, right)
    means = _sums(bin_index, values) / sizes
    blocks = pool_adjacent_violators(hits / sizes, sizes)
    sizes, hits, means = (
        _sums(blocks, sizes),
        _sums(blocks, hits),
        _means(blocks, means, sizes),
    )
    # Shares of 0 and 1 are drawn in, as no finite number of readings proves either.
    drawn_in = (hits + 0.5) / (sizes + 1)
    # That moves small blocks most, and may break the order: pool once more.
    blocks = pool_adjacent_violators(drawn_in, sizes)
    shares, knots = _means(blocks, drawn_in, sizes), _means(blocks, means, sizes)
    assert (np.diff(knots) > 0).all(), f"{len(used)} bins lie in the order of their scores"
    spread = float(values.std()) or 1.0
    return IsotonicCalibrator(tuple(knots.tolist()), tuple(shares.tolist()), spread)


def _sums(blocks: NDArray[np.int64], values: NDArray[Any]) -> NDArray[np.float64]:
    """Return the sum of the values in each block."""
    return np.bincount(blocks, weights=values).astype(np.float64)


def _means(
    blocks: NDArray[np.int64], values: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weighted mean of the values in each block."""
    return _sums(blocks, values * weights) / _sums(blocks, weights)


def pool_adjacent_violators(
    values: NDArray[np.floating[Any]], weights: NDArray[Any]
) -> NDArray[np.int64]:
    """Pool neighbours until the weighted means of the blocks rise strictly.

    Returns the number of the block that each value went into: int64 (N,), from 0, rising.

    >>> pool_adjacent_violators(np.array([0.1, 0.5, 0.3, 0.9]), np.ones(4)).tolist()
    [0, 1, 1, 2]
    """
    means: list[float] = []
    sums: list[float] = []
    sizes: list[int] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        # A block that is not above the one before it joins it, as often as needed.
        mean, total, size = value, weight, 1
        while means and means[-1] >= mean:
            before, last = sums.pop(), means.pop()
            mean = (mean * total + last * before) / (total + before)
            total += before
            size += sizes.pop()
        means.append(mean)
        sums.append(total)
        sizes.append(size)
    return np.repeat(np.arange(len(sizes)), sizes)


RIDGE = 1.0  # what large weights cost: as much as one more reading that speaks against them

MAX_STEPS = 50
TOLERANCE = 1e-9


def fit_logistic(
    features: NDArray[np.floating[Any]], right: NDArray[np.bool_]
) -> tuple[float, ...]:
    """Fit the weights of a logistic regression over `features` (N, F) by Newton's method.

    Returns F + 1 numbers: the intercept, then a weight for each feature as it was given.

    Features are brought to mean 0 and deviation 1 for the fit; one that is always the same
    gets the weight 0. The penalty on the weights keeps them finite where right and wrong can
    be told apart without error.

    >>> table = np.array([[0.0], [1], [2], [3]])
    >>> base, weight = fit_logistic(table, table[:, 0] > 1)
    >>> weight > 0, round(base + 1.5 * weight, 6)
    (True, 0.0)
    """
    given = np.asarray(features, np.float64)
    # Features of mean 0 and deviation 1, so that one penalty suits all.
    middle, spread = given.mean(axis=0), given.std(axis=0)
    spread = np.where(spread > TOLERANCE * (1 + np.abs(middle)), spread, np.inf)
    table = np.column_stack([np.ones(len(given)), (given - middle) / spread])
    penalty = np.full(table.shape[1], RIDGE)
    penalty[0] = TOLERANCE  # the intercept is free
    weights = np.zeros(table.shape[1])
    truth = right.astype(np.float64)
    for _ in range(MAX_STEPS):
        shares = sigmoid(table @ weights)
        slope = table.T @ (shares - truth) + penalty * weights
        curvature = (table.T * (shares * (1 - shares) + TOLERANCE)) @ table
        step = np.linalg.solve(curvature + np.diag(penalty), slope)
        weights -= step
        if np.abs(step).max() < TOLERANCE:
            break
    # Back to the features as they were given.
    slopes = weights[1:] / spread
    return (float(weights[0] - slopes @ middle), *slopes.tolist())


def sigmoid(values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return ``1 / (1 + exp(-values))`` without overflow."""
    result: NDArray[np.float64] = 0.5 * (1 + np.tanh(0.5 * np.asarray(values, np.float64)))
    return result
