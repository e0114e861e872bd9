"""Networks of one's own: a list of layers, or any torch module that is a chain of them.

Both become an `nn.Sequential` of layers that digitlens exports, or an error before training.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator
from typing import Any

import torch
from torch import fx, nn

from digitlens.digits import CLASSES, SIDE
from digitlens.errors import UsageError
from digitlens.models.architectures import Architecture, evaluation_mode
from digitlens.models.architectures.lenet5 import (
    BitmapDistance,
    InputPad,
    PartialConv2d,
    ScaledTanh,
    Subsample,
)
from digitlens.models.recipe import ACTIVATIONS, Recipe

# ``conv16``, ``conv32x5/2`` (kernel, stride), ``pool``, ``pool3``, ``dense64``, ``drop.2``.
LAYER = re.compile(
    r"conv(?P<maps>\d+)(x(?P<kernel>\d+))?(/(?P<stride>\d+))?|pool(?P<pool>\d*)"
    r"|dense(?P<values>\d+)|drop(?P<share>0?\.\d+)"
)

EXAMPLE = "conv16,pool,conv32,pool,dense64"
MAX_WEIGHTS = 50_000_000


def _refuse_unnamed() -> nn.Sequential:
    raise UsageError("custom is a network of your own layers", try_=f"--layers {EXAMPLE}")


# For whatever network: it was measured on none, so --learning-rate is worth a try.
RECIPE = Recipe(epochs=4, batch=256, learning_rate=0.003, weight_decay=0.02)

ARCHITECTURES = {"custom": Architecture(_refuse_unnamed, RECIPE, weights=0, multiply_adds=0)}


def build_layers(spec: str, activation: str = "relu") -> nn.Sequential:
    """Build the network of a list of layers, with fresh weights from torch's generator.

    spec: layers as `LAYER` has them, separated by commas. A convolution has 3 x 3 kernels, no
        padding, and an activation behind it; so has a dense layer. The ten logits follow by
        themselves.
    activation: one of `ACTIVATIONS`; with none, layers on layers can do no more than one

    Raises UsageError: an unknown layer or activation, a layer too many for 28 x 28 pixels, or
    too many weights.

    >>> [type(layer).__name__ for layer in build_layers("conv4,pool,dense8")]
    ['Conv2d', 'ReLU', 'MaxPool2d', 'Flatten', 'Linear', 'ReLU', 'Linear']
    """
    layers: list[nn.Module] = []
    shape: tuple[int, ...] = (1, SIDE, SIDE)
    weights = 0
    for word in [*spec.replace(" ", "").split(","), f"dense{CLASSES}"]:
        match = LAYER.fullmatch(word)
        if match is None:
            raise UsageError(f"{word!r} is no layer", seen=f"--layers {spec}", try_=EXAMPLE)
        if (match["values"] or match["share"]) is None and len(shape) == 1:
            raise UsageError(f"{word} must come before the dense layers", seen=spec)
        if match["values"] and len(shape) > 1:
            layers.append(nn.Flatten())
            shape = (shape[0] * shape[1] * shape[2],)
        with torch.device("meta"):  # weights are counted before memory is taken for them
            planned, _ = _make_layer(match, shape, word)
        weights += sum(number.numel() for part in planned for number in part.parameters())
        if weights > MAX_WEIGHTS:
            raise UsageError(f"{word} is too large: {weights:,} weights", seen=spec)
        parts, shape = _make_layer(match, shape, word)
        layers += parts
    if activation not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise UsageError(f"{activation!r} is no activation", seen=f"known: {known}")
    kind = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "none": nn.Identity}[
        activation
    ]
    return nn.Sequential(  # nothing behind the logits
        *(kind() if isinstance(layer, nn.ReLU) else layer for layer in layers[:-1])
    )


def _make_layer(
    match: re.Match[str], shape: tuple[int, ...], word: str
) -> tuple[list[nn.Module], tuple[int, ...]]:
    """Return a layer with its ReLU, and the shape behind it."""
    if match["share"]:
        return [nn.Dropout(float(match["share"]))], shape
    names = ("maps", "values", "kernel", "stride", "pool")
    sizes = [int(match[name]) for name in names if match[name]]
    if 0 in sizes or max(sizes, default=1) > 10_000:
        raise UsageError(f"{word} must have sizes of 1 to 10,000")
    if match["values"]:
        values = int(match["values"])
        return [nn.Linear(shape[0], values), nn.ReLU(inplace=True)], (values,)
    kernel = int(match["kernel"] or 3) if match["maps"] else int(match["pool"] or 2)
    stride = int(match["stride"] or 1) if match["maps"] else kernel
    if kernel > shape[1]:
        raise UsageError(
            f"{word} must fit into the maps before it",
            seen=f"kernels of {kernel} x {kernel}, maps of {shape[1]} x {shape[1]}",
            try_="fewer poolings, or smaller kernels",
        )
    side = (shape[1] - kernel) // stride + 1
    if match["pool"] is not None:
        return [nn.MaxPool2d(kernel)], (shape[0], side, side)
    maps = int(match["maps"])
    convolution = nn.Conv2d(shape[0], maps, kernel, stride)
    return [convolution, nn.ReLU(inplace=True)], (maps, side, side)


def adopt(module: nn.Module) -> nn.Sequential:
    """Return a torch module as a chain of layers that digitlens trains and exports.

    The layers are the module's own, so that training it trains them. Softmax at the end is
    left out, for digitlens adds it itself; a dense layer at the beginning gets an `nn.Flatten`
    before it. Functions between layers (relu, max_pool2d, flatten, view) become layers.

    module: takes float (N, 1, 28, 28) in 0..1, 1 = ink, and gives logits (N, 10), or (N, 11),
        the eleventh for "no digit"

    Raises UsageError: branches, a layer that cannot be exported, or another shape.
    """
    layers = [layer for layer in _list_layers(module) if not isinstance(layer, nn.Identity)]
    while layers and isinstance(layers[-1], nn.Softmax | nn.LogSoftmax):
        layers.pop()
    kinds = nn.Conv2d | nn.Linear | nn.Flatten
    first = next((layer for layer in layers if isinstance(layer, kinds)), None)
    if isinstance(first, nn.Linear):
        layers.insert(0, nn.Flatten())
    for before, layer in zip([None, *layers], layers, strict=False):
        reason = _why_not(layer, before)
        if reason:
            raise UsageError(
                f"{type(layer).__name__} cannot be exported, so it is not trained either",
                seen=f"{layer}: {reason}",
                try_="Conv2d, Linear, BatchNorm, ReLU, Tanh, MaxPool2d, Dropout and Flatten",
            )
    network = nn.Sequential(*layers)
    _check_shape(network)
    return network


def _check_shape(network: nn.Sequential) -> None:
    try:
        with evaluation_mode(network), torch.inference_mode():
            shape = tuple(network(torch.zeros(2, 1, SIDE, SIDE)).shape)
    except (RuntimeError, ValueError, IndexError) as error:
        raise UsageError(
            f"the network must take (N, 1, {SIDE}, {SIDE})", seen=str(error).splitlines()[0]
        ) from error
    if shape not in ((2, CLASSES), (2, CLASSES + 1)) or not isinstance(network[-1], nn.Linear):
        raise UsageError(
            f"the network must end in a dense layer of {CLASSES} logits (N, {CLASSES})",
            seen=f"{type(network[-1]).__name__}, {shape} for two digits",
        )


def _why_not(layer: nn.Module, before: nn.Module | None) -> str:
    """Say why a layer cannot be exported; "" for one that can."""
    known = (nn.Linear, nn.ReLU, nn.Tanh, nn.Sigmoid, nn.Flatten, nn.Dropout, nn.Dropout2d)
    lenet = (BitmapDistance, InputPad, PartialConv2d, ScaledTanh, Subsample)
    match layer:
        case nn.BatchNorm1d() | nn.BatchNorm2d():
            if not isinstance(before, nn.Conv2d | nn.Linear):
                return "it must stand right behind a convolution or a dense layer"
            return "" if layer.affine and layer.track_running_stats else "its own statistics"
        case nn.Conv2d():
            if layer.dilation != (1, 1) or layer.padding_mode != "zeros":
                return "dilation and padding other than zeros are not exported"
            return "" if not isinstance(layer.padding, str) else "padding must be in numbers"
        case nn.MaxPool2d():
            plain = layer.kernel_size == layer.stride and isinstance(layer.kernel_size, int)
            plain = plain and (layer.padding, layer.dilation, layer.ceil_mode) == (0, 1, False)
            return "" if plain else "kernel and stride must be one number, without padding"
        case _ if isinstance(layer, (*known, *lenet)):
            return ""
    return "no rule to export it"


def _list_layers(module: nn.Module) -> Iterator[nn.Module]:
    """Walk over the layers of a module in the order in which they are called."""
    if isinstance(module, nn.Sequential):
        for layer in module:
            yield from _list_layers(layer)
    elif type(module).__module__.startswith(("torch.nn", "digitlens.")):
        yield module
    else:
        yield from _trace(module)


def _trace(module: nn.Module) -> Iterator[nn.Module]:
    """Walk over what a module's `forward` calls, one layer after the other."""
    try:
        traced = fx.symbolic_trace(module)
    except Exception as error:  # whatever a forward does that cannot be followed
        raise UsageError(
            f"{type(module).__name__} must be a chain of layers",
            seen=f"its forward cannot be followed: {str(error).splitlines()[0][:100]}",
            try_="nn.Sequential",
        ) from error
    last: fx.Node | None = None
    # Each node must take what the one before it gave, and nothing else.
    for node in traced.graph.nodes:
        if node.op in ("placeholder", "output") or _is_size(node):
            last = node if node.op == "placeholder" else last
            continue
        taken = [item for item in node.all_input_nodes if not _is_size(item)]
        if taken != [last]:
            raise UsageError(
                f"{type(module).__name__} must be a chain of layers, without branches",
                seen=f"{node.name} takes {', '.join(item.name for item in taken)}",
            )
        last = node
        if node.op == "call_module":
            yield from _list_layers(traced.get_submodule(str(node.target)))
        else:
            yield _as_layer(node)


def _is_size(node: fx.Node) -> bool:
    """Say whether a node asks for a shape, or counts with one."""
    if node.op == "call_method" and node.target == "size":
        return True
    return node.op == "call_function" and node.target in (getattr, operator.getitem)


def _as_layer(node: fx.Node) -> nn.Module:
    """Return the layer that does what a function or method in `forward` does."""
    target: Any = node.target
    name = target if isinstance(target, str) else getattr(target, "__name__", str(target))
    options: dict[Any, Any] = dict(enumerate(node.args[1:])) | dict(node.kwargs)
    if name in ("relu", "relu_"):
        return nn.ReLU()
    if name in ("tanh", "sigmoid"):
        return nn.Tanh() if name == "tanh" else nn.Sigmoid()
    if name in ("flatten", "view", "reshape"):
        return nn.Flatten()
    if name in ("dropout", "dropout2d"):
        return nn.Dropout(float(options.get("p", options.get(0, 0.5))))
    if name in ("softmax", "log_softmax"):
        return nn.LogSoftmax(1)
    if name in ("max_pool2d", "boolean_dispatch", "_max_pool2d", "fn"):
        kernel: Any = options.get("kernel_size", options.get(0))
        stride = options.get("stride", options.get(1)) or kernel
        return nn.MaxPool2d(kernel, stride)
    raise UsageError(
        f"{name} cannot be exported, so it is not trained either",
        seen=f"in forward: {node.format_node()}",
        try_="relu, tanh, sigmoid, max_pool2d, dropout, flatten and layers",
    )


def add_dropout(network: nn.Sequential, share: float) -> nn.Sequential:
    """Return a network whose dense hidden layers lose this share of values in training."""
    layers: list[nn.Module] = []
    is_flat = False
    for layer in network:
        layers.append(layer)
        is_flat |= isinstance(layer, nn.Linear)
        if is_flat and isinstance(layer, nn.ReLU | nn.Tanh | nn.Sigmoid | nn.Identity):
            layers.append(nn.Dropout(share))
    return nn.Sequential(*layers)
