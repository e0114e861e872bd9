"""torch networks -> plain operations, and back.

A batch normalisation after a kernel is y = g (x - m) / sqrt(v + eps) + b with constants once
training is over, so `fuse_layers` folds it into the kernel's weights and bias (Ioffe and
Szegedy 2015, arXiv 1502.03167, section 3.1). Division by 255 goes into the first kernel in the
same way. Folding is done in float64 and rounded once. `rebuild` is the inverse: normalisation
stays folded, and division by 255 is taken out again, for networks take float pixels in 0..1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from digitlens import models
from digitlens.errors import ModelError
from digitlens.models.architectures.lenet5 import (
    BitmapDistance,
    InputPad,
    PartialConv2d,
    ScaledTanh,
    Subsample,
)
from digitlens.models.architectures.line_network import LineNetwork, ResidualBlock
from digitlens.models.card import LineModelCard
from digitlens.models.onnx_reader import parse_onnx, parse_program
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
    Sigmoid,
    Tanh,
)
from digitlens.models.registry import CUSTOM
from digitlens.runs import BEST_WEIGHTS, MODEL, read_config

Widths = tuple[int, int, int, int]


FULL_INK = 255.0  # the pixel value of full ink


def fuse_layers(network: nn.Sequential) -> list[Op]:
    """Return `network` as operations on uint8 pixels: 0 = paper, 255 = ink.

    TypeError if a layer has no counterpart here, which is a mistake of the network's author.
    """
    # What was done to raw pixels before the first kernel saw them.
    scale, offset, margin = 1 / FULL_INK, 0.0, 0
    for layer in network:
        if isinstance(layer, InputPad):
            scale, offset = (layer.ink - layer.paper) / FULL_INK, layer.paper
            margin = layer.margin
    ops = fuse_sequential(layer for layer in network if not isinstance(layer, InputPad))
    # What was done to the pixels becomes part of the first kernel.
    index, first = next(
        (index, op) for index, op in enumerate(ops) if isinstance(op, Conv | Linear)
    )
    ops[index] = _fold_scaling(first, scale, offset, margin)
    return ops


def fuse_sequential(layers: Iterable[nn.Module]) -> list[Op]:
    """Return `layers` as operations on the numbers that they take themselves.

    Errors are those of `fuse_layers`.
    """
    ops: list[Op] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):  # into the kernel before it
            ops[-1] = _fold_normalisation(ops[-1], layer)
        elif isinstance(layer, nn.Dropout | nn.Dropout2d | nn.Identity):
            continue  # answers are given without
        elif isinstance(layer, ResidualBlock):
            ops += [Residual(tuple(fuse_sequential(layer.inner()))), Relu()]
        else:
            ops.append(_convert(layer))
    return ops


def fuse_line_network(network: LineNetwork) -> list[Op]:
    """Return `network` as operations: (N, 1, 32, W) -> (N, 2 C, 1, W / 4).

    The 2 C are two frames of all classes each, one after the other.
    """
    return fuse_sequential([*network.body, network.head])


def _convert(layer: nn.Module) -> Op:
    match layer:
        case PartialConv2d():  # before Conv2d, of which it is a kind
            return Conv(_to_numpy(layer.weight * layer.connected), _to_bias(layer))
        case nn.Conv2d():
            stride, padding = layer.stride, layer.padding
            assert not isinstance(padding, str), "padding is given in numbers"
            return Conv(
                _to_numpy(layer.weight),
                _to_bias(layer),
                (stride[0], stride[1]),
                (padding[0], padding[1]),
                layer.groups,
            )
        case nn.Linear():
            return Linear(_to_numpy(layer.weight), _to_bias(layer))
        case Subsample():  # a sum over the window, times one weight a map
            kernel = np.ones((1, layer.window, layer.window), np.float32)
            weight = _to_numpy(layer.weight)[:, None, None, None] * kernel
            step = (layer.window, layer.window)
            return Conv(weight, _to_numpy(layer.bias), stride=step, groups=len(weight))
        case nn.ReLU():
            return Relu()
        case nn.Tanh():
            return Tanh(1.0, 1.0)
        case nn.Sigmoid():
            return Sigmoid()
        case ScaledTanh():
            return Tanh(layer.amplitude, layer.slope)
        case nn.MaxPool2d():
            assert isinstance(layer.kernel_size, int)
            assert layer.stride == layer.kernel_size
            return MaxPool(layer.kernel_size)
        case nn.Flatten():
            return Flatten()
        case BitmapDistance():
            return RbfDistance(_to_numpy(layer.bitmaps), layer.spread)
        case _:
            raise TypeError(f"no rule to export {type(layer).__name__}")


def _fold_scaling(op: Conv | Linear, scale: float, offset: float, margin: int) -> Conv | Linear:
    """Let `op` take raw pixels x where it took scale * x + offset, padded by `margin`."""
    exact = op.weight.astype(np.float64)
    bias = op.bias + offset * exact.sum(tuple(range(1, exact.ndim)))
    # Paper is 0 in raw pixels, so padding before scaling is padding with zeros.
    assert isinstance(op, Linear) or offset == 0.0 or not any(op.padding)
    weight = (exact * scale).astype(np.float32)
    if isinstance(op, Linear):
        return Linear(weight, bias.astype(np.float32))
    padding = (op.padding[0] + margin, op.padding[1] + margin)
    return replace(op, weight=weight, bias=bias.astype(np.float32), padding=padding)


def _fold_normalisation(op: Op, layer: nn.BatchNorm1d | nn.BatchNorm2d) -> Op:
    assert isinstance(op, Conv | Linear), "batch normalisation follows a kernel"
    assert layer.running_mean is not None
    assert layer.running_var is not None
    mean, variance, gain, shift = (
        _to_numpy(value).astype(np.float64)
        for value in (layer.running_mean, layer.running_var, layer.weight, layer.bias)
    )
    # y = gain (x - mean) / sqrt(variance + eps) + shift, for each output of the kernel.
    gain = gain / np.sqrt(variance + layer.eps)
    per_output = (-1,) + (1,) * (op.weight.ndim - 1)
    weight = op.weight.astype(np.float64) * gain.reshape(per_output)
    bias = (op.bias - mean) * gain + shift
    return replace(op, weight=weight.astype(np.float32), bias=bias.astype(np.float32))


def _to_bias(layer: nn.Conv2d | nn.Linear) -> NDArray[np.float32]:
    if layer.bias is None:
        return np.zeros(len(layer.weight), np.float32)
    return _to_numpy(layer.bias)


def _to_numpy(tensor: Tensor) -> NDArray[np.float32]:
    return np.array(tensor.detach().cpu().numpy(), np.float32)


# Weights become integers up to this. Processors may add two products in 16 bits, and
# 2 x 255 x 64 is below 2**15.
MAX_WEIGHT = 64


def quantize_first_layer(ops: Sequence[Op]) -> list[Op]:
    """Return `ops` with the first layer's weights rounded to 7 bits and a sign.

    The network begins with Flatten and Linear on pixels 0..255, as `fuse_layers` returns it.
    Each weight moves by at most 1/128 of the largest one of its row.

    >>> row = np.array([[0.5, -1.0, 0.004]], np.float32)
    >>> ops = quantize_first_layer([Flatten(), Linear(row, np.zeros(1, np.float32))])
    >>> ops[1].weight.tolist(), float(ops[1].scale[0])
    ([[32, -64, 0]], 0.015625)
    """
    flatten, first, *rest = ops
    assert isinstance(flatten, Flatten), "bytes are taken by a fully connected layer"
    assert isinstance(first, Linear)
    largest = np.abs(first.weight).max(axis=1)
    scale = np.where(largest > 0, largest, 1.0) / MAX_WEIGHT
    integers = np.rint(first.weight / scale[:, None]).astype(np.int8)
    return [flatten, QuantLinear(integers, scale.astype(np.float32), first.bias), *rest]


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
        if not isinstance(op, Conv | Linear | Relu | Tanh | Sigmoid | MaxPool | Flatten):
            raise ModelError(
                "only convolutions, dense layers, activations and pooling are rebuilt",
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
        case QuantLinear():  # the integers as the float weights that they stand for
            return _layer(Linear(op.weight * op.scale[:, None], op.bias), scale)
        case Relu():
            return nn.ReLU(inplace=True)
        case Tanh():
            is_plain = (op.amplitude, op.slope) == (1, 1)
            return nn.Tanh() if is_plain else ScaledTanh(op.amplitude, op.slope)
        case Sigmoid():
            return nn.Sigmoid()
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
    if name == CUSTOM.name:  # its layers are known from its file alone
        program = parse_program((folder / MODEL).read_bytes(), name=str(folder))
        assert isinstance(program, list), "a chain of layers"
        return to_module(program).eval()
    network = models.build(name)
    with read_weights(folder / BEST_WEIGHTS, name) as weights:
        if weights.keys() != network.state_dict().keys():
            rebuilt = rebuild(parse_onnx((folder / MODEL).read_bytes(), name=str(folder)))
            # With dropout its layers are counted otherwise; its file has all of them.
            if _shapes(weights) == _shapes(network.state_dict()):
                return rebuilt.eval()
            network = rebuilt  # a fine-tuned one: normalisation is folded into its kernels
        network.load_state_dict(weights)
    return network.eval()


def _shapes(weights: Mapping[str, Tensor]) -> list[tuple[int, ...]]:
    return sorted(tuple(weight.shape) for weight in weights.values())


def load_line_network(
    folder: Path, widths: Widths, kind: type[LineNetwork] = LineNetwork
) -> LineNetwork:
    """Return the line network of this kind and widths with the weights of the run in `folder`.

    ModelError if they are missing, damaged, or of another network.
    """
    network = kind(widths)
    with read_weights(folder / BEST_WEIGHTS, "a line reader of these widths") as weights:
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
def read_weights(path: Path, name: str) -> Iterator[dict[str, Tensor]]:
    """Give the weights in `path` to a ``with`` block, which loads them into a network.

    ModelError if they are missing, damaged, or of another network than what is called `name`.
    """
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
