"""An ONNX file that digitlens wrote -> the plain operations it was written from.

* Plain operations -> a torch network, to go on training one whose weights were folded.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from digitlens.digits import FEATURES, SIDE
from digitlens.errors import ModelError
from digitlens.models.fold import FULL
from digitlens.models.ops import (
    Cascade,
    Conv,
    Ensemble,
    Flatten,
    Linear,
    MaxPool,
    Op,
    Program,
    QuantLinear,
    Relu,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


PASSED_OVER = (
    "Cast", "Identity", "Softmax", "Slice", "Reshape", "Mean", "TopK", "MatMul", "Less",
    "NonZero", "Gather", "ScatterND",
)  # fmt: skip
"""Nodes that say how pixels come in, how networks are joined and how answers go out."""

FRONTS = ([-1, FEATURES], [-1, 1, SIDE, SIDE])
"""Shapes to which a network's first node brings the pixels."""


def parse_onnx(content: bytes, *, name: str) -> list[Op]:
    """Return the operations of one network from its ONNX file, with float32 weights.

    Parameters
    ----------
    content
        What `to_onnx` returned for a single network of convolutions, fully connected layers,
        ReLU and pooling.
    name
        What messages call it.

    Raises
    ------
    ModelError
        An ensemble, a cascade, or a network with other layers.
    """
    program = parse_program(content, name=name)
    if isinstance(program, Ensemble | Cascade):
        raise ModelError(
            f"{name} must be one network",
            seen=f"{'an ensemble' if isinstance(program, Ensemble) else 'a cascade'} of them",
            try_="cnn, quick or dense",
        )
    return list(program)


def parse_program(content: bytes, *, name: str) -> Program:
    """Return what `to_onnx` was given: a network, an ensemble or a cascade.

    Parameters and errors are those of `parse_onnx`.
    """
    graph = onnx.load_from_string(content).graph
    constants = {entry.name: numpy_helper.to_array(entry) for entry in graph.initializer}
    result: list[list[Op]] = []
    kinds = {node.op_type: node for node in graph.node}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]].astype(np.float32)
        elif node.op_type == "Reshape" and constants[node.input[1]].tolist() in FRONTS:
            result.append([])
        elif node.op_type in {"Mul", "Add"}:
            result[-1][-1] = _completed(result[-1][-1], node.op_type, constants[node.input[1]])
        elif node.op_type not in PASSED_OVER:
            op = _operation(node, constants, name)
            if not result[-1] and isinstance(op, Linear | QuantLinear):
                result[-1].append(Flatten())
            result[-1].append(op)
    if "Mean" in kinds:
        return Ensemble(tuple(result))
    if "TopK" in kinds:
        margin = float(constants[kinds["Less"].input[1]].item())
        return Cascade(result[0], result[1], margin)
    return result[0]


def _completed(op: Op, kind: str, numbers: NDArray[np.float32]) -> Op:
    """Return a layer that takes bytes with the scale or the bias that follows it."""
    if not isinstance(op, QuantLinear):
        return op
    return replace(op, scale=numbers) if kind == "Mul" else replace(op, bias=numbers)


def _operation(node: onnx.NodeProto, constants: dict[str, NDArray[Any]], name: str) -> Op:
    settings = {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}
    weights = [constants[part] for part in node.input[1:] if part in constants]
    match node.op_type:
        case "Conv":
            return Conv(
                weights[0],
                weights[1],
                tuple(settings["strides"]),
                tuple(settings["pads"][:2]),
                settings["group"],
            )
        case "Gemm" if len(weights) == len(("weight", "bias")):
            return Linear(weights[0], weights[1])
        case "MatMulInteger":  # its scale and bias are in the nodes that follow
            nothing = np.zeros(weights[0].shape[1], np.float32)
            return QuantLinear(weights[0].T, nothing, nothing)
        case "Relu":
            return Relu()
        case "MaxPool":
            return MaxPool(settings["kernel_shape"][0])
        case "Flatten":
            return Flatten()
        case kind:
            raise ModelError(
                f"{name} must be one network of convolutions and fully connected layers",
                seen=f"an operation {kind}",
                try_="cnn, quick or dense",
            )


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
        if isinstance(op, Conv | Linear):
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
        case Linear():
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
