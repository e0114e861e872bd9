"""Plain operations -> an ONNX file: uint8 pixels in, logits and probabilities out.

The graph is built with `onnx.helper` from the folded weights: milliseconds, where tracing takes
seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper

from digitlens.digits import CLASSES, FEATURES, SIDE
from digitlens.export.graph import Graph
from digitlens.export.sealed import halve, seal, whole_model
from digitlens.model import CARD_KEY, INPUT, LOGITS, NO_DIGIT, PROBABILITIES
from digitlens.ops import Affine, ByteAffine, Cascade, Ensemble, Flatten, outputs_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.card import Card
    from digitlens.ops import Op, Program


def to_onnx(program: Program, card: Card) -> bytes:
    """Return the ONNX file of `program`, with `card` inside it.

    Input ``pixels`` is uint8 (N, 28, 28), 0 = paper, 255 = ink; outputs are ``logits`` and
    ``probabilities``, both float32 (N, 10), and, for networks with an eleventh output,
    ``no_digit``, float32 (N,), the probability that it is no digit.

    Parameters
    ----------
    program
        One network, an ensemble or a cascade.
    """
    graph = Graph()
    value = _program(graph, program)
    tells = outputs_of(program) > CLASSES
    if tells:
        value = _no_digit(graph, value)
    graph.add("Identity", [value], output=LOGITS)
    graph.add("Softmax", [value], output=PROBABILITIES, axis=1)
    model = whole_model(_finished(graph, card.name, tells=tells))
    return seal(model, {CARD_KEY: card.to_json()})


def with_half_precision(content: bytes, card: Card) -> bytes:
    """Return an ONNX file of ours with another card and its weights in half precision.

    The file has half the bytes (see `digitlens.export.sealed.halve`).
    """
    model = onnx.load_from_string(content)
    halve(model)
    return seal(model, {CARD_KEY: card.to_json()})


def _program(graph: Graph, program: Program) -> str:
    match program:
        case Ensemble():
            numbers = _numbers(graph, INPUT)
            answers = [_network(graph, member, numbers) for member in program.members]
            return graph.add("Mean", answers)
        case Cascade():
            return _cascade(graph, program)
        case _:
            return _network(graph, program, _taken(graph, program, INPUT))


def _numbers(graph: Graph, pixels: str) -> str:
    return graph.add("Cast", [pixels], to=TensorProto.FLOAT)


def _taken(graph: Graph, ops: Sequence[Op], pixels: str) -> str:
    """Return the pixels as `ops` takes them: bytes, or the same as float32."""
    from_bytes = any(isinstance(op, ByteAffine) for op in ops)
    return pixels if from_bytes else _numbers(graph, pixels)


def _network(graph: Graph, ops: Sequence[Op], pixels: str) -> str:
    flat = isinstance(ops[0], Flatten | Affine | ByteAffine)
    shape = [-1, FEATURES] if flat else [-1, 1, SIDE, SIDE]
    value = graph.add("Reshape", [pixels, graph.whole(*shape)])
    return graph.sequence(ops[1:] if isinstance(ops[0], Flatten) else ops, value)


def _cascade(graph: Graph, cascade: Cascade) -> str:
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


def _no_digit(graph: Graph, value: str) -> str:
    """Split the eleventh logit off, and give its share of all eleven."""
    share = graph.add("Softmax", [value], axis=1)
    last = [graph.whole(n) for n in (CLASSES, CLASSES + 1, 1)]
    strange = graph.add("Slice", [share, *last])
    graph.add("Reshape", [strange, graph.whole(-1)], output=NO_DIGIT)
    return graph.add("Slice", [value, *(graph.whole(n) for n in (0, CLASSES, 1))])


def _finished(graph: Graph, name: str, *, tells: bool) -> onnx.GraphProto:
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
