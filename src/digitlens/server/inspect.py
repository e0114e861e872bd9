"""A look inside a network: why it answers so, and one layer, number or edited kernel of it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.digits import SIDE
from digitlens.errors import ShapeError, UsageError
from digitlens.explain import explain
from digitlens.explain.explanation import Maps, round_values
from digitlens.imaging.io import png_data_url
from digitlens.models.inference import INPUT, open_session
from digitlens.models.onnx_graph import with_outputs
from digitlens.models.ops import apply_to
from digitlens.server.batching import build_answer, describe_picture
from digitlens.server.cache import LruCache
from digitlens.server.http_errors import UnknownError
from digitlens.server.schema_parts import LayerName
from digitlens.server.schemas import Cell, KernelMap, Kernels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from digitlens.digits import Images
    from digitlens.explain.inspection import InspectedModel, Layer
    from digitlens.models.inference import Model
    from digitlens.models.ops import Relu, Sigmoid, Tanh
    from digitlens.server.uploads import PreparedDigit

    Floats = NDArray[np.float32]


# Every second pixel is the middle of a window: a quarter of the time, and the map looks the
# same at the size of a page.
OCCLUSION_STEP = 2
# All kernels of a layer are sent if they have at most this many numbers; else the first ones.
MAX_WEIGHTS = 40_000
# Layers whose sessions are kept: a pointer that moves over a map asks for the same again.
MAX_SESSIONS = 8
# The most ribbons that lead to one number in the picture of the whole network.
MAX_LINKS = 4
# The largest side of a kernel that is edited by hand.
MAX_KERNEL = 28


def explain_prediction(
    model: Model,
    probe: LayerProbe,
    prepared: PreparedDigit,
    *,
    name: str,
    filters: bool,
    gradients: bool = False,
) -> dict[str, Any]:
    """Return why `model` answers as it does.

    As `Explanation.as_dict`, but each step's picture is a data: URL (a number for each pixel
    of a large picture would be megabytes), and each layer has what `describe_layer` returns.
    """
    subject = prepared.digit if prepared.framing is None else prepared.framing
    # Gradients need torch, which a lab loads when somebody asks for them, and not before.
    explanation = explain(
        model, subject, inspected=probe.inspected, gradients=gradients, step=OCCLUSION_STEP
    )
    result = explanation.as_dict(filters=filters)
    result["model"] = name
    result["answer"] = explanation.answer
    result["mattered"] = explanation.mattered
    result["shown"] = explanation.shown
    result["without_gradients"] = explanation.without_gradients
    # steps: pictures instead of numbers -> layers: how each size comes about
    for row, step in zip(result["steps"], explanation.steps, strict=True):
        height, width = step.picture.shape[:2]
        picture = png_data_url(step.picture, compress_level=1)
        row.update(picture=picture, height=height, width=width)
    result["layers"] = _describe_maps(explanation.maps)
    return result


def _describe_maps(
    maps: Sequence[Maps], describe: Callable[[Maps], dict[str, Any]] = Maps.as_dict
) -> list[dict[str, Any]]:
    """Return what each layer is and gives, and how the size of its maps comes about."""
    shapes = [[1, SIDE, SIDE], *(list(item.values.shape) for item in maps)]
    return [
        describe(item) | describe_layer(item.layer, before, after)
        for item, (before, after) in zip(maps, pairwise(shapes), strict=True)
    ]


def describe_layers(
    model: Model, probe: LayerProbe, prepared: PreparedDigit, *, name: str, shades: bool = False
) -> dict[str, Any]:
    """Return what each layer makes of a digit, and what the answer came of.

    A part of what `explain_prediction` returns, in a fifth of its time: a page asks for it
    while a digit is drawn. ``links`` are those of `find_links`. With `shades` maps are what a
    screen shows of them (`shade_maps`), and ``picture`` is what /v1/predict tells.
    """
    digit = prepared.digit
    member, values = probe.inspected.run_answering(digit)
    layers = probe.inspected.list_layers(member)
    maps = [Maps(layer, item[0]) for layer, item in zip(layers, values, strict=True)]
    predictions = model.predict(digit[None])
    best = int(predictions.labels[0])
    result = {
        "model": name,
        "digit": best,
        "member": member,
        "shown": probe.inspected.describe_member(member),
        "links": find_links(maps, digit, best),
    }
    if not shades:
        return result | {"pixels": digit.tolist(), "layers": _describe_maps(maps)}
    picture = describe_picture(prepared, pixels=True)
    picture["answers"] = [build_answer(name, predictions, 0)]
    return result | {"picture": picture, "layers": _describe_maps(maps, shade_maps)}


def shade_maps(maps: Maps) -> dict[str, Any]:
    """Return a layer's maps as a byte for each number: all that a picture of them needs.

    ``shades`` are the bytes in base64, 255 being ``most``, the largest size of all; where
    ``signed`` they run from -127 to 127. ``peaks`` are the largest sizes, map by map. Values
    of a dense layer stay numbers.
    """
    values = maps.values
    if values.ndim == 1:
        return maps.as_dict()
    peaks = np.abs(values).max(axis=(1, 2))
    most, signed = float(peaks.max()), bool((values < 0).any())
    scale, dtype = (127, np.int8) if signed else (255, np.uint8)
    shades = np.rint(values * (scale / (most or 1.0))).astype(dtype)
    return maps.describe() | {
        "shades": base64.b64encode(shades.tobytes()).decode(),
        "signed": signed,
        "most": float(f"{most:.4g}"),
        "peaks": [float(f"{peak:.4g}") for peak in peaks.tolist()],
    }


def find_links(maps: Sequence[Maps], digit: Images, target: int) -> list[list[list[float]]]:
    """Return for each layer what added most to, or took most from, the numbers that counted.

    From the last layer's value `target` back to the pixels: of each number, the `MAX_LINKS`
    inputs whose products are the largest in size, as [input, output, product]; of a map its
    largest number, inputs being the channels; of maps before a dense layer likewise.
    """
    targets = [target]
    result: list[list[list[float]]] = []
    for place in reversed(range(len(maps))):
        inputs = maps[place - 1].values if place else digit[None].astype(np.float32)
        links = [
            [source, output, float(f"{parts[source]:.4g}")]
            for output in targets
            for parts in [_sum_by_input(maps[place], inputs, output)]
            for source in np.argsort(-np.abs(parts))[:MAX_LINKS].tolist()
            if parts[source]
        ]
        links.sort(key=lambda link: -abs(link[2]))
        targets = list(dict.fromkeys(int(link[0]) for link in links))[:MAX_LINKS]
        result.insert(0, links)
    return result


def _sum_by_input(maps: Maps, inputs: Floats, output: int) -> Floats:
    """Return what each input, or channel, adds to one value, or to a map's largest number."""
    layer, value = maps.layer, maps.values[output]
    row, column = np.unravel_index(int(value.argmax()), value.shape) if value.ndim else (0, 0)
    trace = LayerTrace(layer, inputs, maps.values, maps.values)
    top_left_window = _cut_window(trace, output, int(row), int(column))
    window = top_left_window[2]
    parts = np.zeros(len(inputs), np.float32)
    if layer.weight is None:
        parts[output] = window.max()
    elif layer.kind == "dense":
        parts[:] = (window * layer.weight[output]).reshape(len(inputs), -1).sum(axis=1)
    else:
        sums = (window * layer.weight[output]).sum(axis=(1, 2))
        first = output * layer.groups // len(maps.values) * len(sums)
        parts[first : first + len(sums)] = sums
    return parts


def describe_layer(layer: Layer, input_shape: list[int], shape: list[int]) -> dict[str, Any]:
    """Return what a layer is, without its weights, and how the size of its maps comes about."""
    words = None
    slides = layer.kind != "dense" and layer.window and len(input_shape) == 3
    if slides and input_shape[1] + 2 * layer.padding >= layer.window:
        words = explain_output_size(
            input_shape[1], layer.window, stride=layer.stride, padding=layer.padding
        )
    return {
        **layer.settings(),
        "into": input_shape,
        "shape": shape,
        "arithmetic": words,
        "weights": 0 if layer.weight is None else int(layer.weight.size),
    }


def describe_kernels(layer: Layer, index: int | None) -> Kernels:
    """Return a layer's kernels, or the one at `index`.

    Of a convolution each is (channels, height, width), of a dense layer a list of a number
    for each input. Of a layer of more than `MAX_WEIGHTS` numbers only the first kernels that
    fit are sent.
    """
    about = LayerName(name=layer.name, about=layer.about)
    if layer.weight is None:
        return Kernels(about, [], [], 0, 0)
    # Always at least one kernel, however large.
    n_fit = max(1, MAX_WEIGHTS // max(1, layer.weight[0].size))
    first, end = (0, n_fit) if index is None else (index, index + 1)
    biases = [0.0] * len(layer.weight) if layer.bias is None else round_values(layer.bias)
    kernels = [round_values(item) for item in layer.weight[first:end]]
    return Kernels(about, kernels, biases[first:end], first, len(layer.weight))


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """One layer at work on one digit."""

    layer: Layer
    inputs: Floats  # float32 (channels, height, width), or (values,)
    # sums, outputs: float32 (maps, height, width), or (values,): before and after the
    # activation
    sums: Floats
    outputs: Floats


class LayerProbe:
    """A network's file and its layers, which can be traced one by one."""

    def __init__(self, content: bytes, inspected: InspectedModel) -> None:
        self.inspected = inspected
        self.content = content
        self._sessions = LruCache[tuple[int, int], Any](MAX_SESSIONS)

    def get_layer(self, number: int, member: int = 0) -> Layer:
        """Return a layer by its number, 1 for the first; UnknownError where there is none."""
        layers = self.inspected.list_layers(member)
        result = [layer for layer in layers if layer.number == number]
        if not result:
            raise UnknownError(
                f"there is no layer {number} in network {member} of this file",
                seen=f"layers 1 to {len(layers)}"
                if layers
                else f"{self.inspected.members} networks",
            )
        return result[0]

    def trace(self, digit: Images, number: int, member: int = 0) -> LayerTrace:
        """Return what layer `number` takes in and gives for `digit`, uint8 (28, 28).

        Raises UnknownError: no such layer; or it was not asked, being in the second network of
        a cascade whose first was sure.
        """
        layer = self.get_layer(number, member)
        # The file is run with the layer's inner values as its outputs.
        names = list(dict.fromkeys([layer.input, layer.sums, layer.output]))
        session = self._open_session(layer, names)
        values = dict(zip(names, session.run(None, {INPUT: digit[None]}), strict=True))
        if not len(values[layer.output]):
            raise UnknownError(f"network {member} was not asked: the one before it was sure")
        inputs, sums, outputs = (
            np.asarray(values[name][0], np.float32)
            for name in (layer.input, layer.sums, layer.output)
        )
        return LayerTrace(layer, inputs, sums, outputs)

    def _open_session(self, layer: Layer, names: list[str]) -> Any:
        key = (layer.member, layer.number)
        session = self._sessions.get(key)
        if session is None:
            session = open_session(layer.name, with_outputs(self.content, names))
            self._sessions.put(key, session)
        return session


def describe_cell(trace: LayerTrace, map_: int, row: int = 0, column: int = 0) -> Cell:
    """Return how one number of a layer's output comes about.

    Of a dense layer `map_` counts its values, and `row` and `column` are 0. ``top`` and
    ``left`` say where the window stands in the layer's input, below 0 where it reaches over
    the edge. ``window``, ``kernel`` and ``products`` are (channels, height, width), or one list
    for a dense layer. ``rest`` is what else is added: another layer's result where there is a
    shortcut, the squares in LeNet-5's last layer; else 0. Of pooling there is only ``window``.

    Raises UsageError: there is no such number.
    """
    layer, outputs = trace.layer, trace.outputs
    index = (map_, row, column)[: outputs.ndim]
    if any(not 0 <= i < size for i, size in zip(index, outputs.shape, strict=True)):
        shape = " x ".join(str(size) for size in outputs.shape)
        raise UsageError(
            f"{layer.name} has no such number: it gives {shape}",
            seen=f"map {map_}, row {row}, column {column}",
        )
    # window x kernel -> products -> sum + bias + rest -> activation
    top, left, window = _cut_window(trace, map_, row, column)
    before, value = float(trace.sums[index]), float(outputs[index])
    kernel = products = total = bias = rest = None
    if layer.weight is None:
        size = f"{layer.window} x {layer.window}" if layer.window else "whole map"
        words = (
            f"the largest number of the {size} window, {value:.4g}, is passed on; "
            "the others are dropped"
        )
    else:
        kernel = layer.weight[map_]
        products = window * kernel
        total = float(products.sum(dtype=np.float64))
        bias = 0.0 if layer.bias is None else float(layer.bias[map_])
        rest = before - total - bias
        # What remains of adding 32-bit numbers in another order is nothing that was added.
        if abs(rest) < 1e-5 * float(np.abs(products).sum()) + 1e-6:
            rest = 0.0
        words = f"{products.size} products sum to {total:.4g}; with the bias {bias:.4g}"
        words += f" and {rest:.4g} from elsewhere" if rest else ""
        words += f" that is {before:.4g}"
        if layer.activation:
            words += f"; {layer.activation_name} makes it {value:.4g}"
    return Cell(
        layer=layer.number,
        map=map_,
        row=row,
        column=column,
        top=top,
        left=left,
        window=round_values(window),
        kernel=None if kernel is None else round_values(kernel),
        products=None if products is None else round_values(products),
        sum=total,
        bias=bias,
        rest=rest,
        before=before,
        value=value,
        activation=layer.activation_name,
        bend=layer.activation_name,  # the key until 0.1; kept for one release
        words=words,
    )


def _cut_window(
    trace: LayerTrace, map_: int, row: int, column: int
) -> tuple[int | None, int | None, Floats]:
    """Return the part of a layer's input that one number sees, and its top and left."""
    layer, inputs = trace.layer, trace.inputs
    if layer.kind == "dense":
        return None, None, inputs.reshape(-1)
    if layer.kind == "pooling":
        inputs = inputs[map_ : map_ + 1]
        size = layer.window or inputs.shape[1]  # no window: the whole map
    else:
        # In a grouped convolution a kernel sees the channels of its group only.
        n_channels = len(inputs) // layer.groups
        first = map_ * layer.groups // len(trace.outputs) * n_channels
        inputs, size = inputs[first : first + n_channels], layer.window
    top = row * layer.stride - layer.padding
    left = column * layer.stride - layer.padding
    window = np.zeros((len(inputs), size, size), np.float32)
    height, width = inputs.shape[1:]
    rows = slice(max(0, -top), max(0, min(size, height - top)))
    columns = slice(max(0, -left), max(0, min(size, width - left)))
    window[:, rows, columns] = inputs[
        :, max(0, top) : max(0, top + size), max(0, left) : max(0, left + size)
    ]
    return top, left, window


def output_size(side: int, kernel: int, *, stride: int, padding: int) -> int:
    """Return at how many places a kernel fits along one side.

    Raises UsageError: the kernel does not fit.

    >>> output_size(28, 5, stride=2, padding=2), output_size(28, 3, stride=1, padding=0)
    (14, 26)
    """
    if kernel > side + 2 * padding:
        raise UsageError(
            "a kernel must fit into what it sees",
            seen=f"{kernel} pixels in {side} + 2 x {padding}",
            try_="a smaller kernel, or more padding",
        )
    return (side + 2 * padding - kernel) // stride + 1


def explain_output_size(side: int, kernel: int, *, stride: int, padding: int) -> str:
    """Return how the size of a map is calculated, for a person.

    >>> explain_output_size(28, 5, stride=2, padding=2)
    '(28 + 2 x 2 - 5) / 2 + 1 = 14, rounded down'
    >>> explain_output_size(28, 3, stride=1, padding=0)
    '(28 + 2 x 0 - 3) / 1 + 1 = 26'
    """
    size = output_size(side, kernel, stride=stride, padding=padding)
    exact = (side + 2 * padding - kernel) % stride == 0
    words = f"({side} + 2 x {padding} - {kernel}) / {stride} + 1 = {size}"
    return words if exact else f"{words}, rounded down"


def convolve(
    inputs: Floats, kernel: Floats, *, bias: float, stride: int, padding: int
) -> NDArray[np.float64]:
    """Lay `kernel` over `inputs` at every place and sum the products.

    inputs: float (channels, height, width)
    kernel: float (channels, rows, columns)

    Returns float64 (places down, places across). Raises ShapeError: the kernel has other
    channels, or is larger than `MAX_KERNEL`; UsageError: it does not fit.

    >>> ramp = np.arange(9, dtype=np.float32).reshape(1, 3, 3)
    >>> edge = np.array([[[-1, 1]]], np.float32)
    >>> convolve(ramp, edge, bias=0.5, stride=1, padding=0).tolist()
    [[1.5, 1.5], [1.5, 1.5], [1.5, 1.5]]
    """
    if kernel.ndim != 3 or len(kernel) != len(inputs) or not kernel.size:
        raise ShapeError(
            f"the kernel must be numbers ({len(inputs)}, rows, columns)", seen=f"{kernel.shape}"
        )
    if max(kernel.shape[1:]) > MAX_KERNEL:
        raise ShapeError(f"a kernel measures at most {MAX_KERNEL}", seen=f"{kernel.shape[1:]}")
    for side, size in zip(inputs.shape[1:], kernel.shape[1:], strict=True):
        output_size(side, size, stride=stride, padding=padding)
    # float64: the sums shown must not depend on the order of adding.
    border = (padding, padding)
    padded = np.pad(inputs.astype(np.float64), ((0, 0), border, border))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[1:], axis=(1, 2))
    windows = windows[:, ::stride, ::stride]
    return np.asarray(np.einsum("chwij,cij->hw", windows, kernel, optimize=True) + bias)


def apply_kernel(
    inputs: Floats,
    kernel: Floats,
    activation: Relu | Tanh | Sigmoid | None,
    *,
    bias: float,
    stride: int,
    padding: int,
) -> KernelMap:
    """Return the map of an edited kernel, before and after its activation."""
    sums = convolve(inputs, kernel, bias=bias, stride=stride, padding=padding)
    outputs = apply_to([activation], sums) if activation else sums
    rows, columns = (
        explain_output_size(side, size, stride=stride, padding=padding)
        for side, size in zip(inputs.shape[1:], kernel.shape[1:], strict=True)
    )
    before, after = (round_values(item.astype(np.float32)) for item in (sums, outputs))
    height, width = sums.shape
    return KernelMap(height, width, {"height": rows, "width": columns}, before, after)
