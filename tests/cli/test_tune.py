"""tune, and train with several seeds or on Ray: what is handed on and what is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from digitlens.models import load_recipe
from digitlens.training import parallel, trials
from digitlens.training.trials import SeedRun, SeedRuns, Trial, Tuning

Cli = Callable[..., Any]


@pytest.fixture
def asked(in_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Put stand-ins where trainings are; return what they, and the engine, are asked for."""
    asked: dict[str, Any] = {}
    recipe = load_recipe("dense")

    def tune(network: str, data: str, *, progress: Any, **rest: Any) -> Tuning:
        asked.update(rest, network=network, data=data)
        trials = [
            Trial(0, Path("a"), recipe, 30),
            Trial(1, Path("b"), recipe, None, "it diverged"),
            Trial(2, Path("c"), recipe, 21),
        ]
        for trial in trials:
            progress(trial)
        return Tuning(trials, trials[2], Path("runs/tune/dense/recipe.toml"), 6000)

    def train_seeds(network: str, data: str, *, progress: Any, **rest: Any) -> SeedRuns:
        asked.update(rest, network=network, data=data)
        runs = [
            SeedRun(3, Path("s/seed-3"), 30),
            SeedRun(4, Path("s/seed-4"), None, asked.get("error", "")),
            SeedRun(5, Path("s/seed-5"), 34),
        ]
        for run in runs:
            progress(run)
        return SeedRuns(runs, 1000)

    monkeypatch.setattr(trials, "tune", tune)
    monkeypatch.setattr(trials, "train_seeds", train_seeds)
    monkeypatch.setattr(parallel, "make_engine", lambda *about, **_: about)
    return asked


def test_tune_hands_on_what_is_asked_and_says_what_to_do_next(
    digitlens: Cli, asked: dict[str, Any]
) -> None:
    """Trials are told as they end, the best one's figure with its reservation."""
    ended = digitlens("tune", "dense", "--trials", 3, "--epochs", 1, "--workers", 2)
    assert ended.code == 0
    assert ended.err == "trial 0: 30 misses\ntrial 1: it diverged\ntrial 2: 21 misses\n"
    assert ended.out.splitlines() == [
        "best          trial 2 of 3, 21 misses in 6,000 (too few: it was chosen by them)",
        "own recipe    30 misses",
        f"recipe        {Path('runs/tune/dense/recipe.toml')}",
        "",
        f"next:  digitlens train dense --recipe {Path('runs/tune/dense/recipe.toml')}",
    ]
    assert asked == {
        "network": "dense",
        "data": None,
        "out": Path("runs/tune/dense"),
        "trials": 3,
        "epochs": 1,
        "validation": 0.1,
        "limit": None,
        "seed": 0,
        "engine": ("local", "", 2),
    }


def test_tune_tells_programs_the_same(digitlens: Cli, asked: dict[str, Any]) -> None:
    """--json has the figures; Ray and its head are handed on, and nonsense is refused."""
    ended = digitlens("tune", "dense", "--engine", "ray", "--address", "head", "--json")
    result = json.loads(ended.out)
    assert (result["best"], result["misses"], result["own_recipe_misses"]) == (2, 21, 30)
    assert asked["engine"] == ("ray", "head", None)
    assert digitlens("tune", "dense", "--address", "head").code == 2
    assert digitlens("tune", "dense", "--workers", 0).code == 2
    assert digitlens("tune", "dense", "--engine", "dask").code == 2


def test_train_with_seeds_says_how_far_luck_goes(digitlens: Cli, asked: dict[str, Any]) -> None:
    """Each seed has its line, all of them mean and spread; one that failed ends with code 3."""
    command = ("train", "dense", "--seeds", 3, "--seed", 3, "--batch", 64, "--engine", "ray")
    ended = digitlens(*command)
    assert ended.code == 0
    assert "mean 32.0 misses in 1,000 held back (96.80 % right), sd 2.8" in ended.out
    assert (asked["seeds"], asked["seed"], asked["changes"]) == (3, 3, {"batch": 64})
    assert (asked["out"], asked["engine"]) == (Path("runs/seeds/dense"), ("ray", "", None))
    asked["error"] = "it diverged"
    ended = digitlens(*command)
    assert ended.code == 3
    assert "seed 4: it diverged\n" in ended.err


@pytest.mark.parametrize(
    "options",
    [
        ["dense", "--engine", "ray"],
        ["dense", "--seeds", 2, "--resume"],
        ["dense", "--seeds", 2, "--from", "dense"],
        ["reader", "--seeds", 2],
        ["best", "--address", "head"],
    ],
)
def test_what_trains_nothing_at_once_is_refused(
    digitlens: Cli, asked: dict[str, Any], options: list[Any]
) -> None:
    """One training has no engine, seeds begin anew, readers have neither."""
    ended = digitlens("train", *options)
    assert (ended.code, asked) == (2, {})


def test_members_are_trained_on_the_engine_that_was_named(
    digitlens: Cli, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`train best --engine ray --workers 3` hands its members to Ray."""

    def train(network: str, data: str, **rest: Any) -> Any:
        asked.update(rest)
        (in_folder := Path("runs/train/best-1")).mkdir(parents=True)
        (in_folder / "config.toml").write_text('format = 1\n[data]\nsource = "mnist"\n')
        words = SimpleNamespace(words="It fits well.", best=1)
        return SimpleNamespace(
            diagnosis=words, history=[None], misses=1, count=9, folder=in_folder, changes=None
        )

    monkeypatch.setattr("digitlens.training.train", train)
    assert digitlens("train", "best", "--engine", "ray", "--workers", 3).code == 0
    assert (asked["engine"], asked["workers"]) == (("ray", "", 3), 3)
