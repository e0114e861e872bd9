"""An ensemble's run: its members are trained one after the other, then joined.

Members are seeds by index, seed x members + index, and all of them answer: none is chosen by
its score. Each has a run folder of its own inside the ensemble's, so that a run that was cut
off goes on with the member that was under way.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from digitlens import models
from digitlens import runs as run_folder
from digitlens.errors import StoppedError
from digitlens.models.export import load_network
from digitlens.training.config import MEASURED, TrainSettings, check_same_data, config_to_dict
from digitlens.training.device import choose_device
from digitlens.training.session import (
    about_now,
    export_ensemble_run,
    recipe_for,
    resident,
    run_training,
    versions,
)

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from digitlens.data import DataSplits
    from digitlens.training.config import Callback, TrainConfig
    from digitlens.training.results import Run


def train_ensemble(wish: TrainConfig, data: DataSplits, progress: Callback) -> Run:
    """Train all members as wished and leave a finished run folder of their ensemble."""
    recipe = recipe_for(wish, data)
    folder = wish.resume or run_folder.claim_run_folder(wish.network, wish.out)
    with ExitStack() as stack:
        stack.enter_context(run_folder.lock_run(folder))
        if wish.resume:
            check_same_data(folder, run_folder.read_config(folder), data)
        else:
            about = about_now(choose_device())
            run_folder.write_config(folder, config_to_dict(wish, recipe, data, about=about))
        count = models.find_network(wish.network).members
        members = []
        for index in range(count):
            one = replace(
                wish, seed=wish.seed * count + index, recipe=recipe, epochs=None, resume=None
            )
            members.append(_member(one, folder / f"member-{index}", folder, data, progress))
        settings = TrainSettings(wish.network, wish.seed, recipe)
        part = resident(data.validation if len(data.validation) else data.train[:MEASURED])
        return export_ensemble_run(folder, settings, members, data, part, versions=versions())


def _member(
    wish: TrainConfig, folder: Path, whole: Path, data: DataSplits, progress: Callback
) -> nn.Sequential:
    """Return the trained member in `folder`, which is begun, gone on with or only read."""
    if (folder / run_folder.METRICS).is_file():
        return load_network(folder, wish.network)
    begun = (folder / run_folder.CONFIG).is_file()
    try:
        return run_training(
            replace(wish, out=folder, resume=folder if begun else None), data, progress
        ).network
    except StoppedError as error:
        raise StoppedError(
            error.wanted,
            seen=error.seen,
            try_=f"digitlens train {wish.network} --resume --out {whole}",
        ) from error
