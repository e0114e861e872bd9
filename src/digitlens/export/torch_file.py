"""A network as a `torch.export` program: a file that torch runs without digitlens."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import torch

from digitlens.digits import SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn


def to_torch(network: nn.Module) -> bytes:
    """Return `network` as a .pt2 file: float (N, 1, 28, 28) in 0..1 -> logits (N, 10 or 11)."""
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
