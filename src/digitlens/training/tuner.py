"""Fine-tuning: a few steps on new digits among rehearsed ones."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from digitlens.diagnosis import Epoch
from digitlens.errors import DivergedError
from digitlens.training.adamw import AdamW
from digitlens.training.measure import measure
from digitlens.training.rehearsal import STEPS

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from digitlens.training.config import Progress
    from digitlens.training.rehearsal import Rehearsal
    from digitlens.training.trainer import Part


class Tuner:
    """Fine-tuning in memory; it knows no files.

    Parameters
    ----------
    network
        What is trained; changed in place.
    rehearsal
        What it is shown.
    held
        New digits that only measure; may be empty.
    """

    def __init__(self, network: nn.Sequential, rehearsal: Rehearsal, held: Part) -> None:
        self.network = network
        self.rehearsal = rehearsal
        self.recipe = rehearsal.recipe
        self.held = held
        self.history: list[Epoch] = []
        self.steps = STEPS * self.recipe.epochs
        self._optimiser = AdamW(
            network.parameters(),
            betas=self.recipe.betas,
            weight_decay=self.recipe.weight_decay,
        )

    def run(self, progress: Progress, stop: Callable[[], bool]) -> bool:
        """Train to the end; False when `stop` said so before.

        Raises
        ------
        DivergedError
            The loss became infinite or not a number.
        """
        for epoch in range(self.recipe.epochs):
            began = time.perf_counter()
            images, truth = self.rehearsal.lesson(epoch)
            batch = self.recipe.batch
            losses = torch.zeros(STEPS, device=images.device)
            self.network.train()
            for index in range(STEPS):
                if stop():
                    return False
                here = slice(index * batch, (index + 1) * batch)
                step = epoch * STEPS + index
                losses[index] = self._step(images[here], truth[here], step)
                progress.step(step + 1)
            if not bool(torch.isfinite(losses).all()):
                raise DivergedError(
                    "fine-tuning stopped: the loss must stay a finite number",
                    seen=f"not so in epoch {epoch + 1} of {self.recipe.epochs}",
                    try_="in Python, a recipe with a smaller learning rate",
                )
            self._close(epoch, time.perf_counter() - began)
            progress.epoch(self.history[-1])
        self.network.eval()
        return True

    def _rate(self, step: int) -> float:
        return self.recipe.rate_at(step, self.steps) * self.rehearsal.plan.rate

    def _step(self, pixels: Tensor, truth: Tensor, step: int) -> Tensor:
        with self.rehearsal.device.precision():
            logits = self.network(pixels.unsqueeze(1).float().div_(255))
        loss = functional.cross_entropy(logits.float() / self.recipe.temperature, truth)
        self._optimiser.clear()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step(self._rate(step))
        return loss.detach()

    def _close(self, epoch: int, seconds: float) -> None:
        new, held = self.rehearsal.new, self.held
        misses, loss = measure(self.network, new.images, new.labels)
        wrong = measure(self.network, held.images, held.labels) if len(held) else None
        self.history.append(
            Epoch(
                epoch=epoch + 1,
                train_loss=loss,
                train_accuracy=1 - misses / len(new),
                validation_loss=wrong[1] if wrong else None,
                validation_accuracy=1 - wrong[0] / len(held) if wrong else None,
                learning_rate=self._rate(STEPS * (epoch + 1) - 1),
                seconds=seconds,
                digits_per_second=STEPS * self.recipe.batch / seconds,
            )
        )


def blend(before: nn.Module, after: nn.Module, share: float) -> None:
    """Bring the weights of `after` to this share of the way from `before` to them.

    Networks that share their beginning can be averaged (Wortsman et al. 2022, Robust
    fine-tuning of zero-shot models, arXiv 2109.01903).
    """
    with torch.no_grad():
        for old, new in zip(before.parameters(), after.parameters(), strict=True):
            new.copy_(torch.lerp(old, new, share))
