"""The verdict on a training history, case by case, on histories made up or taken from a run."""

from __future__ import annotations

import re

import pytest

from digitlens.metrics.diagnosis import Verdict, diagnose
from digitlens.metrics.history import Epoch, standard_error

HELD = 6_000


def run(
    train_loss: list[float],
    train: list[float],
    held_loss: list[float] | None,
    held: list[float] | None,
) -> list[Epoch]:
    """A history of these four curves."""
    count = len(train_loss)
    return [
        Epoch(
            *(index + 1, train_loss[index], train[index]),
            *(
                (None, None)
                if held_loss is None or held is None
                else (held_loss[index], held[index])
            ),
            *(0.001, 1.0, 54_000.0),
        )
        for index in range(count)
    ]


# Twelve epochs of 784-512-256-128-10 on MNIST, AdamW, rate up and linearly down, 6,000
# digits held back: two seeds, rounded.
DENSE_0 = run(
    [
        0.252,
        0.119,
        0.100,
        0.0541,
        0.0438,
        0.0286,
        0.0216,
        0.0106,
        0.0115,
        0.00224,
        45e-5,
        19e-5,
    ],
    [
        *(0.9256, 0.9636, 0.9673, 0.9833, 0.9859, 0.9906),
        *(0.9929, 0.9966, 0.9963, 0.9993, 0.9999, 0.99998),
    ],
    [0.268, 0.149, 0.135, 0.101, 0.0962, 0.0972, 0.106, 0.0836, 0.0961, 0.111, 0.110, 0.109],
    [
        *(0.9233, 0.9542, 0.9587, 0.9712, 0.9727, 0.9732),
        *(0.9740, 0.9795, 0.9787, 0.9823, 0.9827, 0.9827),
    ],
)
DENSE_1 = run(
    [0.241, 0.137, 0.0810, 0.0524, 0.0442, 0.0299, 0.0304, 0.0076, 0.0063, 0.0028, 8e-4, 3e-4],
    [
        *(0.9303, 0.9579, 0.9746, 0.9841, 0.9855, 0.9904),
        *(0.9903, 0.9978, 0.9980, 0.9991, 0.9998, 0.99996),
    ],
    [0.259, 0.165, 0.115, 0.0977, 0.103, 0.0950, 0.109, 0.0834, 0.0909, 0.0862, 0.0909, 0.0913],
    [
        *(0.9258, 0.9488, 0.9678, 0.9732, 0.9700, 0.9755),
        *(0.9750, 0.9822, 0.9810, 0.9833, 0.9832, 0.9827),
    ],
)


def test_overfits_when_validation_loss_rises_and_the_curves_part() -> None:
    """Both signs together are overfitting, from the epoch after the lowest loss on."""
    result = diagnose(
        run(
            [0.20, 0.10, 0.06, 0.03, 0.015, 0.006, 0.002],
            [0.94, 0.97, 0.982, 0.991, 0.996, 0.999, 1.0],
            [0.18, 0.11, 0.085, 0.080, 0.090, 0.105, 0.120],
            [0.945, 0.966, 0.975, 0.979, 0.978, 0.977, 0.976],
        ),
        HELD,
    )
    assert result.verdict is Verdict.OVERFITS
    assert result.overfits
    assert (result.since, result.best) == (5, 4)
    assert result.gap == pytest.approx(0.024)
    assert result.words == (
        "It overfits from epoch 5 on: the validation loss was lowest at epoch 4 (0.080) and "
        "is 0.120 at the end, while the training loss went on falling. At the end training "
        "accuracy is 100.00 %, validation 97.60 %: 2.40 points (144 of 6,000 digits) apart. "
        "Validation accuracy was 97.90 % at epoch 4. Try: --epochs 4 instead of 7, more "
        "training digits, or convnet, which shifts its pictures while it trains."
    )


def test_rising_loss_with_rising_accuracy_is_told_as_both() -> None:
    """Where accuracy creeps up while the loss rises, both are said."""
    result = diagnose(DENSE_0, HELD)
    assert result.verdict is Verdict.OVERFITS
    assert (result.since, result.best) == (None, 12), "the last epoch is the best"
    assert "has not fallen (97.95 % at epoch 8)" in result.words
    assert "surer of its mistakes" in result.words
    assert "99.99 %" in result.words, "99.998 % must not read 100.00 %"


def test_overfits_at_a_standstill() -> None:
    """A wide gap while validation gains nothing for three epochs is overfitting too."""
    result = diagnose(DENSE_1, HELD)
    assert result.verdict is Verdict.OVERFITS
    assert (result.since, result.best) == (11, 10)
    assert "since epoch 8 validation has gained little (accuracy 98.22 %" in result.words
    assert "--epochs 10 instead of 12" in result.words


def test_a_standstill_is_told_by_what_stood_still() -> None:
    """Where the loss fell within its noise, the words name no loss that gained all the same."""
    result = diagnose(
        run(
            [0.30, 0.20, 0.12, 0.08, 0.05, 0.03],
            [0.91, 0.94, 0.965, 0.98, 0.99, 0.995],
            [0.50, 0.361, 0.355, 0.350, 0.348, 0.347],
            [0.86, 0.900, 0.900, 0.901, 0.900, 0.901],
        ),
        1000,
    )
    assert result.verdict is Verdict.OVERFITS
    assert "0.361" not in result.words
    assert "(accuracy 90.00 % then, 90.10 % at the end)" in result.words
    assert "from 0.200 to 0.030" in result.words


def test_still_learning() -> None:
    """The last epoch is the best and its validation loss still falls."""
    result = diagnose(
        run([0.5, 0.3, 0.2], [0.86, 0.91, 0.94], [0.5, 0.31, 0.22], [0.858, 0.909, 0.938]), HELD
    )
    assert result.verdict is Verdict.STILL_LEARNING
    assert (result.since, result.best, result.overfits) == (None, 3, False)
    assert "0.500 at epoch 1 to 0.220" in result.words
    assert "no further apart than chance explains" in result.words
    assert "--epochs 6" in result.words


def test_learns_too_little() -> None:
    """Training accuracy that is low and no longer rises is underfitting."""
    result = diagnose(
        run(
            [0.40, 0.31, 0.29, 0.285, 0.283],
            [0.89, 0.912, 0.919, 0.921, 0.921],
            [0.39, 0.31, 0.295, 0.290, 0.288],
            [0.89, 0.912, 0.917, 0.919, 0.919],
        ),
        HELD,
    )
    assert result.verdict is Verdict.LEARNS_TOO_LITTLE
    assert "knows only 92.10 %" in result.words
    assert "guessing" not in result.words


def test_learning_nothing_is_named() -> None:
    """A loss that stays at ln 10 is said to be guessing."""
    result = diagnose(run([2.303] * 3, [0.112] * 3, [2.302] * 3, [0.113] * 3), HELD)
    assert result.verdict is Verdict.LEARNS_TOO_LITTLE
    assert "guessing, 10 %" in result.words


def test_guessing_after_a_spike_is_named() -> None:
    """A loss that comes down from a spike to where it was has learnt nothing (rate 0.5)."""
    result = diagnose(
        run(
            [2.455, 2.352, 2.339, 2.333, 2.812, 2.318, 2.305, 2.304],
            [0.106, 0.100, 0.098, 0.113, 0.113, 0.102, 0.113, 0.113],
            [2.470, 2.920, 4.298, 4.283, 4.307, 3.676, 3.339, 3.214],
            [0.106, 0.097, 0.095, 0.110, 0.110, 0.105, 0.110, 0.111],
        ),
        2_000,
    )
    assert result.verdict is Verdict.LEARNS_TOO_LITTLE
    assert "guessing" in result.words


def test_fits_well() -> None:
    """Curves that stay together and settle are a good fit."""
    result = diagnose(
        run(
            [0.10, 0.04, 0.025, 0.0185, 0.0180],
            [0.97, 0.988, 0.993, 0.995, 0.9955],
            [0.10, 0.045, 0.030, 0.0245, 0.0240],
            [0.97, 0.987, 0.991, 0.9935, 0.9938],
        ),
        HELD,
    )
    assert result.verdict is Verdict.FITS_WELL
    assert result.best == 5
    assert "lowest at the end, 0.024" in result.words
    assert "For a better figure" in result.words


def test_a_small_gap_beyond_chance_still_fits() -> None:
    """A gap of a third of a point with a steady validation loss does no harm."""
    result = diagnose(
        run(
            [0.10, 0.03, 0.010, 0.004, 0.002, 0.0015],
            [0.97, 0.991, 0.997, 0.999, 0.9995, 0.9995],
            [0.09, 0.035, 0.0205, 0.0195, 0.0190, 0.0192],
            [0.97, 0.989, 0.9945, 0.9955, 0.9958, 0.9959],
        ),
        HELD,
    )
    assert result.verdict is Verdict.FITS_WELL
    assert result.best == 6
    assert "is within its noise" in result.words
    assert "more than chance explains" in result.words


def test_noise_is_not_overfitting() -> None:
    """A validation loss that jumps about its level is no sign."""
    result = diagnose(
        run(
            [0.30, 0.10, 0.07, 0.062, 0.060, 0.055, 0.056, 0.053, 0.054],
            [0.92, 0.970, 0.981, 0.983, 0.983, 0.985, 0.984, 0.985, 0.985],
            [0.29, 0.11, 0.073, 0.064, 0.072, 0.065, 0.071, 0.066, 0.070],
            [0.92, 0.969, 0.979, 0.982, 0.980, 0.983, 0.981, 0.983, 0.982],
        ),
        HELD,
    )
    assert result.verdict is Verdict.FITS_WELL
    assert result.best == 6


def test_one_epoch_is_too_short() -> None:
    """One epoch shows no course, but its figures are told."""
    result = diagnose(run([0.2], [0.94], [0.21], [0.935]), HELD)
    assert result.verdict is Verdict.TOO_SHORT
    assert (result.best, result.since) == (1, None)
    assert result.gap == pytest.approx(0.005)


def test_two_epochs_are_enough_to_judge() -> None:
    """With two epochs a verdict is given, though never overfitting."""
    result = diagnose(run([0.2, 0.05], [0.94, 0.99], [0.10, 0.13], [0.97, 0.965]), HELD)
    assert result.verdict is Verdict.MAY_OVERFIT
    assert result.best == 1


def test_nothing_held_back() -> None:
    """Without validation nothing can be told, and the last epoch is the best known."""
    result = diagnose(run([0.2, 0.1], [0.94, 0.97], None, None), 0)
    assert result.verdict is Verdict.NOTHING_HELD_BACK
    assert (result.best, result.gap, result.since) == (2, None, None)
    assert "--validation 0.1" in result.words
    assert "97.00 % after 2 epochs" in result.words


@pytest.mark.parametrize("validation", [True, False])
def test_diverging(validation: bool) -> None:
    """A training loss that climbs, the validation loss with it, is no overfitting."""
    train_loss, train = [0.30, 0.20, 0.60, 2.30], [0.90, 0.94, 0.80, 0.11]
    held_loss, held = (
        ([0.31, 0.22, 0.61, 2.30], [0.9, 0.93, 0.8, 0.1]) if validation else (None,) * 2
    )
    result = diagnose(run(train_loss, train, held_loss, held), HELD)
    assert result.verdict is Verdict.DIVERGES
    assert ("validation loss with it" in result.words) is validation


def test_a_rising_loss_with_few_digits_held_back_may_be_overfitting() -> None:
    """Where the gap is no more than chance explains, the loss alone does not decide."""
    history = run(
        [0.2, 0.1, 0.05, 0.03, 0.01],
        [0.94, 0.97, 0.985, 0.99, 0.998],
        [0.2, 0.12, 0.10, 0.12, 0.15],
        [0.94, 0.97, 0.97, 0.98, 0.97],
    )
    few, many = diagnose(history, 100), diagnose(history, HELD)
    assert few.verdict is Verdict.MAY_OVERFIT
    assert few.since is None
    assert "with 100 digits held back" in few.words
    assert many.verdict is Verdict.OVERFITS


def test_a_wide_gap_without_rising_loss_may_be_overfitting() -> None:
    """A gap of points alone does not decide."""
    result = diagnose(
        run(
            [0.10, 0.06, 0.03, 0.02],
            [0.97, 0.98, 0.99, 0.995],
            [0.12, 0.10, 0.095, 0.094],
            [0.965, 0.970, 0.972, 0.972],
        ),
        HELD,
    )
    assert result.verdict is Verdict.MAY_OVERFIT
    assert "2.30 points (138 of 6,000" in result.words


def test_best_epoch_breaks_ties() -> None:
    """Equal validation accuracy: the lower validation loss, then the earlier epoch."""
    by_loss = run([0.3, 0.2, 0.1], [0.9] * 3, [0.3, 0.1, 0.2], [0.97, 0.98, 0.98])
    assert diagnose(by_loss, HELD).best == 2
    by_time = run([0.3, 0.2, 0.1], [0.9] * 3, [0.3, 0.2, 0.2], [0.97, 0.98, 0.98])
    assert diagnose(by_time, HELD).best == 2


def test_numbers_of_epochs_are_the_runs_own() -> None:
    """A history that does not start at 1 is spoken of by its own numbers."""
    result = diagnose(DENSE_1[4:], HELD)
    assert (result.since, result.best) == (11, 10)


def test_every_verdict_is_said_in_a_few_sentences() -> None:
    """The words are two to five sentences, the first of which says the verdict."""
    for history in (DENSE_0, DENSE_1, DENSE_0[:1], DENSE_0[:2], DENSE_0[:4], DENSE_1[:9]):
        words = diagnose(history, HELD).words
        assert 2 <= len(re.findall(r"[.](?= |$)", words)) <= 5
        assert "nan" not in words


def test_any_beginning_of_a_run_has_a_verdict() -> None:
    """No history is too short or long to judge, and only overfitting has a since."""
    for length in range(1, 13):
        result = diagnose(DENSE_1[:length], HELD)
        assert result.best <= length
        assert result.since is None or (result.overfits and result.since > result.best)


def test_standard_error_of_a_perfect_score_is_not_nought() -> None:
    """No misses among few digits is not certainty."""
    assert standard_error(1.0, 50) > 0.02
    assert standard_error(1.0, 50_000) < 0.0001


def test_a_diagnosis_is_printed_in_lines() -> None:
    """print() shows its words whole in a notebook and on a terminal of 80 columns."""
    diagnosis = diagnose(DENSE_0, HELD)
    lines = str(diagnosis).splitlines()
    assert " ".join(lines) == diagnosis.words
    assert len(lines) > 1
    assert max(map(len, lines)) <= 80
