"""Learning a few new digits without forgetting the old: new ones and rehearsal in each batch.

Old digits are shown again with the answers that the network gave at the start, not with their
labels (Li and Hoiem 2016, Learning without Forgetting, arXiv 1606.09282); among them more often
those that it might take for one of the new classes. New digits are changed anew each time they
are shown, so that a few dozen stand for a hand.

Chosen among 34 settings on a made-up hand (`benchmarks/hand.py`) whose flagged 1 a network with
42 misses on MNIST took for a 7 in half of the cases, with MNIST's test misses in view: its
figures are how the choice was made, no independent test of it. 150 steps with 1 new digit in
16 left 0 to 2 misses in 600 others of that hand and cost 3 to 7 of the 10,000 test digits; half
of each batch cost 31, no rehearsal by likeness 4 to 11. With UCI's digits alone to rehearse,
the steps of `MANY` cost about 310, those of `SPARSE` 19.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from digitlens.digits import CLASSES
from digitlens.networks.recipe import Recipe
from digitlens.training.augment import epoch_of, generator

if TYPE_CHECKING:
    from torch import Tensor, nn

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

HAND = Recipe(
    epochs=3,
    batch=256,
    learning_rate=2e-3,
    weight_decay=0.0,
    shift=2,
    turn=6.0,
    stretch=0.08,
    slant=0.08,
    bend=0.3,
    wear=0.1,
)
"""How new digits are learnt. Less changed than in training from nothing: a hand is narrow."""


@dataclass(frozen=True)
class Plan:
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
        The learning rate is this many times that of `HAND`.
    """

    share: float
    plain: float
    recipe: Recipe
    rate: float = 1.0


MANY = Plan(
    share=1 / 16,
    plain=0.5,
    recipe=replace(HAND, turn=10.0, stretch=0.12, slant=0.15, bend=0.4, wear=0.25),
)
"""With tens of thousands of old digits."""

SPARSE = Plan(
    share=1 / 32,
    plain=0.0,
    recipe=replace(HAND, turn=20.0, stretch=0.24, slant=0.3, bend=0.8, wear=0.5),
    rate=0.1,
)
"""With hundreds: they stand for all others, so they are changed more, and steps are small."""


class Rehearsal:
    """What is shown, epoch by epoch.

    Parameters
    ----------
    before
        The network as it was at the start; it gives the answers that are rehearsed.
    new, old
        New digits with their labels, and old ones, on the device.
    recipe, plan
        `HAND` for this network (`recipe_for`), and `MANY` or `SPARSE`.
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
        plan: Plan,
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
        self._like = most_like(self._answers(old.images), new.labels)

    def lesson(self, epoch: int) -> tuple[Tensor, Tensor]:
        """Return an epoch's pictures, uint8 (N, 28, 28), and shares to learn, (N, K).

        Each batch begins with its new digits.
        """
        chance = generator(self.seed, epoch)
        count = self.new_in_batch
        new, labels = self._new(STEPS * count, chance)
        old = self._old(STEPS * (self.recipe.batch - count), chance)
        answers = (self._answers(old) / self.recipe.temperature).softmax(1)
        sure = functional.one_hot(labels, answers.shape[1]).float()
        truth = torch.lerp(sure, torch.full_like(sure, 1 / CLASSES), self.recipe.smoothing)
        truth[:, CLASSES:] = 0.0
        return _woven(new, old), _woven(truth, answers)

    def _new(self, count: int, chance: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw new digits, each class as often as each other, each changed anew."""
        part = self.new
        classes = torch.unique(part.labels).tolist()
        at = []
        for digit in classes:
            places = (part.labels == digit).nonzero().squeeze(1)
            wanted = -(-count // len(classes))
            order = [torch.randperm(len(places), generator=chance) for _ in range(wanted)]
            at.append(places[torch.cat(order)[:wanted].to(places.device)])
        drawn = torch.cat(at)
        drawn = drawn[torch.randperm(len(drawn), generator=chance)[:count].to(drawn.device)]
        lesson = epoch_of(
            part.images[drawn],
            part.labels[drawn],
            recipe=replace(self.recipe, outliers=0.0),
            chance=chance,
            bf16=self.device.bf16,
        )
        return lesson.images, lesson.labels

    def _old(self, count: int, chance: torch.Generator) -> Tensor:
        """Draw old digits, some as they are and some changed, and what is no digit."""
        part, like = self.old, self._like
        plain = round(self.plan.plain * count)
        strange = round(self.recipe.outliers * count)
        places = torch.randint(len(part), (count - strange,), generator=chance)
        some = torch.rand(len(places), generator=chance) < LIKE
        chosen = torch.randint(len(like), (len(places),), generator=chance)
        places = torch.where(some, like.cpu()[chosen], places).to(part.images.device)
        drawn = part.images[places]
        rest = count - strange - plain
        recipe = replace(self.plan.recipe, outliers=strange / rest)
        lesson = epoch_of(
            drawn[plain:],
            part.labels[places[plain:]],
            recipe=recipe,
            chance=chance,
            bf16=self.device.bf16,
        )
        mixed = torch.cat([drawn[:plain], lesson.images])
        return mixed[torch.randperm(len(mixed), generator=chance).to(mixed.device)]

    @torch.inference_mode()
    def _answers(self, images: Tensor) -> Tensor:
        with self.device.precision():
            chunks = torch.split(images.unsqueeze(1), 1000)
            logits = [self.before(chunk.float().div_(255)) for chunk in chunks]
        return torch.cat(logits).float()


def recipe_for(base: Recipe, outputs: int, epochs: int | None) -> Recipe:
    """Return `HAND` for a network with so many outputs, whose own recipe is `base`."""
    smoothing = base.smoothing or (SMOOTHING if base.temperature > 1 else 0.0)
    return replace(
        HAND,
        epochs=epochs or HAND.epochs,
        temperature=base.temperature,
        smoothing=smoothing,
        outliers=OUTLIERS if outputs > CLASSES else 0.0,
    )


def most_like(logits: Tensor, new: Tensor) -> Tensor:
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
