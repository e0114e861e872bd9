"""The training loop: digits resident as uint8, few and large tensor operations.

* A network measured as it will be used: evaluation mode, float32.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from digitlens.digits import CLASSES
from digitlens.errors import DivergedError
from digitlens.metrics.history import Epoch
from digitlens.training.augment import NO_DIGIT, augment_epoch, generator
from digitlens.training.config import MEASURED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn

    from digitlens.models.recipe import Recipe
    from digitlens.training.augment import EpochData
    from digitlens.training.checkpoint import TrainState
    from digitlens.training.config import Callback, TrainSettings
    from digitlens.training.device import Device
    from digitlens.training.optimizer import AdamW

    Teacher = Callable[[Tensor], Tensor]
    """Digits uint8 (N, 28, 28) -> logits float32 (N, K), as many as the network has."""


CHUNK = 1000


@torch.inference_mode()
def evaluate_network(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[int, float]:
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
def predict_logits(network: nn.Module, images: Tensor) -> Tensor:
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


GATHERED = 200
"""Batches over which batch normalisation averages before it is frozen."""

LOOK_EVERY = 32
"""Steps between two looks at the losses: a look waits for the device."""


@dataclass(frozen=True)
class Part:
    """Digits on a device: images uint8 (N, 28, 28), labels int64 (N,)."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


def steps_in(count: int, recipe: Recipe) -> tuple[int, int]:
    """Return (pictures a step, steps an epoch) for `count` digits and their outliers.

    The last digits of an epoch that fill no whole batch wait for the next one; the order is
    new each time, so none is left out for good.
    """
    batch = min(recipe.batch, count)
    return batch, (count + recipe.count_negatives(count)) // batch


class Trainer:
    """One training run in memory; it knows no files.

    Parameters
    ----------
    network, optimiser, state
        What is trained, and how far it has come; changed in place.
    settings
        The resolved settings.
    train, validation
        Digits on the device; `validation` may be empty.
    device
        Where, and in which precision.
    progress
        Who is told.
    teacher
        Whose logits are learnt, when the recipe has one.
    """

    def __init__(
        self,
        network: nn.Sequential,
        optimiser: AdamW,
        state: TrainState,
        *,
        settings: TrainSettings,
        train: Part,
        validation: Part,
        device: Device,
        progress: Callback,
        teacher: Teacher | None = None,
    ) -> None:
        self.network = network
        self.optimiser = optimiser
        self.state = state
        self.settings = settings
        self.recipe = settings.recipe
        self.train = train
        self.validation = validation
        self.device = device
        self.progress = progress
        self.teacher = teacher
        self.batch, self.steps_per_epoch = steps_in(len(train), self.recipe)
        self.steps = self.steps_per_epoch * self.recipe.epochs
        self._losses = torch.zeros(self.steps_per_epoch, device=device.kind)
        # Digits may come sorted by class, so the ones that are measured again are drawn.
        drawn = torch.randperm(len(train), generator=generator(0, 0))[:MEASURED]
        self.sample = Part(train.images[drawn], train.labels[drawn])

    @property
    def finished(self) -> bool:
        """Whether all epochs are done and measured."""
        return len(self.state.history) == self.recipe.epochs

    def run_epoch(self, stop: Callable[[], bool]) -> bool:
        """Train to the end of the epoch under way and measure; True when it got there.

        Raises
        ------
        DivergedError
            The loss became infinite or not a number; the error says at which step.
        """
        epoch = len(self.state.history)
        began = time.perf_counter() - self.state.seconds
        rng = generator(self.settings.seed, epoch)
        lesson = augment_epoch(
            self.train.images,
            self.train.labels,
            recipe=self.recipe,
            rng=rng,
            bf16=self.device.bf16,
        )
        images, truth = lesson.images.unsqueeze(1), self._truth(lesson)
        self._losses.zero_()
        first = epoch * self.steps_per_epoch
        self.network.train()
        frozen_from = self.recipe.epochs - round(self.recipe.epochs * self.recipe.freeze_norm)
        if epoch == frozen_from and self.state.step == first:
            self._gather(images)
        if epoch >= frozen_from:
            _freeze(self.network)
        for index in range(self.state.step - first, self.steps_per_epoch):
            if stop():
                self.state.seconds = time.perf_counter() - began
                self._look(epoch, index)
                return False
            here = slice(index * self.batch, (index + 1) * self.batch)
            self._losses[index] = self._step(images[here], truth[here])
            self.state.step += 1
            if index % LOOK_EVERY == LOOK_EVERY - 1:
                self._look(epoch, index + 1)
                self.progress.step(self.state.step)
        self._look(epoch, self.steps_per_epoch)
        self._close_epoch(epoch, time.perf_counter() - began)
        return True

    def _gather(self, images: Tensor) -> None:
        """Let batch normalisation average over many batches: the running ones are too few."""
        layers = _normalising(self.network)
        before = [layer.momentum for layer in layers]
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # the plain mean over all batches
        with torch.no_grad(), self.device.precision():
            for pixels in torch.split(images, self.batch)[:GATHERED]:
                self.network(pixels.float().div_(255))
        for layer, momentum in zip(layers, before, strict=True):
            layer.momentum = momentum

    def _truth(self, lesson: EpochData) -> Tensor:
        """Return what is to be learnt: labels, int64 (N,), or a teacher's shares, (N, K)."""
        if self.teacher is None:
            return lesson.labels
        digits = lesson.labels != NO_DIGIT
        answers = self.teacher(lesson.clean[digits]) / self.recipe.temperature
        shares = answers.new_zeros(len(digits), answers.shape[1])
        shares[digits] = answers.softmax(1)
        shares[~digits, -1] = 1.0
        return shares

    def _step(self, pixels: Tensor, truth: Tensor) -> Tensor:
        rate = self.recipe.rate_at(self.state.step, self.steps)
        with self.device.precision():
            logits = self.network(pixels.float().div_(255))
        loss = functional.cross_entropy(
            logits.float() / self.recipe.temperature,
            truth,
            label_smoothing=self.recipe.label_smoothing,
        )
        self.optimiser.clear()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step(rate)
        return loss.detach()

    def _look(self, epoch: int, done: int) -> None:
        index = first_nonfinite(self._losses[:done])
        if index is None:
            return
        rate = self.recipe.rate_at(epoch * self.steps_per_epoch + index, self.steps)
        raise DivergedError(
            "training stopped: the loss must stay a finite number",
            seen=f"loss {float(self._losses[index])} at step {index + 1} of "
            f"{self.steps_per_epoch} in epoch {epoch + 1}, learning rate {rate:.2g}",
            likely="the learning rate is too high for these digits"
            if rate >= self.recipe.learning_rate / 2
            else None,
            try_=f"another --seed; or, in Python, a recipe with a learning rate of "
            f"{self.recipe.learning_rate / 3:.2g}. What was saved after the last whole "
            "epoch is still good",
        )

    def _close_epoch(self, epoch: int, seconds: float) -> None:
        sample = self.sample
        misses, loss = evaluate_network(self.network, sample.images, sample.labels)
        held: tuple[float, float] | None = None
        if len(self.validation):
            wrong, held_loss = evaluate_network(
                self.network, self.validation.images, self.validation.labels
            )
            held = held_loss, 1 - wrong / len(self.validation)
        digits = self.batch * self.steps_per_epoch
        self.state.seconds = 0.0
        self.state.history.append(
            Epoch(
                epoch=epoch + 1,
                train_loss=loss,
                train_accuracy=1 - misses / len(sample),
                validation_loss=held[0] if held else None,
                validation_accuracy=held[1] if held else None,
                learning_rate=self.recipe.rate_at(self.state.step - 1, self.steps),
                seconds=seconds,
                digits_per_second=digits / seconds,
            )
        )
        self.progress.epoch(self.state.history[-1])


def first_nonfinite(losses: Tensor) -> int | None:
    """Return where the first loss stands that is not a finite number, or None."""
    good = torch.isfinite(losses)
    return None if bool(good.all()) else int(good.logical_not().nonzero()[0])


def _freeze(network: nn.Module) -> None:
    """Let batch normalisation use what it has gathered, as it will after training."""
    for layer in _normalising(network):
        layer.eval()


def _normalising(network: nn.Module) -> list[nn.BatchNorm1d | nn.BatchNorm2d]:
    kinds = (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)
    return [layer for layer in network.modules() if isinstance(layer, kinds)]
