"""A reader that goes on from another one: its beginning, lines of your own, what it forgot.

A published file has its normalisation folded into its kernels; training wants it back. A wider
network begins with the answers of a narrower one, as Net2Net does (Chen, Goodfellow and Shlens
2016, arXiv 1511.05641): new channels are copies of old ones, and what reads them shares its
weight among the copies. A little noise parts the copies, or they would learn the same for ever.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from digitlens.data.line_folder import LineFolder
from digitlens.errors import ModelError, UsageError
from digitlens.imaging.crop import prepare_line
from digitlens.models.architectures.line_network import LineNetwork, ResidualBlock
from digitlens.models.card import LineModelCard
from digitlens.models.onnx_graph import read_graph, read_metadata
from digitlens.models.recipe import LineRecipe
from digitlens.ocr.network import read_line_network
from digitlens.synth.camera import vary_line
from digitlens.training.finetune import walk_back
from digitlens.training.line_data import POOL, LineBatch, Prepared, collate, concatenate

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


def note_rescorer(source: str) -> list[str]:
    """Return what a card must say of a reader that goes on from one with a rescorer.

    Raises ModelError: there is no reader `source`, or its card cannot be read.

    >>> note_rescorer("reader-fast")
    []
    """
    text = read_metadata(read_line_network(source)[1]).get(LineModelCard.KEY)
    card = LineModelCard.from_json(text) if text else None
    if card is None or not card.rescorer:
        return []
    return [
        f"It reads without the rescorer of {card.name}, which knows nothing of what it learnt: "
        "it is to be compared with the same network alone."
    ]


NOISE = 0.02  # deviation of a copy's weights from the old ones, as a share of theirs


def unfuse_line_network(content: bytes, *, name: str) -> LineNetwork:
    """Return the line network in an ONNX file, to train further.

    Normalisation, which was folded into the kernels, is there again and does nothing; before
    training, `settle_normalisation` gives it the means and variances that it had.

    ModelError if the file holds another network than a line reader's.
    """
    try:
        graph = read_graph(content)
        pairs = [node.inputs[1:3] for node in graph.nodes if node.op_type == "Conv"]
        kernels = [
            tuple(
                torch.from_numpy(graph.constants[key].astype("float32").copy()) for key in pair
            )
            for pair in pairs
        ]
        first, second, third, last = (len(kernels[index][0]) for index in (0, 3, 6, 9))
        network = LineNetwork((first, second, third, last))
        convs = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
        norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
        assert network.head.bias is not None
        shifts = [*(layer.bias for layer in norms), network.head.bias]
        with torch.no_grad():
            for conv, shift, (weight, bias) in zip(convs, shifts, kernels, strict=True):
                conv.weight.copy_(weight)
                shift.copy_(bias)
            for layer in norms:
                layer.weight.fill_(math.sqrt(1 + layer.eps))
    except (ValueError, IndexError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"{name} must be a network that reads lines",
            seen=f"{type(error).__name__}: {str(error).splitlines()[0]}",
            try_="reader, a run folder of digitlens train reader, or its .onnx file",
        ) from error
    return network.eval()


@torch.no_grad()
def settle_normalisation(network: LineNetwork, strips: Sequence[Tensor]) -> None:
    """Give normalisation the means and variances that it meets on `strips`.

    What the network answers does not change; in training, where a batch's own mean and
    variance are taken, it then answers about the same as well.
    """
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    sums: dict[nn.Module, list[Tensor]] = {layer: [] for layer in norms}

    def note(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
        x = given[0].double()
        sums[layer].append(torch.stack([x.mean((0, 2, 3)), (x * x).mean((0, 2, 3))]))

    hooks = [layer.register_forward_pre_hook(note) for layer in norms]
    network.eval()
    for batch in strips:
        network(batch)
    for hook in hooks:
        hook.remove()
    for layer in norms:
        mean, square = torch.stack(sums[layer]).mean(0)
        variance = square - mean * mean
        was, spread = layer.running_mean, layer.running_var
        assert was is not None
        assert spread is not None
        old = layer.weight / torch.sqrt(spread + layer.eps)
        layer.bias.add_(old * (mean - was).float())
        layer.weight.copy_(old * torch.sqrt(variance.float() + layer.eps))
        was.copy_(mean)
        spread.copy_(variance)


def widen_line_network(
    network: LineNetwork, widths: tuple[int, int, int, int], seed: int, *, noise: float = NOISE
) -> LineNetwork:
    """Return a network of these widths, none below the old ones, that answers as `network`.

    With `noise` 0 it answers exactly so, but for rounding.
    """
    assert all(new >= old for new, old in zip(widths, network.widths, strict=True))
    rng = torch.Generator().manual_seed(seed)
    larger = LineNetwork(widths)
    maps = [_copies(old, new, rng) for old, new in zip(network.widths, widths, strict=True)]
    came = torch.zeros(1, dtype=torch.long)
    stage = -1
    pairs = zip([*network.body, network.head], [*larger.body, larger.head], strict=True)
    for old, new in pairs:
        if isinstance(old, ResidualBlock):
            assert isinstance(new, ResidualBlock)
            # Both ends have the stage's copies, or the sum would mix channels.
            inner = _copies(network.widths[stage], widths[stage], rng)
            first, second = old.inner()[0], old.inner()[3]
            _widen_conv(first, new.inner()[0], came, inner, rng, noise)
            _widen_norm(old.inner()[1], new.inner()[1], inner)
            _widen_conv(second, new.inner()[3], inner, came, rng, noise)
            _widen_norm(old.inner()[4], new.inner()[4], came)
        elif isinstance(old, nn.Conv2d):
            stage += 1
            last = stage == len(maps)
            goes = torch.arange(old.out_channels) if last else maps[stage]
            _widen_conv(old, new, came, goes, rng, noise)
            came = goes
        elif isinstance(old, nn.BatchNorm2d):
            _widen_norm(old, new, came)
    return larger.eval()


def _copies(old: int, new: int, rng: torch.Generator) -> Tensor:
    """Return which old channel each new one is: all of them, then some again."""
    more = torch.randint(old, (new - old,), generator=rng)
    return torch.cat([torch.arange(old), more])


@torch.no_grad()
def _widen_conv(
    old: nn.Module,
    new: nn.Module,
    came: Tensor,
    goes: Tensor,
    rng: torch.Generator,
    noise: float,
) -> None:
    assert isinstance(old, nn.Conv2d)
    assert isinstance(new, nn.Conv2d)
    share = torch.bincount(came)[came].float()
    weight = old.weight[goes][:, came] / share[None, :, None, None]
    copied = (share > 1)[None, :, None, None]
    spread = noise * weight.std() * torch.randn(weight.shape, generator=rng)
    new.weight.copy_(weight + torch.where(copied, spread, 0.0))
    if old.bias is not None and new.bias is not None:
        new.bias.copy_(old.bias[goes])


@torch.no_grad()
def _widen_norm(old: nn.Module, new: nn.Module, goes: Tensor) -> None:
    for name, value in old.state_dict().items():
        new.state_dict()[name].copy_(value[goes] if value.ndim else value)


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
