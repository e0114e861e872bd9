"""An ONNX file -> its nodes and constants; and the same file with other outputs.

The numbers of fields are those of onnx.proto (github.com/onnx/onnx): messages ModelProto,
GraphProto, NodeProto, AttributeProto.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.inside.tensors import TYPES, read_tensor
from digitlens.inside.wire import Field, field, fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MODEL_GRAPH = 7
NODE, INITIALIZER, INPUT, OUTPUT = 1, 5, 11, 12
NAME = 1
"""Of inputs and outputs (ValueInfoProto)."""


@dataclass(frozen=True, eq=False)
class Node:
    """One step of a graph: its kind (``"Conv"``), the values it takes in and gives.

    An input that is left out has an empty name. Attributes are numbers, lists of numbers,
    texts or arrays.
    """

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Graph:
    """What an ONNX file says is to be computed.

    Parameters
    ----------
    nodes
        In an order in which they can be run; those that only prepare constants are left out.
    constants
        By name: weights, biases, shapes.
    inputs, outputs
        The names of what goes in and what comes out.
    """

    nodes: tuple[Node, ...]
    constants: dict[str, NDArray[Any]]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def read_graph(content: bytes) -> Graph:
    """Return the graph of an ONNX file.

    A node all of whose inputs are constants, such as the cast of a weight that is kept in
    half precision, is worked out here, and its result counted among the constants.

    Raises
    ------
    ValueError
        The bytes are no ONNX file.
    """
    nodes: list[Node] = []
    constants: dict[str, NDArray[Any]] = {}
    inputs, outputs = list[str](), list[str]()
    for each in _graph_fields(content):
        match each.number:
            case 1:
                nodes.append(_node(each))
            case 5:
                name, array = read_tensor(each.content)
                constants[name] = array
            case 11:
                inputs.append(_name(each))
            case 12:
                outputs.append(_name(each))
    kept = [node for node in nodes if not _worked_out(node, constants)]
    real = tuple(name for name in inputs if name not in constants)
    return Graph(tuple(kept), constants, real, tuple(outputs))


def with_outputs(content: bytes, names: Sequence[str]) -> bytes:
    """Return an ONNX file that gives the values called `names`, and no others.

    ONNX Runtime leaves out what they do not need, so that a look into one network of several
    costs no more than that network.
    """
    rest = b"".join(
        bytes(each.whole) for each in fields(memoryview(content)) if each.number != MODEL_GRAPH
    )
    inner = [bytes(each.whole) for each in _graph_fields(content) if each.number != OUTPUT]
    inner += [field(OUTPUT, field(NAME, name.encode())) for name in names]
    return rest + field(MODEL_GRAPH, b"".join(inner))


def _graph_fields(content: bytes) -> list[Field]:
    return [
        inner
        for outer in fields(memoryview(content))
        if outer.number == MODEL_GRAPH
        for inner in fields(outer.content)
    ]


def _name(info: Field) -> str:
    return next(each.text for each in fields(info.content) if each.number == NAME)


def _node(message: Field) -> Node:
    kind, inputs, outputs = "", list[str](), list[str]()
    attributes: dict[str, Any] = {}
    for each in fields(message.content):
        match each.number:
            case 1:
                inputs.append(each.text)
            case 2:
                outputs.append(each.text)
            case 4:
                kind = each.text
            case 5:
                name, value = _attribute(each)
                attributes[name] = value
    return Node(kind, tuple(inputs), tuple(outputs), attributes)


def _attribute(message: Field) -> tuple[str, Any]:
    name = ""
    value: Any = None
    whole: list[int] = []
    floats: list[float] = []
    kind = 0
    for each in fields(message.content):
        match each.number:
            case 1:
                name = each.text
            case 2:
                value = each.float_value
            case 3:
                value = each.number_value
            case 4:
                value = each.text
            case 5:
                value = read_tensor(each.content)[1]
            case 7:
                floats += np.frombuffer(each.content, "<f4").tolist()
            case 8:
                whole += each.numbers
            case 20:
                kind = each.number_value
    if kind == 6:
        value = floats
    elif kind == 7:
        value = whole
    return name, value


def _worked_out(node: Node, constants: dict[str, NDArray[Any]]) -> bool:
    """Say whether `node` gives a constant, and if so add that to `constants`."""
    if not all(name in constants for name in node.inputs if name):
        return False
    given = [constants[name] for name in node.inputs if name]
    match node.kind:
        case "Constant" if "value" in node.attributes:
            value = node.attributes["value"]
        case "Cast":
            value = given[0].astype(TYPES[node.attributes["to"]])
        case "Identity":
            value = given[0]
        case "Reshape":
            value = given[0].reshape(given[1].tolist())
        case "Transpose":
            value = given[0].transpose(node.attributes.get("perm"))
        case "Mul":
            value = given[0] * given[1]
        case _:
            return False
    constants[node.outputs[0]] = value
    return True
