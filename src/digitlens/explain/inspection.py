"""A model -> its layers and what they make of digits.

* Nodes of a graph -> the layers that a person would name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from digitlens.digits import check_images
from digitlens.errors import ModelError
from digitlens.models.inference import INPUT, open_session
from digitlens.models.onnx_graph import OnnxGraph, read_graph, with_outputs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Images
    from digitlens.models.inference import Model
    from digitlens.models.onnx_graph import Node

    Floats = NDArray[np.float32]


LayerKind = Literal["convolution", "dense", "pooling"]

KINDS: dict[str, LayerKind] = {
    "Conv": "convolution",
    "Gemm": "dense",
    "MatMul": "dense",
    "MatMulInteger": "dense",
    "MaxPool": "pooling",
    "AveragePool": "pooling",
    "GlobalAveragePool": "pooling",
    "GlobalMaxPool": "pooling",
}
ACTIVATIONS = {
    "Relu": "ReLU",
    "Tanh": "tanh",
    "LeakyRelu": "leaky ReLU",
    "PRelu": "PReLU",
    "Elu": "ELU",
    "Sigmoid": "sigmoid",
    "HardSwish": "hard swish",
    "Gelu": "GELU",
    "Clip": "clipping",
}
"""What bends a layer's straight answer, and how a person calls it."""

FOLLOW = {*ACTIVATIONS, "Add", "Sub", "Mul", "Div", "BatchNormalization", "Identity"}
"""What belongs to the layer before it."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of a network.

    Parameters
    ----------
    number
        1 for the first of its network, counting all kinds.
    member
        Which network of the file, 0 for the first: most files hold one, an ensemble several.
    kind
        ``"convolution"``, ``"dense"`` or ``"pooling"``.
    output
        The name, in the file, of what the layer gives in the end.
    weight
        float32: of a convolution (out, in / groups, height, width), of a dense layer
        (out, in); None for pooling. The first layer's takes grey values 0..255.
    bias
        float32 (out,), or None.
    window, stride, padding
        Rows and columns of the kernel or window, its step, and the rows of paper laid above
        (and columns at the left of) what it takes in; 0, 1 and 0 for a dense layer.
    groups
        Into how many parts, each seen by its own kernels, a convolution's input is split.
    bend
        What the result goes through last, as ``"ReLU"``; empty when nothing.
    shortcut
        Whether another layer's result is added before that.
    """

    number: int
    member: int
    kind: LayerKind
    output: str
    weight: Floats | None
    bias: Floats | None
    window: int
    stride: int
    padding: int
    groups: int
    bend: str
    shortcut: bool

    @property
    def name(self) -> str:
        """What a person calls it, as ``"layer 2, convolution"``."""
        return f"layer {self.number}, {self.kind}"

    @property
    def about(self) -> str:
        """How it works, in a few plain words."""
        size = f"{self.window} x {self.window}"
        step = f" in steps of {self.stride}" if self.stride > 1 else ""
        if self.kind == "convolution":
            words = f"kernels of {size}{step}"
        elif self.kind == "pooling":
            words = f"windows of {size}{step}" if self.window else "each whole map"
        else:
            words = "each from all inputs"
        words += ", a shortcut added" if self.shortcut else ""
        return words + (f", then {self.bend}" if self.bend else "")

    def as_dict(self) -> dict[str, Any]:
        """Return the layer for JSON: its fields, and the weights as lists."""
        return {
            "number": self.number,
            "member": self.member,
            "name": self.name,
            "about": self.about,
            "kind": self.kind,
            "weight": None if self.weight is None else self.weight.tolist(),
            "bias": None if self.bias is None else self.bias.tolist(),
            "window": self.window,
            "stride": self.stride,
            "padding": self.padding,
            "groups": self.groups,
            "bend": self.bend,
            "shortcut": self.shortcut,
        }


def find_layers(graph: OnnxGraph) -> tuple[Layer, ...]:
    """Return the layers of a graph, member by member, each in the order of its file."""
    users: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for name in node.inputs:
            users.setdefault(name, []).append(node)
    answering = _answering(graph)
    heads = [node for node in graph.nodes if node in answering and _is_head(node, graph)]
    members = _members(graph, heads)
    # From the last to the first, so that a sum is the layer's that ends in it, and not the
    # shortcut's.
    taken: set[str] = set()
    ends = {}
    for node in reversed(heads):
        ends[node] = _end(node, users, graph, taken)
    counts: dict[int, int] = {}
    result = []
    for node in sorted(heads, key=lambda node: members[node]):
        member = members[node]
        counts[member] = counts.get(member, 0) + 1
        result.append(_layer(node, ends[node], graph, counts[member], member))
    return tuple(result)


def data_inputs(node: Node) -> tuple[str, ...]:
    """Return the inputs of a node whose values go on: not those that only say which or where.

    A cascade picks rows by what the first network makes of them; that feeds no second one.
    """
    if node.kind == "Gather":
        return node.inputs[:1]
    if node.kind == "ScatterND":
        return node.inputs[::2]
    return node.inputs


def _answering(graph: OnnxGraph) -> set[Node]:
    """Return the nodes whose values reach an output."""
    makers = {name: node for node in graph.nodes for name in node.outputs}
    result: set[Node] = set()
    left = [makers[name] for name in graph.outputs if name in makers]
    while left:
        node = left.pop()
        if node not in result:
            result.add(node)
            left += [makers[name] for name in data_inputs(node) if name in makers]
    return result


def _is_head(node: Node, graph: OnnxGraph) -> bool:
    if node.kind in {"MatMul", "MatMulInteger"}:
        return node.inputs[1] in graph.constants
    return node.kind in KINDS


def _end(
    node: Node, users: dict[str, list[Node]], graph: OnnxGraph, taken: set[str]
) -> list[Node]:
    """Return the nodes that make up the layer which begins with `node`."""
    chain = [node]
    while True:
        after = users.get(chain[-1].outputs[0], [])
        if len(after) != 1 or after[0].outputs[0] in taken:
            return chain
        # Sums of whole numbers are made float32 before they are scaled.
        whole = chain[-1].kind == "MatMulInteger" and after[0].kind == "Cast"
        if after[0].kind not in FOLLOW and not whole:
            return chain
        if after[0].outputs[0] in graph.outputs and after[0].kind == "Identity":
            return chain
        taken.add(after[0].outputs[0])
        chain.append(after[0])


def _members(graph: OnnxGraph, heads: list[Node]) -> dict[Node, int]:
    """Number the networks of a graph: layers belong together when one feeds another."""
    above: dict[str, set[Node]] = {}  # the layers that each value was made by
    root = {node: node for node in heads}

    def find(node: Node) -> Node:
        while root[node] is not node:
            node = root[node]
        return node

    for node in graph.nodes:
        seen = {item for name in data_inputs(node) for item in above.get(name, ())}
        if node in root:
            for item in seen:
                root[find(item)] = find(node)
            seen = {node}
        for name in node.outputs:
            above[name] = seen
    order: dict[Node, int] = {}
    return {node: order.setdefault(find(node), len(order)) for node in heads}


def _in_full(node: Node, chain: list[Node], graph: OnnxGraph) -> tuple[Floats, Floats | None]:
    """Return weight (in, out) and bias (out,) of a layer that multiplies whole numbers."""
    weight = graph.constants[node.inputs[1]].astype(np.float32)
    given = {
        item.kind: graph.constants[name]
        for item in chain
        for name in item.inputs[1:]
        if name in graph.constants and item is not node
    }
    return weight * given.get("Mul", np.float32(1)), given.get("Add")


def _layer(node: Node, chain: list[Node], graph: OnnxGraph, number: int, member: int) -> Layer:
    kind = KINDS[node.kind]
    given = [graph.constants.get(name) for name in node.inputs]
    weight = given[1] if kind != "pooling" else None
    bias = given[2] if len(given) > 2 else None
    known = node.attributes
    if node.kind == "MatMulInteger":
        weight, bias = _in_full(node, chain, graph)
    if weight is not None and kind == "dense" and not known.get("transB"):
        weight = weight.T
    window = known.get("kernel_shape") or (weight.shape[2:] if weight is not None else None)
    later = [item for item in chain[1:] if item.kind in ("Add", "Sub")]
    return Layer(
        number=number,
        member=member,
        kind=kind,
        output=chain[-1].outputs[0],
        weight=None if weight is None else np.asarray(weight, np.float32),
        bias=None if bias is None else np.asarray(bias, np.float32),
        window=int(window[0]) if window else 0,
        stride=int((known.get("strides") or [1])[0]),
        padding=int((known.get("pads") or [0])[0]),
        groups=int(known.get("group", 1)),
        bend=next(
            (ACTIVATIONS[item.kind] for item in reversed(chain) if item.kind in ACTIVATIONS), ""
        ),
        shortcut=any(
            item.kind == "Add" and not any(name in graph.constants for name in item.inputs)
            for item in later
        ),
    )


class InspectedModel:
    """A model looked into; made by `inspect_model`, and worth keeping: it holds engines.

    A file holds one network, or several: an ensemble, whose answers are averaged, or a
    cascade, whose second network is asked where the first is not sure. Its networks are
    numbered from 0.

    Parameters
    ----------
    content
        The bytes of the model's ONNX file.

    Raises
    ------
    ModelError
        The file cannot be read, or has no layers to look at.
    """

    def __init__(self, content: bytes) -> None:
        try:
            self.graph: OnnxGraph = read_graph(content)
        except (ValueError, KeyError, StopIteration) as error:
            raise ModelError("a model must be an ONNX file", seen=str(error)) from error
        self._content = content
        self._engines: dict[int, Any] = {}
        self.layers: tuple[Layer, ...] = find_layers(self.graph)
        if not self.layers:
            kinds = sorted({node.kind for node in self.graph.nodes})
            raise ModelError("a model must have layers", seen=", ".join(kinds) or "no nodes")

    @property
    def members(self) -> int:
        """How many networks the file holds."""
        return 1 + max(layer.member for layer in self.layers)

    @property
    def is_cascade(self) -> bool:
        """Whether a second network answers only where the first is not sure."""
        return any(node.kind == "ScatterND" for node in self.graph.nodes)

    def layers_of(self, member: int) -> tuple[Layer, ...]:
        """Return the layers of one network."""
        return tuple(layer for layer in self.layers if layer.member == member)

    def activations(self, images: Images, *, member: int = 0) -> list[NDArray[np.float32]]:
        """Return what each layer of one network gives for `images`.

        Parameters
        ----------
        images
            uint8 (N, 28, 28); 0 = paper, 255 = ink.
        member
            Which network, below `members`.

        Returns
        -------
        For each of `layers_of(member)` float32 (N, maps, height, width), or (N, values) after
        a dense layer. The second network of a cascade is asked about fewer than N.

        Raises
        ------
        ShapeError
            Another shape or dtype.
        """
        pixels = {INPUT: check_images(images)}
        result: list[NDArray[np.float32]] = self._engine(member).run(None, pixels)
        return result

    def _engine(self, member: int) -> Any:
        if member not in self._engines:  # two at once would make it twice, and harm nothing
            names = [layer.output for layer in self.layers_of(member)]
            content = with_outputs(self._content, names)
            self._engines[member] = open_session("the network with all layers shown", content)
        return self._engines[member]


def inspect_model(model: Model) -> InspectedModel:
    """Open a model's file for a look inside.

    Parameters
    ----------
    model
        As `load_model` gives it; its file is read again.

    Raises
    ------
    ModelError
        The file has gone, or has no layers to look at.

    Examples
    --------
    >>> inside = inspect_model(load_model("runs/train/cnn-1"))  # doctest: +SKIP
    >>> [layer.name for layer in inside.layers][:2]  # doctest: +SKIP
    ['layer 1, convolution', 'layer 2, convolution']
    """
    try:
        content = model.path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{model.path} cannot be read again, to look inside", seen=error.strerror
        ) from error
    return InspectedModel(content)
