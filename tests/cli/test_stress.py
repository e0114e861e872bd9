"""digitlens stress: what it prints and what it writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digitlens.cli.doctor import GOLDEN
from digitlens.cli.reference import output_keys

Cli = Callable[..., Any]


def test_a_table_is_printed_and_two_files_are_written(digitlens: Cli, in_tmp: Path) -> None:
    """The table goes to stdout, progress and the files' places to stderr."""
    ended = digitlens("stress", GOLDEN, "--data", "uci", "--limit", 2)
    assert ended.code == 0
    assert ended.out.startswith("golden on 2 digits of uci test, right in %\n")
    assert ended.err.startswith("1/10 shift\n2/10 turn\n")
    folder = Path("reports/golden-uci")
    assert ended.err.endswith(f"written: {folder / 'stress.json'}, {folder / 'stress.png'}\n")
    assert (folder / "stress.png").read_bytes().startswith(b"\x89PNG")


def test_json_is_what_the_file_holds(digitlens: Cli, in_tmp: Path) -> None:
    """--json prints the figures that stress.json keeps, with the documented keys."""
    options = ["--data", "uci", "--limit", 2, "--seed", 4, "--json", "--out", "here"]
    ended = digitlens("stress", GOLDEN, *options)
    result = json.loads(ended.out)
    assert result == json.loads(Path("here/stress.json").read_text(encoding="utf-8"))
    assert list(result) == list(output_keys()["digitlens stress --json"])
    assert (result["count"], result["seed"]) == (2, 4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--part", "tets"], "--part must be one of: test, validation, train, all"),
        (["--limit", "0"], "the limit must be 1 or more"),
    ],
)
def test_wrong_usage_writes_nothing(
    digitlens: Cli, in_tmp: Path, options: list[str], said: str
) -> None:
    """A part that is none, and a limit of none, are wrong usage."""
    ended = digitlens("stress", GOLDEN, "--data", "uci", *options)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {said}\n")
    assert not list(in_tmp.iterdir())


@pytest.mark.parametrize(("command", "option"), [("stress", "--out"), ("evaluate", "--report")])
def test_a_place_that_cannot_be_written_is_told_before_measuring(
    digitlens: Cli, in_tmp: Path, command: str, option: str
) -> None:
    """A folder below a file is refused at once, not after a minute of work."""
    Path("file").write_text("")
    ended = digitlens(command, GOLDEN, "--data", "nowhere/at/all", option, "file/deeper")
    assert ended.code == 1
    assert ended.err.startswith("error: file/deeper could not be written\n")
    assert "name another place" in ended.err
