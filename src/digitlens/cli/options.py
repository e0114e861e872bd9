"""Options that several commands share, and the check of a value from a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from digitlens.errors import UsageError
from digitlens.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    meant = nearest(value, known)
    raise UsageError(
        f"{option} must be one of: {', '.join(known)}",
        seen=f"{option} {value}",
        try_=f"{option} {meant}" if meant else None,
    )
