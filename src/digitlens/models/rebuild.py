"""Plain operations -> a torch network: the inverse of `fold`.

Normalisation stays folded in the kernels, so each of them has a bias. Division by 255, which
was folded into the first kernel, is taken out again: networks take float pixels in 0..1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from digitlens.errors import ModelError
from digitlens.models.fold import FULL
from digitlens.models.layers import BitmapDistance, ScaledTanh
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
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


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

    Raises
    ------
    ModelError
        An operation that is not trained again: whole numbers, and those of 1998.
    """
    for op in ops:
        if not isinstance(op, Conv | Linear | Relu | MaxPool | Flatten):
            raise ModelError(
                "only convolutions, fully connected layers, ReLU and pooling are rebuilt",
                seen=type(op).__name__.lower(),
            )
    return to_module(ops)


def to_module(ops: Sequence[Op], *, scale: float = FULL) -> nn.Sequential:
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
