"""Plain operations and a card -> an ONNX file, of digit networks and of line readers.

The graph is built with `onnx.helper` from the folded weights: that takes milliseconds, where
tracing a torch network takes seconds. `onnx_reader` is the inverse.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from digitlens.digits import CLASSES, FEATURES, SIDE
from digitlens.models.card import CALIBRATIONS_KEY, LOG_PROBS, STRIP, LineModelCard, ModelCard
from digitlens.models.checksum import append_checksum
from digitlens.models.inference import INPUT, LOGITS, NO_DIGIT, PROBABILITIES
from digitlens.models.ops import (
    Cascade,
    Conv,
    Ensemble,
    Flatten,
    Linear,
    MaxPool,
    Op,
    Program,
    QuantLinear,
    RbfDistance,
    Relu,
    Residual,
    Sigmoid,
    Tanh,
    count_outputs,
)

# Type and shape of each input or output, by name.
Shapes = dict[str, tuple[int, list[str | int | None]]]


OPSET = 17  # what ONNX Runtime has read since 1.12 (2022)

IR_VERSION = 8


def to_onnx(
    program: Program,
    card: ModelCard | LineModelCard,
    calibrations: Mapping[str, Any] | None = None,
) -> bytes:
    """Return the ONNX file of `program`, with `card` inside it.

    The file of a digit model takes ``pixels``, uint8 (N, 28, 28), 0 = paper, 255 = ink, and
    gives ``logits`` and ``probabilities``, both float32 (N, 10); with an eleventh output also
    ``no_digit``, float32 (N,), the probability that it is no digit.

    The file of a line reader takes ``strip``, float32 (N, 1, 32, W) from `prepare_line`, W a
    multiple of 4, and gives ``log_probs``, float32 (N, W / 2, 11): natural logarithms, each
    frame's probabilities sum to 1, class 10 is blank.

    program: one network, an ensemble or a cascade; for a line reader what `fuse_line_network`
        gave
    calibrations: of a line reader: what `ConfidenceModels.as_dict` gave; None where there are
        none yet
    """
    # The nodes and constants of the network itself.
    graph = OnnxBuilder()
    if isinstance(card, LineModelCard):
        ops = cast("Sequence[Op]", program)
        inputs, outputs = _add_line_reader(graph, ops, card)
    else:
        inputs, outputs = _add_digit_model(graph, program)

    # The file around them: inputs, outputs, version and card.
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            card.name,
            [helper.make_tensor_value_info(name, *entry) for name, entry in inputs.items()],
            [helper.make_tensor_value_info(name, *entry) for name, entry in outputs.items()],
            initializer=graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="digitlens",
        ir_version=IR_VERSION,
    )
    return _finish(model, card, calibrations)


def rewrite_onnx(
    content: bytes,
    card: ModelCard | LineModelCard,
    calibrations: Mapping[str, Any] | None = None,
    *,
    half: bool = False,
) -> bytes:
    """Return what `to_onnx` gave with another card and other calibrations.

    With `half` its weights are kept in half precision: half the bytes, and each weight is off
    by at most 1 part in 2,048.
    """
    model = onnx.load_from_string(content)
    if half:
        _halve_weights(model)
    return _finish(model, card, calibrations)


def _finish(
    model: onnx.ModelProto,
    card: ModelCard | LineModelCard,
    calibrations: Mapping[str, Any] | None,
) -> bytes:
    """Return the bytes of `model` with its card on it, once it has been found sound."""
    metadata = {card.KEY: card.to_json()}
    if calibrations is not None:
        metadata[CALIBRATIONS_KEY] = json.dumps(calibrations)
    helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    return append_checksum(model.SerializeToString(deterministic=True))


def _halve_weights(model: onnx.ModelProto) -> None:
    """Bring the weights of `model` to half precision, in place.

    A cast follows each of them; engines carry it out once, when they load the file.
    """
    casts = []
    for constant in model.graph.initializer:
        # Biases are few, and stay as they are.
        is_matrix = len(constant.dims) > 1
        if constant.data_type != TensorProto.FLOAT or not is_matrix:
            continue
        small = numpy_helper.to_array(constant).astype(np.float16)
        assert np.isfinite(small).all(), "the weights fit in half precision"
        name = constant.name
        constant.CopyFrom(numpy_helper.from_array(small, f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _add_line_reader(
    graph: OnnxBuilder, ops: Sequence[Op], card: LineModelCard
) -> tuple[Shapes, Shapes]:
    classes = card.CLASSES
    value = graph.sequence(ops, STRIP)
    # (N, 2 C, 1, T) -> (N, 1, T, 2 C) -> (N, 2 T, C): the frames of a place follow one another.
    value = graph.add("Transpose", [value], perm=[0, 2, 3, 1])
    value = graph.add("Reshape", [value, graph.integers(0, -1, classes)])
    graph.add("LogSoftmax", [value], output=LOG_PROBS, axis=2)
    rows, columns = card.SHAPE
    inputs: Shapes = {STRIP: (TensorProto.FLOAT, ["N", 1, rows, columns or "W"])}
    return inputs, {LOG_PROBS: (TensorProto.FLOAT, ["N", "T", classes])}


def _add_digit_model(graph: OnnxBuilder, program: Program) -> tuple[Shapes, Shapes]:
    value = _add_program(graph, program)
    inputs: Shapes = {INPUT: (TensorProto.UINT8, ["N", SIDE, SIDE])}
    outputs: Shapes = {
        LOGITS: (TensorProto.FLOAT, ["N", CLASSES]),
        PROBABILITIES: (TensorProto.FLOAT, ["N", CLASSES]),
    }
    if count_outputs(program) > CLASSES:
        value = _split_off_no_digit(graph, value)
        outputs[NO_DIGIT] = (TensorProto.FLOAT, ["N"])
    graph.add("Identity", [value], output=LOGITS)
    graph.add("Softmax", [value], output=PROBABILITIES, axis=1)
    return inputs, outputs


def _add_program(graph: OnnxBuilder, program: Program) -> str:
    match program:
        case Ensemble():
            pixels = graph.add("Cast", [INPUT], to=TensorProto.FLOAT)
            answers = [_add_network(graph, member, pixels) for member in program.members]
            return graph.add("Mean", answers)
        case Cascade():
            return _add_cascade(graph, program)
        case _:
            return _add_network(graph, program, _prepare_pixels(graph, program, INPUT))


def _prepare_pixels(graph: OnnxBuilder, ops: Sequence[Op], pixels: str) -> str:
    """Return the pixels as `ops` takes them: bytes, or the same as float32."""
    from_bytes = any(isinstance(op, QuantLinear) for op in ops)
    return pixels if from_bytes else graph.add("Cast", [pixels], to=TensorProto.FLOAT)


def _add_network(graph: OnnxBuilder, ops: Sequence[Op], pixels: str) -> str:
    flat = isinstance(ops[0], Flatten | Linear | QuantLinear)
    shape = [-1, FEATURES] if flat else [-1, 1, SIDE, SIDE]
    value = graph.add("Reshape", [pixels, graph.integers(*shape)])
    return graph.sequence(ops[1:] if isinstance(ops[0], Flatten) else ops, value)


def _add_cascade(graph: OnnxBuilder, cascade: Cascade) -> str:
    """Answer with the first network; put the second's answers where that is unsure."""
    # The first network answers for all, and says where its lead is below the margin.
    first = _add_network(graph, cascade.first, _prepare_pixels(graph, cascade.first, INPUT))
    best = f"{first}_best"
    graph.add("TopK", [first, graph.integers(2)], output=best, more=[f"{best}_at"], axis=1)
    signs = graph.constant(np.array([[1.0], [-1.0]], np.float32))
    lead = graph.add("MatMul", [best, signs])  # the best logit less the second best
    margin = graph.constant(np.array([[cascade.margin]], np.float32))
    unsure = graph.add("NonZero", [graph.add("Less", [lead, margin])])

    # Row numbers of the unsure digits: NonZero gives rows and columns, the columns are all 0.
    rows = graph.add("Slice", [unsure, *(graph.integers(n) for n in (0, 1, 0))])
    places = graph.add("Reshape", [rows, graph.integers(-1)])
    # The bytes of few digits are gathered and converted, not those of all.
    doubtful = graph.add("Gather", [INPUT, places], axis=0)
    second = _add_network(
        graph, cascade.second, _prepare_pixels(graph, cascade.second, doubtful)
    )

    # The second network's logits replace those of the first in these rows.
    spots = graph.add("Reshape", [places, graph.integers(-1, 1)])
    return graph.add("ScatterND", [first, spots, second])


def _split_off_no_digit(graph: OnnxBuilder, value: str) -> str:
    """Split the eleventh logit off: its share of all eleven is its probability."""
    share = graph.add("Softmax", [value], axis=1)
    last = [graph.integers(n) for n in (CLASSES, CLASSES + 1, 1)]
    no_digit = graph.add("Slice", [share, *last])
    graph.add("Reshape", [no_digit, graph.integers(-1)], output=NO_DIGIT)
    return graph.add("Slice", [value, *(graph.integers(n) for n in (0, CLASSES, 1))])


class OnnxBuilder:
    """A graph under construction."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, array: NDArray[Any]) -> str:
        """Add a constant and return its name."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def integers(self, *numbers: int) -> str:
        """Add a constant of integers and return its name."""
        return self.constant(np.array(numbers, np.int64))

    def scale(self, value: str, factor: float) -> str:
        """Multiply by a number and return the name of the product."""
        return self.add("Mul", [value, self.constant(np.array([factor], np.float32))])

    def linear(self, value: str, weight: NDArray[Any], bias: NDArray[Any]) -> str:
        """Add a fully connected layer and return the name of its output."""
        return self.add("Gemm", [value, self.constant(weight), self.constant(bias)], transB=1)

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
            case Linear():
                return self.linear(value, op.weight, op.bias)
            case QuantLinear():
                # Bytes times bytes, summed in 32 bits: processors do it many times faster
                # than the same in float32, and nothing is converted before.
                sums = self.add("MatMulInteger", [value, self.constant(op.weight.T)])
                numbers = self.add("Cast", [sums], to=TensorProto.FLOAT)
                scaled = self.add("Mul", [numbers, self.constant(op.scale)])
                return self.add("Add", [scaled, self.constant(op.bias)])
            case Relu() | Sigmoid() | Flatten():  # ONNX has the same names
                return self.add(type(op).__name__, [value])
            case Tanh():
                return self.scale(self.add("Tanh", [self.scale(value, op.slope)]), op.amplitude)
            case MaxPool():
                window = [op.window] * 2
                return self.add("MaxPool", [value], kernel_shape=window, strides=window)
            case RbfDistance():
                return self._distance(op, value)
            case Residual():
                return self.add("Add", [self.sequence(op.body, value), value])

    def _distance(self, op: RbfDistance, value: str) -> str:
        # -(x - w)^2 / s = 2 x w / s - w^2 / s - x^2 / s
        lengths = np.square(op.bitmaps).sum(1)
        products = self.linear(value, 2 * op.bitmaps / op.spread, -lengths / op.spread)
        squares = self.add("ReduceSumSquare", [value], axes=[1], keepdims=1)
        return self.add("Sub", [products, self.scale(squares, 1 / op.spread)])
