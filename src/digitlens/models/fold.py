"""torch networks -> plain operations, with batch normalisation folded into the kernels.

A batch normalisation after a kernel is y = g (x - m) / sqrt(v + eps) + b with constants once
training is over, so it goes into the kernel's weights and bias (Ioffe and Szegedy 2015, arXiv
1502.03167, section 3.1). Division by 255 goes into the first kernel in the same way. Folding
is done in float64 and rounded once. `quantize_first_layer` makes the first layer one of bytes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from digitlens.models.architectures.line_network import LineNetwork, ResidualBlock
from digitlens.models.layers import (
    BitmapDistance,
    InputPad,
    PartialConv2d,
    ScaledTanh,
    Subsample,
)
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

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor


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
        elif isinstance(layer, ResidualBlock):
            ops += [Residual(tuple(fuse_sequential(layer.inner()))), Relu()]
        else:
            ops.append(_convert(layer))
    return ops


def fuse_line_network(network: LineNetwork) -> list[Op]:
    """Return `network` as operations: (N, 1, 32, W) -> (N, 22, 1, W / 4).

    The 22 are two frames of 11 each, one after the other.
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


MAX_WEIGHT = 64
"""Weights become integers up to this. Processors may add two products in 16 bits, and
2 x 255 x 64 is below 2**15."""


def quantize_first_layer(ops: Sequence[Op]) -> list[Op]:
    """Return `ops` with the first layer's weights rounded to 7 bits and a sign.

    The network begins with Flatten and Linear on pixels 0..255, as `fuse_layers` returns it.
    Each weight moves by at most 1/128 of the largest one of its row.

    Examples
    --------
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
