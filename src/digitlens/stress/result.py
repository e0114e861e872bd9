"""Misses by family and strength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from digitlens import score
from digitlens.evaluation import text
from digitlens.evaluation.printed import percent, several

if TYPE_CHECKING:
    from digitlens.stress.families import Family

FORMAT = 1
"""Raised when a key of `StressResult.as_dict` changes its meaning."""


@dataclass(frozen=True)
class Tested:
    """One family's misses, a number for each of its strengths.

    Parameters
    ----------
    family
        The changes that were made.
    count
        Digits read at each strength.
    alone
        Misses of the network on the changed pictures as they are.
    framed
        Its misses after `digitlens.ink` has framed them, those it rejects counted too.
    """

    family: Family
    count: int
    alone: tuple[int, ...]
    framed: tuple[int, ...]

    def accuracies(self, *, framed: bool = False) -> list[float]:
        """Return the share of right answers at each strength, 0..1."""
        return [1 - misses / self.count for misses in self._misses(framed)]

    def intervals(self, *, framed: bool = False) -> list[score.Interval]:
        """Return the 95 % Wilson interval of the accuracy at each strength."""
        return [score.wilson(misses, self.count) for misses in self._misses(framed)]

    def _misses(self, framed: bool) -> tuple[int, ...]:
        return self.framed if framed else self.alone

    def as_dict(self) -> dict[str, Any]:
        """Return the family's figures as plain values."""
        return {
            "family": self.family.name,
            "unit": self.family.unit,
            "strengths": list(self.family.strengths),
            "misses": list(self.alone),
            "intervals": [list(each) for each in self.intervals()],
            "framed_misses": list(self.framed),
            "framed_intervals": [list(each) for each in self.intervals(framed=True)],
        }


@dataclass(frozen=True)
class StressResult:
    """What a model missed as its pictures got worse.

    Parameters
    ----------
    model
        Its name.
    source
        Where the digits come from, such as ``"mnist test"``.
    count
        Digits read at each strength of each family.
    seed
        Of the chance in the changes.
    families
        In the order of `FAMILIES`.
    """

    model: str
    source: str
    count: int
    seed: int
    families: tuple[Tested, ...]

    @property
    def misses(self) -> int:
        """Misses of the network alone on the unchanged digits."""
        return self.families[0].alone[0]

    def mean_accuracy(self, *, framed: bool = False) -> float:
        """Return the mean accuracy over all families and all strengths above 0, 0..1."""
        every = [
            value for each in self.families for value in each.accuracies(framed=framed)[1:]
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
            "families": [each.as_dict() for each in self.families],
        }

    def summary(self) -> str:
        """Return the accuracies as plain text for the terminal, ending without a newline."""
        head = (
            f"{self.model} on {several(self.count, 'digit')} of {self.source or 'digits'}, "
            "right in %"
        )
        rows: list[tuple[str, ...]] = []
        for each in self.families:
            strengths = [f"{strength:g}" for strength in each.family.strengths]
            rows.append((f"{each.family.name}, {each.family.unit}", *strengths))
            for name, framed in (("  alone", False), ("  framed", True)):
                shown = [percent(share)[:-2] for share in each.accuracies(framed=framed)]
                rows.append((name, *shown))
        means = [percent(self.mean_accuracy(framed=framed)) for framed in (False, True)]
        foot = f"  mean over all changes: {means[0]} alone, {means[1]} framed"
        return "\n".join([head, *text.table(rows), "", foot])
