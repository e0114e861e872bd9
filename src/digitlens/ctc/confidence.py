"""Calibration: how often a string read with this probability is right.

There is a calibration for each kind of question: no length known, this length, some length.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.ctc.regression import IsotonicCalibrator, fit_isotonic, fit_logistic
from digitlens.errors import DataError, ModelError, ShapeError
from digitlens.metrics.risk_coverage import (
    RiskCoverageCurve,
    ThresholdResult,
    risk_coverage_curve,
    threshold_for_risk,
    worst_curve,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from digitlens.ctc.align import Span
    from digitlens.ctc.decode import Decoded
    from digitlens.ctc.probs import Lengths


# What a confidence is computed from; all but the fourth are natural logarithms of odds or
# shares, between -30 and 30.
FEATURES = ("sureness", "margin", "least digit", "length", "length fits")

MAX_LOG = 30.0

MIN_LINES = 100  # fewest lines that a calibration can be fitted on
FOLDS = 5  # parts of the lines, each judged by calibrations that were fitted on the others
MIN_EXAMPLES = 10  # fewest right and fewest wrong lines that a logistic regression is fitted on


def confidence_features(decoded: Decoded, spans: Sequence[Span]) -> NDArray[np.float64]:
    """Return what a confidence is computed from: float64 (5,), in the order of `FEATURES`.

    decoded: a line's strings; at least one
    spans: the digits of the best of them, from `align`

    Returns the log-odds of the best string (among the allowed lengths, where these are given);
    the logarithm of how many times likelier it is than the second (than all that is left, where
    there is no second); the log-odds of the least sure digit; the number of digits; and the
    logarithm of the probability that the length is an allowed one.
    """
    best = decoded.candidates[0]
    # Without a second string, it competes with all that is left.
    rest = 1.0 - best.among_lengths
    if len(decoded.candidates) > 1:
        rest = decoded.candidates[1].among_lengths
    least = min([span.confidence for span in spans], default=1.0)
    return np.array(
        [
            _log(best.among_lengths) - _log(1.0 - best.among_lengths),
            _log(best.among_lengths) - _log(rest),
            _log(least) - _log(1.0 - least),
            float(len(best.text)),
            _log(decoded.length_probability),
        ]
    ).clip(-MAX_LOG, MAX_LOG)


def _log(share: float) -> float:
    return log(share) if share > np.exp(-MAX_LOG) else -MAX_LOG


@dataclass(frozen=True)
class ConfidenceModel:
    """How the features of a reading become its confidence."""

    # Of a logistic regression over the features, the intercept first; None where the first
    # feature alone is the score.
    weights: tuple[float, ...] | None
    calibrator: IsotonicCalibrator  # from score to confidence
    # Risk and coverage, each line judged by a confidence that was fitted without it.
    curve: RiskCoverageCurve
    worst: RiskCoverageCurve | None = None  # for each threshold, of the source it serves worst

    def threshold(self, error: float) -> ThresholdResult:
        """Return the confidence from which at most `error` of the readings are wrong.

        Where sources are known it holds on each of them, not on their mean alone.
        """
        return threshold_for_risk(error, self.curve, worst=self.worst)

    def confidence(self, features: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the confidence, float64 (N,), of readings with these `features` (N, 5)."""
        return self.calibrator.transform(_scores(self.weights, features))

    def as_dict(self) -> dict[str, Any]:
        """Return the calibration as plain values that JSON can hold."""
        return {
            "weights": None if self.weights is None else list(self.weights),
            "rising": self.calibrator.as_dict(),
            "curve": self.curve.as_dict(),
            **({} if self.worst is None else {"worst": self.worst.as_dict()}),
        }


def _scores(
    weights: tuple[float, ...] | None, features: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    given = np.asarray(features, np.float64)
    if weights is None:
        return given[:, 0]
    scores: NDArray[np.float64] = weights[0] + given @ np.array(weights[1:])
    return scores


def fit_confidence(
    features: NDArray[np.floating[Any]],
    right: NDArray[np.bool_],
    rng: np.random.Generator,
    sources: NDArray[np.str_] | None = None,
) -> ConfidenceModel:
    """Fit a calibration on lines whose truth is known.

    Two are fitted: an isotonic curve over the log-odds of the string, and one over a logistic
    regression of all features. Each line is judged by a calibration that was fitted without it
    (cross-fitting, in `FOLDS` parts): these judgements say which of the two is better, by log
    loss, and give the curve of risk and coverage. What is returned is fitted on all lines.

    features: float (N, 5), from `confidence_features`; N at least 100
    right: bool (N,): whether the whole string was right
    rng: splits the lines into parts
    sources: str (N, G): where each is from, in G ways; a promise about errors then holds on
        the worst of them

    Raises ShapeError: arrays of other shapes; DataError: fewer than 100 lines, or features that
    are not finite.
    """
    _check_examples(features, right)
    folds = rng.permutation(len(right)) % FOLDS
    # The promise about errors rests on judgements by calibrations that did not know the line.
    # Of halves only one would count, and a bar would be the luck of the draw: for one reader
    # and its 36,000 lines it accepted 51 to 125 of 212 cheques, by the seed.
    choices = []
    for with_all in (False, True):
        sure = np.zeros(len(right))
        for fold in range(FOLDS):
            other = folds != fold
            weights, calibrator = _fit_scores(features[other], right[other], with_all=with_all)
            sure[~other] = calibrator.transform(_scores(weights, features[~other]))
        choices.append((log_loss(sure, right), with_all, sure))
    _, with_all, sure = min(choices, key=itemgetter(0))
    weights, calibrator = _fit_scores(features, right, with_all=with_all)
    curve = risk_coverage_curve(sure, right)
    worst = None if sources is None else worst_curve(curve, sure, right, sources)
    return ConfidenceModel(weights, calibrator, curve, worst)


def _fit_scores(
    features: NDArray[np.floating[Any]], right: NDArray[np.bool_], *, with_all: bool
) -> tuple[tuple[float, ...] | None, IsotonicCalibrator]:
    """Fit weights of all features, or none where the first alone is the score, and a curve."""
    # With few right or few wrong lines the weights would fit these very lines.
    enough = min(int(right.sum()), int((~right).sum())) >= MIN_EXAMPLES
    weights = fit_logistic(features, right) if with_all and enough else None
    return weights, fit_isotonic(_scores(weights, features), right)


def log_loss(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the mean of ``-ln`` of the probability given to what was so: 0 is perfect.

    >>> round(log_loss(np.array([0.5, 0.5]), np.array([True, False])), 4)
    0.6931
    """
    given = np.where(right, confidence, 1 - confidence)
    return float(-np.log(np.maximum(given, np.exp(-MAX_LOG))).mean())


def _check_examples(features: NDArray[np.floating[Any]], right: NDArray[np.bool_]) -> None:
    width = len(FEATURES)
    if features.ndim != 2 or features.shape[1] != width or right.shape != features.shape[:1]:
        raise ShapeError(
            f"a calibration is fitted on features (N, {width}) and right or wrong (N,)",
            seen=f"{features.shape} and {right.shape}",
        )
    if right.dtype != np.bool_:
        raise ShapeError("right or wrong must be bool (N,)", seen=f"dtype {right.dtype}")
    if len(right) < MIN_LINES:
        raise DataError(
            f"a calibration is fitted on {MIN_LINES} lines or more",
            seen=f"{len(right)} lines",
        )
    if not np.isfinite(features).all():
        bad = int(np.flatnonzero(~np.isfinite(features).all(axis=1))[0])
        raise DataError(
            "features of readings must be finite numbers",
            seen=f"line {bad}: {features[bad].tolist()}",
        )


FORMAT = 1  # raised when `ConfidenceModels.as_dict` changes its meaning


@dataclass(frozen=True)
class ConfidenceModels:
    """A calibration for each way in which a reading may be asked for."""

    unconstrained: ConfidenceModel  # where no length is given
    # Where lengths are given that have no calibration of their own; None where there is none.
    constrained: ConfidenceModel | None = None
    # Where one length is given.
    by_length: Mapping[int, ConfidenceModel] = field(default_factory=dict)

    def select(self, lengths: Lengths) -> ConfidenceModel:
        """Return the calibration for readings with these allowed lengths."""
        if lengths is None:
            return self.unconstrained
        special = self.by_length.get(next(iter(lengths))) if len(lengths) == 1 else None
        return special or self.constrained or self.unconstrained

    def as_dict(self) -> dict[str, Any]:
        """Return all calibrations as plain values that JSON can hold.

        The keys ``free``, ``given`` and ``rising`` stand in every published network's file.
        """
        return {
            "format": FORMAT,
            "free": self.unconstrained.as_dict(),
            "given": None if self.constrained is None else self.constrained.as_dict(),
            "by_length": {
                str(length): item.as_dict() for length, item in sorted(self.by_length.items())
            },
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> ConfidenceModels:
        """Return the calibrations that `as_dict` gave; anything else is a `ModelError`."""
        try:
            if raw["format"] != FORMAT:
                raise ModelError(
                    f"a reader's calibrations must be of format {FORMAT}",
                    seen=f"format {raw['format']!r}",
                    likely="another version of digitlens wrote them",
                    try_="use that version, or fit them again",
                )
            given = raw["given"]
            return cls(
                _parse_model(raw["free"]),
                None if given is None else _parse_model(given),
                {int(length): _parse_model(item) for length, item in raw["by_length"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(
                "a reader's calibrations cannot be read",
                seen=f"{type(error).__name__}: {error}",
            ) from error


def _parse_model(raw: Mapping[str, Any]) -> ConfidenceModel:
    weights, rising, curve = raw["weights"], raw["rising"], raw["curve"]
    return ConfidenceModel(
        None if weights is None else tuple(float(item) for item in weights),
        IsotonicCalibrator(
            tuple(float(item) for item in rising["scores"]),
            tuple(float(item) for item in rising["shares"]),
            float(rising["spread"]),
        ),
        _parse_curve(curve),
        None if raw.get("worst") is None else _parse_curve(raw["worst"]),
    )


def _parse_curve(raw: Mapping[str, Any]) -> RiskCoverageCurve:
    return RiskCoverageCurve(
        int(raw["count"]),
        tuple(float(item) for item in raw["bars"]),
        tuple(int(item) for item in raw["accepted"]),
        tuple(int(item) for item in raw["misses"]),
    )


def fit_confidence_models(
    lines: Mapping[int | None, tuple[NDArray[np.floating[Any]], NDArray[np.bool_]]],
    rng: np.random.Generator,
    sources: Mapping[int | None, NDArray[np.str_]] | None = None,
) -> ConfidenceModels:
    """Fit a calibration for no length, one for each length, and one for all other cases.

    lines: features (N, 5) and right or wrong (N,) of the readings, by the length that was asked
        for; None for none, which must be there. Lengths with fewer than 100 lines get no
        calibration of their own.
    rng: splits the lines into parts
    sources: where the lines are from, as `fit_confidence` has it. Lengths then share one
        calibration: each alone has too few lines of each source to promise anything.

    Raises DataError: no readings without a length; or as `fit_confidence` says.
    """
    if None not in lines:
        raise DataError(
            "calibrations need readings for which no length was given",
            seen=f"readings with the lengths {sorted(item for item in lines if item)}",
        )
    # One for all lengths together, for those that have too few lines of their own.
    several = [length for length in lines if length is not None]
    constrained = None
    if sum(len(lines[length][1]) for length in several) >= MIN_LINES:
        constrained = fit_confidence(
            np.concatenate([lines[length][0] for length in several]),
            np.concatenate([lines[length][1] for length in several]),
            rng,
            np.concatenate([sources[length] for length in several]) if sources else None,
        )
    by_length = {
        length: fit_confidence(*lines[length], rng)
        for length in several
        if sources is None and len(lines[length][1]) >= MIN_LINES
    }
    unconstrained = fit_confidence(*lines[None], rng, sources[None] if sources else None)
    return ConfidenceModels(unconstrained, constrained, by_length)
