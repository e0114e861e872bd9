"""Confidence: fitted on lines whose truth is known, kept as plain numbers, judged by bars."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from digitlens.ctc import (
    ConfidenceModels,
    align,
    confidence_features,
    decode,
    fit_confidence,
    fit_confidence_models,
)
from digitlens.ctc.confidence import log_loss
from digitlens.ctc.regression import (
    fit_isotonic,
    fit_logistic,
    pool_adjacent_violators,
    sigmoid,
)
from digitlens.errors import DataError, ModelError, ShapeError, UsageError
from digitlens.metrics.calibration import measure_calibration
from digitlens.metrics.risk_coverage import risk_coverage_curve, threshold_for_risk

Lines = Callable[..., np.ndarray]


def made(count: int, seed: int, *, hidden: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return features and right or wrong: the network claims twice the true log-odds.

    `hidden` is what the margin knows of the truth, beside the sureness.
    """
    rng = np.random.default_rng(seed)
    features = rng.normal(0, 1, (count, 5))
    odds = rng.normal(2, 2, count)
    features[:, 0] = 2 * odds
    features[:, 3] = 5.0
    odds = odds + hidden * features[:, 1]
    return features, rng.random(count) < sigmoid(odds)


def test_overconfidence_is_taken_out() -> None:
    """Where the network claims too much, the confidence fitted on some lines fits others."""
    calibration = fit_confidence(*made(8000, 0), np.random.default_rng(0))
    features, right = made(8000, 1)
    before = measure_calibration(sigmoid(features[:, 0]), right).error
    after = measure_calibration(calibration.confidence(features), right).error
    assert after < 0.02 < 0.05 < before


def test_the_logistic_is_taken_where_it_is_better() -> None:
    """Features that know more than the string's probability are used; others are not."""
    rng = np.random.default_rng(0)
    features, right = made(6000, 2, hidden=2.0)
    with_all = fit_confidence(features, right, rng)
    assert with_all.weights is not None
    only_first = features.copy()
    only_first[:, 1:] = 0.0
    alone = fit_confidence(only_first, right, rng)
    others, truth = made(6000, 3, hidden=2.0)
    better = log_loss(with_all.confidence(others), truth)
    assert better < 0.9 * log_loss(alone.confidence(others), truth)


def test_the_logistic_is_left_where_it_is_worse() -> None:
    """Features that mislead on a small sample do not get into the confidence."""
    rng = np.random.default_rng(1)
    features, right = made(120, 8)
    features[:, 1:] = rng.standard_cauchy((120, 4)).clip(-30, 30)
    assert fit_confidence(features, right, rng).weights is None


def test_without_enough_errors_the_probability_alone_decides() -> None:
    """A logistic regression is not fitted on a handful of wrong lines."""
    features, _ = made(400, 4)
    right = np.ones(400, bool)
    right[:4] = False
    assert fit_confidence(features, right, np.random.default_rng(0)).weights is None


def test_all_right_is_not_sure_for_ever() -> None:
    """100 right lines of 100 do not prove that a line is never wrong."""
    features, _ = made(100, 5)
    calibration = fit_confidence(features, np.ones(100, bool), np.random.default_rng(0))
    sure = calibration.confidence(features * 100)
    assert 0.98 < sure.max() < 1 - 1 / 500


def test_features_of_a_line(line: Lines) -> None:
    """What a confidence is made from are the figures that decoding and places give."""
    probs = line("123", peak=0.99, rivals={1: ("7", 0.33)})
    decoded = decode(probs)
    features = confidence_features(decoded, align(probs, "123"))
    assert features[1] == pytest.approx(np.log(2), abs=0.01)
    assert features[2] == pytest.approx(np.log(0.66 / 0.34), abs=0.01)
    assert features[3:].tolist() == [3.0, 0.0]
    empty = confidence_features(decode(line("", noise=1e-12)), ())
    assert np.isfinite(empty).all()
    assert empty[2] == 30.0


def test_a_length_that_does_not_fit_shows_in_the_features(line: Lines) -> None:
    """With a wrong length the last feature is far below 0."""
    probs = line("123")
    given = decode(probs, lengths={4})
    assert given.best is not None
    assert confidence_features(given, align(probs, given.best.text))[4] < -3


def test_calibrations_survive_json() -> None:
    """All numbers come back from JSON as they were."""
    rng = np.random.default_rng(0)
    result = fit_confidence_models(
        {None: made(400, 0), 5: made(400, 1, hidden=2.0), 9: made(60, 2)}, rng
    )
    again = ConfidenceModels.from_dict(json.loads(json.dumps(result.as_dict())))
    assert again == result
    assert set(result.by_length) == {5}


def test_each_question_has_its_calibration() -> None:
    """One length its own, other lengths the shared one, no length the free one."""
    rng = np.random.default_rng(0)
    result = fit_confidence_models({None: made(200, 0), 5: made(200, 1), 9: made(200, 2)}, rng)
    assert result.select(None) is result.unconstrained
    assert result.select(frozenset({5})) is result.by_length[5]
    assert (
        result.select(frozenset({7})) is result.select(frozenset({5, 9})) is result.constrained
    )
    only = ConfidenceModels(result.unconstrained)
    assert only.select(frozenset({5})) is result.unconstrained


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"format": 2}, "format 2"),
        ({"free": {}}, "KeyError: 'weights'"),
        ({"by_length": {"five": {}}}, "ValueError: "),
        ({"given": 3}, "TypeError: "),
        ({"by_length": None}, "AttributeError: "),
    ],
)
def test_damaged_calibrations_are_refused(change: dict[str, object], seen: str) -> None:
    """Metadata of another format, or with holes, is refused and what is wrong is shown."""
    result = fit_confidence_models({None: made(200, 0)}, np.random.default_rng(0))
    with pytest.raises(ModelError, match="a reader's calibrations") as caught:
        ConfidenceModels.from_dict({**result.as_dict(), **change})
    assert str(caught.value.seen).startswith(seen)


def test_fitting_wants_whole_data() -> None:
    """Too few lines, other shapes, holes and missing questions are refused."""
    rng = np.random.default_rng(0)
    features, right = made(200, 0)
    with pytest.raises(DataError, match="100 lines or more"):
        fit_confidence(features[:99], right[:99], rng)
    with pytest.raises(ShapeError, match="features \\(N, 5\\)"):
        fit_confidence(features[:, :4], right, rng)
    with pytest.raises(ShapeError, match="bool"):
        fit_confidence(features, right.astype(int), rng)
    features[7, 2] = np.inf
    with pytest.raises(DataError, match="line 7"):
        fit_confidence(features, right, rng)
    with pytest.raises(DataError, match="no length was given"):
        fit_confidence_models({5: made(200, 0)}, rng)


def test_pooling_by_hand() -> None:
    """Violators are pooled with their weights, backwards as far as needed; ties are one."""
    values, weights = np.array([1.0, 2.0, 0.0, 3.0, 3.0]), np.array([1.0, 1.0, 4.0, 1.0, 1.0])
    assert pool_adjacent_violators(values, weights).tolist() == [0, 0, 0, 1, 1]


def test_a_curve_of_one_score_is_flat() -> None:
    """Where all scores are the same the share that is right is all that can be said."""
    curve = fit_isotonic(np.zeros(99), np.arange(99) < 66)
    assert curve.transform(np.array([0.0]))[0] == pytest.approx(66.5 / 100)


def test_logistic_weights_by_hand() -> None:
    """With many readings the weights are those that made them; a constant gets 0."""
    rng = np.random.default_rng(0)
    table = np.column_stack([rng.normal(3, 2, 40_000), np.full(40_000, 7.0)])
    right = rng.random(40_000) < sigmoid(0.5 - 0.8 * table[:, 0])
    base, weight, constant = fit_logistic(table, right)
    assert weight == pytest.approx(-0.8, abs=0.03)
    assert base == pytest.approx(0.5, abs=0.06)
    assert constant == 0.0


def test_a_bar_promises_for_others() -> None:
    """The bar set on some lines keeps its error rate on others, and reads most of them."""
    calibration = fit_confidence(*made(20_000, 6), np.random.default_rng(0))
    bar = threshold_for_risk(0.02, calibration.curve)
    assert bar.confidence is not None
    features, right = made(20_000, 7)
    accepted = calibration.confidence(features) >= bar.confidence
    assert (~right[accepted]).mean() <= 0.02
    assert accepted.mean() == pytest.approx(bar.read_rate, abs=0.02)
    assert bar.read_rate > 0.2
    assert bar.misses / bar.accepted < bar.limit <= 0.02


def test_few_lines_promise_little() -> None:
    """298 right answers do not promise 1 %, 299 do: 0.99 ** 299 is below 0.05."""
    sure = np.linspace(1, 0.5, 298)
    assert (
        threshold_for_risk(0.01, risk_coverage_curve(sure, np.ones(298, bool))).confidence
        is None
    )
    sure = np.linspace(1, 0.5, 299)
    bar = threshold_for_risk(0.01, risk_coverage_curve(sure, np.ones(299, bool), points=400))
    assert (bar.accepted, bar.confidence, bar.read_rate) == (299, 0.5, 1.0)


def test_a_long_curve_is_thinned() -> None:
    """Of many bars so many are kept, the lowest among them, each with its exact counts."""
    rng = np.random.default_rng(0)
    sure = rng.random(5000)
    curve = risk_coverage_curve(sure, rng.random(5000) < sure, points=50)
    assert len(curve.thresholds) == 50
    assert curve.accepted[-1] == curve.count == 5000
    for bar, accepted in zip(curve.thresholds, curve.accepted, strict=True):
        assert (sure >= bar).sum() == accepted


@pytest.mark.parametrize("error", [0.0, -0.1, 1.5, float("nan")])
def test_other_error_rates_are_refused(error: float) -> None:
    """An error rate is above 0 and at most 1."""
    curve = risk_coverage_curve(np.array([0.5]), np.array([True]))
    with pytest.raises(UsageError, match="a wanted error rate"):
        threshold_for_risk(error, curve)


def test_a_level_lies_between_0_and_1() -> None:
    """A promise is never quite sure."""
    curve = risk_coverage_curve(np.array([0.5]), np.array([True]))
    with pytest.raises(UsageError, match="a level"):
        threshold_for_risk(0.1, curve, level=1.0)


def test_a_bar_is_no_luck_of_the_draw() -> None:
    """How the lines are split for judging hardly matters: the bars of ten seeds are alike."""
    features, right = made(8_000, 9)
    names = np.where(np.arange(8_000)[:, None] % 20 == 0, "rare", "usual")
    bars = [
        fit_confidence(features, right, np.random.default_rng(seed), names).threshold(0.02)
        for seed in range(10)
    ]
    rates = [bar.read_rate for bar in bars]
    assert max(rates) < 1.1 * min(rates)


def test_a_bar_holds_on_the_source_that_is_wrong_most() -> None:
    """The mean of two sources keeps 5 %, one of them does not: its own errors decide."""
    rng = np.random.default_rng(3)
    features, right = made(12_000, 7)
    names = np.where(rng.random((12_000, 1)) < 0.15, "odd", "usual")
    # Three in ten of the odd source are wrong, but where it is very sure.
    spoilt = rng.random(12_000) < 0.3 * (features[:, 0] < 8)
    right = right & ~((names[:, 0] == "odd") & spoilt)
    mean = fit_confidence(features, right, np.random.default_rng(0))
    model = fit_confidence(features, right, np.random.default_rng(0), names)
    again = ConfidenceModels.from_dict(ConfidenceModels(model).as_dict()).unconstrained
    assert again == model
    assert model.curve == mean.curve
    fresh, truth = made(12_000, 8)
    odd = truth & ~(rng.random(12_000) < 0.3 * (fresh[:, 0] < 8))
    sure = model.confidence(fresh)
    for bar, holds in ((mean.threshold(0.05), False), (model.threshold(0.05), True)):
        assert bar.confidence is not None
        accepted = sure >= bar.confidence
        assert bool((~odd[accepted]).mean() <= 0.05) is holds


def test_with_sources_lengths_share_a_calibration() -> None:
    """One length has too few lines of each source for a promise of its own."""
    lines = {None: made(400, 0), 5: made(400, 1), 9: made(400, 2)}
    names = {length: np.full((400, 1), f"{length}") for length in lines}
    result = fit_confidence_models(lines, np.random.default_rng(0), names)
    assert not result.by_length
    assert result.constrained is not None
    assert result.select(frozenset({5})) is result.constrained
    assert result.constrained.worst is not None
