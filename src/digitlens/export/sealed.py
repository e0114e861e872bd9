"""What all our ONNX files share: their operator set, what is written on them, half weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Mapping

OPSET = 17
"""What ONNX Runtime has read since 1.12 (2022)."""

IR_VERSION = 8
MATRIX = 2


def whole_model(graph: onnx.GraphProto) -> onnx.ModelProto:
    """Return a model of one graph."""
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="digitlens",
        ir_version=IR_VERSION,
    )


def halve(model: onnx.ModelProto) -> None:
    """Bring the weights of `model` to half precision, in place.

    Each weight is off by at most 1 part in 2,048. Engines bring them back to float32 once,
    when they load it. Biases are few and stay as they are.
    """
    casts = []
    for constant in model.graph.initializer:
        if constant.data_type != TensorProto.FLOAT or len(constant.dims) < MATRIX:
            continue
        small = numpy_helper.to_array(constant).astype(np.float16)
        assert np.isfinite(small).all(), "the weights fit in half precision"
        name = constant.name
        constant.CopyFrom(numpy_helper.from_array(small, f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def seal(model: onnx.ModelProto, words: Mapping[str, str]) -> bytes:
    """Return the bytes of `model` with `words` written on it, once it is found sound."""
    helper.set_model_props(model, dict(words))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))
