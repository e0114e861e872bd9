"""The words that this code does not use: the field has better ones."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = ("src", "tests", "benchmarks", "tools")

REFUSED = {
    "at": "an index is `index`, `row`, `column`; a time `time`",
    "chance": "a random generator is `rng`",
    "colour": "the packages around us say `color`",
    "dice": "a random generator is `rng`",
    "each": "name the thing, or `item`",
    "found": "name what was found, or `result`",
    "grey": "the packages around us say `gray`",
    "held_back": "`validation`",
    "laid": "`composed`",
    "lay": "`compose`",
    "wide": "`width`",
    "worn": "`degraded`",
}
"""Words refused as identifiers, and what stands in their place."""


PUBLISHED = {("src/digitlens/server/mail_schemas.py", "at")}
"""Keys of the HTTP API that clients read; they are fields of its shapes, and stay."""


def find_identifiers(text: str) -> Iterator[tuple[int, str]]:
    """Give every name that `text` binds or declares, with its line."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield node.lineno, name


@pytest.mark.parametrize("place", PLACES)
def test_no_refused_word_is_an_identifier(place: str) -> None:
    """No variable, parameter, function or class bears a refused word as its name."""
    complaints = [
        f"{path.relative_to(ROOT)}:{line}: {name}: {REFUSED[name]}"
        for path in sorted((ROOT / place).rglob("*.py"))
        for line, name in find_identifiers(path.read_text(encoding="utf-8"))
        if name in REFUSED and (path.relative_to(ROOT).as_posix(), name) not in PUBLISHED
    ]
    assert complaints == []


@pytest.mark.parametrize(
    "code",
    [
        "found = 1",
        "for at in range(3): pass",
        "def lay(): pass",
        "def f(chance): pass",
        "[each for each in x]",
        "import x as dice",
    ],
)
def test_the_check_can_fail(code: str) -> None:
    """A refused word is seen wherever a name is bound."""
    assert {name for _, name in find_identifiers(code)} & set(REFUSED)
