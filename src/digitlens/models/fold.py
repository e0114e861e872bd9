"""torch modules -> plain operations, with everything folded that can be folded.

A batch normalisation after a kernel is y = g (x - m) / sqrt(v + eps) + b with constants once
training is over, so it goes into the kernel's weights and bias (Ioffe and Szegedy 2015, arXiv
1502.03167, section 3.1). Division by 255 goes into the first kernel in the same way. Folding
is done in float64 and rounded once.

* The first layer in whole numbers: bytes of pixels times bytes of weights.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from digitlens.models.architectures.reader import LineNetwork, ResidualBlock
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


FULL = 255.0


def fuse_layers(network: nn.Sequential) -> list[Op]:
    """Return `network` as operations on uint8 pixels: 0 = paper, 255 = ink.

    Raises
    ------
    TypeError
        A layer that has no counterpart here (a mistake of the network's author).
    """
    scale, offset, margin = 1 / FULL, 0.0, 0  # what the first kernel takes in
    for layer in network:
        if isinstance(layer, InputPad):
            scale, offset = (layer.ink - layer.paper) / FULL, layer.paper
            margin = layer.margin
    ops = fuse_sequential(layer for layer in network if not isinstance(layer, InputPad))
    index, first = next(
        (index, op) for index, op in enumerate(ops) if isinstance(op, Conv | Linear)
    )
    ops[index] = _scaled(first, scale, offset, margin)
    return ops


def fuse_sequential(layers: Iterable[nn.Module]) -> list[Op]:
    """Return `layers` as operations on the numbers that they take themselves.

    Raises
    ------
    TypeError
        As `fuse_layers` has it.
    """
    ops: list[Op] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            ops[-1] = _normalised(ops[-1], layer)
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
        case PartialConv2d():
            return Conv(_numbers(layer.weight * layer.connected), _bias(layer))
        case nn.Conv2d():
            (down, across), around = layer.stride, layer.padding
            assert not isinstance(around, str), "padding is given in numbers"
            return Conv(
                _numbers(layer.weight),
                _bias(layer),
                (down, across),
                (around[0], around[1]),
                layer.groups,
            )
        case nn.Linear():
            return Linear(_numbers(layer.weight), _bias(layer))
        case Subsample():
            kernel = np.ones((1, layer.window, layer.window), np.float32)
            weight = _numbers(layer.weight)[:, None, None, None] * kernel
            step = (layer.window, layer.window)
            return Conv(weight, _numbers(layer.bias), stride=step, groups=len(weight))
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
            return RbfDistance(_numbers(layer.bitmaps), layer.spread)
        case _:
            raise TypeError(f"no rule to export {type(layer).__name__}")


def _scaled(op: Conv | Linear, scale: float, offset: float, margin: int) -> Conv | Linear:
    """Let `op` take raw pixels x where it took scale * x + offset, framed by `margin`."""
    wide = op.weight.astype(np.float64)
    bias = op.bias + offset * wide.sum(tuple(range(1, wide.ndim)))
    # Paper is 0 in raw pixels, so framing before scaling is padding with zeros.
    assert isinstance(op, Linear) or offset == 0.0 or not any(op.padding)
    weight = (wide * scale).astype(np.float32)
    if isinstance(op, Linear):
        return Linear(weight, bias.astype(np.float32))
    framed = (op.padding[0] + margin, op.padding[1] + margin)
    return replace(op, weight=weight, bias=bias.astype(np.float32), padding=framed)


def _normalised(op: Op, layer: nn.BatchNorm1d | nn.BatchNorm2d) -> Op:
    assert isinstance(op, Conv | Linear), "batch normalisation follows a kernel"
    assert layer.running_mean is not None
    assert layer.running_var is not None
    mean, variance, gain, shift = (
        _numbers(value).astype(np.float64)
        for value in (layer.running_mean, layer.running_var, layer.weight, layer.bias)
    )
    gain = gain / np.sqrt(variance + layer.eps)
    along = (-1,) + (1,) * (op.weight.ndim - 1)
    weight = op.weight.astype(np.float64) * gain.reshape(along)
    bias = (op.bias - mean) * gain + shift
    return replace(op, weight=weight.astype(np.float32), bias=bias.astype(np.float32))


def _bias(layer: nn.Conv2d | nn.Linear) -> NDArray[np.float32]:
    if layer.bias is None:
        return np.zeros(len(layer.weight), np.float32)
    return _numbers(layer.bias)


def _numbers(tensor: Tensor) -> NDArray[np.float32]:
    return np.array(tensor.detach().cpu().numpy(), np.float32)


LARGEST = 64
"""Weights become whole numbers up to this: 2 x 255 x 64 is below 2**15."""


def quantize_first_layer(ops: Sequence[Op]) -> list[Op]:
    """Return `ops` with the first layer's weights rounded to 7 bits and a sign.

    Parameters
    ----------
    ops
        A network that begins with Flatten and Affine on pixels 0..255, as `fold` returns it.
        Each weight is moved by at most 1/128 of the largest one of its row.

    Examples
    --------
    >>> row = np.array([[0.5, -1.0, 0.004]], np.float32)
    >>> ops = quantize_first_layer([Flatten(), Linear(row, np.zeros(1, np.float32))])
    >>> ops[1].weight.tolist(), float(ops[1].scale[0])
    ([[32, -64, 0]], 0.015625)
    """
    flatten, front, *rest = ops
    assert isinstance(flatten, Flatten), "bytes are taken by a fully connected layer"
    assert isinstance(front, Linear)
    largest = np.abs(front.weight).max(axis=1)
    scale = np.where(largest > 0, largest, 1.0) / LARGEST
    whole = np.rint(front.weight / scale[:, None]).astype(np.int8)
    return [flatten, QuantLinear(whole, scale.astype(np.float32), front.bias), *rest]
