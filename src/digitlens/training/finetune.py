"""Fine-tuning: a few steps on new digits among rehearsed ones.

* Learning a few new digits without forgetting the old: new ones and rehearsal in each batch.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from digitlens.digits import CLASSES
from digitlens.errors import DivergedError
from digitlens.metrics.history import Epoch
from digitlens.models.recipe import Recipe
from digitlens.training.augment import augment_epoch, generator
from digitlens.training.optimizer import AdamW
from digitlens.training.trainer import evaluate_network

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from digitlens.training.config import Callback
    from digitlens.training.device import Device
    from digitlens.training.trainer import Part


STEPS = 50
"""Steps an epoch; there is no natural one, for new digits are few and old ones many."""

LIKE = 0.5
"""Share of the rehearsed digits that are drawn from those most like the new classes."""

LIKEST = 0.1
"""So many of all old digits count as such."""

SMOOTHING = 0.05
"""Labels of new digits are smoothed by this where the network learns at a temperature."""

OUTLIERS = 0.1
"""Of the pictures rehearsed so many are no digit, for networks that tell."""

FINETUNE_RECIPE = Recipe(
    epochs=3,
    batch=256,
    learning_rate=2e-3,
    weight_decay=0.0,
    translate=2,
    rotate=6.0,
    scale=0.08,
    shear=0.08,
    elastic=0.3,
    degrade=0.1,
)
"""How new digits are learnt. Less changed than in training from nothing: a hand is narrow."""


@dataclass(frozen=True)
class ReplayPlan:
    """How old digits are rehearsed beside new ones.

    Parameters
    ----------
    share
        New digits in a batch, 0..1.
    plain
        Share of the old digits that are shown as they are, 0..1; the others are changed.
    recipe
        How those are changed.
    rate
        The learning rate is this many times that of `FINETUNE_RECIPE`.
    """

    share: float
    plain: float
    recipe: Recipe
    rate: float = 1.0


LARGE_REPLAY = ReplayPlan(
    share=1 / 16,
    plain=0.5,
    recipe=replace(
        FINETUNE_RECIPE, rotate=10.0, scale=0.12, shear=0.15, elastic=0.4, degrade=0.25
    ),
)
"""With tens of thousands of old digits."""

SMALL_REPLAY = ReplayPlan(
    share=1 / 32,
    plain=0.0,
    recipe=replace(
        FINETUNE_RECIPE, rotate=20.0, scale=0.24, shear=0.3, elastic=0.8, degrade=0.5
    ),
    rate=0.1,
)
"""With hundreds: they stand for all others, so they are changed more, and steps are small."""


class ReplayBatches:
    """What is shown, epoch by epoch.

    Parameters
    ----------
    before
        The network as it was at the start; it gives the answers that are rehearsed.
    new, old
        New digits with their labels, and old ones, on the device.
    recipe, plan
        `FINETUNE_RECIPE` for this network (`recipe_for`), and `LARGE_REPLAY` or `SMALL_REPLAY`.
    seed
        Decides order and changes.
    device
        Where, and in which precision.
    """

    def __init__(
        self,
        before: nn.Sequential,
        new: Part,
        old: Part,
        *,
        recipe: Recipe,
        plan: ReplayPlan,
        seed: int,
        device: Device,
    ) -> None:
        self.before = before.eval()
        self.new = new
        self.old = old
        self.recipe = recipe
        self.plan = plan
        self.seed = seed
        self.device = device
        self.new_in_batch = max(1, round(plan.share * recipe.batch))
        self._like = most_similar(self._answers(old.images), new.labels)

    def lesson(self, epoch: int) -> tuple[Tensor, Tensor]:
        """Return an epoch's pictures, uint8 (N, 28, 28), and shares to learn, (N, K).

        Each batch begins with its new digits.
        """
        rng = generator(self.seed, epoch)
        count = self.new_in_batch
        new, labels = self._new(STEPS * count, rng)
        old = self._old(STEPS * (self.recipe.batch - count), rng)
        answers = (self._answers(old) / self.recipe.temperature).softmax(1)
        sure = functional.one_hot(labels, answers.shape[1]).float()
        truth = torch.lerp(
            sure, torch.full_like(sure, 1 / CLASSES), self.recipe.label_smoothing
        )
        truth[:, CLASSES:] = 0.0
        return _woven(new, old), _woven(truth, answers)

    def _new(self, count: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw new digits, each class as often as each other, each changed anew."""
        part = self.new
        classes = torch.unique(part.labels).tolist()
        index = []
        for digit in classes:
            places = (part.labels == digit).nonzero().squeeze(1)
            wanted = -(-count // len(classes))
            order = [torch.randperm(len(places), generator=rng) for _ in range(wanted)]
            index.append(places[torch.cat(order)[:wanted].to(places.device)])
        drawn = torch.cat(index)
        drawn = drawn[torch.randperm(len(drawn), generator=rng)[:count].to(drawn.device)]
        lesson = augment_epoch(
            part.images[drawn],
            part.labels[drawn],
            recipe=replace(self.recipe, negatives=0.0),
            rng=rng,
            bf16=self.device.bf16,
        )
        return lesson.images, lesson.labels

    def _old(self, count: int, rng: torch.Generator) -> Tensor:
        """Draw old digits, some as they are and some changed, and what is no digit."""
        part, like = self.old, self._like
        plain = round(self.plan.plain * count)
        strange = round(self.recipe.negatives * count)
        places = torch.randint(len(part), (count - strange,), generator=rng)
        some = torch.rand(len(places), generator=rng) < LIKE
        chosen = torch.randint(len(like), (len(places),), generator=rng)
        places = torch.where(some, like.cpu()[chosen], places).to(part.images.device)
        drawn = part.images[places]
        rest = count - strange - plain
        recipe = replace(self.plan.recipe, negatives=strange / rest)
        lesson = augment_epoch(
            drawn[plain:],
            part.labels[places[plain:]],
            recipe=recipe,
            rng=rng,
            bf16=self.device.bf16,
        )
        mixed = torch.cat([drawn[:plain], lesson.images])
        return mixed[torch.randperm(len(mixed), generator=rng).to(mixed.device)]

    @torch.inference_mode()
    def _answers(self, images: Tensor) -> Tensor:
        with self.device.precision():
            chunks = torch.split(images.unsqueeze(1), 1000)
            logits = [self.before(chunk.float().div_(255)) for chunk in chunks]
        return torch.cat(logits).float()


def recipe_for(base: Recipe, outputs: int, epochs: int | None) -> Recipe:
    """Return `FINETUNE_RECIPE` for a network of `outputs` outputs and recipe `base`."""
    smoothing = base.label_smoothing or (SMOOTHING if base.temperature > 1 else 0.0)
    return replace(
        FINETUNE_RECIPE,
        epochs=epochs or FINETUNE_RECIPE.epochs,
        temperature=base.temperature,
        label_smoothing=smoothing,
        negatives=OUTLIERS if outputs > CLASSES else 0.0,
    )


def most_similar(logits: Tensor, new: Tensor) -> Tensor:
    """Return the places of the old digits most like one of the new classes: int64 (M,).

    Parameters
    ----------
    logits
        float32 (N, K): the network's answers to the old digits.
    new
        int64: labels of the new digits.

    Notes
    -----
    Likeness is by how little the best logit leads that of a new class other than itself.
    """
    values, best = logits.max(1)
    others = logits.scatter(1, best[:, None], -torch.inf)
    lead = values - others[:, torch.unique(new)].amax(1)
    return lead.argsort()[: max(1, round(LIKEST * len(lead)))]


def _woven(new: Tensor, old: Tensor) -> Tensor:
    """Lay new and old rows into batches: STEPS times some new ones, then some old ones."""
    rows = [part.reshape(STEPS, -1, *part.shape[1:]) for part in (new, old)]
    return torch.cat(rows, dim=1).flatten(0, 1)


class FineTuner:
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

    def __init__(self, network: nn.Sequential, rehearsal: ReplayBatches, held: Part) -> None:
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

    def run(self, progress: Callback, stop: Callable[[], bool]) -> bool:
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
        misses, loss = evaluate_network(self.network, new.images, new.labels)
        wrong = evaluate_network(self.network, held.images, held.labels) if len(held) else None
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


def interpolate_weights(before: nn.Module, after: nn.Module, share: float) -> None:
    """Bring the weights of `after` to this share of the way from `before` to them.

    Networks that share their beginning can be averaged (Wortsman et al. 2022, Robust
    fine-tuning of zero-shot models, arXiv 2109.01903).
    """
    with torch.no_grad():
        for old, new in zip(before.parameters(), after.parameters(), strict=True):
            new.copy_(torch.lerp(old, new, share))
