"""What is said to a learner about a history: short sentences with the figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.diagnosis.epoch import Epoch
    from digitlens.diagnosis.signs import Curves


@dataclass(frozen=True)
class Gap:
    """Training accuracy minus validation accuracy, and what chance may do to it."""

    share: float
    chance: float
    count: int
    apart: bool

    def __str__(self) -> str:
        return f"{_points(self.share)} ({_digits(self.share, self.count)})"


def overfitting(
    history: Sequence[Epoch], curves: Curves, turn: int, gap: Gap, *, rises: bool
) -> str:
    """Say since when it overfits, by how much, and what to try."""
    at, since = history[turn].epoch, history[turn + 1].epoch
    held, last = curves.validation_loss, history[-1].epoch
    if rises:
        moved = (
            f"the validation loss was lowest at epoch {at} ({_loss(held[turn])}) and has risen "
            f"to {_loss(held[-1])}, while the training loss went on falling"
        )
    else:
        moved = (
            f"validation has gained nothing since epoch {at} (loss {_loss(held[turn])} then, "
            f"{_loss(held[-1])} at the end), while the training loss went on falling"
        )
    return (
        f"It overfits from epoch {since} on: {moved}. {_ends(curves, gap)} "
        f"{_accuracy_since(curves, turn, at, rises=rises)}"
        f"Try: --epochs {at} instead of {last}, more training digits, or convnet, "
        "which shifts its pictures while it trains."
    )


def perhaps(
    history: Sequence[Epoch], curves: Curves, turn: int, gap: Gap, *, rises: bool
) -> str:
    """Say which of the two signs is there and what would settle it."""
    held, last = curves.validation_loss, history[-1].epoch
    if rises and not gap.apart:
        return (
            f"It may overfit: the validation loss was lowest at epoch {history[turn].epoch} "
            f"({_loss(held[turn])}) and has risen to {_loss(held[-1])}. But training is ahead "
            f"by {gap}, and with {gap.count:,} digits held back chance explains up to "
            f"{_points(gap.chance)}. Try holding more digits back, or more epochs."
        )
    return (
        f"It may overfit: {_lower_first(_ends(curves, gap))} But the validation loss has not "
        f"risen for two epochs or stood still for three (lowest {_loss(min(held))}, "
        f"{_loss(held[-1])} at the end). "
        f"Try --epochs {last + 4} to see what it does, or more training digits."
    )


def learning(history: Sequence[Epoch], curves: Curves, gap: Gap) -> str:
    """Say that the last epoch is the best and still better than the one before."""
    last, held = history[-1].epoch, curves.validation_loss
    return (
        f"It is still learning: the last epoch is the best, and its validation loss fell from "
        f"{_loss(held[-2])} to {_loss(held[-1])}. {_ends(curves, gap)} "
        f"Try more epochs: --epochs {2 * last}."
    )


def too_little(history: Sequence[Epoch], curves: Curves) -> str:
    """Say that even the training digits are not learnt."""
    epochs = _epochs(len(history))
    reached = curves.train_accuracy[-1]
    guessing = " That is little better than guessing, 10 %." if reached < 0.2 else ""
    return (
        f"It learns too little: after {epochs} it knows only {_percent(reached)} of the very "
        f"digits it trains on, and its training loss hardly falls any more "
        f"({_loss(curves.train_loss[-2])}, then {_loss(curves.train_loss[-1])}).{guessing} "
        f"Validation, {_percent(curves.validation_accuracy[-1])}, cannot do much better. "
        "Try a larger network such as convnet, more epochs or another learning rate."
    )


def fitting(history: Sequence[Epoch], curves: Curves, gap: Gap) -> str:
    """Say that nothing is amiss, and how large the gap is."""
    held = curves.validation_loss
    lowest = min(range(len(held)), key=lambda at: held[at])
    if lowest == len(held) - 1:
        loss = f"The validation loss is at its lowest at the end, {_loss(held[-1])}."
    else:
        loss = (
            f"The validation loss was lowest at epoch {history[lowest].epoch} "
            f"({_loss(held[lowest])}); {_loss(held[-1])} at the end is within its noise."
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
        f"{_percent(curves.train_accuracy[0])}, validation "
        f"{_percent(curves.validation_accuracy[0])}. Try --epochs 5 or more."
    )


def unvalidated(history: Sequence[Epoch]) -> str:
    """Say that without digits held back nothing can be told."""
    last = history[-1]
    return (
        f"No digits were held back, so nothing shows whether it overfits. Training accuracy is "
        f"{_percent(last.train_accuracy)} after {_epochs(len(history))}; new digits will "
        "fare worse. Try --validation 0.1 to hold a tenth back."
    )


def _ends(curves: Curves, gap: Gap) -> str:
    trained, held = curves.train_accuracy[-1], curves.validation_accuracy[-1]
    figures = (
        f"At the end training accuracy is {_percent(trained)}, validation {_percent(held)}"
    )
    if not gap.apart:
        return f"{figures}: no further apart than chance explains ({_points(gap.chance)})."
    return f"{figures}: {gap} apart."


def _accuracy_since(curves: Curves, turn: int, at: int, *, rises: bool) -> str:
    """Say what accuracy did while the loss rose: often it still creeps up."""
    then, now = curves.validation_accuracy[turn], curves.validation_accuracy[-1]
    if not rises:
        return ""
    if now >= then:
        return (
            f"Validation accuracy has not fallen ({_percent(then)} at epoch {at}): it is not "
            "wrong more often, but ever surer of its mistakes. "
        )
    return f"Validation accuracy was {_percent(then)} at epoch {at}. "


def _percent(share: float) -> str:
    # What is not all of them must not read 100.00 %.
    return f"{min(100 * share, 99.99) if share < 1 else 100:.2f} %"


def _points(share: float) -> str:
    return f"{100 * share:.2f} points"


def _digits(share: float, count: int) -> str:
    return f"{round(share * count):,} of {count:,} digits"


def _loss(loss: float) -> str:
    return f"{loss:.3f}" if loss >= 0.01 else f"{loss:.4f}"


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"


def _lower_first(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
