"""A network measured as it will be used: evaluation mode, float32."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from digitlens.digits import CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

CHUNK = 1000


@torch.inference_mode()
def measure(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[int, float]:
    """Return (misses, mean negative log likelihood in nats) of `network` on some digits.

    Parameters
    ----------
    network
        Left in the mode it came in.
    images
        uint8 (N, 28, 28), N > 0.
    labels
        int64 (N,).
    """
    misses = torch.zeros((), dtype=torch.int64, device=images.device)
    loss = torch.zeros((), dtype=torch.float64, device=images.device)
    parts = zip(_logits(network, images), torch.split(labels, CHUNK), strict=True)
    for logits, truth in parts:
        misses += (logits.argmax(1) != truth).sum()
        loss += functional.cross_entropy(logits, truth, reduction="sum")
    return int(misses), float(loss) / len(labels)


@torch.inference_mode()
def answers(network: nn.Module, images: Tensor) -> Tensor:
    """Return the class that `network` finds likeliest for each digit: int64 (N,)."""
    return torch.cat([logits.argmax(1) for logits in _logits(network, images)])


def _logits(network: nn.Module, images: Tensor) -> Iterator[Tensor]:
    """Walk over the logits of `CHUNK` digits at a time, and leave the network's mode."""
    was_training = network.training
    network.eval()
    try:
        for pixels in torch.split(images, CHUNK):
            yield network(pixels.unsqueeze(1).float().div_(255))[:, :CLASSES]
    finally:
        network.train(was_training)
