"""Protobuf's wire format: what an ONNX file is written in.

A message is a row of fields, each a tag (number and kind) and a value. The rules are those of
protobuf.dev/programming-guides/encoding; four of its kinds occur in practice and are read here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class Field:
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
        found, at = [], 0
        while at < len(self.content):
            value, at = _varint(self.content, at)
            found.append(_signed(value))
        return found


def fields(message: memoryview) -> Iterator[Field]:
    """Walk over the fields of a message in their order.

    Raises
    ------
    ValueError
        It is cut off, or of a kind that protobuf no longer writes.
    """
    at, nothing = 0, message[:0]
    while at < len(message):
        start = at
        tag, at = _varint(message, at)
        kind, value, content = tag & 7, 0, nothing
        if kind == VARINT:
            value, at = _varint(message, at)
        else:
            length = {FIXED64: 8, FIXED32: 4}.get(kind)
            if kind == BYTES:
                length, at = _varint(message, at)
            if length is None or at + length > len(message):
                raise ValueError(f"byte {start} of a message begins no whole field")
            content, at = message[at : at + length], at + length
        yield Field(tag >> 3, _signed(value), content, message[start:at])


def field(number: int, content: bytes) -> bytes:
    """Return a field that holds `content`: a text or a message.

    Examples
    --------
    >>> field(1, b"relu3").hex(" ")
    '0a 05 72 65 6c 75 33'
    >>> [(each.number, each.text) for each in fields(memoryview(field(12, b"x" * 300)))][0][0]
    12
    """
    return _as_varint(number << 3 | BYTES) + _as_varint(len(content)) + content


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(message) or shift > 63:
            raise ValueError("a number of a message does not end")
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _as_varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
