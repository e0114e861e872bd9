"""The end of a line reader's run: the exported network, its card, its plot, its figures."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from digitlens.atomic import write_bytes, write_text
from digitlens.export.line_file import fold_reader, to_line_onnx
from digitlens.export.line_weights import load_weights
from digitlens.line_card import LineCard
from digitlens.networks.reader import counts
from digitlens.plots.line_history import line_history
from digitlens.run.lines.result import ReaderRun
from digitlens.training import folder as run_folder

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.data import Data
    from digitlens.networks.reader import LineNetwork
    from digitlens.run.lines.wish import LineWish
    from digitlens.training.lines.state import Learner


def finish(
    folder: Path, wish: LineWish, learner: Learner, data: Data, *, versions: dict[str, str]
) -> ReaderRun:
    """Write all that a finished run holds; metrics.json comes last and says "finished"."""
    network = load_weights(folder, wish.resolved().widths)
    history = learner.history
    card = _card(folder, wish, learner, network, data, versions)
    write_bytes(folder / run_folder.MODEL, to_line_onnx(fold_reader(network), card))
    write_text(folder / run_folder.CARD, card.markdown())
    write_bytes(folder / run_folder.HISTORY_PLOT, line_history(history, title=folder.name))
    metrics = {
        "format": 1,
        "network": card.network,
        "steps": card.steps,
        "lines": card.lines,
        "validation": next(iter(card.validation.values()), None),
        "train_seconds": sum(point.seconds for point in history),
        "weights": card.weights,
        "multiply_adds": card.multiply_adds,
    }
    write_text(folder / run_folder.METRICS, json.dumps(metrics, indent=2) + "\n")
    return ReaderRun(network, history, folder, card)


def _card(
    folder: Path,
    wish: LineWish,
    learner: Learner,
    network: LineNetwork,
    data: Data,
    versions: dict[str, str],
) -> LineCard:
    recipe, last = wish.resolved(), learner.history[-1]
    weights, products = counts(network)
    measured = {recipe.style: {"misses": last.misread, "count": last.held_back}}
    return LineCard(
        name=folder.resolve().name,
        network=wish.network,
        data=data.source,
        split=data.split,
        style=recipe.style,
        lines=recipe.steps * recipe.batch,
        seed=wish.seed,
        steps=recipe.steps,
        weights=weights,
        multiply_adds=products,
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        validation=measured if last.held_back else {},
        versions={key: versions[key] for key in ("digitlens", "torch", "python")},
    )
