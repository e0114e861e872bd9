"""What the network learns that looks at a line's digits one by one; and its run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from digitlens.data import DataSplits
from digitlens.data.line_hands import read_line_hands
from digitlens.errors import DataError, UsageError
from digitlens.imaging.inputs import tune_malloc
from digitlens.metrics.history import LinePoint
from digitlens.models.architectures import evaluation_mode
from digitlens.models.architectures.line_network import RescorerNetwork
from digitlens.models.card import RescorerModelCard
from digitlens.models.convert import load_line_network
from digitlens.models.recipe import RESCORER, LineRecipe
from digitlens.runs import read_config
from digitlens.synth import Glyphs, prepare_glyphs
from digitlens.training.checkpoint import TrainState, begin_training
from digitlens.training.config import Callback, TrainConfig
from digitlens.training.device import choose_device
from digitlens.training.line_data import POOL, LineProducers, synthesize_pool
from digitlens.training.line_task import (
    VALIDATION_LINES,
    VALIDATION_SEED,
    LineTask,
    count_producers,
    export_line_run,
    usable_kinds,
)
from digitlens.training.rescorer_data import RescorerPlan, WindowBatch, cut_batches
from digitlens.training.results import ReaderRun
from digitlens.training.session import fit, open_run, restore
from digitlens.training.trainer import Trainer


def run_rescorer_training(
    config: TrainConfig[LineRecipe], data: DataSplits, callback: Callback
) -> ReaderRun:
    """Train as asked and leave a finished run folder (errors as in `train_reader`)."""
    recipe = config.resolved_recipe
    if not len(data.train):
        raise DataError("there must be digits to write with", seen=f"none in {data.source}")
    # A resumed run has its own weights: what it once went on from need not be there any more.
    start = None
    if config.start is not None and config.resume is None:
        start = load_start(config.start, recipe)
    hands = read_line_hands(recipe.hands, config.validation)
    data = replace(data, hashes={**data.hashes, **hands.hashes})
    glyphs = replace(prepare_glyphs(data.train), hands=hands.train)
    validation = []
    if len(data.validation):
        held = replace(prepare_glyphs(data.validation), hands=hands.validation)
        validation = validation_windows(held, recipe)
    tune_malloc()
    device = choose_device()
    with open_run(config, data, device) as folder:
        torch.manual_seed(config.seed)
        network = start or RescorerNetwork(recipe.widths)
        state: TrainState[LinePoint] = begin_training(
            network, recipe, recipe.eval_every, device.kind, average=True
        )
        restore(folder, state, LinePoint)
        plan = RescorerPlan(glyphs, recipe, config.seed, state.step)
        with LineProducers(plan, count_producers(config, device)) as batches:
            task = RescorerTask(recipe, iter(batches), validation=validation, device=device)
            note = (
                f"training {config.network} on digits of lines written with "
                f"{len(data.train):,} digits of {data.source} (seed {config.seed}; {device})"
            )
            fit(Trainer(state, task, callback), folder, config.network, note=note)
        return export_line_run(
            folder,
            config,
            state.history,
            data,
            kind=RescorerNetwork,
            card_type=RescorerModelCard,
        )


def load_start(source: str, recipe: LineRecipe) -> RescorerNetwork:
    """Return the rescorer of a run folder, to go on from.

    Raises UsageError: no run folder, or one of another network.
    """
    folder = Path(source)
    config = read_config(folder) if folder.is_dir() else {}
    if config.get("run", {}).get("network") != RESCORER:
        raise UsageError(
            "a rescorer goes on from the run folder of one",
            seen=source,
            try_="digitlens train rescorer --from runs/rescorer-1",
        )
    network = load_line_network(folder, recipe.widths, RescorerNetwork)
    assert isinstance(network, RescorerNetwork)
    return network.train()


def validation_windows(glyphs: Glyphs, recipe: LineRecipe) -> list[WindowBatch]:
    """Return windows of lines by writers, and in families, that are not trained on."""
    kinds = usable_kinds(recipe, glyphs.hands)
    sized = replace(recipe, batch=VALIDATION_LINES // POOL, hands=kinds)
    lines = synthesize_pool(glyphs, sized, VALIDATION_SEED, 0)
    return cut_batches(lines, np.random.default_rng(VALIDATION_SEED))


class RescorerTask(LineTask):
    """Windows of lines; what is counted are windows, not lines."""

    def batches(self, network: nn.Module, step: int) -> Iterator[Any]:  # noqa: ARG002
        """Walk over the batches from where the source stands."""
        return (load_batch(batch, self.device.kind) for batch in self.source)

    def loss(self, network: nn.Module, batch: Any, step: int) -> Tensor:  # noqa: ARG002
        """Return the mean loss of a window, in nats."""
        windows, labels = batch
        with self.device.precision():
            logits = network(windows)
        return functional.cross_entropy(logits.float().squeeze(1), labels)

    def count_errors(self, network: nn.Module) -> dict[str, int]:
        """Return how many windows held back get a wrong answer, and of how many."""
        wrong = count_window_errors(network, self.validation, self.device.kind)
        return {"misread": wrong, "validation": sum(len(batch) for batch in self.validation)}


def load_batch(batch: WindowBatch, device: str) -> tuple[Tensor, Tensor]:
    """Return windows, float32 and channels last, and labels, int64, on a device."""
    windows = torch.from_numpy(batch.windows).to(device).float()
    labels = torch.from_numpy(batch.labels).to(device)
    return windows.contiguous(memory_format=torch.channels_last), labels


@torch.inference_mode()
def count_window_errors(
    network: nn.Module, batches: Sequence[WindowBatch], device: str = "cpu"
) -> int:
    """Return how many windows `network` gets wrong, in float32; its mode stays."""
    wrong = 0
    with evaluation_mode(network):
        for batch in batches:
            windows, labels = load_batch(batch, device)
            wrong += int((network(windows).argmax(2).squeeze(1) != labels).sum())
    return wrong
