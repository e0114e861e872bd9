"""A group of commands that guesses what a mistyped one meant."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

from digitlens.cli.helptext import help_text, terminal_width
from digitlens.errors import UsageError
from digitlens.nearest import nearest


class Stopped(Exception):  # noqa: N818 - Ctrl-C is no error
    """Ctrl-C, in a shape that typer lets through."""


class Group(TyperGroup):
    """A command group whose mistakes come out in digitlens' own form."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command `cmd_name`.

        Raises
        ------
        UsageError
            There is none of that name; the nearest is named.
        """
        command = super().get_command(ctx, cmd_name)
        if command is None and not ctx.resilient_parsing:
            path = ctx.command_path
            meant = nearest(cmd_name, self.list_commands(ctx))
            raise UsageError(
                f"{path} has no command '{cmd_name}'",
                likely=f"'{meant}' was meant" if meant else None,
                try_=f"{path} {meant}" if meant else f"{path} --help",
            )
        return command

    def get_help(self, ctx: Any) -> str:
        """Return the help text at the terminal's width."""
        return help_text(self, ctx.command_path, width=terminal_width())

    def invoke(self, ctx: Any) -> Any:
        """Run the command; Ctrl-C comes out as `Stopped`."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            raise Stopped from interrupt
