"""Scores of the probabilities themselves: negative log likelihood and Brier score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Labels

SMALLEST = 2.0**-126
"""The least probability that is not 0 to us: the smallest normal float32 (87.3 nats)."""


def negative_log_likelihood(labels: Labels, probabilities: NDArray[np.floating[Any]]) -> float:
    """Return the mean of ``-ln p(truth)``: 0 is perfect, ln 10 = 2.303 is guessing.

    A probability under `SMALLEST` counts as `SMALLEST`, so that one truth held for
    impossible costs 87.3 / N and not infinity. Nothing else is clipped.

    Parameters
    ----------
    labels
        (N,), whole numbers 0..9; N at least 1.
    probabilities
        float (N, 10), rows sum to 1.

    Examples
    --------
    >>> round(negative_log_likelihood(np.array([3]), np.full((1, 10), 0.1)), 4)
    2.3026
    """
    truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    # Subtracted from 0, as a perfect score should not read -0.0.
    return float(0.0 - np.log(np.maximum(truth, SMALLEST)).mean())


def brier(labels: Labels, probabilities: NDArray[np.floating[Any]]) -> float:
    """Return the Brier score: the mean squared distance to the one-hot truth.

    0 is perfect, 0.9 is guessing, 2 is sure and always wrong.

    Parameters
    ----------
    labels
        (N,), whole numbers 0..9; N at least 1.
    probabilities
        float (N, 10), rows sum to 1.

    Notes
    -----
    Summed over all ten classes, as G. W. Brier wrote it: "Verification of forecasts
    expressed in terms of probability", Monthly Weather Review 78 (1950) 1-3.

    Examples
    --------
    >>> round(brier(np.array([3]), np.full((1, 10), 0.1)), 4)
    0.9
    """
    rows = probabilities.astype(np.float64)
    truth = rows[np.arange(len(labels)), labels]
    # |p - e|^2 = |p|^2 - 2 p(truth) + 1, without the one-hot table.
    return max(0.0, float((np.square(rows).sum(axis=1) - 2 * truth + 1).mean()))
