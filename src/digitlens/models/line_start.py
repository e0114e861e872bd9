"""A trained line network as the beginning of another one: unfused, settled, made wider.

A published file has its normalisation folded into its kernels; training wants it back. A wider
network begins with the answers of a narrower one, as Net2Net does (Chen, Goodfellow and Shlens
2016, arXiv 1511.05641): new channels are copies of old ones, and what reads them shares its
weight among the copies. A little noise parts the copies, or they would learn the same for ever.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from digitlens.errors import ModelError
from digitlens.models.architectures.line_network import LineNetwork, ResidualBlock
from digitlens.models.onnx_graph import read_graph

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
