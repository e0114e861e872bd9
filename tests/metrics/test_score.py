"""Counting, intervals and tests against figures that others have published."""

from __future__ import annotations

import math

import numpy as np
import pytest

from digitlens.metrics.calibration import measure_calibration
from digitlens.metrics.classification import (
    DISPUTED,
    MIN_PROBABILITY,
    brier,
    confusion,
    hardest_errors,
    mask_undisputed,
    negative_log_likelihood,
    per_class,
)
from digitlens.metrics.intervals import discordance, mcnemar, wilson
from digitlens.metrics.risk_coverage import Coverage, coverage_at

TRUTH = np.array([0, 1, 1, 2, 2, 2], np.uint8)
ANSWER = np.array([0, 1, 2, 2, 2, 9], np.uint8)


def test_confusion_has_truth_in_rows() -> None:
    """A one read as a two stands in row 1, column 2."""
    table = confusion(TRUTH, ANSWER)
    assert table.dtype == np.int64
    assert table.shape == (10, 10)
    assert table[1, 2] == 1
    assert table[2, 1] == 0
    assert table.diagonal().tolist() == [1, 1, 2, 0, 0, 0, 0, 0, 0, 0]


def test_confusion_of_nines_does_not_overflow() -> None:
    """Labels of one byte are not multiplied in one byte."""
    nines = np.full(300, 9, np.uint8)
    assert confusion(nines, nines)[9, 9] == 300


def test_per_class_counts_misses_and_answers() -> None:
    """Recall is of the pictures, precision of the answers, None where there are none."""
    scores = per_class(confusion(TRUTH, ANSWER))
    two, nine, five = scores[2], scores[9], scores[5]
    assert (two.count, two.misses, two.answered) == (3, 1, 3)
    assert two.recall == two.precision == pytest.approx(2 / 3)
    assert (nine.recall, nine.precision) == (None, 0.0)
    assert (five.recall, five.precision) == (None, None)


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [
        # Newcombe (1998), Table I, method 3, the score interval at 95 %.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_agrees_with_newcombe(hits: int, count: int, low: float, high: float) -> None:
    """The interval is that of Newcombe's published table."""
    result = wilson(count - hits, count)
    assert result.low == pytest.approx(low, abs=5e-5)
    assert result.high == pytest.approx(high, abs=5e-5)


def test_wilson_of_a_perfect_score_ends_at_one() -> None:
    """No misses is not certainty: the upper end is 1, the lower one below."""
    assert wilson(0, 10_000).high == 1.0
    assert 0.9996 < wilson(0, 10_000).low < 0.9997
    assert wilson(20, 20).low == 0.0


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [
        # Fagerland, Lydersen and Laake (2013): airway hyper-responsiveness, 1 against 7.
        (1, 7, 0.0703),
        # The same table as Wikipedia's example: 6 against 16.
        (6, 16, 0.0525),
        (0, 5, 2 / 32),
        (5, 0, 2 / 32),
        (4, 4, 1.0),
        (0, 0, 1.0),
    ],
)
def test_mcnemar_agrees_with_published_examples(first: int, second: int, p: float) -> None:
    """The exact p-value is that of the published examples."""
    assert mcnemar(first, second) == pytest.approx(p, abs=5e-5)


def test_mcnemar_agrees_with_scipy() -> None:
    """The p-value is that of scipy's exact binomial test, in the far tail too."""
    stats = pytest.importorskip("scipy.stats")
    for first, second in [(59, 121), (12, 31), (200, 260), (3, 400), (1500, 1501)]:
        wanted = stats.binomtest(min(first, second), first + second, 0.5).pvalue
        assert mcnemar(first, second) == pytest.approx(wanted, rel=1e-9)


def test_mcnemar_of_tens_of_thousands_is_a_number() -> None:
    """Counts beyond what a float can raise 2 to give a p-value nonetheless."""
    assert mcnemar(0, 20_000) == 0.0
    assert 0.3 < mcnemar(10_000, 10_100) < 0.6


def test_discordance_counts_each_side() -> None:
    """Digits that one alone got right, and those that both missed, are counted."""
    truth = np.array([1, 2, 3, 4, 5])
    result = discordance(truth, np.array([1, 2, 3, 0, 5]), np.array([1, 0, 0, 4, 5]))
    assert (result.only_first, result.only_second, result.both_wrong) == (2, 1, 0)
    assert result.p == 1.0


def test_negative_log_likelihood_is_in_nats() -> None:
    """Even odds cost ln 2, certainty nothing."""
    rows = np.zeros((2, 10), np.float32)
    rows[0, 3], rows[0, 5], rows[1, 4] = 0.5, 0.5, 1.0
    result = negative_log_likelihood(np.array([3, 4]), rows)
    assert result == pytest.approx(math.log(2) / 2)
    assert str(negative_log_likelihood(np.array([4]), rows[1:])) == "0.0"


def test_an_impossible_truth_costs_no_more_than_the_clip() -> None:
    """A truth of probability 0 costs 87.3 nats and not infinity."""
    rows = np.zeros((1, 10), np.float32)
    rows[0, 0] = 1.0
    assert negative_log_likelihood(np.array([1]), rows) == pytest.approx(
        -math.log(MIN_PROBABILITY)
    )


def test_brier_runs_from_nought_to_two() -> None:
    """Sure and right is 0, sure and wrong is 2, as in Brier's paper."""
    rows = np.eye(10, dtype=np.float32)[[3, 3]]
    assert brier(np.array([3, 3]), rows) == 0.0
    assert brier(np.array([4, 4]), rows) == 2.0
    # Brier (1950): forecasts .7 and .3 of rain, rain came: (.7 - 1)^2 + (.3)^2.
    rain = np.zeros((1, 10))
    rain[0, :2] = 0.7, 0.3
    assert brier(np.array([0]), rain) == pytest.approx(0.18)


def test_calibration_error_of_a_boaster() -> None:
    """Always 90 % sure and right half the time is 0.4 off, in one bin."""
    result = measure_calibration(np.full(100, 0.9, np.float32), np.arange(100) % 2 == 0)
    assert result.error == pytest.approx(0.4, abs=1e-6)
    assert [(part.count, part.misses) for part in result.bins] == [(100, 50)]


def test_calibration_bins_have_equal_mass() -> None:
    """Distinct confidences are dealt out evenly, the least confident first."""
    sure = np.linspace(0.1, 1.0, 150)
    result = measure_calibration(sure, np.ones(150, bool))
    assert [part.count for part in result.bins] == [10] * 15
    assert [part.low for part in result.bins] == sorted(part.low for part in result.bins)
    assert result.bins[0].low == pytest.approx(0.1)


def test_coverage_answers_the_surest() -> None:
    """Ten answers of which the two least sure are wrong: eight without an error."""
    sure = np.linspace(1.0, 0.1, 10)
    right = np.array([True] * 8 + [False] * 2)
    none, tenth, all_of_them = coverage_at(sure, right, (0.0, 0.12, 0.2))
    assert none == Coverage(0.0, 10, 8, 0, sure[7])
    assert (tenth.answered, tenth.misses) == (9, 1)
    assert (all_of_them.answered, all_of_them.share) == (10, 1.0)


def test_coverage_may_pass_over_an_early_miss() -> None:
    """One sure miss among many is allowed once enough is answered."""
    right = np.ones(1000, bool)
    right[0] = False
    (result,) = coverage_at(np.linspace(1.0, 0.5, 1000), right, (0.001,))
    assert (result.answered, result.misses) == (1000, 1)


def test_coverage_does_not_part_ties() -> None:
    """Answers of one confidence are given together or not at all."""
    sure, right = np.array([0.9, 0.5, 0.5]), np.array([True, True, False])
    (result,) = coverage_at(sure, right, (0.2,))
    assert (result.answered, result.threshold) == (1, 0.9)


def test_coverage_may_be_nothing() -> None:
    """Where the surest answers are wrong nothing can be answered without an error."""
    (result,) = coverage_at(np.array([0.9, 0.8]), np.array([False, True]), (0.0,))
    assert (result.answered, result.misses, result.threshold, result.share) == (0, 0, None, 0.0)


def test_worst_first_ranks_by_confidence_in_the_mistake() -> None:
    """The surest mistake comes first; of equals, the one that left the truth less."""
    truth, answer = np.array([0, 1, 2, 3]), np.array([0, 9, 9, 9])
    rows = np.zeros((4, 10))
    rows[0, 0] = 1
    rows[1, 9], rows[1, 1], rows[1, 5] = 0.6, 0.3, 0.1
    rows[2, 9], rows[2, 2], rows[2, 5] = 0.6, 0.1, 0.3
    rows[3, 9] = 0.99
    assert hardest_errors(truth, answer, rows).tolist() == [3, 2, 1]


def test_the_disputed_labels_are_fifteen_of_the_test_set() -> None:
    """The list is that of the study: 15 different positions under 10,000."""
    assert len(set(DISPUTED)) == len(DISPUTED) == 15
    assert sorted(DISPUTED) == list(DISPUTED)
    assert max(DISPUTED) < 10_000


def test_disputed_labels_are_known_by_position_in_the_test_set_only() -> None:
    """A slice of the test set keeps its disputed digits; another set has none."""
    some = mask_undisputed("mnist test", np.arange(1600, 1700))
    assert some is not None
    assert np.flatnonzero(~some).tolist() == [21]
    assert mask_undisputed("mnist train", np.arange(10_000)) is None
    assert mask_undisputed("fashion test", np.arange(10_000)) is None
