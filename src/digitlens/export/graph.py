"""The nodes and constants of an ONNX graph, put together one operation at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from digitlens.ops import (
    Affine,
    ByteAffine,
    Conv,
    Distance,
    Flatten,
    MaxPool,
    Op,
    Relu,
    Residual,
    Tanh,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import onnx
    from numpy.typing import NDArray


class Graph:
    """A graph under construction."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, array: NDArray[Any]) -> str:
        """Add a constant and return its name."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def whole(self, *numbers: int) -> str:
        """Add a constant of whole numbers and return its name."""
        return self.constant(np.array(numbers, np.int64))

    def add(
        self,
        kind: str,
        inputs: list[str],
        *,
        output: str | None = None,
        more: Sequence[str] = (),
        **attributes: Any,
    ) -> str:
        """Add a node and return the name of its first output; `more` names the others."""
        output = output or f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output, *more], **attributes))
        return output

    def sequence(self, ops: Sequence[Op], value: str) -> str:
        """Add operations one after the other and return the name of the last output."""
        for op in ops:
            value = self.operation(op, value)
        return value

    def operation(self, op: Op, value: str) -> str:
        """Add one operation on `value` and return the name of its output."""
        match op:
            case Conv():
                weights = [self.constant(op.weight), self.constant(op.bias)]
                return self.add(
                    "Conv",
                    [value, *weights],
                    strides=list(op.stride),
                    pads=[*op.padding, *op.padding],
                    group=op.groups,
                )
            case Affine():
                weights = [self.constant(op.weight), self.constant(op.bias)]
                return self.add("Gemm", [value, *weights], transB=1)
            case ByteAffine():
                # Bytes times bytes, summed in 32 bits: processors do it many times faster
                # than the same in float32, and nothing is converted before.
                sums = self.add("MatMulInteger", [value, self.constant(op.weight.T)])
                numbers = self.add("Cast", [sums], to=TensorProto.FLOAT)
                scaled = self.add("Mul", [numbers, self.constant(op.scale)])
                return self.add("Add", [scaled, self.constant(op.bias)])
            case Relu():
                return self.add("Relu", [value])
            case Tanh():
                inner = self.add(
                    "Mul", [value, self.constant(np.array([op.slope], np.float32))]
                )
                bent = self.add("Tanh", [inner])
                return self.add(
                    "Mul", [bent, self.constant(np.array([op.amplitude], np.float32))]
                )
            case MaxPool():
                window = [op.window] * 2
                return self.add("MaxPool", [value], kernel_shape=window, strides=window)
            case Flatten():
                return self.add("Flatten", [value])
            case Distance():
                return self._distance(op, value)
            case Residual():
                return self.add("Add", [self.sequence(op.body, value), value])

    def _distance(self, op: Distance, value: str) -> str:
        # -(x - w)^2 / s = 2 x w / s - w^2 / s - x^2 / s
        lengths = np.square(op.bitmaps).sum(1)
        weights = [
            self.constant(2 * op.bitmaps / op.spread),
            self.constant(-lengths / op.spread),
        ]
        products = self.add("Gemm", [value, *weights], transB=1)
        own = self.add("ReduceSumSquare", [value], axes=[1], keepdims=1)
        scaled = self.add("Mul", [own, self.constant(np.array([1 / op.spread], np.float32))])
        return self.add("Sub", [products, scaled])
