"""Laws of the area under the curve and of the bar."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from digitlens.metrics.classification import auroc, threshold_at_tpr

SCORES = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=40).map(np.array)


@given(SCORES, SCORES)
def test_the_area_is_the_share_of_pairs(low: np.ndarray, high: np.ndarray) -> None:
    """The area is what counting every pair gives, ties as halves; turned about, the rest."""
    pairs = high[:, None] - low
    assert auroc(low, high) == np.mean((pairs > 0) + 0.5 * (pairs == 0))
    assert auroc(low, high) + auroc(high, low) == 1.0


@given(SCORES, SCORES)
def test_only_the_order_counts(low: np.ndarray, high: np.ndarray) -> None:
    """A rising function of the scores leaves the area as it is."""
    assert auroc(np.exp(low), np.exp(high)) == auroc(low, high)


@given(SCORES, st.floats(0.001, 1.0))
def test_the_bar_keeps_enough_and_no_lower_one_does(scores: np.ndarray, share: float) -> None:
    """At least the wanted share is at the bar or under it, and less is under it."""
    bar = threshold_at_tpr(scores, share)
    assert (scores <= bar).mean() >= share - 1e-9
    assert (scores < bar).mean() < share
