"""The course of one run: folder, training, checkpoints, and what is left at the end.

* The end of a run: the best weights as a model, its card, its plots and its figures.
"""

from __future__ import annotations

import json
import platform
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import safetensors.torch
import torch

from digitlens import metrics as score
from digitlens import models, viz
from digitlens import runs as run_folder
from digitlens.digits import CLASSES
from digitlens.errors import DataError, StoppedError
from digitlens.metrics.diagnosis import diagnose
from digitlens.metrics.history import best_epoch, from_csv, to_csv
from digitlens.models.card import ModelCard
from digitlens.models.fold import fuse_layers, quantize_first_layer
from digitlens.models.inference import Model, load_model
from digitlens.models.layer_table import summarize
from digitlens.models.onnx_reader import parse_onnx
from digitlens.models.onnx_writer import to_onnx
from digitlens.models.ops import Cascade, Ensemble, Linear, outputs_of
from digitlens.storage import write_bytes, write_text
from digitlens.training.checkpoint import TrainState, decode_checkpoint, encode_checkpoint
from digitlens.training.config import (
    Callback,
    TrainConfig,
    TrainSettings,
    check_same_data,
    config_to_dict,
)
from digitlens.training.device import (
    Device,
    GracefulInterrupt,
    choose_device,
    flush_denormals,
    tune_malloc,
)
from digitlens.training.distill import find_teacher, make_teacher
from digitlens.training.optimizer import AdamW
from digitlens.training.results import Run
from digitlens.training.trainer import Part, Trainer, predict_logits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import nn

    from digitlens.data import DataSplits
    from digitlens.digits import Digits, Labels
    from digitlens.metrics.history import Epoch
    from digitlens.models.ops import Op, Program
    from digitlens.models.recipe import Recipe
    from digitlens.training.trainer import Teacher


KEPT = 0.99
"""So many of the validation digits pass the threshold of "no digit"."""


@dataclass(frozen=True)
class TrainedNetwork:
    """What training ended in: the settings, the first network, all of it, its history."""

    settings: TrainSettings
    network: nn.Sequential
    program: Program
    history: list[Epoch]
    best: int
    members: int = 1


def export_run(
    folder: Path, trainer: Trainer, data: DataSplits, *, versions: dict[str, str]
) -> Run:
    """Write all that a finished run holds; metrics.json comes last and says "finished"."""
    network = trainer.network
    network.load_state_dict(safetensors.torch.load_file(folder / run_folder.BEST_WEIGHTS))
    network.eval().cpu()
    state, settings = trainer.state, trainer.settings
    program = _whole(settings.network, network)
    trained = TrainedNetwork(settings, network, program, state.history, state.best)
    # With nothing held back the matrix shows training digits, and its title says so.
    part = trainer.validation if len(data.validation) else trainer.sample
    return _leave(folder, trained, part, data, versions)


def export_ensemble_run(
    folder: Path,
    settings: TrainSettings,
    members: list[nn.Sequential],
    data: DataSplits,
    part: Part,
    *,
    versions: dict[str, str],
) -> Run:
    """Write all that the finished run of an ensemble holds, as `export_run` does.

    The history is that of its first member; each member's own lies in its folder.
    """
    program = Ensemble(tuple(fuse_layers(member) for member in members))
    first = folder / "member-0"
    text = (first / run_folder.HISTORY).read_text(encoding="utf-8")
    write_text(folder / run_folder.HISTORY, text)
    best = json.loads((first / run_folder.METRICS).read_text(encoding="utf-8"))["best_epoch"]
    trained = TrainedNetwork(settings, members[0], program, from_csv(text), best, len(members))
    return _leave(folder, trained, part, data, versions)


def _whole(name: str, network: nn.Sequential) -> Program:
    """Return all that answers: `network`, and behind it the second of its cascade."""
    entry = models.find_network(name)
    first = fuse_layers(network)
    if not entry.second:
        return first
    second = parse_onnx(load_model(entry.second).path.read_bytes(), name=entry.second)
    return Cascade(
        quantize_first_layer(first), _ten_outputs(second), models.cascade_margin(name)
    )


def _ten_outputs(ops: list[Op]) -> list[Op]:
    """Return `ops` without the eleventh output, which the first of a cascade has not."""
    last = ops[-1]
    assert isinstance(last, Linear), "a network ends in its logits"
    return [*ops[:-1], Linear(last.weight[:CLASSES], last.bias[:CLASSES])]


def _leave(
    folder: Path,
    trained: TrainedNetwork,
    part: Part,
    data: DataSplits,
    versions: dict[str, str],
) -> Run:
    history = trained.history
    diagnosis = diagnose(history, len(data.validation))
    validation = len(data.validation) > 0
    card = _card(folder, trained, data, versions)
    card, labels = _answers(folder, card, trained, part, validation=validation)
    confusion = score.confusion(part.labels.cpu().numpy().astype(np.uint8), labels)
    misses = int(confusion.sum() - np.trace(confusion)) if validation else 0
    if validation:
        card = replace(card, validation={"misses": misses, "count": len(data.validation)})
    write_bytes(folder / run_folder.MODEL, to_onnx(trained.program, card))
    write_text(folder / run_folder.CARD, card.markdown())
    held = "digits held back" if validation else "training digits, for none were held back"
    title = f"{folder.name}, {held}"
    plot = viz.history(history, diagnosis, title=folder.name)
    write_bytes(folder / run_folder.HISTORY_PLOT, plot)
    write_bytes(folder / run_folder.CONFUSION_PLOT, viz.confusion(confusion, title=title))
    metrics = {
        "format": 1,
        "network": card.network,
        "epochs": len(history),
        "best_epoch": trained.best,
        "validation": card.validation or None,
        "train_seconds": sum(epoch.seconds for epoch in history),
        "weights": card.weights,
        "multiply_adds": card.multiply_adds,
        "verdict": str(diagnosis.verdict),
        "history_in_words": diagnosis.words,
    }
    write_text(folder / run_folder.METRICS, json.dumps(metrics, indent=2) + "\n")
    return Run(trained.network, history, diagnosis, folder, misses, len(data.validation))


def _answers(
    folder: Path, card: ModelCard, trained: TrainedNetwork, part: Part, *, validation: bool
) -> tuple[ModelCard, Labels]:
    """Return the labels that the whole model gives, and the card with its threshold."""
    tells = outputs_of(trained.program) > CLASSES
    if not tells and isinstance(trained.program, list):  # torch is here already, and as good
        return card, predict_logits(trained.network, part.images.cpu()).numpy().astype(np.uint8)
    model = Model(folder / run_folder.MODEL, to_onnx(trained.program, card))
    given = model.predict(part.images.cpu().numpy())
    if given.no_digit is not None and validation:
        card = replace(card, threshold=round(float(np.quantile(given.no_digit, KEPT)), 6))
    return card, given.labels


def _card(
    folder: Path, trained: TrainedNetwork, data: DataSplits, versions: dict[str, str]
) -> ModelCard:
    settings = trained.settings
    name = settings.network
    size = summarize(trained.network, name=name)
    members = trained.members
    weights, products = size.weights * members, size.multiply_adds * members
    second = models.find_network(name).second
    if second:  # its work is done only where the first network is unsure
        weights += load_model(second).card.weights
    return ModelCard(
        name=folder.resolve().name,
        network=name,
        data=data.source,
        split=data.split,
        trained_on=len(data.train),
        seed=settings.seed,
        epochs=len(trained.history),
        best_epoch=trained.best,
        weights=weights,
        multiply_adds=products,
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        versions={key: versions[key] for key in ("digitlens", "torch", "python")},
        members=members,
        threshold=settings.recipe.threshold,
    )


def run_training(wish: TrainConfig, data: DataSplits, progress: Callback) -> Run:
    """Train as wished and leave a finished run folder (errors as in `train`)."""
    recipe = recipe_for(wish, data)
    # Found before a folder is claimed: a run that cannot begin leaves nothing behind.
    master = find_teacher(recipe.teacher) if recipe.teacher else None
    tune_malloc()
    device = choose_device()
    config = config_to_dict(wish, recipe, data, about=about_now(device))
    with open_run(wish.network, wish.out, wish.resume, config, data) as folder:
        settings = TrainSettings(wish.network, wish.seed, recipe)
        trainer = _trainer(settings, data, device, progress, master)
        if (folder / run_folder.CHECKPOINT).exists():
            trainer.state = decode_checkpoint(
                folder / run_folder.CHECKPOINT, trainer.network, trainer.optimiser
            )
        _train(trainer, folder, note=_note(settings, data, device))
        return export_run(folder, trainer, data, versions=versions())


@contextmanager
def open_run(
    network: str,
    out: Path | None,
    resume: Path | None,
    config: dict[str, Any],
    data: DataSplits,
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
    folder = resume or run_folder.claim_run_folder(network, out)
    with run_folder.lock_run(folder), flush_denormals():
        if resume:
            check_same_data(folder, run_folder.read_config(folder), data)
        else:
            run_folder.write_config(folder, config)
        yield folder


def recipe_for(wish: TrainConfig, data: DataSplits) -> Recipe:
    """Return the recipe that `wish` comes to on `data`.

    Raises
    ------
    DataError
        There is nothing to train on.
    """
    if len(data.train) == 0:
        raise DataError("there must be digits to train on", seen=f"none in {data.source}")
    recipe = wish.recipe or models.load_recipe(wish.network).fit_to(len(data.train))
    return recipe if wish.epochs is None else replace(recipe, epochs=wish.epochs)


def _trainer(
    settings: TrainSettings,
    data: DataSplits,
    device: Device,
    progress: Callback,
    master: Model | None,
) -> Trainer:
    recipe = settings.recipe
    torch.manual_seed(settings.seed)
    network = models.build(settings.network)
    network.to(device.kind).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Trainer(
        network,
        AdamW(network.parameters(), betas=recipe.betas, weight_decay=recipe.weight_decay),
        TrainState(),
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
    return make_teacher(master, last.out_features, device)


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
        with GracefulInterrupt() as stop:
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
            write_bytes(folder / run_folder.BEST_WEIGHTS, load_run_weights(trainer.network))
        write_text(folder / run_folder.HISTORY, to_csv(state.history))
    write_bytes(
        folder / run_folder.CHECKPOINT,
        encode_checkpoint(trainer.network, trainer.optimiser, trainer.state),
    )


def load_run_weights(network: nn.Module) -> bytes:
    """Return a network's weights as the bytes of a safetensors file."""
    weights = network.state_dict()
    return safetensors.torch.save(
        {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    )


def _stopped(trainer: Trainer, folder: Path) -> StoppedError:
    return StoppedError(
        "training was stopped on request; everything is saved",
        seen=f"step {trainer.state.step:,} of {trainer.steps:,}, in {folder}",
        try_=f"digitlens train {trainer.settings.network} --resume --out {folder}",
    )


def _note(settings: TrainSettings, data: DataSplits, device: Device) -> str:
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
