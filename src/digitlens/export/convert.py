"""`digitlens export`: a run's network in another program's format, with a parity check."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError

from digitlens import networks
from digitlens.atomic import make_folder, write_bytes
from digitlens.digits import CLASSES, SIDE
from digitlens.errors import ModelError, UsageError
from digitlens.export.fold import fold
from digitlens.export.onnx_file import to_onnx
from digitlens.export.rebuild import rebuild
from digitlens.export.unfold import unfold
from digitlens.model import Model, load_model
from digitlens.training.folder import MODEL, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor, nn

FORMATS = {"onnx": ".onnx", "torch": ".pt2", "keras": ".keras"}
TOLERANCE = 1e-4
CHECKED = 256


@dataclass(frozen=True)
class Exported:
    """What an export wrote, and the largest difference of a probability from the original."""

    path: Path
    format: str
    difference: float
    checked: int


def export_model(source: str | Path, to: str, *, out: Path | None = None) -> Exported:
    """Write a model's network in another format and check that it answers the same.

    Parameters
    ----------
    source
        A published network, a run folder, or an .onnx file that digitlens wrote. Of several
        networks together only ``"onnx"`` can be had.
    to
        ``"onnx"``; ``"torch"``: a `torch.export` program, loaded by ``torch.export.load``
        without digitlens, float (N, 1, 28, 28) in 0..1 -> logits; ``"keras"``: a .keras file,
        uint8 or float (N, 28, 28) in 0..255 -> logits (needs keras). Networks that tell what
        is no digit give an eleventh logit for it.
    out
        The file to write; in the current folder, named after the model, when None.

    Raises
    ------
    UsageError
        An unknown format, or `out` is there already.
    ModelError
        The source is no model, or the exported network does not answer the same to within
        1e-4 in every probability (nothing is left behind then).
    """
    if to not in FORMATS:
        raise UsageError(f"{to!r} is no export format", seen=f"known: {', '.join(FORMATS)}")
    model = load_model(source)
    target = out or Path(f"{model.name}{FORMATS[to]}")
    if target.exists():
        raise UsageError(f"{target} is there already", try_="--out with another name")
    pixels = _test_pixels()
    if to == "onnx":
        content = _as_onnx(model)
        answers = Model(target, content).predict(pixels).probabilities
    elif to == "torch":
        from digitlens.export.torch_file import run_torch, to_torch

        content = to_torch(_network(model, to))
        answers = _softmax(run_torch(content, pixels))
    else:
        from digitlens.export.keras_file import run_keras, to_keras

        content = to_keras(fold(_network(model, to)), name=model.name)
        answers = _softmax(run_keras(content, pixels))
    difference = float(np.abs(answers - model.predict(pixels).probabilities).max())
    if not difference <= TOLERANCE:
        raise ModelError(
            f"the exported network must answer as the original, to within {TOLERANCE:g}",
            seen=f"a probability differs by {difference:.2g}; nothing was written",
        )
    make_folder(target.parent)
    write_bytes(target, content)
    return Exported(target, to, difference, len(pixels))


def load_network(folder: Path, name: str) -> nn.Sequential:
    """Return the torch network `name` with the best weights of the run in `folder`.

    Raises
    ------
    ModelError
        The weights are missing, damaged, or of another network.
    """
    network = networks.build(name)
    with read_weights(folder / WEIGHTS, name) as weights:
        if weights.keys() != network.state_dict().keys():
            # A fine-tuned network has its normalisation folded into its kernels.
            network = rebuild(unfold((folder / MODEL).read_bytes(), name=str(folder)))
        network.load_state_dict(weights)
    return network.eval()


@contextmanager
def read_weights(path: Path, name: str) -> Iterator[dict[str, Tensor]]:
    """Give the weights in `path` to a ``with`` block, which loads them into a network.

    Raises
    ------
    ModelError
        They are missing, damaged, or do not fit into the network, which is called `name`.
    """
    try:
        yield safetensors.torch.load_file(path)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ModelError(
            f"{path} must hold the weights of {name}",
            seen=str(error).splitlines()[0],
            try_="name a run folder that digitlens train made",
        ) from error


def _has_weights(model: Model) -> bool:
    return (model.path.parent / WEIGHTS).is_file()


def _as_onnx(model: Model) -> bytes:
    """Return the model as an ONNX file: from its weights, or as it came where it has none."""
    if not _has_weights(model):
        return model.path.read_bytes()
    return to_onnx(fold(load_network(model.path.parent, model.card.network)), model.card)


def _network(model: Model, to: str) -> nn.Sequential:
    """Return the model in torch: from its weights, or from its own file where it has none."""
    if _has_weights(model):
        return load_network(model.path.parent, model.card.network)
    try:
        return rebuild(unfold(model.path.read_bytes(), name=model.name)).eval()
    except ModelError as error:
        raise ModelError(
            f"{model.name} cannot be had in the format {to}: {error.wanted}",
            seen=error.seen,
            likely=error.likely,
            try_="--to onnx",
        ) from error


def _test_pixels() -> NDArray[np.uint8]:
    # Noise, strokes and extremes: parity must hold on anything, not on digits alone.
    chance = np.random.default_rng(0)
    pixels = chance.integers(0, 256, (CHECKED, SIDE, SIDE), dtype=np.uint8)
    pixels[: CHECKED // 2] *= chance.random((CHECKED // 2, SIDE, SIDE)) < 0.2
    pixels[0], pixels[1] = 0, 255
    return pixels


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the shares of the ten digits; what an eleventh logit says is left out."""
    return torch.from_numpy(np.array(logits[:, :CLASSES])).softmax(1).numpy()
