"""Which model a command works with, when none is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.cli.output import tell
from digitlens.errors import ModelError

if TYPE_CHECKING:
    from digitlens.model import Model


def model_or_newest(name: str | None) -> Model:
    """Return the model called `name`, or that of the newest finished run, said on stderr.

    Raises
    ------
    ModelError
        No name, and no run; or a model that cannot be read.
    """
    from digitlens.model import load_model

    if name is not None:
        return load_model(name)
    from digitlens.training.folder import RUNS, newest_finished

    folder = newest_finished()
    if folder is None:
        raise ModelError(
            "no --model is named, and there is no finished run to take one from",
            seen=f"no finished run in {RUNS}",
            try_="digitlens train quick",
        )
    tell(f"model: {folder}, the newest finished run")
    return load_model(folder)
