"""What the training of a line reader leaves: `ReaderRun`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.line_card import LineCard
    from digitlens.networks.reader import LineNetwork
    from digitlens.training.lines.progress import Point


@dataclass(frozen=True, eq=False)
class ReaderRun:
    """A training run of a line reader that has ended.

    Parameters
    ----------
    network
        The torch module with the averaged weights, in evaluation mode.
    history
        Points of the way, the last one at its end.
    folder
        The run folder.
    card
        What stands in the exported file.
    """

    network: LineNetwork
    history: list[Point]
    folder: Path
    card: LineCard
