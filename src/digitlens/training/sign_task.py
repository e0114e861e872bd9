"""What the network learns that tells digits from letters and marks; and its run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from digitlens.data import DataSplits
from digitlens.imaging.inputs import tune_malloc
from digitlens.metrics.history import LinePoint
from digitlens.models.architectures import evaluation_mode
from digitlens.models.architectures.line_network import SignNetwork
from digitlens.models.card import SignModelCard
from digitlens.models.recipe import LineRecipe
from digitlens.synth import prepare_glyphs
from digitlens.synth.text_lines import NO_DIGIT
from digitlens.training.checkpoint import TrainState, begin_training
from digitlens.training.config import Callback, TrainConfig
from digitlens.training.device import choose_device
from digitlens.training.line_data import LineProducers
from digitlens.training.line_task import LineTask, count_producers, export_line_run
from digitlens.training.results import ReaderRun
from digitlens.training.session import fit, open_run, restore
from digitlens.training.sign_data import (
    SignBatch,
    SignPlan,
    add_pen_digits,
    collate,
    list_fonts,
    sample_lines,
)
from digitlens.training.trainer import Trainer

VALIDATION_LINES = 400  # lines in fonts and with digits that were held back

# Of the classes in the loss: dashes and marks are rare, and must not be overlooked.
SIGN_WEIGHTS = (1.0, 1.0, 1.5, 1.0, 1.0)

VALIDATION_SEED = 1 << 40


def run_sign_training(
    config: TrainConfig[LineRecipe], data: DataSplits, callback: Callback
) -> ReaderRun:
    """Train as asked and leave a finished run folder (errors as in `train_reader`)."""
    recipe = config.resolved_recipe
    kept, held = list_fonts()
    tune_malloc()
    device = choose_device()
    with open_run(config, data, device) as folder:
        torch.manual_seed(config.seed)
        network = SignNetwork(recipe.widths)
        state: TrainState[LinePoint] = begin_training(
            network, recipe, recipe.eval_every, device.kind, average=True
        )
        restore(folder, state, LinePoint)
        glyphs = prepare_glyphs(add_pen_digits(data.train))
        plan = SignPlan(glyphs, recipe, config.seed, state.step, tuple(kept))
        with LineProducers(plan, count_producers(config, device)) as batches:
            task = SignTask(
                recipe,
                iter(batches),
                validation=validation_lines(data, recipe, held),
                device=device,
            )
            note = (
                f"training {config.network} on lines in {len(kept):,} fonts, and with "
                f"{len(glyphs.images):,} digits by hand (seed {config.seed}; {device})"
            )
            fit(Trainer(state, task, callback), folder, config.network, note=note)
        return export_line_run(
            folder, config, state.history, data, kind=SignNetwork, card_type=SignModelCard
        )


def validation_lines(
    data: DataSplits, recipe: LineRecipe, fonts: Sequence[Path]
) -> list[SignBatch]:
    """Return lines by hands and in families that are not trained on, if there are any."""
    if not len(data.validation):
        return []
    plan = SignPlan(prepare_glyphs(data.validation), recipe, VALIDATION_SEED, 0, tuple(fonts))
    lines = sample_lines(plan, 0, VALIDATION_LINES)
    lines.sort(key=lambda line: line.strip.shape[1])
    return [collate(lines[start : start + 64]) for start in range(0, len(lines), 64)]


class SignTask(LineTask):
    """Lines of text by a recipe; what is counted are frames with ink, not lines."""

    def batches(self, network: nn.Module, step: int) -> Iterator[Any]:  # noqa: ARG002
        """Walk over the batches from where the source stands."""
        return (load_batch(batch, self.device.kind) for batch in self.source)

    def loss(self, network: nn.Module, batch: Any, step: int) -> Tensor:  # noqa: ARG002
        """Return the mean loss of a frame with ink."""
        strips, signs = batch
        return sign_loss(network(strips), signs)  # in float32: so small a net gains nothing

    def count_errors(self, network: nn.Module) -> dict[str, int]:
        """Return how many frames of lines held back get another sign, and of how many."""
        wrong, count = count_sign_errors(network, self.validation, self.device.kind)
        return {"misread": wrong, "validation": count}


def load_batch(batch: SignBatch, device: str) -> tuple[Tensor, Tensor]:
    """Return strips, float32 and channels last, and signs, int64, on a device."""
    strips = torch.from_numpy(batch.strips).to(device).float()
    signs = torch.from_numpy(batch.signs).to(device).long()
    return strips.contiguous(memory_format=torch.channels_last), signs


def sign_loss(logits: Tensor, signs: Tensor) -> Tensor:
    """Return the mean of minus the logarithm of what is so, over frames with ink, in nats.

    logits: float (N, T, 5)
    signs: int64 (N, T): 0 for no ink, 1 .. 5 for the classes, 6 for any but the first
    """
    log_probs = logits.float().log_softmax(2)
    known, other = (signs > 0) & (signs < NO_DIGIT), signs == NO_DIGIT
    weight = torch.tensor(SIGN_WEIGHTS, device=logits.device)
    exact = functional.nll_loss(log_probs[known], signs[known] - 1, weight, reduction="sum")
    digit = log_probs[other][:, 0].exp().clamp(max=1 - 1e-5)
    return (exact - torch.log1p(-digit).sum()) / (known | other).sum().clamp(min=1)


@torch.inference_mode()
def count_sign_errors(
    network: nn.Module, batches: Sequence[SignBatch], device: str = "cpu"
) -> tuple[int, int]:
    """Return how many frames with ink get a wrong sign, and of how many."""
    wrong = count = 0
    with evaluation_mode(network):
        for batch in batches:
            strips, signs = load_batch(batch, device)
            answers = network(strips).argmax(2) + 1
            inked = signs > 0
            right = torch.where(signs == NO_DIGIT, answers != 1, answers == signs)
            wrong += int((inked & ~right).sum())
            count += int(inked.sum())
    return wrong, count
