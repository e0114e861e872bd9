"""A model's layers, and what each of them makes of digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from digitlens.digits import Images, check_images
from digitlens.errors import ModelError
from digitlens.models.inference import INPUT, Model, open_session
from digitlens.models.onnx_graph import with_outputs
from digitlens.models.onnx_reader import FileProgram, Step, read_program
from digitlens.models.ops import (
    Conv,
    Flatten,
    Linear,
    MaxPool,
    Op,
    QuantLinear,
    RbfDistance,
    Relu,
    Residual,
    Sigmoid,
    Tanh,
)

Floats = NDArray[np.float32]


LayerKind = Literal["convolution", "dense", "pooling"]


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of a network: a kernel or a window, and the activation that follows it."""

    number: int  # 1 for the first of its network, counting all kinds
    # which network of the file, 0 for the first: most files hold one, an ensemble several
    member: int
    kind: LayerKind  # ``"convolution"``, ``"dense"`` or ``"pooling"``
    # input, sums, output: what the file calls the values that the layer takes in, those before
    # its activation, and those it gives. Without an activation the last two are the same.
    input: str
    sums: str
    output: str
    # float32: of a convolution (out, in / groups, height, width), of a dense layer (out, in);
    # None for pooling. The first layer's takes grey values 0..255.
    weight: Floats | None
    bias: Floats | None  # float32 (out,); None for pooling
    # window, stride, padding: rows and columns of the kernel or window, its step, and the rows
    # of paper laid above (and columns at the left of) what it takes in; 0, 1 and 0 for a dense
    # layer
    window: int = 0
    stride: int = 1
    padding: int = 0
    # into how many parts, each seen by its own kernels, a convolution's input is split
    groups: int = 1
    activation: Relu | Tanh | Sigmoid | None = None
    shortcut: bool = False  # whether what an earlier layer gave is added before the activation

    @property
    def name(self) -> str:
        """What a person calls it, as ``"layer 2, convolution"``."""
        return f"layer {self.number}, {self.kind}"

    @property
    def activation_name(self) -> str:
        """The activation in words: ``"ReLU"``, ``"tanh"``, ``"sigmoid"``, or empty."""
        if self.activation is None:
            return ""
        return (
            "ReLU"
            if isinstance(self.activation, Relu)
            else type(self.activation).__name__.lower()
        )

    @property
    def about(self) -> str:
        """How it works, in a few plain words."""
        size = f"{self.window} x {self.window}"
        step = f" in steps of {self.stride}" if self.stride > 1 else ""
        if self.kind == "convolution":
            words = f"kernels of {size}{step}"
        elif self.kind == "pooling":
            words = f"windows of {size}{step}"
        else:
            words = "each from all inputs"
        words += ", a shortcut added" if self.shortcut else ""
        return words + (f", then {self.activation_name}" if self.activation else "")

    def settings(self) -> dict[str, Any]:
        """Return what the layer is, without its weights, for JSON."""
        names = ("number", "member", "kind", "window", "stride", "padding", "groups")
        # "bend" was the key of the activation until 0.1, and is kept for one release.
        named = dict.fromkeys(("activation", "bend"), self.activation_name)
        return {name: getattr(self, name) for name in (*names, "shortcut")} | named

    def as_dict(self) -> dict[str, Any]:
        """Return the layer for JSON: its settings, and the weights as lists."""
        return self.settings() | {
            "name": self.name,
            "about": self.about,
            "weight": None if self.weight is None else self.weight.tolist(),
            "bias": None if self.bias is None else self.bias.tolist(),
        }


class InspectedModel:
    """A model looked into; made by `inspect_model`, and worth keeping: it holds sessions.

    A file holds one network, or several: an ensemble, whose answers are averaged, or a
    cascade, whose second network is asked where the first is not sure. Its networks are
    numbered from 0.
    """

    def __init__(self, content: bytes) -> None:
        self.program: FileProgram = read_program(content, name="a model")
        self._content = content
        self._sessions: dict[int, Any] = {}
        self.layers: tuple[Layer, ...] = tuple(
            layer
            for member, steps in enumerate(self.program.networks)
            for layer in _find_layers(steps, member)
        )

    @property
    def members(self) -> int:
        """How many networks the file holds."""
        return len(self.program.networks)

    @property
    def is_cascade(self) -> bool:
        """Whether a second network answers only where the first is not sure."""
        return self.program.margin is not None

    def list_layers(self, member: int) -> tuple[Layer, ...]:
        """Return the layers of one network."""
        return tuple(layer for layer in self.layers if layer.member == member)

    def activations(self, images: Images, *, member: int = 0) -> list[NDArray[np.float32]]:
        """Return what each layer of network `member` gives for `images`, uint8 (N, 28, 28).

        For each of `list_layers(member)` float32 (N, maps, height, width), or (N, values) after
        a dense layer. The second network of a cascade is asked about fewer than N.
        """
        pixels = {INPUT: check_images(images)}
        result: list[NDArray[np.float32]] = self._session(member).run(None, pixels)
        return result

    def run_answering(self, digit: Images) -> tuple[int, list[NDArray[np.float32]]]:
        """Return the network that answers for `digit`, uint8 (28, 28), and its layers' values.

        Of an ensemble that is the first; the values are those of `activations`, N being 1.
        """
        if self.is_cascade:
            values = self.activations(digit[None], member=1)
            if len(values[0]):  # it was asked
                return 1, values
        return 0, self.activations(digit[None])

    def describe_member(self, member: int) -> str:
        """Return which of several networks is shown, in words; empty for a single one."""
        if self.is_cascade:
            return (
                f"the second of {self.members} networks, for the first was not sure"
                if member
                else f"the first of {self.members} networks, which was sure by itself"
            )
        return f"the first of {self.members} networks" if self.members > 1 else ""

    def _session(self, member: int) -> Any:
        if member not in self._sessions:  # two at once would make it twice, and harm nothing
            names = [layer.output for layer in self.list_layers(member)]
            content = with_outputs(self._content, names)
            self._sessions[member] = open_session("the network with all layers shown", content)
        return self._sessions[member]


def inspect_model(model: Model) -> InspectedModel:
    """Open a model's file for a look inside; ModelError if it is gone.

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


def _find_layers(steps: Sequence[Step], member: int, first: int = 1) -> list[Layer]:
    """Group the steps of one network into layers, numbered from `first`."""
    layers: list[Layer] = []
    for step in steps:
        match step.op:
            case Flatten():
                pass  # only another shape
            case Relu() | Tanh() | Sigmoid():  # part of the layer before it
                layers[-1] = replace(layers[-1], output=step.output, activation=step.op)
            case Residual():
                # The layers of a block are shown; the last one ends in the sum.
                layers += _find_layers(step.body, member, first + len(layers))
                layers[-1] = replace(
                    layers[-1], sums=step.output, output=step.output, shortcut=True
                )
            case _:
                kind, settings = _describe(step.op)
                number = first + len(layers)
                layers.append(
                    Layer(
                        number, member, kind, step.input, step.output, step.output, **settings
                    )
                )
    return layers


def _describe(op: Op) -> tuple[LayerKind, dict[str, Any]]:
    """Return which kind of layer an operation is, and its settings in `Layer`'s words."""
    match op:
        case Conv():
            return "convolution", {
                "weight": op.weight,
                "bias": op.bias,
                "window": op.weight.shape[2],
                "stride": op.stride[0],
                "padding": op.padding[0],
                "groups": op.groups,
            }
        case Linear():
            return "dense", {"weight": op.weight, "bias": op.bias}
        case QuantLinear():
            weight = op.weight.astype(np.float32) * op.scale[:, None]
            return "dense", {"weight": weight, "bias": op.bias}
        case RbfDistance():
            # -(x - w)^2 = 2 w x - w^2 - x^2: a dense layer but for the squares of its input.
            weight = 2 * op.bitmaps / np.float32(op.spread)
            bias = -np.square(op.bitmaps).sum(1) / np.float32(op.spread)
            return "dense", {"weight": weight, "bias": bias}
        case MaxPool():
            return "pooling", {
                "weight": None,
                "bias": None,
                "window": op.window,
                "stride": op.window,
            }
        case _:
            raise AssertionError(f"{type(op).__name__} is no layer")
