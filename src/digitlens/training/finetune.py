"""Fine-tuning: a few new digits are learnt, and old ones replayed so that none is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from digitlens.digits import CLASSES
from digitlens.models.recipe import Recipe
from digitlens.training.augment import augment_epoch, make_generator
from digitlens.training.device import Device
from digitlens.training.digit_task import DigitTask, DigitTensors

# Steps an epoch; there is no natural number, for new digits are few and old ones many.
STEPS = 50

# Share of the replayed digits that are drawn from those most like the new classes.
SIMILAR_DRAWS = 0.5

SIMILAR_SHARE = 0.1  # this share of all old digits counts as such

# Labels of new digits are smoothed by this where the network learns at a temperature.
SMOOTHING = 0.05

NEGATIVES = 0.1  # share of the replayed pictures that are no digit, for networks that tell

# How new digits are learnt: augmented less than in a whole training, as hands vary less.
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


@dataclass(frozen=True)
class ReplayPlan:
    """How old digits are replayed beside new ones."""

    share: float  # new digits in a batch, 0..1
    # share of the old digits that are shown as they are, 0..1; the others are changed
    plain: float
    recipe: Recipe  # how those are changed
    rate: float = 1.0  # the learning rate is this many times that of `FINETUNE_RECIPE`


# With tens of thousands of old digits.
LARGE_REPLAY = ReplayPlan(
    share=1 / 16,
    plain=0.5,
    recipe=replace(
        FINETUNE_RECIPE, rotate=10.0, scale=0.12, shear=0.15, elastic=0.4, degrade=0.25
    ),
)

# With hundreds: they stand for all others, so they are augmented more, and steps are small.
SMALL_REPLAY = ReplayPlan(
    share=1 / 32,
    plain=0.0,
    recipe=replace(
        FINETUNE_RECIPE, rotate=20.0, scale=0.24, shear=0.3, elastic=0.8, degrade=0.5
    ),
    rate=0.1,
)


@dataclass(eq=False)
class ReplayBatches:
    """What is shown, epoch by epoch."""

    before: nn.Sequential  # as it was at the start: its answers are the targets of old digits
    new: DigitTensors  # on the device, as the old ones
    old: DigitTensors
    recipe: Recipe  # `FINETUNE_RECIPE` for this network (`recipe_for`)
    plan: ReplayPlan  # `LARGE_REPLAY` or `SMALL_REPLAY`
    seed: int  # decides order and changes
    device: Device  # where, and in which precision

    def __post_init__(self) -> None:
        self.before.eval()
        self.new_in_batch = max(1, round(self.plan.share * self.recipe.batch))
        self._like = most_similar(self._answers(self.old.images), self.new.labels)

    def draw_epoch(self, epoch: int) -> tuple[Tensor, Tensor]:
        """Return an epoch's pictures, uint8 (N, 28, 28), and shares to learn, (N, K).

        Each batch begins with its new digits.
        """
        # Draw new digits and old ones.
        rng = make_generator(self.seed, epoch)
        count = self.new_in_batch
        new, labels = self._draw_new(STEPS * count, rng)
        old = self._draw_old(STEPS * (self.recipe.batch - count), rng)
        # Old digits keep the answers of before; new ones learn their labels, smoothed.
        answers = (self._answers(old) / self.recipe.temperature).softmax(1)
        sure = functional.one_hot(labels, answers.shape[1]).float()
        truth = torch.lerp(
            sure, torch.full_like(sure, 1 / CLASSES), self.recipe.label_smoothing
        )
        truth[:, CLASSES:] = 0.0
        return _interleave(new, old), _interleave(truth, answers)

    def _draw_new(self, count: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
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
        augmented = augment_epoch(
            part.images[drawn],
            part.labels[drawn],
            recipe=replace(self.recipe, negatives=0.0),
            rng=rng,
            bf16=self.device.bf16,
        )
        return augmented.images, augmented.labels

    def _draw_old(self, count: int, rng: torch.Generator) -> Tensor:
        """Draw old digits, some as they are and some changed, and what is no digit."""
        part, like = self.old, self._like
        plain = round(self.plan.plain * count)
        negatives = round(self.recipe.negatives * count)
        places = torch.randint(len(part), (count - negatives,), generator=rng)
        some = torch.rand(len(places), generator=rng) < SIMILAR_DRAWS
        chosen = torch.randint(len(like), (len(places),), generator=rng)
        places = torch.where(some, like.cpu()[chosen], places).to(part.images.device)
        drawn = part.images[places]
        rest = count - negatives - plain
        recipe = replace(self.plan.recipe, negatives=negatives / rest)
        augmented = augment_epoch(
            drawn[plain:],
            part.labels[places[plain:]],
            recipe=recipe,
            rng=rng,
            bf16=self.device.bf16,
        )
        mixed = torch.cat([drawn[:plain], augmented.images])
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
        negatives=NEGATIVES if outputs > CLASSES else 0.0,
    )


def most_similar(logits: Tensor, new: Tensor) -> Tensor:
    """Return the places of the old digits most like one of the new classes: int64 (M,).

    logits: float32 (N, K): the network's answers to the old digits
    new: int64: labels of the new digits

    Likeness is by how little the best logit leads that of a new class other than itself.
    """
    values, best = logits.max(1)
    others = logits.scatter(1, best[:, None], -torch.inf)
    lead = values - others[:, torch.unique(new)].amax(1)
    return lead.argsort()[: max(1, round(SIMILAR_SHARE * len(lead)))]


def _interleave(new: Tensor, old: Tensor) -> Tensor:
    """Put new and old rows into batches: STEPS times some new ones, then some old ones."""
    rows = [part.reshape(STEPS, -1, *part.shape[1:]) for part in (new, old)]
    return torch.cat(rows, dim=1).flatten(0, 1)


class FineTuneTask(DigitTask):
    """New digits among replayed ones; an interval is `STEPS` steps.

    replay: what is shown
    validation: new digits that only measure; may be empty
    """

    def __init__(self, replay: ReplayBatches, validation: DigitTensors) -> None:
        # The targets are smoothed already, where they are labels.
        recipe = replace(replay.recipe, label_smoothing=0.0)
        super().__init__(
            recipe, replay.seed, train=replay.new, validation=validation, device=replay.device
        )
        self.replay = replay
        self.sample = replay.new
        self.batch_size = recipe.batch
        self.interval = STEPS
        self.steps = STEPS * recipe.epochs

    def batches(self, network: nn.Sequential, step: int) -> Iterator[tuple[Tensor, Tensor]]:  # noqa: ARG002
        """Walk over an epoch's images, uint8 (N, 1, 28, 28), and their shares."""
        images, targets = self.replay.draw_epoch(step // STEPS)
        parts = (torch.split(part, self.batch_size) for part in (images.unsqueeze(1), targets))
        return zip(*parts, strict=True)

    def learning_rate(self, step: int) -> float:
        """Return the recipe's learning rate, as much lower as the replay wants it."""
        return super().learning_rate(step) * self.replay.plan.rate


def walk_back(
    before: nn.Module,
    after: nn.Module,
    shares: Sequence[float],
    is_kept: Callable[[], bool],
) -> float:
    """Take `after` back towards `before` while it forgot too much; return the share left.

    Networks that share their beginning can be averaged (Wortsman et al. 2022, Robust
    fine-tuning of zero-shot models, arXiv 2109.01903); the means and variances of normalization
    go along with the weights.

    shares: how much of the change is kept, in turn, falling from 1
    is_kept: says whether `after`, as it is then, knows enough of what it knew
    """
    kept = 1.0
    for share in shares:
        if share < kept:
            with torch.no_grad():
                pairs = zip(_weights(before), _weights(after), strict=True)
                for old, new in pairs:
                    new.copy_(torch.lerp(old, new, share / kept))
        kept = share
        if is_kept():
            break
    return kept


def _weights(network: nn.Module) -> Iterator[Tensor]:
    """Walk over all floating-point numbers of a network, those of normalization included."""
    everything = (*network.parameters(), *network.buffers())
    return (value for value in everything if value.is_floating_point())
