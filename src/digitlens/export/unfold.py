"""An ONNX file that digitlens wrote -> the plain operations it was written from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import numpy_helper

from digitlens.digits import FEATURES, SIDE
from digitlens.errors import ModelError
from digitlens.ops import (
    Affine,
    ByteAffine,
    Cascade,
    Conv,
    Ensemble,
    Flatten,
    MaxPool,
    Op,
    Program,
    Relu,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

PASSED_OVER = (
    "Cast", "Identity", "Softmax", "Slice", "Reshape", "Mean", "TopK", "MatMul", "Less",
    "NonZero", "Gather", "ScatterND",
)  # fmt: skip
"""Nodes that say how pixels come in, how networks are joined and how answers go out."""

FRONTS = ([-1, FEATURES], [-1, 1, SIDE, SIDE])
"""Shapes to which a network's first node brings the pixels."""


def unfold(content: bytes, *, name: str) -> list[Op]:
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
    program = unfold_program(content, name=name)
    if isinstance(program, Ensemble | Cascade):
        raise ModelError(
            f"{name} must be one network",
            seen=f"{'an ensemble' if isinstance(program, Ensemble) else 'a cascade'} of them",
            try_="cnn, quick or dense",
        )
    return list(program)


def unfold_program(content: bytes, *, name: str) -> Program:
    """Return what `to_onnx` was given: a network, an ensemble or a cascade.

    Parameters and errors are those of `unfold`.
    """
    graph = onnx.load_from_string(content).graph
    constants = {entry.name: numpy_helper.to_array(entry) for entry in graph.initializer}
    found: list[list[Op]] = []
    kinds = {node.op_type: node for node in graph.node}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]].astype(np.float32)
        elif node.op_type == "Reshape" and constants[node.input[1]].tolist() in FRONTS:
            found.append([])
        elif node.op_type in {"Mul", "Add"}:
            found[-1][-1] = _completed(found[-1][-1], node.op_type, constants[node.input[1]])
        elif node.op_type not in PASSED_OVER:
            op = _operation(node, constants, name)
            if not found[-1] and isinstance(op, Affine | ByteAffine):
                found[-1].append(Flatten())
            found[-1].append(op)
    if "Mean" in kinds:
        return Ensemble(tuple(found))
    if "TopK" in kinds:
        margin = float(constants[kinds["Less"].input[1]].item())
        return Cascade(found[0], found[1], margin)
    return found[0]


def _completed(op: Op, kind: str, numbers: NDArray[np.float32]) -> Op:
    """Return a layer that takes bytes with the scale or the bias that follows it."""
    if not isinstance(op, ByteAffine):
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
            return Affine(weights[0], weights[1])
        case "MatMulInteger":  # its scale and bias are in the nodes that follow
            nothing = np.zeros(weights[0].shape[1], np.float32)
            return ByteAffine(weights[0].T, nothing, nothing)
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
