"""The end of a run: the best weights as a model, its card, its plots and its figures."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import safetensors.torch

from digitlens import networks, plots, score
from digitlens.atomic import write_bytes, write_text
from digitlens.card import Card
from digitlens.diagnosis import diagnose
from digitlens.digits import CLASSES
from digitlens.export import fold, to_onnx
from digitlens.export.unfold import unfold
from digitlens.export.whole import with_byte_front
from digitlens.model import Model, load_model
from digitlens.networks.layerwise import summarise
from digitlens.ops import Affine, Cascade, Ensemble, outputs_of
from digitlens.run.result import Run
from digitlens.training import folder as run_folder
from digitlens.training.history import from_csv
from digitlens.training.measure import answers

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from digitlens.data import Data
    from digitlens.diagnosis import Epoch
    from digitlens.digits import Labels
    from digitlens.ops import Op, Program
    from digitlens.training.config import Settings
    from digitlens.training.trainer import Part, Trainer

KEPT = 0.99
"""So many of the validation digits pass the threshold of "no digit"."""


@dataclass(frozen=True)
class Trained:
    """What training ended in: the settings, the first network, all of it, its history."""

    settings: Settings
    network: nn.Sequential
    program: Program
    history: list[Epoch]
    best: int
    members: int = 1


def finish(folder: Path, trainer: Trainer, data: Data, *, versions: dict[str, str]) -> Run:
    """Write all that a finished run holds; metrics.json comes last and says "finished"."""
    network = trainer.network
    network.load_state_dict(safetensors.torch.load_file(folder / run_folder.WEIGHTS))
    network.eval().cpu()
    state, settings = trainer.state, trainer.settings
    program = _whole(settings.network, network)
    trained = Trained(settings, network, program, state.history, state.best)
    # With nothing held back the matrix shows training digits, and its title says so.
    part = trainer.validation if len(data.validation) else trainer.sample
    return _leave(folder, trained, part, data, versions)


def finish_members(
    folder: Path,
    settings: Settings,
    members: list[nn.Sequential],
    data: Data,
    part: Part,
    *,
    versions: dict[str, str],
) -> Run:
    """Write all that the finished run of an ensemble holds, as `finish` does.

    The history is that of its first member; each member's own lies in its folder.
    """
    program = Ensemble(tuple(fold(member) for member in members))
    first = folder / "member-0"
    text = (first / run_folder.HISTORY).read_text(encoding="utf-8")
    write_text(folder / run_folder.HISTORY, text)
    best = json.loads((first / run_folder.METRICS).read_text(encoding="utf-8"))["best_epoch"]
    trained = Trained(settings, members[0], program, from_csv(text), best, len(members))
    return _leave(folder, trained, part, data, versions)


def _whole(name: str, network: nn.Sequential) -> Program:
    """Return all that answers: `network`, and behind it the second of its cascade."""
    entry = networks.find(name)
    first = fold(network)
    if not entry.second:
        return first
    second = unfold(load_model(entry.second).path.read_bytes(), name=entry.second)
    return Cascade(with_byte_front(first), _ten_outputs(second), networks.margin_of(name))


def _ten_outputs(ops: list[Op]) -> list[Op]:
    """Return `ops` without the eleventh output, which the first of a cascade has not."""
    last = ops[-1]
    assert isinstance(last, Affine), "a network ends in its logits"
    return [*ops[:-1], Affine(last.weight[:CLASSES], last.bias[:CLASSES])]


def _leave(
    folder: Path, trained: Trained, part: Part, data: Data, versions: dict[str, str]
) -> Run:
    history = trained.history
    diagnosis = diagnose(history, len(data.validation))
    held_back = len(data.validation) > 0
    card = _card(folder, trained, data, versions)
    card, labels = _answers(folder, card, trained, part, held_back=held_back)
    confusion = score.confusion(part.labels.cpu().numpy().astype(np.uint8), labels)
    misses = int(confusion.sum() - np.trace(confusion)) if held_back else 0
    if held_back:
        card = replace(card, validation={"misses": misses, "count": len(data.validation)})
    write_bytes(folder / run_folder.MODEL, to_onnx(trained.program, card))
    write_text(folder / run_folder.CARD, card.markdown())
    held = "digits held back" if held_back else "training digits, for none were held back"
    title = f"{folder.name}, {held}"
    plot = plots.history(history, diagnosis, title=folder.name)
    write_bytes(folder / run_folder.HISTORY_PLOT, plot)
    write_bytes(folder / run_folder.CONFUSION_PLOT, plots.confusion(confusion, title=title))
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
    folder: Path, card: Card, trained: Trained, part: Part, *, held_back: bool
) -> tuple[Card, Labels]:
    """Return the labels that the whole model gives, and the card with its threshold."""
    tells = outputs_of(trained.program) > CLASSES
    if not tells and isinstance(trained.program, list):  # torch is here already, and as good
        return card, answers(trained.network, part.images.cpu()).numpy().astype(np.uint8)
    model = Model(folder / run_folder.MODEL, to_onnx(trained.program, card))
    given = model.predict(part.images.cpu().numpy())
    if given.no_digit is not None and held_back:
        card = replace(card, threshold=round(float(np.quantile(given.no_digit, KEPT)), 6))
    return card, given.labels


def _card(folder: Path, trained: Trained, data: Data, versions: dict[str, str]) -> Card:
    settings = trained.settings
    name = settings.network
    size = summarise(trained.network, name=name)
    members = trained.members
    weights, products = size.weights * members, size.multiply_adds * members
    second = networks.find(name).second
    if second:  # its work is done only where the first network is unsure
        weights += load_model(second).card.weights
    return Card(
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
