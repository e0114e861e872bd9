"""The first layer in whole numbers: bytes of pixels times bytes of weights.

Processors multiply bytes many times faster than float32 numbers, and pixels are bytes as they
come. Weights are rounded to whole numbers in -64..64, each output with its own scale. Seven
bits, for two products 255 x 64 just fit in the 16 bits in which some processors add them (ONNX
Runtime's documentation, Quantize ONNX models, "reduce_range").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.ops import Affine, ByteAffine, Flatten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.ops import Op

LARGEST = 64
"""Weights become whole numbers up to this: 2 x 255 x 64 is below 2**15."""


def with_byte_front(ops: Sequence[Op]) -> list[Op]:
    """Return `ops` with the first layer's weights rounded to 7 bits and a sign.

    Parameters
    ----------
    ops
        A network that begins with Flatten and Affine on pixels 0..255, as `fold` returns it.
        Each weight is moved by at most 1/128 of the largest one of its row.

    Examples
    --------
    >>> row = np.array([[0.5, -1.0, 0.004]], np.float32)
    >>> ops = with_byte_front([Flatten(), Affine(row, np.zeros(1, np.float32))])
    >>> ops[1].weight.tolist(), float(ops[1].scale[0])
    ([[32, -64, 0]], 0.015625)
    """
    flatten, front, *rest = ops
    assert isinstance(flatten, Flatten), "bytes are taken by a fully connected layer"
    assert isinstance(front, Affine)
    largest = np.abs(front.weight).max(axis=1)
    scale = np.where(largest > 0, largest, 1.0) / LARGEST
    whole = np.rint(front.weight / scale[:, None]).astype(np.int8)
    return [flatten, ByteAffine(whole, scale.astype(np.float32), front.bias), *rest]
