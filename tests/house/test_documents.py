"""Documents cannot drift from the program."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from pathlib import Path

import pytest

from digitlens.cli.reference import commands, page

ROOT = Path(__file__).parents[2]
NAMES = [words for words, command in commands() if not hasattr(command, "commands")]


def test_there_are_commands_to_document() -> None:
    """The tests below run over every command, those of groups included."""
    assert {"digitlens demo", "digitlens data show", "digitlens train"} <= set(NAMES)


@pytest.mark.parametrize("words", NAMES)
def test_every_command_is_shown(words: str) -> None:
    """Some page beside the list of commands shows each at least once."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("**/*.md")]
    assert any(
        words in page.read_text(encoding="utf-8") for page in pages if page.stem != "cli"
    )


def test_the_page_of_commands_is_generated() -> None:
    """docs/cli.md is what the help texts say: python -m digitlens.cli.reference docs/cli.md."""
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == page()


def test_the_documents_have_the_tables_that_benchmarks_printed() -> None:
    """Each file in benchmarks/results stands in README or docs/benchmarks.md as it is."""
    spec = importlib.util.spec_from_file_location("tables", ROOT / "tools" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    text = "".join(page.read_text(encoding="utf-8") for page in tables.PAGES)
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


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])
def test_the_python_of_the_documents_imports_what_is_there(path: Path) -> None:
    """Each name that a document's Python imports from digitlens is where it says."""
    blocks = re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    for node in (node for block in blocks for node in ast.walk(ast.parse(block))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("digitlens"):
            module = importlib.import_module(str(node.module))
            assert [item.name for item in node.names if not hasattr(module, item.name)] == []


def test_the_readme_stays_a_front_page() -> None:
    """It has at most 180 lines and 3 tables; each picture and page that it names is there."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 180
    assert len(re.findall(r"^\|---", text, re.M)) <= 3
    named = re.findall(r"\]\((?!http)([^)#]+)", text)
    assert len([name for name in named if name.endswith(".png")]) >= 4
    assert [name for name in named if not (ROOT / name).exists()] == []
