"""A missing extra, said as an error of ours."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from digitlens.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

TRAIN = ("torch", "onnx", "safetensors", "matplotlib", "tomli_w")


def check_train() -> None:
    """See that the extra ``train`` is installed, without loading any of it.

    Raises
    ------
    MissingExtraError
        It is not.
    """
    from importlib.util import find_spec

    with wants_train():
        for package in TRAIN:
            if find_spec(package) is None:
                raise ModuleNotFoundError(name=package)


@contextmanager
def wants_train() -> Iterator[None]:
    """Turn a missing package of the extra ``train`` into an error that says how to get it.

    Raises
    ------
    MissingExtraError
        A package of the extra could not be imported within.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package not in TRAIN:
            raise
        raise MissingExtraError(
            "this command wants the extra 'train'",
            seen=f"{package} is not installed",
            try_='pip install "digitlens[train]"',
        ) from error
