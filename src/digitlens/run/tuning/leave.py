"""What fine-tuning leaves: the run folder, and what changed."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import safetensors.torch
import torch

from digitlens import plots, score
from digitlens.atomic import write_bytes, write_text
from digitlens.card import STANDARD_NOTES, Card
from digitlens.diagnosis import diagnose
from digitlens.export import fold, to_onnx
from digitlens.model import Model
from digitlens.networks.layerwise import summarise
from digitlens.run.result import Run
from digitlens.run.session import about_now, versions
from digitlens.run.tuning.changes import Changes, Group
from digitlens.run.wish import config_of
from digitlens.training import folder as run_folder
from digitlens.training.history import to_csv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import nn

    from digitlens.digits import Digits
    from digitlens.run.tuning.kept import Kept
    from digitlens.run.tuning.own import Own
    from digitlens.run.tuning.start import Start
    from digitlens.run.wish import Wish
    from digitlens.training.tuner import Tuner


@dataclass(frozen=True, eq=False)
class Tuned:
    """What fine-tuning ended in."""

    start: Start
    network: nn.Sequential
    tuner: Tuner
    share: float


def leave(folder: Path, wish: Wish, tuned: Tuned, own: Own, kept: Kept) -> Run:
    """Write the whole run folder; metrics.json comes last and says "finished"."""
    data, history, program = own.data, tuned.tuner.history, fold(tuned.network)
    recipe = tuned.tuner.recipe
    card = _card(folder, wish, tuned, own)
    changes = _changes(
        tuned, Model(folder / run_folder.MODEL, to_onnx(program, card)), own, kept
    )
    card = _measured(card, changes, kept)
    diagnosis = diagnose(history, len(data.validation))
    seen = changes.held if len(changes.held) else changes.learnt
    confusion = score.confusion(seen.truth, seen.after.labels)
    config = config_of(wish, recipe, data, about=about_now(tuned.tuner.rehearsal.device))
    config["data"]["validation"] = round(
        len(data.validation) / (len(data.train) + len(data.validation)), 4
    )
    config["start"] = {"model": tuned.start.source, "sha256": tuned.start.sha256}
    config["rehearsal"] = {
        "digits": kept.name,
        "rehearsed": len(kept.rehearsed),
        "measured": len(kept.measured),
    }
    weights = {name: value.contiguous() for name, value in tuned.network.state_dict().items()}
    drawn = {
        run_folder.HISTORY_PLOT: plots.history(history, diagnosis, title=folder.name),
        run_folder.CONFUSION_PLOT: plots.confusion(
            confusion, title=f"{folder.name}, {seen.title}"
        ),
    }
    run_folder.write_config(folder, config)
    write_text(folder / run_folder.HISTORY, to_csv(history))
    write_bytes(folder / run_folder.WEIGHTS, safetensors.torch.save(weights))
    write_bytes(folder / run_folder.MODEL, to_onnx(program, card))
    write_text(folder / run_folder.CARD, card.markdown())
    write_text(folder / run_folder.CHANGES, changes.markdown(folder.resolve().name))
    for name, content in drawn.items():
        write_bytes(folder / name, content)
    metrics = _metrics(card, tuned, changes)
    write_text(folder / run_folder.METRICS, json.dumps(metrics, indent=2) + "\n")
    misses = len(changes.held) - changes.held.right(changes.held.after)
    return Run(
        tuned.network, history, diagnosis, folder, misses, len(changes.held), changes=changes
    )


def _changes(tuned: Tuned, after: Model, own: Own, kept: Kept) -> Changes:
    before, start = tuned.start.model, tuned.start
    train, held = own.data.train, own.data.validation
    split = len(train)

    def read(title: str, digits: Digits, names: Sequence[str]) -> Group:
        answers = [model.predict(digits.images) for model in (before, after)]
        return Group(title, digits.labels, names, *answers)

    rows = summarise(tuned.network, name=start.source).rows
    moved = [
        (f"layer {at + 1}, {row.layer}", _moved(old, new))
        for at, (row, old, new) in enumerate(
            zip(rows, start.network(), tuned.network, strict=True)
        )
        if row.weights
    ]
    left_out = [str(error).replace("\n", " ") for error in own.rejected]
    return Changes(
        start.source,
        read("own pictures, held back", held, own.names[split:]),
        read("own pictures, learnt from", train, own.names[:split]),
        read(
            f"{kept.name}, not rehearsed",
            kept.measured,
            [f"number {place}" for place in kept.measured.positions],
        ),
        kept.mnist,
        moved,
        tuned.share,
        left_out,
    )


def _moved(old: nn.Module, new: nn.Module) -> float:
    was, now = (
        torch.cat([parameter.detach().flatten() for parameter in layer.parameters()])
        for layer in (old, new)
    )
    return float((now - was).norm() / was.norm())


def _card(folder: Path, wish: Wish, tuned: Tuned, own: Own) -> Card:
    size = summarise(tuned.network, name=wish.network)
    epochs, found = len(tuned.tuner.history), versions()
    before = tuned.start.model.card
    note = (
        f"Fine-tuned from {tuned.start.source} (SHA-256 {tuned.start.sha256[:12]}..., trained "
        f"on {before.trained_on:,} digits of {before.data}) on {len(own.data.train):,} "
        f"pictures of {own.data.source}; its figures on other digits are no longer those of "
        f"{tuned.start.source}."
    )
    return Card(
        name=folder.resolve().name,
        network=wish.network,
        data=own.data.source,
        split=own.data.split,
        trained_on=len(own.data.train),
        seed=wish.seed,
        epochs=epochs,
        best_epoch=epochs,
        weights=size.weights,
        multiply_adds=size.multiply_adds,
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        versions={key: found[key] for key in ("digitlens", "torch", "python")},
        threshold=before.threshold,
        notes=[note, *STANDARD_NOTES],
    )


def _measured(card: Card, changes: Changes, kept: Kept) -> Card:
    figures = {
        group.title: f"{group.right(group.before):,} right before, "
        f"{group.right(group.after):,} after, of {len(group):,}"
        for group in (changes.held, changes.learnt, changes.kept)
        if len(group)
    }
    figures["rehearsed"] = f"{len(kept.rehearsed):,} of {kept.name}"
    validation = {}
    if len(changes.held):
        misses = len(changes.held) - changes.held.right(changes.held.after)
        validation = {"misses": misses, "count": len(changes.held)}
    return replace(card, validation=validation, figures=figures)


def _metrics(card: Card, tuned: Tuned, changes: Changes) -> dict[str, Any]:
    history = tuned.tuner.history
    return {
        "format": 1,
        "network": card.network,
        "epochs": len(history),
        "best_epoch": len(history),
        "validation": card.validation or None,
        "train_seconds": sum(epoch.seconds for epoch in history),
        "weights": card.weights,
        "multiply_adds": card.multiply_adds,
        "changes": changes.as_dict(),
    }
