"""A history in figures: the best epoch, lines to print, and what the curves are measured by."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digitlens.metrics.history import (
    Curves,
    Epoch,
    History,
    LinePoint,
    best_epoch,
    from_csv,
    measure_signals,
    to_csv,
)

FIRST = Epoch(1, 0.5, 0.9, 0.4, 0.95, 0.01, 2.0, 30.0)
BARE = replace(FIRST, validation_loss=None, validation_accuracy=None)


def test_the_best_epoch_has_most_right_then_least_loss_then_is_the_first() -> None:
    """Accuracy decides, the loss among equals, and of equals in both the earlier is kept."""
    worse = replace(FIRST, epoch=2, validation_accuracy=0.94, validation_loss=0.1)
    calmer = replace(FIRST, epoch=3, validation_loss=0.3)
    twin = replace(calmer, epoch=4)
    assert best_epoch([FIRST, worse]) == 1
    assert best_epoch([FIRST, worse, calmer, twin]) == 3
    assert best_epoch([BARE, replace(BARE, epoch=2)]) == 2


@pytest.mark.parametrize("name", ["validation_loss", "validation_accuracy"])
def test_an_epoch_is_validated_where_both_are_known(name: str) -> None:
    """One figure alone is no validation, and never the best."""
    half = replace(FIRST, **{name: None})  # type: ignore[arg-type]
    assert (FIRST.validated, half.validated) == (True, False)
    assert best_epoch([FIRST, replace(half, epoch=2)]) == 1


def test_an_epoch_is_a_line() -> None:
    """What was not held back is not written."""
    assert BARE.describe(3) == "epoch  1 of 3   loss 0.5000   training 90.00 %   2.0 s"


def test_a_history_is_told_in_a_line() -> None:
    """How many epochs, both accuracies of the last one, and which is the best."""
    assert repr(History()) == "History(no epochs)"
    assert repr(History([BARE])) == "History(1 epoch: training 90.00 %)"
    words = "History(1 epoch: training 90.00 %; validation 95.00 %, best epoch 1)"
    assert repr(History([FIRST])) == words
    assert History().validation_count == 0


def test_a_history_survives_its_file() -> None:
    """What was measured and what was not comes back as it was."""
    assert from_csv(to_csv([FIRST, BARE])) == [FIRST, BARE]


def test_a_point_of_a_reader_is_a_line() -> None:
    """The share read exactly stands there where lines were held back."""
    point = LinePoint(9, 0.5, 0.01, 1.0, 1_234.0)
    assert point.describe(0) == "step 9   loss 0.5000   1,234 lines/s"
    held = replace(point, misread=1, validation=4)
    assert held.describe(0) == "step 9   loss 0.5000   75.0 % read exactly   1,234 lines/s"


def curves(validation_loss: list[float], train_loss: list[float]) -> Curves:
    """Return curves whose accuracies stand still without a gap."""
    still = [0.9] * len(train_loss)
    return Curves(train_loss, still, validation_loss, still)


def test_a_standstill_wants_training_to_go_on() -> None:
    """Validation that stands still while the training loss has not halved is no sign."""
    held = [0.9, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    slow = [1.0, 0.5, 0.48, 0.45, 0.42, 0.40, 0.38]
    fast = [1.0, 0.5, 0.4, 0.35, 0.3, 0.25, 0.2]
    assert not measure_signals(curves(held, slow), 6_000).stalled
    assert measure_signals(curves(held, fast), 6_000).stalled


def test_noise_is_the_smaller_of_two_estimates() -> None:
    """Where bends differ little from each other, a curve is no noise because it bends."""
    signals = measure_signals(curves([0.1, 0.45, 0.6, 0.35], [0.4, 0.3, 0.2, 0.1]), 6_000)
    assert not signals.steady


def test_a_rise_counts_while_training_goes_on() -> None:
    """A validation loss that rises is overfitting where the training loss falls meanwhile."""
    held = [0.9, 0.5, 0.7, 0.9, 1.1]
    assert measure_signals(curves(held, [0.9, 0.5, 0.4, 0.3, 0.2]), 6_000).rises
    assert not measure_signals(curves(held, [0.9, 0.5, 0.5, 0.5, 0.5]), 6_000).rises


def test_a_loss_falls_that_is_lower_than_any_before() -> None:
    """At the end, over two steps, beyond noise."""
    assert measure_signals(curves([1.0, 0.5, 0.25], [1.0, 0.5, 0.25]), 6_000).falling
    assert not measure_signals(curves([1.0, 0.5, 0.49], [1.0, 0.5, 0.4]), 6_000).falling
    assert not measure_signals(
        curves([1.0, 0.3, 0.4, 0.35], [1.0, 0.5, 0.4, 0.3]), 6_000
    ).falling
