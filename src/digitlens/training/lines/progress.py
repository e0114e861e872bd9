"""How far the training of a line reader has come: points of its history, and who is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Point:
    """What was measured at one step of training.

    Parameters
    ----------
    step
        Steps done.
    loss
        Mean loss of the steps since the point before, in nats a digit.
    learning_rate
        At this step.
    seconds
        Spent on the steps since the point before.
    lines_per_second
        Lines learnt from in that time.
    misread, held_back
        Of so many lines by writers who were held back, so many are not read exactly (by the
        best path, without a search); both 0 where nobody was held back.
    """

    step: int
    loss: float
    learning_rate: float
    seconds: float
    lines_per_second: float
    misread: int = 0
    held_back: int = 0

    @property
    def exact(self) -> float | None:
        """The share of the lines held back that is read exactly, 0..1."""
        return 1 - self.misread / self.held_back if self.held_back else None


class LineProgress(Protocol):
    """Somebody who is told how training goes. Every call must be cheap."""

    def start(self, steps: int, batch: int, note: str) -> None:
        """Training begins (or goes on); `note` says on what."""

    def step(self, done_steps: int) -> None:
        """So many steps of all are done."""

    def point(self, point: Point) -> None:
        """A point of the history has been reached and measured."""

    def finish(self) -> None:
        """Training has ended, well or not."""


class SilentLines:
    """A `LineProgress` that tells nobody."""

    def start(self, steps: int, batch: int, note: str) -> None:
        """Tell nobody."""

    def step(self, done_steps: int) -> None:
        """Tell nobody."""

    def point(self, point: Point) -> None:
        """Tell nobody."""

    def finish(self) -> None:
        """Tell nobody."""
