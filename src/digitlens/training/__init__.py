"""Training, from digits to a run folder: `train` for digits, `train_reader` for lines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.data import DataSplits, as_splits, load_digits
from digitlens.data.line_folder import find_line_folder
from digitlens.digits import Digits
from digitlens.errors import MissingExtraError, UsageError
from digitlens.models.recipe import (
    CORRECTION_STEPS,
    HELPERS,
    RESCORER,
    SIGNS,
    LineRecipe,
    Recipe,
    find_line_recipe,
    read_recipe,
)
from digitlens.models.registry import find_network
from digitlens.training.config import (
    Callback,
    TrainConfig,
    check_length,
    check_seed,
    default_callback,
    resume_config,
)
from digitlens.training.parallel import Engine, make_engine
from digitlens.training.results import ReaderRun, Run
from digitlens.workers import is_machine_busy, run_in_background

if TYPE_CHECKING:
    from torch import nn


__all__ = ["ReaderRun", "Run", "train", "train_reader"]


def train(
    network: str | nn.Module,
    data: DataSplits | Digits | tuple[Any, Any] | str | Path | None = None,
    *,
    start: str | Path | None = None,
    validation: float | None = None,
    limit: int | None = None,
    seed: int = 0,
    epochs: int | None = None,
    recipe: Recipe | str | Path | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    progress: Callback | None = None,
    layers: str | None = None,
    activation: str | None = None,
    learning_rate: float | None = None,
    batch: int | None = None,
    dropout: float | None = None,
    optimizer: str | None = None,
    augment: str | None = None,
    workers: int | None = None,
    engine: Engine | None = None,
) -> Run:
    """Train a network by its recipe and keep everything in a run folder.

    The same seed gives the same weights again on the same machine, with the same versions and
    the same number of threads. Another processor, another torch or another number of threads
    adds in another order and ends at other, equally good weights: that is not promised.

    network: a name of `digitlens.models.NETWORKS`; "custom", with `layers`; or a torch module,
        a chain of layers from float (N, 1, 28, 28) in 0..1 to logits (N, 10), whose weights
        are trained (`digitlens.models.own.adopt`)
    data: a source for `load_digits` or what it gave, `Digits`, or (images, labels) as
        `digitlens.data.as_digits` takes them; when None that of the network: MNIST, or "world"
        for universal
    start: Fine-tune this model of the same network: a published one, a run folder or an .onnx
        file. A few pictures are then enough (`data`: a folder of class folders); digits that it
        knows are replayed, MNIST's training digits where they are at hand.
    validation, limit: for `load_digits`, when `data` is a source; `validation` is 0.1 when
        None. With `start` it is the share of each class that is held back, a quarter where
        there are 8 pictures of a class when None.
    seed: decides first weights, order and augmentation
    epochs: instead of the recipe's; the learning rate's rise and fall is stretched to them
    recipe: instead of the network's own; or the name of another that it has, such as "course"
        of dense; or a file that ends in .toml: what `digitlens tune` wrote
    out: the run folder; ``runs/train/<network>-<n>`` when None
    resume: resume the run in `out`, or the newest unfinished one of `network`. Everything else
        is taken from its config.toml (pass `data` again if it was passed as `DataSplits`).
    layers: of a network of your own, such as "conv16,pool,conv32,pool,dense64"
    activation: one of `digitlens.models.recipe.ACTIVATIONS`, behind each of `layers` but
        pooling; ReLU when None
    learning_rate, batch, dropout: instead of the recipe's; dropout is the share of the values
        of dense hidden layers that each step leaves out
    optimizer, augment: one of `digitlens.models.recipe.OPTIMIZERS`, of `AUGMENTATIONS`
    workers: of a network of several members: train so many at the same time, each with one
        core in a process of its own; when None, one after the other with all cores
    engine: the same on other machines: `digitlens.batch.ray_engine.RayEngine`
    progress: is called as training goes on, in this thread; when None, a line for each epoch
        is printed in a notebook and on a terminal, and nothing elsewhere

    Raises UsageError: an unknown network, a layer that cannot be exported, no epochs, a bad
    seed or value, a `start` of another network;
    ModelError: there is no model `start`; DataError: the data cannot be used; DivergedError:
    the loss became infinite or not a number; StoppedError: Ctrl-C or SIGTERM; the run can be
    resumed; RunError: `out` is taken, or there is nothing to resume; StorageError: the disk is
    full or cannot be written; the last checkpoint is whole.

    >>> run = train("dense", "mnist", seed=0)  # doctest: +SKIP
    >>> run.history[-1].validation_accuracy  # doctest: +SKIP
    0.981
    """
    changes = _list_changes(learning_rate, batch, dropout, optimizer, augment)
    config, source = configure(
        *(network, data),
        validation=validation,
        limit=limit,
        seed=seed,
        epochs=epochs,
        recipe=recipe,
        out=out,
        layers=layers,
        activation=activation,
        changes=changes,
    )
    several = workers is not None or engine is not None
    _check_data(data, validation, limit)
    _check_changes(config, begun=resume, start=start is not None, several=several)
    if start is not None:
        _check_start(config, resume=resume)
        return _fine_tune(config, start, source, validation, progress or default_callback())
    if resume:
        asked: dict[str, Any] = {"layers": layers, "activation": activation, "limit": limit}
        asked |= {"validation": validation, "seed": seed or None}
        asked["source"] = str(data) if isinstance(data, str | Path) else None
        config = resume_config(config, Recipe, asked)
    limit_openmp_spin()
    # Digits are read while torch is imported: together the longest part of a short run.
    loader = run_in_background(lambda: load_splits(source, config))
    with training_extra():
        from digitlens.training.digit_run import run_training, train_ensemble
    progress = progress or default_callback()
    if find_network(config.network).members > 1:
        if workers and engine is None:
            engine = make_engine(workers=workers)
        return train_ensemble(config, loader.result(), progress, engine)
    return run_training(config, loader.result(), progress)


def configure(
    network: str | nn.Module,
    data: DataSplits | Digits | tuple[Any, Any] | str | Path | None,
    *,
    validation: float | None = None,
    limit: int | None = None,
    seed: int = 0,
    epochs: int | None = None,
    recipe: Recipe | str | Path | None = None,
    out: str | Path | None = None,
    layers: str | None = None,
    activation: str | None = None,
    changes: dict[str, Any] | None = None,
) -> tuple[TrainConfig[Recipe], Any]:
    """Return what is asked for, checked, and what `load_splits` loads; as `train` has them.

    changes: of the recipe: for `Recipe.adjust`
    """
    recipe = _open_recipe(recipe)
    chosen = _choose_network(network, layers, activation)
    default = find_network(chosen["network"]).source
    check_length(epochs, "epochs")
    share = 0.1 if validation is None else validation
    source: Any = default if data is None else data
    if isinstance(data, Digits | tuple):
        source = as_splits(data, validation=share, limit=limit)
    config: TrainConfig[Recipe] = TrainConfig(
        **chosen,
        seed=check_seed(seed),
        length=epochs,
        recipe=None if isinstance(recipe, str) else recipe,
        recipe_name=recipe if isinstance(recipe, str) else None,
        source=source.source if isinstance(source, DataSplits) else str(source),
        validation=share,
        limit=limit,
        out=None if out is None else Path(out),
        changes=changes,
    )
    return config, source


def train_reader(
    name: str = "reader",
    data: DataSplits | str | Path | None = None,
    *,
    start: str | Path | None = None,
    validation: float = 0.1,
    seed: int = 0,
    steps: int | None = None,
    recipe: LineRecipe | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    writers: int | None = None,
    progress: Callback | None = None,
) -> ReaderRun:
    """Train a network that reads lines of digits, and keep everything in a run folder.

    It learns from lines that are made as it goes, of the training digits of `data`; no line
    is shown twice. Other processes make them, so a script that calls this must do so below
    ``if __name__ == "__main__":``.

    On a processor the same seed gives the same weights again on the same machine, with the
    same versions and number of threads, whatever the number of writers. On a graphics card
    sums are taken in any order, and no two runs are the same.

    name: a name of `digitlens.models.recipe.READERS`
    data, out, resume, progress: as for `train`
    start: go on from the weights of this reader: a published one, a run folder or an .onnx
        file; of a rescorer a run folder. A reader's `data` may then be a folder of corrected
        lines (``mail corrections`` saves one): they are mixed into lines that MNIST's digits
        write. What it reads of other lines is measured before and after, and the change is
        taken back as far as it forgot them.
    validation: for `load_digits`: the share that is held back, by writer; lines of their digits
        are what the history's figures are measured on
    seed: decides first weights, lines and order
    steps: instead of the recipe's; with few, warming up and the like take fewer too
    recipe: instead of the network's own
    writers: processes that make lines; with 0 this one does. When None one beside a processor,
        and all cores but one beside a graphics card.

    Raises UsageError: an unknown reader, no steps, a bad seed, a `start` for signs or of
    another network, corrected lines for a network that does not learn them; DataError: the
    digits cannot be used; one of 0 to 9 is missing, for instance; WorkerError: a process that
    makes lines has died; all is saved; DivergedError, StoppedError, RunError,
    StorageError: as `train`.
    """
    check_length(steps, "steps")
    if name == SIGNS and start is not None:
        raise UsageError(
            f"{SIGNS} is trained from the beginning: it goes on from no other network",
            seen=f"--from {start}",
            try_=f"digitlens train {SIGNS}",
        )
    source: DataSplits | str | Path = "mnist" if data is None else data
    # Lines that people corrected are learnt besides those that MNIST's digits write.
    corrections = find_line_folder(source)
    if corrections is not None:
        _check_corrections(name, source, begun=resume or start is not None)
        source = "mnist"
    config = TrainConfig(
        network=name,
        seed=check_seed(seed),
        length=steps,
        recipe=recipe or find_line_recipe(name),
        start=None if start is None else str(start),
        corrections=None if corrections is None else str(corrections),
        source=source.source if isinstance(source, DataSplits) else str(source),
        validation=validation,
        out=None if out is None else Path(out),
        writers=writers,
    )
    if resume:
        asked = {"seed": seed or None, "start": config.start, "source": data and config.source}
        asked["corrections"] = config.corrections
        config = resume_config(config, LineRecipe, asked)
    elif start is not None and recipe is None:
        if steps is None and corrections is not None:
            steps = CORRECTION_STEPS
        config = replace(config, recipe=config.resolved_recipe.go_on(steps), length=None)
    elif steps is not None:
        config = replace(config, recipe=config.resolved_recipe.fit_to(steps), length=None)
    limit_openmp_spin()
    with training_extra():
        if name == SIGNS:
            from digitlens.training.sign_task import run_sign_training as run_training
        elif name == RESCORER:
            from digitlens.training.rescorer_task import run_rescorer_training as run_training
        else:
            from digitlens.training.line_task import run_line_training as run_training
    return run_training(config, load_splits(source, config), progress or default_callback())


def _check_corrections(name: str, source: DataSplits | str | Path, *, begun: bool) -> None:
    if name in HELPERS:
        raise UsageError(
            f"{source} holds lines that people corrected: {name} does not learn them",
            try_=f"digitlens train reader --from reader --data {source}",
        )
    if not begun:
        raise UsageError(
            f"{source} holds lines that people corrected: a reader learns them, going on",
            try_=f"digitlens train reader --from reader --data {source}",
        )


def load_splits(
    source: DataSplits | str | Path, config: TrainConfig[Recipe] | TrainConfig[LineRecipe]
) -> DataSplits:
    """Return the digits of a training, loaded where they are not yet."""
    if isinstance(source, DataSplits):
        return source
    # A resumed run says in its config.toml where its digits came from.
    source = config.source if config.resume else source
    return load_digits(source, validation=config.validation, limit=config.limit)


def _fine_tune(
    config: TrainConfig[Recipe],
    start: str | Path,
    source: DataSplits | str | Path,
    share: float | None,
    progress: Callback,
) -> Run:
    from digitlens.training.user_data import load_replay_data, load_user_data

    limit_openmp_spin()
    loader = run_in_background(lambda: (load_user_data(source, share), load_replay_data()))
    with training_extra():
        from digitlens.training.finetune_run import run_finetuning
    return run_finetuning(config, start, loader.result, progress)


def _open_recipe(recipe: Recipe | str | Path | None) -> Recipe | str | None:
    """Return a recipe that is in a file; what is no file stays as it is."""
    if isinstance(recipe, Path) or (isinstance(recipe, str) and recipe.endswith(".toml")):
        return read_recipe(Path(recipe))
    return recipe


def _list_changes(*values: object) -> dict[str, Any]:
    """Return what `Recipe.adjust` is to change, by name."""
    names = ("learning_rate", "batch", "dropout", "optimizer", "augment")
    pairs = zip(names, values, strict=True)
    return {name: value for name, value in pairs if value is not None}


def _choose_network(
    network: str | nn.Module, layers: str | None, activation: str | None
) -> dict[str, Any]:
    """Return what `TrainConfig` says of the network that is trained, checked."""
    if activation is not None and layers is None:
        raise UsageError(
            "--activation is for the layers of a network of your own",
            seen=f"--activation {activation} without --layers",
            try_="custom, with --layers",
        )
    own = {"layers": layers, "activation": activation}
    if layers is not None and network != "custom":
        raise UsageError(
            "--layers is for a network of your own",
            seen=network if isinstance(network, str) else "a module, which has its layers",
            try_="custom",
        )
    if isinstance(network, str):
        if layers is not None:
            with training_extra():
                from digitlens.models.own import build_layers
            build_layers(layers, activation or "relu")
        return {"network": network, **own}
    with training_extra():
        from digitlens.models.own import adopt
    return {"network": "custom", "module": adopt(network), **own}


def _check_data(data: object, validation: float | None, limit: int | None) -> None:
    """Refuse what would divide digits that are divided."""
    if isinstance(data, DataSplits) and (validation, limit) != (None, None):
        raise UsageError(
            "validation and limit are for a source; these digits are divided already",
            seen=f"validation={validation}, limit={limit}",
            try_="load_digits(SOURCE, validation=..., limit=...)",
        )


def _check_changes(
    config: TrainConfig[Recipe], *, begun: bool, start: bool, several: bool
) -> None:
    """Refuse values that cannot be, before anything is read, and those that nothing heeds."""
    if several and (start or find_network(config.network).members == 1):
        raise UsageError(
            "--workers and --engine are for several trainings at the same time",
            seen="--from, which is one" if start else f"{config.network}, which is one",
            try_="--seeds N, or best, which has several members",
        )
    if config.changes and (begun or start):
        raise UsageError(
            "a run goes on by the recipe it was begun with",
            seen=", ".join(f"--{name.replace('_', '-')}" for name in config.changes),
        )
    own = config.layers or config.module is not None
    if start and own:
        raise UsageError(
            "a network that is trained further has its layers",
            seen=f"--from with {f'--layers {config.layers}' if config.layers else 'a module'}",
            try_="custom without --layers",
        )
    if config.network == "custom" and not (own or begun or start):
        raise UsageError(
            "custom is a network of your own layers",
            try_="--layers conv16,pool,conv32,pool,dense64",
        )
    Recipe(epochs=1, batch=1, learning_rate=1.0).adjust(**(config.changes or {}))


def _check_start(config: TrainConfig[Recipe], *, resume: bool) -> None:
    if resume:
        raise UsageError(
            "--from begins a run and --resume goes on with one",
            try_="--from without --resume: so short a run is begun again",
        )
    if config.recipe_name is not None:
        raise UsageError("--recipe is not for --from: fine-tuning has a recipe of its own")
    if config.limit is not None:
        raise UsageError("--limit is not for --from: all pictures are learnt from")


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

    A thread that waits for another one that the system has paused burns the very time that
    the other needs. Beside one busy process, on two cores, this halved the time of an epoch
    of cnn (12 s instead of 25; alone it takes 2.1 s either way). Where others run when
    training begins, threads sleep at once. The sums are the same however threads wait. It
    must be set before torch is imported, and before this process has threads; a value that
    is set already is kept.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "0" if is_machine_busy() else "20000")
