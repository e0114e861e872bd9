"""Thresholds for a promised error rate: on all readings, and on the worst source."""

from __future__ import annotations

import numpy as np
import pytest

from digitlens.errors import UsageError
from digitlens.metrics.intervals import clopper_pearson_upper
from digitlens.metrics.risk_coverage import (
    coverage_at,
    risk_coverage_curve,
    threshold_for_risk,
    worst_curve,
)

COUNT = 1_000
SURE = np.linspace(1, 0, COUNT)


def test_a_curve_keeps_some_points_evenly() -> None:
    """Few thresholds are all kept; of many as many as are asked for, the last one too."""
    right = SURE > 0.3
    whole = risk_coverage_curve(SURE, right, points=COUNT)
    assert whole.accepted == tuple(range(1, COUNT + 1))
    curve = risk_coverage_curve(SURE, right)
    assert (curve.count, len(curve.thresholds)) == (COUNT, 200)
    assert (curve.accepted[0], curve.accepted[-1]) == (1, COUNT)
    assert max(np.diff(curve.accepted)) <= 6
    assert curve.misses[-1] == (~right).sum()
    assert curve.as_dict() == {
        "count": COUNT,
        "bars": list(curve.thresholds),
        "accepted": list(curve.accepted),
        "misses": list(curve.misses),
    }


def test_the_lowest_threshold_that_keeps_the_promise_is_taken() -> None:
    """The limit of what it accepts is within the promise, that of the next one is not."""
    right = np.ones(COUNT, bool)
    right[[400, 420, 440, 460, 480, 500]] = False
    right[600:] = False
    curve = risk_coverage_curve(SURE, right, points=COUNT)
    chosen = threshold_for_risk(0.02, curve)
    limit = clopper_pearson_upper(chosen.misses, chosen.accepted)
    assert (chosen.error, chosen.count, chosen.level) == (0.02, COUNT, 0.95)
    assert chosen.limit == limit <= 0.02
    assert chosen.confidence == curve.thresholds[chosen.accepted - 1]
    assert chosen.read_rate == chosen.accepted / COUNT
    following = curve.misses[chosen.accepted]
    assert clopper_pearson_upper(following, chosen.accepted + 1) > 0.02
    assert threshold_for_risk(1.0, curve).accepted == COUNT
    assert threshold_for_risk(0.02, curve, level=0.5).accepted > chosen.accepted


def test_no_threshold_may_keep_it() -> None:
    """Too few readings promise nothing, though none is wrong."""
    curve = risk_coverage_curve(SURE[:298], np.ones(298, bool))
    nothing = threshold_for_risk(0.01, curve)
    assert (nothing.confidence, nothing.accepted, nothing.misses) == (None, 0, 0)
    assert (nothing.limit, nothing.count) == (1.0, 298)
    curve = risk_coverage_curve(SURE[:299], np.ones(299, bool))
    assert threshold_for_risk(0.01, curve).accepted == 299


def test_the_worst_source_must_keep_it_too() -> None:
    """Where one source is wrong more often, a higher threshold is taken, or none."""
    right = np.ones(COUNT, bool)
    names = np.full((COUNT, 1), "print")
    names[::10] = "pen"
    right[500::100] = False  # of a hundred by pen five, below a half
    curve = risk_coverage_curve(SURE, right, points=COUNT)
    worst = worst_curve(curve, SURE, right, names)
    alone, held = (threshold_for_risk(0.02, curve, worst=item) for item in (None, worst))
    assert alone.accepted == COUNT
    assert held.accepted == 500
    assert threshold_for_risk(1.0, curve, worst=worst).accepted == COUNT
    # A miss in ten accepted ones and a standard deviation on top: 2 of 10.
    assert threshold_for_risk(0.2, curve, worst=worst).accepted == COUNT


def test_the_worst_source_is_counted_at_each_threshold() -> None:
    """A source of which nothing is accepted yet is not the worst of them."""
    sure = np.array([0.9, 0.8, 0.7, 0.6])
    right = np.array([True, True, False, True])
    names = np.array([["pen", "short"], ["font", "short"], ["font", "long"], ["pen", "long"]])
    worst = worst_curve(risk_coverage_curve(sure, right), sure, right, names)
    assert worst.thresholds == (0.9, 0.8, 0.7, 0.6)
    assert worst.misses == (0, 0, 1, 1)
    assert worst.accepted[2:] == (1, 2)


@pytest.mark.parametrize(
    ("error", "has_try", "has_likely"), [(0.0, False, True), (1.5, True, False)]
)
def test_a_rate_that_is_none_is_refused(error: float, has_try: bool, has_likely: bool) -> None:
    """Nothing promises that nothing is wrong; a per cent is 0.01."""
    curve = risk_coverage_curve(SURE, SURE > 0.5)
    with pytest.raises(UsageError, match="a wanted error rate must be above 0") as caught:
        threshold_for_risk(error, curve)
    assert (caught.value.try_ is not None, caught.value.likely is not None) == (
        has_try,
        has_likely,
    )
    for level in (0.0, 1.0):
        with pytest.raises(UsageError, match="a level must lie between 0 and 1"):
            threshold_for_risk(0.01, curve, level=level)


def test_coverage_is_told_for_three_rates() -> None:
    """An evaluation tells it for one wrong in a hundred, in two hundred, in a thousand."""
    result = coverage_at(SURE, SURE > 0.5)
    assert [item.error_rate for item in result] == [0.01, 0.005, 0.001]
    assert [item.misses for item in result] == [5, 2, 0]
    assert [item.answered for item in result] == [505, 502, 500]
