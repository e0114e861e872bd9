"""The networks a lab can ask: the published ones, and those trained in its folder.

* The digits that a lab trains with and measures on, and which of them are on this machine.
* What run folders say: how a network was trained, and how that went.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.data.catalog import is_available
from digitlens.data.load import NAMES, PUBLISHED_NAMES
from digitlens.digits import SIDE
from digitlens.errors import MissingDataError, ModelError, RunError, UsageError
from digitlens.explain.inspection import InspectedModel
from digitlens.metrics.diagnosis import diagnose
from digitlens.metrics.history import from_csv
from digitlens.models.inference import PUBLISHED_FOLDER, Model, load_model, published_names
from digitlens.runs import CONFIG, HISTORY, METRICS, MODEL, read_config
from digitlens.server.http_errors import UnknownError
from digitlens.server.probe import LayerProbe
from digitlens.suggest import suggest

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.metrics.history import Epoch
    from digitlens.models.card import ModelCard


NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a network may be called in an address; no other name is looked for."""

KEPT = 12
"""Networks that are kept loaded: the largest holds 25 MB."""


@dataclass
class LoadedNetwork:
    """A network in memory; `stamp` tells whether its file has changed since."""

    model: Model
    stamp: int
    taps: LayerProbe | None = None


class NetworkStore:
    """The networks of one lab, loaded when they are asked for, the last few kept.

    Parameters
    ----------
    runs
        Where the lab's run folders lie.
    """

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._kept: OrderedDict[str, LoadedNetwork] = OrderedDict()
        self._cards: dict[str, tuple[int, ModelCard, bool]] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Return what can be asked: the published networks, then runs, the newest first."""
        return [*published_names(), *self.finished()]

    def finished(self) -> list[str]:
        """Return the names of the finished runs in the lab's folder, the newest first."""
        done = {
            path.parent.name: (path.parent / MODEL).stat().st_mtime
            for path in self._runs.glob(f"*/{METRICS}")
            if NAME.fullmatch(path.parent.name) and self._path(path.parent.name).is_file()
        }
        return sorted(done, key=lambda name: -done[name])

    def get(self, name: str) -> Model:
        """Return the network of that name.

        Raises
        ------
        UnknownError
            There is none; the nearest name is offered.
        ModelError
            Its file is damaged.
        """
        return self._loaded(name).model

    def ready(self, name: str) -> Model | None:
        """Return the network when it is loaded and belongs to digitlens; it costs nothing."""
        kept = self._kept.get(name)
        return kept.model if kept is not None and name in published_names() else None

    def card(self, name: str) -> tuple[ModelCard, bool]:
        """Return a network's card, and whether it has an answer to "no digit at all".

        Cards are kept after their networks are let go, so that a list of a hundred runs loads
        each of them once (errors as in `get`).
        """
        stamp = self._stamp(name)
        kept = self._cards.get(name)
        if kept is None or kept[0] != stamp:
            model = self.get(name)
            tells = model.predict(np.zeros((0, SIDE, SIDE), np.uint8)).no_digit is not None
            kept = self._cards[name] = (stamp, model.card, tells)
        return kept[1:]

    def taps(self, name: str) -> tuple[Model, LayerProbe]:
        """Return the network, and a look into it (errors as in `get`)."""
        kept = self._loaded(name)
        if kept.taps is None:
            try:
                content = kept.model.path.read_bytes()
            except OSError as error:
                raise ModelError(f"{name} cannot be read again", seen=error.strerror) from error
            kept.taps = LayerProbe(content, InspectedModel(content))
        return kept.model, kept.taps

    def _loaded(self, name: str) -> LoadedNetwork:
        path, stamp = self._path(name), self._stamp(name)
        with self._lock:
            kept = self._kept.get(name)
            if kept is not None and kept.stamp == stamp:
                self._kept.move_to_end(name)
                return kept
        # One thread: a lab answers many at a time, and trains beside it.
        result = LoadedNetwork(load_model(path, threads=1), stamp)
        with self._lock:
            self._kept[name] = result
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return result

    def _stamp(self, name: str) -> int:
        try:
            return self._path(name).stat().st_mtime_ns
        except OSError as error:
            raise self._unknown(name) from error

    def _path(self, name: str) -> Path:
        """Return where the network's file must lie, inside the lab's folder or digitlens."""
        if not NAME.fullmatch(name):
            raise self._unknown(name)
        if name in published_names():
            return PUBLISHED_FOLDER / f"{name}.onnx"
        path = self._runs / name / MODEL
        if not path.resolve().is_relative_to(self._runs.resolve()):  # a link that leads out
            raise self._unknown(name)
        return path

    def _unknown(self, name: str) -> UnknownError:
        near = suggest(name, published_names()) if len(name) <= 64 else None
        return UnknownError(
            f"there is no network called {name[:64]!r}",
            try_=f"{near!r}; /v1/networks lists all" if near else "/v1/networks lists all",
        )


OWN = "own"
"""What the lab's own digits are called where a source is named."""


def sources(own: Path) -> dict[str, bool]:
    """Return every source by its name, and whether it is on this machine.

    Parameters
    ----------
    own
        The folder of the lab's own digits; they are there once one is saved.
    """
    here = {
        name: name not in PUBLISHED_NAMES or is_available(PUBLISHED_NAMES[name])
        for name in NAMES
    }
    return here | {OWN: any(own.glob("*/*.png"))}


def check_source(name: str, own: Path) -> None:
    """See that a source has that name, and that its digits are on this machine.

    Raises
    ------
    UsageError
        There is no such source.
    MissingDataError
        Its digits are not here.
    """
    if name not in (*NAMES, OWN):
        raise UsageError(f"data must be one of: {', '.join((*NAMES, OWN))}", seen=name[:100])
    if sources(own)[name]:
        return
    if name == OWN:
        raise MissingDataError(
            "no digits of your own are saved yet", try_="draw some and save them"
        )
    raise MissingDataError(
        f"{PUBLISHED_NAMES[name].title} is not on this machine",
        try_=f"digitlens data fetch {name}    downloads it, once\nuci    comes with digitlens",
    )


def list_runs(runs: Path) -> list[dict[str, Any]]:
    """Return a few words on each run folder, the newest first; damaged ones are passed over."""
    folders = [path.parent for path in runs.glob(f"*/{CONFIG}")]
    dated = sorted(folders, key=lambda path: -(path / CONFIG).stat().st_mtime)
    result = []
    for folder in dated:
        try:
            result.append(_brief(_inside(runs, folder.name)))
        except (RunError, UnknownError):
            continue
    return result


def describe_run(runs: Path, name: str) -> dict[str, Any]:
    """Return all that is known of one run: its recipe, its history, the same in words.

    Raises
    ------
    UnknownError
        There is no run of that name.
    RunError
        Its folder is damaged.
    """
    folder = _inside(runs, name)
    history = _history(folder)
    held = read_config(folder).get("data", {}).get("counts", {}).get("held_back", 0)
    told = diagnose(history, held) if history else None
    return _brief(folder) | {
        "config": read_config(folder),
        "history": [asdict(epoch) for epoch in history],
        "words": None if told is None else told.words,
        "verdict": None if told is None else told.verdict.value,
        "metrics": _metrics(folder),
    }


def _brief(folder: Path) -> dict[str, Any]:
    config, metrics = read_config(folder), _metrics(folder)
    run = config.get("run", {})
    return {
        "name": folder.name,
        "network": run.get("network"),
        "seed": run.get("seed"),
        "epochs": config.get("recipe", {}).get("epochs"),
        "data": config.get("data", {}).get("source"),
        "created": config.get("created", {}).get("at"),
        "finished": metrics is not None,
        "validation": None if metrics is None else metrics.get("validation"),
    }


def _inside(runs: Path, name: str) -> Path:
    folder = runs / name
    known = NAME.fullmatch(name) and (folder / CONFIG).is_file()
    if not known or not folder.resolve().is_relative_to(runs.resolve()):
        raise UnknownError(f"there is no run called {name[:64]!r}", try_="/v1/runs lists all")
    return folder


def _history(folder: Path) -> list[Epoch]:
    try:
        return from_csv((folder / HISTORY).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"the history of {folder.name} cannot be read") from error


def _metrics(folder: Path) -> dict[str, Any] | None:
    try:
        result = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RunError(f"the metrics of {folder.name} cannot be read") from error
    return result if isinstance(result, dict) else None
