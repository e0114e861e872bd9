"""The floors of the house: who may import whom."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from import_graph import (
    FLOORS,
    SOURCE,
    Edge,
    find_circles,
    find_imports,
    find_modules,
    find_place,
    keep_own,
)

KEPT = {
    "torch": ("models", "training", "explain"),
    "safetensors": ("models", "training"),
    "cv2": ("imaging", "metrics", "synth", "layout", "ocr", "mail"),
    "matplotlib": ("viz",),
    "fastapi": ("server",),
    "starlette": ("server",),
    "pydantic": ("server",),
    "uvicorn": ("server",),
    "ray": ("batch",),
    "fsspec": ("batch",),
}
"""Heavy packages, and the only places that may import them."""

WITHOUT_TORCH = (
    "models.registry",
    "models.recipe",
    "models.card",
    "models.ops",
    "models.inference",
    "models.onnx_graph",
    "models.onnx_reader",
    "models.onnx_writer",
    "training.config",
    "explain.inspection",
    "explain.explanation",
    "explain.occlusion",
)
"""Modules of torch's own floors that are read without it."""


@cache
def read_imports(source: Path) -> tuple[Edge, ...]:
    """Return every import below `source`; all files are parsed once."""
    return tuple(find_imports(source))


def find_complaints(source: Path) -> list[str]:
    """Say everything that is wrong with the imports below `source`."""
    known = find_modules(source)
    complaints = [f"{name} is on no floor" for name in known if find_place(name) not in FLOORS]
    edges = keep_own(iter(read_imports(source)))
    for name, target, line in edges:
        here, there = FLOORS.get(find_place(name)), FLOORS.get(find_place(target))
        if here is not None and there is not None and there > here:
            complaints.append(f"{name}:{line} imports {target} from a floor above")
    complaints += [f"a circle: {' -> '.join(circle)}" for circle in find_circles(edges)]
    for name, target, line in read_imports(source):
        package = target.split(".")[0]
        allowed = KEPT.get(package)
        if allowed and (find_place(name) not in allowed or name in WITHOUT_TORCH):
            complaints.append(f"{name}:{line} imports {package}")
    return complaints


def test_every_import_goes_down() -> None:
    """No module imports from a floor above, in a circle, or what its place may not."""
    assert find_complaints(SOURCE) == []


def test_there_are_imports_to_check() -> None:
    """The check above has modules and imports to look at."""
    assert {"errors", "digits", "cli.app"} <= set(find_modules(SOURCE))
    assert len(keep_own(iter(read_imports(SOURCE)))) > 20


def test_every_floor_is_in_use() -> None:
    """The table of floors names no module that is not there."""
    assert {find_place(name) for name in find_modules(SOURCE)} == set(FLOORS)


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
    complaints = find_complaints(tmp_path)
    assert len(complaints) == 1
    assert complaints[0].startswith(complaint)


def test_a_sound_house_has_no_complaints(tmp_path: Path) -> None:
    """Imports downwards, and torch in its place, are no fault."""
    (tmp_path / "errors.py").write_text("import sys\n")
    (tmp_path / "digits.py").write_text("from digitlens.errors import DigitlensError\n")
    (tmp_path / "training.py").write_text("import torch\nfrom digitlens import digits\n")
    assert find_complaints(tmp_path) == []


def test_benchmarks_go_in_no_circle() -> None:
    """The modules of the benchmarks do not import one another in a circle."""
    folder = SOURCE.parents[1] / "benchmarks"
    known = find_modules(folder)
    edges = [edge for edge in find_imports(folder) if edge[1] in known]
    assert len(edges) > 20
    assert find_circles(edges) == []
