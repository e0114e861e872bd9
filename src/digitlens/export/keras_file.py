"""Plain operations as a .keras file, for those who go on in Keras."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.digits import SIDE
from digitlens.errors import MissingExtraError, UsageError
from digitlens.ops import Affine, Conv, Flatten, MaxPool, Op, Relu

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def to_keras(ops: Sequence[Op], *, name: str) -> bytes:
    """Return `ops` as a .keras file: (N, 28, 28) in 0..255, 255 = ink -> logits (N, 10 or 11).

    Raises
    ------
    MissingExtraError
        Keras, or an engine for it, is not installed.
    UsageError
        The network has a layer that Keras does not have.
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
            case Affine():
                layers.append(keras.layers.Dense(len(op.weight)))
                weights.append([op.weight.T, op.bias])
            case Relu():
                layers.append(keras.layers.ReLU())
            case MaxPool():
                layers.append(keras.layers.MaxPooling2D(op.window))
            case Flatten():
                # Keras keeps channels last, torch unrolls channel by channel.
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
    try:
        import keras
    except ImportError as error:
        raise MissingExtraError(
            "export to Keras needs Keras and an engine for it",
            seen=str(error),
            try_="pip install keras, and KERAS_BACKEND=torch in the environment",
        ) from error
    return keras
