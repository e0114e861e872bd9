"""The floors of the house: who may import whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "digitlens"

FLOORS = {
    "errors": 0,
    "digits": 0,
    "nearest": 0,
    "files": 1,
    "pixels": 1,
    "idx": 1,
    "score": 1,
    "diagnosis": 1,
    "ops": 1,
    "card": 2,
    "line_card": 2,
    "atomic": 2,
    "data": 2,
    "ink": 2,
    "writing": 2,
    "layout": 2,
    "session": 2,
    "pool": 2,
    "networks": 3,
    "training": 3,
    "model": 4,
    "export": 4,
    "evaluation": 5,
    "reading": 5,
    "stress": 5,
    "inside": 5,
    "explaining": 6,
    "mail": 6,
    "reader": 6,
    "plots": 7,
    "report": 7,
    "documents": 7,
    "run": 7,
    "lab": 8,
    "": 8,  # digitlens itself: the public names
    "cli": 9,
    "__main__": 10,
}
"""The floor of each module and package directly under digitlens."""

KEPT = {
    "torch": ("networks", "training", "export", "run", "explaining"),
    "safetensors": ("training", "export", "run"),
    "cv2": ("ink", "stress", "writing", "layout", "reader", "documents", "mail"),
    "matplotlib": ("plots",),
    "fastapi": ("lab",),
    "starlette": ("lab",),
    "pydantic": ("lab",),
    "uvicorn": ("lab",),
    "ray": ("cluster",),
}
"""Heavy packages, and the only places that may import them."""

WITHOUT_TORCH = (
    "networks.table",
    "networks.recipe",
    "networks.line_recipe",
    "run.wish",
    "run.lines.wish",
    "run.lines.result",
    "training.config",
    "training.history",
    "training.folder",
    "training.lines.progress",
    "explaining.explain",
    "explaining.explanation",
    "explaining.occlusion",
)
"""Modules of torch's own floors that are read without it."""

Edge = tuple[str, str, int]
"""Importing module, imported module, line; digitlens' own without ``digitlens.``"""


def modules(source: Path) -> dict[str, Path]:
    """Return the path of each module below `source`, by its dotted name."""
    found = {}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(source: Path) -> Iterator[Edge]:
    """Walk over every import: at the top, inside functions, under TYPE_CHECKING."""
    known = modules(source)
    for name, path in known.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{name}: line {node.lineno}: a relative import"
                names = [_target(node.module or "", alias.name, known) for alias in node.names]
            else:
                continue
            for target in names:
                yield name, target, node.lineno


def _target(module: str, name: str, known: dict[str, Path]) -> str:
    """Return what ``from module import name`` loads: a module of ours, or `module`."""
    whole = f"{module}.{name}"
    return whole if whole.removeprefix("digitlens.") in known else module


def own(edges: Iterator[Edge]) -> list[Edge]:
    """Keep the imports of digitlens' own modules, each without that name.

    Importing a module runs the packages around it too, so those count as imported, unless
    they are also around the importing module.
    """
    found = []
    for name, target, line in edges:
        if target.split(".")[0] == "digitlens":
            inner = target.split(".")[1:]
            found.append((name, ".".join(inner), line))
            around = [".".join(inner[:depth]) for depth in range(1, len(inner))]
            found += [
                (name, each, line) for each in around if not f"{name}.".startswith(f"{each}.")
            ]
    return found


def place(module: str) -> str:
    """Return the entry of `FLOORS` that `module` belongs to."""
    return module.split(".")[0]


def complaints(source: Path) -> list[str]:
    """Say everything that is wrong with the imports below `source`."""
    known = modules(source)
    found = [f"{name} is on no floor" for name in known if place(name) not in FLOORS]
    edges = own(imports(source))
    for name, target, line in edges:
        here, there = FLOORS.get(place(name)), FLOORS.get(place(target))
        if here is not None and there is not None and there > here:
            found.append(f"{name}:{line} imports {target} from a floor above")
    found += [f"a circle: {' -> '.join(circle)}" for circle in circles(edges)]
    for name, target, line in imports(source):
        package = target.split(".")[0]
        allowed = KEPT.get(package)
        if allowed and (place(name) not in allowed or name in WITHOUT_TORCH):
            found.append(f"{name}:{line} imports {package}")
    return found


def circles(edges: list[Edge]) -> list[list[str]]:
    """Return one circle for each module from which an import leads back to it."""
    leads: dict[str, set[str]] = {}
    for name, target, _ in edges:
        leads.setdefault(name, set()).add(target)
    found: list[list[str]] = []
    done: set[str] = set()

    def walk(module: str, path: list[str]) -> None:
        if module in path:
            found.append([*path[path.index(module) :], module])
        elif module not in done:
            for target in sorted(leads.get(module, ())):
                walk(target, [*path, module])
            done.add(module)

    for module in sorted(leads):
        walk(module, [])
    return found


def test_every_import_goes_down() -> None:
    """No module imports from a floor above, in a circle, or what its place may not."""
    assert complaints(SOURCE) == []


def test_there_are_imports_to_check() -> None:
    """The check above has modules and imports to look at."""
    assert {"errors", "digits", "cli.app"} <= set(modules(SOURCE))
    assert len(own(imports(SOURCE))) > 20


def test_every_floor_is_in_use() -> None:
    """The table of floors names no module that is not there."""
    assert {place(name) for name in modules(SOURCE)} == set(FLOORS)


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"errors": "import digitlens.data\n", "data/__init__": ""}, "errors:1 imports data"),
        ({"idx": "def f():\n    from digitlens import model\n", "model": ""}, "idx:2 imports"),
        (
            {
                "idx": "from typing import TYPE_CHECKING\n"
                "if TYPE_CHECKING:\n    from digitlens.model import Model\n",
                "model": "",
            },
            "idx:3 imports model from a floor above",
        ),
        ({"pixels": "import digitlens\n"}, "pixels:1 imports  from a floor above"),
        (
            {"errors": "import digitlens.digits\n", "digits": "import digitlens.errors\n"},
            "a circle: digits -> errors -> digits",
        ),
        (
            {
                "data/__init__": "from digitlens.data import a\n",
                "data/a": "from digitlens.data import load\n",
            },
            "a circle: data -> data.a -> data",
        ),
        (
            {
                "networks/__init__": "from digitlens.training.config import a\n",
                "training/config": "",
                "training/__init__": "from digitlens.networks import b\n",
            },
            "a circle: networks -> training -> networks",
        ),
        ({"misc": ""}, "misc is on no floor"),
        ({"model": "import torch.nn\n"}, "model:1 imports torch"),
        ({"training/folder": "from torch import nn\n"}, "training.folder:1 imports torch"),
        ({"report": "def f():\n    import matplotlib\n"}, "report:2 imports matplotlib"),
    ],
)
def test_the_check_can_fail(tmp_path: Path, files: dict[str, str], complaint: str) -> None:
    """A made-up house with one fault is told exactly that fault."""
    for name, text in files.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    found = complaints(tmp_path)
    assert len(found) == 1
    assert found[0].startswith(complaint)


def test_a_sound_house_has_no_complaints(tmp_path: Path) -> None:
    """Imports downwards, and torch in its place, are no fault."""
    (tmp_path / "errors.py").write_text("import sys\n")
    (tmp_path / "digits.py").write_text("from digitlens.errors import DigitlensError\n")
    (tmp_path / "export.py").write_text("import torch\nfrom digitlens import digits\n")
    assert complaints(tmp_path) == []
