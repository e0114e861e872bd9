"""Help texts, laid out here: typer's own change from version to version."""

from __future__ import annotations

import inspect
import shutil
import textwrap
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDEST = 88


class Command(TyperCommand):
    """A command whose help text is `help_text`."""

    def get_help(self, ctx: Any) -> str:
        """Return the help text at the terminal's width."""
        return help_text(self, ctx.command_path, width=terminal_width())


def terminal_width() -> int:
    """Return how wide a help text may be: the terminal's width, and at most `WIDEST`."""
    return min(WIDEST, shutil.get_terminal_size().columns)


def help_text(command: Any, words: str, *, width: int = WIDEST) -> str:
    """Return the help text of `command`, which is called by `words`.

    Its usage, its docstring, its arguments, its options with their defaults, and, of a
    group, its commands.
    """
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    below = [(name, command.commands[name]) for name in _names(command)]
    usage = [words, *(each.metavar for each in arguments), "[OPTIONS]"]
    if below:
        usage = [words, "[OPTIONS]", "COMMAND ..."]
    rows = [
        [(each.metavar, each.help or "") for each in arguments],
        [*map(_option, options), ("--help", "Show this text.")],
        [(name, _text(each).split("\n\n")[0]) for name, each in below],
    ]
    left = max(len(name) for part in rows for name, _ in part) + 2
    parts = ["usage: " + " ".join(usage)]
    parts += [textwrap.fill(paragraph, width) for paragraph in _text(command).split("\n\n")]
    parts += ["\n".join(_lines(part, left, width)) for part in rows if part]
    return "\n\n".join(parts)


def _names(command: Any) -> list[str]:
    return list(command.list_commands(None)) if hasattr(command, "commands") else []


def _text(command: Any) -> str:
    return inspect.cleandoc(command.help or "")


def _option(option: Any) -> tuple[str, str]:
    name = " ".join([*option.opts, *([option.metavar] if option.metavar else [])])
    if option.required:
        return name, f"{option.help} Required."
    if option.default is None or option.default is False:
        return name, option.help or ""
    return name, f"{option.help} Default: {option.default}."


def _lines(rows: list[tuple[str, str]], left: int, width: int) -> Iterator[str]:
    for name, text in rows:
        head = f"  {name:<{left}}"
        yield textwrap.fill(
            text, width, initial_indent=head, subsequent_indent=" " * (left + 2)
        )
