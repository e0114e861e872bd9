"""Commands as digitlens has them: their help texts, mistyped names, and what failures say.

Help texts are laid out here, for typer's own change from version to version.
"""

from __future__ import annotations

import errno
import inspect
import os
import re
import shlex
import shutil
import sys
import textwrap
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup

from digitlens.errors import DigitlensError, StoppedError, StorageError, UsageError, suggest

MAX_WIDTH = 80


class Command(TyperCommand):
    """A command whose help text is `help_text`."""

    def get_help(self, ctx: Any) -> str:
        """Return the help text at the terminal's width."""
        return help_text(self, ctx.command_path)


def help_text(command: Any, words: str, *, width: int | None = None) -> str:
    """Return the help text of `command`, which is called by `words`.

    Its usage, its docstring, its arguments, its options with their defaults, and, of a group,
    its commands; as wide as the terminal by default, and at most 80 columns.
    """
    width = width or min(MAX_WIDTH, shutil.get_terminal_size().columns)
    arguments = [item for item in command.params if item.param_type_name == "argument"]
    options = [item for item in command.params if item.param_type_name == "option"]
    names = command.list_commands(None) if hasattr(command, "commands") else ()
    below = [(name, command.commands[name]) for name in names]
    usage = [words, *(item.metavar for item in arguments), "[OPTIONS]"]
    if below:
        usage = [words, "[OPTIONS]", "COMMAND ..."]
    rows = [
        [(item.metavar, item.help or "") for item in arguments],
        [*map(_describe_option, options), ("-h, --help", "Show this text.")],
        [(name, _read_help(item).split("\n\n")[0]) for name, item in below],
    ]
    left = max(len(name) for part in rows for name, _ in part) + 2
    parts = ["usage: " + " ".join(usage)]
    parts += [
        textwrap.fill(paragraph, width) for paragraph in _read_help(command).split("\n\n")
    ]
    parts += ["\n".join(_set_rows(part, left, width)) for part in rows if part]
    return "\n\n".join(parts)


def _read_help(command: Any) -> str:
    return inspect.cleandoc(command.help or "")


def _describe_option(option: Any) -> tuple[str, str]:
    name = " ".join([*option.opts, *([option.metavar] if option.metavar else [])])
    if option.required:
        return name, f"{option.help} Required."
    if option.default is None or option.default is False:
        return name, option.help or ""
    return name, f"{option.help} Default: {option.default}."


def _set_rows(rows: list[tuple[str, str]], left: int, width: int) -> Iterator[str]:
    for name, text in rows:
        head = f"  {name:<{left}}"
        yield textwrap.fill(
            text, width, initial_indent=head, subsequent_indent=" " * (left + 2)
        )


class Stopped(Exception):  # noqa: N818 - Ctrl-C is no error
    """Ctrl-C, in a shape that typer lets through."""


class Group(TyperGroup):
    """A command group whose mistakes come out in digitlens' own form."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command `cmd_name`.

        Raises UsageError: there is none of that name; the nearest is named.
        """
        command = super().get_command(ctx, cmd_name)
        if command is None and not ctx.resilient_parsing:
            path = ctx.command_path
            meant = suggest(cmd_name, self.list_commands(ctx))
            raise UsageError(
                f"{path} has no command '{cmd_name}'",
                likely=f"'{meant}' was meant" if meant else None,
                try_=f"{path} {meant}" if meant else f"{path} --help",
            )
        return command

    def get_help(self, ctx: Any) -> str:
        """Return the help text at the terminal's width."""
        return help_text(self, ctx.command_path)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; Ctrl-C comes out as `Stopped`."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            raise Stopped from interrupt


# What no path can be, whatever it is for: `Path.exists` and others raise these.
IMPOSSIBLE = (errno.ENAMETOOLONG, errno.ELOOP)
INTERRUPTED = 130  # the shell's code for a process that Ctrl-C ended: 128 + SIGINT


def describe(error: BaseException, arguments: list[str]) -> tuple[str, int]:
    """Return the lines for stderr and the exit code for `error`.

    arguments: the command line without ``--debug``, named where trying it again helps

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
    if isinstance(error, OSError) and error.errno in IMPOSSIBLE and error.filename:
        name = os.fsdecode(error.filename)
        error = UsageError(f"no file can be called {name[:60]}...", seen=error.strerror)
        return f"error: {error}", error.exit_code
    # typer carries click inside it or beside it, as its version has it: what its usage errors
    # have in common is this method.
    if hasattr(error, "format_message"):
        return f"error: {_translate_usage(error, arguments)}", UsageError.exit_code
    words = str(error).strip().splitlines()
    unexpected = DigitlensError(
        f"{type(error).__name__}: {words[0] if words else 'no message'}",
        likely="a fault in digitlens itself",
        try_=f"digitlens --debug {shlex.join(arguments)}    shows where",
    )
    return f"error: {unexpected}", unexpected.exit_code


def fill_closed_streams() -> None:
    """Let no file that is opened later pass for stdin, stdout or stderr where one is closed."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(handle)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


def refused_by_stdout(error: BaseException) -> StorageError | None:
    """Return what to say where `error` is that stdout takes no more, as on a full disk."""
    if not isinstance(error, OSError) or error.filename is not None:
        return None
    # Files are written in lower packages, and their errors are ours: here, and in what prints
    # a help text, it is stdout.
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    printer = str(frame.f_globals.get("__name__")).partition(".")[0] in ("typer", "click")
    if not printer and Path(frame.f_code.co_filename).parent != Path(__file__).parent:
        return None
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return StorageError(
        "the results could not be written to stdout",
        seen=error.strerror or str(error),
        likely="the disk is full" if is_full else None,
        try_="make room, then run the command again" if is_full else None,
    )


def silence_stdout() -> None:
    """Send what is left for stdout nowhere: its reader has gone, as after ``| head``."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _translate_usage(error: Any, arguments: list[str]) -> UsageError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "digitlens"
    message = " ".join(error.format_message().split()).rstrip(".")
    left_over = re.fullmatch(r"Got unexpected extra arguments?(?:\(s\))? \((.+)\)", message)
    if left_over and context is not None:
        return _report_left_over(left_over[1].split(), context, arguments)
    return UsageError(message[:1].lower() + message[1:], try_=f"{path} --help")


def _report_left_over(extra: list[str], context: Any, arguments: list[str]) -> UsageError:
    """Say what a command takes where it was given more."""
    path, command = context.command_path, context.command
    wanted = [item.metavar for item in command.params if item.param_type_name == "argument"]
    options = {name for item in command.params for name in item.opts}
    # The one that is too many mostly says on which data.
    is_data = len(extra) == 1 and "--data" in options and "--data" not in arguments
    is_data = is_data and extra[0] in arguments
    likely, try_ = None, f"{path} --help"
    if is_data:
        place = len(arguments) - 1 - arguments[::-1].index(extra[0])
        named = [*arguments[:place], "--data", *arguments[place:]]
        likely, try_ = "it names data", f"digitlens {shlex.join(named)}"
    return UsageError(
        f"{path} takes {' '.join(wanted) or 'options alone'}",
        seen=f"also {shlex.join(extra)}",
        likely=likely,
        try_=try_,
    )
