"""An ONNX file that digitlens wrote -> the plain operations it was written from.

The inverse of `onnx_writer`, without torch and without `onnx`: `explain`, the server, training
and export read networks here. `load_model` accepts no file by another program, so these nodes
are all that occur: Conv, Gemm, MatMulInteger, Relu, Tanh, Sigmoid, MaxPool, Flatten, Add, Sub,
Mul and ReduceSumSquare inside a network, and those of `AROUND` before, between and after
networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from digitlens.digits import FEATURES, SIDE
from digitlens.errors import ModelError
from digitlens.models.onnx_graph import Node, OnnxGraph, read_graph
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
    RbfDistance,
    Relu,
    Residual,
    Sigmoid,
    Tanh,
)

# A network begins where pixels are brought to one of these shapes.
NETWORK_INPUTS = ([-1, FEATURES], [-1, 1, SIDE, SIDE])

# Nodes that bring pixels in, join networks and give answers out.
AROUND = frozenset({
    "Cast", "Identity", "Softmax", "Slice", "Reshape", "Mean", "TopK", "MatMul", "Less",
    "NonZero", "Gather", "ScatterND",
})  # fmt: skip

# Operations without numbers of their own, by the name of their node.
PLAIN: dict[str, type[Relu | Sigmoid | Flatten]] = {
    kind.__name__: kind for kind in (Relu, Sigmoid, Flatten)
}

TRAINABLE = Conv | Linear | QuantLinear | Relu | Tanh | Sigmoid | MaxPool | Flatten


@dataclass(frozen=True, eq=False)
class Step:
    """One operation of a network, and what its input and its output are called in the file.

    `body` holds the steps of a Residual; it is empty for other operations.
    """

    op: Op
    input: str
    output: str
    body: tuple[Step, ...] = ()


@dataclass(frozen=True, eq=False)
class FileProgram:
    """The networks of one file: one, the members of an ensemble, or the two of a cascade.

    Each is a row of steps. `margin` is the lead of the first network of a cascade below which
    the second is asked; None without a cascade.
    """

    networks: tuple[tuple[Step, ...], ...]
    margin: float | None = None

    def ops(self, member: int = 0) -> list[Op]:
        """Return the operations of one network."""
        return [step.op for step in self.networks[member]]


def read_program(content: bytes, *, name: str) -> FileProgram:
    """Return the networks in an ONNX file, step by step, with float32 weights.

    `content` is what `to_onnx` returned, in full or half precision; `name` is what messages
    call it. ModelError if it is no ONNX file, or not one of digit networks that digitlens
    wrote.
    """
    try:
        graph = read_graph(content)
    except (ValueError, IndexError) as error:
        raise ModelError(f"{name} must be an ONNX file", seen=str(error)) from error

    try:
        return _follow_nodes(graph, name)
    except ModelError:
        raise
    except Exception as error:  # a graph from anyone may lack and hold anything
        raise ModelError(
            f"{name} must hold networks that digitlens wrote",
            seen=f"{type(error).__name__}: {error}",
        ) from error


def _follow_nodes(graph: OnnxGraph, name: str) -> FileProgram:
    """Return the networks in a graph; errors of any kind where digitlens did not write it."""
    # Nodes stand in the order in which they were written, one network after the other.
    networks: list[list[Step]] = []
    margin = None
    nodes = iter(graph.nodes)
    for node in nodes:
        if node.op_type == "Reshape":
            if graph.constants[node.inputs[1]].tolist() in NETWORK_INPUTS:
                networks.append([])
        # A cascade compares the first network's lead with the margin.
        elif node.op_type == "Less":
            margin = float(graph.constants[node.inputs[1]].item())
        elif node.op_type in AROUND:
            continue
        elif not networks or not _add_step(networks[-1], node, nodes, graph):
            raise ModelError(
                f"{name} must hold networks that digitlens wrote",
                seen=f"an operation {node.op_type}",
            )
    if not networks:
        raise ModelError(
            f"{name} must hold networks that digitlens wrote", seen="no layers in it"
        )
    return FileProgram(tuple(tuple(steps) for steps in networks), margin)


def parse_program(content: bytes, *, name: str) -> Program:
    """Return what `to_onnx` was given: a network, an ensemble or a cascade.

    Parameters and errors are those of `read_program`.
    """
    program = read_program(content, name=name)
    networks = [program.ops(member) for member in range(len(program.networks))]
    if program.margin is not None:
        return Cascade(networks[0], networks[1], program.margin)
    return Ensemble(tuple(networks)) if len(networks) > 1 else networks[0]


def parse_onnx(content: bytes, *, name: str) -> list[Op]:
    """Return the operations of a file of one network that can be trained further.

    ModelError if it holds an ensemble, a cascade, or the layers of 1998; or as `read_program`.
    """
    program = parse_program(content, name=name)
    if isinstance(program, Ensemble | Cascade):
        raise ModelError(
            f"{name} must be one network",
            seen=f"{'an ensemble' if isinstance(program, Ensemble) else 'a cascade'} of them",
            try_="cnn, quick or dense",
        )
    for op in program:
        if not isinstance(op, TRAINABLE):
            raise ModelError(
                f"{name} must be one network of convolutions and fully connected layers",
                seen=f"an operation {type(op).__name__}",
                try_="cnn, quick or dense",
            )
    return list(program)


def _add_step(steps: list[Step], node: Node, nodes: Iterator[Node], graph: OnnxGraph) -> bool:
    """Append the operation that begins with `node`; False if none does.

    An operation that was written as several nodes takes the others from `nodes`.
    """
    value = node.inputs[0]
    weights = [graph.constants[name] for name in node.inputs[1:] if name in graph.constants]
    if not steps and node.op_type in {"Gemm", "MatMulInteger"}:
        # The writer leaves a leading Flatten to the Reshape before it.
        steps.append(Step(Flatten(), value, value))
    op: Op
    last = node
    match node.op_type:
        case "Conv":  # padding is the same on both sides, so two of four numbers say it
            down, across = node.attributes["strides"]
            above, left, *_ = node.attributes["pads"]
            weight, bias = weights
            op = Conv(weight, bias, (down, across), (above, left), node.attributes["group"])
        case "Gemm":
            weight, bias = weights
            op = Linear(weight, bias)
        case "MatMulInteger":  # then the sums as float32, scaled, and the bias added
            _, scaled, last = next(nodes), next(nodes), next(nodes)
            scale, bias = (graph.constants[item.inputs[1]] for item in (scaled, last))
            op = QuantLinear(weights[0].T, scale, bias)
        case "Mul":  # slope, Tanh, amplitude
            _, last = next(nodes), next(nodes)
            amplitude = graph.constants[last.inputs[1]]
            op = Tanh(float(amplitude.item()), float(weights[0].item()))
        case "ReduceSumSquare":
            # The squares are taken off what a Gemm gave: see `OnnxBuilder` for the formula.
            products, scaled, last = steps.pop(), next(nodes), next(nodes)
            assert isinstance(products.op, Linear), "a distance begins with its products"
            spread = 1 / float(graph.constants[scaled.inputs[1]].item())
            op = RbfDistance(np.float32(spread / 2) * products.op.weight, spread)
        case "Add":  # what a residual block's body gave, and what it took
            _close_residual(steps, taken=node.inputs[1], output=node.outputs[0])
            return True
        case "MaxPool":
            op = MaxPool(node.attributes["kernel_shape"][0])
        case kind if kind in PLAIN:
            op = PLAIN[kind]()
        case _:
            return False
    steps.append(Step(op, value, last.outputs[0]))
    return True


def _close_residual(steps: list[Step], *, taken: str, output: str) -> None:
    """Replace the last steps, from the one that takes `taken` on, by one Residual."""
    start = next(index for index, step in enumerate(steps) if step.input == taken)
    body = tuple(steps[start:])
    steps[start:] = [Step(Residual(tuple(step.op for step in body)), taken, output, body)]
