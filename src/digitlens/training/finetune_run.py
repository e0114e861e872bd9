"""A run of fine-tuning: training, walking back where it forgot, and the run folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from digitlens import models, viz
from digitlens import runs as run_folder
from digitlens.digits import Digits
from digitlens.errors import UsageError
from digitlens.metrics.classification import confusion
from digitlens.metrics.diagnosis import diagnose
from digitlens.metrics.history import Epoch, History, to_csv
from digitlens.models.card import ModelCard
from digitlens.models.convert import fuse_layers, rebuild
from digitlens.models.inference import Model, load_model
from digitlens.models.layer_table import summarize
from digitlens.models.onnx_reader import parse_onnx
from digitlens.models.onnx_writer import to_onnx
from digitlens.models.ops import Op
from digitlens.models.recipe import Recipe
from digitlens.models.registry import NETWORKS, find_network
from digitlens.storage import write_bytes, write_text
from digitlens.training.checkpoint import TrainState, begin_training
from digitlens.training.config import Callback, TrainConfig, config_to_dict
from digitlens.training.device import choose_device, flush_denormals
from digitlens.training.digit_task import DigitTensors, evaluate_network
from digitlens.training.finetune import (
    LARGE_REPLAY,
    SMALL_REPLAY,
    FineTuneTask,
    ReplayBatches,
    recipe_for,
    walk_back,
)
from digitlens.training.results import Changes, Group, Run
from digitlens.training.session import (
    card_facts,
    describe_machine,
    encode_weights,
    fit,
    save_run,
)
from digitlens.training.trainer import Trainer
from digitlens.training.user_data import ReplayData, UserData

# Share of the old digits that may be read wrong after it, and were right before.
MAX_FORGOTTEN = 0.001

# How much of the change is kept: tried in this order until no more than that is forgotten.
KEPT_SHARES = (1.0, 0.75, 0.5, 0.25)


def run_finetuning(
    config: TrainConfig[Recipe],
    source: str | Path,
    load: Callable[[], tuple[UserData, ReplayData]],
    progress: Callback,
) -> Run:
    """Fine-tune the model `source` as asked and leave a finished run folder.

    Nothing but a lock lies in the folder until the network is trained, so that a run that is
    stopped or killed before leaves nothing to go on with.
    """
    # Load the model, the user's pictures and the digits to replay.
    start = load_start_network(source, config.network)
    user, replay = load()
    base = models.load_recipe(config.network)
    outputs = len(start.ops[-1].weight)  # type: ignore[union-attr]
    config = replace(
        config, length=None, recipe=config.recipe or recipe_for(base, outputs, config.length)
    )
    # Train, take back what forgot too much, and only then write.
    with ExitStack() as stack:
        if config.out is not None:
            run_folder.clear_cut_off_tuning(config.out)
        folder = run_folder.claim_run_folder(config.network, config.out)
        stack.enter_context(run_folder.lock_run(folder))
        stack.enter_context(flush_denormals())
        tuned = _tune(config, start, user, replay, progress)
        return save_finetune_run(folder, config, tuned, user, replay)


def _tune(
    config: TrainConfig[Recipe],
    start: StartNetwork,
    user: UserData,
    replay: ReplayData,
    progress: Callback,
) -> FineTunedRun:
    device = choose_device()
    before = start.network().to(device.kind).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    batches = ReplayBatches(
        before,
        DigitTensors.load(user.data.train, device.kind),
        DigitTensors.load(replay.replayed, device.kind),
        recipe=config.resolved_recipe,
        plan=LARGE_REPLAY if replay.mnist else SMALL_REPLAY,
        seed=config.seed,
        device=device,
    )
    task = FineTuneTask(batches, DigitTensors.load(user.data.validation, device.kind))
    state: TrainState[Epoch] = begin_training(
        start.network(), task.recipe, task.interval, device.kind
    )
    note = (
        f"going on from {start.source} with {len(user.data.train):,} pictures of "
        f"{user.data.source} (seed {config.seed}; {device})\n{user.data.split}\n"
        f"rehearsing {replay.name}"
    )
    fit(Trainer(state, task, progress), None, config.network, note=note)
    network = state.network.eval()
    share = walk_back_weights(before, network, DigitTensors.load(replay.measured, device.kind))
    return FineTunedRun(start, network.cpu(), task, state.history, share)


def walk_back_weights(
    before: nn.Sequential, after: nn.Sequential, measured: DigitTensors
) -> float:
    """Take `after` back towards `before` while it has lost too much; return what is left."""
    allowed = evaluate_network(before, measured)[0] + MAX_FORGOTTEN * len(measured)
    return walk_back(
        *(before, after, KEPT_SHARES), lambda: evaluate_network(after, measured)[0] <= allowed
    )


@dataclass(frozen=True, eq=False)
class StartNetwork:
    """A model of one network, as it was before."""

    source: str  # what the user called it
    model: Model  # the model, which answers
    ops: list[Op]  # its network
    sha256: str  # hash of its file in hex

    def network(self) -> nn.Sequential:
        """Return its network anew, in torch."""
        return rebuild(self.ops)


def load_start_network(source: str | Path, network: str) -> StartNetwork:
    """Load the model `source` to go on training it as a `network`."""
    entry = find_network(network)
    if entry.members > 1 or entry.second:
        raise UsageError(
            f"{network} is not fine-tuned: it is several networks that answer together",
            try_="digitlens train universal --from universal",
        )
    model = load_model(source)
    seen = model.card.network
    if seen != network:
        alone = model.card.members == 1 and seen in NETWORKS and not find_network(seen).second
        raise UsageError(
            f"--from must name a {network}, to go on with",
            seen=f"{source} is a {seen}",
            try_=f"digitlens train {seen} --from {source}" if alone else None,
        )
    content = model.path.read_bytes()
    ops = parse_onnx(content, name=str(source))
    return StartNetwork(str(source), model, ops, hashlib.sha256(content).hexdigest())


@dataclass(frozen=True, eq=False)
class FineTunedRun:
    """What fine-tuning ended in."""

    start: StartNetwork
    network: nn.Sequential
    task: FineTuneTask
    history: list[Epoch]
    share: float


def save_finetune_run(
    folder: Path,
    config: TrainConfig[Recipe],
    tuned: FineTunedRun,
    user: UserData,
    replay: ReplayData,
) -> Run:
    """Write the whole run folder; metrics.json comes last and says "finished"."""
    data, history, program = user.data, tuned.history, fuse_layers(tuned.network)
    # The new network answers with the old one's threshold, as its card will have it.
    after = Model(folder / run_folder.MODEL, to_onnx(program, tuned.start.model.card))
    changes = _changes(tuned, after, user, replay)
    card = _card(folder, config, tuned, user, replay, changes)
    diagnosis = diagnose(history, len(data.validation))
    seen = changes.held if len(changes.held) else changes.learnt
    table = confusion(seen.truth, seen.after.labels)
    content = config_to_dict(config, data, about=describe_machine(tuned.task.device))
    content["data"]["validation"] = round(
        len(data.validation) / (len(data.train) + len(data.validation)), 4
    )
    content["start"] = {"model": tuned.start.source, "sha256": tuned.start.sha256}
    content["rehearsal"] = {
        "digits": replay.name,
        "rehearsed": len(replay.replayed),
        "measured": len(replay.measured),
    }
    plots = {
        run_folder.HISTORY_PLOT: viz.history(history, diagnosis, title=folder.name),
        run_folder.CONFUSION_PLOT: viz.confusion(table, title=f"{folder.name}, {seen.title}"),
    }
    run_folder.write_config(folder, content)
    write_text(folder / run_folder.HISTORY, to_csv(history))
    write_bytes(folder / run_folder.BEST_WEIGHTS, encode_weights(tuned.network))
    write_text(folder / run_folder.CHANGES, changes.markdown(folder.resolve().name))
    figures = {
        "epochs": len(history),
        "best_epoch": len(history),
        "changes": changes.as_dict(),
    }
    save_run(
        folder, program, card, history, plots=plots, figures=figures, validation=card.validation
    )
    misses, count = card.validation.get("misses", 0), len(changes.held)
    shown = History(history, count)
    return Run(tuned.network, shown, diagnosis, folder, misses, count, changes=changes)


def _changes(tuned: FineTunedRun, after: Model, user: UserData, replay: ReplayData) -> Changes:
    before, start = tuned.start.model, tuned.start
    train, held = user.data.train, user.data.validation
    split = len(train)

    def compare(title: str, digits: Digits, names: Sequence[str]) -> Group:
        answers = [model.predict(digits.images) for model in (before, after)]
        return Group(title, digits.labels, names, *answers)

    rows = summarize(tuned.network, name=start.source).rows
    moved = [
        (f"layer {index + 1}, {row.layer}", _relative_change(old, new))
        for index, (row, old, new) in enumerate(
            zip(rows, start.network(), tuned.network, strict=True)
        )
        if row.weights
    ]
    left_out = [str(error).replace("\n", " ") for error in user.rejected]
    return Changes(
        start.source,
        compare("own pictures, held back", held, user.names[split:]),
        compare("own pictures, learnt from", train, user.names[:split]),
        compare(
            f"{replay.name}, not rehearsed",
            replay.measured,
            [f"number {place}" for place in replay.measured.positions],
        ),
        replay.mnist,
        moved,
        tuned.share,
        left_out,
    )


def _relative_change(old: nn.Module, new: nn.Module) -> float:
    was, now = (
        torch.cat([parameter.detach().flatten() for parameter in layer.parameters()])
        for layer in (old, new)
    )
    return float((now - was).norm() / was.norm())


def _card(
    folder: Path,
    config: TrainConfig[Recipe],
    tuned: FineTunedRun,
    user: UserData,
    replay: ReplayData,
    changes: Changes,
) -> ModelCard:
    size, epochs = summarize(tuned.network, name=config.network), len(tuned.history)
    before, held = tuned.start.model.card, changes.held
    note = (
        f"Fine-tuned from {tuned.start.source} (SHA-256 {tuned.start.sha256[:12]}..., trained "
        f"on {before.trained_on:,} digits of {before.data}) on {len(user.data.train):,} "
        f"pictures of {user.data.source}; its figures on other digits are no longer those of "
        f"{tuned.start.source}."
    )
    figures = {
        group.title: f"{group.right(group.before):,} right before, "
        f"{group.right(group.after):,} after, of {len(group):,}"
        for group in (held, changes.learnt, changes.kept)
        if len(group)
    }
    figures["rehearsed"] = f"{len(replay.replayed):,} of {replay.name}"
    misses = len(held) - held.right(held.after)
    return ModelCard(
        **card_facts(folder, config, user.data),
        trained_on=len(user.data.train),
        epochs=epochs,
        best_epoch=epochs,
        weights=size.weights,
        multiply_adds=size.multiply_adds,
        threshold=before.threshold,
        unsure_above=before.unsure_above,
        unsure_below=before.unsure_below,
        notes=[note, *ModelCard.STANDARD_NOTES],
        validation={"misses": misses, "count": len(held)} if len(held) else {},
        figures=figures,
    )
