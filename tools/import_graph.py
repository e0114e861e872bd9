"""Who imports whom in a tree of modules: read for the floors test and for the drawing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "digitlens"

FLOORS = {
    "errors": 0,
    "display": 1,
    "geometry": 0,
    "digits": 1,
    "storage": 1,
    "workers": 1,
    "runs": 2,
    "imaging": 3,
    "synth": 3,
    "metrics": 4,
    "data": 4,
    "layout": 4,
    "models": 6,
    "ctc": 6,
    "explain": 7,
    "ocr": 7,
    "viz": 8,
    "batch": 8,
    "mail": 8,
    "training": 9,
    "api": 10,
    "": 10,  # digitlens itself: the public names
    "server": 11,
    "cli": 12,
    "__main__": 13,
}
"""The floor of each module and package directly under digitlens: imports only go down."""

Edge = tuple[str, str, int]
"""Importing module, imported module, line."""


def find_modules(source: Path) -> dict[str, Path]:
    """Return the path of each module below `source`, by its dotted name."""
    paths = {}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return paths


def find_imports(source: Path) -> Iterator[Edge]:
    """Walk over every import: at the top, inside functions, under TYPE_CHECKING."""
    known = find_modules(source)
    for name, path in known.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{name}: line {node.lineno}: a relative import"
                names = [_resolve(node.module or "", alias.name, known) for alias in node.names]
            else:
                continue
            for target in names:
                yield name, target, node.lineno


def _resolve(module: str, name: str, known: dict[str, Path]) -> str:
    """Return what ``from module import name`` loads: a module of ours, or `module`."""
    full = f"{module}.{name}"
    return full if full.removeprefix("digitlens.") in known else module


def keep_own(edges: Iterator[Edge]) -> list[Edge]:
    """Keep the imports of digitlens' own modules, without the name ``digitlens.``.

    Importing a module runs the packages around it too, so those count as imported, unless
    they are also around the importing module.
    """
    kept = []
    for name, target, line in edges:
        if target.split(".")[0] == "digitlens":
            inner = target.split(".")[1:]
            kept.append((name, ".".join(inner), line))
            around = [".".join(inner[:depth]) for depth in range(1, len(inner))]
            kept += [
                (name, package, line)
                for package in around
                if not f"{name}.".startswith(f"{package}.")
            ]
    return kept


def find_place(module: str) -> str:
    """Return the entry of `FLOORS` that `module` belongs to."""
    return module.split(".")[0]


def find_circles(edges: list[Edge]) -> list[list[str]]:
    """Return one circle for each module from which an import leads back to it."""
    leads: dict[str, set[str]] = {}
    for name, target, _ in edges:
        leads.setdefault(name, set()).add(target)
    circles: list[list[str]] = []
    done: set[str] = set()

    def walk(module: str, path: list[str]) -> None:
        if module in path:
            circles.append([*path[path.index(module) :], module])
        elif module not in done:
            for target in sorted(leads.get(module, ())):
                walk(target, [*path, module])
            done.add(module)

    for module in sorted(leads):
        walk(module, [])
    return circles
