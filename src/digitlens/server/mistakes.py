"""A network on a set of digits: its confusion matrix, and the pictures behind each cell."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.data import load_digits
from digitlens.data.load import read_source
from digitlens.data.types import join
from digitlens.errors import UsageError
from digitlens.metrics.evaluation import evaluate
from digitlens.server.answers import png_data_url
from digitlens.server.networks import OWN, check_source

if TYPE_CHECKING:
    from digitlens.digits import Digits
    from digitlens.metrics.evaluation import Evaluation
    from digitlens.models.inference import Model
    from digitlens.server.networks import NetworkStore
    from digitlens.server.settings import ServerSettings


PARTS = ("test", "validation", "train")
KEPT = 8
"""Measurements that are kept; each holds 10 probabilities for every digit."""

SOURCES = 3
"""Sets of digits that are kept: MNIST is 47 MB."""


class Mistakes:
    """What networks get wrong; measured when asked for, the last few kept.

    Parameters
    ----------
    networks
        Who is measured.
    settings
        Where own digits lie.
    """

    def __init__(self, networks: NetworkStore, settings: ServerSettings) -> None:
        self._networks = networks
        self._settings = settings
        self._sources: OrderedDict[str, Any] = OrderedDict()
        self._kept: OrderedDict[tuple[str, str, str], tuple[Model, Evaluation]] = OrderedDict()
        self._lock = threading.Lock()

    def measured(self, network: str, data: str, part: str) -> Evaluation:
        """Return what was counted about a network on a part of a source.

        Raises
        ------
        UnknownError
            No such network.
        UsageError
            No such data, or no such part of it.
        MissingDataError, DataError
            The data are not there, or hold no digits.
        """
        digits = self.digits(data, part)
        model, key = self._networks.get(network), (network, data, part)
        with self._lock:
            found = self._kept.get(key)
            if found is not None and found[0] is model and found[1].digits is digits:
                self._kept.move_to_end(key)
                return found[1]
        result = evaluate(model, digits, name=network)
        with self._lock:
            self._kept[key] = (model, result)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return result

    def digits(self, data: str, part: str) -> Digits:
        """Return a part of a source (errors as in `measured`)."""
        if part not in PARTS:
            raise UsageError(f"part must be one of: {', '.join(PARTS)}", seen=part[:100])
        if data == OWN:
            return self._own_digits()
        with self._lock:
            if data not in self._sources:
                check_source(data, self._settings.own)
                self._sources[data] = load_digits(data)
                while len(self._sources) > SOURCES:
                    self._sources.popitem(last=False)
            result: Digits = self._sources[data].part(part)
        return result

    def _own_digits(self) -> Digits:
        """Return all digits that were saved; they change, so they are read anew each time."""
        check_source(OWN, self._settings.own)
        parts = read_source(self._settings.own)
        return join([parts.train], source=OWN)


def summary(result: Evaluation) -> dict[str, Any]:
    """Return the figures and the confusion matrix, for JSON; the pictures come by cell."""
    whole = result.as_dict()
    wanted = ("model", "source", "count", "misses", "accuracy", "interval", "per_class")
    return {name: whole[name] for name in wanted} | {
        "confusion": whole["confusion"],
        "words": result.summary(),
    }


def cell(
    result: Evaluation, truth: int, answer: int, *, first: int, count: int
) -> dict[str, Any]:
    """Return the pictures of one cell of the confusion matrix, the surest first.

    Parameters
    ----------
    truth, answer
        What they are, and what was answered.
    first, count
        Which of them: at most `count`, from the one at `first` on.
    """
    index = np.flatnonzero((result.digits.labels == truth) & (result.predicted == answer))
    order = index[np.argsort(-result.confidence[index], kind="stable")]
    return {
        "truth": truth,
        "answer": answer,
        "count": len(order),
        "pictures": [
            {
                "index": int(item),
                "confidence": round(float(result.confidence[item]), 6),
                "picture": png_data_url(result.digits.images[item]),
            }
            for item in order[first : first + count]
        ],
    }
