"""An ONNX file as nodes and constants; and the same file with other outputs.

An ONNX file is one protobuf message. The few messages and fields that digitlens writes are read
here without the package `onnx`, which takes 54 ms and 31 MB where this takes 5 ms. The numbers
of fields are those of onnx.proto (github.com/onnx/onnx).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MODEL_GRAPH, MODEL_METADATA = 7, 14  # ModelProto
GRAPH_NODE, GRAPH_CONSTANT, GRAPH_OUTPUT = 1, 5, 12  # GraphProto
VALUE_NAME = 1  # ValueInfoProto.name

# TensorProto.DataType -> numpy, for the types of constant that digitlens writes.
DTYPES = {1: "<f4", 3: "i1", 7: "<i8", 10: "<f2"}


@dataclass(frozen=True, eq=False)
class Node:
    """One step of a graph: which operation, the values it takes and those it gives, by name.

    Attributes are whole numbers or lists of them.
    """

    op_type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


@dataclass(frozen=True, eq=False)
class OnnxGraph:
    """What an ONNX file computes: nodes in an order in which they can be run, and constants.

    Constants are weights, biases and shapes, by name; they share memory with the file's bytes.
    """

    nodes: tuple[Node, ...]
    constants: dict[str, NDArray[Any]]


def read_graph(content: bytes) -> OnnxGraph:
    """Return the graph of an ONNX file, its half-precision weights as float32.

    ValueError if it is none, or holds a type that digitlens does not write.
    """
    nodes: list[Node] = []
    constants: dict[str, NDArray[Any]] = {}
    for part in _graph_fields(content):
        if part.number == GRAPH_NODE:
            nodes.append(_read_node(part))
        elif part.number == GRAPH_CONSTANT:
            name, array = read_tensor(part.content)
            constants[name] = array
    computed = []
    for node in nodes:
        # A weight in half precision is followed by its cast: both are one constant here.
        if node.op_type == "Cast" and node.inputs[0] in constants:
            constants[node.outputs[0]] = constants[node.inputs[0]].astype(np.float32)
        else:
            computed.append(node)
    return OnnxGraph(tuple(computed), constants)


def read_metadata(content: bytes) -> dict[str, str]:
    """Return the texts that are written on an ONNX file, by key: its card among them."""
    entries = (
        {part.number: part.text for part in read_fields(field.content)}
        for field in read_fields(memoryview(content))
        if field.number == MODEL_METADATA
    )
    return {entry[1]: entry.get(2, "") for entry in entries}


def with_outputs(content: bytes, names: Sequence[str]) -> bytes:
    """Return an ONNX file that gives the values called `names`, and no others.

    ONNX Runtime leaves out what they do not need, so looking into one network of several
    costs no more than running that network.
    """
    rest = b"".join(
        bytes(part.whole)
        for part in read_fields(memoryview(content))
        if part.number != MODEL_GRAPH
    )
    graph = [
        bytes(part.whole) for part in _graph_fields(content) if part.number != GRAPH_OUTPUT
    ]
    graph += [
        encode_field(GRAPH_OUTPUT, encode_field(VALUE_NAME, name.encode())) for name in names
    ]
    return rest + encode_field(MODEL_GRAPH, b"".join(graph))


def _graph_fields(content: bytes) -> list[WireField]:
    return [
        inner
        for outer in read_fields(memoryview(content))
        if outer.number == MODEL_GRAPH
        for inner in read_fields(outer.content)
    ]


def _read_node(message: WireField) -> Node:
    op_type, inputs, outputs = "", list[str](), list[str]()
    attributes: dict[str, Any] = {}
    for part in read_fields(message.content):
        match part.number:
            case 1:  # input
                inputs.append(part.text)
            case 2:  # output
                outputs.append(part.text)
            case 4:  # op_type
                op_type = part.text
            case 5:  # attribute
                name, value = _read_attribute(part)
                attributes[name] = value
    return Node(op_type, tuple(inputs), tuple(outputs), attributes)


def _read_attribute(message: WireField) -> tuple[str, int | list[int]]:
    name, numbers, is_list = "", list[int](), False
    for part in read_fields(message.content):
        match part.number:
            case 1:  # name
                name = part.text
            case 3:  # i
                numbers = part.numbers
            case 8:  # ints
                numbers, is_list = numbers + part.numbers, True
    return name, numbers if is_list else numbers[0]


def read_tensor(message: memoryview) -> tuple[str, NDArray[Any]]:
    """Return the name and the numbers of a TensorProto, without copying them.

    ValueError for a type that is not in `DTYPES`, or numbers that do not fill the shape.
    """
    name, shape, data_type, raw = "", list[int](), 0, message[:0]
    for part in read_fields(message):
        match part.number:
            case 1:  # dims
                shape += part.numbers
            case 2:  # data_type
                data_type = part.integer
            case 8:  # name
                name = part.text
            case 9:  # raw_data
                raw = part.content
    if data_type not in DTYPES:
        raise ValueError(f"tensor {name} is of type {data_type}")
    return name, np.frombuffer(raw, DTYPES[data_type]).reshape(shape)


# Protobuf's wire format (protobuf.dev/programming-guides/encoding): a message is a row of
# fields, each a tag (its number and how its value is written) and a value.

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class WireField:
    """One field of a protobuf message, by the number in the message's description.

    `integer` is its value where that is an integer (two's complement of 64 bits), else 0;
    `content` its bytes where it is a text, a message, a packed list or a fixed number. `whole`
    is all of it, tag included.
    """

    number: int
    integer: int
    content: memoryview
    whole: memoryview

    @property
    def text(self) -> str:
        """The value as text."""
        return bytes(self.content).decode()

    @property
    def numbers(self) -> list[int]:
        """The integers of a list, whether it is packed into one field or not."""
        if not self.content:
            return [self.integer]
        result, index = [], 0
        while index < len(self.content):
            value, index = _read_varint(self.content, index)
            result.append(_as_signed(value))
        return result


def read_fields(message: memoryview) -> Iterator[WireField]:
    """Walk over the fields of a message in their order.

    ValueError if it is cut off, or of a kind that protobuf no longer writes.
    """
    index, nothing = 0, message[:0]
    while index < len(message):
        start = index
        tag, index = _read_varint(message, index)
        wire_type, value, content = tag & 7, 0, nothing
        if wire_type == VARINT:
            value, index = _read_varint(message, index)
        else:
            length = {FIXED64: 8, FIXED32: 4}.get(wire_type)
            if wire_type == BYTES:
                length, index = _read_varint(message, index)
            if length is None or index + length > len(message):
                raise ValueError(f"byte {start} of a message begins no whole field")
            content, index = message[index : index + length], index + length
        yield WireField(tag >> 3, _as_signed(value), content, message[start:index])


def encode_field(number: int, content: bytes) -> bytes:
    """Return a field that holds `content`, a text or a message.

    >>> encode_field(1, b"relu3").hex(" ")
    '0a 05 72 65 6c 75 33'
    >>> next(read_fields(memoryview(encode_field(12, b"x" * 300)))).number
    12
    """
    return _encode_varint(number << 3 | BYTES) + _encode_varint(len(content)) + content


def _read_varint(message: memoryview, index: int) -> tuple[int, int]:
    # Seven bits a byte, the lowest first; the eighth says that more follow.
    value = shift = 0
    while True:
        if index >= len(message) or shift > 63:
            raise ValueError("a number of a message does not end")
        byte = message[index]
        value |= (byte & 0x7F) << shift
        index, shift = index + 1, shift + 7
        if byte < 0x80:
            return value, index


def _encode_varint(value: int) -> bytes:
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*result, value])


def _as_signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
