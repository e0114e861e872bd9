"""The course of a line reader's run: folder, training, checkpoints.

* The end of a line reader's run: the exported network, its card, its plot, its figures.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from digitlens import runs as run_folder
from digitlens.errors import DataError, StoppedError, WorkerError
from digitlens.metrics.history import LinePoint, rows_to_csv
from digitlens.models.architectures.reader import counts
from digitlens.models.card import LineModelCard
from digitlens.models.export import load_weights
from digitlens.models.fold import fuse_line_network
from digitlens.models.onnx_writer import to_onnx
from digitlens.storage import write_bytes, write_text
from digitlens.synth import prepare_glyphs
from digitlens.training.checkpoint import (
    LineTrainState,
    decode_line_checkpoint,
    encode_line_checkpoint,
)
from digitlens.training.config import LineTrainConfig, line_config_to_dict
from digitlens.training.device import Device, GracefulInterrupt, choose_device, tune_malloc
from digitlens.training.line_workers import LineProducers, WorkPlan
from digitlens.training.lines import POOL, LineTrainer, pool_of
from digitlens.training.results import ReaderRun
from digitlens.training.session import about_now, load_run_weights, open_run, versions
from digitlens.viz.plot_history import line_history

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.data import DataSplits
    from digitlens.models.architectures.reader import LineNetwork
    from digitlens.models.recipe import LineRecipe
    from digitlens.training.config import LineCallback
    from digitlens.training.lines import LineBatch


def export_line_run(
    folder: Path,
    wish: LineTrainConfig,
    learner: LineTrainState,
    data: DataSplits,
    *,
    versions: dict[str, str],
) -> ReaderRun:
    """Write all that a finished run holds; metrics.json comes last and says "finished"."""
    network = load_weights(folder, wish.resolved().widths)
    history = learner.history
    card = _card(folder, wish, learner, network, data, versions)
    write_bytes(folder / run_folder.MODEL, to_onnx(fuse_line_network(network), card))
    write_text(folder / run_folder.CARD, card.markdown())
    write_bytes(folder / run_folder.HISTORY_PLOT, line_history(history, title=folder.name))
    metrics = {
        "format": 1,
        "network": card.network,
        "steps": card.steps,
        "lines": card.lines,
        "validation": next(iter(card.validation.values()), None),
        "train_seconds": sum(point.seconds for point in history),
        "weights": card.weights,
        "multiply_adds": card.multiply_adds,
    }
    write_text(folder / run_folder.METRICS, json.dumps(metrics, indent=2) + "\n")
    return ReaderRun(network, history, folder, card)


def _card(
    folder: Path,
    wish: LineTrainConfig,
    learner: LineTrainState,
    network: LineNetwork,
    data: DataSplits,
    versions: dict[str, str],
) -> LineModelCard:
    recipe, last = wish.resolved(), learner.history[-1]
    weights, products = counts(network)
    measured = {recipe.style: {"misses": last.misread, "count": last.validation}}
    return LineModelCard(
        name=folder.resolve().name,
        network=wish.network,
        data=data.source,
        split=data.split,
        style=recipe.style,
        lines=recipe.steps * recipe.batch,
        seed=wish.seed,
        steps=recipe.steps,
        weights=weights,
        multiply_adds=products,
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        validation=measured if last.validation else {},
        versions={key: versions[key] for key in ("digitlens", "torch", "python")},
    )


VALIDATION_LINES = 1_024
"""Lines by writers who were held back, on which each point of the history is measured."""

VALIDATION_SEED = 0
"""Theirs, whatever the run's is, so that runs can be compared."""


def run_line_training(
    wish: LineTrainConfig, data: DataSplits, progress: LineCallback
) -> ReaderRun:
    """Train as wished and leave a finished run folder (errors as in `train_reader`)."""
    recipe = wish.resolved()
    # Digits that no line can be written with are told before a folder is claimed.
    if not len(data.train):
        raise DataError("there must be digits to write with", seen=f"none in {data.source}")
    glyphs = prepare_glyphs(data.train)
    tune_malloc()
    device = choose_device()
    config = line_config_to_dict(wish, recipe, data, about=about_now(device))
    with open_run(wish.network, wish.out, wish.resume, config, data) as folder:
        learner = LineTrainState.begin(recipe, wish.seed, device.kind)
        if (folder / run_folder.CHECKPOINT).exists():
            decode_line_checkpoint(folder / run_folder.CHECKPOINT, learner)
        plan = WorkPlan(glyphs, recipe, wish.seed, learner.step)
        with LineProducers(plan, _writers(wish, device)) as writers:
            trainer = LineTrainer(
                learner,
                recipe=recipe,
                batches=iter(writers),
                validation=_held_back(data, recipe),
                device=device,
                progress=progress,
            )
            _train(trainer, wish, folder, note=_note(wish, data, device))
        return export_line_run(folder, wish, learner, data, versions=versions())


def _writers(wish: LineTrainConfig, device: Device) -> int:
    if wish.writers is not None:
        return wish.writers
    # One writes several times as many lines as a processor learns from.
    return 1 if device.kind == "cpu" else max(1, (os.cpu_count() or 2) - 1)


def _held_back(data: DataSplits, recipe: LineRecipe) -> list[LineBatch]:
    """Return lines by writers whose digits are not trained on, if there are any."""
    if not len(data.validation):
        return []
    item = replace(recipe, batch=VALIDATION_LINES // POOL)
    return pool_of(prepare_glyphs(data.validation), item, VALIDATION_SEED, 0)


def _train(trainer: LineTrainer, wish: LineTrainConfig, folder: Path, *, note: str) -> None:
    progress, recipe = trainer.progress, trainer.recipe
    progress.start(recipe.steps, recipe.batch, note)
    try:
        with GracefulInterrupt() as stop:
            progress.step(trainer.learner.step)
            while not trainer.finished:
                try:
                    at_point = trainer.run_to_point(lambda: stop.wished)
                except WorkerError:
                    trainer.look()
                    _save(trainer.learner, folder, at_point=False)
                    raise
                _save(trainer.learner, folder, at_point=at_point)
                if stop.wished and not trainer.finished:
                    raise _stopped(trainer, wish, folder)
    finally:
        progress.finish()


def _save(learner: LineTrainState, folder: Path, *, at_point: bool) -> None:
    """Write the checkpoint; averaged weights and history too, where they were measured."""
    if at_point:
        write_bytes(folder / run_folder.BEST_WEIGHTS, load_run_weights(learner.average))
        write_text(folder / run_folder.HISTORY, rows_to_csv(learner.history, LinePoint))
    write_bytes(folder / run_folder.CHECKPOINT, encode_line_checkpoint(learner))


def _stopped(trainer: LineTrainer, wish: LineTrainConfig, folder: Path) -> StoppedError:
    return StoppedError(
        "training was stopped on request; everything is saved",
        seen=f"step {trainer.learner.step:,} of {trainer.recipe.steps:,}, in {folder}",
        try_=f"digitlens train {wish.network} --resume --out {folder}",
    )


def _note(wish: LineTrainConfig, data: DataSplits, device: Device) -> str:
    return (
        f"training {wish.network} on lines written with {len(data.train):,} digits of "
        f"{data.source} (seed {wish.seed}; {device})\n{data.split}"
    )
