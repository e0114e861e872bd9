"""Plain operations -> a torch network, to go on training one whose weights were folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from digitlens.errors import ModelError
from digitlens.export.fold import FULL
from digitlens.ops import Affine, Conv, Flatten, MaxPool, Op, Relu

if TYPE_CHECKING:
    from collections.abc import Sequence


def rebuild(ops: Sequence[Op]) -> nn.Sequential:
    """Return `ops` as a torch network: float (N, 1, 28, 28) in 0..1, 1 = ink -> logits.

    Normalisation stays folded in the kernels, so each has a bias. Division by 255, which was
    folded into the first kernel, is taken out again.

    Raises
    ------
    ModelError
        An operation that is not trained again: those of 1998.
    """
    layers: list[nn.Module] = []
    scale = FULL
    for op in ops:
        layer = _layer(op)
        if isinstance(op, Conv | Affine):
            assert isinstance(layer, nn.Conv2d | nn.Linear)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(op.weight.copy()) * scale)
                assert layer.bias is not None
                layer.bias.copy_(torch.from_numpy(op.bias.copy()))
            scale = 1.0
        layers.append(layer)
    return nn.Sequential(*layers)


def _layer(op: Op) -> nn.Module:
    match op:
        case Conv():
            out, across, high, wide = op.weight.shape
            return nn.Conv2d(
                across * op.groups,
                out,
                kernel_size=(high, wide),
                stride=op.stride,
                padding=op.padding,
                groups=op.groups,
            )
        case Affine():
            return nn.Linear(op.weight.shape[1], op.weight.shape[0])
        case Relu():
            return nn.ReLU(inplace=True)
        case MaxPool():
            return nn.MaxPool2d(op.window)
        case Flatten():
            return nn.Flatten()
        case _:
            raise ModelError(
                "only convolutions, fully connected layers, ReLU and pooling are rebuilt",
                seen=type(op).__name__.lower(),
            )
