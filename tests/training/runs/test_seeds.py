"""Seeds: the same recipe trained several times, with the weights of one after the other."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from digitlens.batch.run import LocalEngine
from digitlens.data import DataSplits
from digitlens.errors import DigitlensError, RunError, UsageError
from digitlens.training import train
from digitlens.training.parallel import SECONDS
from digitlens.training.trials import SeedRuns, train_seeds


def here(parts: Any, rows: Any) -> Iterator[tuple[int, list[Any]]]:
    """Train one after the other in this process."""
    for index, (config,) in parts:
        yield index, rows(config)


@pytest.fixture(scope="module")
def seeded(small: DataSplits, tmp_path_factory: pytest.TempPathFactory) -> SeedRuns:
    """Return dense trained with the seeds 4 and 5."""
    out = tmp_path_factory.mktemp("seeds")
    return train_seeds("dense", small, seeds=2, seed=4, epochs=1, out=out, engine=here)


def test_each_seed_has_the_weights_of_a_training_of_its_own(
    seeded: SeedRuns, small: DataSplits, weights: Any, tmp_path: Path
) -> None:
    """Seeds follow one another, each in its folder, and are judged by what is held back."""
    assert [run.seed for run in seeded.runs] == [4, 5]
    alone = train("dense", small, seed=5, epochs=1, out=tmp_path / "alone")
    assert weights(seeded.runs[1].folder) == weights(alone.folder)
    assert (seeded.runs[1].misses, seeded.count) == (alone.misses, alone.count)
    first, second = seeded.misses
    mean, deviation = seeded.spread() or (0, 0)
    assert mean == (first + second) / 2
    assert deviation == pytest.approx(abs(first - second) / 2**0.5)


def test_the_same_seeds_are_looked_up(seeded: SeedRuns, small: DataSplits) -> None:
    """What is finished is not trained again; what another command began is refused."""
    out = seeded.runs[0].folder.parent
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    same = {"seeds": 2, "seed": 4, "out": out, "engine": here}
    assert train_seeds("dense", small, epochs=1, **same) == seeded  # type: ignore[arg-type]
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
    with pytest.raises(RunError, match="holds a training of another command"):
        train_seeds("dense", small, epochs=2, **same)  # type: ignore[arg-type]


def test_a_seed_that_fails_costs_itself(
    small: DataSplits, tmp_path: Path, failing: Callable[[int], Any]
) -> None:
    """The others are trained; where all fail the first error is raised, and nonsense refused."""
    told = []

    asked: dict[str, Any] = {"seeds": 2, "epochs": 1, "out": tmp_path, "progress": told.append}
    result = train_seeds("dense", small, engine=failing(1), **asked)
    assert [run.error for run in result.runs] == ["the loss became infinite", ""]
    assert (told, result.spread()) == (result.runs, None)
    with pytest.raises(DigitlensError, match="the loss became infinite"):
        train_seeds("dense", small, engine=failing(2), **asked)
    with pytest.raises(UsageError, match="has several members"):
        train_seeds("best", small, seeds=2, out=tmp_path)
    with pytest.raises(UsageError, match="at least 1 seed"):
        train_seeds("dense", small, seeds=0, out=tmp_path)


@pytest.mark.slow
def test_seeds_are_the_same_at_the_same_time(
    small: DataSplits, weights: Any, tmp_path: Path
) -> None:
    """Two processes at once end in the bytes of one after the other."""
    for count in (1, 2):
        engine: Any = LocalEngine(count, SECONDS)
        out = tmp_path / str(count)
        train_seeds("dense", small, seeds=2, epochs=1, out=out, engine=engine)
    for seed in range(2):
        one, two = (weights(tmp_path / str(count) / f"seed-{seed}") for count in (1, 2))
        assert one == two


@pytest.mark.parametrize("content", ["{", '{"validation": [3]}', '{"validation": {"misses": ""}}'])
def test_a_seed_whose_figures_are_damaged_is_named(
    seeded: SeedRuns, small: DataSplits, tmp_path: Path, content: str
) -> None:
    """Looking up what is finished tells whose metrics.json cannot be used."""
    out = tmp_path / "seeds"
    shutil.copytree(seeded.runs[0].folder.parent, out)
    (out / "seed-4" / "metrics.json").write_text(content)
    with pytest.raises(RunError, match=r"seed-4.metrics\.json"):
        train_seeds("dense", small, seeds=2, seed=4, epochs=1, out=out, engine=here)
