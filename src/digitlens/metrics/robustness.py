"""A model under every corruption: errors by kind and strength, alone and framed first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import UsageError
from digitlens.metrics import formatting
from digitlens.metrics.corruptions import CORRUPTIONS
from digitlens.metrics.evaluation import evaluate
from digitlens.metrics.formatting import percent, plural
from digitlens.metrics.intervals import Interval, wilson

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitlens.digits import Digits, Images, Labels
    from digitlens.imaging import FramedStack
    from digitlens.metrics.corruptions import Corruption
    from digitlens.metrics.evaluation import Predictor


FORMAT = 1  # raised when a key of `StressResult.as_dict` changes its meaning


@dataclass(frozen=True)
class CorruptionResult:
    """One family's misses, a number for each of its strengths."""

    family: Corruption  # the changes that were made
    count: int  # Digits read at each strength
    alone: tuple[int, ...]  # misses of the network on the changed pictures as they are
    # Its misses after `digitlens.imaging` has framed them, those it rejects counted too.
    framed: tuple[int, ...]

    def accuracies(self, *, framed: bool = False) -> list[float]:
        """Return the share of right answers at each strength, 0..1."""
        return [1 - misses / self.count for misses in self._misses(framed)]

    def intervals(self, *, framed: bool = False) -> list[Interval]:
        """Return the 95 % Wilson interval of the accuracy at each strength."""
        return [wilson(misses, self.count) for misses in self._misses(framed)]

    def _misses(self, framed: bool) -> tuple[int, ...]:
        return self.framed if framed else self.alone

    def as_dict(self) -> dict[str, Any]:
        """Return the family's figures as plain values."""
        return {
            "family": self.family.name,
            "unit": self.family.unit,
            "strengths": list(self.family.strengths),
            "misses": list(self.alone),
            "intervals": [list(item) for item in self.intervals()],
            "framed_misses": list(self.framed),
            "framed_intervals": [list(item) for item in self.intervals(framed=True)],
        }


@dataclass(frozen=True)
class RobustnessResult:
    """What a model missed as its pictures got worse."""

    model: str  # its name
    source: str  # where the digits come from, such as `"mnist test"`
    count: int  # Digits read at each strength of each family
    seed: int  # of the chance in the changes
    families: tuple[CorruptionResult, ...]  # in the order of `FAMILIES`

    @property
    def misses(self) -> int:
        """Misses of the network alone on the unchanged digits."""
        return self.families[0].alone[0]

    def mean_accuracy(self, *, framed: bool = False) -> float:
        """Return the mean accuracy over all families and all strengths above 0, 0..1."""
        every = [
            value for item in self.families for value in item.accuracies(framed=framed)[1:]
        ]
        return sum(every) / len(every)

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain values that JSON can hold.

        Keys: ``format`` (1), ``model``, ``source``, ``count``, ``seed``,
        ``mean_accuracy`` and ``framed_mean_accuracy`` (over all families and strengths
        above 0), ``families`` (a list: ``family``, ``unit``, ``strengths``, and for each
        strength ``misses``, ``intervals`` (low, high: 95 %, of the accuracy),
        ``framed_misses``, ``framed_intervals``). Shares are 0..1.
        """
        return {
            "format": FORMAT,
            "model": self.model,
            "source": self.source,
            "count": self.count,
            "seed": self.seed,
            "mean_accuracy": self.mean_accuracy(),
            "framed_mean_accuracy": self.mean_accuracy(framed=True),
            "families": [item.as_dict() for item in self.families],
        }

    def summary(self) -> str:
        """Return the accuracies as plain text for the terminal, ending without a newline."""
        head = (
            f"{self.model} on {plural(self.count, 'digit')} of {self.source or 'digits'}, "
            "right in %"
        )
        rows: list[tuple[str, ...]] = []
        for item in self.families:
            strengths = [f"{strength:g}" for strength in item.family.strengths]
            rows.append((f"{item.family.name}, {item.family.unit}", *strengths))
            for name, framed in (("  alone", False), ("  framed", True)):
                shown = [percent(share)[:-2] for share in item.accuracies(framed=framed)]
                rows.append((name, *shown))
        means = [percent(self.mean_accuracy(framed=framed)) for framed in (False, True)]
        foot = f"  mean over all changes: {means[0]} alone, {means[1]} framed"
        return "\n".join([head, *formatting.table(rows), "", foot])


def measure_robustness(
    model: Predictor,
    digits: Digits,
    *,
    seed: int = 0,
    limit: int | None = None,
    frame: Callable[[Images], FramedStack] | None = None,
    progress: Callable[[str], None] | None = None,
) -> RobustnessResult:
    """Count a model's misses on digits that are changed ever more strongly.

    At strength 0 the misses are those of `evaluate` on the same digits, whose errors it has.
    The same `seed` and digits give the same pictures.

    limit: at most so many of the digits, evenly spread, 1 or more; all when None
    frame: brings uint8 (N, 28, 28) into MNIST's frame; `digitlens.imaging.frame_stack` when
        None. A picture that it rejects counts as a miss: nobody gets an answer.
    progress: called with the name of each family before it is measured
    """
    chosen = evenly(digits, limit)
    bring = frame or _framing()

    def after_framing(images: Images) -> int:
        return count_framed(model, bring(images), chosen.labels)

    clean, clean_framed = evaluate(model, chosen).misses, after_framing(chosen.images)
    tested = []
    for family in CORRUPTIONS:
        if progress:
            progress(family.name)
        alone, framed = [clean], [clean_framed]
        for strength in family.strengths[1:]:
            changed = family.apply(strength, chosen.images, seed=seed)
            alone.append(int((model.predict(changed).labels != chosen.labels).sum()))
            framed.append(after_framing(changed))
        tested.append(CorruptionResult(family, len(chosen), tuple(alone), tuple(framed)))
    return RobustnessResult(model.name, digits.source, len(chosen), seed, tuple(tested))


def count_framed(model: Predictor, framed: FramedStack, labels: Labels) -> int:
    """Count the misses on framed pictures; one that could not be framed is a miss."""
    wrong = model.predict(framed.images).labels != labels
    wrong[list(framed.rejected)] = True
    return int(wrong.sum())


def evenly(digits: Digits, limit: int | None) -> Digits:
    """Return at most `limit` of the digits, 1 or more, evenly spread over all of them.

    The first digits of a set are not like the rest: the writers of MNIST's first 5,000 test
    digits wrote more clearly than those of the others.

    Examples
    --------
    >>> from digitlens.digits import Digits
    >>> ten = Digits(np.zeros((10, 28, 28), np.uint8), np.arange(10, dtype=np.uint8))
    >>> evenly(ten, 4).labels.tolist()
    [0, 2, 5, 7]
    """
    if limit is None or limit >= len(digits):
        return digits
    if limit < 1:
        raise UsageError("the limit must be 1 or more", seen=str(limit))
    return digits[np.arange(limit) * len(digits) // limit]


def _framing() -> Callable[[Images], FramedStack]:
    from digitlens.imaging import frame_stack

    return frame_stack
