"""Digits in a folder of class folders: 0/ to 9/, each full of pictures of any kind."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digitlens.data.framed import frame_all
from digitlens.data.parts import Parts
from digitlens.digits import CLASSES, Digits
from digitlens.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
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
LISTED = 10
"""So many of the pictures that cannot be used are named in one message."""


def read_pictures(folder: Path, *, source: str) -> Parts:
    """Read a folder of class folders.

    Parameters
    ----------
    folder
        Holds folders 0 to 9, or train/ and perhaps test/ and validation/ with such folders
        in them. Every file in a class folder must be a picture of one digit, of any size and
        either polarity; `framed.frame_all` says which are brought into MNIST's frame. Hidden
        files are passed over. Files are taken in the order of their names, class by class,
        so that the result does not depend on the file system.
    source
        What the user called it.

    Returns
    -------
    Parts
        With the names of the training pictures, and the pictures that cannot be used.

    Raises
    ------
    DataError
        A class folder is empty or not named as a digit, or there is none; or no training
        picture can be used.
    """
    inside = _folders(folder)
    named = {PARTS[path.name.lower()]: path for path in inside if path.name.lower() in PARTS}
    if named and "train" not in named:
        raise DataError(
            f"{folder} must have a folder called train",
            seen=", ".join(path.name for path in inside),
        )
    listed = {part: _listed(path) for part, path in (named or {"train": folder}).items()}
    read = {part: _read(pictures, folder) for part, pictures in listed.items()}
    rejected = tuple(error for each in read.values() for error in each.rejected)
    if not len(read["train"].digits):
        raise too_many_rejected(rejected, len(listed["train"]), source)
    lines = [line for each in read.values() for line in each.lines]
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    digits = {part: each.digits for part, each in read.items()}
    return Parts(
        source,
        digits["train"],
        {f"{folder.name} ({len(lines):,} pictures)": digest},
        validation=digits.get("validation"),
        test=digits.get("test"),
        names=read["train"].names,
        rejected=rejected,
    )


def too_many_rejected(rejected: Sequence[DataError], count: int, source: str) -> DataError:
    """Return the error that tells of all pictures that cannot be used, of `count`."""
    if len(rejected) == 1:
        return rejected[0]
    lines = [
        error.wanted + (f": {error.seen.splitlines()[0]}" if error.seen else "")
        for error in rejected[:LISTED]
    ]
    if len(rejected) > LISTED:
        lines.append(f"and {len(rejected) - LISTED:,} more")
    return DataError(
        f"{len(rejected):,} of {count:,} pictures in {source} cannot be used",
        seen="\n".join(lines),
        try_="replace them, or take them out of the folder",
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


@dataclass(frozen=True, eq=False)
class _Read:
    """What was read: digits, their files' names, a line for each as sha256sum prints it."""

    digits: Digits
    names: tuple[str, ...]
    lines: list[str]
    rejected: list[DataError]


def _read(pictures: list[tuple[Path, int]], root: Path) -> _Read:
    framed = frame_all([path for path, _ in pictures])
    names = [path.relative_to(root).as_posix() for path, _ in pictures]
    lines = [f"{sha}  {name}\n" for sha, name in zip(framed.hashes, names, strict=True)]
    kept = [at for at in range(len(pictures)) if at not in framed.rejected]
    labels = np.array([label for _, label in pictures], np.uint8)
    digits = Digits(framed.images, labels)
    return _Read(
        digits if len(kept) == len(digits) else digits[np.array(kept, np.int64)],
        tuple(names[at] for at in kept),
        lines,
        list(framed.rejected.values()),
    )
