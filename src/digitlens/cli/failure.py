"""What the command says, and with which code it exits, when something goes wrong."""

from __future__ import annotations

import os
import sys
from typing import Any

from digitlens.errors import DigitlensError, StoppedError, UsageError

INTERRUPTED = 130
"""The shell's code for a process that Ctrl-C ended: 128 + SIGINT."""


def describe(error: BaseException, arguments: list[str]) -> tuple[str, int]:
    """Return the lines for stderr and the exit code for `error`.

    Parameters
    ----------
    arguments
        The command line without ``--debug``, named where trying it again helps.

    Examples
    --------
    >>> print(*describe(UsageError("--epochs is 0"), []), sep="; ")
    error: --epochs is 0; 2
    >>> lines, code = describe(ValueError("no such thing"), ["doctor"])
    >>> print(lines)
    error: ValueError: no such thing
      likely  a fault in digitlens itself
      try     digitlens --debug doctor    shows where
    """
    if isinstance(error, StoppedError):
        return str(error), error.exit_code
    if isinstance(error, DigitlensError):
        return f"error: {error}", error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return "stopped", INTERRUPTED
    if _is_usage(error):
        return f"error: {_from_typer(error)}", UsageError.exit_code
    words = str(error).strip().splitlines()
    unexpected = DigitlensError(
        f"{type(error).__name__}: {words[0] if words else 'no message'}",
        likely="a fault in digitlens itself",
        try_=f"digitlens --debug {_quote(arguments)}    shows where",
    )
    return f"error: {unexpected}", unexpected.exit_code


def silence_stdout() -> None:
    """Send what is left for stdout nowhere: its reader has gone, as after ``| head``."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _is_usage(error: BaseException) -> bool:
    # typer carries click inside it or beside it, as its version has it: what its usage
    # errors have in common is this method.
    return hasattr(error, "format_message")


def _from_typer(error: Any) -> UsageError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "digitlens"
    message = " ".join(error.format_message().split()).rstrip(".")
    return UsageError(message[:1].lower() + message[1:], try_=f"{path} --help")


def _quote(arguments: list[str]) -> str:
    import shlex

    return shlex.join(arguments)
