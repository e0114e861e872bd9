"""digitlens tune: look for a better recipe of a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from digitlens.cli.batch import AddressOption, EngineOption, check_engine
from digitlens.cli.console import (
    JsonOption,
    TrainSourceOption,
    announce,
    argument,
    check_positive,
    echo_either,
    list_networks,
    option,
)
from digitlens.cli.train import EpochsOption, LimitOption

if TYPE_CHECKING:
    from digitlens.training.trials import Trial, Tuning


def tune(
    network: Annotated[str, argument("NETWORK", "A network of digits.", list_networks)],
    data: TrainSourceOption = None,
    trials: Annotated[int, option("N", "Recipes to try; the first is the network's own.")] = 20,
    epochs: EpochsOption = None,
    validation: Annotated[
        float, option("SHARE", "Share of the training digits that judge, by writer.")
    ] = 0.1,
    limit: LimitOption = None,
    seed: Annotated[int, option("N", "Seed of the recipes, and of each training.")] = 0,
    out: Annotated[
        Path | None, option("DIR", "Where trials go; else runs/tune/NETWORK.")
    ] = None,
    workers: Annotated[int | None, option("N", "Trainings at once; else one a core.")] = None,
    engine: EngineOption = "local",
    address: AddressOption = "",
    as_json: JsonOption = False,
) -> None:
    """Try recipes near the network's own, and write the best one.

    Optuna proposes learning rate, batch, weight decay, smoothing and augmentation; writers who
    are held back judge, never the test set. Each training has one core. The same command ends
    in the same recipe however many are trained at once, and goes on where it was stopped.
    train NETWORK --recipe DIR/recipe.toml trains by the best one.
    """
    check_engine(engine, address)
    check_positive("--workers", workers)
    from digitlens.training.parallel import make_engine
    from digitlens.training.trials import tune as tune_network

    result = tune_network(
        network,
        data,
        out=out or Path("runs", "tune", network),
        trials=trials,
        epochs=epochs,
        validation=validation,
        limit=limit,
        seed=seed,
        engine=make_engine(engine, address, workers),
        progress=lambda trial: announce(_describe(trial)),
    )
    best = result.best
    echo_either(
        as_json,
        lambda: {
            "recipe": str(result.path),
            "trials": len(result.trials),
            "best": best.number,
            "misses": best.misses,
            "own_recipe_misses": result.trials[0].misses,
            "held_back": result.count,
        },
        lambda: report(result, network),
    )


def _describe(trial: Trial) -> str:
    said = trial.error if trial.misses is None else f"{trial.misses} misses"
    return f"trial {trial.number}: {said}"


def report(result: Tuning, network: str) -> str:
    """Return what tuning came to, and what to do next."""
    best, own = result.best, result.trials[0]
    return "\n".join(
        [
            f"best          trial {best.number} of {len(result.trials)}, {best.misses} misses "
            f"in {result.count:,} (too few: it was chosen by them)",
            f"own recipe    {'failed' if own.misses is None else f'{own.misses} misses'}",
            f"recipe        {result.path}",
            "",
            f"next:  digitlens train {network} --recipe {result.path}",
        ]
    )
