"""One recipe with several seeds, trained at the same time: how much of a figure is luck."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.errors import DigitlensError, UsageError
from digitlens.models.registry import find_network
from digitlens.storage import make_folder
from digitlens.training import configure, load_splits, training_extra
from digitlens.training.config import check_seed
from digitlens.training.parallel import Engine, check_same, train_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitlens.data import DataSplits


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
    config, source = configure(network, data, seed=seed, **options)
    with training_extra():
        from digitlens.training.digit_run import resolve_recipe, run_training
    splits = load_splits(source, config)
    config = resolve_recipe(config, splits)
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
