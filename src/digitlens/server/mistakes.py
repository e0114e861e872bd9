"""A network on a set of digits: its confusion matrix, and the pictures behind each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.data import load_digits
from digitlens.data.load import read_source
from digitlens.data.split import join
from digitlens.errors import UsageError
from digitlens.metrics.evaluation import evaluate
from digitlens.server.answers import png_data_url
from digitlens.server.cache import LruCache
from digitlens.server.networks import USER_DIGITS, check_source

if TYPE_CHECKING:
    from digitlens.data.split import DataSplits
    from digitlens.digits import Digits
    from digitlens.metrics.evaluation import Evaluation
    from digitlens.models.inference import Model
    from digitlens.server.networks import NetworkStore
    from digitlens.server.schemas import CellPictures, Measured
    from digitlens.server.settings import ServerSettings


PARTS = ("test", "validation", "train")
# Evaluations that are kept; each holds 10 probabilities for every digit.
MAX_EVALUATIONS = 8
# Sets of digits that are kept: MNIST is 47 MB.
MAX_SOURCES = 3


class Mistakes:
    """Evaluates networks when asked to, and keeps the last few results."""

    def __init__(self, networks: NetworkStore, settings: ServerSettings) -> None:
        self._networks = networks
        self._settings = settings
        self._sources: LruCache[str, DataSplits] = LruCache(MAX_SOURCES)
        self._evaluations: LruCache[tuple[str, str, str], tuple[Model, Evaluation]] = LruCache(
            MAX_EVALUATIONS
        )

    def evaluate(self, network: str, data: str, part: str) -> Evaluation:
        """Return the evaluation of a network on a part of a data source.

        Raises UnknownError: no such network; UsageError: no such data, or no such part of it;
        MissingDataError, DataError: the data are not here, or hold no digits.
        """
        # load digits and network -> reuse a known result -> evaluate
        digits = self._digits(data, part)
        model, key = self._networks.get(network), (network, data, part)
        known = self._evaluations.get(key)
        # Both may have been loaded anew since, from a file that changed.
        if known is not None and known[0] is model and known[1].digits is digits:
            return known[1]
        result = evaluate(model, digits, name=network)
        self._evaluations.put(key, (model, result))
        return result

    def _digits(self, data: str, part: str) -> Digits:
        if part not in PARTS:
            raise UsageError(f"part must be one of: {', '.join(PARTS)}", seen=part[:100])
        source = self._sources.get(data)
        if source is None:
            check_source(data, self._settings.user_digits)
            if data == USER_DIGITS:  # they change: read anew each time, and all of them
                return join([read_source(self._settings.user_digits).train], source=data)
            source = load_digits(data)
            self._sources.put(data, source)
        return source.part(part)


def summarize(result: Evaluation) -> Measured:
    """Return the figures and the confusion matrix; the pictures are asked for cell by cell."""
    figures = result.as_dict()
    return {
        "model": figures["model"],
        "source": figures["source"],
        "count": figures["count"],
        "misses": figures["misses"],
        "accuracy": figures["accuracy"],
        "interval": figures["interval"],
        "decisions": figures["decisions"],
        "per_class": figures["per_class"],
        "confusion": figures["confusion"],
        "words": result.summary(),
    }


def list_pictures(
    result: Evaluation, truth: int, answer: int, *, first: int, count: int
) -> CellPictures:
    """Return at most `count` pictures of one cell from `first` on, the surest first."""
    # The surest mistakes first: they are the most instructive.
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
