"""`diagnose`: whether a run overfits, decided from its history alone, and said to a learner."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from digitlens.metrics.formatting import WIDTH, percent, plural
from digitlens.metrics.history import (
    CREEP,
    NOISE,
    Curves,
    Epoch,
    OverfitSignals,
    best_epoch,
    measure_signals,
)
from digitlens.metrics.history_sources import infer_count, read_history


@dataclass(frozen=True)
class Gap:
    """Training accuracy minus validation accuracy, and what chance may do to it."""

    share: float
    sampling_noise: float
    count: int
    apart: bool

    def __str__(self) -> str:
        digits = f"{round(self.share * self.count):,} of {self.count:,} digits"
        return f"{_points(self.share)} ({digits})"


def overfitting(
    history: Sequence[Epoch], curves: Curves, signs: OverfitSignals, gap: Gap
) -> str:
    """Say since when it overfits, how that shows, and what to try."""
    turn, best, last = signs.turn, best_epoch(history), history[-1].epoch
    index, held, trained = history[turn].epoch, curves.validation_loss, curves.train_loss
    since = _since(history, signs)
    begins = "It overfits" if since is None else f"It overfits from epoch {since} on"
    if signs.rises:
        moved = (
            f"the validation loss was lowest at epoch {index} ({_loss(held[turn])}) and is "
            f"{_loss(held[-1])} at the end, while the training loss went on falling"
        )
    else:
        # A loss that fell a little, within its noise, is not said to have gained nothing.
        then, now = curves.validation_accuracy[turn], curves.validation_accuracy[-1]
        moved = (
            f"since epoch {index} validation has gained little (accuracy {percent(then)} then, "
            f"{percent(now)} at the end), while the training loss went on falling, from "
            f"{_loss(trained[turn])} to {_loss(trained[-1])}"
        )
    # Never fewer epochs than the best one has: its weights are kept.
    fewer = f"--epochs {best} instead of {last}, " if best < last else ""
    return (
        f"{begins}: {moved}. {_ends(curves, gap)} {_accuracy_since(curves, history, signs)}"
        f"Try: {fewer}more training digits, or convnet, which shifts its pictures while it "
        "trains."
    )


def perhaps(history: Sequence[Epoch], curves: Curves, signs: OverfitSignals, gap: Gap) -> str:
    """Say which of the two signs is there and what would settle it."""
    held, last, turn = curves.validation_loss, history[-1].epoch, signs.turn
    rose = (
        f"the validation loss was lowest at epoch {history[turn].epoch} ({_loss(held[turn])}) "
        f"and is {_loss(held[-1])} at the end"
    )
    if signs.rises and not gap.apart:
        return (
            f"It may overfit: {rose}. But training is ahead by {gap}, and with {gap.count:,} "
            f"digits held back chance explains up to {_points(gap.sampling_noise)}. Try "
            "holding more digits back, or more epochs."
        )
    if signs.rises:
        return (
            f"It may overfit: {rose}. But validation accuracy has risen meanwhile, from "
            f"{percent(curves.validation_accuracy[turn])} to "
            f"{percent(curves.validation_accuracy[-1])}: it is wrong less often, and surer of "
            "its mistakes. Try more training digits, or smoothed labels."
        )
    ends = _ends(curves, gap)
    return (
        f"It may overfit: {ends[0].lower()}{ends[1:]} But the validation loss has not "
        f"clearly risen (lowest {_loss(min(held))}, {_loss(held[-1])} at the end). "
        f"Try --epochs {last + 4} to see what it does, or more training digits."
    )


def learning(history: Sequence[Epoch], curves: Curves, gap: Gap) -> str:
    """Say that the validation loss is still falling, and which epoch is the best."""
    last, held, best = history[-1].epoch, curves.validation_loss, best_epoch(history)
    before = max(0, len(held) - 3)
    ahead = (
        "the last epoch is the best, and its"
        if best == last
        else f"epoch {best} has a few more digits right, but the"
    )
    return (
        f"It is still learning: {ahead} validation loss fell from {_loss(held[before])} at "
        f"epoch {history[before].epoch} to {_loss(held[-1])}. {_ends(curves, gap)} "
        f"Try more epochs: --epochs {2 * last}."
    )


def too_little(history: Sequence[Epoch], curves: Curves) -> str:
    """Say that even the training digits are not learnt."""
    epochs = plural(len(history), "epoch")
    reached = curves.train_accuracy[-1]
    guessing = " That is little better than guessing, 10 %." if reached < 0.2 else ""
    return (
        f"It learns too little: after {epochs} it knows only {percent(reached)} of the very "
        f"digits it trains on, and its training loss hardly falls any more "
        f"({_loss(curves.train_loss[-2])}, then {_loss(curves.train_loss[-1])}).{guessing} "
        f"Validation, {percent(curves.validation_accuracy[-1])}, cannot do much better. "
        "Try a larger network such as convnet, more epochs or another learning rate."
    )


def fitting(history: Sequence[Epoch], curves: Curves, signs: OverfitSignals, gap: Gap) -> str:
    """Say that nothing is amiss, and how large the gap is."""
    held = curves.validation_loss
    lowest = min(range(len(held)), key=lambda index: held[index])
    if lowest == len(held) - 1:
        loss = f"The validation loss is at its lowest at the end, {_loss(held[-1])}."
    else:
        close = "is within its noise" if signs.steady else "is too short a rise to tell"
        loss = (
            f"The validation loss was lowest at epoch {history[lowest].epoch} "
            f"({_loss(held[lowest])}); {_loss(held[-1])} at the end {close}."
        )
    advice = (
        "The gap is small, but more than chance explains: more training digits would narrow it."
        if gap.apart
        else "For a better figure try a larger network or more training digits."
    )
    return f"It fits well. {loss} {_ends(curves, gap)} {advice}"


def diverging(history: Sequence[Epoch]) -> str:
    """Say that training has come apart."""
    best = min(history, key=lambda epoch: epoch.train_loss)
    last = history[-1]
    held = ", and the validation loss with it" if last.validated else ""
    return (
        f"It diverges: the training loss was lowest at epoch {best.epoch} "
        f"({_loss(best.train_loss)}) and has risen to {_loss(last.train_loss)}{held}. "
        "The steps are too large. Try a lower learning rate, or fewer epochs."
    )


def too_short(curves: Curves) -> str:
    """Say that one epoch shows no course."""
    return (
        "One epoch is too short to tell whether it overfits. So far training accuracy is "
        f"{percent(curves.train_accuracy[0])}, validation "
        f"{percent(curves.validation_accuracy[0])}. Try --epochs 5 or more."
    )


def without_validation(history: Sequence[Epoch]) -> str:
    """Say that without digits held back nothing can be told."""
    last, epochs = history[-1], plural(len(history), "epoch")
    return (
        f"No digits were held back, so nothing shows whether it overfits. Training accuracy is "
        f"{percent(last.train_accuracy)} after {epochs}; new digits will "
        "fare worse. Try --validation 0.1 to hold a tenth back."
    )


def _ends(curves: Curves, gap: Gap) -> str:
    trained, held = curves.train_accuracy[-1], curves.validation_accuracy[-1]
    figures = f"At the end training accuracy is {percent(trained)}, validation {percent(held)}"
    if not gap.apart:
        return (
            f"{figures}: no further apart than chance explains ({_points(gap.sampling_noise)})."
        )
    return f"{figures}: {gap} apart."


def _accuracy_since(curves: Curves, history: Sequence[Epoch], signs: OverfitSignals) -> str:
    """Say what accuracy did since the turn: often it still creeps up."""
    then, now = curves.validation_accuracy[signs.turn], curves.validation_accuracy[-1]
    was = f"{percent(then)} at epoch {history[signs.turn].epoch}"
    if not signs.rises:  # its words name both accuracies
        return ""
    if now < then:
        return f"Validation accuracy was {was}. "
    return (
        f"Validation accuracy has not fallen ({was}): it is not wrong more often, but ever "
        "surer of its mistakes. "
    )


def _since(history: Sequence[Epoch], signs: OverfitSignals) -> int | None:
    """Return the first epoch that overfits: never one up to the best, and None for none."""
    later = [e.epoch for e in history[signs.turn + 1 :] if e.epoch > best_epoch(history)]
    return later[0] if later else None


def _points(share: float) -> str:
    return f"{100 * share:.2f} points"


def _loss(loss: float) -> str:
    if loss < 0.00005:
        return "under 0.0001"
    return f"{loss:.3f}" if loss >= 0.01 else f"{loss:.4f}"


# A training accuracy under this is low: every set of clean digits can be learnt better.
LOW = 0.95


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
    """A history understood."""

    verdict: Verdict  # one of `Verdict`
    # The first epoch that overfits (1-based), always after the best one; None when none does,
    # or the best one is the last.
    since: int | None
    # Training accuracy minus validation accuracy at the last epoch, -1..1; None when nothing is
    # held back.
    gap: float | None
    # The epoch (1-based) with the highest validation accuracy; of equals the one with the lower
    # validation loss, then the earlier. The last epoch when nothing is held back.
    best: int
    words: str  # two to four sentences for a learner, with the figures and what to try

    @property
    def overfits(self) -> bool:
        """Whether both signs of overfitting are there."""
        return self.verdict is Verdict.OVERFITS

    def __str__(self) -> str:
        """Return the words, in lines that a notebook and a terminal show whole."""
        return textwrap.fill(self.words, WIDTH)


def diagnose(history: Any, validation_count: int | None = None) -> Diagnosis:
    """Tell what a training history shows: one epoch or more, all with validation or none.

    history: a run or its epochs, a Keras `History`, a CSV file by path, a DataFrame, or a
        dictionary of lists, as `digitlens.metrics.history_sources.read_history` has it
    validation_count: of how many digits the validation accuracies are; when None the least
        number that they are all shares of, 10,000 at most

    Overfitting has two signs. *The loss sign*: the validation loss was lowest at some epoch
    and the later half of the epochs since lies above it, by more than epochs differ anyhow,
    while the training loss went on falling. *The gap sign*: training accuracy is ahead of
    validation accuracy by more than two standard errors of the latter, over
    the digits held back. With both signs the run overfits. It overfits too where
    validation stands still for three epochs or more, the training loss falls by a third
    meanwhile and the gap is a whole point or wider: the learning rate of our recipes ends near
    0, and the loss may then stop short of rising. One sign alone, or both while validation
    accuracy still catches up, is `MAY_OVERFIT`. What is said agrees with the best epoch:
    overfitting begins after it, and nobody is told to train for fewer epochs than it took.

    Before that, a training loss that has risen by half and more, with the validation loss,
    is `DIVERGES`. After that, in turn: training accuracy low and no longer rising,
    `LEARNS_TOO_LITTLE`; the validation loss still falling at the end, `STILL_LEARNING`; else
    `FITS_WELL`. The rule is ours; its thresholds stand in `history`.

    Raises DataError: there is no history in it.

    >>> from digitlens.metrics.history import Epoch
    >>> short = [Epoch(1, 0.3, 0.91, 0.31, 0.905, 0.003, 1.0, 54_000.0)]
    >>> found = diagnose(short, 6_000)
    >>> found.verdict.value, found.best, found.since
    ('too short to tell', 1, None)
    """
    history = read_history(history)
    if validation_count is None:
        validation_count = infer_count(history)
    curves = _curves(history)
    last = history[-1]
    # Without validation only one thing can be seen: that the loss explodes.
    if curves is None:
        diverges = _diverges([epoch.train_loss for epoch in history])
        verdict = Verdict.DIVERGES if diverges else Verdict.NOTHING_HELD_BACK
        told = diverging(history) if diverges else without_validation(history)
        return Diagnosis(verdict, None, None, last.epoch, told)
    best = best_epoch(history)
    # One epoch has no course.
    if len(history) == 1:
        told = too_short(curves)
        gap = curves.train_accuracy[0] - curves.validation_accuracy[0]
        return Diagnosis(Verdict.TOO_SHORT, None, gap, best, told)
    # Else the signals decide; the words are found for the verdict, never the other way round.
    signs = measure_signals(curves, validation_count)
    verdict = _decide(curves, signs)
    return Diagnosis(
        verdict=verdict,
        since=_since(history, signs) if verdict is Verdict.OVERFITS else None,
        gap=signs.gap,
        best=best,
        words=_message(verdict, history, curves, signs, validation_count),
    )


def _curves(history: Sequence[Epoch]) -> Curves | None:
    held_loss = [e.validation_loss for e in history if e.validation_loss is not None]
    held = [e.validation_accuracy for e in history if e.validation_accuracy is not None]
    if not len(held_loss) == len(held) == len(history):
        return None
    trained = [epoch.train_accuracy for epoch in history]
    return Curves([epoch.train_loss for epoch in history], trained, held_loss, held)


def _decide(curves: Curves, signs: OverfitSignals) -> Verdict:
    held, wrong = curves.validation_loss, 1 - curves.train_accuracy[-1]
    # Both while the loss rises and accuracy gains much of the gap: surer, but better as well.
    catches_up = signs.gained > max(signs.sampling_noise, CREEP * signs.gap)
    if _diverges(curves.train_loss) and held[-1] > 1.25 * min(held):
        return Verdict.DIVERGES
    if (signs.rises and signs.apart and not catches_up) or (signs.stalled and signs.large_gap):
        return Verdict.OVERFITS
    # A gap that is small beside what training itself gets wrong is not what is amiss.
    underfits = wrong > 1 - LOW and signs.gap < wrong
    if underfits and _flat(curves.train_loss):
        return Verdict.LEARNS_TOO_LITTLE
    if signs.falling or (underfits and held[-1] == min(held)):
        return Verdict.STILL_LEARNING
    if signs.rises or signs.large_gap:
        return Verdict.MAY_OVERFIT
    return Verdict.FITS_WELL


def _diverges(loss: Sequence[float]) -> bool:
    """Whether the loss ends half and more above its lowest, and not by a trifle."""
    return loss[-1] > max(1.5 * min(loss), min(loss) + 0.05)


def _flat(loss: Sequence[float]) -> bool:
    """Whether the loss fell by less than `NOISE` of itself an epoch, over three at most.

    From its lowest until then: what comes down from a spike has learnt nothing.
    """
    steps = min(3, len(loss) - 1)
    earlier = min(loss[: len(loss) - steps])
    return loss[-1] > earlier * (1 - NOISE) ** steps


def _message(
    verdict: Verdict,
    history: Sequence[Epoch],
    curves: Curves,
    signs: OverfitSignals,
    count: int,
) -> str:
    if verdict is Verdict.DIVERGES:
        return diverging(history)
    if verdict is Verdict.LEARNS_TOO_LITTLE:
        return too_little(history, curves)
    gap = Gap(signs.gap, signs.sampling_noise, count, apart=signs.apart)
    if verdict is Verdict.OVERFITS:
        return overfitting(history, curves, signs, gap)
    if verdict is Verdict.STILL_LEARNING:
        return learning(history, curves, gap)
    if verdict is Verdict.MAY_OVERFIT:
        return perhaps(history, curves, signs, gap)
    return fitting(history, curves, signs, gap)
