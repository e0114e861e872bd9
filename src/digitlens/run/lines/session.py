"""The course of a line reader's run: folder, training, checkpoints."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from digitlens.atomic import write_bytes, write_text
from digitlens.errors import DataError, StoppedError, WorkerError
from digitlens.run.lines.finish import finish
from digitlens.run.lines.wish import LineWish, config_of
from digitlens.run.session import about_now, opened, versions, weights_of
from digitlens.training import folder as run_folder
from digitlens.training.device import Device, choose
from digitlens.training.history import rows_to_csv
from digitlens.training.interrupt import StopWish
from digitlens.training.lines.batches import POOL, pool_of
from digitlens.training.lines.loop import LineTrainer
from digitlens.training.lines.progress import Point
from digitlens.training.lines.state import Learner, pack_learner, unpack_learner
from digitlens.training.lines.writers import Plan, Writers
from digitlens.training.memory import keep_freed_memory
from digitlens.writing import ready

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.data import Data
    from digitlens.networks.line_recipe import LineRecipe
    from digitlens.run.lines.result import ReaderRun
    from digitlens.training.lines.batches import Batch
    from digitlens.training.lines.progress import LineProgress

HELD_BACK = 1_024
"""Lines by writers who were held back, on which each point of the history is measured."""

HELD_BACK_SEED = 0
"""Theirs, whatever the run's is, so that runs can be compared."""


def carry_out(wish: LineWish, data: Data, progress: LineProgress) -> ReaderRun:
    """Train as wished and leave a finished run folder (errors as in `train_reader`)."""
    recipe = wish.resolved()
    # Digits that no line can be written with are told before a folder is claimed.
    if not len(data.train):
        raise DataError("there must be digits to write with", seen=f"none in {data.source}")
    glyphs = ready(data.train)
    keep_freed_memory()
    device = choose()
    config = config_of(wish, recipe, data, about=about_now(device))
    with opened(wish.network, wish.out, wish.resume, config, data) as folder:
        learner = Learner.begin(recipe, wish.seed, device.kind)
        if (folder / run_folder.LAST).exists():
            unpack_learner(folder / run_folder.LAST, learner)
        plan = Plan(glyphs, recipe, wish.seed, learner.step)
        with Writers(plan, _writers(wish, device)) as writers:
            trainer = LineTrainer(
                learner,
                recipe=recipe,
                batches=iter(writers),
                held_back=_held_back(data, recipe),
                device=device,
                progress=progress,
            )
            _train(trainer, wish, folder, note=_note(wish, data, device))
        return finish(folder, wish, learner, data, versions=versions())


def _writers(wish: LineWish, device: Device) -> int:
    if wish.writers is not None:
        return wish.writers
    # One writes several times as many lines as a processor learns from.
    return 1 if device.kind == "cpu" else max(1, (os.cpu_count() or 2) - 1)


def _held_back(data: Data, recipe: LineRecipe) -> list[Batch]:
    """Return lines by writers whose digits are not trained on, if there are any."""
    if not len(data.validation):
        return []
    each = replace(recipe, batch=HELD_BACK // POOL)
    return pool_of(ready(data.validation), each, HELD_BACK_SEED, 0)


def _train(trainer: LineTrainer, wish: LineWish, folder: Path, *, note: str) -> None:
    progress, recipe = trainer.progress, trainer.recipe
    progress.start(recipe.steps, recipe.batch, note)
    try:
        with StopWish() as stop:
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


def _save(learner: Learner, folder: Path, *, at_point: bool) -> None:
    """Write the checkpoint; averaged weights and history too, where they were measured."""
    if at_point:
        write_bytes(folder / run_folder.WEIGHTS, weights_of(learner.average))
        write_text(folder / run_folder.HISTORY, rows_to_csv(learner.history, Point))
    write_bytes(folder / run_folder.LAST, pack_learner(learner))


def _stopped(trainer: LineTrainer, wish: LineWish, folder: Path) -> StoppedError:
    return StoppedError(
        "training was stopped on request; everything is saved",
        seen=f"step {trainer.learner.step:,} of {trainer.recipe.steps:,}, in {folder}",
        try_=f"digitlens train {wish.network} --resume --out {folder}",
    )


def _note(wish: LineWish, data: Data, device: Device) -> str:
    return (
        f"training {wish.network} on lines written with {len(data.train):,} digits of "
        f"{data.source} (seed {wish.seed}; {device})\n{data.split}"
    )
