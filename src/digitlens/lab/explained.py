"""Why a network answers as it does, as JSON that a page can draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from digitlens.explaining import explain
from digitlens.explaining.explanation import rounded
from digitlens.lab.encode import png_address
from digitlens.lab.kernels import arithmetic

if TYPE_CHECKING:
    from digitlens.inside import Layer
    from digitlens.lab.answers import Ready
    from digitlens.lab.taps import Taps
    from digitlens.model import Model

OCCLUSION_STEP = 2
"""Every second pixel is the middle of a window: a quarter of the time, and the map looks the
same at the size of a page."""

MOST_WEIGHTS = 40_000
"""Kernels of a layer are sent whole up to so many numbers; of larger layers one at a time."""


def explained(
    model: Model, taps: Taps, ready: Ready, *, name: str, filters: bool
) -> dict[str, Any]:
    """Return why `model` answers as it does.

    What `Explanation.as_dict` holds, with each step's picture as a data: address (a number for
    each pixel of a large picture would be megabytes), and of each layer what `layer_words`
    tells.
    """
    subject = ready.digit if ready.framing is None else ready.framing
    found = explain(model, subject, inside=taps.inside, gradients=False, step=OCCLUSION_STEP)
    told = found.as_dict(filters=filters)
    told["model"] = name
    told["answer"] = found.answer
    told["mattered"] = found.mattered
    told["shown"] = found.shown
    for step, kept in zip(told["steps"], found.steps, strict=True):
        height, width = kept.picture.shape[:2]
        step.update(picture=png_address(kept.picture), height=height, width=width)
    shape: list[int] = [1, *ready.digit.shape]
    for words, maps in zip(told["layers"], found.maps, strict=True):
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
        "bend": layer.bend,
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
    biases = [0.0] * len(layer.weight) if layer.bias is None else rounded(layer.bias)
    return {
        "kernels": [rounded(each) for each in layer.weight[first:last]],
        "biases": biases[first:last],
        "first": first,
        "count": len(layer.weight),
    }
