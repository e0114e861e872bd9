"""What was named on the command line -> the files that are read, in order."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PICTURES = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)
PAGES = frozenset((".pdf", ".tif", ".tiff"))
"""By these names files are known that may have many pages."""


@dataclass(frozen=True)
class Source:
    """A file that is read.

    Parameters
    ----------
    path
        Where it lies.
    name
        What results and messages call it.
    stem
        What pictures of it are called; no two sources of one call share it.
    listed
        Whether it was found in a folder, and so was there a moment ago.
    """

    path: Path
    name: str
    stem: str
    listed: bool = False


def expand(named: Iterable[str], *, stdin: Path | None = None) -> list[Source]:
    """Return the files that were named, and for each folder the pictures and PDFs in it.

    Parameters
    ----------
    named
        Files, folders and patterns (``scans/*.png``, ``scans/**/*.pdf``), as a shell that
        does not expand them hands them over. A file that has such a name is taken first.
    stdin
        The file that stands for ``-``.

    Returns
    -------
    In the order in which they were named; those of a folder or a pattern by name. Hidden
    files, folders inside folders, and files of other kinds in them are passed over. What is
    not there, and a folder without pictures, stays in the list, to be told of when it is
    read.
    """
    found: list[tuple[Path, bool]] = []
    for name in named:
        path = Path(name)
        if name == "-" and stdin is not None:
            found.append((stdin, False))
        elif not path.exists() and has_magic(name):
            matches = [Path(each) for each in sorted(glob(name, recursive=True))]  # noqa: PTH207 - a pattern may be absolute
            for match in matches or [path]:
                found += _inside(match)
        else:
            found += _inside(path)
    taken: set[str] = set()
    return [
        Source(path, "stdin" if path == stdin else str(path), _stem(path, taken), listed)
        for path, listed in found
    ]


def _inside(path: Path) -> list[tuple[Path, bool]]:
    if not path.is_dir():
        return [(path, False)]
    return [(each, True) for each in sorted(path.iterdir()) if _counts(each)] or [(path, False)]


def _counts(path: Path) -> bool:
    """Say whether a file in a folder is read: by its name, and if it is a file at all."""
    if path.name.startswith(".") or path.suffix.lower() not in PICTURES | PAGES:
        return False
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True  # a link to nothing, say: it is told of when it is read


def _stem(path: Path, taken: set[str]) -> str:
    """Return the file's name without its ending; -2, -3 and so on where that is taken."""
    first = path.stem or "picture"
    stem, count = first, 1
    # Some file systems hold a.png and A.png for one.
    while stem.lower() in taken:
        count += 1
        stem = f"{first}-{count}"
    taken.add(stem.lower())
    return stem
