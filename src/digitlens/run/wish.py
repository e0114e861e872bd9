"""What was asked for: from the call, or from the folder of a run that was cut off."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from digitlens.errors import RunError, UsageError
from digitlens.networks.recipe import Recipe
from digitlens.training import folder as run_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from digitlens.data import Data


@dataclass(frozen=True)
class Wish:
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


def resumed(wish: Wish) -> Wish:
    """Return `wish` with all that the cut-off run in its folder says.

    Raises
    ------
    RunError
        There is no such run, it is finished, or it is not one of this network.
    """
    folder, config = begun(wish.network, wish.out)
    with told_by_config(folder):
        run, data = config["run"], config["data"]
        recipe = Recipe(**{**config["recipe"], "betas": tuple(config["recipe"]["betas"])})
        found = replace(
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
    return found


def begun(network: str, out: Path | None) -> tuple[Path, dict[str, Any]]:
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
    folder = out or run_folder.unfinished(network)
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


def config_of(
    wish: Wish, recipe: Recipe, data: Data, *, about: dict[str, Any]
) -> dict[str, Any]:
    """Return the content of config.toml, all resolved; `about` adds machine and versions."""
    kept = data_config(data, wish.validation)
    if wish.limit is not None:
        kept["limit"] = wish.limit
    return {
        "run": {"network": wish.network, "seed": wish.seed},
        "recipe": {**asdict(recipe), "betas": list(recipe.betas)},
        "data": kept,
        **about,
    }


def data_config(data: Data, validation: float) -> dict[str, Any]:
    """Return what config.toml says of the digits; `validation` is the share held back."""
    return {
        "source": data.source,
        "validation": validation,
        "split": data.split,
        "counts": {"train": len(data.train), "held_back": len(data.validation)},
        "hashes": dict(data.hashes),
    }


def check_same_data(folder: Path, config: dict[str, Any], data: Data) -> None:
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
