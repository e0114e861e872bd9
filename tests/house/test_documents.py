"""Documents cannot drift from the program."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from digitlens.cli.reference import commands, page

ROOT = Path(__file__).parents[2]
NAMES = [words for words, command in commands() if not hasattr(command, "commands")]


def test_there_are_commands_to_document() -> None:
    """The tests below run over every command, those of groups included."""
    assert {"digitlens demo", "digitlens data show", "digitlens train"} <= set(NAMES)


@pytest.mark.parametrize("words", NAMES)
def test_every_command_is_in_the_readme(words: str) -> None:
    """The README shows each command at least once."""
    assert words in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_page_of_commands_is_generated() -> None:
    """docs/cli.md is what the help texts say: python -m digitlens.cli.reference docs/cli.md."""
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == page()


def test_the_readme_has_the_tables_that_benchmarks_printed() -> None:
    """Each file in benchmarks/results stands in the README as it is: `make tables`."""
    spec = importlib.util.spec_from_file_location("tables", ROOT / "tools" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert tables.filled(text) == text
    assert tables.filled(text.replace("| `cnn` |", "| `CNN` |")) == text, "it can fail"
    for printed in tables.RESULTS.glob("*.md"):
        assert f"<!-- {printed.name} -->" in text


@pytest.mark.parametrize(("words", "command"), list(commands()))
def test_every_command_explains_itself(words: str, command: object) -> None:
    """Each command has a sentence of help that fits its list, and so has each option."""
    first = str(getattr(command, "help", "")).strip().splitlines()[0]
    assert first.endswith((".", "figure."))
    assert len(first) <= 66
    for parameter in getattr(command, "params", []):
        assert parameter.help, f"{words} {parameter.name}"
