"""Plain operations -> an ONNX file: uint8 pixels in, logits and probabilities out.

The graph is built with `onnx.helper` from the folded weights: milliseconds, where tracing takes
seconds.

* A line reader as an ONNX file: strips in, the logarithms of probabilities out.
* The nodes and constants of an ONNX graph, put together one operation at a time.
* What all our ONNX files share: their operator set, what is written on them, half weights.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from digitlens.digits import CLASSES, FEATURES, SIDE
from digitlens.models.architectures.reader import ROWS
from digitlens.models.card import (
    CALIBRATIONS_KEY,
    LINE_CARD_KEY,
    LOG_PROBS,
    STRIP,
    LineModelCard,
)
from digitlens.models.fold import fuse_sequential
from digitlens.models.inference import CARD_KEY, INPUT, LOGITS, NO_DIGIT, PROBABILITIES
from digitlens.models.ops import (
    Cascade,
    Conv,
    Ensemble,
    Flatten,
    Linear,
    MaxPool,
    Op,
    QuantLinear,
    RbfDistance,
    Relu,
    Residual,
    Tanh,
    outputs_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from digitlens.models.architectures.reader import LineNetwork
    from digitlens.models.card import ModelCard
    from digitlens.models.ops import Program


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
            case Linear():
                weights = [self.constant(op.weight), self.constant(op.bias)]
                return self.add("Gemm", [value, *weights], transB=1)
            case QuantLinear():
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
            case RbfDistance():
                return self._distance(op, value)
            case Residual():
                return self.add("Add", [self.sequence(op.body, value), value])

    def _distance(self, op: RbfDistance, value: str) -> str:
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


def to_float16(model: onnx.ModelProto) -> None:
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


def finalize_model(model: onnx.ModelProto, words: Mapping[str, str]) -> bytes:
    """Return the bytes of `model` with `words` written on it, once it is found sound."""
    helper.set_model_props(model, dict(words))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def to_onnx(program: Program, card: ModelCard) -> bytes:
    """Return the ONNX file of `program`, with `card` inside it.

    Input ``pixels`` is uint8 (N, 28, 28), 0 = paper, 255 = ink; outputs are ``logits`` and
    ``probabilities``, both float32 (N, 10), and, for networks with an eleventh output,
    ``no_digit``, float32 (N,), the probability that it is no digit.

    Parameters
    ----------
    program
        One network, an ensemble or a cascade.
    """
    graph = OnnxBuilder()
    value = _program(graph, program)
    tells = outputs_of(program) > CLASSES
    if tells:
        value = _no_digit(graph, value)
    graph.add("Identity", [value], output=LOGITS)
    graph.add("Softmax", [value], output=PROBABILITIES, axis=1)
    model = whole_model(_finished(graph, card.name, tells=tells))
    return finalize_model(model, {CARD_KEY: card.to_json()})


def as_half_precision(content: bytes, card: ModelCard) -> bytes:
    """Return an ONNX file of ours with another card and its weights in half precision.

    The file has half the bytes (see `digitlens.models.onnx_writer.to_float16`).
    """
    model = onnx.load_from_string(content)
    to_float16(model)
    return finalize_model(model, {CARD_KEY: card.to_json()})


def _program(graph: OnnxBuilder, program: Program) -> str:
    match program:
        case Ensemble():
            numbers = _numbers(graph, INPUT)
            answers = [_network(graph, member, numbers) for member in program.members]
            return graph.add("Mean", answers)
        case Cascade():
            return _cascade(graph, program)
        case _:
            return _network(graph, program, _taken(graph, program, INPUT))


def _numbers(graph: OnnxBuilder, pixels: str) -> str:
    return graph.add("Cast", [pixels], to=TensorProto.FLOAT)


def _taken(graph: OnnxBuilder, ops: Sequence[Op], pixels: str) -> str:
    """Return the pixels as `ops` takes them: bytes, or the same as float32."""
    from_bytes = any(isinstance(op, QuantLinear) for op in ops)
    return pixels if from_bytes else _numbers(graph, pixels)


def _network(graph: OnnxBuilder, ops: Sequence[Op], pixels: str) -> str:
    flat = isinstance(ops[0], Flatten | Linear | QuantLinear)
    shape = [-1, FEATURES] if flat else [-1, 1, SIDE, SIDE]
    value = graph.add("Reshape", [pixels, graph.whole(*shape)])
    return graph.sequence(ops[1:] if isinstance(ops[0], Flatten) else ops, value)


def _cascade(graph: OnnxBuilder, cascade: Cascade) -> str:
    """Answer with the first network; put the second's answers where that is unsure."""
    first = _network(graph, cascade.first, _taken(graph, cascade.first, INPUT))
    best = f"{first}_best"
    graph.add("TopK", [first, graph.whole(2)], output=best, more=[f"{best}_at"], axis=1)
    signs = graph.constant(np.array([[1.0], [-1.0]], np.float32))
    lead = graph.add("MatMul", [best, signs])  # the best logit less the second best
    margin = graph.constant(np.array([[cascade.margin]], np.float32))
    unsure = graph.add("NonZero", [graph.add("Less", [lead, margin])])
    rows = graph.add("Slice", [unsure, *(graph.whole(n) for n in (0, 1, 0))])
    places = graph.add("Reshape", [rows, graph.whole(-1)])
    # The bytes of few digits are gathered and converted, not those of all.
    passed_on = graph.add("Gather", [INPUT, places], axis=0)
    second = _network(graph, cascade.second, _taken(graph, cascade.second, passed_on))
    spots = graph.add("Reshape", [places, graph.whole(-1, 1)])
    return graph.add("ScatterND", [first, spots, second])


def _no_digit(graph: OnnxBuilder, value: str) -> str:
    """Split the eleventh logit off, and give its share of all eleven."""
    share = graph.add("Softmax", [value], axis=1)
    last = [graph.whole(n) for n in (CLASSES, CLASSES + 1, 1)]
    strange = graph.add("Slice", [share, *last])
    graph.add("Reshape", [strange, graph.whole(-1)], output=NO_DIGIT)
    return graph.add("Slice", [value, *(graph.whole(n) for n in (0, CLASSES, 1))])


def _finished(graph: OnnxBuilder, name: str, *, tells: bool) -> onnx.GraphProto:
    def tensor(title: str, kind: int, shape: list[str | int | None]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(title, kind, shape)

    outputs = [
        tensor(LOGITS, TensorProto.FLOAT, ["N", CLASSES]),
        tensor(PROBABILITIES, TensorProto.FLOAT, ["N", CLASSES]),
    ]
    if tells:
        outputs.append(tensor(NO_DIGIT, TensorProto.FLOAT, ["N"]))
    return helper.make_graph(
        graph.nodes,
        name,
        [tensor(INPUT, TensorProto.UINT8, ["N", SIDE, SIDE])],
        outputs,
        initializer=graph.constants,
    )


def fold_reader(network: LineNetwork) -> list[Op]:
    """Return `network` as operations: (N, 1, 32, W) -> (N, 22, 1, W / 4), normalisation folded.

    The 22 are two frames of 11 each, one after the other.
    """
    return fuse_sequential([*network.body, network.head])


def to_line_onnx(
    ops: Sequence[Op], card: LineModelCard, calibrations: Mapping[str, Any] | None = None
) -> bytes:
    """Return the ONNX file of a line reader, with its card inside.

    Input ``strip`` is float32 (N, 1, 32, W), from `line_input`, W a multiple of 4; output
    ``log_probs`` is float32 (N, W / 2, 11): natural logarithms, each frame's probabilities sum
    to 1, place 10 is blank.

    Parameters
    ----------
    ops
        What `fold_reader` gave.
    calibrations
        What `Calibrations.as_dict` gave; None where there are none yet.
    """
    graph = OnnxBuilder()
    value = graph.sequence(ops, STRIP)
    # (N, 22, 1, T) -> (N, 1, T, 22) -> (N, 2 T, 11): the frames of a place follow one another.
    value = graph.add("Transpose", [value], perm=[0, 2, 3, 1])
    value = graph.add("Reshape", [value, graph.whole(0, -1, CLASSES + 1)])
    graph.add("LogSoftmax", [value], output=LOG_PROBS, axis=2)
    given = helper.make_tensor_value_info(STRIP, TensorProto.FLOAT, ["N", 1, ROWS, "W"])
    answer = helper.make_tensor_value_info(
        LOG_PROBS, TensorProto.FLOAT, ["N", "T", CLASSES + 1]
    )
    model = helper.make_graph(
        graph.nodes, card.name, [given], [answer], initializer=graph.constants
    )
    return finalize_model(whole_model(model), _words(card, calibrations))


def resealed(
    content: bytes,
    card: LineModelCard,
    calibrations: Mapping[str, Any] | None = None,
    *,
    half: bool = False,
) -> bytes:
    """Return a line reader's file with another card and other calibrations.

    Parameters
    ----------
    content
        What `to_line_onnx` gave.
    half
        Bring the weights to half precision (`digitlens.models.onnx_writer.to_float16`).
    """
    model = onnx.load_from_string(content)
    if half:
        to_float16(model)
    return finalize_model(model, _words(card, calibrations))


def card_in(content: bytes) -> LineModelCard:
    """Return the card in a line reader's file.

    Raises
    ------
    ModelError
        There is none, or one of another format.
    """
    held = {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}
    return LineModelCard.from_json(held.get(LINE_CARD_KEY, ""))


def _words(card: LineModelCard, calibrations: Mapping[str, Any] | None) -> dict[str, str]:
    words = {LINE_CARD_KEY: card.to_json()}
    if calibrations is not None:
        words[CALIBRATIONS_KEY] = json.dumps(calibrations)
    return words
