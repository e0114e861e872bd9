"""A network measured as it will be used: evaluation mode, float32."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
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
    was_training = network.training
    network.eval()
    misses = torch.zeros((), dtype=torch.int64, device=images.device)
    loss = torch.zeros((), dtype=torch.float64, device=images.device)
    for pixels, truth in zip(
        torch.split(images, CHUNK), torch.split(labels, CHUNK), strict=True
    ):
        logits = network(pixels.unsqueeze(1).float().div_(255))
        misses += (logits.argmax(1) != truth).sum()
        loss += functional.cross_entropy(logits, truth, reduction="sum")
    network.train(was_training)
    return int(misses), float(loss) / len(labels)


@torch.inference_mode()
def answers(network: nn.Module, images: Tensor) -> Tensor:
    """Return the class that `network` finds likeliest for each digit: int64 (N,)."""
    was_training = network.training
    network.eval()
    chunks = [
        network(pixels.unsqueeze(1).float().div_(255)).argmax(1)
        for pixels in torch.split(images, CHUNK)
    ]
    network.train(was_training)
    return torch.cat(chunks)
