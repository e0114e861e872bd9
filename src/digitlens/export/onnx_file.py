"""Plain operations -> an ONNX file: uint8 pixels in, logits and probabilities out.

The graph is built with `onnx.helper` from the folded weights: milliseconds, where tracing takes
seconds. Operator set 17 is what ONNX Runtime has read since 1.12 (2022).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from digitlens.digits import CLASSES, FEATURES, SIDE
from digitlens.model import CARD_KEY, INPUT, LOGITS, PROBABILITIES
from digitlens.ops import Affine, Conv, Distance, Flatten, MaxPool, Op, Relu, Tanh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitlens.card import Card

OPSET = 17
IR_VERSION = 8


def to_onnx(ops: Sequence[Op], card: Card) -> bytes:
    """Return the ONNX file of `ops`, with `card` inside it.

    Input ``pixels`` is uint8 (N, 28, 28), 0 = paper, 255 = ink; outputs are ``logits`` and
    ``probabilities``, both float32 (N, 10).
    """
    graph = _Graph()
    flat = isinstance(ops[0], Flatten)
    shape = [-1, FEATURES] if flat else [-1, 1, SIDE, SIDE]
    value = graph.add("Cast", [INPUT], to=TensorProto.FLOAT)
    value = graph.add("Reshape", [value, graph.constant(np.array(shape, np.int64))])
    for op in ops[1:] if flat else ops:
        value = graph.operation(op, value)
    graph.add("Identity", [value], output=LOGITS)
    graph.add("Softmax", [value], output=PROBABILITIES, axis=1)
    model = helper.make_model(
        graph.finished(card.name),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="digitlens",
        ir_version=IR_VERSION,
    )
    helper.set_model_props(model, {CARD_KEY: card.to_json()})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, array: NDArray[Any]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(
        self, kind: str, inputs: list[str], *, output: str | None = None, **attributes: Any
    ) -> str:
        output = output or f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def operation(self, op: Op, value: str) -> str:
        match op:
            case Conv():
                weights = [self.constant(op.weight), self.constant(op.bias)]
                return self.add(
                    "Conv",
                    [value, *weights],
                    strides=[op.stride] * 2,
                    pads=[op.padding] * 4,
                    group=op.groups,
                )
            case Affine():
                weights = [self.constant(op.weight), self.constant(op.bias)]
                return self.add("Gemm", [value, *weights], transB=1)
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

    def finished(self, name: str) -> onnx.GraphProto:
        def tensor(title: str, kind: int, shape: list[str | int | None]) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(title, kind, shape)

        return helper.make_graph(
            self.nodes,
            name,
            [tensor(INPUT, TensorProto.UINT8, ["N", SIDE, SIDE])],
            [
                tensor(LOGITS, TensorProto.FLOAT, ["N", CLASSES]),
                tensor(PROBABILITIES, TensorProto.FLOAT, ["N", CLASSES]),
            ],
            initializer=self.constants,
        )
