"""What a training run is made of, as plain data: its settings and who is told how it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from digitlens.errors import UsageError

if TYPE_CHECKING:
    from digitlens.diagnosis import Epoch
    from digitlens.networks.recipe import Recipe

MEASURED = 10_000
"""At most so many training digits are measured again after each epoch: enough that the
accuracy's 95 % interval is under +-0.3 points, few enough to cost little time."""


class Progress(Protocol):
    """Somebody who is told how training goes. Every call must be cheap."""

    def start(self, total_steps: int, epochs: int, digits_per_epoch: int, note: str) -> None:
        """Training begins (or goes on); `note` says on what."""

    def step(self, done_steps: int) -> None:
        """So many steps of all are done."""

    def epoch(self, epoch: Epoch) -> None:
        """An epoch has ended and has been measured."""

    def finish(self) -> None:
        """Training has ended, well or not."""


class Silent:
    """A `Progress` that tells nobody."""

    def start(self, total_steps: int, epochs: int, digits_per_epoch: int, note: str) -> None:
        """Tell nobody."""

    def step(self, done_steps: int) -> None:
        """Tell nobody."""

    def epoch(self, epoch: Epoch) -> None:
        """Tell nobody."""

    def finish(self) -> None:
        """Tell nobody."""


@dataclass(frozen=True)
class Settings:
    """A run's settings, all resolved.

    Parameters
    ----------
    network
        A name of `digitlens.networks.NETWORKS`.
    seed
        Decides the first weights, the order of the digits and how they are moved.
    recipe
        The network's recipe, with the epochs that were asked for.
    """

    network: str
    seed: int
    recipe: Recipe


def check_epochs(epochs: int) -> int:
    """Return `epochs` when it is at least 1.

    Raises
    ------
    UsageError
        Fewer than one epoch.
    """
    if epochs < 1:
        raise UsageError(
            "training wants at least 1 epoch",
            seen=f"--epochs {epochs}",
            try_="leave --epochs out to train by the network's recipe",
        )
    return epochs


def check_seed(seed: int) -> int:
    """Return `seed` when it fits in 63 bits.

    Raises
    ------
    UsageError
        A negative seed, or one of 2**63 and more.
    """
    if not 0 <= seed < 2**63:
        raise UsageError("a seed is a whole number in 0..2**63-1", seen=f"--seed {seed}")
    return seed
