"""What a training run leaves: `Run`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from digitlens.model import Model, load_model

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from digitlens.diagnosis import Diagnosis, Epoch
    from digitlens.run.tuning.changes import Changes


@dataclass(frozen=True, eq=False)
class Run:
    """A training run that has ended.

    Parameters
    ----------
    network
        The torch module with the best epoch's weights, in evaluation mode.
    history
        One `Epoch` for each epoch.
    diagnosis
        The history in words.
    folder
        The run folder.
    misses, count
        Validation digits that the network gets wrong, of so many; 0 of 0 when none were held
        back.
    changes
        What changed, when the run went on from another model.
    """

    network: nn.Sequential
    history: list[Epoch]
    diagnosis: Diagnosis
    folder: Path
    misses: int
    count: int
    changes: Changes | None = None

    @cached_property
    def model(self) -> Model:
        """The exported model, which answers without torch."""
        return load_model(self.folder)
