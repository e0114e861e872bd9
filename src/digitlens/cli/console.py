"""Where words go: results to stdout, progress and messages to stderr.

* Options that several commands share, and the check of a value from a list.
* A missing extra, said as an error of ours.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitlens.errors import MissingExtraError, UsageError
from digitlens.suggest import suggest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO


def echo(text: str = "") -> None:
    """Write a result: one line, or several, to stdout."""
    sys.stdout.write(text.rstrip("\n") + "\n")


def echo_json(value: Any) -> None:
    """Write `value` to stdout as JSON, keys in the order given; no NaN gets through."""
    import json

    echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def announce(text: str = "") -> None:
    """Write a message to stderr, at once."""
    sys.stderr.write(text.rstrip("\n") + "\n")
    sys.stderr.flush()


def is_live(stream: TextIO) -> bool:
    """Say whether `stream` is a terminal on which a line can be drawn again."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def has_colour(stream: TextIO) -> bool:
    """Say whether `stream` may be given colour: a terminal, and ``NO_COLOR`` not set."""
    return is_live(stream) and not os.environ.get("NO_COLOR")


def bold(text: str, stream: TextIO) -> str:
    """Return `text` in bold where `stream` shows it, else as it is."""
    return f"\x1b[1m{text}\x1b[0m" if has_colour(stream) else text


SourceOption = Annotated[
    str, typer.Option(metavar="SOURCE", help="mnist, uci, fashion, a file or a folder.")
]
PartOption = Annotated[
    str, typer.Option(metavar="PART", help="test, validation, train or all.")
]
MODEL_HELP = "A published network such as cnn, a run folder or an .onnx file."
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help=MODEL_HELP)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def one_of(option: str, value: str, allowed: Iterable[str]) -> str:
    """Return `value` when it is among the `allowed` values of `option`.

    Raises
    ------
    UsageError
        It is not; the nearest is offered.

    Examples
    --------
    >>> one_of("--part", "test", ["test", "train"])
    'test'
    """
    known = list(allowed)
    if value in known:
        return value
    meant = suggest(value, known)
    raise UsageError(
        f"{option} must be one of: {', '.join(known)}",
        seen=f"{option} {value}",
        try_=f"{option} {meant}" if meant else None,
    )


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
