"""A line reader as an ONNX file: strips in, the logarithms of probabilities out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import onnx
from onnx import TensorProto, helper

from digitlens.digits import CLASSES
from digitlens.export.fold import fold_layers
from digitlens.export.graph import Graph
from digitlens.export.sealed import halve, seal, whole_model
from digitlens.line_card import (
    CALIBRATIONS_KEY,
    LINE_CARD_KEY,
    LOG_PROBS,
    STRIP,
    LineCard,
)
from digitlens.networks.reader import ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from digitlens.networks.reader import LineNetwork
    from digitlens.ops import Op


def fold_reader(network: LineNetwork) -> list[Op]:
    """Return `network` as operations: (N, 1, 32, W) -> (N, 22, 1, W / 4), normalisation folded.

    The 22 are two frames of 11 each, one after the other.
    """
    return fold_layers([*network.body, network.head])


def to_line_onnx(
    ops: Sequence[Op], card: LineCard, calibrations: Mapping[str, Any] | None = None
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
    graph = Graph()
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
    return seal(whole_model(model), _words(card, calibrations))


def resealed(
    content: bytes,
    card: LineCard,
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
        Bring the weights to half precision (`digitlens.export.sealed.halve`).
    """
    model = onnx.load_from_string(content)
    if half:
        halve(model)
    return seal(model, _words(card, calibrations))


def card_in(content: bytes) -> LineCard:
    """Return the card in a line reader's file.

    Raises
    ------
    ModelError
        There is none, or one of another format.
    """
    held = {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}
    return LineCard.from_json(held.get(LINE_CARD_KEY, ""))


def _words(card: LineCard, calibrations: Mapping[str, Any] | None) -> dict[str, str]:
    words = {LINE_CARD_KEY: card.to_json()}
    if calibrations is not None:
        words[CALIBRATIONS_KEY] = json.dumps(calibrations)
    return words
