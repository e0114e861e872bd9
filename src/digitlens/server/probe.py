"""What goes into each layer of a network, and what comes out before and after its activation.

* The map of a kernel that was edited by hand, and the arithmetic of its size.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.digits import check_images
from digitlens.errors import ShapeError, UsageError
from digitlens.explain.explanation import round_values
from digitlens.models.inference import INPUT, open_session
from digitlens.models.onnx_graph import with_outputs
from digitlens.models.ops import apply_to
from digitlens.server.http_errors import UnknownError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Images
    from digitlens.explain.inspection import InspectedModel, Layer
    from digitlens.models.ops import Relu, Tanh

    Floats = NDArray[np.float32]
    KernelFloats = NDArray[np.float32]


KEPT = 8
"""Layers whose engines are kept: a hand that moves over a map asks for the same again."""


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """One layer at work on one digit.

    Parameters
    ----------
    layer
        Which.
    into
        float32 (channels, height, width), or (values,): what it takes in.
    before
        As `after`, but before the layer's activation.
    after
        float32 (maps, height, width), or (values,): what it gives.
    """

    layer: Layer
    into: Floats
    before: Floats
    after: Floats


class LayerProbe:
    """A network's layers, each of which can be listened to; made by `Networks.taps`.

    Parameters
    ----------
    content
        The bytes of its file.
    inside
        What was found in them.
    """

    def __init__(self, content: bytes, inside: InspectedModel) -> None:
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
        result = [item for item in self.inside.layers_of(member) if item.number == number]
        if not result:
            count = len(self.inside.layers_of(member))
            raise UnknownError(
                f"there is no layer {number} in network {member} of this file",
                seen=f"{self.inside.members} networks" if not count else f"layers 1 to {count}",
            )
        return result[0]

    def listen(self, digit: Images, number: int, member: int = 0) -> LayerTrace:
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
        wanted = list(dict.fromkeys([layer.input, layer.sums, layer.output]))
        answers = dict(zip(wanted, self._engine(layer, wanted)(digit), strict=True))
        if not len(answers[layer.output]):
            raise UnknownError(f"network {member} was not asked: the one before it was sure")
        into, before, after = (
            np.asarray(answers[name][0], np.float32)
            for name in (layer.input, layer.sums, layer.output)
        )
        return LayerTrace(layer, into, before, after)

    def _engine(self, layer: Layer, wanted: list[str]) -> Any:
        key = (layer.member, layer.number)
        with self._lock:
            session = self._engines.get(key)
            if session is None:
                session = open_session(
                    "a layer of the network", with_outputs(self._content, wanted)
                )
                self._engines[key] = session
                while len(self._engines) > KEPT:
                    self._engines.popitem(last=False)

        def ask(digit: Images) -> Any:
            check_images(digit[None], what="the digit (as (1, 28, 28))")
            return session.run(None, {INPUT: digit[None]})

        return ask


LARGEST = 28
"""The most that a kernel may measure, and its stride and padding may be."""


def out_side(side: int, kernel: int, *, stride: int, padding: int) -> int:
    """Return how many places a kernel has along one side.

    Raises
    ------
    UsageError
        The kernel does not fit, or a number makes no sense.

    Examples
    --------
    >>> out_side(28, 5, stride=2, padding=2), out_side(28, 3, stride=1, padding=0)
    (14, 26)
    """
    if not 1 <= stride <= LARGEST or not 0 <= padding <= LARGEST:
        raise UsageError(
            f"a stride must be in 1..{LARGEST}, a padding in 0..{LARGEST}",
            seen=f"stride {stride}, padding {padding}",
        )
    if kernel > side + 2 * padding:
        raise UsageError(
            "a kernel must fit into what it sees",
            seen=f"{kernel} pixels in {side} + 2 x {padding}",
            try_="a smaller kernel, or more padding",
        )
    return (side + 2 * padding - kernel) // stride + 1


def arithmetic(side: int, kernel: int, *, stride: int, padding: int) -> str:
    """Return how the size of a map is worked out, for a person.

    Examples
    --------
    >>> arithmetic(28, 5, stride=2, padding=2)
    '(28 + 2 x 2 - 5) / 2 + 1 = 14, rounded down'
    >>> arithmetic(28, 3, stride=1, padding=0)
    '(28 + 2 x 0 - 3) / 1 + 1 = 26'
    """
    size = out_side(side, kernel, stride=stride, padding=padding)
    whole = (side + 2 * padding - kernel) % stride == 0
    words = f"({side} + 2 x {padding} - {kernel}) / {stride} + 1 = {size}"
    return words if whole else f"{words}, rounded down"


def convolve(
    into: KernelFloats, kernel: KernelFloats, *, bias: float, stride: int, padding: int
) -> NDArray[np.float64]:
    """Lay `kernel` over `into` at every place and sum the products.

    Parameters
    ----------
    into
        float (channels, height, width).
    kernel
        float (channels, rows, columns).

    Returns
    -------
    float64 (places down, places across).

    Raises
    ------
    ShapeError
        The kernel has other channels, or is larger than `LARGEST`.
    UsageError
        It does not fit.

    Examples
    --------
    >>> ramp = np.arange(9, dtype=np.float32).reshape(1, 3, 3)
    >>> edge = np.array([[[-1, 1]]], np.float32)
    >>> convolve(ramp, edge, bias=0.5, stride=1, padding=0).tolist()
    [[1.5, 1.5], [1.5, 1.5], [1.5, 1.5]]
    """
    if kernel.ndim != 3 or len(kernel) != len(into) or not kernel.size:
        raise ShapeError(
            f"the kernel must be numbers ({len(into)}, rows, columns)", seen=f"{kernel.shape}"
        )
    if max(kernel.shape[1:]) > LARGEST:
        raise ShapeError(f"a kernel measures at most {LARGEST}", seen=f"{kernel.shape[1:]}")
    for side, size in zip(into.shape[1:], kernel.shape[1:], strict=True):
        out_side(side, size, stride=stride, padding=padding)
    framed = np.pad(into.astype(np.float64), ((0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(framed, kernel.shape[1:], axis=(1, 2))
    windows = windows[:, ::stride, ::stride]
    return np.asarray(np.einsum("chwij,cij->hw", windows, kernel, optimize=True) + bias)


def edited(
    into: KernelFloats,
    kernel: KernelFloats,
    *,
    bias: float,
    stride: int,
    padding: int,
    activation: Relu | Tanh | None,
) -> dict[str, Any]:
    """Return the map of an edited kernel, for JSON: before and after `activation`."""
    before = convolve(into, kernel, bias=bias, stride=stride, padding=padding)
    after = apply_to([activation], before) if activation else before
    rows, columns = (
        arithmetic(side, size, stride=stride, padding=padding)
        for side, size in zip(into.shape[1:], kernel.shape[1:], strict=True)
    )
    return {
        "height": before.shape[0],
        "width": before.shape[1],
        "arithmetic": {"height": rows, "width": columns},
        "before": round_values(before.astype(np.float32)),
        "map": round_values(after.astype(np.float32)),
    }
