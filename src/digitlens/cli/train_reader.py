"""digitlens train reader: a network that reads lines, and what is said of its run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.errors import UsageError
from digitlens.networks.line_recipe import READERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from digitlens.run.lines.result import ReaderRun

FOREIGN = {
    "--from": "a reader is trained from the start",
    "--epochs": "a reader sees no line twice, so it has steps: --steps",
    "--limit": "a reader learns from lines that are written with all digits",
}
"""Options that mean nothing for a reader, and why."""


def check_options(network: str, given: Mapping[str, object]) -> None:
    """Refuse options that mean nothing for this network.

    Parameters
    ----------
    given
        The values of the options in `FOREIGN` and of ``--steps``; None where one was not
        given.

    Raises
    ------
    UsageError
        The first such option.
    """
    if network not in READERS:
        if given["--steps"] is not None:
            raise UsageError(
                f"--steps is for readers of lines: {', '.join(READERS)}",
                seen=f"--steps {given['--steps']} for {network}",
                try_="--epochs",
            )
        return
    for option, why in FOREIGN.items():
        if given[option] is not None:
            raise UsageError(
                f"{option} is not for {network}: {why}", seen=f"{option} {given[option]}"
            )


def train(
    network: str,
    data: str,
    validation: float,
    seed: int,
    steps: int | None,
    out: Path | None,
    *,
    resume: bool,
) -> str:
    """Train a reader of lines, and return what is left to say about it."""
    from digitlens.cli.progress import LineTrainingProgress
    from digitlens.run.lines import train_reader

    run = train_reader(
        network,
        data,
        validation=validation,
        seed=seed,
        steps=steps,
        out=out,
        resume=resume,
        progress=LineTrainingProgress(),
    )
    return report(run)


def report(run: ReaderRun) -> str:
    """Return what is left to say about a reader's run: its figures, what next."""
    last = run.history[-1]
    measured = "nothing was held back"
    if last.exact is not None:
        right = last.held_back - last.misread
        measured = (
            f"{right:,} of {last.held_back:,} lines by other writers read exactly, "
            f"{100 * last.exact:.1f} %"
        )
    return "\n".join(
        [
            f"steps        {last.step:,}, {run.card.lines:,} lines",
            f"validation   {measured}",
            f"run folder   {run.folder}",
        ]
    )
