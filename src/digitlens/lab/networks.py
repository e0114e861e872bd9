"""The networks a lab can ask: the published ones, and those trained in its folder."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import SIDE
from digitlens.errors import ModelError
from digitlens.inside import Inside
from digitlens.lab.refusals import UnknownError
from digitlens.lab.taps import Taps
from digitlens.model import PUBLISHED, Model, load_model, published_names
from digitlens.nearest import nearest
from digitlens.training.folder import METRICS, MODEL

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.card import Card

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a network may be called in an address; no other name is looked for."""

KEPT = 12
"""Networks that are kept loaded: the largest holds 25 MB."""


@dataclass
class Loaded:
    """A network in memory; `stamp` tells whether its file has changed since."""

    model: Model
    stamp: int
    taps: Taps | None = None


class Networks:
    """The networks of one lab, loaded when they are asked for, the last few kept.

    Parameters
    ----------
    runs
        Where the lab's run folders lie.
    """

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._kept: OrderedDict[str, Loaded] = OrderedDict()
        self._cards: dict[str, tuple[int, Card, bool]] = {}
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

    def card(self, name: str) -> tuple[Card, bool]:
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

    def taps(self, name: str) -> tuple[Model, Taps]:
        """Return the network, and a look into it (errors as in `get`)."""
        kept = self._loaded(name)
        if kept.taps is None:
            try:
                content = kept.model.path.read_bytes()
            except OSError as error:
                raise ModelError(f"{name} cannot be read again", seen=error.strerror) from error
            kept.taps = Taps(content, Inside(content))
        return kept.model, kept.taps

    def _loaded(self, name: str) -> Loaded:
        path, stamp = self._path(name), self._stamp(name)
        with self._lock:
            kept = self._kept.get(name)
            if kept is not None and kept.stamp == stamp:
                self._kept.move_to_end(name)
                return kept
        # One thread: a lab answers many at a time, and trains beside it.
        found = Loaded(load_model(path, threads=1), stamp)
        with self._lock:
            self._kept[name] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

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
            return PUBLISHED / f"{name}.onnx"
        path = self._runs / name / MODEL
        if not path.resolve().is_relative_to(self._runs.resolve()):  # a link that leads out
            raise self._unknown(name)
        return path

    def _unknown(self, name: str) -> UnknownError:
        near = nearest(name, published_names()) if len(name) <= 64 else None
        return UnknownError(
            f"there is no network called {name[:64]!r}",
            try_=f"{near!r}; /v1/networks lists all" if near else "/v1/networks lists all",
        )
