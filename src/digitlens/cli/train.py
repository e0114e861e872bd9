"""digitlens train: a network of digits or a reader of lines, and what is said of its run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitlens.cli.batch import AddressOption, EngineOption, check_engine
from digitlens.cli.console import (
    SOME_REJECTED,
    TrainSourceOption,
    announce,
    argument,
    check_positive,
    echo,
    flag,
    list_networks,
    option,
)
from digitlens.errors import UsageError
from digitlens.models.recipe import ACTIVATIONS, AUGMENTATIONS, OPTIMIZERS, READERS
from digitlens.models.registry import NETWORKS, find_network

if TYPE_CHECKING:
    from collections.abc import Mapping

    from digitlens.training import Run
    from digitlens.training.results import ReaderRun
    from digitlens.training.trials import SeedRuns


NetworkArgument = Annotated[
    str,
    argument(
        "NETWORK",
        f"One of: {', '.join(NETWORKS)}; custom, with --layers; or a reader of lines: "
        f"{', '.join(READERS)}.",
        list_networks,
    ),
]
StartOption = Annotated[
    str | None,
    option(
        "MODEL",
        "Go on from this model with a few pictures of your own in --data; a reader of lines "
        "with corrected lines, or without.",
        "--from",
    ),
]
ValidationOption = Annotated[
    float | None,
    option(
        "SHARE",
        "Share of the training digits to hold back, by writer; 0 trains on all. "
        "Else 0.1; with --from, a quarter of each digit that has 8 pictures.",
    ),
]
EpochsOption = Annotated[int | None, option("N", "Epochs; else as the recipe says.")]
StepsOption = Annotated[
    int | None, option("N", "Of readers of lines: batches; else as the recipe says.")
]
OutOption = Annotated[
    Path | None, option("DIR", "The run folder; else runs/train/NETWORK-<n>.")
]
LimitOption = Annotated[int | None, option("N", "Train on only so many digits.")]
RecipeOption = Annotated[
    str | None,
    option(
        "NAME|FILE",
        "Another recipe: course, of dense, overfits visibly; or the file that tune wrote.",
    ),
]
ResumeOption = Annotated[
    bool, flag("--resume", "Go on with the run in --out, else with the newest.")
]


LayersOption = Annotated[
    str | None,
    option("LIST", "Of custom: such as conv16,pool,conv32x5/2,dense64,drop0.2."),
]
ActivationOption = Annotated[
    str | None, option("NAME", f"Of custom, behind each layer: {', '.join(ACTIVATIONS)}.")
]
RateOption = Annotated[float | None, option("RATE", "The highest learning rate.")]
BatchOption = Annotated[int | None, option("N", "Digits a step.")]
DropoutOption = Annotated[
    float | None, option("SHARE", "Share of dense values that a step leaves out.")
]
OptimizerOption = Annotated[str | None, option("NAME", f"One of: {', '.join(OPTIMIZERS)}.")]
AugmentOption = Annotated[
    str | None, option("NAME", f"How digits are changed: {', '.join(AUGMENTATIONS)}.")
]
MembersOption = Annotated[
    int | None,
    option("N", "Seeds, or members of best, trained at once, each on one core."),
]
SeedsOption = Annotated[
    int | None, option("N", "Train so many seeds at once, and say how far luck goes.")
]


def train(
    network: NetworkArgument,
    data: TrainSourceOption = None,
    start: StartOption = None,
    validation: ValidationOption = None,
    epochs: EpochsOption = None,
    steps: StepsOption = None,
    seed: Annotated[int, option("N", "Seed of all that is random.")] = 0,
    out: OutOption = None,
    limit: LimitOption = None,
    resume: ResumeOption = False,
    recipe: RecipeOption = None,
    layers: LayersOption = None,
    activation: ActivationOption = None,
    learning_rate: RateOption = None,
    batch: BatchOption = None,
    dropout: DropoutOption = None,
    optimizer: OptimizerOption = None,
    augment: AugmentOption = None,
    seeds: SeedsOption = None,
    workers: MembersOption = None,
    engine: EngineOption = "local",
    address: AddressOption = "",
) -> None:
    """Train a network and keep everything about it in a run folder.

    Ctrl-C saves and stops; --resume goes on to the same weights, with the data, seed and
    epochs that the run was begun with. The same seed gives the same weights again on the
    same machine, with the same versions and number of threads.

    train universal --from universal --data FOLDER learns a hand in seconds from a few dozen
    pictures, in folders called 0 to 9, without forgetting what it knows, and says what changed.

    train reader learns to read whole lines, which are written with the digits as it goes:
    some hours on two cores. train reader --from reader --data FOLDER goes on with lines that
    people corrected (digitlens mail corrections) in minutes, and says what changed.

    --seeds N trains from --seed on, each in a folder of --out (runs/seeds/NETWORK), with the
    weights of one after the other on one core; the same command again goes on.
    """
    check_engine(engine, address)
    check_positive("--workers", workers)
    # What was given is sorted by whom it is for: readers of lines refuse most of it.
    changes: dict[str, Any] = {"layers": layers, "activation": activation, "batch": batch}
    changes |= {"learning_rate": learning_rate, "dropout": dropout, "optimizer": optimizer}
    changes["augment"] = augment
    special = {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    special |= {"--workers": workers, "--seeds": seeds, "--epochs": epochs, "--limit": limit}
    special |= {"--engine": None if engine == "local" else engine}
    special |= {"--recipe": recipe, "--steps": steps}
    check_reader_options(network, special)
    changes |= {"start": start, "seed": seed, "out": out, "resume": resume}
    # A reader of lines ...
    if network in READERS:
        share = 0.1 if validation is None else validation
        places = {name: changes[name] for name in ("start", "seed", "out", "resume")}
        echo(_train_reader(network, data, validation=share, steps=steps, **places))
        return
    # ... or a network of digits: several seeds of it, or one, from the start or from a model.
    changes |= {"validation": validation, "limit": limit, "epochs": epochs, "recipe": recipe}
    where = (engine, address, workers)
    if seeds is not None:
        _train_seeds(network, data, seeds, where, changes)
    else:
        _train_one(network, data, where, changes)


def _train_one(
    network: str, data: str | None, where: tuple[str, str, int | None], asked: Mapping[str, Any]
) -> None:
    """Train a network of digits, and say what came of it."""
    from digitlens.cli.progress import TrainingProgress
    from digitlens.training import train as train_network
    from digitlens.training.parallel import make_engine

    engine, _, workers = where
    if engine != "local" and find_network(network).members == 1:
        raise UsageError(
            f"--engine is for several trainings; {network} is one",
            try_="--seeds N, or best, which has several members",
        )
    run = train_network(
        network,
        data,
        progress=TrainingProgress(),
        workers=workers,
        engine=None if engine == "local" else make_engine(*where),
        **asked,
    )
    echo(report(run))
    if run.changes is not None and run.changes.left_out:
        for why in run.changes.left_out:
            announce(f"left out: {why}")
        raise typer.Exit(SOME_REJECTED)


def _train_seeds(
    network: str,
    data: str | None,
    seeds: int,
    where: tuple[str, str, int | None],
    asked: Mapping[str, Any],
) -> None:
    """Train several seeds, and tell each as it ends, then all of them."""
    from digitlens.training.parallel import make_engine
    from digitlens.training.trials import SeedRun, train_seeds

    rest = dict(asked)
    if (start := rest.pop("start")) is not None or rest.pop("resume"):
        raise UsageError(
            "--seeds trains from the start",
            seen="--resume" if start is None else f"--from {start}",
            try_="the same command again goes on where it was stopped" if not start else None,
        )
    names = ("learning_rate", "batch", "dropout", "optimizer", "augment")
    given = {name: rest.pop(name) for name in names}

    def tell(run: SeedRun) -> None:
        announce(f"seed {run.seed}: {run.error or f'ended, {run.folder}'}")

    rest["out"] = rest["out"] or Path("runs", "seeds", network)
    rest["changes"] = {name: value for name, value in given.items() if value is not None}
    engine = make_engine(*where)
    result = train_seeds(network, data, seeds=seeds, engine=engine, progress=tell, **rest)
    echo(report_seeds(result))
    if any(run.error for run in result.runs):
        raise typer.Exit(SOME_REJECTED)


def report_seeds(result: SeedRuns) -> str:
    """Return a line for each seed, and mean and spread of what was held back."""
    from digitlens.metrics.formatting import table

    rows = [("seed", "misses", "run folder")]
    for run in result.runs:
        misses = "failed" if run.error else "-" if run.misses is None else str(run.misses)
        rows.append((str(run.seed), misses, str(run.folder)))
    lines = table(rows)
    if (spread := result.spread()) is not None:
        mean, deviation = spread
        share = 100 * (1 - mean / result.count)
        lines += [
            "",
            f"mean {mean:.1f} misses in {result.count:,} held back ({share:.2f} % right), "
            f"sd {deviation:.1f}",
        ]
    return "\n".join(lines)


def _train_reader(network: str, data: str | None, **asked: Any) -> str:
    """Train a reader of lines, and return what is said of its run."""
    from digitlens.cli.progress import LineTrainingProgress
    from digitlens.training import train_reader

    return report_reader(train_reader(network, data, progress=LineTrainingProgress(), **asked))


def report(run: Run) -> str:
    """Return the history of a run in words, its figures, and what to do next."""
    import textwrap

    from digitlens.metrics.formatting import plural
    from digitlens.runs import read_config

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
            f"validation   {plural(run.misses, 'miss', 'misses')} in {run.count:,}, "
            f"{share:.2f} % right"
        )
    else:
        figures = [f"epochs       {len(run.history)}", "validation   nothing was held back"]
    figures.append(f"run folder   {run.folder}")
    source = read_config(run.folder)["data"]["source"]
    wanted = "" if source == "mnist" else f" --data {source}"
    return "\n".join(
        [
            textwrap.fill(run.diagnosis.words, 80),
            "",
            *figures,
            "",
            f"next:  digitlens evaluate {run.folder}{wanted}",
        ]
    )


def report_reader(run: ReaderRun) -> str:
    """Return the figures of a reader's run."""
    last = run.history[-1]
    measured = "nothing was held back"
    if last.exact is not None:
        right = last.validation - last.misread
        measured = (
            f"{right:,} of {last.validation:,} lines by other writers read exactly, "
            f"{100 * last.exact:.1f} %"
        )
    return "\n".join(
        [
            f"steps        {last.step:,}, {run.card.lines:,} lines",
            f"validation   {measured}",
            *(f"{item.title:<26}{item.figure}" for item in run.changes),
            f"run folder   {run.folder}",
        ]
    )


NOT_FOR_READERS = {
    "--epochs": "a reader sees no line twice, so it has steps: --steps",
    "--limit": "a reader learns from lines that are written with all digits",
    "--recipe": "a reader has one recipe",
    "--workers": "a reader has no members",
    **dict.fromkeys(("--seeds", "--engine"), "a reader is trained on all cores"),
    **dict.fromkeys(
        ("--layers", "--activation", "--dropout"), "a reader has layers of its own"
    ),
    **dict.fromkeys(
        ("--learning-rate", "--batch", "--optimizer", "--augment"), "a reader has one recipe"
    ),
}


def check_reader_options(network: str, given: Mapping[str, object]) -> None:
    """Raise `UsageError` for the first option that means nothing for this network.

    `given` holds the values of ``--steps`` and the options in `NOT_FOR_READERS`, or None.
    """
    if network in READERS:
        for option, why in NOT_FOR_READERS.items():
            if given[option] is not None:
                raise UsageError(
                    f"{option} is not for {network}: {why}", seen=f"{option} {given[option]}"
                )
    elif given["--steps"] is not None:
        raise UsageError(
            f"--steps is for readers of lines: {', '.join(READERS)}",
            seen=f"--steps {given['--steps']} for {network}",
            try_="--epochs",
        )
