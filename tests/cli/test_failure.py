"""Failures: what is said, and with which code the command exits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from digitlens.errors import CorruptFileError


def _fail(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let ``digitlens doctor`` raise `error`."""
    import digitlens.cli.doctor as module

    def raises(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(module, "examine", raises)


def test_an_error_of_ours_is_printed_in_its_form(
    digitlens: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error goes to stderr with its rows, stdout stays empty, the code is the error's."""
    _fail(
        monkeypatch, CorruptFileError("x.gz is damaged", seen="3 bytes", try_="fetch it again")
    )
    ended = digitlens("doctor")
    assert ended.code == 1
    assert ended.out == ""
    assert ended.err == (
        "error: x.gz is damaged\n  seen    3 bytes\n  try     fetch it again\n"
    )


def test_an_unexpected_error_is_one_line(
    digitlens: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody foresaw names its kind and how to see where it comes from."""
    _fail(monkeypatch, ZeroDivisionError("by zero\nand more"))
    ended = digitlens("doctor", "--json")
    assert ended.code == 1
    assert ended.err == (
        "error: ZeroDivisionError: by zero\n"
        "  likely  a fault in digitlens itself\n"
        "  try     digitlens --debug doctor --json    shows where\n"
    )


@pytest.mark.parametrize("arguments", [["--debug", "doctor"], ["doctor", "--debug"]])
def test_debug_shows_the_traceback(
    digitlens: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """With --debug, before or after the command, the traceback comes first."""
    _fail(monkeypatch, ZeroDivisionError("by zero"))
    ended = digitlens(*arguments)
    assert ended.err.startswith("Traceback (most recent call last):\n")
    assert "in raises" in ended.err
    assert ended.err.endswith("  try     digitlens --debug doctor    shows where\n")


def test_ctrl_c_exits_with_130(
    digitlens: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C says one word and exits as the shell expects."""
    _fail(monkeypatch, KeyboardInterrupt())
    ended = digitlens("doctor")
    assert (ended.code, ended.out, ended.err) == (130, "", "stopped\n")


def test_an_unknown_command_is_guessed(digitlens: Callable[..., Any]) -> None:
    """A mistyped command names the one that was probably meant."""
    ended = digitlens("trian", "dense")
    assert ended.code == 2
    assert ended.err == (
        "error: digitlens has no command 'trian'\n"
        "  likely  'train' was meant\n"
        "  try     digitlens train\n"
    )


def test_an_unknown_command_of_a_group_is_guessed(digitlens: Callable[..., Any]) -> None:
    """The commands below data are guessed too; with nothing near, the help is named."""
    assert digitlens("data", "shwo", "mnist").err == (
        "error: digitlens data has no command 'shwo'\n"
        "  likely  'show' was meant\n"
        "  try     digitlens data show\n"
    )
    assert digitlens("data", "xyz").err == (
        "error: digitlens data has no command 'xyz'\n  try     digitlens data --help\n"
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["train"], "error: missing argument 'NETWORK'\n  try     digitlens train --help\n"),
        (
            ["train", "dense", "--xyzzy"],
            "error: no such option: --xyzzy\n  try     digitlens train --help\n",
        ),
        (["--xyzzy"], "error: no such option: --xyzzy\n  try     digitlens --help\n"),
        (
            ["evaluate", "cnn", "uci"],
            "error: digitlens evaluate takes MODEL\n  seen    also uci\n"
            "  likely  it names data\n  try     digitlens evaluate cnn --data uci\n",
        ),
        (
            ["stress", "cnn", "a", "b"],
            "error: digitlens stress takes MODEL\n  seen    also a b\n"
            "  try     digitlens stress --help\n",
        ),
        (
            ["serve", "here"],
            "error: digitlens serve takes options alone\n  seen    also here\n"
            "  try     digitlens serve --help\n",
        ),
        (["data"], "error: missing command\n  try     digitlens data --help\n"),
    ],
)
def test_a_wrong_command_line_is_usage(
    digitlens: Callable[..., Any], arguments: list[str], error: str
) -> None:
    """What typer refuses comes out in our form, with code 2."""
    ended = digitlens(*arguments)
    assert (ended.code, ended.out, ended.err) == (2, "", error)


def test_a_number_that_is_none_is_usage(digitlens: Callable[..., Any]) -> None:
    """A word where a number belongs is named with its option."""
    ended = digitlens("train", "dense", "--epochs", "many")
    assert ended.code == 2
    assert ended.err.startswith("error: invalid value for '--epochs': ")


def test_nothing_at_all_prints_the_help(digitlens: Callable[..., Any]) -> None:
    """Without a command the help goes to stderr, and the code is that of wrong usage."""
    ended = digitlens()
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("usage: digitlens [OPTIONS] COMMAND ...")


def test_help_and_version_go_to_stdout(digitlens: Callable[..., Any]) -> None:
    """--help, as -h, and --version are results."""
    shown = digitlens("--help")
    assert (shown.code, shown.err) == (0, "")
    assert "  demo " in shown.out
    assert "\x1b" not in shown.out
    assert digitlens("-h") == shown
    assert digitlens("mail", "plan", "-h") == digitlens("mail", "plan", "--help")
    version = digitlens("--version")
    assert (version.code, version.err) == (0, "")
    assert version.out.startswith("digitlens 0.")


def test_a_reader_that_goes_away_is_no_error() -> None:
    """When the reader of stdout has gone, the command ends without a word."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "digitlens", "--help"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert done.returncode == 1
    assert done.stderr == b""


def test_the_process_ends_whole_with_torch_loaded() -> None:
    """With torch loaded the process leaves without taking it apart, all output written."""
    command = [sys.executable, "-m", "digitlens", "summary", "quick", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["name"] == "quick"


def test_the_module_runs_as_the_command() -> None:
    """``python -m digitlens`` is the command, and names itself so."""
    command = [sys.executable, "-m", "digitlens", "--nothing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: no such option: --nothing\n  try     digitlens --help\n"


@pytest.mark.parametrize(
    ("shell", "told"),
    [
        ("doctor --json > /dev/full", "the results could not be written to stdout"),
        ("--version > /dev/full", "the results could not be written to stdout"),
        ("--help > /dev/full", "the results could not be written to stdout"),
        ("--version >&-", "stdout is closed"),
        ("read - <&-", "- wants a picture from stdin"),
    ],
)
def test_a_stream_that_takes_nothing_is_told(shell: str, told: str) -> None:
    """A full disk behind stdout, or a closed stream, is an error of its own and no fault."""
    command = f"{sys.executable} -m digitlens {shell}"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith(f"error: {told}")
    assert "fault" not in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_ctrl_c_while_the_commands_are_imported_is_no_traceback() -> None:
    """Ctrl-C in the first moment says that it was heard, as later."""
    code = (
        "import sys, builtins\n"
        "from digitlens.cli import main\n"
        "real = builtins.__import__\n"
        "def stop(name, *rest):\n"
        "    if name == 'digitlens.cli.app':\n"
        "        raise KeyboardInterrupt\n"
        "    return real(name, *rest)\n"
        "builtins.__import__ = stop\n"
        "main(['--version'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (130, b"stopped\n")


LONG = "n" * 300


@pytest.mark.parametrize(
    "words",
    [
        ["route", LONG],
        ["predict", LONG],
        ["mail", "plan", "--by", "state", "--out", LONG],
        ["mail", "sample", "1", "--out", LONG],
        ["mail", "barcode", "02134", "--out", LONG + ".svg"],
        ["serve", "--export", LONG],
        ["export", "tiny", "--to", "onnx", "--out", LONG],
        ["batch", "status", LONG],
        ["data", "info", LONG],
        ["summary", LONG],
        ["demo", "--out", LONG],
    ],
    ids=" ".join,
)
def test_a_name_that_no_file_can_have_is_no_fault(digitlens: Any, words: list[str]) -> None:
    """Longer than a name may be, for whatever it is meant: said in words."""
    ended = digitlens(*words)
    assert ended.code in (1, 2), ended.err
    assert "a fault in digitlens" not in ended.err
    assert ended.err.startswith(("error: ", "rejected: "))
