"""An ensemble's run: its members are trained one after the other, then joined.

Members are seeds by index, seed x members + index, and all of them answer: none is chosen by
its score. Each has a run folder of its own inside the ensemble's, so that a run that was cut
off goes on with the member that was under way.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from digitlens import networks
from digitlens.errors import StoppedError
from digitlens.export.convert import load_network
from digitlens.run.finish import finish_members
from digitlens.run.session import about_now, carry_out, recipe_for, resident, versions
from digitlens.run.wish import check_same_data, config_of
from digitlens.training import folder as run_folder
from digitlens.training.config import MEASURED, Settings
from digitlens.training.device import choose

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from digitlens.data import Data
    from digitlens.run.result import Run
    from digitlens.run.wish import Wish
    from digitlens.training.config import Progress


def carry_out_members(wish: Wish, data: Data, progress: Progress) -> Run:
    """Train all members as wished and leave a finished run folder of their ensemble."""
    recipe = recipe_for(wish, data)
    folder = wish.resume or run_folder.claim(wish.network, wish.out)
    with ExitStack() as stack:
        stack.enter_context(run_folder.locked(folder))
        if wish.resume:
            check_same_data(folder, run_folder.read_config(folder), data)
        else:
            about = about_now(choose())
            run_folder.write_config(folder, config_of(wish, recipe, data, about=about))
        count = networks.find(wish.network).members
        members = []
        for index in range(count):
            one = replace(
                wish, seed=wish.seed * count + index, recipe=recipe, epochs=None, resume=None
            )
            members.append(_member(one, folder / f"member-{index}", folder, data, progress))
        settings = Settings(wish.network, wish.seed, recipe)
        part = resident(data.validation if len(data.validation) else data.train[:MEASURED])
        return finish_members(folder, settings, members, data, part, versions=versions())


def _member(
    wish: Wish, folder: Path, whole: Path, data: Data, progress: Progress
) -> nn.Sequential:
    """Return the trained member in `folder`, which is begun, gone on with or only read."""
    if (folder / run_folder.METRICS).is_file():
        return load_network(folder, wish.network)
    begun = (folder / run_folder.CONFIG).is_file()
    try:
        return carry_out(
            replace(wish, out=folder, resume=folder if begun else None), data, progress
        ).network
    except StoppedError as error:
        raise StoppedError(
            error.wanted,
            seen=error.seen,
            try_=f"digitlens train {wish.network} --resume --out {whole}",
        ) from error
