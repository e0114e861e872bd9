"""Every example in a docstring runs and is true."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"

RUNS = re.compile(r"^ *>>> (?!.*doctest: \+SKIP)")
"""A line of an example that is not skipped."""

EXAMPLES = [
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted(SOURCE.rglob("*.py"))
    if any(RUNS.search(line) for line in path.read_text(encoding="utf-8").splitlines())
]


def test_there_are_examples() -> None:
    """There are examples to run."""
    assert {"digitlens", "digitlens.errors", "digitlens.digits"} <= set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_a_module_are_true(name: str, in_tmp: Path) -> None:
    """The examples of each module run as written and print what they say."""
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0
