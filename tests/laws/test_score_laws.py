"""Laws that every set of answers obeys."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from digitlens.metrics.calibration import measure_calibration
from digitlens.metrics.classification import (
    brier,
    confusion,
    hardest_errors,
    negative_log_likelihood,
    per_class,
)
from digitlens.metrics.intervals import discordance, mcnemar, wilson
from digitlens.metrics.risk_coverage import coverage_at, coverage_curve

digit = st.integers(0, 9)
pairs = st.lists(st.tuples(digit, digit), min_size=1, max_size=60)
# Few distinct confidences, so that ties are common.
answers = st.lists(
    st.tuples(st.sampled_from([0.2, 0.5, 0.7, 0.9, 0.99, 1.0]), st.booleans()),
    min_size=1,
    max_size=60,
)
seeds = st.integers(0, 2**32 - 1)


@given(pairs)
def test_confusion_sums_to_the_count(pairs: list[tuple[int, int]]) -> None:
    """Every digit stands in one cell; off the diagonal are the misses."""
    truth, answer = (np.array(column, np.uint8) for column in zip(*pairs, strict=True))
    table = confusion(truth, answer)
    assert table.sum() == len(pairs)
    misses = int((truth != answer).sum())
    assert table.sum() - table.trace() == misses
    assert sum(score.misses for score in per_class(table)) == misses
    assert confusion(answer, truth).tolist() == table.T.tolist()


@given(pairs, st.permutations(range(10)))
def test_renaming_the_digits_renames_the_table(
    pairs: list[tuple[int, int]], names: list[int]
) -> None:
    """Other names for the ten digits move the cells and change no figure."""
    renamed = np.array(names, np.uint8)
    truth, answer = (np.array(column, np.uint8) for column in zip(*pairs, strict=True))
    moved = confusion(renamed[truth], renamed[answer])
    assert moved[np.ix_(renamed, renamed)].tolist() == confusion(truth, answer).tolist()


@given(st.integers(1, 20_000), st.data())
def test_wilson_holds_the_estimate_and_shrinks(count: int, data: st.DataObject) -> None:
    """The interval holds the accuracy, stays in 0..1 and shrinks as digits are added."""
    misses = data.draw(st.integers(0, count))
    low, high = wilson(misses, count)
    assert 0 <= low <= (count - misses) / count <= high <= 1
    more = wilson(4 * misses, 4 * count)
    assert more.high - more.low < high - low
    surer = wilson(misses, count, 0.99)
    assert surer.low <= low
    assert surer.high >= high
    # Counting hits for misses turns the interval round.
    turned = wilson(count - misses, count)
    assert abs(turned.low - (1 - high)) < 1e-12


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_a_probability_and_fair(first: int, second: int) -> None:
    """The order of the models does not matter, and a wider split is never likelier."""
    p = mcnemar(first, second)
    assert 0 < p <= 1
    assert p == mcnemar(second, first)
    if first >= second > 0:
        assert mcnemar(first + 1, second - 1) <= p


@given(pairs, seeds)
def test_discordance_accounts_for_the_misses(pairs: list[tuple[int, int]], seed: int) -> None:
    """Misses of each model are those shared and those the other got right."""
    truth, first = (np.array(column, np.uint8) for column in zip(*pairs, strict=True))
    second = np.random.default_rng(seed).integers(0, 10, len(truth))
    result = discordance(truth, first, second)
    assert result.only_second + result.both_wrong == (first != truth).sum()
    assert result.only_first + result.both_wrong == (second != truth).sum()


@given(answers, seeds)
def test_order_changes_no_score(answers: list[tuple[float, bool]], seed: int) -> None:
    """Calibration and coverage do not depend on the order of the digits, ties or not."""
    sure, right = (np.array(column) for column in zip(*answers, strict=True))
    other = np.random.default_rng(seed).permutation(len(sure))
    assert coverage_at(sure, right) == coverage_at(sure[other], right[other])
    one, two = measure_calibration(sure, right), measure_calibration(sure[other], right[other])
    assert abs(one.error - two.error) < 1e-12
    assert [part.count for part in one.bins] == [part.count for part in two.bins]


@given(answers, st.floats(0, 1), st.floats(0, 1))
def test_a_higher_bar_never_answers_more(
    answers: list[tuple[float, bool]], one: float, two: float
) -> None:
    """Fewer errors allowed, no more answers given; and what is promised is kept."""
    sure, right = (np.array(column) for column in zip(*answers, strict=True))
    strict, lax = coverage_at(sure, right, (min(one, two), max(one, two)))
    assert strict.answered <= lax.answered
    for result in (strict, lax):
        assert result.misses <= result.error_rate * result.answered + 1e-9
        given_out = sure >= (2.0 if result.threshold is None else result.threshold)
        assert given_out.sum() == result.answered
        assert (~right[given_out]).sum() == result.misses


@given(answers)
def test_bins_and_curve_hold_every_answer(answers: list[tuple[float, bool]]) -> None:
    """Bins and curve each end with all answers and all misses."""
    sure, right = (np.array(column) for column in zip(*answers, strict=True))
    result = measure_calibration(sure, right)
    assert sum(part.count for part in result.bins) == len(sure)
    assert sum(part.misses for part in result.bins) == (~right).sum()
    assert 0 <= result.error <= 1
    assert all(part.low <= part.confidence <= part.high for part in result.bins)
    answered, misses, thresholds = coverage_curve(sure, right)
    assert (answered[-1], misses[-1]) == (len(sure), (~right).sum())
    assert (np.diff(thresholds) < 0).all()


@given(seeds, st.integers(1, 40))
def test_probability_scores_keep_their_range(seed: int, count: int) -> None:
    """Negative log likelihood and Brier score are what their long forms say."""
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.full(10, 0.1), count)
    truth = rng.integers(0, 10, count)
    one_hot = np.eye(10)[truth]
    assert negative_log_likelihood(truth, rows) >= 0
    long_form = np.square(rows - one_hot).sum(axis=1).mean()
    assert abs(brier(truth, rows) - long_form) < 1e-9
    answer = rows.argmax(axis=1)
    worst = hardest_errors(truth, answer, rows)
    assert sorted(worst.tolist()) == np.flatnonzero(answer != truth).tolist()
    sureness = rows[worst, answer[worst]]
    assert (np.diff(sureness) <= 0).all()
