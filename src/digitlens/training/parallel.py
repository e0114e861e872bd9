"""Several trainings at the same time, in processes or on an engine for many machines.

The engines are those of `digitlens.batch`: a training stands where a picture does there. Each
has one core, so that the weights are the same however many are trained at once, and wherever.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from digitlens import runs as run_folder
from digitlens.batch.run import LocalEngine
from digitlens.imaging.inputs import use_one_core
from digitlens.training.config import Callback, NullCallback, TrainConfig

if TYPE_CHECKING:
    from digitlens.data import DataSplits
    from digitlens.errors import DigitlensError
    from digitlens.models.recipe import Recipe

    Config = TrainConfig[Recipe]
    Run = Callable[[Config, DataSplits, Callback], object]
    Engine = Callable[[Any, Any], Iterator[tuple[int, list[Any]]]]


SECONDS = 7 * 86_400.0
"""What a training may take in a process; a hang is not expected."""


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
        return [json.loads((folder / run_folder.METRICS).read_text(encoding="utf-8"))]

    def error_rows(self, _config: Config, error: DigitlensError) -> list[DigitlensError]:
        """Return what stands where a training failed."""
        return [error]


def train_all(
    configs: Sequence[Config], data: DataSplits, run: Run, engine: Engine | None = None
) -> list[dict[str, Any] | DigitlensError]:
    """Train each of `configs`, of resolved recipes; return their metrics.json, or errors.

    run: `digit_run.run_training`
    engine: one of `digitlens.batch`; processes of this machine, one a core, when None. On
        several machines they need the run folders in common.

    The weights are those of one training after the other, each with one core. Raises
    ModelError, StorageError: what stands in the way of all.
    """
    engine = engine or cast("Engine", LocalEngine(limit=SECONDS))
    parts = ((index, [config]) for index, config in enumerate(configs))
    results = dict(engine(parts, Trainings(data, run)))
    return [results[index][0] for index in range(len(configs))]
