"""What a history shows, in figures: whether validation loss rises, how far apart curves are."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from statistics import fmean, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NOISE = 0.05
"""A loss that changes by less than this share of itself has not changed."""

WIDE = 0.01
"""A gap of one point is wide: standing still with it counts as overfitting."""

STANDSTILL = 3
"""Epochs without gain that make a standstill."""


@dataclass(frozen=True)
class Curves:
    """The four curves of a history with validation, each as long as the history."""

    train_loss: Sequence[float]
    train_accuracy: Sequence[float]
    validation_loss: Sequence[float]
    validation_accuracy: Sequence[float]


@dataclass(frozen=True)
class Signs:
    """What the curves show.

    Parameters
    ----------
    turn
        Index of the epoch after which validation gained nothing more: where its loss was
        lowest or, at a standstill, first within `NOISE` of its lowest.
    rises
        The validation loss has risen since, by more than noise, while training loss fell.
    stalled
        Validation has stood still for `STANDSTILL` epochs or more while training loss fell.
    gap
        Training accuracy minus validation accuracy at the last epoch.
    chance
        Two standard errors of the validation accuracy: what chance may do to the gap.
    apart
        The gap of the late epochs is more than chance explains.
    wide
        It is apart, and by a whole point (`WIDE`) or more.
    """

    turn: int
    rises: bool
    stalled: bool
    gap: float
    chance: float
    apart: bool
    wide: bool


def read_signs(curves: Curves, validation_count: int) -> Signs:
    """Read the two signs of overfitting from the curves.

    Parameters
    ----------
    curves
        At least two epochs.
    validation_count
        How many digits are held back, at least 1.
    """
    loss, trained = curves.validation_loss, curves.train_loss
    last = len(loss) - 1
    lowest = min(range(len(loss)), key=lambda at: loss[at])
    late = _late(lowest, last)
    level = fmean(loss[at] for at in late)
    falls = fmean(trained[at] for at in late) < trained[lowest]
    rises = last - lowest >= 2 and falls and level > loss[lowest] + _noise(loss, lowest)

    first_low = next(at for at in range(len(loss)) if loss[at] <= (1 + NOISE) * loss[lowest])
    chance = 2 * standard_error(curves.validation_accuracy[last], validation_count)
    gained = curves.validation_accuracy[last] - curves.validation_accuracy[first_low]
    stalled = (
        last - first_low >= STANDSTILL
        and gained <= chance
        and trained[last] < (1 - NOISE) * trained[first_low]
    )

    ahead = [
        train - held
        for train, held in zip(curves.train_accuracy, curves.validation_accuracy, strict=True)
    ]
    late_gap = fmean(ahead[at] for at in late)
    return Signs(
        turn=lowest if rises else first_low if stalled else lowest,
        rises=rises,
        stalled=stalled and not rises,
        gap=ahead[last],
        chance=chance,
        apart=late_gap > chance,
        wide=late_gap > max(chance, WIDE),
    )


def standard_error(accuracy: float, count: int) -> float:
    """Return the standard error of an accuracy over `count` digits.

    Two hits and two misses are added first (Agresti and Coull, The American Statistician
    52, 1998, 119-126), so that an accuracy of 1 is not taken for certain.

    Examples
    --------
    >>> round(standard_error(0.98, 6000), 5)
    0.00182
    """
    share = (accuracy * count + 2) / (count + 4)
    return sqrt(share * (1 - share) / (count + 4))


def _late(lowest: int, last: int) -> range:
    """Return the later half of the epochs after the lowest, at least the last one.

    A mean over them is steadier than the last epoch alone.
    """
    return range(min(last, last + 1 - ceil((last - lowest) / 2)), last + 1)


def _noise(loss: Sequence[float], lowest: int) -> float:
    """Return by how much a loss may exceed its lowest for no reason.

    A smooth curve bends little from epoch to epoch, a noisy one at every epoch: for
    independent noise the median bend is 1.65 standard deviations, so 1.5 bends are 2.5 of
    them. The lowest of a dozen noisy epochs lies about 1.6 below their mean. The bends are
    taken from the lowest epoch on, as the steep fall before it is no noise.
    """
    bends = [
        abs(loss[at - 1] - 2 * loss[at] + loss[at + 1])
        for at in range(lowest + 1, len(loss) - 1)
    ]
    return max(NOISE * loss[lowest], 1.5 * median(bends)) if bends else NOISE * loss[lowest]
