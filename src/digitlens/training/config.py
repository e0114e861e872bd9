"""What a training run is made of, as plain data: its settings and who is told how it goes.

* What was asked for: from the call, or from the folder of a run that was cut off.
* What was asked for of a line reader: from the call, or from a run that was cut off.
* How far the training of a line reader has come: points of its history, and who is told.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from digitlens import runs as run_folder
from digitlens.errors import RunError, UsageError
from digitlens.models.recipe import LineRecipe, Recipe, find_line_recipe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from digitlens.data import DataSplits
    from digitlens.metrics.history import Epoch, LinePoint


MEASURED = 10_000
"""At most so many training digits are measured again after each epoch: enough that the
accuracy's 95 % interval is under +-0.3 points, few enough to cost little time."""


class Callback(Protocol):
    """Somebody who is told how training goes. Every call must be cheap."""

    def start(self, total_steps: int, epochs: int, digits_per_epoch: int, note: str) -> None:
        """Training begins (or goes on); `note` says on what."""

    def step(self, done_steps: int) -> None:
        """So many steps of all are done."""

    def epoch(self, epoch: Epoch) -> None:
        """An epoch has ended and has been measured."""

    def finish(self) -> None:
        """Training has ended, well or not."""


class NullCallback:
    """A `Callback` that tells nobody."""

    def start(self, total_steps: int, epochs: int, digits_per_epoch: int, note: str) -> None:
        """Tell nobody."""

    def step(self, done_steps: int) -> None:
        """Tell nobody."""

    def epoch(self, epoch: Epoch) -> None:
        """Tell nobody."""

    def finish(self) -> None:
        """Tell nobody."""


@dataclass(frozen=True)
class TrainSettings:
    """A run's settings, all resolved.

    Parameters
    ----------
    network
        A name of `digitlens.models.NETWORKS`.
    seed
        Decides the first weights, the order of the digits and how they are moved.
    recipe
        The network's recipe, with the epochs that were asked for.
    """

    network: str
    seed: int
    recipe: Recipe


def check_epochs(epochs: int) -> int:
    """Return `epochs` when it is at least 1.

    Raises
    ------
    UsageError
        Fewer than one epoch.
    """
    if epochs < 1:
        raise UsageError(
            "training wants at least 1 epoch",
            seen=f"--epochs {epochs}",
            try_="leave --epochs out to train by the network's recipe",
        )
    return epochs


def check_seed(seed: int) -> int:
    """Return `seed` when it fits in 63 bits.

    Raises
    ------
    UsageError
        A negative seed, or one of 2**63 and more.
    """
    if not 0 <= seed < 2**63:
        raise UsageError("a seed is a whole number in 0..2**63-1", seen=f"--seed {seed}")
    return seed


@dataclass(frozen=True)
class TrainConfig:
    """A training run as it was asked for; `resume` names the folder to go on in."""

    network: str
    seed: int
    epochs: int | None
    recipe: Recipe | None
    source: str
    validation: float
    limit: int | None
    out: Path | None
    resume: Path | None = None


def resume_config(wish: TrainConfig) -> TrainConfig:
    """Return `wish` with all that the cut-off run in its folder says.

    Raises
    ------
    RunError
        There is no such run, it is finished, or it is not one of this network.
    """
    folder, config = find_resumable(wish.network, wish.out)
    with told_by_config(folder):
        run, data = config["run"], config["data"]
        recipe = Recipe.from_dict(config["recipe"])
        result = replace(
            wish,
            seed=run["seed"],
            epochs=None,
            recipe=recipe,
            source=data["source"],
            validation=data["validation"],
            limit=data.get("limit"),
            resume=folder,
        )
    if wish.epochs not in (None, recipe.epochs):
        raise UsageError(
            "a run goes on with the epochs it was begun with: they shape its learning rate",
            seen=f"--epochs {wish.epochs}, begun with {recipe.epochs}",
            try_="--resume without --epochs",
        )
    return result


def find_resumable(network: str, out: Path | None) -> tuple[Path, dict[str, Any]]:
    """Return the folder of the run of `network` to go on with, and its config.toml.

    Parameters
    ----------
    out
        The folder; the newest unfinished run when None.

    Raises
    ------
    RunError
        There is no such run, it is finished, or it is not one of this network.
    """
    folder = out or run_folder.find_unfinished(network)
    config = run_folder.read_config(folder)
    if "start" in config:
        raise RunError(
            f"{folder} is a fine-tuned run: so short a run is not gone on with",
            try_="the command without --resume begins it again",
        )
    if (folder / run_folder.METRICS).is_file():
        raise RunError(
            f"{folder} is finished already: nothing is left to go on with",
            try_="train without --resume for a new run",
        )
    with told_by_config(folder):
        seen = config["run"]["network"]
    if seen != network:
        raise RunError(
            f"{folder} must be a run of {network}",
            seen=f"a run of {seen}",
            try_=f"digitlens train {seen} --resume --out {folder}",
        )
    return folder, config


@contextmanager
def told_by_config(folder: Path) -> Iterator[None]:
    """Turn what a config.toml lacks into a `RunError`."""
    try:
        yield
    except (KeyError, TypeError) as error:
        raise RunError(
            f"{folder / run_folder.CONFIG} does not say all that going on needs",
            seen=f"{type(error).__name__}: {error}",
        ) from error


def config_to_dict(
    wish: TrainConfig, recipe: Recipe, data: DataSplits, *, about: dict[str, Any]
) -> dict[str, Any]:
    """Return the content of config.toml, all resolved; `about` adds machine and versions."""
    kept = data_config(data, wish.validation)
    if wish.limit is not None:
        kept["limit"] = wish.limit
    return {
        "run": {"network": wish.network, "seed": wish.seed},
        "recipe": recipe.to_dict(),
        "data": kept,
        **about,
    }


def data_config(data: DataSplits, validation: float) -> dict[str, Any]:
    """Return what config.toml says of the digits; `validation` is the share held back."""
    return {
        "source": data.source,
        "validation": validation,
        "split": data.split,
        "counts": {"train": len(data.train), "held_back": len(data.validation)},
        "hashes": dict(data.hashes),
    }


def check_same_data(folder: Path, config: dict[str, Any], data: DataSplits) -> None:
    """Refuse to go on with other digits than the run was begun with.

    Raises
    ------
    RunError
        Files or counts differ.
    """
    was = config["data"]
    now = {"train": len(data.train), "held_back": len(data.validation)}
    if was["hashes"] == data.hashes and was["counts"] == now:
        return
    changed = sorted(
        name
        for name in was["hashes"].keys() | data.hashes.keys()
        if was["hashes"].get(name) != data.hashes.get(name)
    )
    raise RunError(
        f"{folder} must go on with the digits it was begun with",
        seen=f"changed files: {', '.join(changed)}" if changed else f"{now}, begun with {was}",
        try_="put the files back, or start a new run",
    )


@dataclass(frozen=True)
class LineTrainConfig:
    """A training run as it was asked for; `resume` names the folder to go on in."""

    network: str
    seed: int
    steps: int | None
    recipe: LineRecipe | None
    source: str
    validation: float
    out: Path | None
    writers: int | None = None
    resume: Path | None = None

    def resolved(self) -> LineRecipe:
        """Return the recipe that the wish comes to."""
        recipe = self.recipe or find_line_recipe(self.network)
        return recipe if self.steps is None else recipe.fit_to(self.steps)


def resume_line_config(wish: LineTrainConfig) -> LineTrainConfig:
    """Return `wish` with all that the cut-off run in its folder says.

    Raises
    ------
    RunError
        There is no such run, it is finished, or it is not one of this network.
    UsageError
        Another number of steps than it was begun with.
    """
    folder, config = find_resumable(wish.network, wish.out)
    with told_by_config(folder):
        recipe = LineRecipe.from_dict(config["recipe"])
        result = replace(
            wish,
            seed=config["run"]["seed"],
            steps=None,
            recipe=recipe,
            source=config["data"]["source"],
            validation=config["data"]["validation"],
            resume=folder,
        )
    if wish.steps not in (None, recipe.steps):
        raise UsageError(
            "a run goes on with the steps it was begun with: they shape its learning rate",
            seen=f"--steps {wish.steps}, begun with {recipe.steps}",
            try_="--resume without --steps",
        )
    return result


def line_config_to_dict(
    wish: LineTrainConfig, recipe: LineRecipe, data: DataSplits, *, about: dict[str, Any]
) -> dict[str, Any]:
    """Return the content of config.toml, all resolved; `about` adds machine and versions."""
    return {
        "run": {"network": wish.network, "seed": wish.seed},
        "recipe": recipe.to_dict(),
        "data": data_config(data, wish.validation),
        **about,
    }


class LineCallback(Protocol):
    """Somebody who is told how training goes. Every call must be cheap."""

    def start(self, steps: int, batch: int, note: str) -> None:
        """Training begins (or goes on); `note` says on what."""

    def step(self, done_steps: int) -> None:
        """So many steps of all are done."""

    def point(self, point: LinePoint) -> None:
        """A point of the history has been reached and measured."""

    def finish(self) -> None:
        """Training has ended, well or not."""


class NullLineCallback:
    """A `LineCallback` that tells nobody."""

    def start(self, steps: int, batch: int, note: str) -> None:
        """Tell nobody."""

    def step(self, done_steps: int) -> None:
        """Tell nobody."""

    def point(self, point: LinePoint) -> None:
        """Tell nobody."""

    def finish(self) -> None:
        """Tell nobody."""
