"""Tuning: recipes are proposed, judged by writers who are held back, and the best is kept."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlens.batch.ray_engine import RayEngine
from digitlens.batch.run import LocalEngine
from digitlens.data import DataSplits
from digitlens.errors import DataError, DigitlensError, MissingExtraError, RunError, UsageError
from digitlens.models import load_recipe
from digitlens.models.recipe import read_recipe
from digitlens.training import train
from digitlens.training.trials import Tuning, tune

pytest.importorskip("optuna")


def here(parts: Any, rows: Any) -> Iterator[tuple[int, list[Any]]]:
    """Train one after the other in this process."""
    for index, (config,) in parts:
        yield index, rows(config)


@pytest.fixture(scope="module")
def written(small: DataSplits) -> DataSplits:
    """Return the made-up digits, each by a writer of its own."""
    writers = np.arange(len(small.validation), dtype=np.int64)
    return replace(small, validation=replace(small.validation, writers=writers))


@pytest.fixture(scope="module")
def tuned(written: DataSplits, tmp_path_factory: pytest.TempPathFactory) -> Tuning:
    """Return three trials of dense."""
    out = tmp_path_factory.mktemp("tune")
    return tune("dense", written, out=out, trials=3, epochs=1, engine=here)


def test_the_best_recipe_is_kept(tuned: Tuning, written: DataSplits) -> None:
    """The first trial is the network's own recipe; the file holds that of the fewest misses."""
    own = replace(load_recipe("dense").fit_to(300), epochs=1)
    assert [trial.number for trial in tuned.trials] == [0, 1, 2]
    assert tuned.trials[0].recipe == own
    assert len({trial.recipe for trial in tuned.trials}) == 3
    misses = [trial.misses for trial in tuned.trials]
    assert tuned.best.misses == min(misses)  # type: ignore[type-var]
    assert read_recipe(tuned.path) == tuned.best.recipe
    with (tuned.path.parent / "trials.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert [int(row["misses"]) for row in rows] == misses
    assert float(rows[1]["learning_rate"]) == tuned.trials[1].recipe.learning_rate


def test_train_takes_the_recipe(
    tuned: Tuning, written: DataSplits, weights: Any, tmp_path: Path
) -> None:
    """A training by the file has the weights of the trial."""
    run = train("dense", written, recipe=str(tuned.path), out=tmp_path / "run")
    assert weights(run.folder) == weights(tuned.best.folder)


def test_the_same_command_goes_on(tuned: Tuning, written: DataSplits) -> None:
    """Finished trials are looked up, those of another command are refused."""
    out = tuned.path.parent

    def refuse(parts: Any, rows: Any) -> Iterator[Any]:
        rows.begin = None
        for index, (config,) in parts:
            assert (config.out / "metrics.json").is_file()
            yield index, rows(config)

    again = tune("dense", written, out=out, trials=3, epochs=1, engine=refuse)
    assert again.trials == tuned.trials
    with pytest.raises(RunError, match="holds a training of another command"):
        tune("dense", written, out=out, trials=3, epochs=1, seed=1, engine=here)


def test_a_trial_that_fails_costs_itself(
    written: DataSplits, tmp_path: Path, failing: Callable[[int], Any]
) -> None:
    """A recipe that diverges is in the table; where none can be trained that is told."""

    result = tune("dense", written, out=tmp_path / "a", trials=2, epochs=1, engine=failing(1))
    assert (result.trials[0].error, result.best.number) == ("the loss became infinite", 1)
    with pytest.raises(DigitlensError, match="no recipe could be trained"):
        tune("dense", written, out=tmp_path / "b", trials=2, epochs=1, engine=failing(2))


def test_what_cannot_be_tuned_is_told(
    small: DataSplits, written: DataSplits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Digits of unknown writers, ensembles, no trials; a file without a recipe; no Optuna."""
    with pytest.raises(DataError, match="judged by writers who are held back"):
        tune("dense", small, out=tmp_path)
    with pytest.raises(UsageError, match="several members"):
        tune("best", written, out=tmp_path)
    with pytest.raises(UsageError, match="at least 1 recipe"):
        tune("dense", written, out=tmp_path, trials=0)
    (tmp_path / "none.toml").write_text("[recipe]\nepochs = 'many'\n")
    with pytest.raises(DataError, match="holds no recipe"):
        train("dense", written, recipe=str(tmp_path / "none.toml"))
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(MissingExtraError, match="tune"):
        tune("dense", written, out=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["processes", "ray"])
def test_trials_are_the_same_at_the_same_time(
    written: DataSplits, weights: Any, tmp_path: Path, name: str
) -> None:
    """Two at a time, in processes or on Ray, have the weights of one after the other."""
    if name == "ray":
        pytest.importorskip("ray")
    engine = LocalEngine(2) if name == "processes" else RayEngine("", 2)
    about: Any = {"trials": 3, "epochs": 1}
    both = tune("dense", written, out=tmp_path / "both", engine=engine, **about)
    alone = tune("dense", written, out=tmp_path / "alone", engine=LocalEngine(1), **about)
    assert [item.recipe for item in both.trials] == [item.recipe for item in alone.trials]
    for index in range(3):
        folder = f"trial-{index:03d}"
        assert weights(tmp_path / "both" / folder) == weights(tmp_path / "alone" / folder)
