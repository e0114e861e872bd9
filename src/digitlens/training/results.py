"""What a training run leaves: `Run` (digits), `ReaderRun` (lines), `Changes` (fine-tuning)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.digits import CLASSES, Labels
from digitlens.metrics.formatting import certainty, table
from digitlens.models.inference import Model, load_model
from digitlens.models.predictions import Predictions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from torch import nn

    from digitlens.metrics.diagnosis import Diagnosis
    from digitlens.metrics.history import History, LinePoint
    from digitlens.models.architectures.line_network import LineNetwork
    from digitlens.models.card import LineModelCard
    from digitlens.training.line_tuning import LineChange


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """A training run that has ended."""

    network: nn.Sequential  # the torch module with the best epoch's weights, in evaluation mode
    history: History  # one `Epoch` for each epoch
    diagnosis: Diagnosis  # the history in words
    folder: Path  # the run folder
    # misses, count: validation digits that the network gets wrong, of so many; 0 of 0 when none
    # were held back
    misses: int
    count: int
    changes: Changes | None = None  # what changed, when the run went on from another model

    def __repr__(self) -> str:
        return f"Run({self.folder}: {self.history!r})"

    @cached_property
    def model(self) -> Model:
        """The exported model, which answers without torch."""
        return load_model(self.folder)


@dataclass(frozen=True, eq=False)
class ReaderRun:
    """A training run of a line reader that has ended."""

    network: LineNetwork  # the torch module with the averaged weights, in evaluation mode
    history: list[LinePoint]  # points of the way, the last one at its end
    folder: Path  # the run folder
    card: LineModelCard  # what stands in the exported file
    changes: Sequence[LineChange] = ()  # of one that went on from another: before and after


# At most so many changed pictures are listed in the terminal; the file lists all of them.
MAX_SHOWN = 10


@dataclass(frozen=True, eq=False)
class Group:
    """Digits that were read before and after."""

    title: str  # what they are
    truth: Labels  # uint8 (N,)
    names: Sequence[str]  # what messages call each of them
    # before, after: what the model answered
    before: Predictions
    after: Predictions

    def __len__(self) -> int:
        return len(self.truth)

    def right(self, answers: Predictions, digit: int | None = None) -> int:
        """Return how many are read right, of one class or of all."""
        good = answers.labels == self.truth
        return int((good if digit is None else good[self.truth == digit]).sum())

    def refused(self, answers: Predictions) -> int:
        """Return how many are taken for no digit; 0 for networks that do not tell."""
        return 0 if answers.refused is None else int(answers.refused.sum())

    def changed(self) -> Iterator[str]:
        """Walk over the digits that are read otherwise than before, in words."""
        for index in np.flatnonzero(self.before.labels != self.after.labels).tolist():
            was, now = int(self.before.labels[index]), int(self.after.labels[index])
            sure = [float(a.probabilities[index].max()) for a in (self.before, self.after)]
            truth = int(self.truth[index])
            verdict = "right now" if now == truth else "wrong now" if was == truth else "wrong"
            yield (
                f"{self.names[index]}, a {truth}: {was} ({certainty(sure[0], 1)}) -> "
                f"{now} ({certainty(sure[1], 1)}), {verdict}"
            )

    def counts(self) -> dict[str, int]:
        """Return the group's counts, for JSON."""
        return {
            "count": len(self),
            "right_before": self.right(self.before),
            "right_after": self.right(self.after),
            "refused_before": self.refused(self.before),
            "refused_after": self.refused(self.after),
        }


@dataclass(frozen=True, eq=False)
class Changes:
    """All that fine-tuning changed."""

    start: str  # the model it began with
    # held, learnt, kept: own pictures held back, own pictures learnt from, and old digits that
    # were not rehearsed; `held` may be empty
    held: Group
    learnt: Group
    kept: Group
    mnist: bool  # whether the old digits are MNIST's
    # for each layer with weights, its name and how far its weights moved, as a share of their
    # length
    moved: Sequence[tuple[str, float]]
    # how much of the change was kept, 0..1: less than 1 where all of it would have cost more
    # than 1 old digit in 1,000
    share: float = 1.0
    left_out: Sequence[str] = ()  # why own pictures were left out, in words

    def words(self) -> str:
        """Return the most important changes, for the terminal."""
        return "\n".join([*self._table(), "", *self._sentences(MAX_SHOWN)])

    def markdown(self, name: str) -> str:
        """Return what changed, all of it, as Markdown; `name` is the new model's."""
        counts = "\n".join(["```", *self._table(), "```"])
        lists = []
        for group in self._groups():
            result = list(group.changed())
            if result:
                lists.append(f"## {group.title}: {len(result):,} read otherwise\n")
                lists += [*(f"- {line}" for line in result), ""]
        if self.left_out:
            lists += ["## Left out\n", *(f"- {line}" for line in self.left_out), ""]
        layers = [f"| {layer} | {100 * share:.1f} % |" for layer, share in self.moved]
        return "\n".join(
            [
                f"# {name}: what changed since {self.start}\n",
                counts,
                "",
                "\n".join(self._sentences(0)),
                "",
                *lists,
                "## Weights\n",
                "| layer | moved by |\n|---|---|",
                *layers,
                "",
            ]
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the counts, for JSON."""
        return {
            "start": self.start,
            "own_held_back": self.held.counts(),
            "own_learnt_from": self.learnt.counts(),
            "old_digits": {"mnist": self.mnist, **self.kept.counts()},
            "share_kept": self.share,
            "weights_moved": dict(self.moved),
        }

    def _groups(self) -> list[Group]:
        return [group for group in (self.held, self.learnt, self.kept) if len(group)]

    def _table(self) -> list[str]:
        own, rows = self._groups()[:-1], [("right", "before", "after", "of")]
        rows += [_row(group.title, group.right, group) for group in own]
        for digit in range(CLASSES):
            count = sum(int((group.truth == digit).sum()) for group in own)
            if count:
                before = sum(group.right(group.before, digit) for group in own)
                after = sum(group.right(group.after, digit) for group in own)
                rows.append((f"  own {digit}", f"{before:,}", f"{after:,}", f"{count:,}"))
        rows.append(_row(self.kept.title, self.kept.right, self.kept))
        if self.kept.before.refused is not None:
            rows.append(("taken for no digit", "", "", ""))
            rows += [_row(f"  {group.title}", group.refused, group) for group in self._groups()]
        return [line.removeprefix("  ") for line in table(rows)]

    def _sentences(self, shown: int) -> list[str]:
        lines = []
        for group in self._groups() if shown else []:
            result = list(group.changed())
            if result:
                lines.append(f"{group.title}, {len(result):,} read otherwise:")
                lines += [f"  {line}" for line in result[:shown]]
                if len(result) > shown:
                    lines.append(f"  and {len(result) - shown:,} more")
        if not self.mnist:
            lines.append(
                "MNIST is not at hand, so the UCI digits were rehearsed, and how much of MNIST "
                "was\nforgotten is not known: digitlens data fetch mnist, then once more, "
                "forgets less."
            )
        if self.share < 1:
            lines.append(
                f"Only {100 * self.share:.0f} % of the change was kept: all of it would have "
                "cost more than\n1 old digit in 1,000."
            )
        layer, most = max(self.moved, key=lambda item: item[1])
        lines.append(f"Weights moved most in {layer}: by {100 * most:.1f} % of their length.")
        return lines


def _row(title: str, count: Any, group: Group) -> tuple[str, str, str, str]:
    return title, f"{count(group.before):,}", f"{count(group.after):,}", f"{len(group):,}"
