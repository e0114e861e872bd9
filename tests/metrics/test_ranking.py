"""The area under the curve and the bar, against figures that others have published."""

from __future__ import annotations

import numpy as np
import pytest

from digitlens.metrics.classification import auroc, threshold_at_tpr

# Hanley and McNeil (1982), Table I: 58 normal and 51 abnormal CT pictures, rated 1 to 5.
NORMAL = np.repeat([1.0, 2, 3, 4, 5], [33, 6, 6, 11, 2])
ABNORMAL = np.repeat([1.0, 2, 3, 4, 5], [3, 2, 2, 11, 33])


def test_the_area_agrees_with_hanley_and_mcneil() -> None:
    """The worked example of the paper that made the measure known gives 0.893."""
    assert auroc(NORMAL, ABNORMAL) == pytest.approx(0.893, abs=5e-4)


def test_the_area_of_clear_cases() -> None:
    """All above is 1, all below is 0, all equal is a half."""
    low, high = np.array([0.1, 0.2]), np.array([0.3, 0.4, 0.5])
    assert auroc(low, high) == 1.0
    assert auroc(high, low) == 0.0
    assert auroc(low * 0, high * 0) == 0.5


def test_large_groups_do_not_overflow() -> None:
    """A hundred thousand against a hundred thousand is counted exactly."""
    many = np.zeros(100_000, np.float32)
    assert auroc(many, many + 1) == 1.0


@pytest.mark.parametrize(
    ("share", "bar"), [(0.01, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)]
)
def test_the_bar_keeps_just_enough(share: float, bar: float) -> None:
    """Of the scores 1 to 100, the bar that keeps 99 % is 99."""
    scores = np.random.default_rng(0).permutation(np.arange(1.0, 101.0))
    assert threshold_at_tpr(scores, share) == bar
