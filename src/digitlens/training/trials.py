"""Several trainings of one network at the same time: with other seeds, or other recipes.

Seeds say how much of a figure is luck; tuning looks for a better recipe, judged by writers who
are held back.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.data import DataSplits
from digitlens.errors import DataError, DigitlensError, MissingExtraError, UsageError
from digitlens.models.recipe import AUGMENTATIONS, Recipe, write_recipe
from digitlens.models.registry import find_network
from digitlens.storage import make_folder, write_csv
from digitlens.training import configure, load_splits, training_extra
from digitlens.training.config import TrainConfig, check_seed
from digitlens.training.parallel import check_same, train_all

if TYPE_CHECKING:
    from digitlens.training.parallel import Engine


@dataclass(frozen=True)
class SeedRun:
    """A training with `seed` in `folder`: misses of the held-back digits, None without any.

    `error` is why it failed, "" where it did not.
    """

    seed: int
    folder: Path
    misses: int | None = None
    error: str = ""


@dataclass(frozen=True)
class SeedRuns:
    """Trainings that differ by their seed; `count` digits were held back."""

    runs: list[SeedRun]
    count: int

    @property
    def misses(self) -> list[int]:
        """Of each that was trained and judged."""
        return [run.misses for run in self.runs if run.misses is not None]

    def spread(self) -> tuple[float, float] | None:
        """Return mean and standard deviation of the misses; None for fewer than two."""
        if len(self.misses) < 2:
            return None
        return statistics.fmean(self.misses), statistics.stdev(self.misses)


def train_seeds(
    network: str,
    data: DataSplits | str | Path | None = None,
    *,
    seeds: int,
    out: str | Path,
    seed: int = 0,
    engine: Engine | None = None,
    progress: Callable[[SeedRun], None] = lambda _: None,
    **options: Any,
) -> SeedRuns:
    """Train a network `seeds` times, with `seed` and the seeds after it.

    Each has one core and a run folder in `out`, and the weights of one trained after the other.
    The same call again looks up what is finished and goes on with what was begun. Processes
    are started, so a script that calls this must do so below ``if __name__ == "__main__":``.

    network, data, options: as `configure` has them
    engine: where they are trained, as `train_all` has it
    progress: is called with each as it ends

    Raises UsageError: no seeds, or a network of several members; RunError: `out` holds
    trainings of another recipe or of other digits; and as `digitlens.train`. What one training
    meets is the ``error`` of its `SeedRun`, unless all of them fail.
    """
    if seeds < 1:
        raise UsageError("there must be at least 1 seed", seen=f"--seeds {seeds}")
    if find_network(network).members > 1:
        raise UsageError(
            f"{network} has several members, which differ by their seeds",
            try_="--workers, without --seeds",
        )
    check_seed(seed + seeds - 1)
    config, splits = _prepare(network, data, seed=seed, **options)
    from digitlens.training.digit_run import run_training

    make_folder(Path(out))
    configs = [
        replace(config, seed=number, out=Path(out) / f"seed-{number}")
        for number in range(seed, seed + seeds)
    ]
    for one in configs:
        check_same(one, splits)

    def describe(index: int, outcome: dict[str, Any] | DigitlensError) -> SeedRun:
        run = SeedRun(seed + index, Path(out) / f"seed-{seed + index}")
        if isinstance(outcome, DigitlensError):
            return replace(run, error=outcome.wanted)
        judged = outcome.get("validation") if len(splits.validation) else None
        return replace(run, misses=int(judged["misses"])) if judged else run

    outcomes = train_all(
        *(configs, splits, run_training, engine),
        progress=lambda index, outcome: progress(describe(index, outcome)),
    )
    errors = [item for item in outcomes if isinstance(item, DigitlensError)]
    if len(errors) == len(outcomes):
        raise errors[0]
    return SeedRuns(
        [describe(index, item) for index, item in enumerate(outcomes)], len(splits.validation)
    )


def _prepare(
    network: str, data: DataSplits | str | Path | None, **options: Any
) -> tuple[TrainConfig[Recipe], DataSplits]:
    """Return a training as `configure` has it, its recipe resolved, and its digits."""
    config, source = configure(network, data, **options)
    splits = load_splits(source, config)
    with training_extra():
        from digitlens.training.digit_run import resolve_recipe
    return resolve_recipe(config, splits), splits


AT_ONCE = 4  # recipes that are proposed before one is judged, however many are trained at once

RECIPE, TRIALS = "recipe.toml", "trials.csv"


@dataclass(frozen=True)
class Trial:
    """A recipe tried in `folder`; `misses` of the held-back digits, None where it failed."""

    number: int
    folder: Path
    recipe: Recipe
    misses: int | None
    error: str = ""


@dataclass(frozen=True)
class Tuning:
    """What tuning came to: all trials, the best one's, and the file with its recipe.

    The first trial is the network's own recipe. `count` digits judged them: the best one's
    misses among these are too few, as it was chosen by them.
    """

    trials: list[Trial]
    best: Trial
    path: Path
    count: int


def tune(
    network: str,
    data: DataSplits | str | Path | None = None,
    *,
    out: str | Path,
    trials: int = 20,
    epochs: int | None = None,
    validation: float = 0.1,
    limit: int | None = None,
    seed: int = 0,
    engine: Engine | None = None,
    progress: Callable[[Trial], None] = lambda _: None,
) -> Tuning:
    """Try so many recipes near the network's own, and write the best one to ``recipe.toml``.

    Optuna's tree of Parzen estimators proposes them, four at a time, by the seed; the same
    command ends in the same recipe however many are trained at once, and goes on where it was
    stopped. Each trial is a run folder in `out`. Processes are started, so a script that calls
    this must do so below ``if __name__ == "__main__":``.

    network, data, epochs, validation, limit, seed: as `digitlens.train` has them
    engine: where the trials are trained, as `train_all` has it

    Raises DataError: nothing is held back, or not by writer; UsageError: no trials, or a
    network of several members; RunError: `out` holds other trials; MissingExtraError: Optuna
    or torch is not installed.
    """
    options: dict[str, Any] = {"epochs": epochs, "limit": limit, "seed": seed}
    config, splits = _prepare(network, data, validation=validation, **options)
    out = Path(out)
    study = _begin_study(config, splits, trials)
    from digitlens.training.digit_run import run_training

    make_folder(out)
    results: list[Trial] = []
    while len(results) < trials:
        # Propose -> train -> judge, all of a group before the next is proposed.
        group = []
        for number in range(len(results), min(trials, len(results) + AT_ONCE)):
            asked = study.ask()
            proposed = propose(asked, config.resolved_recipe)
            recipe = proposed if number else config.resolved_recipe
            folder = out / f"trial-{number:03d}"
            group.append((asked, Trial(number, folder, recipe, None)))
        configs = [replace(config, recipe=t.recipe, out=t.folder) for _, t in group]
        for one in configs:
            check_same(one, splits)
        for (asked, trial), metrics in zip(
            group, train_all(configs, splits, run_training, engine), strict=True
        ):
            if isinstance(metrics, DigitlensError):
                study.tell(asked, state=_failed())
                results.append(replace(trial, error=metrics.wanted))
            else:
                misses = int(metrics["validation"]["misses"])
                study.tell(asked, float(misses))
                results.append(replace(trial, misses=misses))
            progress(results[-1])
    return _finish(results, config, splits, out)


def _begin_study(config: TrainConfig[Recipe], data: DataSplits, trials: int) -> Any:
    if trials < 1:
        raise UsageError("tuning tries at least 1 recipe", seen=f"--trials {trials}")
    if find_network(config.network).members > 1:
        raise UsageError(
            f"{config.network} has several members of one recipe", try_="tune a single network"
        )
    if not len(data.validation) or data.validation.writers is None:
        raise DataError(
            "recipes are judged by writers who are held back",
            seen=data.split,
            try_="--data mnist, with a --validation above 0",
        )
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "tuning wants the extra 'tune'",
            seen="optuna is not installed",
            try_='pip install "digitlens[tune]"',
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=config.seed))
    study.enqueue_trial(describe(config.resolved_recipe))
    return study


def _failed() -> Any:
    from optuna.trial import TrialState

    return TrialState.FAIL


def propose(trial: Any, base: Recipe) -> Recipe:
    """Return the recipe that an Optuna trial proposes: `base` with other values.

    The range of each value holds that of `base`.
    """
    strong = AUGMENTATIONS["strong"]
    changes: dict[str, Any] = {
        "learning_rate": base.learning_rate
        * 2 ** trial.suggest_float("rate_doubled", -2.0, 2.0),
        "batch": max(1, round(base.batch * 2 ** trial.suggest_int("batch_doubled", -1, 1))),
        "weight_decay": 10 ** trial.suggest_float("weight_decay_power", -4.0, 0.0),
        "label_smoothing": trial.suggest_float(
            "label_smoothing", 0.0, max(0.2, base.label_smoothing)
        ),
        "translate": trial.suggest_int("translate", 0, max(3, base.translate)),
    }
    for name in ("rotate", "scale", "shear", "elastic"):
        most = max(1.5 * strong[name], getattr(base, name))
        changes[name] = trial.suggest_float(name, 0.0, most)
    # Four digits say all that was tried, and can be read.
    rounded: dict[str, Any] = {
        name: float(f"{value:.4g}") if isinstance(value, float) else value
        for name, value in changes.items()
    }
    return replace(base, **rounded)


def describe(base: Recipe) -> dict[str, Any]:
    """Return the values with which `propose` gives `base` itself."""
    names = ("label_smoothing", "translate", "rotate", "scale", "shear", "elastic")
    power = math.log10(min(1.0, max(1e-4, base.weight_decay)))
    own = {"rate_doubled": 0.0, "batch_doubled": 0, "weight_decay_power": power}
    return own | {name: getattr(base, name) for name in names}


def _finish(
    results: list[Trial], config: TrainConfig[Recipe], data: DataSplits, out: Path
) -> Tuning:
    """Write the table of all trials, and the best one's recipe."""
    good = [trial for trial in results if trial.misses is not None]
    if not good:
        raise DigitlensError("no recipe could be trained", seen=results[0].error)
    best = min(good, key=lambda trial: (trial.misses, trial.number))
    names = list(best.recipe.to_dict())
    rows = [
        [t.number, t.misses, t.error, *map(str, t.recipe.to_dict().values())] for t in results
    ]
    write_csv(out / TRIALS, ["trial", "misses", "error", *names], rows)
    about = {
        "network": config.network,
        "trials": len(results),
        "misses": best.misses,
        "own_recipe_misses": results[0].misses,
        "held_back": len(data.validation),
        "source": data.source,
        "seed": config.seed,
    }
    write_recipe(
        out / RECIPE, best.recipe, tuned={k: v for k, v in about.items() if v is not None}
    )
    return Tuning(results, best, out / RECIPE, len(data.validation))
