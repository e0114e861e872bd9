"""digitlens train: a network, its history in words, a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitlens.cli import train_reader
from digitlens.cli.options import SourceOption
from digitlens.cli.output import give, tell
from digitlens.networks.line_recipe import READERS
from digitlens.networks.table import NETWORKS

if TYPE_CHECKING:
    from digitlens.run import Run

SOME_REJECTED = 3

NetworkArgument = Annotated[
    str,
    typer.Argument(
        metavar="NETWORK",
        help=f"One of: {', '.join(NETWORKS)}; or a reader of lines: {', '.join(READERS)}.",
    ),
]
StartOption = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="MODEL",
        help="Go on from this model with a few pictures of your own in --data.",
    ),
]
ValidationOption = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="Share of the training digits to hold back, by writer; 0 trains on all. "
        "Else 0.1; with --from, a quarter of each digit that has 8 pictures.",
    ),
]


def train(
    network: NetworkArgument,
    data: SourceOption = "mnist",
    start: StartOption = None,
    validation: ValidationOption = None,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", help="Epochs; else as the recipe says.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Of readers of lines: batches; else as the recipe says."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of all that is random.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The run folder; else runs/train/NETWORK-<n>."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", help="Train on only so many digits.")
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the run in --out, else with the newest."),
    ] = False,
) -> None:
    """Train a network and keep everything about it in a run folder.

    Ctrl-C saves and stops; --resume goes on to the same weights, with the data, seed and
    epochs that the run was begun with. The same seed gives the same weights again on the
    same machine, with the same versions and number of threads.

    train cnn --from cnn --data FOLDER learns a hand in seconds from a few dozen pictures, in
    folders called 0 to 9, without forgetting what it knows, and says what changed.

    train reader learns to read whole lines, which are written with the digits as it goes:
    some hours on two cores.
    """
    foreign = {"--from": start, "--epochs": epochs, "--limit": limit, "--steps": steps}
    train_reader.check_options(network, foreign)
    if network in READERS:
        share = 0.1 if validation is None else validation
        give(train_reader.train(network, data, share, seed, steps, out, resume=resume))
        return
    from digitlens.cli.progress import TrainingProgress
    from digitlens.run import train as train_network

    run = train_network(
        network,
        data,
        start=start,
        validation=validation,
        limit=limit,
        seed=seed,
        epochs=epochs,
        out=out,
        resume=resume,
        progress=TrainingProgress(),
    )
    give(report(run))
    if run.changes is not None and run.changes.left_out:
        for why in run.changes.left_out:
            tell(f"left out: {why}")
        raise typer.Exit(SOME_REJECTED)


def report(run: Run) -> str:
    """Return what is left to say about a run: its history in words, its figures, what next."""
    import textwrap

    from digitlens.evaluation.printed import several
    from digitlens.training.folder import read_config

    if run.changes is not None:
        return "\n".join(
            [
                run.changes.words(),
                "",
                f"run folder   {run.folder}    changes.md there lists all of it",
                "",
                f"next:  digitlens predict PICTURE --model {run.folder}",
            ]
        )
    best = run.diagnosis.best
    figures = [f"best epoch   {best} of {len(run.history)}"]
    if run.count:
        share = 100 * (run.count - run.misses) / run.count
        figures.append(
            f"validation   {several(run.misses, 'miss', 'misses')} in {run.count:,}, "
            f"{share:.2f} % right"
        )
    else:
        figures = [f"epochs       {len(run.history)}", "validation   nothing was held back"]
    figures.append(f"run folder   {run.folder}")
    source = read_config(run.folder)["data"]["source"]
    wanted = "" if source == "mnist" else f" --data {source}"
    return "\n".join(
        [
            textwrap.fill(run.diagnosis.words, 88),
            "",
            *figures,
            "",
            f"next:  digitlens evaluate {run.folder}{wanted}",
        ]
    )
