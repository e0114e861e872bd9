"""One training run of a line reader, from digits to a run folder: `train_reader`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from digitlens.data import DataSplits, load_digits
from digitlens.models.recipe import LineRecipe, find_line_recipe
from digitlens.training import limit_openmp_spin, training_extra
from digitlens.training.config import (
    NullCallback,
    TrainConfig,
    check_length,
    check_seed,
    resume_config,
)

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.training.config import Callback
    from digitlens.training.results import ReaderRun


__all__ = ["train_reader"]


def train_reader(
    name: str = "reader",
    data: DataSplits | str | Path | None = None,
    *,
    validation: float = 0.1,
    seed: int = 0,
    steps: int | None = None,
    recipe: LineRecipe | None = None,
    out: Path | None = None,
    resume: bool = False,
    writers: int | None = None,
    progress: Callback | None = None,
) -> ReaderRun:
    """Train a network that reads lines of digits, and keep everything in a run folder.

    It learns from lines that are written as it goes, with the training digits of `data`; no
    line is shown twice. Other processes write them, so a script that calls this must do so
    below ``if __name__ == "__main__":``.

    On a processor the same seed gives the same weights again on the same machine, with the
    same versions and number of threads, whatever the number of writers. On a graphics card
    sums are taken in any order, and no two runs are the same.

    Parameters
    ----------
    name
        A name of `digitlens.models.recipe.READERS`.
    data
        Digits to write with, or a source for `load_digits`; MNIST when None.
    validation
        For `load_digits`: the share that is held back, by writer; lines written with it are
        what the history's figures are measured on.
    seed
        Decides first weights, lines and order.
    steps
        Instead of the recipe's; with few, warming up and the like take fewer too.
    recipe
        Instead of the network's own.
    out
        The run folder; ``runs/train/<name>-<n>`` when None.
    resume
        Go on with the run in `out`, or with the newest unfinished one. Everything else is
        taken from its config.toml (pass `data` again if it was passed as `DataSplits`).
    writers
        Processes that write lines; with 0 this one does. When None one beside a processor,
        and all cores but one beside a graphics card.
    progress
        Who is told how it goes; called in this thread.

    Raises
    ------
    UsageError
        An unknown reader, no steps, a seed that is none.
    DataError
        The digits cannot be used; one of 0 to 9 is missing, for instance.
    DivergedError
        The loss became infinite or not a number.
    StoppedError
        Ctrl-C or SIGTERM; the run can be gone on with.
    WorkerError
        A process that writes lines has died; all is saved.
    RunError
        `out` is taken, or there is nothing to go on with.
    StorageError
        The disk is full or cannot be written; the last checkpoint is whole.
    """
    source: DataSplits | str | Path = "mnist" if data is None else data
    check_length(steps, "steps")
    config = TrainConfig(
        network=name,
        seed=check_seed(seed),
        length=steps,
        recipe=recipe or find_line_recipe(name),  # an unknown reader is refused before loading
        source=source.source if isinstance(source, DataSplits) else str(source),
        validation=validation,
        out=out,
        writers=writers,
    )
    if resume:
        config = resume_config(config, LineRecipe)
        if not isinstance(source, DataSplits):
            source = config.source
    elif steps is not None:
        config = replace(config, recipe=config.resolved_recipe.fit_to(steps), length=None)
    limit_openmp_spin()
    with training_extra():
        from digitlens.training.line_task import run_line_training
    digits = (
        source
        if isinstance(source, DataSplits)
        else load_digits(source, validation=config.validation)
    )
    return run_line_training(config, digits, progress or NullCallback())
