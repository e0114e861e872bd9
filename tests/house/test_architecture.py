"""The architecture page tells what is so."""

from __future__ import annotations

import re
from pathlib import Path

import draw_architecture
from import_graph import FLOORS, SOURCE, find_modules

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_drawing_is_that_of_the_imports() -> None:
    """docs/images/packages.svg is what the imports give: python tools/draw_architecture.py."""
    assert draw_architecture.TARGET.read_text(encoding="utf-8") == draw_architecture.draw()


def test_no_drawn_arrow_goes_up() -> None:
    """Every arrow of the drawing leads to a row below."""
    for place, targets in draw_architecture.find_arrows().items():
        assert all(FLOORS[target] < FLOORS[place] for target in targets), place


def test_every_package_has_its_line() -> None:
    """The page says of each package and root module what it holds."""
    for name in set(FLOORS) - draw_architecture.HIDDEN:
        assert re.search(rf"^\| `{name}`", TEXT, re.MULTILINE), name


def test_every_module_that_the_page_names_is_there() -> None:
    """A dotted name or a path in the page is a module, or a name in one."""
    known = set(find_modules(SOURCE))
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_]+)\.py(?::[^`]*)?`", TEXT))
    assert len(named) > 20
    ours = {path.removesuffix("/__init__") for path in named if not path.startswith("tests/")}
    assert {path for path in ours if path.replace("/", ".") not in known} == set()


def test_every_function_that_the_page_names_is_there() -> None:
    """`file.py: name` in the page is a function or class of that file."""
    pairs = re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py): ([\w.]+)`", TEXT)
    assert len(pairs) > 20
    for path, name in pairs:
        source = (SOURCE / path).read_text(encoding="utf-8")
        for part in name.split("."):
            assert re.search(rf"(?:def|class) {part}\b|^{part}\b", source, re.MULTILINE), (
                f"{path}: {name}"
            )
