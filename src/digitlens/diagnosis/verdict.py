"""The verdict on a training run, decided from its history alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from digitlens.diagnosis import words
from digitlens.diagnosis.signs import NOISE, Curves, Signs, read_signs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.diagnosis.epoch import Epoch

LOW = 0.95
"""A training accuracy under this is low: every set of clean digits can be learnt better."""


class Verdict(StrEnum):
    """What a history shows."""

    OVERFITS = "overfits"
    MAY_OVERFIT = "may overfit"
    STILL_LEARNING = "still learning"
    LEARNS_TOO_LITTLE = "learns too little"
    FITS_WELL = "fits well"
    DIVERGES = "diverges"
    TOO_SHORT = "too short to tell"
    NOTHING_HELD_BACK = "nothing held back"


@dataclass(frozen=True)
class Diagnosis:
    """A history understood.

    Parameters
    ----------
    verdict
        One of `Verdict`.
    since
        The first epoch that overfits (1-based); None when none does.
    gap
        Training accuracy minus validation accuracy at the last epoch, -1..1; None when
        nothing is held back.
    best
        The epoch (1-based) with the highest validation accuracy; of equals the one with
        the lower validation loss, then the earlier. The last epoch when nothing is held back.
    words
        Two to four sentences for a learner, with the figures and what to try.
    """

    verdict: Verdict
    since: int | None
    gap: float | None
    best: int
    words: str

    @property
    def overfits(self) -> bool:
        """Whether both signs of overfitting are there."""
        return self.verdict is Verdict.OVERFITS


def diagnose(history: Sequence[Epoch], validation_count: int) -> Diagnosis:
    """Tell what a training history shows.

    Overfitting has two signs. *The loss sign*: the validation loss was lowest at some epoch
    and has since risen by more than noise, for two epochs or more, while the training loss
    went on falling. *The gap sign*: training accuracy is ahead of validation accuracy by
    more than two standard errors of the latter. With both signs the run overfits, from the
    epoch after the lowest validation loss on. It overfits too where validation stands still
    for three epochs or more, training goes on and the gap is a whole point or wider: the
    learning rate of our recipes ends near 0, and the loss may then stop short of rising.
    One sign alone, a rising loss or a gap of a point, is `MAY_OVERFIT`.

    Before that, a training loss that has risen by half and more, with the validation loss,
    is `DIVERGES`. After that, in turn: training accuracy low and no longer rising,
    `LEARNS_TOO_LITTLE`; the last epoch the best and its validation loss still falling,
    `STILL_LEARNING`; else `FITS_WELL`. The rule is ours; its thresholds stand in `signs`.

    Parameters
    ----------
    history
        At least one epoch, in order; either all with validation figures or none.
    validation_count
        How many digits are held back; looked at only when the history has validation.

    Examples
    --------
    >>> from digitlens.diagnosis import Epoch
    >>> short = [Epoch(1, 0.3, 0.91, 0.31, 0.905, 0.003, 1.0, 54_000.0)]
    >>> found = diagnose(short, 6_000)
    >>> found.verdict.value, found.best, found.since
    ('too short to tell', 1, None)
    """
    assert history, "a run has at least one epoch"
    curves = _curves(history)
    last = history[-1]
    if curves is None:
        diverges = _diverges([epoch.train_loss for epoch in history])
        verdict = Verdict.DIVERGES if diverges else Verdict.NOTHING_HELD_BACK
        told = words.diverging(history) if diverges else words.unvalidated(history)
        return Diagnosis(verdict, None, None, last.epoch, told)
    best = _best(history, curves)
    if len(history) == 1:
        told = words.too_short(curves)
        gap = curves.train_accuracy[0] - curves.validation_accuracy[0]
        return Diagnosis(Verdict.TOO_SHORT, None, gap, best, told)
    signs = read_signs(curves, validation_count)
    verdict = _decide(curves, signs, last_is_best=best == last.epoch)
    overfits = verdict is Verdict.OVERFITS
    return Diagnosis(
        verdict=verdict,
        since=history[signs.turn + 1].epoch if overfits else None,
        gap=signs.gap,
        best=best,
        words=_say(verdict, history, curves, signs, validation_count),
    )


def _curves(history: Sequence[Epoch]) -> Curves | None:
    held_loss = [e.validation_loss for e in history if e.validation_loss is not None]
    held = [e.validation_accuracy for e in history if e.validation_accuracy is not None]
    if not len(held_loss) == len(held) == len(history):
        return None
    trained = [epoch.train_accuracy for epoch in history]
    return Curves([epoch.train_loss for epoch in history], trained, held_loss, held)


def _best(history: Sequence[Epoch], curves: Curves) -> int:
    def rank(at: int) -> tuple[float, float]:
        return -curves.validation_accuracy[at], curves.validation_loss[at]

    return history[min(range(len(history)), key=rank)].epoch


def _decide(curves: Curves, signs: Signs, *, last_is_best: bool) -> Verdict:
    held = curves.validation_loss
    falling = held[-1] == min(held) and held[-1] < (1 - NOISE) * held[-2]
    if _diverges(curves.train_loss) and held[-1] > 1.25 * min(held):
        return Verdict.DIVERGES
    if (signs.rises and signs.apart) or (signs.stalled and signs.wide):
        return Verdict.OVERFITS
    if curves.train_accuracy[-1] < LOW and _flat(curves.train_loss):
        return Verdict.LEARNS_TOO_LITTLE
    if last_is_best and falling:
        return Verdict.STILL_LEARNING
    if signs.rises or signs.wide:
        return Verdict.MAY_OVERFIT
    return Verdict.FITS_WELL


def _diverges(loss: Sequence[float]) -> bool:
    """Whether the loss ends half and more above its lowest, and not by a trifle."""
    return loss[-1] > max(1.5 * min(loss), min(loss) + 0.05)


def _flat(loss: Sequence[float]) -> bool:
    """Whether the loss fell by less than `NOISE` of itself an epoch, over three at most."""
    steps = min(3, len(loss) - 1)
    earlier = loss[-1 - steps]
    return loss[-1] > earlier * (1 - NOISE) ** steps


def _say(
    verdict: Verdict, history: Sequence[Epoch], curves: Curves, signs: Signs, count: int
) -> str:
    if verdict is Verdict.DIVERGES:
        return words.diverging(history)
    if verdict is Verdict.LEARNS_TOO_LITTLE:
        return words.too_little(history, curves)
    gap = words.Gap(signs.gap, signs.chance, count, apart=signs.apart)
    if verdict is Verdict.OVERFITS:
        return words.overfitting(history, curves, signs.turn, gap, rises=signs.rises)
    if verdict is Verdict.STILL_LEARNING:
        return words.learning(history, curves, gap)
    if verdict is Verdict.MAY_OVERFIT:
        return words.perhaps(history, curves, signs.turn, gap, rises=signs.rises)
    return words.fitting(history, curves, gap)
