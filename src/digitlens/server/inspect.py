"""Why a network answers as it does, as JSON that a page can draw.

* One number of a feature map: the window it sees, the kernel, the products and their sum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import UsageError
from digitlens.explain import explain
from digitlens.explain.explanation import round_values
from digitlens.server.answers import png_data_url
from digitlens.server.probe import arithmetic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.explain.inspection import Layer
    from digitlens.models.inference import Model
    from digitlens.server.answers import PreparedDigit
    from digitlens.server.probe import LayerProbe, LayerTrace

    Floats = NDArray[np.float32]


OCCLUSION_STEP = 2
"""Every second pixel is the middle of a window: a quarter of the time, and the map looks the
same at the size of a page."""

MOST_WEIGHTS = 40_000
"""Kernels of a layer are sent whole up to so many numbers; of larger layers one at a time."""


def explained(
    model: Model, taps: LayerProbe, ready: PreparedDigit, *, name: str, filters: bool
) -> dict[str, Any]:
    """Return why `model` answers as it does.

    What `Explanation.as_dict` holds, with each step's picture as a data: address (a number for
    each pixel of a large picture would be megabytes), and of each layer what `layer_words`
    tells.
    """
    subject = ready.digit if ready.framing is None else ready.framing
    result = explain(model, subject, inside=taps.inside, gradients=False, step=OCCLUSION_STEP)
    told = result.as_dict(filters=filters)
    told["model"] = name
    told["answer"] = result.answer
    told["mattered"] = result.mattered
    told["shown"] = result.shown
    for step, kept in zip(told["steps"], result.steps, strict=True):
        height, width = kept.picture.shape[:2]
        step.update(picture=png_data_url(kept.picture), height=height, width=width)
    shape: list[int] = [1, *ready.digit.shape]
    for words, maps in zip(told["layers"], result.maps, strict=True):
        words.update(layer_words(maps.layer, shape, list(maps.values.shape)))
        shape = list(maps.values.shape)
    return told


def layer_words(layer: Layer, into: list[int], shape: list[int]) -> dict[str, Any]:
    """Return what a layer is, without its weights, and how its size comes about.

    `into` is what the layer before it gives, ``shape`` what it gives itself.
    """
    sized = layer.kind != "dense" and layer.window and len(into) == 3
    words = None
    if sized and into[1] + 2 * layer.padding >= layer.window:
        words = arithmetic(into[1], layer.window, stride=layer.stride, padding=layer.padding)
    return {
        "number": layer.number,
        "member": layer.member,
        "kind": layer.kind,
        "window": layer.window,
        "stride": layer.stride,
        "padding": layer.padding,
        "groups": layer.groups,
        "activation": layer.activation_name,
        "bend": layer.activation_name,  # the key until 0.1; kept for one release
        "shortcut": layer.shortcut,
        "into": into,
        "shape": shape,
        "arithmetic": words,
        "weights": 0 if layer.weight is None else int(layer.weight.size),
    }


def kernels(layer: Layer, filter_: int | None) -> dict[str, Any]:
    """Return a layer's kernels, or one of them: ``kernels``, ``biases``, ``first``, ``count``.

    Of a convolution each is (channels, height, width), of a dense layer a list of a number
    for each input. When there are more than `MOST_WEIGHTS` numbers in all, only the first
    kernels that fit are sent.
    """
    if layer.weight is None:
        return {"kernels": [], "biases": [], "first": 0, "count": 0}
    fit = max(1, MOST_WEIGHTS // max(1, layer.weight[0].size))
    first, last = (0, fit) if filter_ is None else (filter_, filter_ + 1)
    biases = [0.0] * len(layer.weight) if layer.bias is None else round_values(layer.bias)
    return {
        "kernels": [round_values(item) for item in layer.weight[first:last]],
        "biases": biases[first:last],
        "first": first,
        "count": len(layer.weight),
    }


def cell(tapped: LayerTrace, map_: int, row: int = 0, column: int = 0) -> dict[str, Any]:
    """Return how one number comes about.

    Parameters
    ----------
    tapped
        The layer at work.
    map_, row, column
        Which of its numbers; of a dense layer `map_` counts its values, and the others are 0.

    Returns
    -------
    For JSON: where the window stands in what goes in (``top`` and ``left``, below 0 where it
    reaches over the edge), ``window``, ``kernel`` and ``products`` as (channels, height,
    width) or as one list for a dense layer, ``sum`` of the products, ``bias``, ``rest`` (what
    else is added: another layer's result where there is a shortcut, the squares in LeNet-5's
    last layer; else 0), ``before`` and ``value``: before and after the activation. Of pooling
    ``window`` alone; ``kernel``, ``products``, ``sum``, ``bias`` and ``rest`` are null.

    Raises
    ------
    UsageError
        There is no such number.
    """
    layer, after = tapped.layer, tapped.after
    wanted = (map_, row, column)[: after.ndim]
    if any(not 0 <= index < size for index, size in zip(wanted, after.shape, strict=True)):
        shape = " x ".join(str(size) for size in after.shape)
        raise UsageError(
            f"{layer.name} has no such number: it gives {shape}",
            seen=f"map {map_}, row {row}, column {column}",
        )
    top, left, window = _window(tapped, map_, row, column)
    result: dict[str, Any] = {
        "layer": layer.number,
        "map": map_,
        "row": row,
        "column": column,
        "top": top,
        "left": left,
        "window": round_values(window),
        "activation": layer.activation_name,
        "bend": layer.activation_name,  # the key until 0.1; kept for one release
        "value": float(after[wanted]),
    }
    before = float(tapped.before[wanted])
    if layer.weight is None:
        rest = dict.fromkeys(("kernel", "products", "sum", "bias", "rest"))
        return result | rest | {"before": before, "words": _pooling_words(result, layer)}
    kernel = layer.weight[map_]
    products = window * kernel
    total = float(products.sum(dtype=np.float64))
    bias = 0.0 if layer.bias is None else float(layer.bias[map_])
    other = before - total - bias
    # What is left of adding 32-bit numbers in another order is nothing that was added.
    noise = 1e-5 * float(np.abs(products).sum()) + 1e-6
    result |= {
        "kernel": round_values(kernel),
        "products": round_values(products),
        "sum": total,
        "bias": bias,
        "rest": 0.0 if abs(other) < noise else other,
        "before": before,
    }
    return result | {"words": _words(result, products.size)}


def _window(
    tapped: LayerTrace, map_: int, row: int, column: int
) -> tuple[int | None, int | None, Floats]:
    layer, into = tapped.layer, tapped.into
    if layer.kind == "dense":
        return None, None, into.reshape(-1)
    if layer.kind == "pooling":
        into = into[map_ : map_ + 1]
        size = layer.window or into.shape[1]  # no window: the whole map
    else:
        group = len(into) // layer.groups
        index = map_ * layer.groups // len(tapped.after) * group
        into, size = into[index : index + group], layer.window
    top = row * layer.stride - layer.padding
    left = column * layer.stride - layer.padding
    window = np.zeros((len(into), size, size), np.float32)
    height, width = into.shape[1:]
    rows = slice(max(0, -top), max(0, min(size, height - top)))
    columns = slice(max(0, -left), max(0, min(size, width - left)))
    window[:, rows, columns] = into[
        :, max(0, top) : max(0, top + size), max(0, left) : max(0, left + size)
    ]
    return top, left, window


def _words(result: dict[str, Any], count: int) -> str:
    words = f"{count} products sum to {result['sum']:.4g}"
    words += f"; with the bias {result['bias']:.4g}"
    if result["rest"]:
        words += f" and {result['rest']:.4g} from elsewhere"
    words += f" that is {result['before']:.4g}"
    return words + (
        f"; {result['activation']} makes it {result['value']:.4g}"
        if result["activation"]
        else ""
    )


def _pooling_words(result: dict[str, Any], layer: Layer) -> str:
    size = f"{layer.window} x {layer.window}" if layer.window else "whole map"
    return f"the {size} window comes to {result['value']:.4g}"
