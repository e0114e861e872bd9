"""Digits in a folder of class folders: 0/ to 9/, each full of pictures."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from digitlens.data import files
from digitlens.data.parts import Parts
from digitlens.data.picture import read_picture
from digitlens.digits import CLASSES, SIDE, Digits
from digitlens.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

PARTS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
"""Names of folders above the class folders, and the part that each stands for."""

_CLASSES = frozenset(str(digit) for digit in range(CLASSES))
_JUNK = frozenset({"thumbs.db", "desktop.ini"})
_TASK = 256


def read_pictures(folder: Path, *, source: str) -> Parts:
    """Read a folder of class folders.

    Parameters
    ----------
    folder
        Holds folders 0 to 9, or train/ and perhaps test/ and validation/ with such folders
        in them. Every file in a class folder must be a picture (`picture.read_picture`);
        hidden files are passed over. Files are taken in the order of their names, class by
        class, so that the result does not depend on the file system.
    source
        What the user called it.

    Raises
    ------
    DataError
        A class folder is empty or not named as a digit, or there is none.
    ShapeError
        A picture is not 28 x 28, not grey, or not a picture.
    """
    inside = _folders(folder)
    named = {PARTS[path.name.lower()]: path for path in inside if path.name.lower() in PARTS}
    if named and "train" not in named:
        raise DataError(
            f"{folder} must have a folder called train",
            seen=", ".join(path.name for path in inside),
        )
    listed = {part: _listed(path) for part, path in (named or {"train": folder}).items()}
    digests: list[str] = []
    digits = {part: _read(paths, folder, digests) for part, paths in listed.items()}
    digest = hashlib.sha256("".join(digests).encode()).hexdigest()
    return Parts(
        source,
        digits["train"],
        {f"{folder.name} ({len(digests):,} pictures)": digest},
        validation=digits.get("validation"),
        test=digits.get("test"),
    )


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _listed(folder: Path) -> list[tuple[Path, int]]:
    """Return every picture of the class folders in `folder` and its label, sorted."""
    inside = _folders(folder)
    others = [path.name for path in inside if path.name not in _CLASSES]
    if others or not inside:
        seen = ", ".join(others) if others else "no folders"
        raise DataError(
            f"{folder} must hold class folders, named 0 to 9",
            seen=seen if len(seen) < 200 else seen[:200] + " ...",
            try_="name a folder of class folders, of IDX files, or a .npz or .csv file",
        )
    pictures: list[tuple[Path, int]] = []
    for path in inside:
        names = sorted(
            each
            for each in path.iterdir()
            if not each.name.startswith(".") and each.name.lower() not in _JUNK
        )
        if not names:
            raise DataError(
                f"{path} is an empty class folder",
                try_="put pictures of the digit into it, or remove it",
            )
        pictures.extend((each, int(path.name)) for each in names)
    return pictures


def _read(pictures: list[tuple[Path, int]], root: Path, digests: list[str]) -> Digits:
    """Read `pictures`; a line for each, as sha256sum prints it, goes to `digests`."""
    images = np.empty((len(pictures), SIDE, SIDE), np.uint8)
    labels = np.array([label for _, label in pictures], np.uint8)
    lines = [""] * len(pictures)

    def some(start: int) -> None:
        for at in range(start, min(start + _TASK, len(pictures))):
            path = pictures[at][0]
            found = files.read(path)
            images[at] = read_picture(found.content, name=str(path))
            lines[at] = f"{found.sha256}  {path.relative_to(root).as_posix()}\n"

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        list(pool.map(some, range(0, len(pictures), _TASK)))
    digests.extend(lines)
    return Digits(images, labels)
