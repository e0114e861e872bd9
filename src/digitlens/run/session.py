"""The course of one run: folder, training, checkpoints, and what is left at the end."""

from __future__ import annotations

import platform
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import safetensors.torch
import torch

from digitlens import networks
from digitlens.atomic import write_bytes, write_text
from digitlens.errors import DataError, StoppedError
from digitlens.run.finish import finish
from digitlens.run.teacher import find_teacher, teacher_of
from digitlens.run.wish import Wish, check_same_data, config_of
from digitlens.training import folder as run_folder
from digitlens.training.adamw import AdamW
from digitlens.training.config import Progress, Settings
from digitlens.training.device import Device, choose, tiny_is_zero
from digitlens.training.history import to_csv
from digitlens.training.interrupt import StopWish
from digitlens.training.memory import keep_freed_memory
from digitlens.training.state import State, pack, unpack
from digitlens.training.trainer import Part, Trainer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import nn

    from digitlens.data import Data
    from digitlens.diagnosis import Epoch
    from digitlens.digits import Digits
    from digitlens.model import Model
    from digitlens.networks.recipe import Recipe
    from digitlens.run.result import Run
    from digitlens.training.trainer import Teacher


def carry_out(wish: Wish, data: Data, progress: Progress) -> Run:
    """Train as wished and leave a finished run folder (errors as in `digitlens.run.train`)."""
    recipe = recipe_for(wish, data)
    # Found before a folder is claimed: a run that cannot begin leaves nothing behind.
    master = find_teacher(recipe.teacher) if recipe.teacher else None
    keep_freed_memory()
    device = choose()
    config = config_of(wish, recipe, data, about=about_now(device))
    with opened(wish.network, wish.out, wish.resume, config, data) as folder:
        settings = Settings(wish.network, wish.seed, recipe)
        trainer = _trainer(settings, data, device, progress, master)
        if (folder / run_folder.LAST).exists():
            trainer.state = unpack(folder / run_folder.LAST, trainer.network, trainer.optimiser)
        _train(trainer, folder, note=_note(settings, data, device))
        return finish(folder, trainer, data, versions=versions())


@contextmanager
def opened(
    network: str, out: Path | None, resume: Path | None, config: dict[str, Any], data: Data
) -> Iterator[Path]:
    """Give a ``with`` block the run's folder: locked, and begun or found to be the same.

    Parameters
    ----------
    config
        What config.toml is to hold, when the run begins.

    Raises
    ------
    RunError
        The folder is taken, or the data are others than the run was begun with.
    """
    folder = resume or run_folder.claim(network, out)
    with run_folder.locked(folder), tiny_is_zero():
        if resume:
            check_same_data(folder, run_folder.read_config(folder), data)
        else:
            run_folder.write_config(folder, config)
        yield folder


def recipe_for(wish: Wish, data: Data) -> Recipe:
    """Return the recipe that `wish` comes to on `data`.

    Raises
    ------
    DataError
        There is nothing to train on.
    """
    if len(data.train) == 0:
        raise DataError("there must be digits to train on", seen=f"none in {data.source}")
    recipe = wish.recipe or networks.recipe_of(wish.network).fitted(len(data.train))
    return recipe if wish.epochs is None else replace(recipe, epochs=wish.epochs)


def _trainer(
    settings: Settings,
    data: Data,
    device: Device,
    progress: Progress,
    master: Model | None,
) -> Trainer:
    recipe = settings.recipe
    torch.manual_seed(settings.seed)
    network = networks.build(settings.network)
    network.to(device.kind).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Trainer(
        network,
        AdamW(network.parameters(), betas=recipe.betas, weight_decay=recipe.weight_decay),
        State(),
        settings=settings,
        train=resident(data.train, device.kind),
        validation=resident(data.validation, device.kind),
        device=device,
        progress=progress,
        teacher=_teacher(master, network, device),
    )


def _teacher(master: Model | None, network: nn.Sequential, device: Device) -> Teacher | None:
    if master is None:
        return None
    last = network[-1]
    assert isinstance(last, torch.nn.Linear), "a pupil ends in its logits"
    return teacher_of(master, last.out_features, device)


def resident(digits: Digits, kind: str = "cpu") -> Part:
    """Return `digits` as tensors on the device `kind`."""
    images = np.require(digits.images, requirements=["C", "W"])
    labels = digits.labels.astype(np.int64)
    return Part(torch.from_numpy(images).to(kind), torch.from_numpy(labels).to(kind))


def _train(trainer: Trainer, folder: Path, *, note: str) -> None:
    progress = trainer.progress
    per_epoch = trainer.batch * trainer.steps_per_epoch
    progress.start(trainer.steps, trainer.recipe.epochs, per_epoch, note)
    try:
        with StopWish() as stop:
            progress.step(trainer.state.step)
            while not trainer.finished:
                whole = trainer.run_epoch(lambda: stop.wished)
                _save(trainer, folder, whole_epoch=whole)
                if stop.wished and not trainer.finished:
                    raise _stopped(trainer, folder)
    finally:
        progress.finish()


def _save(trainer: Trainer, folder: Path, *, whole_epoch: bool) -> None:
    """Write the checkpoint; the best weights go first, so that `last` never names lost ones."""
    state = trainer.state
    if whole_epoch:
        best = best_epoch(state.history)
        if best == len(state.history):
            state.best = best
            write_bytes(folder / run_folder.WEIGHTS, weights_of(trainer.network))
        write_text(folder / run_folder.HISTORY, to_csv(state.history))
    write_bytes(
        folder / run_folder.LAST, pack(trainer.network, trainer.optimiser, trainer.state)
    )


def weights_of(network: nn.Module) -> bytes:
    """Return a network's weights as the bytes of a safetensors file."""
    weights = network.state_dict()
    return safetensors.torch.save(
        {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    )


def best_epoch(history: list[Epoch]) -> int:
    """Return the epoch (1-based) to keep: most validation digits right, then least loss.

    Where nothing is held back it is the last: the recipe's end is the only honest choice.
    """

    def rank(epoch: Epoch) -> tuple[float, float, int]:
        if epoch.validation_accuracy is None or epoch.validation_loss is None:
            return 0.0, 0.0, epoch.epoch
        return epoch.validation_accuracy, -epoch.validation_loss, -epoch.epoch

    return max(history, key=rank).epoch


def _stopped(trainer: Trainer, folder: Path) -> StoppedError:
    return StoppedError(
        "training was stopped on request; everything is saved",
        seen=f"step {trainer.state.step:,} of {trainer.steps:,}, in {folder}",
        try_=f"digitlens train {trainer.settings.network} --resume --out {folder}",
    )


def _note(settings: Settings, data: Data, device: Device) -> str:
    return (
        f"training {settings.network} on {len(data.train):,} digits of {data.source} "
        f"(seed {settings.seed}; {device})\n{data.split}"
    )


def about_now(device: Device) -> dict[str, Any]:
    """Return what config.toml says of machine, versions and time."""
    return {
        "machine": {
            "device": str(device),
            "platform": platform.platform(),
            "threads": torch.get_num_threads(),
        },
        "versions": versions(),
        "created": {"at": datetime.now().astimezone().isoformat(timespec="seconds")},
    }


def versions() -> dict[str, str]:
    """Return the versions of all that decides a run's weights."""
    return {
        "digitlens": version("digitlens"),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "onnx": str(onnx.__version__),
    }
