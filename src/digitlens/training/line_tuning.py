"""A reader that goes on from another one: lines of your own, and a look at what it forgot."""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digitlens.errors import UsageError
from digitlens.imaging.crop import prepare_line
from digitlens.models.line_start import (
    settle_normalisation,
    unfuse_line_network,
    widen_line_network,
)
from digitlens.ocr.network import read_line_network
from digitlens.synth.camera import vary_line
from digitlens.training.finetune import walk_back
from digitlens.training.line_data import POOL, LineBatch, Prepared, collate, concatenate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from digitlens.data.line_folder import LineFolder
    from digitlens.models.architectures.line_network import LineNetwork
    from digitlens.models.recipe import LineRecipe

OWN_SHARE = 0.25  # share of a batch that is lines of the user's; the rest keeps what was known

# Share of the old lines that may be read wrong after it, and were right before.
MAX_FORGOTTEN = 0.003

# How much of the change is kept: tried in this order until no more than that is forgotten.
KEPT_SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)


def load_start(
    source: str, recipe: LineRecipe, strips: Sequence[Tensor], seed: int
) -> LineNetwork:
    """Return a reader to go on from: a published one, a run folder or an .onnx file.

    One that is narrower than the recipe is made wider, and answers as before.

    Raises ModelError: there is none, or it reads no lines; UsageError: it is wider than the
    recipe.
    """
    path, content = read_line_network(source)
    network = unfuse_line_network(content, name=str(path))
    if any(old > new for old, new in zip(network.widths, recipe.widths, strict=True)):
        raise UsageError(
            "--from must name a reader that is no wider than the one that is trained",
            seen=f"{source}: {network.widths}, wanted {recipe.widths}",
        )
    settle_normalisation(network, strips)
    if network.widths != recipe.widths:
        network = widen_line_network(network, recipe.widths, seed)
    return network


def mix_lines(
    batches: Iterator[LineBatch], own: LineFolder, seed: int, step: int
) -> Iterator[LineBatch]:
    """Add lines of the user's to each batch, changed a little each time.

    What is added to batch i depends on `seed` and i alone, so a resumed run gets the same.
    """
    for index in itertools.count(step):
        batch = next(batches)
        rng = np.random.default_rng([seed, index, POOL])
        count = max(1, round(len(batch) * OWN_SHARE / (1 - OWN_SHARE)))
        drawn = rng.integers(len(own.train), size=count)
        lines = [_prepare(*own.train[place], rng=rng) for place in drawn]
        yield concatenate(batch, collate(lines))


def _prepare(
    image: NDArray[np.uint8], text: str, *, rng: np.random.Generator | None = None
) -> Prepared:
    if rng is not None:
        image = vary_line(image, rng)
    return prepare_line(image), text, np.zeros(0, np.float32)


def own_batches(lines: Sequence[tuple[NDArray[np.uint8], str]]) -> list[LineBatch]:
    """Return the user's lines as they are, one batch each: widths differ much."""
    return [collate([_prepare(*line)]) for line in lines]


@dataclass(frozen=True)
class LineChange:
    """Lines of one kind before and after: how many, and how many were misread."""

    title: str
    lines: int
    before: int
    after: int

    @property
    def figure(self) -> str:
        """What the card and the report say of it."""
        right = self.lines - self.before, self.lines - self.after
        return f"{right[0]:,} right before, {right[1]:,} after, of {self.lines:,}"


class ForgettingCheck:
    """Compares a network with what it was: old lines, and the user's.

    network: as it is before
    groups: batches of lines by what they are called
    old: the groups that are not to be forgotten
    count: says how many lines of some batches a network misreads
    """

    def __init__(
        self,
        network: nn.Module,
        groups: dict[str, list[LineBatch]],
        old: Iterable[str],
        count: Callable[[nn.Module, Iterable[LineBatch]], int],
    ) -> None:
        self._start = copy.deepcopy(network).eval()
        self._groups = {title: batches for title, batches in groups.items() if batches}
        self._old = [title for title in old if title in self._groups]
        self._count = count
        self._before = {
            title: count(self._start, batches) for title, batches in self._groups.items()
        }

    def walk_back(self, network: nn.Module) -> float:
        """Take `network` back while it forgot too much; return the share that is kept."""
        return walk_back(
            *(self._start, network, KEPT_SHARES),
            lambda: all(self._is_kept(network, title) for title in self._old),
        )

    def _is_kept(self, network: nn.Module, title: str) -> bool:
        batches = self._groups[title]
        allowed = MAX_FORGOTTEN * sum(len(batch) for batch in batches)
        return self._count(network, batches) <= self._before[title] + allowed

    def changes(self, network: nn.Module) -> list[LineChange]:
        """Return what became of each group of lines."""
        return [
            LineChange(
                title,
                sum(len(batch) for batch in batches),
                self._before[title],
                self._count(network, batches),
            )
            for title, batches in self._groups.items()
        ]
