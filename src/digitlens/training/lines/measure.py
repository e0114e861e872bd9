"""How many lines a network reads exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from digitlens.digits import CLASSES
from digitlens.training.lines.loss import Lesson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, nn

    from digitlens.training.lines.batches import Batch


def best_path(logits: Tensor, frames: Tensor) -> list[str]:
    """Return what the likeliest class of each frame comes to, line by line.

    Repeats are taken together and blanks left out. It costs nothing, and is a little less
    often right than `digitlens.reading.decode`, which sums over alignments.

    Parameters
    ----------
    logits
        float (N, T, 11).
    frames
        int64 (N,): frames of each line; what comes behind is padding.

    Examples
    --------
    >>> table = torch.eye(11)[torch.tensor([[10, 4, 4, 10, 4, 1, 10, 7]])]
    >>> best_path(table, torch.tensor([7]))
    ['441']
    """
    likeliest = logits.argmax(2)
    begins = likeliest != CLASSES
    begins[:, 1:] &= likeliest[:, 1:] != likeliest[:, :-1]
    begins &= torch.arange(logits.shape[1], device=frames.device) < frames[:, None]
    rows = zip(likeliest.cpu(), begins.cpu(), strict=True)
    return ["".join(map(str, row[kept].tolist())) for row, kept in rows]


@torch.inference_mode()
def misread(network: nn.Module, batches: Iterable[Batch], device: str = "cpu") -> int:
    """Return how many lines `network` does not read exactly, in float32; its mode stays."""
    was_training = network.training
    network.eval()
    wrong = 0
    for batch in batches:
        lesson = Lesson.of(batch, device)
        texts = best_path(network(lesson.strips), lesson.frames)
        pairs = zip(texts, batch.texts(), strict=True)
        wrong += sum(text != truth for text, truth in pairs)
    network.train(was_training)
    return wrong
