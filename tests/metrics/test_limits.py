"""Exact upper limits, against figures that others have published."""

from __future__ import annotations

from math import comb

import pytest

from digitlens.metrics.intervals import binomial_cdf, clopper_pearson_upper


@pytest.mark.parametrize(
    ("misses", "count", "limit"),
    [(0, 10, 0.2589), (1, 10, 0.3942), (0, 30, 0.0950), (5, 20, 0.4556)],
)
def test_limits_of_the_tables(misses: int, count: int, limit: float) -> None:
    """One-sided 95 % limits agree with the tables of Clopper and Pearson's interval."""
    assert clopper_pearson_upper(misses, count) == pytest.approx(limit, abs=5e-5)


def test_the_rule_of_three() -> None:
    """With no miss the limit is 1 - 0.05 ** (1 / n), about 3 / n."""
    assert clopper_pearson_upper(0, 1000) == pytest.approx(1 - 0.05 ** (1 / 1000))


@pytest.mark.parametrize("share", [0.0, 0.03, 0.5, 0.97, 1.0])
@pytest.mark.parametrize("misses", [0, 3, 7, 12])
def test_chances_are_those_of_the_formula(misses: int, share: float) -> None:
    """The sum of binomial terms, written out."""
    terms = [comb(12, k) * share**k * (1 - share) ** (12 - k) for k in range(misses + 1)]
    assert binomial_cdf(misses, 12, share) == pytest.approx(sum(terms))


def test_many_readings_do_not_overflow() -> None:
    """A million readings are no trouble."""
    assert clopper_pearson_upper(10_000, 1_000_000) == pytest.approx(0.010165, abs=2e-6)


def test_nothing_promises_nothing() -> None:
    """Where nothing was read everything may be wrong."""
    assert clopper_pearson_upper(0, 0) == 1.0
