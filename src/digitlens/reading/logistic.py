"""A small logistic regression: several signs of a right reading made one score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RIDGE = 1.0
"""What large weights cost: as much as one more reading that speaks against them."""

STEPS = 50
ENOUGH = 1e-9


def fit_logistic(
    features: NDArray[np.floating[Any]], right: NDArray[np.bool_]
) -> tuple[float, ...]:
    """Fit the weights of a logistic regression by Newton's method.

    Parameters
    ----------
    features
        float (N, F), finite; N at least 1.
    right
        bool (N,).

    Returns
    -------
    F + 1 numbers: what is always added, then a weight for each feature as it was given.

    Notes
    -----
    Features are brought to mean 0 and deviation 1 for the fit; one that is always the same
    gets the weight 0. The penalty on the weights keeps them finite where right and wrong can
    be told apart without error.

    Examples
    --------
    >>> table = np.array([[0.0], [1], [2], [3]])
    >>> base, weight = fit_logistic(table, table[:, 0] > 1)
    >>> weight > 0, round(base + 1.5 * weight, 6)
    (True, 0.0)
    """
    given = np.asarray(features, np.float64)
    middle, spread = given.mean(axis=0), given.std(axis=0)
    spread = np.where(spread > ENOUGH * (1 + np.abs(middle)), spread, np.inf)
    table = np.column_stack([np.ones(len(given)), (given - middle) / spread])
    penalty = np.full(table.shape[1], RIDGE)
    penalty[0] = ENOUGH
    weights = np.zeros(table.shape[1])
    truth = right.astype(np.float64)
    for _ in range(STEPS):
        shares = sigmoid(table @ weights)
        slope = table.T @ (shares - truth) + penalty * weights
        curvature = (table.T * (shares * (1 - shares) + ENOUGH)) @ table
        step = np.linalg.solve(curvature + np.diag(penalty), slope)
        weights -= step
        if np.abs(step).max() < ENOUGH:
            break
    slopes = weights[1:] / spread
    return (float(weights[0] - slopes @ middle), *slopes.tolist())


def sigmoid(values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return ``1 / (1 + exp(-values))`` without overflow."""
    found: NDArray[np.float64] = 0.5 * (1 + np.tanh(0.5 * np.asarray(values, np.float64)))
    return found
