"""The course of fine-tuning: training, and walking back where it forgot."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import torch

from digitlens import networks
from digitlens.errors import StoppedError
from digitlens.run.session import resident
from digitlens.run.tuning.leave import Tuned, leave
from digitlens.run.tuning.start import begin
from digitlens.training import folder as run_folder
from digitlens.training.device import choose, tiny_is_zero
from digitlens.training.interrupt import StopWish
from digitlens.training.measure import measure
from digitlens.training.rehearsal import MANY, SPARSE, Rehearsal, recipe_for
from digitlens.training.tuner import Tuner, blend

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import nn

    from digitlens.networks.recipe import Recipe
    from digitlens.run.result import Run
    from digitlens.run.tuning.kept import Kept
    from digitlens.run.tuning.own import Own
    from digitlens.run.tuning.start import Start
    from digitlens.run.wish import Wish
    from digitlens.training.config import Progress
    from digitlens.training.trainer import Part

FORGIVEN = 0.001
"""Share of the old digits that may be lost."""

SHARES = (1.0, 0.75, 0.5, 0.25)
"""How much of the change is kept, tried in this order until no more than that is lost."""


def carry_out_tuning(
    wish: Wish,
    source: str | Path,
    load: Callable[[], tuple[Own, Kept]],
    progress: Progress,
) -> Run:
    """Fine-tune the model `source` as wished and leave a finished run folder.

    Nothing but a lock lies in the folder until the network is trained, so that a run that is
    stopped or killed before leaves nothing to go on with.

    Raises
    ------
    UsageError, ModelError
        As `begin`.
    StoppedError
        Ctrl-C or SIGTERM.
    """
    start = begin(source, wish.network)
    own, kept = load()
    base = networks.recipe_of(wish.network)
    outputs = len(start.ops[-1].weight)  # type: ignore[union-attr]
    recipe = wish.recipe or recipe_for(base, outputs, wish.epochs)
    with ExitStack() as stack:
        folder = run_folder.claim(wish.network, wish.out)
        stack.enter_context(run_folder.locked(folder))
        stack.enter_context(tiny_is_zero())
        tuned = _tune(wish, start, own, kept, recipe, progress)
        return leave(folder, wish, tuned, own, kept)


def _tune(
    wish: Wish, start: Start, own: Own, kept: Kept, recipe: Recipe, progress: Progress
) -> Tuned:
    device = choose()
    network, before = (
        start.network().to(device.kind).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for _ in range(2)
    )
    rehearsal = Rehearsal(
        before,
        resident(own.data.train, device.kind),
        resident(kept.rehearsed, device.kind),
        recipe=recipe,
        plan=MANY if kept.mnist else SPARSE,
        seed=wish.seed,
        device=device,
    )
    tuner = Tuner(network, rehearsal, resident(own.data.validation, device.kind))
    progress.start(
        tuner.steps,
        recipe.epochs,
        tuner.steps * recipe.batch // recipe.epochs,
        f"going on from {start.source} with {len(own.data.train):,} pictures of "
        f"{own.data.source} (seed {wish.seed}; {device})\n{own.data.split}\n"
        f"rehearsing {kept.name}",
    )
    try:
        with StopWish() as stop:
            if not tuner.run(progress, lambda: stop.wished):
                raise StoppedError(
                    "fine-tuning was stopped on request; nothing is kept of so short a run",
                    try_="the same command begins it again",
                )
    finally:
        progress.finish()
    measured = resident(kept.measured, device.kind)
    share = walk_back(before, network, measured)
    return Tuned(start, network.eval().cpu(), tuner, share)


def walk_back(before: nn.Sequential, after: nn.Sequential, measured: Part) -> float:
    """Take `after` back towards `before` while it has lost too much; return what is left."""
    allowed = measure(before, measured.images, measured.labels)[0] + FORGIVEN * len(measured)
    kept = 1.0
    for share in SHARES:
        blend(before, after, share / kept)
        kept = share
        if measure(after, measured.images, measured.labels)[0] <= allowed:
            break
    return kept
