"""The history of a training run: its epochs, as CSV, and what the curves show in figures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from math import ceil, sqrt
from statistics import fmean, median
from typing import Any

from digitlens.display import Shown
from digitlens.metrics.formatting import plural


@dataclass(frozen=True)
class Epoch:
    """The figures after one pass over the training set.

    >>> epoch = Epoch(1, 0.09, 0.972, 0.11, 0.966, 0.003, 0.9, 60_000.0)
    >>> epoch.validated
    True
    """

    epoch: int  # 1 for the first
    # On training digits, in evaluation mode; the loss in nats, the accuracy 0..1.
    train_loss: float
    train_accuracy: float
    # On the digits held back; None when none are.
    validation_loss: float | None
    validation_accuracy: float | None
    learning_rate: float  # at the end of the epoch
    seconds: float  # how long the epoch took
    digits_per_second: float  # training digits a second

    def describe(self, epochs: int) -> str:
        """Return the figures in a line of at most 80 characters; `epochs` is how many are due.

        >>> Epoch(1, 0.09, 0.972, 0.11, 0.966, 0.003, 0.9, 60_000.0).describe(3)
        'epoch  1 of 3   loss 0.0900   training 97.20 %   validation 96.60 %   0.9 s'
        """
        held = self.validation_accuracy
        parts = [
            f"epoch {self.epoch:2} of {epochs}",
            f"loss {self.train_loss:.4f}",
            f"training {100 * self.train_accuracy:.2f} %",
            "" if held is None else f"validation {100 * held:.2f} %",
            f"{self.seconds:.1f} s",
        ]
        return "   ".join(part for part in parts if part)

    @property
    def validated(self) -> bool:
        """Whether digits were held back."""
        return self.validation_loss is not None and self.validation_accuracy is not None


class History(Shown, list[Epoch]):
    """The epochs of a run, in order: a list that a notebook shows as its plot."""

    PICTURE = "viz.notebook:draw_history"

    def __init__(self, epochs: Iterable[Epoch] = (), validation_count: int = 0) -> None:
        super().__init__(epochs)
        self.validation_count = validation_count  # digits held back; 0 for none

    def __repr__(self) -> str:
        if not self:
            return "History(no epochs)"
        last = self[-1]
        words = f"{plural(len(self), 'epoch')}: training {100 * last.train_accuracy:.2f} %"
        if last.validation_accuracy is not None:
            words += f"; validation {100 * last.validation_accuracy:.2f} %"
            words += f", best epoch {best_epoch(self)}"
        return f"History({words})"

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each epoch."""
        return [asdict(epoch) for epoch in self]


def best_epoch(history: Sequence[Epoch]) -> int:
    """Return the epoch (1-based) to keep: most validation digits right, then least loss.

    Where nothing is held back it is the last: the recipe's end is the only honest choice.

    >>> first = Epoch(1, 0.5, 0.9, 0.4, 0.95, 0.01, 2.0, 30.0)
    >>> best_epoch([first, Epoch(2, 0.4, 0.92, 0.3, 0.94, 0.01, 2.0, 30.0)])
    1
    """

    def rank(epoch: Epoch) -> tuple[float, float, int]:
        if epoch.validation_accuracy is None or epoch.validation_loss is None:
            return 0.0, 0.0, epoch.epoch
        return epoch.validation_accuracy, -epoch.validation_loss, -epoch.epoch

    return max(history, key=rank).epoch


def to_csv(history: Sequence[Epoch]) -> str:
    """Return `history` as CSV with a header; what was not measured is empty.

    >>> print(to_csv([Epoch(1, 0.5, 0.9, None, None, 0.01, 2.0, 30.0)]).splitlines()[1])
    1,0.5,0.9,,,0.01,2.0,30.0
    """
    return rows_to_csv(history, Epoch)


def rows_to_csv(rows: Sequence[Any], kind: type) -> str:
    """Return dataclasses of plain values as CSV, with the names of their fields on top."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(kind))
    for row in rows:
        values = asdict(row).values()
        writer.writerow("" if value is None else repr(value) for value in values)
    return text.getvalue()


def from_csv(text: str) -> list[Epoch]:
    """Return the history that `to_csv` wrote."""
    history = []
    for row in csv.DictReader(io.StringIO(text)):
        values: dict[str, Any] = {
            name: float(value) if value else None for name, value in row.items()
        }
        history.append(Epoch(**values | {"epoch": int(row["epoch"])}))
    return history


NOISE = 0.05  # a loss that changes by less than this share of itself has not changed
WIDE = 0.01  # a gap of one point is wide: standing still with it counts as overfitting
STANDSTILL = 3  # epochs without gain that make a standstill
STEADY = 0.025  # a loss that fell at each of these by so much in all has gained
GOES_ON = 2 / 3  # training goes on where its loss has fallen to so much meanwhile
CREEP = 0.5  # of the gap: an accuracy that has gained less than this has not caught up


@dataclass(frozen=True)
class Curves:
    """The four curves of a history with validation, each as long as the history."""

    train_loss: Sequence[float]
    train_accuracy: Sequence[float]
    validation_loss: Sequence[float]
    validation_accuracy: Sequence[float]


@dataclass(frozen=True)
class OverfitSignals:
    """What the curves show."""

    # Index of the epoch after which validation gained nothing more: where its loss was lowest
    # or, at a standstill, first within `NOISE` of its lowest.
    turn: int
    # The validation loss has risen since, by more than noise, while training loss fell.
    rises: bool
    # Validation has stood still for `STANDSTILL` epochs or more while training loss went on
    # falling, to `GOES_ON`.
    stalled: bool
    gained: float  # validation accuracy at the last epoch minus that at `turn`
    falling: bool  # the validation loss still falls at the end, by more than noise
    steady: bool  # at the end it is no higher than its lowest, but for noise
    gap: float  # training accuracy minus validation accuracy at the last epoch
    # Two standard errors of the validation accuracy: what sampling_noise may do to the gap.
    sampling_noise: float
    apart: bool  # the gap of the late epochs is more than sampling_noise explains
    large_gap: bool  # it is apart, and by a whole point (`WIDE`) or more


def measure_signals(curves: Curves, validation_count: int) -> OverfitSignals:
    """Read the two signs of overfitting from the curves of at least two epochs."""
    loss, trained = curves.validation_loss, curves.train_loss
    accuracy, last = curves.validation_accuracy, len(loss) - 1
    # Rising: the late epochs lie above the lowest one by more than epochs differ anyhow,
    # while the training loss went on falling.
    lowest = min(range(len(loss)), key=lambda index: loss[index])
    late = _late(lowest, last)
    level = fmean(loss[index] for index in late)
    falls = fmean(trained[index] for index in late) < (1 - 2 * NOISE) * trained[lowest]
    noise = _noise(loss, lowest)
    high = min(level, loss[last]) > loss[lowest] * (1 + NOISE)
    rises = last - lowest >= 2 and falls and high and level > loss[lowest] + noise

    # The gap between the curves, over the late epochs: a single epoch is too noisy.
    ahead = [
        train - held
        for train, held in zip(curves.train_accuracy, curves.validation_accuracy, strict=True)
    ]
    late_gap = fmean(ahead[index] for index in late)
    sampling_noise = 2 * standard_error(accuracy[last], validation_count)

    # Standing still: low early, and since then little gained of what training is ahead.
    first_low = next(
        index for index in range(len(loss)) if loss[index] <= (1 + NOISE) * loss[lowest]
    )
    stalled = (
        not rises
        and last - first_low >= STANDSTILL
        and not (
            accuracy[last] == max(accuracy)
            and _falls(loss)
            and loss[last] < (1 - STEADY) * loss[last - STANDSTILL]
        )
        and accuracy[last] - accuracy[first_low] <= max(sampling_noise, CREEP * late_gap)
        and trained[last] < GOES_ON * trained[first_low]
    )
    turn = first_low if stalled else lowest

    # Falling: lower than any before, over two steps where there are two, beyond noise.
    before = max(0, last - 2)
    fall = (1 - NOISE) ** (last - before) * loss[before]
    clear = _falls(loss) or loss[last] < loss[before] - noise
    goes_on = lowest == last and loss[last] < (1 - NOISE / 2) * loss[last - 1]
    falling = goes_on and loss[last] < fall and clear
    return OverfitSignals(
        turn=turn,
        rises=rises,
        stalled=stalled,
        gained=accuracy[last] - accuracy[turn],
        falling=falling,
        steady=loss[last] <= loss[lowest] + noise,
        gap=ahead[last],
        sampling_noise=sampling_noise,
        apart=late_gap > sampling_noise,
        large_gap=late_gap > max(sampling_noise, WIDE),
    )


def standard_error(accuracy: float, count: int) -> float:
    """Return the standard error of an accuracy over `count` digits.

    Two hits and two misses are added first (Agresti and Coull, The American Statistician
    52, 1998, 119-126), so that an accuracy of 1 is not taken for certain.

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


def _falls(loss: Sequence[float]) -> bool:
    """Whether the loss fell at each of the last `STANDSTILL` steps."""
    return all(after < before for before, after in pairwise(loss[-STANDSTILL - 1 :]))


def _noise(loss: Sequence[float], lowest: int) -> float:
    """Return by how much a loss may exceed its lowest for no reason.

    A smooth curve bends little from epoch to epoch and always alike, a noisy one at every
    epoch and otherwise each time: for independent noise the median bend is 1.65 standard
    deviations, and the median difference of two bends 3.02. The result is 2.5 of them, by the
    smaller estimate; the lowest of a dozen noisy epochs lies about 1.6 below their mean. It is
    taken from the lowest epoch on, or from the middle, as the steep fall before is no noise.
    """
    start = min(lowest, len(loss) // 2)
    bends = [
        loss[index - 1] - 2 * loss[index] + loss[index + 1]
        for index in range(start + 1, len(loss) - 1)
    ]
    if not bends:
        return NOISE * loss[lowest]
    noise = 1.5 * median(abs(bend) for bend in bends)
    if len(bends) > 1:
        noise = min(noise, 0.83 * median(abs(after - bend) for bend, after in pairwise(bends)))
    return max(NOISE * loss[lowest], noise)


@dataclass(frozen=True)
class LinePoint:
    """What was measured at one step of training."""

    step: int  # steps done
    loss: float  # mean loss of the steps since the point before, in nats a digit
    learning_rate: float  # at this step
    seconds: float  # spent on the steps since the point before
    lines_per_second: float  # lines learnt from in that time
    # Of so many lines by writers who were held back, so many are not read exactly (by the best
    # path, without a search); both 0 where nobody was held back.
    misread: int = 0
    validation: int = 0

    def describe(self, epochs: int) -> str:  # noqa: ARG002 - lines have no epochs
        """Return the figures in a line of at most 80 characters."""
        exact = "" if self.exact is None else f"   {100 * self.exact:.1f} % read exactly"
        speed = f"{self.lines_per_second:,.0f} lines/s"
        return f"step {self.step:,}   loss {self.loss:.4f}{exact}   {speed}"

    @property
    def exact(self) -> float | None:
        """The share of the lines held back that is read exactly, 0..1."""
        return 1 - self.misread / self.validation if self.validation else None
