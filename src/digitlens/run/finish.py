"""The end of a run: the best weights as a model, its card, its plots and its figures."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import safetensors.torch

from digitlens import plots, score
from digitlens.atomic import write_bytes, write_text
from digitlens.card import Card
from digitlens.diagnosis import diagnose
from digitlens.export import fold, to_onnx
from digitlens.networks.layerwise import summarise
from digitlens.run.result import Run
from digitlens.training import folder as run_folder
from digitlens.training.measure import answers

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from digitlens.data import Data
    from digitlens.training.trainer import Part, Trainer


def finish(folder: Path, trainer: Trainer, data: Data, *, versions: dict[str, str]) -> Run:
    """Write all that a finished run holds; metrics.json comes last and says "finished"."""
    network = trainer.network
    network.load_state_dict(safetensors.torch.load_file(folder / run_folder.WEIGHTS))
    network.eval()
    history = trainer.state.history
    diagnosis = diagnose(history, len(data.validation))
    held_back = len(data.validation) > 0
    # With nothing held back the matrix shows training digits, and its title says so.
    part = trainer.validation if held_back else trainer.sample
    confusion = _confusion(network, part)
    misses = int(confusion.sum() - np.trace(confusion)) if held_back else 0
    card = _card(folder, trainer, data, misses=misses, versions=versions)
    write_bytes(folder / run_folder.MODEL, to_onnx(fold(network.cpu()), card))
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
        "best_epoch": trainer.state.best,
        "validation": {"misses": misses, "count": len(data.validation)} if held_back else None,
        "train_seconds": sum(epoch.seconds for epoch in history),
        "weights": card.weights,
        "multiply_adds": card.multiply_adds,
        "verdict": str(diagnosis.verdict),
        "history_in_words": diagnosis.words,
    }
    write_text(folder / run_folder.METRICS, json.dumps(metrics, indent=2) + "\n")
    return Run(network, history, diagnosis, folder, misses, len(data.validation))


def _confusion(network: nn.Sequential, part: Part) -> NDArray[np.int64]:
    truth = part.labels.cpu().numpy().astype(np.uint8)
    given = answers(network, part.images).cpu().numpy().astype(np.uint8)
    return score.confusion(truth, given)


def _card(
    folder: Path, trainer: Trainer, data: Data, *, misses: int, versions: dict[str, str]
) -> Card:
    name = trainer.settings.network
    size = summarise(trainer.network.cpu(), name=name)
    count = len(data.validation)
    return Card(
        name=folder.resolve().name,
        network=name,
        data=data.source,
        split=data.split,
        trained_on=len(data.train),
        seed=trainer.settings.seed,
        epochs=len(trainer.state.history),
        best_epoch=trainer.state.best,
        weights=size.weights,
        multiply_adds=size.multiply_adds,
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        validation={"misses": misses, "count": count} if count else {},
        versions={key: versions[key] for key in ("digitlens", "torch", "python")},
    )
