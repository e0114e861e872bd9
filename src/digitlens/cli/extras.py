"""A missing extra, said as an error of ours."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from digitlens.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

TRAIN = ("torch", "onnx", "safetensors", "matplotlib", "tomli_w")
LAB = ("fastapi", "starlette", "pydantic", "uvicorn", "python_multipart")


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
    with _wants("train", TRAIN):
        yield


@contextmanager
def wants_lab() -> Iterator[None]:
    """Do for the extra ``lab`` what `wants_train` does for ``train``."""
    with _wants("lab", LAB):
        yield


@contextmanager
def _wants(extra: str, packages: tuple[str, ...]) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package not in packages:
            raise
        raise MissingExtraError(
            f"this command wants the extra '{extra}'",
            seen=f"{package} is not installed",
            try_=f'pip install "digitlens[{extra}]"',
        ) from error
