"""The floors of the house: who may import whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "digitlens"

FLOORS = {
    "errors": 0,
    "geometry": 0,
    "suggest": 0,
    "digits": 1,
    "storage": 1,
    "workers": 1,
    "runs": 2,
    "imaging": 2,
    "synth": 3,
    "metrics": 3,
    "data": 3,
    "layout": 3,
    "ctc": 4,
    "models": 5,
    "ocr": 6,
    "explain": 6,
    "viz": 7,
    "mail": 7,
    "training": 8,
    "": 9,  # digitlens itself: the public names
    "server": 10,
    "cli": 11,
    "__main__": 12,
}
"""The floor of each module and package directly under digitlens."""

KEPT = {
    "torch": ("models", "training", "explain"),
    "safetensors": ("models", "training"),
    "cv2": ("imaging", "metrics", "synth", "layout", "ocr", "mail"),
    "matplotlib": ("viz",),
    "fastapi": ("server",),
    "starlette": ("server",),
    "pydantic": ("server",),
    "uvicorn": ("server",),
}
"""Heavy packages, and the only places that may import them."""

WITHOUT_TORCH = (
    "models.registry",
    "models.recipe",
    "models.card",
    "models.ops",
    "models.inference",
    "models.onnx_graph",
    "training.config",
    "explain.inspection",
    "explain.explanation",
    "explain.occlusion",
)
"""Modules of torch's own floors that are read without it."""

Edge = tuple[str, str, int]
"""Importing module, imported module, line; digitlens' own without ``digitlens.``"""


def modules(source: Path) -> dict[str, Path]:
    """Return the path of each module below `source`, by its dotted name."""
    result = {}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        result[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return result


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
    result = []
    for name, target, line in edges:
        if target.split(".")[0] == "digitlens":
            inner = target.split(".")[1:]
            result.append((name, ".".join(inner), line))
            around = [".".join(inner[:depth]) for depth in range(1, len(inner))]
            result += [
                (name, item, line) for item in around if not f"{name}.".startswith(f"{item}.")
            ]
    return result


def place(module: str) -> str:
    """Return the entry of `FLOORS` that `module` belongs to."""
    return module.split(".")[0]


def complaints(source: Path) -> list[str]:
    """Say everything that is wrong with the imports below `source`."""
    known = modules(source)
    result = [f"{name} is on no floor" for name in known if place(name) not in FLOORS]
    edges = own(imports(source))
    for name, target, line in edges:
        here, there = FLOORS.get(place(name)), FLOORS.get(place(target))
        if here is not None and there is not None and there > here:
            result.append(f"{name}:{line} imports {target} from a floor above")
    result += [f"a circle: {' -> '.join(circle)}" for circle in circles(edges)]
    for name, target, line in imports(source):
        package = target.split(".")[0]
        allowed = KEPT.get(package)
        if allowed and (place(name) not in allowed or name in WITHOUT_TORCH):
            result.append(f"{name}:{line} imports {package}")
    return result


def circles(edges: list[Edge]) -> list[list[str]]:
    """Return one circle for each module from which an import leads back to it."""
    leads: dict[str, set[str]] = {}
    for name, target, _ in edges:
        leads.setdefault(name, set()).add(target)
    result: list[list[str]] = []
    done: set[str] = set()

    def walk(module: str, path: list[str]) -> None:
        if module in path:
            result.append([*path[path.index(module) :], module])
        elif module not in done:
            for target in sorted(leads.get(module, ())):
                walk(target, [*path, module])
            done.add(module)

    for module in sorted(leads):
        walk(module, [])
    return result


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
        (
            {"storage": "def f():\n    from digitlens import models\n", "models": ""},
            "storage:2 imports",
        ),
        (
            {
                "storage": "from typing import TYPE_CHECKING\n"
                "if TYPE_CHECKING:\n    from digitlens.models import Model\n",
                "models": "",
            },
            "storage:3 imports models from a floor above",
        ),
        ({"storage": "import digitlens\n"}, "storage:1 imports  from a floor above"),
        (
            {"storage": "import digitlens.workers\n", "workers": "import digitlens.storage\n"},
            "a circle: storage -> workers -> storage",
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
                "viz/__init__": "from digitlens.mail.config import a\n",
                "mail/config": "",
                "mail/__init__": "from digitlens.viz import b\n",
            },
            "a circle: mail -> viz -> mail",
        ),
        ({"misc": ""}, "misc is on no floor"),
        ({"metrics": "import torch.nn\n"}, "metrics:1 imports torch"),
        ({"training/config": "from torch import nn\n"}, "training.config:1 imports torch"),
        ({"ocr": "def f():\n    import matplotlib\n"}, "ocr:2 imports matplotlib"),
    ],
)
def test_the_check_can_fail(tmp_path: Path, files: dict[str, str], complaint: str) -> None:
    """A made-up house with one fault is told exactly that fault."""
    for name, text in files.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    result = complaints(tmp_path)
    assert len(result) == 1
    assert result[0].startswith(complaint)


def test_a_sound_house_has_no_complaints(tmp_path: Path) -> None:
    """Imports downwards, and torch in its place, are no fault."""
    (tmp_path / "errors.py").write_text("import sys\n")
    (tmp_path / "digits.py").write_text("from digitlens.errors import DigitlensError\n")
    (tmp_path / "training.py").write_text("import torch\nfrom digitlens import digits\n")
    assert complaints(tmp_path) == []
