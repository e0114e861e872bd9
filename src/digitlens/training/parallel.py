"""Several trainings at the same time, in processes or on an engine for many machines.

The engines are those of `digitlens.batch`: a training stands where a picture does there. Each
has one core, so that the weights are the same however many are trained at once, and wherever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from digitlens import runs as run_folder
from digitlens.data import DataSplits
from digitlens.errors import DigitlensError, RunError
from digitlens.imaging.inputs import use_one_core
from digitlens.models.recipe import Recipe
from digitlens.training.config import Callback, NullCallback, TrainConfig, check_same_data

Config = TrainConfig[Recipe]
Run = Callable[[Config, DataSplits, Callback], object]
Engine = Callable[[Any, Any], Iterator[tuple[int, list[Any]]]]
Outcome = dict[str, Any] | DigitlensError

SECONDS = 7 * 86_400.0  # what a training may take in a process; a hang is not expected


class Trainings:
    """What a worker does: train on `data`, by `run`, what it is asked for; as `batch.Rows`."""

    def __init__(self, data: DataSplits, run: Run) -> None:
        self._data, self._run = data, run

    def load(self) -> None:
        """Use one core from now on."""
        import torch

        use_one_core()
        torch.set_num_threads(1)

    def __call__(self, config: Config) -> list[dict[str, Any]]:
        """Train, go on with what was begun, or look up what is finished; return metrics.json.

        The run folder is ``config.out``.
        """
        folder = config.out
        assert folder is not None, "trainings at the same time have folders of their own"
        if not (folder / run_folder.METRICS).is_file():
            begun = (folder / run_folder.CONFIG).is_file()
            config = replace(config, resume=folder if begun else None)
            self._run(config, self._data, NullCallback())
        return [_read_judged(folder)]

    def error_rows(self, _config: Config, error: DigitlensError) -> list[DigitlensError]:
        """Return what stands where a training failed."""
        return [error]


def _read_judged(folder: Path) -> dict[str, Any]:
    """Return a run's metrics.json; RunError where what was held back is not counted in it."""
    metrics = run_folder.read_metrics(folder) or {}
    judged = metrics.get("validation")
    if judged is not None and not (
        isinstance(judged, dict) and type(judged.get("misses")) is int
    ):
        raise RunError(
            f"{folder / run_folder.METRICS} must count misses", seen=str(judged)[:60]
        )
    return metrics


def make_engine(name: str = "local", address: str = "", workers: int | None = None) -> Engine:
    """Return the engine for trainings: "local", or "ray" at `address` or on this machine.

    workers: trainings at once; one a core when None
    """
    # Loaded here alone: with them come readers of lines, which a short training would notice.
    if name == "ray":
        from digitlens.batch.ray_engine import RayEngine

        return cast("Engine", RayEngine(address, workers, SECONDS))
    from digitlens.batch.run import LocalEngine

    return cast("Engine", LocalEngine(workers, SECONDS))


def train_all(
    configs: Sequence[Config],
    data: DataSplits,
    run: Run,
    engine: Engine | None = None,
    progress: Callable[[int, Outcome], None] = lambda *_: None,
) -> list[Outcome]:
    """Train each of `configs`, of resolved recipes; return their metrics.json, or errors.

    run: `digit_run.run_training`
    engine: one of `digitlens.batch`; processes of this machine, one a core, when None. On
        several machines they need the run folders in common.
    progress: is called with the place of each that has ended, and what came of it

    The weights are those of one training after the other, each with one core. Raises
    ModelError, StorageError: what stands in the way of all.
    """
    parts = ((index, [config]) for index, config in enumerate(configs))
    results: dict[int, Outcome] = {}
    for index, (outcome,) in (engine or make_engine())(parts, Trainings(data, run)):
        results[index] = outcome
        progress(index, outcome)
    return [results[index] for index in range(len(configs))]


def check_same(config: Config, data: DataSplits) -> None:
    """Raise `RunError` where the run in the folder of `config` is one of another command."""
    folder = config.out
    assert folder is not None, "trainings at the same time have folders of their own"
    if not (folder / run_folder.CONFIG).is_file():
        return
    written = run_folder.read_config(folder)
    if written["recipe"] != config.resolved_recipe.to_dict():
        raise RunError(
            f"{folder} holds a training of another command",
            try_="the command that began it, or another folder with --out",
        )
    check_same_data(folder, written, data)
