"""What a network for single digits learns: an epoch of augmented digits at a time.

The digits lie on the device as uint8; an epoch is augmented by few and large operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from digitlens.digits import CLASSES, Digits
from digitlens.metrics.history import Epoch, best_epoch
from digitlens.models.architectures import evaluation_mode
from digitlens.models.recipe import Recipe
from digitlens.training.augment import NO_DIGIT, EpochData, augment_epoch, make_generator
from digitlens.training.checkpoint import TrainState
from digitlens.training.device import Device
from digitlens.training.trainer import Task

# Digits uint8 (N, 28, 28) -> logits float32 (N, K), as many as the network has.
Teacher = Callable[[Tensor], Tensor]


EVAL_BATCH = 1_000

# At most so many training digits are measured again after each epoch: enough that the
# accuracy's 95 % interval is under +-0.3 points, few enough to cost little time.
MAX_TRAIN_SAMPLE = 10_000

# A teacher that answers once is believed where it gives the label at least this share.
TRUSTED = 0.8
NORM_BATCHES = 200  # batches over which batch normalization averages before it is frozen


@dataclass(frozen=True)
class DigitTensors:
    """Digits on a device: images uint8 (N, 28, 28), labels int64 (N,)."""

    images: Tensor
    labels: Tensor

    @classmethod
    def load(cls, digits: Digits, device: str = "cpu") -> DigitTensors:
        """Return `digits` on the device of this kind."""
        images = np.require(digits.images, requirements=["C", "W"])
        labels = digits.labels.astype(np.int64)
        return cls(torch.from_numpy(images).to(device), torch.from_numpy(labels).to(device))

    def __len__(self) -> int:
        return len(self.labels)


class DigitTask(Task[Epoch]):
    """Digits by a recipe; an interval is an epoch.

    recipe: the recipe, adapted to the digits
    seed: decides order and augmentation
    train, validation: digits on the device; `validation` may be empty
    device: where, and in which precision
    teacher: whose logits are learnt, when the recipe has one
    negatives: uint8 (M, 28, 28) on the device: pictures that are no digit, to learn to refuse
    taught: int64 (M,): the training digits that a teacher who answers once is asked for; None
        for all of them
    """

    def __init__(
        self,
        recipe: Recipe,
        seed: int,
        *,
        train: DigitTensors,
        validation: DigitTensors,
        device: Device,
        teacher: Teacher | None = None,
        negatives: Tensor | None = None,
        taught: Tensor | None = None,
    ) -> None:
        batch, interval = count_steps(len(train), recipe)
        super().__init__(
            steps=interval * recipe.epochs,
            interval=interval,
            batch_size=batch,
            peak_rate=recipe.learning_rate,
        )
        self.recipe = recipe
        self.seed = seed
        self.train = train
        self.validation = validation
        self.device = device
        self.teacher = teacher
        self.negatives = negatives
        self._shares = self._ask_once(taught) if teacher and recipe.teacher_once else None
        # int64 (N,): what it answered last to `validation`, or to `sample` if that is empty
        self.labels: Tensor | None = None
        # Digits may come sorted by class, so the ones that are measured again are drawn.
        drawn = torch.randperm(len(train), generator=make_generator(0, 0))[:MAX_TRAIN_SAMPLE]
        self.sample = DigitTensors(train.images[drawn], train.labels[drawn])

    def batches(self, network: nn.Sequential, step: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Walk over the rest of an epoch: images uint8 (N, 1, 28, 28), and their targets."""
        epoch, done = divmod(step, self.interval)
        data = augment_epoch(
            self.train.images,
            self.train.labels,
            recipe=self.recipe,
            rng=make_generator(self.seed, epoch),
            bf16=self.device.bf16,
            negatives=self.negatives,
        )
        images, targets = data.images.unsqueeze(1), self._targets(data)
        self._freeze_norm(network, epoch, images, begins=done == 0)
        for index in range(done, self.interval):
            here = slice(index * self.batch_size, (index + 1) * self.batch_size)
            yield images[here], targets[here]

    def _targets(self, data: EpochData) -> Tensor:
        """Return what is to be learnt: labels, int64 (N,), or a teacher's shares, (N, K)."""
        if self._shares is not None:
            return self._shares[data.order]
        if self.teacher is None:
            return data.labels
        digits = data.labels != NO_DIGIT
        answers = self.teacher(data.clean[digits]) / self.recipe.temperature
        shares = answers.new_zeros(len(digits), answers.shape[1])
        shares[digits] = answers.softmax(1)
        shares[~digits, -1] = 1.0
        return shares

    def _ask_once(self, taught: Tensor | None) -> Tensor:
        """Return what is learnt of each training digit, then of no digit: float32 (N + 1, K).

        Where the teacher is not asked or not sure of the label, that is the label, smoothed.
        """
        assert self.teacher is not None
        labels = self.train.labels
        which = torch.arange(len(labels)) if taught is None else taught
        which = which.to(labels.device)
        answers = (self.teacher(self.train.images[which]) / self.recipe.temperature).softmax(1)
        classes, smoothing = answers.shape[1], self.recipe.label_smoothing
        known = torch.cat([labels, labels.new_tensor([NO_DIGIT])])
        shares = functional.one_hot(known, NO_DIGIT + 1)[:, :classes].float()
        shares = torch.lerp(shares, torch.full_like(shares, 1 / classes), smoothing)
        sure = answers.gather(1, labels[which, None])[:, 0] >= TRUSTED
        shares[which[sure]] = answers[sure]
        return shares

    def _freeze_norm(
        self, network: nn.Sequential, epoch: int, images: Tensor, *, begins: bool
    ) -> None:
        """Let normalization use what it gathered, in the epochs that the recipe says."""
        recipe = self.recipe
        first = recipe.epochs - round(recipe.epochs * recipe.freeze_norm)
        if epoch == first and begins:
            self.gather_statistics(network, images)
        if epoch >= first:
            for layer in _norm_layers(network):
                layer.eval()

    def gather_statistics(self, network: nn.Sequential, images: Tensor) -> None:
        """Let batch normalization average over many batches: the running ones are too few."""
        layers = _norm_layers(network)
        before = [layer.momentum for layer in layers]
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # the plain mean over all batches
        with torch.no_grad(), self.device.precision():
            for pixels in torch.split(images, self.batch_size)[:NORM_BATCHES]:
                network(pixels.float().div_(255))
        for layer, momentum in zip(layers, before, strict=True):
            layer.momentum = momentum

    def loss(self, network: nn.Module, batch: tuple[Tensor, Tensor], step: int) -> Tensor:  # noqa: ARG002
        """Return the cross-entropy at the recipe's temperature."""
        pixels, targets = batch
        with self.device.precision():
            logits = network(pixels.float().div_(255))
        return functional.cross_entropy(
            logits.float() / self.recipe.temperature,
            targets,
            label_smoothing=self.recipe.label_smoothing if self._shares is None else 0.0,
        )

    def learning_rate(self, step: int) -> float:
        """Return the recipe's learning rate."""
        return self.recipe.rate_at(step, self.steps)

    def evaluate(self, state: TrainState[Epoch], steps: int, seconds: float) -> Epoch:
        """Measure on some training digits and on those held back."""
        sample, validation = self.sample, self.validation
        self.labels, loss = answer(state.network, sample)
        misses, unseen = count_misses(self.labels, sample), None
        if len(validation):
            self.labels, unseen = answer(state.network, validation)
        return Epoch(
            epoch=len(state.history) + 1,
            train_loss=loss,
            train_accuracy=1 - misses / len(sample),
            validation_loss=unseen,
            validation_accuracy=1 - count_misses(self.labels, validation) / len(validation)
            if len(validation)
            else None,
            learning_rate=self.learning_rate(state.step - 1),
            seconds=seconds,
            digits_per_second=steps * self.batch_size / seconds,
        )

    def is_best(self, history: Sequence[Epoch]) -> bool:
        """Say whether the last epoch is the best so far."""
        return best_epoch(history) == len(history)


def count_steps(digits: int, recipe: Recipe) -> tuple[int, int]:
    """Return (pictures a step, steps an epoch) for so many digits and their negatives.

    The last digits of an epoch that fill no whole batch wait for the next one; the order is
    new each time, so none is left out for good.
    """
    batch = min(recipe.batch, digits)
    return batch, (digits + recipe.count_negatives(digits)) // batch


def evaluate_network(network: nn.Module, digits: DigitTensors) -> tuple[int, float]:
    """Return (misses, mean negative log likelihood in nats) of `network` on some digits.

    It is measured as it will be used, in evaluation mode and float32, and left in its mode.
    """
    labels, loss = answer(network, digits)
    return count_misses(labels, digits), loss


def count_misses(labels: Tensor, digits: DigitTensors) -> int:
    """Return how many of `labels`, int64 (N,) on the processor, are not those of `digits`."""
    return int((labels != digits.labels.cpu()).sum())


@torch.inference_mode()
def answer(network: nn.Module, digits: DigitTensors) -> tuple[Tensor, float]:
    """Return the likeliest labels, int64 (N,) on the processor, and the mean loss in nats."""
    loss = torch.zeros((), dtype=torch.float64, device=digits.images.device)
    labels = []
    truths = torch.split(digits.labels, EVAL_BATCH)
    for logits, truth in zip(_logits(network, digits.images), truths, strict=True):
        labels.append(logits.argmax(1))
        loss += functional.cross_entropy(logits, truth, reduction="sum")
    return torch.cat(labels).cpu(), float(loss) / len(digits)


@torch.inference_mode()
def predict_labels(network: nn.Module, images: Tensor) -> Tensor:
    """Return the class that `network` finds likeliest for each digit: int64 (N,)."""
    return torch.cat([logits.argmax(1) for logits in _logits(network, images)])


def _logits(network: nn.Module, images: Tensor) -> Iterator[Tensor]:
    """Walk over the logits of `EVAL_BATCH` digits at a time, and leave the network's mode."""
    with evaluation_mode(network):
        for pixels in torch.split(images, EVAL_BATCH):
            yield network(pixels.unsqueeze(1).float().div_(255))[:, :CLASSES]


def _norm_layers(network: nn.Module) -> list[nn.BatchNorm1d | nn.BatchNorm2d]:
    kinds = (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)
    return [layer for layer in network.modules() if isinstance(layer, kinds)]
