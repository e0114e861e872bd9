"""torch modules -> plain operations, with everything folded that can be folded.

A batch normalisation after a kernel is y = g (x - m) / sqrt(v + eps) + b with constants once
training is over, so it goes into the kernel's weights and bias (Ioffe and Szegedy 2015, arXiv
1502.03167, section 3.1). Division by 255 goes into the first kernel in the same way. Folding
is done in float64 and rounded once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from digitlens.networks.layers import (
    BitmapDistance,
    Field,
    PartialConv2d,
    ScaledTanh,
    Subsample,
)
from digitlens.networks.reader import ResidualBlock
from digitlens.ops import Affine, Conv, Distance, Flatten, MaxPool, Op, Relu, Residual, Tanh

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from torch import Tensor


FULL = 255.0


def fold(network: nn.Sequential) -> list[Op]:
    """Return `network` as operations on uint8 pixels: 0 = paper, 255 = ink.

    Raises
    ------
    TypeError
        A layer that has no counterpart here (a mistake of the network's author).
    """
    scale, offset, margin = 1 / FULL, 0.0, 0  # what the first kernel takes in
    for layer in network:
        if isinstance(layer, Field):
            scale, offset = (layer.ink - layer.paper) / FULL, layer.paper
            margin = layer.margin
    ops = fold_layers(layer for layer in network if not isinstance(layer, Field))
    at, first = next((at, op) for at, op in enumerate(ops) if isinstance(op, Conv | Affine))
    ops[at] = _scaled(first, scale, offset, margin)
    return ops


def fold_layers(layers: Iterable[nn.Module]) -> list[Op]:
    """Return `layers` as operations on the numbers that they take themselves.

    Raises
    ------
    TypeError
        As `fold` has it.
    """
    ops: list[Op] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            ops[-1] = _normalised(ops[-1], layer)
        elif isinstance(layer, ResidualBlock):
            ops += [Residual(tuple(fold_layers(layer.inner()))), Relu()]
        else:
            ops.append(_convert(layer))
    return ops


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
            return Affine(_numbers(layer.weight), _bias(layer))
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
            return Distance(_numbers(layer.bitmaps), layer.spread)
        case _:
            raise TypeError(f"no rule to export {type(layer).__name__}")


def _scaled(op: Conv | Affine, scale: float, offset: float, margin: int) -> Conv | Affine:
    """Let `op` take raw pixels x where it took scale * x + offset, framed by `margin`."""
    wide = op.weight.astype(np.float64)
    bias = op.bias + offset * wide.sum(tuple(range(1, wide.ndim)))
    # Paper is 0 in raw pixels, so framing before scaling is padding with zeros.
    assert isinstance(op, Affine) or offset == 0.0 or not any(op.padding)
    weight = (wide * scale).astype(np.float32)
    if isinstance(op, Affine):
        return Affine(weight, bias.astype(np.float32))
    framed = (op.padding[0] + margin, op.padding[1] + margin)
    return replace(op, weight=weight, bias=bias.astype(np.float32), padding=framed)


def _normalised(op: Op, layer: nn.BatchNorm1d | nn.BatchNorm2d) -> Op:
    assert isinstance(op, Conv | Affine), "batch normalisation follows a kernel"
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
