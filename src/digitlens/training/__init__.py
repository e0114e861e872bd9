"""One training run, from digits to a run folder: `train`."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from digitlens.data import DataSplits, load_digits
from digitlens.errors import MissingExtraError, UsageError
from digitlens.models.recipe import Recipe
from digitlens.models.registry import find_network
from digitlens.training.config import (
    NullCallback,
    TrainConfig,
    check_length,
    check_seed,
    resume_config,
)
from digitlens.training.results import Run
from digitlens.workers import Background

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from digitlens.training.config import Callback


__all__ = ["Run", "train"]


def train(
    network: str,
    data: DataSplits | str | Path | None = None,
    *,
    start: str | Path | None = None,
    validation: float | None = None,
    limit: int | None = None,
    seed: int = 0,
    epochs: int | None = None,
    recipe: Recipe | None = None,
    out: Path | None = None,
    resume: bool = False,
    progress: Callback | None = None,
) -> Run:
    """Train a network by its recipe and keep everything in a run folder.

    The same seed gives the same weights again on the same machine, with the same versions and
    the same number of threads. Another processor, another torch or another number of threads
    adds in another order and ends at other, equally good weights: that is not promised.

    Parameters
    ----------
    network
        A name of `digitlens.models.NETWORKS`.
    data
        Digits, or a source for `load_digits`; MNIST when None.
    start
        Go on from this model of the same network: a published one, a run folder or an .onnx
        file. A few pictures are then enough (`data`: a folder of class folders); what it has
        learnt before is rehearsed, with MNIST's training digits where they are at hand.
    validation, limit
        For `load_digits`, when `data` is a source; `validation` is 0.1 when None. With
        `start` it is the share of each class that is held back, a quarter where there are
        8 pictures of a class when None.
    seed
        Decides first weights, order and augmentation.
    epochs
        Instead of the recipe's; the learning rate's rise and fall is stretched to them.
    recipe
        Instead of the network's own.
    out
        The run folder; ``runs/train/<network>-<n>`` when None.
    resume
        Go on with the run in `out`, or with the newest unfinished one of `network`. Everything
        else is taken from its config.toml (pass `data` again if it was passed as `DataSplits`).
    progress
        Who is told how it goes; called in this thread.

    Raises
    ------
    UsageError
        An unknown network, no epochs, a seed that is none, a `start` that cannot be.
    ModelError
        There is no model `start`.
    DataError
        The data cannot be used.
    DivergedError
        The loss became infinite or not a number.
    StoppedError
        Ctrl-C or SIGTERM; the run can be gone on with.
    RunError
        `out` is taken, or there is nothing to go on with.
    StorageError
        The disk is full or cannot be written; the last checkpoint is whole.

    Examples
    --------
    >>> run = train("dense", "mnist", seed=0)  # doctest: +SKIP
    >>> run.history[-1].validation_accuracy  # doctest: +SKIP
    0.981
    """
    find_network(network)
    check_length(epochs, "epochs")
    source: DataSplits | str | Path = "mnist" if data is None else data
    config: TrainConfig[Recipe] = TrainConfig(
        network=network,
        seed=check_seed(seed),
        length=epochs,
        recipe=recipe,
        source=source.source if isinstance(source, DataSplits) else str(source),
        validation=0.1 if validation is None else validation,
        limit=limit,
        out=out,
    )
    if start is not None:
        _check_start(config, resume=resume)
        return _go_on(config, start, source, validation, progress or NullCallback())
    if resume:
        config = resume_config(config, Recipe)
        if not isinstance(source, DataSplits):
            source = config.source
    loader = Background(lambda: _loaded(source, config))
    limit_openmp_spin()
    with training_extra():
        from digitlens.training.digit_run import run_training, train_ensemble
    act = train_ensemble if find_network(network).members > 1 else run_training
    return act(config, loader.result(), progress or NullCallback())


def _go_on(
    config: TrainConfig[Recipe],
    start: str | Path,
    source: DataSplits | str | Path,
    share: float | None,
    progress: Callback,
) -> Run:
    from digitlens.training.user_data import load_replay_data, load_user_data

    loader = Background(lambda: (load_user_data(source, share), load_replay_data()))
    limit_openmp_spin()
    with training_extra():
        from digitlens.training.finetune_run import run_finetuning
    return run_finetuning(config, start, loader.result, progress)


def _check_start(config: TrainConfig[Recipe], *, resume: bool) -> None:
    if resume:
        raise UsageError(
            "--from begins a run and --resume goes on with one",
            try_="--from without --resume: so short a run is begun again",
        )
    if config.limit is not None:
        raise UsageError("--limit is not for --from: all pictures are learnt from")


def _loaded(source: DataSplits | str | Path, config: TrainConfig[Recipe]) -> DataSplits:
    if isinstance(source, DataSplits):
        return source
    return load_digits(source, validation=config.validation, limit=config.limit)


@contextmanager
def training_extra() -> Iterator[None]:
    """Turn a package that training lacks into a `MissingExtraError`."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "training needs torch, onnx, safetensors and matplotlib",
            seen=str(error),
            try_="pip install 'digitlens[train]'",
        ) from error


def limit_openmp_spin() -> None:
    """Let torch's threads spin for a millisecond when they wait, not for twelve; then sleep.

    A thread that waits for another one that the system has put aside burns the very time
    that the other needs. Beside one busy process, on two cores, this halved the time of an
    epoch of cnn (12 s instead of 25; alone it takes 2.1 s either way). It must be said before
    torch is imported; whoever has set it keeps it.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
