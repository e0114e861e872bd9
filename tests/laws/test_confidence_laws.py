"""Laws of confidence, bars and upper limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlens.ctc.regression import fit_isotonic, pool_adjacent_violators
from digitlens.metrics.intervals import binomial_cdf, clopper_pearson_upper
from digitlens.metrics.risk_coverage import risk_coverage_curve, threshold_for_risk

answers = st.lists(
    st.tuples(st.integers(0, 40).map(lambda value: value / 40), st.booleans()),
    min_size=1,
    max_size=400,
)
errors = st.floats(0.001, 1.0)


def parts(drawn: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    """Return confidences and right or wrong as arrays."""
    sure, right = zip(*drawn, strict=True)
    return np.array(sure), np.array(right, bool)


@given(answers, st.integers(2, 50))
def test_a_higher_bar_never_reads_more(drawn: list[tuple[float, bool]], points: int) -> None:
    """Along a curve bars fall while accepted and wrong ones rise, however it is thinned."""
    curve = risk_coverage_curve(*parts(drawn), points=points)
    assert (np.diff(curve.thresholds) < 0).all()
    assert (np.diff(curve.accepted) > 0).all()
    assert (np.diff(curve.misses) >= 0).all()


@given(answers, errors, errors)
def test_a_lower_error_never_has_a_lower_bar(
    drawn: list[tuple[float, bool]], one: float, two: float
) -> None:
    """Who wants fewer errors gets a bar at least as high, or none, and reads no more."""
    curve = risk_coverage_curve(*parts(drawn))
    strict, loose = (
        threshold_for_risk(min(one, two), curve),
        threshold_for_risk(max(one, two), curve),
    )
    assert strict.read_rate <= loose.read_rate
    if strict.confidence is not None:
        assert loose.confidence is not None
        assert strict.confidence >= loose.confidence


@given(answers, errors, st.sampled_from([0.5, 0.9, 0.99]))
def test_a_bar_keeps_its_promise(
    drawn: list[tuple[float, bool]], error: float, level: float
) -> None:
    """At the bar the upper limit is within the error, and the counts are the true ones."""
    sure, right = parts(drawn)
    bar = threshold_for_risk(error, risk_coverage_curve(sure, right), level=level)
    if bar.confidence is None:
        assert bar.accepted == 0
        return
    accepted = sure >= bar.confidence
    assert bar.accepted == accepted.sum()
    assert bar.misses == (~right[accepted]).sum()
    assert bar.limit <= error + 1e-12
    assert bar.limit == pytest.approx(clopper_pearson_upper(bar.misses, bar.accepted, level))


@given(answers)
def test_confidence_rises_with_the_score(drawn: list[tuple[float, bool]]) -> None:
    """The fitted curve never falls, never is 0 or 1, and is centred on what was counted."""
    scores, right = parts(drawn)
    curve = fit_isotonic(scores, right)
    shares = curve.transform(np.linspace(-3, 4, 200))
    assert (np.diff(shares) >= 0).all()
    assert 0 < shares.min() <= shares.max() < 1
    drawn_in = (right.sum() + 0.5) / (len(right) + 1)
    assert shares[0] <= drawn_in + 0.5 / (len(right) + 1)
    assert shares[-1] >= drawn_in - 0.5 / (len(right) + 1)


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 4)), min_size=1, max_size=30))
def test_pooling_is_the_best_rising_fit(drawn: list[tuple[int, int]]) -> None:
    """The means of the blocks rise, and agree with the min-max formula of isotonic fits."""
    values, weights = (np.array(item, float) for item in zip(*drawn, strict=True))
    blocks = pool_adjacent_violators(values, weights)
    means = np.bincount(blocks, weights * values) / np.bincount(blocks, weights)
    assert (np.diff(means) > 0).all()
    sums = np.concatenate([[0.0], np.cumsum(weights * values)])
    total = np.concatenate([[0.0], np.cumsum(weights)])
    for index, block in enumerate(blocks):
        best = max(
            min(
                (sums[end] - sums[start]) / (total[end] - total[start])
                for end in range(index + 1, len(values) + 1)
            )
            for start in range(index + 1)
        )
        assert means[block] == pytest.approx(best)


@given(st.integers(1, 300), st.data(), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_the_upper_limit_is_where_so_few_misses_become_rare(
    count: int, data: st.DataObject, level: float
) -> None:
    """At the limit, as few misses as were seen have a chance of 1 - level; it is above them."""
    misses = data.draw(st.integers(0, count))
    limit = clopper_pearson_upper(misses, count, level)
    assert misses / count <= limit <= 1
    if misses < count:
        assert binomial_cdf(misses, count, limit) == pytest.approx(1 - level, rel=1e-6)
        assert clopper_pearson_upper(misses + 1, count, level) > limit
