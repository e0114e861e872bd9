"""All commands under one name, and how a run of one ends."""

from __future__ import annotations

import contextlib
import sys
import textwrap
import warnings
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from digitlens.cli import batch, data, mail, models
from digitlens.cli.command import (
    Command,
    Group,
    Stopped,
    describe,
    fill_closed_streams,
    refused_by_stdout,
    silence_stdout,
)
from digitlens.cli.console import announce, columns, echo, flag
from digitlens.cli.demo import demo
from digitlens.cli.doctor import doctor
from digitlens.cli.evaluate import compare, evaluate, stress
from digitlens.cli.predict import predict
from digitlens.cli.read import read
from digitlens.cli.serve import serve
from digitlens.cli.train import train
from digitlens.cli.tune import tune
from digitlens.errors import DigitlensWarning, StorageError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

# The commands in the order in which a course meets them; `data` comes after `demo`.
COMMANDS = (
    *(demo, train, tune, evaluate, compare, stress, models.summary),
    *(predict, read, models.explain, mail.route, serve, models.export, doctor),
)


class Root(Group):
    """All commands, listed in their order."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names, `data` second: typer itself puts groups last."""
        first, *rest = (name for name in super().list_commands(ctx) if name != "data")
        return [first, "data", *rest]


app = typer.Typer(
    name="digitlens",
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(data.app, name="data")
app.add_typer(batch.app, name="batch")
app.add_typer(mail.app, name="mail")
app.add_typer(models.recipe_app, name="recipe")


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, flag("--version", "Print the version.")] = False,
    # taken out by `run`, so that it may stand anywhere
    debug: Annotated[bool, flag("--debug", "Show where an error comes from, in full.")] = False,  # noqa: ARG001
) -> None:
    """From pixels to a trained network to an honest figure.

    Results go to stdout, messages to stderr. Exit codes: 0 fine, 1 failure, 2 usage,
    3 finished but some items were rejected. Start with: digitlens demo
    """
    if version:
        from importlib.metadata import version as installed

        echo(f"digitlens {installed('digitlens')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        announce(context.get_help())
        raise typer.Exit(2)


for command in COMMANDS:
    app.command(cls=Command)(command)


@cache
def root() -> Any:
    """Return the whole command as typer builds it, once a process."""
    return get_command(app)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; nothing is raised."""
    fill_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a sign gets "?", not a traceback.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    debug = "--debug" in arguments
    arguments = [item for item in arguments if item != "--debug"]
    try:
        _check_stdout()
        _check_arguments(arguments)
        with _session(debug=debug):
            code = root().main(args=arguments, prog_name="digitlens", standalone_mode=False)
            sys.stdout.flush()
    except BrokenPipeError:
        silence_stdout()
        return 1
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except KeyboardInterrupt as interrupt:
        return _fail(interrupt, arguments, debug=debug)
    except Exception as error:
        if refused := refused_by_stdout(error):
            silence_stdout()
            return _fail(refused, arguments, debug=debug)
        cause = error.__cause__ if isinstance(error, Stopped) else error
        assert cause is not None, "Stopped is raised from Ctrl-C"
        return _fail(cause, arguments, debug=debug)
    return code if isinstance(code, int) else 0


def _check_stdout() -> None:
    """Raise StorageError where stdout is closed: results would be lost in silence."""
    if sys.stdout is None:
        raise StorageError(
            "stdout is closed: results have nowhere to go",
            try_="> /dev/null throws them away, > FILE keeps them",
        )


def _check_arguments(arguments: list[str]) -> None:
    """Raise UsageError where one is empty: as a path it would be the current folder."""
    for item in arguments:
        if not item or (item.startswith("--") and item.endswith("=")):
            raise UsageError(
                "an argument must not be empty",
                seen=item or "''",
                likely="a variable of the shell that is not set",
            )


@contextlib.contextmanager
def _session(*, debug: bool) -> Iterator[None]:
    """Show our warnings as messages; with `debug` a fault is raised, whatever it is about."""
    from digitlens import workers

    def show(message: Warning | str, *rest: Any, **more: Any) -> None:
        if isinstance(message, DigitlensWarning):
            announce(f"warning: {message}")
        else:
            usual(message, *rest, **more)

    usual = warnings.showwarning
    with warnings.catch_warnings():
        warnings.simplefilter("always", DigitlensWarning)
        warnings.showwarning = show
        workers.raise_faults = debug
        try:
            yield
        finally:
            workers.raise_faults = False


def _fail(error: BaseException, arguments: list[str], *, debug: bool) -> int:
    if debug:
        import traceback

        announce("".join(traceback.format_exception(error)))
    lines, code = describe(error, arguments)
    # What is wrong may name a long path; the rows below it hold commands to copy, and stay.
    head, rest = lines.partition("\n")[::2]
    if len(head) > columns():
        first = "error: " if head.startswith("error: ") else ""
        head = textwrap.fill(
            head.removeprefix(first),
            columns(),
            initial_indent=first,
            subsequent_indent=" " * len(first),
            break_long_words=False,
            break_on_hyphens=False,
        )
    announce(f"{head}\n{rest}" if rest else head)
    return code
