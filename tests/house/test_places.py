"""The repository names no folder of the machine it was written on."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUFFIXES = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".html",
    ".css",
    ".js",
    ".yml",
    ".yaml",
    ".ipynb",
    "",
}
MADE = {"__pycache__", "runs", "reports", "demo", "dist", "build"}
HIDDEN = {".ci", ".gitignore"}
"""What belongs to the repository though its name begins with a dot."""

# Put together here, so that this file does not hold them.
PRIVATE = ["/" + "work/", "/" + "home/", "/" + "tmp/w", "shared" + "/"]
EXCEPT = Path(".ci/run")


@cache
def texts() -> list[Path]:
    """Return the text files that belong to the repository."""
    result = []
    for folder, folders, names in os.walk(ROOT):
        # What is not ours is not entered: an environment has more files than all the rest.
        top = Path(folder) == ROOT
        folders[:] = [
            name
            for name in folders
            if name not in MADE and not (top and name.startswith(".") and name not in HIDDEN)
        ]
        for name in names:
            path = Path(folder, name)
            hidden = top and name.startswith(".") and name not in HIDDEN
            if path.is_file() and path.suffix in SUFFIXES and not (hidden or name in MADE):
                result.append(path)
    return sorted(result)


def test_there_are_texts_to_read() -> None:
    """The check below reads the sources, the tests and the Makefile."""
    names = {path.relative_to(ROOT).as_posix() for path in texts()}
    assert {"Makefile", "pyproject.toml", "src/digitlens/errors.py"} <= names


def test_no_text_names_a_private_folder() -> None:
    """Only the file that CI runs says where this machine keeps the data."""
    result = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in texts()
        if path.relative_to(ROOT) != EXCEPT
        for word in PRIVATE
        if word in path.read_text(encoding="utf-8")
    ]
    assert result == []


def test_the_exception_is_needed() -> None:
    """The one file that may name the folder does."""
    assert "shared" in (ROOT / EXCEPT).read_text(encoding="utf-8")
