"""Each rule by which torch works out a node gives what ONNX Runtime gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from digitlens.explain.gradients import RULES, forward
from digitlens.models.onnx_graph import read_graph

X = (2, 3, 6, 6)
PADS = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
AXES = {"axes": [1, 2]}

CASES: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("Add", [np.float32(2)], {}),
    ("AveragePool", [], PADS),
    ("AveragePool", [], {**PADS, "count_include_pad": 1}),
    ("AveragePool", [], {"kernel_shape": [2, 2]}),
    ("BatchNormalization", [np.ones(3), np.ones(3), np.zeros(3), np.full(3, 2.0)], {}),
    ("Cast", [], {"to": TensorProto.FLOAT}),
    ("Clip", [np.float32(-0.5), np.float32(0.7)], {}),
    ("Clip", [], {}),
    ("Conv", [(4, 3, 3, 3), (4,)], {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ("Conv", [(6, 1, 3, 3)], {"group": 3}),
    ("Conv", [(4, 3, 2, 2)], {"pads": [0, 1, 1, 0]}),
    ("Div", [np.float32(3)], {}),
    ("Exp", [], {}),
    ("Flatten", [], {}),
    ("GlobalAveragePool", [], {}),
    ("GlobalMaxPool", [], {}),
    ("Identity", [], {}),
    ("LeakyRelu", [], {"alpha": 0.1}),
    ("LogSoftmax", [], {"axis": 1}),
    ("MatMul", [(6, 5)], {}),
    ("Max", [np.float32(0.3)], {}),
    ("MaxPool", [], PADS),
    ("MaxPool", [], {"kernel_shape": [2, 2]}),
    ("Mean", [X, X], {}),
    ("Min", [np.float32(0.3)], {}),
    ("Mul", [(3, 1, 1)], {}),
    ("Neg", [], {}),
    ("ReduceLogSumExp", [], AXES),
    ("ReduceMax", [], {**AXES, "keepdims": 0}),
    ("ReduceMean", [], AXES),
    ("ReduceMin", [], AXES),
    ("ReduceSum", [np.array([1, 2])], {}),
    ("ReduceSumSquare", [], AXES),
    ("Relu", [], {}),
    ("Reshape", [np.array([0, -1])], {}),
    ("Sigmoid", [], {}),
    ("Slice", [np.array([1]), np.array([5]), np.array([2]), np.array([2])], {}),
    ("Slice", [np.array([0, 1]), np.array([1, 3])], {}),
    ("Softmax", [], {"axis": 1}),
    ("Squeeze", [np.array([0])], {}),
    ("Sub", [X], {}),
    ("Sum", [X, X], {}),
    ("Tanh", [], {}),
    ("Unsqueeze", [np.array([0, 2])], {}),
]

POSITIVE = {"Log", "Sqrt"}
"""What is not there for numbers below 0."""


def compare(kind: str, shape: tuple[int, ...], more: list[Any], attributes: Any) -> None:
    """Work one node out twice, and see that both agree."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape).astype(np.float32)
    x = np.abs(x) + 0.1 if kind in POSITIVE else x
    constants = []
    for index, item in enumerate(more):
        value = rng.normal(size=item) if isinstance(item, tuple) else np.asarray(item)
        dtype = np.int64 if value.dtype.kind == "i" else np.float32
        constants.append(numpy_helper.from_array(value.astype(dtype), f"c{index}"))
    names = ["x", *(item.name for item in constants)]
    if kind == "Concat":
        names = ["x", "x"]
    graph = helper.make_graph(
        [helper.make_node(kind, names, ["y"], **attributes)],
        kind,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        initializer=constants,
    )
    opset = [helper.make_opsetid("", 17)]
    content = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (wanted,) = session.run(None, {"x": x})
    result = forward(read_graph(content), "y", torch.from_numpy(x)).numpy()
    assert result.shape == wanted.shape
    np.testing.assert_allclose(result, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("kind", "more", "attributes"), CASES)
def test_torch_gives_what_onnx_runtime_gives(kind: str, more: Any, attributes: Any) -> None:
    """Shape and numbers of each rule are the engine's."""
    compare(kind, (1, 3, 6, 6) if kind == "Squeeze" else X, more, attributes)


@pytest.mark.parametrize(
    ("kind", "shape", "more", "attributes"),
    [
        ("Gemm", (4, 7), [(5, 7), (5,)], {"transB": 1}),
        ("Gemm", (7, 4), [(7, 5)], {"transA": 1, "alpha": 0.5}),
        ("Gemm", (4, 7), [(7, 5), (5,)], {"beta": 2.0}),
        ("Concat", (4, 7), [], {"axis": 1}),
        ("Log", (4, 7), [], {}),
        ("Sqrt", (4, 7), [], {}),
    ],
)
def test_rules_for_other_shapes(
    kind: str, shape: tuple[int, ...], more: Any, attributes: Any
) -> None:
    """Fully connected layers, and what wants two inputs or numbers above 0."""
    compare(kind, shape, more, attributes)


def test_bytes_are_multiplied_as_the_engine_does() -> None:
    """Bytes of pixels times bytes of weights give the same sums, to the last one."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (4, 7)).astype(np.uint8)
    weight = rng.integers(-64, 65, (7, 5)).astype(np.int8)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["x", "w"], ["y"])],
        "whole",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, pixels.shape)],
        [helper.make_tensor_value_info("y", TensorProto.INT32, None)],
        initializer=[numpy_helper.from_array(weight, "w")],
    )
    opset = [helper.make_opsetid("", 17)]
    content = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (wanted,) = session.run(None, {"x": pixels})
    result = forward(read_graph(content), "y", torch.from_numpy(pixels).float()).numpy()
    np.testing.assert_array_equal(result, wanted)


def test_every_rule_is_compared() -> None:
    """No rule goes untested but that of Gather, which stands for a cascade's passing on."""
    compared = {kind for kind, *_ in CASES}
    compared |= {"Gemm", "Concat", "Log", "Sqrt", "MatMulInteger"}
    assert set(RULES) - compared == {"Gather"}
