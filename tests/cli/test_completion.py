"""What a shell asks to complete a command line, and the scripts that make it ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("digitlens ev", ["evaluate"]),
        ("digitlens mail pl", ["plan"]),
        ("digitlens train --lay", ["--layers"]),
        ("digitlens train de", ["dense", "dense-deformed"]),
        ("digitlens evaluate uni", ["universal"]),
        ("digitlens summary rea", ["reader", "reader-wide", "reader-world"]),
        ("digitlens compare tiny qu", ["quick"]),
        ("digitlens data show uc", ["uci"]),
        ("digitlens evaluate runs/", []),
        ("digitlens nosuch x", []),
    ],
)
def test_bash_is_told_what_fits(
    digitlens: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, line: str, wanted: list[str]
) -> None:
    """Commands, options and names are offered; where none fits, bash goes on with files."""
    monkeypatch.setenv("_DIGITLENS_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
    ended = digitlens()
    assert (ended.code, ended.out.split(), ended.err) == (0, wanted, "")


def test_the_script_for_a_shell_is_shown(
    digitlens: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """--show-completion prints what the shell of the terminal is to read."""
    monkeypatch.setattr("typer.completion._get_shell_name", lambda: "zsh")
    shown = digitlens("--show-completion")
    assert shown.code == 0
    assert "#compdef digitlens" in shown.out
    assert "_DIGITLENS_COMPLETE=complete_zsh" in shown.out
    monkeypatch.setattr("typer.completion._get_shell_name", lambda: "nosuch")
    refused = digitlens("--show-completion")
    assert (refused.code, refused.err) == (1, "Shell nosuch not supported.\n")
