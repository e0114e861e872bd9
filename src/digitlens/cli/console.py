"""What the commands share: where words go, options and their checks, missing extras."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import combinations
from typing import Annotated, Any, TextIO

import typer

from digitlens.errors import DigitlensError, MissingExtraError, UsageError, printable, suggest

SOME_REJECTED = 3  # the exit code of a command that finished, but had to reject some items


def echo(text: str = "", *, styled: bool = False, flush: bool = False) -> None:
    """Write a result, one line or several, to stdout; `styled` keeps our own colors."""
    sys.stdout.write((text if styled else printable(text, lines=True)).rstrip("\n") + "\n")
    if flush:  # somebody waits for the line
        sys.stdout.flush()


def json_line(value: Any) -> str:
    """Return `value` as JSON on one line; NaN is refused."""
    import json

    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def echo_json(value: Any, *, tall: bool = True) -> None:
    """Write `value` to stdout as JSON, keys in the order given; NaN is refused.

    Unless it is `tall`, a dictionary's values stand in a line each, as long as it may be.
    """
    import json

    if tall:
        echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
        return
    dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
    lines = ",\n".join(f"  {dumps(key)}: {dumps(item)}" for key, item in value.items())
    echo("{\n" + lines + "\n}")


def echo_either(as_json: bool, value: Callable[[], Any], text: Callable[[], str]) -> None:
    """Write a result as JSON or as text, as it was asked for."""
    if as_json:
        echo_json(value())
    else:
        echo(text())


def announce(text: str = "", *, styled: bool = False) -> None:
    """Write a message to stderr, at once; see `echo`."""
    sys.stderr.write((text if styled else printable(text, lines=True)).rstrip("\n") + "\n")
    sys.stderr.flush()


def announce_rejected(name: str, error: DigitlensError | str) -> None:
    """Say of an item why it cannot be used; its name comes first, unless the error has it."""
    text = str(error)
    has_name = printable(name) in text.splitlines()[0]
    announce(f"rejected: {text}" if has_name else f"rejected: {printable(name)}: {text}")


def columns() -> int:
    """Return how many columns text is set in: those of the terminal, but no more than 100."""
    return min(100, shutil.get_terminal_size().columns)


def is_live(stream: TextIO) -> bool:
    """Say whether `stream` is a terminal on which a line can be drawn again."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def has_color(stream: TextIO) -> bool:
    """Say whether `stream` may be given color: a terminal, and ``NO_COLOR`` not set."""
    return is_live(stream) and not os.environ.get("NO_COLOR")


def bold(text: str, stream: TextIO) -> str:
    """Return `text` in bold where `stream` shows it, else as it is."""
    return f"\x1b[1m{text}\x1b[0m" if has_color(stream) else text


def option(metavar: str, text: str, *names: str, **rules: Any) -> Any:
    """Return a typer option with a value; without `names` it is called as its parameter."""
    return typer.Option(*names, metavar=metavar, help=text, **rules)


def flag(name: str, text: str) -> Any:
    """Return a typer option without a value."""
    return typer.Option(name, help=text)


def argument(metavar: str, text: str, names: Callable[[], Iterable[str]] | None = None) -> Any:
    """Return a typer argument; a shell that completes it offers `names`, then files."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names() if name.startswith(incomplete)] if names else []

    return typer.Argument(metavar=metavar, help=text, autocompletion=complete)


def list_sources() -> Iterable[str]:
    """Return the names of the sources of digits."""
    from digitlens.data.load import NAMES

    return NAMES


def list_networks() -> Iterable[str]:
    """Return the names of what can be trained."""
    from digitlens.models.recipe import READERS
    from digitlens.models.registry import CUSTOM, NETWORKS

    return (*NETWORKS, CUSTOM.name, *READERS)


def list_published() -> Iterable[str]:
    """Return the names of the networks and the reader that come with digitlens."""
    from digitlens.models.inference import published_names
    from digitlens.models.recipe import READERS

    return (*published_names(), next(iter(READERS)))


SOURCE_HELP = "mnist, pen, fonts, world, uci, fashion, a file or a folder."
SourceOption = Annotated[str, option("SOURCE", SOURCE_HELP)]
TrainSourceOption = Annotated[
    str | None, option("SOURCE", f"{SOURCE_HELP} Else world for universal, and mnist.")
]
SourceArgument = Annotated[str, argument("SOURCE", SOURCE_HELP, list_sources)]
PartOption = Annotated[str, option("PART", "test, validation, train or all.")]
MODEL_HELP = "A published network such as universal, a run folder or an .onnx file."
ModelArgument = Annotated[str, argument("MODEL", MODEL_HELP, list_published)]
JsonOption = Annotated[bool, flag("--json", "Print JSON.")]
RecursiveOption = Annotated[
    bool, typer.Option("--recursive", help="Look into folders in folders too.")
]
CsvOption = Annotated[bool, flag("--csv", "Print CSV.")]
JsonlOption = Annotated[
    bool, flag("--jsonl", "Print a line of JSON for each picture or page, as it comes.")
]
WorkersOption = Annotated[int | None, option("N", "Processes at most; else one a core.")]
ForceOption = Annotated[bool, flag("--force", "Replace FILE.")]
StoreOption = Annotated[
    str | None,
    option("ADDRESS", "postgresql://... that keeps the state; else a file in the trays."),
]


def find_store(address: str | None) -> str | None:
    """Return the address of a store; `DIGITLENS_STORE` where the command names none."""
    # A password in a command is in the list of processes; in the environment it is not.
    return address or os.environ.get("DIGITLENS_STORE") or None


def check_choice(option: str, value: str, allowed: Iterable[str]) -> None:
    """Raise `UsageError` unless `value` is one of those allowed; the nearest is offered."""
    known = list(allowed)
    if value in known:
        return
    meant = suggest(value, known)
    raise UsageError(
        f"{option} must be one of: {', '.join(known)}",
        seen=f"{option} {value}",
        try_=f"{option} {meant}" if meant else None,
    )


def check_positive(option: str, value: int | None) -> None:
    """Raise `UsageError` when a number was given that is below 1."""
    if value is not None and value < 1:
        raise UsageError(f"{option} must be 1 or more", seen=f"{option} {value}")


def check_exclusive(*pairs: tuple[str, object, str, object]) -> None:
    """Raise `UsageError` when both options of a pair (name, value, name, value) are given."""
    for first, first_value, second, second_value in pairs:
        if first_value and second_value:
            raise UsageError(f"{first} and {second} exclude each other")


def exclude_forms(
    as_json: bool, as_csv: bool, jsonl: bool
) -> Iterator[tuple[str, bool, str, bool]]:
    """Yield each pair of forms of results, for `check_exclusive`."""
    forms = (("--json", as_json), ("--csv", as_csv), ("--jsonl", jsonl))
    return (first + second for first, second in combinations(forms, 2))


EXTRA_MODULES = {
    "train": ("torch", "onnx", "safetensors", "matplotlib", "tomli_w"),
    "lab": ("fastapi", "starlette", "pydantic", "uvicorn", "python_multipart"),
}


def check_extra(extra: str) -> None:
    """Raise `MissingExtraError` unless the extra is installed; nothing of it is loaded."""
    from importlib.util import find_spec

    with needs_extra(extra):
        for module in EXTRA_MODULES[extra]:
            if find_spec(module) is None:
                raise ModuleNotFoundError(name=module)


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Turn a failing import from an extra into an error that says how to install it."""
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").split(".")[0]
        if module not in EXTRA_MODULES[extra]:
            raise
        raise MissingExtraError.of("this command wants", module, extra) from error
