"""Torch networks again: from plain operations, or from the weights in a run folder.

`rebuild` is the inverse of `fold`. Normalisation stays folded in the kernels, so each of them
has a bias. Division by 255, which was folded into the first kernel, is taken out again:
networks take float pixels in 0..1.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from digitlens import models
from digitlens.errors import ModelError
from digitlens.models.architectures.line_network import LineNetwork
from digitlens.models.card import LineModelCard
from digitlens.models.fold import FULL_INK
from digitlens.models.layers import BitmapDistance, ScaledTanh
from digitlens.models.onnx_reader import parse_onnx
from digitlens.models.ops import (
    Conv,
    Flatten,
    Linear,
    MaxPool,
    Op,
    QuantLinear,
    RbfDistance,
    Relu,
    Residual,
    Tanh,
)
from digitlens.runs import BEST_WEIGHTS, MODEL, read_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Widths = tuple[int, int, int, int]


class Shortcut(nn.Sequential):
    """x + what the layers make of x."""

    def forward(self, x: Tensor) -> Tensor:
        """Run a batch through the layers, and add it to what comes out."""
        y = x
        for layer in self:
            y = layer(y)
        return x + y


def rebuild(ops: Sequence[Op]) -> nn.Sequential:
    """Return `ops` as a network to train further: float (N, 1, 28, 28) in 0..1 -> logits.

    Raises ModelError: an operation that is not trained again: whole numbers, and those of 1998.
    """
    for op in ops:
        if not isinstance(op, Conv | Linear | Relu | MaxPool | Flatten):
            raise ModelError(
                "only convolutions, fully connected layers, ReLU and pooling are rebuilt",
                seen=type(op).__name__.lower(),
            )
    return to_module(ops)


def to_module(ops: Sequence[Op], *, scale: float = FULL_INK) -> nn.Sequential:
    """Return any `ops` as a torch network that answers as they do.

    `scale` is what the input was divided by: 255 for pixels in 0..1, 1 for other numbers.
    """
    layers: list[nn.Module] = []
    for op in ops:
        layers.append(_layer(op, scale))
        if isinstance(op, Conv | Linear | QuantLinear):
            scale = 1.0
    return nn.Sequential(*layers)


def _layer(op: Op, scale: float) -> nn.Module:
    match op:
        case Conv():
            out, per_group, height, width = op.weight.shape
            conv = nn.Conv2d(
                per_group * op.groups,
                out,
                kernel_size=(height, width),
                stride=op.stride,
                padding=op.padding,
                groups=op.groups,
            )
            return _with_weights(conv, op.weight, op.bias, scale)
        case Linear():
            linear = nn.Linear(op.weight.shape[1], op.weight.shape[0])
            return _with_weights(linear, op.weight, op.bias, scale)
        case QuantLinear():
            linear = nn.Linear(op.weight.shape[1], op.weight.shape[0])
            # The integers as the float weights that they stand for.
            return _with_weights(linear, op.weight * op.scale[:, None], op.bias, scale)
        case Relu():
            return nn.ReLU(inplace=True)
        case Tanh():
            return ScaledTanh(op.amplitude, op.slope)
        case MaxPool():
            return nn.MaxPool2d(op.window)
        case Flatten():
            return nn.Flatten()
        case RbfDistance():
            return BitmapDistance(torch.from_numpy(op.bitmaps.copy()), op.spread)
        case Residual():
            return Shortcut(*to_module(op.body, scale=1.0))


def _with_weights(
    layer: nn.Conv2d | nn.Linear,
    weight: NDArray[np.float32],
    bias: NDArray[np.float32],
    scale: float,
) -> nn.Module:
    assert layer.bias is not None
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight.copy()) * scale)
        layer.bias.copy_(torch.from_numpy(bias.copy()))
    return layer


def load_network(folder: Path, name: str) -> nn.Sequential:
    """Return the torch network `name` with the best weights of the run in `folder`.

    ModelError if they are missing, damaged, or of another network.
    """
    network = models.build(name)
    with _read_weights(folder / BEST_WEIGHTS, name) as weights:
        if weights.keys() != network.state_dict().keys():
            # A fine-tuned network has its normalisation folded into its kernels.
            network = rebuild(parse_onnx((folder / MODEL).read_bytes(), name=str(folder)))
        network.load_state_dict(weights)
    return network.eval()


def load_line_network(folder: Path, widths: Widths) -> LineNetwork:
    """Return the line network of these widths with the weights of the run in `folder`.

    ModelError if they are missing, damaged, or of another network.
    """
    network = LineNetwork(widths)
    with _read_weights(folder / BEST_WEIGHTS, "a line reader of these widths") as weights:
        network.load_state_dict(weights)
    return network.eval()


def load_reader(folder: Path) -> tuple[LineNetwork, LineModelCard]:
    """Return the network and the card of a line reader's run in `folder`.

    RunError if it is no run folder; ModelError if the run is unfinished, or of digits.
    """
    # The recipe has the widths by which the network is built; the model file has the card.
    config = read_config(folder)
    try:
        widths = tuple(config["recipe"]["widths"])
        content = (folder / MODEL).read_bytes()
    except (KeyError, OSError) as error:
        raise ModelError(
            f"{folder} must be the finished run of a line reader",
            seen=f"a run of {config.get('run', {}).get('network')}"
            if isinstance(error, KeyError)
            else f"no {MODEL}",
            try_="digitlens train reader makes one",
        ) from error
    return load_line_network(folder, widths), LineModelCard.from_file(content)


@contextmanager
def _read_weights(path: Path, name: str) -> Iterator[dict[str, Tensor]]:
    """Give the weights in `path` to a ``with`` block, which loads them into a network."""
    import safetensors.torch  # not at the top: gradients need torch alone
    from safetensors import SafetensorError

    try:
        yield safetensors.torch.load_file(path)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ModelError(
            f"{path} must hold the weights of {name}",
            seen=str(error).splitlines()[0],
            try_="name a run folder that digitlens train made",
        ) from error
