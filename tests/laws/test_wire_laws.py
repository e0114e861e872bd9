"""Laws of the wire format: what is written is read back."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from digitlens.models.onnx_graph import encode_field, read_fields

MESSAGES = st.lists(st.tuples(st.integers(1, 2**29 - 1), st.binary(max_size=300)))


@given(MESSAGES)
def test_fields_come_back_as_they_were_written(rows: list[tuple[int, bytes]]) -> None:
    """Any numbers and contents are read back in their order, and their bytes are whole."""
    message = b"".join(encode_field(number, content) for number, content in rows)
    result = list(read_fields(memoryview(message)))
    assert [(item.number, bytes(item.content)) for item in result] == rows
    assert b"".join(bytes(item.whole) for item in result) == message


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """No bytes at all lead to anything but fields or a ValueError."""
    with suppress(ValueError):
        assert (
            b"".join(bytes(item.whole) for item in read_fields(memoryview(content))) == content
        )
