"""The networks that a lab can ask, the digits that it can train with, and its training runs."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import TypeAdapter

from digitlens.data.catalog import find_collection
from digitlens.data.load import PUBLISHED_NAMES
from digitlens.digits import SIDE
from digitlens.errors import (
    DigitlensError,
    MissingDataError,
    ModelError,
    RunError,
    UsageError,
    suggest,
)
from digitlens.explain.inspection import InspectedModel
from digitlens.metrics.diagnosis import diagnose
from digitlens.metrics.history import from_csv
from digitlens.models.checksum import PUBLISHED_FOLDER
from digitlens.models.inference import Model, load_model, published_names
from digitlens.runs import (
    CONFIG,
    HISTORY,
    LOCK,
    MAX_BYTES,
    METRICS,
    MODEL,
    read_config,
    read_metrics,
)
from digitlens.server.cache import LruCache
from digitlens.server.http_errors import UnknownError
from digitlens.server.inspect import LayerProbe, describe_layer
from digitlens.server.schemas import Network, NetworkDetails, Run, RunDetails
from digitlens.storage import lock_file, read_regular, storage_errors
from digitlens.workers import attempt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from digitlens.models.card import ModelCard


# What a network may be called in an address; no other name is looked for on the disk.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Networks that are kept loaded: the largest holds 25 MB.
MAX_LOADED = 12
# Sources that the page trains with and measures on. Pen digits and fonts are drawn when they
# are loaded, which takes longer than a request may.
SOURCES = ("mnist", "uci", "fashion")
# The name of the lab's own digits where a source is named.
USER_DIGITS = "own"


@dataclass
class LoadedNetwork:
    """A network in memory; `modified` tells whether its file has changed since."""

    model: Model
    modified: int
    probe: LayerProbe | None = None


class NetworkStore:
    """The networks of one lab, loaded when they are asked for; `runs` holds its run folders."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._loaded = LruCache[str, LoadedNetwork](MAX_LOADED)
        self._cards: dict[str, tuple[int, ModelCard, bool]] = {}

    def names(self) -> list[str]:
        """Return the published networks, then the finished runs, the newest first."""
        # A run is finished when its metrics are written: that is the last file of a run.
        folders = (path.parent for path in self._runs.glob(f"*/{METRICS}"))
        outcomes = [attempt(self._read_modified, folder.name, fatal=()) for folder in folders]
        finished = {one.task: one.result for one in outcomes if one.result is not None}
        return [*published_names(), *sorted(finished, key=lambda name: -finished[name])]

    def get(self, name: str) -> Model:
        """Return the network of that name.

        Raises UnknownError: there is none; the nearest name is suggested; ModelError: its file
        is damaged.
        """
        return self._load(name).model

    def get_loaded(self, name: str) -> Model | None:
        """Return a published network if it is loaded, without a look at the disk."""
        loaded = self._loaded.get(name)
        return loaded.model if loaded is not None and name in published_names() else None

    def get_probe(self, name: str) -> tuple[Model, LayerProbe]:
        """Return the network, and a probe of its layers (errors as in `get`)."""
        loaded = self._load(name)
        if loaded.probe is None:
            try:
                content = read_regular(loaded.model.path)
            except OSError as error:
                raise ModelError(f"{name} cannot be read again", seen=error.strerror) from error
            loaded.probe = LayerProbe(content, InspectedModel(content))
        return loaded.model, loaded.probe

    def list_all(self) -> list[Network]:
        """Return all networks in a few words each; damaged runs are left out."""
        result: list[Network] = []
        for name in self.names():
            outcome = attempt(self._read_card, name, fatal=())
            if outcome.result is None:
                continue
            card, tells_no_digit = outcome.result
            size = (card.weights, card.multiply_adds, card.members)
            figures = (card.validation, card.test, card.trained_on)
            made = (card.data, card.created, card.threshold)
            about = (card.network, *size, tells_no_digit, *figures, *made)
            kind: Literal["published", "run"]
            kind = "published" if name in published_names() else "run"
            result.append(Network(name, kind, *about))
        return result

    def describe(self, name: str, member: int) -> NetworkDetails:
        """Return the card of a network, and the layers of one member of its file.

        Raises UnknownError: there is no such network, or no such member.
        """
        model, probe = self.get_probe(name)
        probe.get_layer(1, member)
        inspected = probe.inspected
        shape = [1, SIDE, SIDE]
        rows: list[Any] = []
        # The shapes of the maps are those that an empty picture gives.
        values = inspected.activations(np.zeros((1, SIDE, SIDE), np.uint8), member=member)
        for layer, maps in zip(inspected.list_layers(member), values, strict=True):
            after = list(maps.shape[1:])
            about = {"name": layer.name, "about": layer.about}
            rows.append(about | describe_layer(layer, shape, after))
            shape = after
        card, members = asdict(model.card), inspected.members
        return NetworkDetails(name, card, inspected.is_cascade, members, rows)

    def _read_card(self, name: str) -> tuple[ModelCard, bool]:
        """Return a network's card, and whether it can say "no digit" (errors as in `get`).

        Cards outlive their networks, so that a list of a hundred runs loads each of them once.
        """
        modified = self._read_modified(name)
        known = self._cards.get(name)
        if known is None or known[0] != modified:
            model = self.get(name)
            tells = model.predict(np.zeros((0, SIDE, SIDE), np.uint8)).no_digit is not None
            known = self._cards[name] = (modified, model.card, tells)
        return known[1:]

    def _load(self, name: str) -> LoadedNetwork:
        modified, path = self._read_modified(name), self._path(name)
        loaded = self._loaded.get(name)
        if loaded is None or loaded.modified != modified:
            # One thread: a lab answers several requests at a time, and may train meanwhile.
            loaded = LoadedNetwork(load_model(path, threads=1), modified)
            self._loaded.put(name, loaded)
        return loaded

    def _read_modified(self, name: str) -> int:
        try:
            return self._path(name).stat().st_mtime_ns
        except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
            raise _unknown_network(name) from error

    def _path(self, name: str) -> Path:
        """Return where the network's file must lie, inside the lab's folder or digitlens."""
        # A name comes from an address: no slash, no dots in front, no link that leads out.
        if not NAME.fullmatch(name):
            raise _unknown_network(name)
        if name in published_names():
            return PUBLISHED_FOLDER / f"{name}.onnx"
        path = self._runs / name / MODEL
        if not path.resolve().is_relative_to(self._runs.resolve()):  # a link that leads out
            raise _unknown_network(name)
        return path


def _unknown_network(name: str) -> UnknownError:
    near = suggest(name, published_names()) if len(name) <= 64 else None
    return UnknownError(
        f"there is no network called {name[:64]!r}",
        try_=f"{near!r}; /v1/networks lists all" if near else "/v1/networks lists all",
    )


def list_sources(user_digits: Path) -> dict[str, bool]:
    """Return the name of every data source, and whether it is on this machine."""
    available = {
        name: name not in PUBLISHED_NAMES or find_collection(PUBLISHED_NAMES[name]) is not None
        for name in SOURCES
    }
    return available | {USER_DIGITS: any(user_digits.glob("*/*.png"))}


def check_source(name: str, user_digits: Path) -> None:
    """Check that there is such a data source.

    Raises UsageError: there is none of that name; MissingDataError: its digits are not on this
    machine.
    """
    if name not in (*SOURCES, USER_DIGITS):
        raise UsageError(
            f"data must be one of: {', '.join((*SOURCES, USER_DIGITS))}", seen=name[:100]
        )
    # Never downloaded here: a request must not start a transfer of megabytes.
    if list_sources(user_digits)[name]:
        return
    if name == USER_DIGITS:
        raise MissingDataError(
            "no digits of your own are saved yet", try_="draw some and save them"
        )
    raise MissingDataError(
        f"{PUBLISHED_NAMES[name].title} is not on this machine",
        try_=f"digitlens data fetch {name}    downloads it, once\nuci    comes with digitlens",
    )


def list_runs(runs: Path) -> list[Run]:
    """Return each run folder in a few words, the newest first; damaged ones are left out."""

    def summarize(folder: Path) -> tuple[float, Run]:
        folder = find_run(runs, folder.name)
        return (folder / CONFIG).stat().st_mtime, _summarize_run(folder)

    outcomes = [attempt(summarize, path.parent, fatal=()) for path in runs.glob(f"*/{CONFIG}")]
    result = [outcome.result for outcome in outcomes if outcome.result is not None]
    return [run for _, run in sorted(result, key=lambda item: -item[0])]


def describe_run(runs: Path, name: str) -> RunDetails:
    """Return what is known of one run: its recipe, its history, and what that means.

    Raises UnknownError: there is no run of that name; RunError: its folder is damaged.
    """
    folder = find_run(runs, name)
    config, metrics = read_config(folder), read_metrics(folder)
    with _report_damage(folder):
        path = folder / HISTORY
        history = from_csv(read_regular(path, MAX_BYTES).decode()) if path.exists() else []
        # The diagnosis of a run needs the number of validation digits.
        n_validation = config.get("data", {}).get("counts", {}).get("held_back", 0)
        diagnosis = diagnose(history, n_validation) if history else None
        details = RunDetails(
            **vars(_summarize_run(folder)),
            config=config,
            history=history,
            words=None if diagnosis is None else diagnosis.words,
            verdict=None if diagnosis is None else diagnosis.verdict.value,
            metrics=metrics,
        )
        json.dumps(details, allow_nan=False, default=vars)  # TOML has dates and NaN, JSON not
    return details


@contextmanager
def _report_damage(folder: Path) -> Iterator[None]:
    """Turn whatever the content of a run folder does into `RunError`: it may hold anything."""
    try:
        yield
    except DigitlensError:
        raise
    except Exception as error:
        seen = f"{type(error).__name__}: {error}".splitlines()[0]
        raise RunError(f"the run {folder.name} is damaged", seen=seen[:200]) from error


_RUN = TypeAdapter(Run)


def _summarize_run(folder: Path) -> Run:
    config, metrics = read_config(folder), read_metrics(folder)
    run = config.get("run", {})
    values = {
        "name": folder.name,
        "network": run.get("network"),
        "seed": run.get("seed"),
        "epochs": config.get("recipe", {}).get("epochs"),
        "data": config.get("data", {}).get("source"),
        "created": config.get("created", {}).get("at"),
        "finished": metrics is not None,
        "validation": None if metrics is None else metrics.get("validation"),
    }
    with _report_damage(folder):
        return _RUN.validate_json(json.dumps(values, allow_nan=False), strict=True)


def find_run(runs: Path, name: str) -> Path:
    """Return the folder of a run; UnknownError where there is none of that name."""
    folder = runs / name
    exists = NAME.fullmatch(name) and (folder / CONFIG).is_file()
    if not exists or not folder.resolve().is_relative_to(runs.resolve()):
        raise UnknownError(f"there is no run called {name[:64]!r}", try_="/v1/runs lists all")
    return folder


def rename_run(runs: Path, name: str, new: str) -> None:
    """Call a run something else.

    Raises UnknownError: there is none; RunError: the name is taken, or another process writes
    into the run's folder; StorageError: the disk refuses.
    """
    folder = find_run(runs, name)
    if new in published_names() or (runs / new).exists():
        raise RunError(f"{new} is taken", seen="a network of that name", try_="another name")
    with _lock_run(folder), storage_errors(folder):
        folder.rename(runs / new)


def delete_run(runs: Path, name: str) -> None:
    """Remove a run and its network (errors as in `rename_run`)."""
    folder = find_run(runs, name)
    with _lock_run(folder), storage_errors(folder):
        # First what makes it a run: a kill in between leaves none that is half there.
        (folder / CONFIG).unlink()
        shutil.rmtree(folder)


def _lock_run(folder: Path) -> AbstractContextManager[bool]:
    """Keep other processes from training in a run's folder."""
    wanted = f"{folder.name} is being written"
    return lock_file(folder / LOCK, "the lab", wanted=wanted, try_="wait until it is done")
