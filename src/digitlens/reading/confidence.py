"""How often a string read with this probability is right: confidence that can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import DataError, ShapeError
from digitlens.reading.bar import Curve, curve_of
from digitlens.reading.logistic import fit_logistic
from digitlens.reading.rising import Rising, fit_rising

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitlens.reading.align import Span
    from digitlens.reading.decode import Decoded

FEATURES = ("sureness", "margin", "least digit", "length", "length fits")
"""What a confidence is made from; all but the fourth are natural logarithms of odds or
shares, between -30 and 30."""

MOST = 30.0

LEAST_LINES = 100
"""Lines that a calibration can be fitted on, at least."""

LEAST_WRONG = 10
"""Wrong ones among a half, at least, for a logistic regression."""


def features_of(decoded: Decoded, spans: Sequence[Span]) -> NDArray[np.float64]:
    """Return what a confidence is made from: float64 (5,), in the order of `FEATURES`.

    Parameters
    ----------
    decoded
        A line's strings; at least one.
    spans
        The digits of the best of them, from `align`.

    Returns
    -------
    The log-odds of the best string (among the allowed lengths, where these are given); the
    logarithm of how many times likelier it is than the second (than all that is left, where
    there is no second); the log-odds of the least sure digit; the number of digits; and the
    logarithm of the probability that the length is an allowed one.
    """
    best = decoded.candidates[0]
    rest = 1.0 - best.among_lengths
    if len(decoded.candidates) > 1:
        rest = decoded.candidates[1].among_lengths
    least = min([span.confidence for span in spans], default=1.0)
    return np.array(
        [
            _log_odds(best.among_lengths),
            _log(best.among_lengths) - _log(rest),
            _log_odds(least),
            float(len(best.text)),
            _log(decoded.length_probability),
        ]
    ).clip(-MOST, MOST)


def _log(share: float) -> float:
    return log(share) if share > np.exp(-MOST) else -MOST


def _log_odds(share: float) -> float:
    return _log(share) - _log(1.0 - share)


@dataclass(frozen=True)
class Calibration:
    """How the features of a reading become its confidence.

    Parameters
    ----------
    weights
        Of a logistic regression over the features, what is always added first; None where
        the first feature alone is the score.
    rising
        From score to confidence.
    curve
        What bars on this confidence accept, counted on lines that it was not fitted on.
    """

    weights: tuple[float, ...] | None
    rising: Rising
    curve: Curve

    def confidence(self, features: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the confidence of readings: float64 (N,), 0..1.

        Parameters
        ----------
        features
            float (N, 5), from `features_of`.
        """
        return self.rising.at(_scores(self.weights, features))

    def as_dict(self) -> dict[str, Any]:
        """Return the calibration as plain values that JSON can hold."""
        return {
            "weights": None if self.weights is None else list(self.weights),
            "rising": self.rising.as_dict(),
            "curve": self.curve.as_dict(),
        }


def _scores(
    weights: tuple[float, ...] | None, features: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    given = np.asarray(features, np.float64)
    if weights is None:
        return given[:, 0]
    scores: NDArray[np.float64] = weights[0] + given @ np.array(weights[1:])
    return scores


def fit_calibration(
    features: NDArray[np.floating[Any]],
    right: NDArray[np.bool_],
    chance: np.random.Generator,
) -> Calibration:
    """Fit a calibration on lines whose truth is known.

    On one half of them two are fitted: a rising curve over the log-odds of the string, and
    one over a logistic regression of all features. The other half says which of the two is
    better, by log loss, and gives the curve of accepted and wrong readings.

    Parameters
    ----------
    features
        float (N, 5), from `features_of`; N at least 100.
    right
        bool (N,): whether the whole string was right.
    chance
        Deals the lines to the halves.

    Raises
    ------
    ShapeError
        Arrays of other shapes.
    DataError
        Fewer than 100 lines, or features that are not finite.
    """
    _check(features, right)
    order = chance.permutation(len(right))
    fit, judge = order[: len(right) // 2], order[len(right) // 2 :]
    choices: list[tuple[float, ...] | None] = [None]
    if min(int(right[fit].sum()), int((~right[fit]).sum())) >= LEAST_WRONG:
        choices.append(fit_logistic(features[fit], right[fit]))
    best: tuple[float, tuple[float, ...] | None, Rising] | None = None
    for weights in choices:
        rising = fit_rising(_scores(weights, features[fit]), right[fit])
        loss = log_loss(rising.at(_scores(weights, features[judge])), right[judge])
        if best is None or loss < best[0]:
            best = loss, weights, rising
    assert best is not None, "there was a choice"
    _, weights, rising = best
    sure = rising.at(_scores(weights, features[judge]))
    return Calibration(weights, rising, curve_of(sure, right[judge]))


def log_loss(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the mean of ``-ln`` of the probability given to what was so: 0 is perfect.

    Examples
    --------
    >>> round(log_loss(np.array([0.5, 0.5]), np.array([True, False])), 4)
    0.6931
    """
    given = np.where(right, confidence, 1 - confidence)
    return float(-np.log(np.maximum(given, np.exp(-MOST))).mean())


def _check(features: NDArray[np.floating[Any]], right: NDArray[np.bool_]) -> None:
    wide = len(FEATURES)
    if features.ndim != 2 or features.shape[1] != wide or right.shape != features.shape[:1]:
        raise ShapeError(
            f"a calibration is fitted on features (N, {wide}) and right or wrong (N,)",
            seen=f"{features.shape} and {right.shape}",
        )
    if right.dtype != np.bool_:
        raise ShapeError("right or wrong must be bool (N,)", seen=f"dtype {right.dtype}")
    if len(right) < LEAST_LINES:
        raise DataError(
            f"a calibration is fitted on {LEAST_LINES} lines or more",
            seen=f"{len(right)} lines",
        )
    if not np.isfinite(features).all():
        bad = int(np.flatnonzero(~np.isfinite(features).all(axis=1))[0])
        raise DataError(
            "features of readings must be finite numbers",
            seen=f"line {bad}: {features[bad].tolist()}",
        )
