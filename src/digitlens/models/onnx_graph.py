"""An ONNX file -> its nodes and constants; and the same file with other outputs.

The numbers of fields are those of onnx.proto (github.com/onnx/onnx): messages ModelProto,
GraphProto, NodeProto, AttributeProto.

* ONNX tensors -> numpy arrays.
* Protobuf's wire format: what an ONNX file is written in.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray


VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class WireField:
    """One field of a message.

    Parameters
    ----------
    number
        Which field, as the message's description has it.
    number_value
        Its value where it is a whole number (two's complement of 64 bits), else 0.
    content
        Its bytes where it is a text, a message, a packed list or a fixed number.
    whole
        All its bytes, tag included.
    """

    number: int
    number_value: int
    content: memoryview
    whole: memoryview

    @property
    def text(self) -> str:
        """The value as text."""
        return bytes(self.content).decode()

    @property
    def float_value(self) -> float:
        """The value as a number of 32 bits with a point."""
        return float(struct.unpack("<f", self.content)[0])

    @property
    def numbers(self) -> list[int]:
        """The whole numbers of a list, packed or not."""
        if not self.content:
            return [self.number_value]
        result, index = [], 0
        while index < len(self.content):
            value, index = _varint(self.content, index)
            result.append(_signed(value))
        return result


def read_fields(message: memoryview) -> Iterator[WireField]:
    """Walk over the fields of a message in their order.

    Raises
    ------
    ValueError
        It is cut off, or of a kind that protobuf no longer writes.
    """
    index, nothing = 0, message[:0]
    while index < len(message):
        start = index
        tag, index = _varint(message, index)
        kind, value, content = tag & 7, 0, nothing
        if kind == VARINT:
            value, index = _varint(message, index)
        else:
            length = {FIXED64: 8, FIXED32: 4}.get(kind)
            if kind == BYTES:
                length, index = _varint(message, index)
            if length is None or index + length > len(message):
                raise ValueError(f"byte {start} of a message begins no whole field")
            content, index = message[index : index + length], index + length
        yield WireField(tag >> 3, _signed(value), content, message[start:index])


def encode_field(number: int, content: bytes) -> bytes:
    """Return a field that holds `content`: a text or a message.

    Examples
    --------
    >>> encode_field(1, b"relu3").hex(" ")
    '0a 05 72 65 6c 75 33'
    >>> next(read_fields(memoryview(encode_field(12, b"x" * 300)))).number
    12
    """
    return _as_varint(number << 3 | BYTES) + _as_varint(len(content)) + content


def _varint(message: memoryview, index: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if index >= len(message) or shift > 63:
            raise ValueError("a number of a message does not end")
        byte = message[index]
        value |= (byte & 0x7F) << shift
        index, shift = index + 1, shift + 7
        if byte < 0x80:
            return value, index


def _as_varint(value: int) -> bytes:
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*result, value])


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


TYPES: dict[int, str] = {
    1: "<f4",
    2: "u1",
    3: "i1",
    4: "<u2",
    5: "<i2",
    6: "<i4",
    7: "<i8",
    9: "?",
    10: "<f2",
    11: "<f8",
    12: "<u4",
    13: "<u8",
}
"""TensorProto.DataType -> numpy; texts, complex numbers and 8-bit floats do not occur here."""

FLOAT16 = 10


def read_tensor(message: memoryview) -> tuple[str, NDArray[Any]]:
    """Return the name and the numbers of a TensorProto; raw numbers are not copied.

    Raises
    ------
    ValueError
        A type that has no place in `TYPES`, or numbers that do not fill the shape.
    """
    name, shape, kind = "", list[int](), 0
    raw: memoryview | None = None
    listed: list[int] = []
    floats = b""
    for item in read_fields(message):
        match item.number:
            case 1:  # dims
                shape += item.numbers
            case 2:  # data_type
                kind = item.number_value
            case 8:  # name
                name = item.text
            case 9:  # raw_data
                raw = item.content
            case 4 | 10:  # float_data, double_data
                floats += bytes(item.content)
            case 5 | 7:  # int32_data, int64_data
                listed += item.numbers
    if kind not in TYPES:
        raise ValueError(f"tensor {name} is of type {kind}")
    dtype = np.dtype(TYPES[kind])
    if raw is not None:
        array: NDArray[Any] = np.frombuffer(raw, dtype)
    elif floats:
        array = np.frombuffer(floats, dtype)
    elif kind == FLOAT16:  # its bits, as whole numbers
        array = np.array(listed, np.uint16).view(dtype)
    else:
        array = np.array(listed, dtype)
    return name, array.reshape(shape)


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
class OnnxGraph:
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


def read_graph(content: bytes) -> OnnxGraph:
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
    for item in _graph_fields(content):
        match item.number:
            case 1:
                nodes.append(_node(item))
            case 5:
                name, array = read_tensor(item.content)
                constants[name] = array
            case 11:
                inputs.append(_name(item))
            case 12:
                outputs.append(_name(item))
    kept = [node for node in nodes if not _worked_out(node, constants)]
    real = tuple(name for name in inputs if name not in constants)
    return OnnxGraph(tuple(kept), constants, real, tuple(outputs))


def with_outputs(content: bytes, names: Sequence[str]) -> bytes:
    """Return an ONNX file that gives the values called `names`, and no others.

    ONNX Runtime leaves out what they do not need, so that a look into one network of several
    costs no more than that network.
    """
    rest = b"".join(
        bytes(item.whole)
        for item in read_fields(memoryview(content))
        if item.number != MODEL_GRAPH
    )
    inner = [bytes(item.whole) for item in _graph_fields(content) if item.number != OUTPUT]
    inner += [encode_field(OUTPUT, encode_field(NAME, name.encode())) for name in names]
    return rest + encode_field(MODEL_GRAPH, b"".join(inner))


def _graph_fields(content: bytes) -> list[WireField]:
    return [
        inner
        for outer in read_fields(memoryview(content))
        if outer.number == MODEL_GRAPH
        for inner in read_fields(outer.content)
    ]


def _name(info: WireField) -> str:
    return next(item.text for item in read_fields(info.content) if item.number == NAME)


def _node(message: WireField) -> Node:
    kind, inputs, outputs = "", list[str](), list[str]()
    attributes: dict[str, Any] = {}
    for item in read_fields(message.content):
        match item.number:
            case 1:
                inputs.append(item.text)
            case 2:
                outputs.append(item.text)
            case 4:
                kind = item.text
            case 5:
                name, value = _attribute(item)
                attributes[name] = value
    return Node(kind, tuple(inputs), tuple(outputs), attributes)


def _attribute(message: WireField) -> tuple[str, Any]:
    name = ""
    value: Any = None
    whole: list[int] = []
    floats: list[float] = []
    kind = 0
    for item in read_fields(message.content):
        match item.number:
            case 1:
                name = item.text
            case 2:
                value = item.float_value
            case 3:
                value = item.number_value
            case 4:
                value = item.text
            case 5:
                value = read_tensor(item.content)[1]
            case 7:
                floats += np.frombuffer(item.content, "<f4").tolist()
            case 8:
                whole += item.numbers
            case 20:
                kind = item.number_value
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
