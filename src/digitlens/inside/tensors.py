"""ONNX tensors -> numpy arrays.

The numbers of fields and types are those of onnx.proto (github.com/onnx/onnx), message
TensorProto.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.inside.wire import fields

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    for each in fields(message):
        match each.number:
            case 1:  # dims
                shape += each.numbers
            case 2:  # data_type
                kind = each.number_value
            case 8:  # name
                name = each.text
            case 9:  # raw_data
                raw = each.content
            case 4 | 10:  # float_data, double_data
                floats += bytes(each.content)
            case 5 | 7:  # int32_data, int64_data
                listed += each.numbers
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
