"""The course of every training run: its folder, its checkpoints, what stands in its files."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import safetensors.torch
import torch
from torch import nn

from digitlens import runs as run_folder
from digitlens.data import DataSplits
from digitlens.errors import StoppedError, WorkerError
from digitlens.metrics.history import rows_to_csv
from digitlens.models.card import LineModelCard, ModelCard
from digitlens.models.onnx_writer import to_onnx
from digitlens.models.ops import Program
from digitlens.storage import write_bytes, write_text
from digitlens.training.checkpoint import Row, TrainState, encode_checkpoint, load_checkpoint
from digitlens.training.config import (
    AnyRecipe,
    NetworkWatcher,
    TrainConfig,
    check_same_data,
    config_to_dict,
)
from digitlens.training.device import Device, GracefulInterrupt, flush_denormals
from digitlens.training.trainer import Trainer


@contextmanager
def open_run(
    config: TrainConfig[AnyRecipe], data: DataSplits, device: Device
) -> Iterator[Path]:
    """Give a ``with`` block the run's folder, locked: new, or checked to be of these data."""
    folder = config.resume or run_folder.claim_run_folder(config.network, config.out)
    with run_folder.lock_run(folder), flush_denormals():
        if config.resume:
            check_same_data(folder, run_folder.read_config(folder), data)
        else:
            content = config_to_dict(config, data, about=describe_machine(device))
            run_folder.write_config(folder, content)
        yield folder


def restore(folder: Path, state: TrainState[Row], row: type[Row]) -> None:
    """Bring `state` to the checkpoint in `folder`, if there is one."""
    if (folder / run_folder.CHECKPOINT).exists():
        load_checkpoint(folder / run_folder.CHECKPOINT, state, row)


def fit(trainer: Trainer[Row], folder: Path | None, network: str, *, note: str) -> None:
    """Train to the end, with a checkpoint after each evaluation and on Ctrl-C.

    folder: where checkpoints go; None keeps none
    network: the network's name, for the command that resumes
    note: what is trained, on what, for the callback
    """
    task, state, callback = trainer.task, trainer.state, trainer.callback
    epochs = ceil(task.steps / task.interval)
    callback.start(task.steps, epochs, task.batch_size * task.interval, note)
    if isinstance(callback, NetworkWatcher):
        callback.watch(state.network)
    try:
        # Ctrl-C ends a run between two steps, when everything can be saved.
        with GracefulInterrupt() as interrupt:
            callback.step(state.step)
            while not trainer.finished:
                try:
                    evaluated = trainer.run_interval(lambda: interrupt.requested)
                except WorkerError:
                    trainer.check_finite()
                    _save(trainer, folder, evaluated=False)
                    raise
                _save(trainer, folder, evaluated=evaluated)
                if interrupt.requested and not trainer.finished:
                    raise _stopped(trainer, folder, network)
    finally:
        callback.finish()


def _save(trainer: Trainer[Row], folder: Path | None, *, evaluated: bool) -> None:
    """Write the checkpoint; the best weights go first, so that it never names lost ones."""
    if folder is None:
        return
    state = trainer.state
    if evaluated:
        if trainer.task.is_best(state.history):
            state.best = len(state.history)
            write_bytes(folder / run_folder.BEST_WEIGHTS, encode_weights(state.kept))
        rows = rows_to_csv(state.history, type(state.history[0]))
        write_text(folder / run_folder.HISTORY, rows)
    write_bytes(folder / run_folder.CHECKPOINT, encode_checkpoint(state))


def _stopped(trainer: Trainer[Row], folder: Path | None, network: str) -> StoppedError:
    if folder is None:
        return StoppedError(
            "fine-tuning was stopped on request; nothing is kept of so short a run",
            try_="the same command begins it again",
        )
    return StoppedError(
        "training was stopped on request; everything is saved",
        seen=f"step {trainer.state.step:,} of {trainer.task.steps:,}, in {folder}",
        try_=f"digitlens train {network} --resume --out {folder}",
    )


def encode_weights(network: nn.Module, about: dict[str, str] | None = None) -> bytes:
    """Return a network's weights as the bytes of a safetensors file, `about` with them."""
    return safetensors.torch.save(
        {
            name: value.detach().cpu().contiguous()
            for name, value in network.state_dict().items()
        },
        about,
    )


def card_facts(
    folder: Path, config: TrainConfig[AnyRecipe], data: DataSplits
) -> dict[str, Any]:
    """Return the fields that the cards of digit networks and of line readers share."""
    every = read_versions()
    return {
        "name": folder.resolve().name,
        "network": config.network,
        "data": data.source,
        "split": data.split,
        "seed": config.seed,
        "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        "versions": {name: every[name] for name in ("digitlens", "torch", "python")},
    }


def save_run(
    folder: Path,
    program: Program,
    card: ModelCard | LineModelCard,
    history: Sequence[Row],
    *,
    plots: Mapping[str, bytes],
    figures: Mapping[str, Any],
    validation: Mapping[str, int] | None,
) -> None:
    """Write model, card and plots, and last metrics.json: with it the run is finished.

    figures: what only this kind of run has in metrics.json
    validation: misses and count, where something was held back
    """
    write_bytes(folder / run_folder.MODEL, to_onnx(program, card))
    write_text(folder / run_folder.CARD, card.markdown())
    for name, content in plots.items():
        write_bytes(folder / name, content)
    metrics = {
        "format": 1,
        "network": card.network,
        "validation": validation or None,
        "train_seconds": sum(row.seconds for row in history),
        "weights": card.weights,
        "multiply_adds": card.multiply_adds,
        **figures,
    }
    write_text(folder / run_folder.METRICS, json.dumps(metrics, indent=2) + "\n")


def describe_machine(device: Device) -> dict[str, Any]:
    """Return what config.toml says of machine, versions and time."""
    return {
        "machine": {
            "device": str(device),
            "platform": platform.platform(),
            "threads": torch.get_num_threads(),
        },
        "versions": read_versions(),
        "created": {"at": datetime.now().astimezone().isoformat(timespec="seconds")},
    }


def read_versions() -> dict[str, str]:
    """Return the versions of all that decides a run's weights."""
    return {
        "digitlens": version("digitlens"),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "onnx": str(onnx.__version__),
    }
