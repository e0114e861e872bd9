"""What a line reader learns from: the whole string, and at first single frames too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import torch
from torch.nn import functional

from digitlens.digits import CLASSES
from digitlens.training.lines.batches import UNKNOWN

if TYPE_CHECKING:
    from torch import Tensor

    from digitlens.training.lines.batches import Batch


@dataclass(frozen=True)
class Lesson:
    """A `Batch` as tensors on a device; strips are float32, channels last."""

    strips: Tensor
    labels: Tensor
    lengths: Tensor
    frames: Tensor
    centres: Tensor

    @classmethod
    def of(cls, batch: Batch, device: str) -> Self:
        """Return `batch` on the device of this kind."""
        strips = torch.from_numpy(batch.strips).to(device).float()
        rest = (batch.labels, batch.lengths, batch.frames, batch.centres)
        return cls(
            strips.contiguous(memory_format=torch.channels_last),
            *(torch.from_numpy(each).to(device) for each in rest),
        )


def loss_of(logits: Tensor, lesson: Lesson, frame_share: float) -> Tensor:
    """Return the mean loss a digit, in nats.

    Connectionist temporal classification (Graves et al. 2006): minus the logarithm of the
    probability of all alignments of the string, here over the number of its digits. To that
    comes `frame_share` of the mean of minus the logarithm of each digit's probability in the
    frame at its centre.

    Parameters
    ----------
    logits
        float (N, T, 11).
    frame_share
        0..1.
    """
    log_probs = logits.float().log_softmax(2)
    strings = functional.ctc_loss(
        log_probs.transpose(0, 1),
        lesson.labels,
        lesson.frames,
        lesson.lengths,
        blank=CLASSES,
        zero_infinity=True,  # a string that does not fit in its frames teaches nothing
        reduction="none",
    )
    loss = (strings / lesson.lengths.clamp(min=1)).mean()
    if frame_share:
        known = lesson.centres != UNKNOWN
        frames = functional.nll_loss(log_probs[known], lesson.centres[known], reduction="sum")
        loss = loss + frame_share * frames / known.sum().clamp(min=1)
    return loss
