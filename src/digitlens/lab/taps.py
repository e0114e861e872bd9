"""What goes into each layer of a network, and what comes out before and after it is bent."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.digits import check_images
from digitlens.errors import UsageError
from digitlens.inside.graph import with_outputs
from digitlens.inside.layers import BENDS, FOLLOW, KINDS
from digitlens.lab.refusals import UnknownError
from digitlens.model import INPUT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Images
    from digitlens.inside import Inside, Layer, Node

    Floats = NDArray[np.float32]

KEPT = 8
"""Layers whose engines are kept: a hand that moves over a map asks for the same again."""


@dataclass(frozen=True)
class Bend:
    """What a layer's sums go through: ``amplitude * f(slope * x)``; f is ReLU, tanh or x."""

    name: str = ""
    slope: float = 1.0
    amplitude: float = 1.0

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return `x`, bent.

        Raises
        ------
        UsageError
            This bend is not worked out here.
        """
        inner = self.slope * x
        if self.name == "ReLU":
            inner = np.maximum(inner, 0)
        elif self.name == "tanh":
            inner = np.tanh(inner)
        elif self.name:
            raise UsageError(f"a layer that ends in {self.name} cannot be worked out here")
        return np.asarray(self.amplitude * inner)


@dataclass(frozen=True, eq=False)
class Tapped:
    """One layer at work on one digit.

    Parameters
    ----------
    layer
        Which.
    into
        float32 (channels, height, width), or (values,): what it takes in.
    before
        As `after`, but before it is bent (by ReLU or the like).
    after
        float32 (maps, height, width), or (values,): what it gives.
    bend
        What leads from `before` to `after`.
    """

    layer: Layer
    into: Floats
    before: Floats
    after: Floats
    bend: Bend


class Taps:
    """A network's layers, each of which can be listened to; made by `Networks.taps`.

    Parameters
    ----------
    content
        The bytes of its file.
    inside
        What was found in them.
    """

    def __init__(self, content: bytes, inside: Inside) -> None:
        self.inside = inside
        self._content = content
        self._engines: OrderedDict[tuple[int, int], Any] = OrderedDict()
        self._lock = threading.Lock()

    def layer(self, number: int, member: int = 0) -> Layer:
        """Return a layer by its number, 1 for the first.

        Raises
        ------
        UnknownError
            There is none of that number.
        """
        found = [each for each in self.inside.layers_of(member) if each.number == number]
        if not found:
            count = len(self.inside.layers_of(member))
            raise UnknownError(
                f"there is no layer {number} in network {member} of this file",
                seen=f"{self.inside.members} networks" if not count else f"layers 1 to {count}",
            )
        return found[0]

    def listen(self, digit: Images, number: int, member: int = 0) -> Tapped:
        """Return what layer `number` takes in and gives for `digit`, uint8 (28, 28).

        Raises
        ------
        UnknownError
            No such layer; or it was not asked, being in the second network of a cascade
            whose first was sure.
        ShapeError
            The digit is not uint8 (28, 28).
        """
        layer = self.layer(number, member)
        chain = self._chain(layer)
        into = chain[0].inputs[0]
        unbent, bend = _bend(chain, layer, self.inside.graph.constants)
        names = dict.fromkeys([into, unbent, layer.output])
        wanted = [name for name in names if name not in self.inside.graph.inputs]
        answers = dict(zip(wanted, self._engine(layer, wanted)(digit), strict=True))
        if not len(answers[layer.output]):
            raise UnknownError(f"network {member} was not asked: the one before it was sure")
        if into not in answers:  # the picture itself
            answers[into] = digit[None, None]
        seen, before, after = (
            np.asarray(answers[name][0], np.float32) for name in (into, unbent, layer.output)
        )
        return Tapped(layer, seen, before, after, bend)

    def _engine(self, layer: Layer, wanted: list[str]) -> Any:
        key = (layer.member, layer.number)
        with self._lock:
            session = self._engines.get(key)
            if session is None:
                session = _session(with_outputs(self._content, wanted))
                self._engines[key] = session
                while len(self._engines) > KEPT:
                    self._engines.popitem(last=False)

        def ask(digit: Images) -> Any:
            check_images(digit[None], what="the digit (as (1, 28, 28))")
            return session.run(None, {INPUT: digit[None]})

        return ask

    def _chain(self, layer: Layer) -> list[Node]:
        """Return the nodes of a layer, its kernel first: of all chains to it the last one."""
        users: dict[str, list[Node]] = {}
        for node in self.inside.graph.nodes:
            for name in node.inputs:
                users.setdefault(name, []).append(node)
        heads = [node for node in self.inside.graph.nodes if node.kind in KINDS]
        for head in reversed(heads):
            chain = [head]
            while chain[-1].outputs[0] != layer.output:
                after = users.get(chain[-1].outputs[0], [])
                if len(after) != 1 or after[0].kind not in {*FOLLOW, "Cast"}:
                    break
                chain.append(after[0])
            else:
                return chain
        raise AssertionError("find_layers found the layer by its head")


def _bend(
    chain: list[Node], layer: Layer, constants: dict[str, NDArray[Any]]
) -> tuple[str, Bend]:
    """Return the name of what a layer's sums are called in the file, and their bend."""
    at = next((at for at, node in enumerate(chain) if node.kind in BENDS), None)
    if at is None:
        return layer.output, Bend()
    amplitude = 1.0
    for node in chain[at + 1 :]:
        amplitude *= _scale(node, constants) or 1.0
    slope = 1.0
    while at > 1 and (scale := _scale(chain[at - 1], constants)) is not None:
        slope *= scale
        at -= 1
    return chain[at - 1].outputs[0], Bend(layer.bend, slope, amplitude)


def _scale(node: Node, constants: dict[str, NDArray[Any]]) -> float | None:
    """Return the one number that a node multiplies by, or None."""
    if node.kind != "Mul":
        return None
    given = [constants[name] for name in node.inputs if name in constants]
    return float(given[0].item()) if given and given[0].size == 1 else None


def _session(content: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # as in digitlens.model
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
