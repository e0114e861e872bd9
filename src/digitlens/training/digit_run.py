"""A run of a network for single digits, or of an ensemble of them, and what it leaves."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from digitlens import models, viz
from digitlens import runs as run_folder
from digitlens.data import DataSplits, world
from digitlens.digits import CLASSES, Labels
from digitlens.errors import DataError, DigitlensError, ModelError, RunError, StoppedError
from digitlens.imaging.inputs import tune_malloc
from digitlens.metrics.classification import confusion
from digitlens.metrics.diagnosis import diagnose
from digitlens.metrics.history import Epoch, History, from_csv
from digitlens.models.card import ModelCard
from digitlens.models.convert import (
    fuse_layers,
    load_network,
    quantize_first_layer,
    read_weights,
    rebuild,
)
from digitlens.models.inference import Model, load_model, published_names
from digitlens.models.layer_table import summarize
from digitlens.models.onnx_reader import parse_onnx, parse_program
from digitlens.models.onnx_writer import to_onnx
from digitlens.models.ops import Cascade, Ensemble, Linear, Op, Program, count_outputs
from digitlens.models.own import add_dropout, adopt, build_layers
from digitlens.models.recipe import Recipe
from digitlens.runs import RUNS, find_newest_finished
from digitlens.storage import read_regular, write_text
from digitlens.training.checkpoint import TrainState, begin_training
from digitlens.training.config import Callback, TrainConfig, check_same_data, config_to_dict
from digitlens.training.device import Device, choose_device
from digitlens.training.digit_task import (
    MAX_TRAIN_SAMPLE,
    DigitTask,
    DigitTensors,
    Teacher,
    predict_labels,
)
from digitlens.training.parallel import Engine, train_all
from digitlens.training.results import Run
from digitlens.training.session import (
    card_facts,
    describe_machine,
    fit,
    open_run,
    restore,
    save_run,
)
from digitlens.training.trainer import Trainer

ACCEPTED_SHARE = 0.99  # so many of the validation digits pass the threshold of "no digit"


def run_training(config: TrainConfig[Recipe], data: DataSplits, callback: Callback) -> Run:
    """Train as asked and leave a finished run folder (errors as in `train`)."""
    config = resolve_recipe(config, data)
    recipe = config.resolved_recipe
    # Found before a folder is claimed: a run that cannot begin leaves nothing behind.
    teacher = find_teacher(recipe.teacher) if recipe.teacher else None
    tune_malloc()
    device = choose_device()
    with open_run(config, data, device) as folder:
        # Build the network and what it learns; the seed decides the first weights.
        torch.manual_seed(config.seed)
        network = _build_network(config)
        task = DigitTask(
            recipe,
            config.seed,
            train=DigitTensors.load(data.train, device.kind),
            validation=DigitTensors.load(data.validation, device.kind),
            device=device,
            teacher=make_teacher(teacher, _count_outputs(network), device) if teacher else None,
            negatives=None
            if data.negatives is None
            else torch.from_numpy(data.negatives).to(device.kind),
            # A teacher of MNIST is asked for digits of the kind that it knows.
            taught=torch.from_numpy(np.flatnonzero(world.find_mnist(data.train)))
            if data.source == world.NAME
            else None,
        )
        # Begin, or resume from the checkpoint.
        state: TrainState[Epoch] = begin_training(network, recipe, task.interval, device.kind)
        restore(folder, state, Epoch)
        # Train, then write what a finished run holds.
        note = (
            f"training {config.network} on {len(data.train):,} digits of {data.source} "
            f"(seed {config.seed}; {device})\n{data.split}"
        )
        fit(Trainer(state, task, callback), folder, config.network, note=note)
        return _export_run(folder, config, state, task, data)


def _build_network(config: TrainConfig[Recipe]) -> nn.Sequential:
    """Return the network with its first weights, and with dropout where the recipe has it."""
    if config.module is not None:
        network = adopt(config.module)
    elif config.layers is not None:
        network = build_layers(config.layers, config.activation or "relu")
    else:
        network = models.build(config.network)
    share = config.resolved_recipe.dropout
    return add_dropout(network, share) if share else network


def resolve_recipe(config: TrainConfig[Recipe], data: DataSplits) -> TrainConfig[Recipe]:
    """Return `config` with the recipe that it comes to on `data`."""
    if len(data.train) == 0:
        raise DataError("there must be digits to train on", seen=f"none in {data.source}")
    recipe = config.recipe or models.load_recipe(config.network, config.recipe_name).fit_to(
        len(data.train)
    )
    if config.changes:
        recipe = recipe.adjust(**config.changes)
    if config.length is not None:
        recipe = replace(recipe, epochs=config.length)
    return replace(config, recipe=recipe, recipe_name=None, changes=None, length=None)


def _count_outputs(network: nn.Sequential) -> int:
    last = network[-1]
    assert isinstance(last, torch.nn.Linear), "a student ends in its logits"
    return last.out_features


def train_ensemble(
    config: TrainConfig[Recipe],
    data: DataSplits,
    callback: Callback,
    engine: Engine | None = None,
) -> Run:
    """Train all members and leave a finished run folder of their ensemble.

    Members are seeds by index, seed x members + index, and all of them answer: none is chosen
    by its score. Each has a run folder of its own inside the ensemble's, so that a run that
    was interrupted goes on with the member that was under way. With an engine several are
    trained at the same time, each on one core: `callback` hears nothing of these.
    """
    config = resolve_recipe(config, data)
    folder = config.resume or run_folder.claim_run_folder(config.network, config.out)
    with ExitStack() as stack:
        stack.enter_context(run_folder.lock_run(folder))
        if config.resume:
            check_same_data(folder, run_folder.read_config(folder), data)
        else:
            about = describe_machine(choose_device())
            run_folder.write_config(folder, config_to_dict(config, data, about=about))
        count = models.find_network(config.network).members
        configs = [
            replace(
                config,
                seed=config.seed * count + index,
                out=folder / f"member-{index}",
                resume=None,
            )
            for index in range(count)
        ]
        if engine is not None:
            for outcome in train_all(configs, data, run_training, engine):
                if isinstance(outcome, DigitlensError):
                    raise outcome
        # One after the other; what was trained above is only read.
        members = [_train_member(one, data, callback) for one in configs]
        return _export_ensemble(folder, config, members, data)


def _train_member(
    config: TrainConfig[Recipe], data: DataSplits, callback: Callback
) -> nn.Sequential:
    """Return the trained member in ``config.out``, which is begun, resumed or only read."""
    folder = config.out
    assert folder is not None, "each member has a folder"
    if (folder / run_folder.METRICS).is_file():
        return load_network(folder, config.network)
    begun = (folder / run_folder.CONFIG).is_file()
    config = replace(config, resume=folder if begun else None)
    try:
        return run_training(config, data, callback).network
    except StoppedError as error:
        raise StoppedError(
            error.wanted,
            seen=error.seen,
            try_=f"digitlens train {config.network} --resume --out {folder.parent}",
        ) from error


@dataclass(frozen=True)
class _Trained:
    """What training ended in: the first network, all that answers, its history."""

    network: nn.Sequential
    program: Program
    history: list[Epoch]
    best: int
    members: int = 1
    labels: Tensor | None = None  # what `network` says of the digits that are shown, if known


def _export_run(
    folder: Path,
    config: TrainConfig[Recipe],
    state: TrainState[Epoch],
    task: DigitTask,
    data: DataSplits,
) -> Run:
    network = state.network
    with read_weights(folder / run_folder.BEST_WEIGHTS, config.network) as weights:
        network.load_state_dict(weights)
    network.eval().cpu()
    program = _build_program(config.network, network)
    # With nothing held back the matrix shows training digits, and its title says so.
    shown = task.validation if len(data.validation) else task.sample
    # Where the last epoch is the best one, its evaluation has asked for these labels.
    labels = task.labels if state.best == len(state.history) else None
    trained = _Trained(network, program, state.history, state.best, labels=labels)
    return _export(folder, config, trained, shown, data)


def _export_ensemble(
    folder: Path, config: TrainConfig[Recipe], members: list[nn.Sequential], data: DataSplits
) -> Run:
    """Export an ensemble; the history is that of its first member."""
    program = Ensemble(tuple(fuse_layers(member) for member in members))
    text, history, best = _read_member(folder / "member-0")
    write_text(folder / run_folder.HISTORY, text)
    trained = _Trained(members[0], program, history, best, len(members))
    digits = data.validation if len(data.validation) else data.train[:MAX_TRAIN_SAMPLE]
    return _export(folder, config, trained, DigitTensors.load(digits), data)


def _read_member(folder: Path) -> tuple[str, list[Epoch], int]:
    """Return a finished member's history, as text and as rows, and its best epoch.

    RunError if one of them is damaged.
    """
    try:
        text = read_regular(folder / run_folder.HISTORY, run_folder.MAX_BYTES).decode()
        history = from_csv(text)
        best = (run_folder.read_metrics(folder) or {}).get("best_epoch")
        if type(best) is not int or not 1 <= best <= len(history):
            raise ValueError(f"best epoch {best} of {len(history)}")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(
            f"{folder} must be a finished member of the ensemble",
            seen=str(error)[:200],
            try_="remove it, and go on with --resume: it is trained anew",
        ) from error
    return text, history, best


def _build_program(name: str, network: nn.Sequential) -> Program:
    """Return all that answers: `network`, and behind it the second of its cascade."""
    entry = models.find_network(name)
    first = fuse_layers(network)
    if not entry.second:
        return first
    second = parse_onnx(load_model(entry.second).path.read_bytes(), name=entry.second)
    return Cascade(
        quantize_first_layer(first), _cut_to_ten(second), models.find_architecture(name).margin
    )


def _cut_to_ten(ops: list[Op]) -> list[Op]:
    """Return `ops` without the eleventh output, which the first of a cascade has not."""
    last = ops[-1]
    assert isinstance(last, Linear), "a network ends in its logits"
    return [*ops[:-1], Linear(last.weight[:CLASSES], last.bias[:CLASSES])]


def _export(
    folder: Path,
    config: TrainConfig[Recipe],
    trained: _Trained,
    shown: DigitTensors,
    data: DataSplits,
) -> Run:
    """Write all that a finished run holds; metrics.json comes last and says "finished"."""
    history, count = trained.history, len(data.validation)
    diagnosis = diagnose(history, count)
    card = _make_card(folder, config, trained, data)
    # Measure the whole model, and find the threshold of "no digit" on what was held back.
    card, labels = _predict(folder, card, trained, shown, validation=count > 0)
    table = confusion(shown.labels.cpu().numpy().astype(np.uint8), labels)
    misses = int(table.sum() - np.trace(table)) if count else 0
    if count:
        card = replace(card, validation={"misses": misses, "count": count})
    # Write the files, the one that says "finished" last.
    digits = "digits held back" if count else "training digits, for none were held back"
    plots = {
        run_folder.HISTORY_PLOT: viz.history(history, diagnosis, title=folder.name),
        run_folder.CONFUSION_PLOT: viz.confusion(table, title=f"{folder.name}, {digits}"),
    }
    figures: dict[str, Any] = {
        "epochs": len(history),
        "best_epoch": trained.best,
        "verdict": str(diagnosis.verdict),
        "history_in_words": diagnosis.words,
    }
    program, validation = trained.program, card.validation
    save_run(
        folder, program, card, history, plots=plots, figures=figures, validation=validation
    )
    epochs = History(history, count)
    return Run(trained.network, epochs, diagnosis, folder, misses, count)


def _predict(
    folder: Path, card: ModelCard, trained: _Trained, shown: DigitTensors, *, validation: bool
) -> tuple[ModelCard, Labels]:
    """Return the labels that the whole model gives, and the card with its threshold."""
    rejects = count_outputs(trained.program) > CLASSES
    if not rejects and isinstance(trained.program, list):  # torch is here already, and as good
        labels = trained.labels
        if labels is None:
            labels = predict_labels(trained.network, shown.images.cpu())
        return card, labels.numpy().astype(np.uint8)
    model = Model(folder / run_folder.MODEL, to_onnx(trained.program, card))
    answers = model.predict(shown.images.cpu().numpy())
    if answers.no_digit is not None and validation:
        threshold = round(float(np.quantile(answers.no_digit, ACCEPTED_SHARE)), 6)
        card = replace(card, threshold=threshold)
    return card, answers.labels


def _make_card(
    folder: Path, config: TrainConfig[Recipe], trained: _Trained, data: DataSplits
) -> ModelCard:
    size = summarize(trained.network, name=config.network)
    weights, products = size.weights * trained.members, size.multiply_adds * trained.members
    second = models.find_network(config.network).second
    if second:  # its work is done only where the first network is unsure
        weights += load_model(second).card.weights
    return ModelCard(
        **card_facts(folder, config, data),
        trained_on=len(data.train),
        epochs=len(trained.history),
        best_epoch=trained.best,
        weights=weights,
        multiply_adds=products,
        members=trained.members,
        threshold=config.resolved_recipe.threshold,
    )


CHUNK = 500


def find_teacher(name: str) -> Model:
    """Return the network `name` that is to teach.

    It is the published one, else the run folder or .onnx file of that name, else the newest
    finished run of it in this folder.
    """
    if name in published_names() or Path(name).exists():
        return load_model(name)
    finished = find_newest_finished(name)
    if finished is None:
        raise ModelError(
            f"{name} must be there to teach: published, or a finished run of it",
            seen=f"published: {', '.join(published_names())}; none in {RUNS}",
            try_=f"digitlens train {name} --validation 0",
        )
    return load_model(finished)


def make_teacher(model: Model, outputs: int, device: Device) -> Teacher:
    """Return `model` as a teacher of a network with `outputs` logits.

    It answers in torch, in the precision of `device`: an ensemble in bfloat16 is four times
    as fast as by the engine that answers users.
    """
    program = parse_program(model.path.read_bytes(), name=model.name)
    assert not isinstance(program, Cascade), "a cascade is no teacher"
    if count_outputs(program) < outputs:
        raise ModelError(
            f"{model.name} must have {outputs} outputs to teach a network with as many",
            seen=f"{count_outputs(program)}",
            likely='it has none for "no digit"' if outputs > CLASSES else None,
        )
    several = program.members if isinstance(program, Ensemble) else (program,)
    members = [
        rebuild(ops).to(device.kind).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for ops in several
    ]

    @torch.inference_mode()
    def mean(images: Tensor) -> Tensor:
        pixels = images.unsqueeze(1).float().div_(255)
        with device.precision():
            answers = [member(pixels).float() for member in members]
        return torch.stack(answers).mean(0)[:, :outputs]

    def teach(images: Tensor) -> Tensor:
        # A copy outside inference mode may take part in training.
        return torch.cat([mean(part) for part in torch.split(images, CHUNK)]).clone()

    return teach
