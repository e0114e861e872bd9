"""One training run, from digits to a run folder: `train`."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from digitlens.data import Data, load_digits
from digitlens.errors import MissingExtraError
from digitlens.networks.table import find
from digitlens.run.result import Run
from digitlens.run.wish import Wish, resumed
from digitlens.training.config import Silent, check_epochs, check_seed

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.networks.recipe import Recipe
    from digitlens.training.config import Progress

__all__ = ["Run", "train"]


def train(
    network: str,
    data: Data | str | Path | None = None,
    *,
    validation: float = 0.1,
    limit: int | None = None,
    seed: int = 0,
    epochs: int | None = None,
    recipe: Recipe | None = None,
    out: Path | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Train a network by its recipe and keep everything in a run folder.

    The same seed gives the same weights again on the same machine, with the same versions and
    the same number of threads. Another processor, another torch or another number of threads
    adds in another order and ends at other, equally good weights: that is not promised.

    Parameters
    ----------
    network
        A name of `digitlens.networks.NETWORKS`.
    data
        Digits, or a source for `load_digits`; MNIST when None.
    validation, limit
        For `load_digits`, when `data` is a source.
    seed
        Decides first weights, order and augmentation.
    epochs
        Instead of the recipe's; the learning rate's rise and fall is stretched to them.
    recipe
        Instead of the network's own.
    out
        The run folder; ``runs/train/<network>-<n>`` when None.
    resume
        Go on with the run in `out`, or with the newest unfinished one of `network`. Everything
        else is taken from its config.toml (pass `data` again if it was passed as `Data`).
    progress
        Who is told how it goes; called in this thread.

    Raises
    ------
    UsageError
        An unknown network, no epochs, a seed that is none.
    DataError
        The data cannot be used.
    DivergedError
        The loss became infinite or not a number.
    StoppedError
        Ctrl-C or SIGTERM; the run can be gone on with.
    RunError
        `out` is taken, or there is nothing to go on with.
    StorageError
        The disk is full or cannot be written; the last checkpoint is whole.

    Examples
    --------
    >>> run = train("dense", "mnist", seed=0)  # doctest: +SKIP
    >>> run.history[-1].validation_accuracy  # doctest: +SKIP
    0.981
    """
    find(network)
    source: Data | str | Path = "mnist" if data is None else data
    wish = Wish(
        network=network,
        seed=check_seed(seed),
        epochs=None if epochs is None else check_epochs(epochs),
        recipe=recipe,
        source=source.source if isinstance(source, Data) else str(source),
        validation=validation,
        limit=limit,
        out=out,
    )
    if resume:
        wish = resumed(wish)
        if not isinstance(source, Data):
            source = wish.source
    loader = _Loader(source, wish)
    _wait_briefly()
    try:
        from digitlens.run.session import carry_out
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "training needs torch, onnx, safetensors and matplotlib",
            seen=str(error),
            try_="pip install 'digitlens[train]'",
        ) from error
    return carry_out(wish, loader.result(), progress or Silent())


def _wait_briefly() -> None:
    """Let torch's threads spin for a millisecond when they wait, not for twelve; then sleep.

    A thread that waits for another one that the system has put aside burns the very time
    that the other needs. Beside one busy process, on two cores, this halved the time of an
    epoch of cnn (12 s instead of 25; alone it takes 2.1 s either way). It must be said before
    torch is imported; whoever has set it keeps it.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")


class _Loader:
    """Digits being loaded while torch is imported: together the longest part of a short run."""

    def __init__(self, source: Data | str | Path, wish: Wish) -> None:
        self._data: Data | None = source if isinstance(source, Data) else None
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        if self._data is None:
            self._thread = threading.Thread(target=self._load, args=(source, wish), daemon=True)
            self._thread.start()

    def _load(self, source: str | Path, wish: Wish) -> None:
        try:
            self._data = load_digits(source, validation=wish.validation, limit=wish.limit)
        except BaseException as error:  # handed to the thread that waits
            self._error = error

    def result(self) -> Data:
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._data is not None
        return self._data
