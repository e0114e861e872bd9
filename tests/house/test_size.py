"""One idea a file: how long files and functions may be, and what they are not called."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = ("src", "tests", "benchmarks", "tools")
LONGEST_FILE = 500
LONGEST_FUNCTION = 60
STAR = re.compile(r"import[\s(\\]*\*")
"""What a file that imports with a star holds; few others do, so few are parsed."""

REFUSED = {"utils", "util", "helpers", "helper", "misc", "common"}


def files(*places: str) -> list[Path]:
    """Return every Python file of the repository below `places`."""
    result = [path for place in places for path in sorted((ROOT / place).rglob("*.py"))]
    assert result, "there is something to check"
    return result


def lines(path: Path) -> int:
    """Return how many lines a file has."""
    return len(path.read_text(encoding="utf-8").splitlines())


def long_functions(text: str) -> Iterator[str]:
    """Name each function in `text` of `LONGEST_FUNCTION` lines or more, its docstring aside."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = _lines(node)
            if ast.get_docstring(node) is not None:
                length -= _lines(node.body[0])
            if length >= LONGEST_FUNCTION:
                yield node.name


def _lines(node: ast.stmt) -> int:
    assert node.end_lineno is not None, "ast.parse sets it"
    return node.end_lineno - node.lineno + 1


def test_no_file_is_long() -> None:
    """No file is longer than 500 lines: one that is holds two subjects."""
    assert [
        f"{path}: {lines(path)}" for path in files(*PLACES) if lines(path) > LONGEST_FILE
    ] == []


def test_no_function_is_long() -> None:
    """Every function is under 60 lines."""
    result = [
        f"{path}: {name}"
        for path in files(*PLACES)
        for name in long_functions(path.read_text(encoding="utf-8"))
    ]
    assert result == []


def test_the_length_of_functions_is_really_measured() -> None:
    """A method of 60 lines is found, one of 59 is not; its docstring is not counted."""
    head, line = 'class A:\n  def f(self):\n    """F.\n\n    G.\n    """\n', "    pass\n"
    assert list(long_functions(head + 59 * line)) == ["f"]
    assert list(long_functions(head + 58 * line)) == []


def test_no_file_has_a_name_for_anything() -> None:
    """No module is called utils, helpers or the like."""
    assert [path for path in files(*PLACES) if path.stem in REFUSED] == []


def test_no_star_imports() -> None:
    """Nothing is imported with a star."""
    result = [
        f"{path}:{node.lineno}"
        for path in files(*PLACES)
        if STAR.search(text := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and any(item.name == "*" for item in node.names)
    ]
    assert result == []
