"""`digitlens export`: a network in another program's format, with a parity check.

The formats are ONNX, a `torch.export` program and a .keras file; all run without digitlens.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from digitlens.digits import CLASSES, SIDE
from digitlens.errors import MissingExtraError, ModelError, UsageError
from digitlens.models.convert import fuse_layers, load_network, rebuild
from digitlens.models.inference import Model, load_model
from digitlens.models.onnx_reader import parse_onnx
from digitlens.models.onnx_writer import to_onnx
from digitlens.models.ops import Conv, Flatten, Linear, MaxPool, Op, Relu, Sigmoid, Tanh
from digitlens.runs import BEST_WEIGHTS
from digitlens.storage import check_free, make_folder, write_bytes

FORMATS = {"onnx": ".onnx", "torch": ".pt2", "keras": ".keras"}

# The most by which a probability of the exported network may differ from the original's.
TOLERANCE = 1e-4

CHECKED = 256  # pictures on which both are compared


@dataclass(frozen=True)
class ExportResult:
    """What an export wrote, and the largest difference of a probability from the original."""

    path: Path
    format: str
    difference: float
    checked: int


def export_model(source: str | Path, to: str, *, out: str | Path | None = None) -> ExportResult:
    """Write a model's network in another format and check that it answers the same.

    source: a published network, a run folder, or an .onnx file that digitlens wrote. Several
        networks together are only exported as ``"onnx"``.
    to: ``"onnx"``; ``"torch"``: a `torch.export` program, loaded by ``torch.export.load``
        without digitlens, float (N, 1, 28, 28) in 0..1 -> logits; ``"keras"``: a .keras file,
        uint8 or float (N, 28, 28) in 0..255 -> logits (needs keras). Networks that know "no
        digit" give an eleventh logit for it.
    out: the file to write; in the current folder, named after the model, when None

    Raises UsageError: an unknown format; StorageError: `out` is there; ModelError: no model,
    or the exported network does not answer the same to within 1e-4 in every probability
    (nothing is left behind then).
    """
    # Refuse what cannot be done before any work is done.
    if to not in FORMATS:
        raise UsageError(f"{to!r} is no export format", seen=f"known: {', '.join(FORMATS)}")
    model = load_model(source)
    target = Path(out or f"{model.name}{FORMATS[to]}")
    check_free(target, "--out with another name")

    # Convert, and ask the new file.
    pixels = _draw_test_pixels()
    if to == "onnx":
        content = _to_onnx(model)
        answers = Model(target, content).predict(pixels).probabilities
    elif to == "torch":
        content = to_torch(_to_network(model, to))
        answers = _softmax(run_torch(content, pixels))
    else:
        content = to_keras(fuse_layers(_to_network(model, to)), name=model.name)
        answers = _softmax(run_keras(content, pixels))

    # Only a network that answers the same is written.
    difference = float(np.abs(answers - model.predict(pixels).probabilities).max())
    if not difference <= TOLERANCE:
        raise ModelError(
            f"the exported network must answer as the original, to within {TOLERANCE:g}",
            seen=f"a probability differs by {difference:.2g}; nothing was written",
        )
    make_folder(target.parent)
    write_bytes(target, content)
    return ExportResult(target, to, difference, len(pixels))


def _has_weights(model: Model) -> bool:
    return (model.path.parent / BEST_WEIGHTS).is_file()


def _to_onnx(model: Model) -> bytes:
    """Return the model as an ONNX file: from its run's weights, or as it is without them."""
    if not _has_weights(model):
        return model.path.read_bytes()
    return to_onnx(fuse_layers(load_network(model.path.parent, model.card.network)), model.card)


def _to_network(model: Model, to: str) -> nn.Sequential:
    """Return the model in torch: from its run's weights, or from its file without them."""
    if _has_weights(model):
        return load_network(model.path.parent, model.card.network)
    try:
        return rebuild(parse_onnx(model.path.read_bytes(), name=model.name)).eval()
    except ModelError as error:
        raise ModelError(
            f"{model.name} cannot be had in the format {to}: {error.wanted}",
            seen=error.seen,
            likely=error.likely,
            try_="--to onnx",
        ) from error


def _draw_test_pixels() -> NDArray[np.uint8]:
    # Noise, strokes and extremes: parity must hold on anything, not on digits alone.
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (CHECKED, SIDE, SIDE), dtype=np.uint8)
    pixels[: CHECKED // 2] *= rng.random((CHECKED // 2, SIDE, SIDE)) < 0.2
    pixels[0], pixels[1] = 0, 255
    return pixels


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probabilities of the ten digits; an eleventh logit is left out."""
    return torch.from_numpy(np.array(logits[:, :CLASSES])).softmax(1).numpy()


def to_torch(network: nn.Module) -> bytes:
    """Return `network` as a .pt2 file: float (N, 1, 28, 28) in 0..1 -> logits (N, 10 or 11)."""
    # The example fixes the shape but for the number of digits, which stays free.
    example = torch.zeros(2, 1, SIDE, SIDE)
    batch = torch.export.Dim("N", min=1)
    program = torch.export.export(network.eval(), (example,), dynamic_shapes=({0: batch},))
    file = io.BytesIO()
    torch.export.save(program, file)
    return file.getvalue()


def run_torch(content: bytes, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the logits of such a file for uint8 pixels (N, 28, 28)."""
    program = torch.export.load(io.BytesIO(content)).module()
    with torch.inference_mode():
        logits = program(torch.from_numpy(pixels).unsqueeze(1).float() / 255)
    return np.asarray(logits.numpy())


def to_keras(ops: Sequence[Op], *, name: str) -> bytes:
    """Return `ops` as a .keras file: (N, 28, 28) in 0..255, 255 = ink -> logits (N, 10 or 11).

    MissingExtraError without Keras; UsageError for a layer that Keras does not have.
    """
    keras = _keras()
    layers: list[Any] = [keras.Input((SIDE, SIDE)), keras.layers.Reshape((SIDE, SIDE, 1))]
    weights: list[list[NDArray[np.float32]]] = []
    for op in ops:
        match op:
            case Conv(groups=1):
                if any(op.padding):
                    layers.append(keras.layers.ZeroPadding2D(op.padding))
                layers.append(
                    keras.layers.Conv2D(len(op.weight), op.weight.shape[2:], strides=op.stride)
                )
                weights.append([op.weight.transpose(2, 3, 1, 0), op.bias])
            case Linear():
                layers.append(keras.layers.Dense(len(op.weight)))
                weights.append([op.weight.T, op.bias])
            case Relu():
                layers.append(keras.layers.ReLU())
            case Sigmoid() | Tanh(amplitude=1, slope=1):
                layers.append(keras.layers.Activation(type(op).__name__.lower()))
            case MaxPool():
                layers.append(keras.layers.MaxPooling2D(op.window))
            case Flatten():
                # Keras keeps channels last; torch unrolls channel by channel.
                layers += [keras.layers.Permute((3, 1, 2)), keras.layers.Flatten()]
            case _:
                raise UsageError(
                    f"Keras has no layer for {type(op).__name__.lower()}",
                    try_="--to onnx or --to torch",
                )
    model = keras.Sequential(layers, name=name.replace("-", "_"))
    trained = [layer for layer in model.layers if layer.weights]
    for layer, values in zip(trained, weights, strict=True):
        layer.set_weights(values)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes()


def run_keras(content: bytes, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the logits of such a file for uint8 pixels (N, 28, 28)."""
    keras = _keras()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(content)
        model = keras.models.load_model(path)
    return np.asarray(model.predict(pixels.astype(np.float32), verbose=0))


def _keras() -> Any:
    # torch is here, as it holds the weights; the engine that Keras would take may not be.
    os.environ.setdefault("KERAS_BACKEND", "torch")
    try:
        import keras
    except ImportError as error:
        raise MissingExtraError(
            "export to Keras needs Keras and an engine for it",
            seen=str(error),
            try_="pip install keras",
        ) from error
    return keras
