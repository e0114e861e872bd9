"""What a training run was asked for, what its config.toml says, and its callbacks."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, runtime_checkable

from digitlens import runs as run_folder
from digitlens.errors import RunError, UsageError
from digitlens.models.recipe import BaseRecipe, Recipe, check_types

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from digitlens.data import DataSplits


AnyRecipe = TypeVar("AnyRecipe", bound=BaseRecipe)


# What config.toml says of a run where it was asked for, in texts.
OPTIONAL = ("start", "corrections", "layers", "activation")


class Callback(Protocol):
    """Is called as training goes on. Every call must be cheap."""

    def start(self, total_steps: int, epochs: int, examples_per_epoch: int, note: str) -> None:
        """Training begins (or resumes); `note` says on what.

        For line readers an epoch is the steps from one evaluation to the next.
        """

    def step(self, done_steps: int) -> None:
        """So many steps of all are done."""

    def epoch(self, epoch: Any) -> None:
        """An epoch has ended and has been measured: an `Epoch`, or a `LinePoint` of lines."""

    def finish(self) -> None:
        """Training has ended, well or not."""


@runtime_checkable
class NetworkWatcher(Protocol):
    """A callback that looks at the network while it learns."""

    def watch(self, network: Any) -> None:
        """Training begins: the torch module whose weights it will change."""


class NullCallback:
    """A `Callback` that does nothing."""

    def start(self, *_arguments: object, **_options: object) -> None:
        """Do nothing."""

    step = epoch = finish = start


class EpochPrinter(NullCallback):
    """A `Callback` that prints a line an epoch, which stays."""

    def start(self, total_steps: int, epochs: int, examples_per_epoch: int, note: str) -> None:  # type: ignore[override]  # noqa: ARG002
        """Say what is trained, on what."""
        self._epochs = epochs
        print(note)  # noqa: T201 - a notebook's output is stdout

    def epoch(self, epoch: Any) -> None:  # type: ignore[override]
        """Print what was measured."""
        print(epoch.describe(self._epochs))  # noqa: T201


def default_callback() -> Callback:
    """Return an `EpochPrinter` where somebody looks on, else a `NullCallback`."""
    looks_on = "ipykernel" in sys.modules or sys.stdout.isatty()
    return EpochPrinter() if looks_on else NullCallback()


@dataclass(frozen=True)
class TrainConfig(Generic[AnyRecipe]):
    """A training run as it was asked for."""

    # network, seed: as `digitlens.train` has them, like all that follows but the last two
    network: str
    seed: int
    source: str
    validation: float
    # the recipe; None for the network's own, until it is resolved
    recipe: AnyRecipe | None = None
    module: Any = None  # torch's Module: a network of one's own: its layers are trained
    layers: str | None = None  # the same as a list of layers
    activation: str | None = None  # what follows each of these; else ReLU
    changes: Mapping[str, Any] | None = None  # of the recipe: for `Recipe.adjust`
    recipe_name: str | None = None  # another recipe that the network has, until resolved
    length: int | None = None  # epochs, or steps of a line reader, instead of the recipe's
    limit: int | None = None
    out: Path | None = None
    writers: int | None = None  # processes that make lines
    start: str | None = None  # the reader of lines whose weights are the first
    corrections: str | None = None  # the folder of lines that it learns besides
    resume: Path | None = None  # the folder of the run to resume

    @property
    def resolved_recipe(self) -> AnyRecipe:
        """The recipe, which must be resolved."""
        assert self.recipe is not None, "whoever runs a config resolves its recipe first"
        return self.recipe


def check_length(length: int | None, unit: str) -> None:
    """Refuse fewer than one epoch or step (`unit` is the plural)."""
    if length is not None and length < 1:
        raise UsageError(
            f"training needs at least 1 {unit[:-1]}",
            seen=f"--{unit} {length}",
            try_=f"leave --{unit} out to train by the network's recipe",
        )


def check_seed(seed: int) -> int:
    """Return `seed` when it fits in 63 bits, else raise a `UsageError`."""
    if not 0 <= seed < 2**63:
        raise UsageError("a seed is a whole number in 0..2**63-1", seen=f"--seed {seed}")
    return seed


def resume_config(
    config: TrainConfig[AnyRecipe],
    kind: type[AnyRecipe],
    asked: Mapping[str, Any] | None = None,
) -> TrainConfig[AnyRecipe]:
    """Return `config` with all that the interrupted run in its folder says.

    kind: the type of the network's recipe
    asked: what must be as the run was begun, where it is not None
    """
    folder, written = find_resumable(config.network, config.out)
    with _explain_missing(folder):
        recipe = kind.from_dict(written["recipe"])
        data = written["data"]
        run = written["run"]
        check_types({"seed": int, **dict.fromkeys(OPTIONAL, str)}, run)
        check_types({"source": str, "validation": float, "limit": int}, data)
        resumed = replace(
            config,
            seed=check_seed(run["seed"]),
            **{name: run.get(name) for name in OPTIONAL},
            changes=None,
            length=None,
            recipe=recipe,
            source=data["source"],
            validation=data["validation"],
            limit=data.get("limit"),
            resume=folder,
        )
    unit = "epochs" if isinstance(recipe, Recipe) else "steps"
    _check_as_begun(unit, config.length, getattr(recipe, unit))
    for name, value in (asked or {}).items():
        option = "data" if name == "source" else name
        _check_as_begun(option, value, getattr(resumed, name))
    return resumed


def _check_as_begun(name: str, asked: object, begun: object) -> None:
    if asked not in (None, begun):
        raise UsageError(
            f"a run goes on with the {name} it was begun with",
            seen=f"--{name} {asked}, begun {'without' if begun is None else f'with {begun}'}",
            try_=f"--resume without --{name}",
        )


def find_resumable(network: str, out: Path | None) -> tuple[Path, dict[str, Any]]:
    """Return the folder of the run of `network` to resume, and its config.toml.

    out: the folder; the newest unfinished run when None
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
    with _explain_missing(folder):
        seen = config["run"]["network"]
    if seen != network:
        raise RunError(
            f"{folder} must be a run of {network}",
            seen=f"a run of {seen}",
            try_=f"digitlens train {seen} --resume --out {folder}",
        )
    return folder, config


@contextmanager
def _explain_missing(folder: Path) -> Iterator[None]:
    """Turn what a config.toml lacks into a `RunError`."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise RunError(
            f"{folder / run_folder.CONFIG} does not say all that going on needs",
            seen=f"{type(error).__name__}: {error}",
        ) from error


def config_to_dict(
    config: TrainConfig[AnyRecipe], data: DataSplits, *, about: dict[str, Any]
) -> dict[str, Any]:
    """Return the content of config.toml, all resolved; `about` adds machine and versions."""
    digits = {
        "source": data.source,
        "validation": config.validation,
        "split": data.split,
        "counts": {"train": len(data.train), "held_back": len(data.validation)},
        "hashes": dict(data.hashes),
    }
    if config.limit is not None:
        digits["limit"] = config.limit
    run: dict[str, Any] = {"network": config.network, "seed": config.seed}
    values = {name: getattr(config, name) for name in OPTIONAL}
    run |= {name: value for name, value in values.items() if value is not None}
    return {
        "run": run,
        "recipe": config.resolved_recipe.to_dict(),
        "data": digits,
        **about,
    }


def check_same_data(folder: Path, config: dict[str, Any], data: DataSplits) -> None:
    """Refuse to resume with other digits than the run was begun with."""
    was = config["data"]
    with _explain_missing(folder):
        check_types({"hashes": dict[str, str], "counts": dict[str, int]}, was)
        was["hashes"], was["counts"]
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
