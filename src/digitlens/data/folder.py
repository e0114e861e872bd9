"""Digits in a folder of class folders: 0/ to 9/, each full of pictures of any kind.

A set of pictures that were made for networks is used as it is; any other picture is put into
MNIST's frame.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from digitlens import storage
from digitlens.data.split import RawDataset
from digitlens.digits import CLASSES, SIDE, Digits, Images
from digitlens.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Item = TypeVar("Item")


MAX_REJECTED_SHARE = 0.9
"""A set of 28 x 28 pictures of which at least so many lie in MNIST's frame is taken as it is:
of MNIST's own digits 999 in 1,000 do."""

_TASK = 64


@dataclass(frozen=True, eq=False)
class FramedFiles:
    """Pictures in MNIST's frame."""

    # uint8 (N, 28, 28), 0 = paper, 255 = ink; blank where a picture cannot be used
    images: Images
    hashes: list[str]  # SHA-256 of each file in hex; empty where it cannot be read
    rejected: dict[int, DataError]  # why a picture cannot be used, by its place


def frame_files(paths: list[Path]) -> FramedFiles:
    """Read picture files and bring each into MNIST's frame.

    A set that was made for networks is not touched: pictures of 28 x 28 grey pixels of which
    at least `MAX_REJECTED_SHARE` lie in MNIST's frame. In any other set, each picture goes
    through `digitlens.imaging.frame_digit`, as it does in `digitlens predict`.
    """
    images = np.zeros((len(paths), SIDE, SIDE), np.uint8)
    hashes = [""] * len(paths)
    rejected: dict[int, DataError] = {}
    small = np.zeros(len(paths), np.bool_)

    def read(index: int) -> None:
        try:
            result = storage.read_file(paths[index])
            hashes[index] = result.sha256
            images[index], small[index] = _open_gray(result.content, name=str(paths[index]))
        except DataError as error:
            rejected[index] = error

    def frame(index: int) -> None:
        from digitlens.imaging import frame_steps

        try:
            images[index] = frame_steps(images[index], name=str(paths[index])).digit
        except DataError as error:
            images[index] = 0
            rejected[index] = error

    # Read all pictures first: whether they are framed is decided for the set as a whole, as
    # framing a few digits of a set made for networks would make them unlike the others.
    _spread(read, list(range(len(paths))))
    from digitlens.imaging.normalize import is_framed

    ready = is_framed(images)
    if not (small.all() and ready.mean() >= MAX_REJECTED_SHARE):
        _spread(frame, np.flatnonzero(small & ~ready).tolist())
    return FramedFiles(images, hashes, dict(sorted(rejected.items())))


def _open_gray(content: bytes, *, name: str) -> tuple[NDArray[np.uint8], bool]:
    """Return a digit, uint8 (28, 28), and whether it is a small picture as it came."""
    from digitlens.imaging import frame_steps
    from digitlens.imaging.io import load_image

    pixels = load_image(content, name=name).pixels
    if pixels.shape[:2] == (SIDE, SIDE):
        if pixels.ndim == 2:
            return pixels, True
        if (pixels == pixels[..., :1]).all():  # in colours that are all grey
            return pixels[..., 0], True
    return frame_steps(pixels, name=name).digit, False


def _spread(act: Callable[[Item], None], items: list[Item]) -> None:
    """Do `act` on all items, on as many cores as there are."""

    def some(start: int) -> None:
        for item in items[start : start + _TASK]:
            act(item)

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        list(pool.map(some, range(0, len(items), _TASK)))


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
LISTED = 10  # so many of the pictures that cannot be used are named in one message


def read_class_folders(folder: Path, *, source: str) -> RawDataset:
    """Read a folder of class folders.

    folder: holds folders 0 to 9, or train/ and perhaps test/ and validation/ with such folders
        in them. Every file in a class folder must be a picture of one digit, of any size and
        either polarity; `framed.frame_all` says which are brought into MNIST's frame. Hidden
        files are passed over. Files are taken in the order of their names, class by class, so
        that the result does not depend on the file system.

    Returns with the names of the training pictures, and the pictures that cannot be used.
    Raises DataError: a class folder is empty or not named as a digit, or there is none; or no
    training picture can be used.
    """
    inside = _folders(folder)
    named = {PARTS[path.name.lower()]: path for path in inside if path.name.lower() in PARTS}
    # Either folders called train, validation and test, or the class folders themselves.
    if named and "train" not in named:
        raise DataError(
            f"{folder} must have a folder called train",
            seen=", ".join(path.name for path in inside),
        )
    listed = {part: _list_files(path) for part, path in (named or {"train": folder}).items()}
    read = {part: _read(pictures, folder) for part, pictures in listed.items()}
    rejected = tuple(error for item in read.values() for error in item.rejected)
    if not len(read["train"].digits):
        raise error_too_many_rejected(rejected, len(listed["train"]), source)
    lines = [line for item in read.values() for line in item.lines]
    # One hash over names and contents: the same set is known again, wherever it lies.
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    digits = {part: item.digits for part, item in read.items()}
    return RawDataset(
        source,
        digits["train"],
        {f"{folder.name} ({len(lines):,} pictures)": digest},
        validation=digits.get("validation"),
        test=digits.get("test"),
        names=read["train"].names,
        rejected=rejected,
    )


def error_too_many_rejected(
    rejected: Sequence[DataError], count: int, source: str
) -> DataError:
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


def _list_files(folder: Path) -> list[tuple[Path, int]]:
    """Return every picture of the class folders in `folder` and its label, sorted."""
    inside = _folders(folder)
    # Anything beside the ten classes is more likely a wrong folder than a class to skip.
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
            item
            for item in path.iterdir()
            if not item.name.startswith(".") and item.name.lower() not in _JUNK
        )
        if not names:
            raise DataError(
                f"{path} is an empty class folder",
                try_="put pictures of the digit into it, or remove it",
            )
        pictures.extend((item, int(path.name)) for item in names)
    return pictures


@dataclass(frozen=True, eq=False)
class _Read:
    """What was read: digits, their files' names, a line for each as sha256sum prints it."""

    digits: Digits
    names: tuple[str, ...]
    lines: list[str]
    rejected: list[DataError]


def _read(pictures: list[tuple[Path, int]], root: Path) -> _Read:
    framed = frame_files([path for path, _ in pictures])
    names = [path.relative_to(root).as_posix() for path, _ in pictures]
    lines = [f"{sha}  {name}\n" for sha, name in zip(framed.hashes, names, strict=True)]
    kept = [index for index in range(len(pictures)) if index not in framed.rejected]
    labels = np.array([label for _, label in pictures], np.uint8)
    digits = Digits(framed.images, labels)
    return _Read(
        digits if len(kept) == len(digits) else digits[np.array(kept, np.int64)],
        tuple(names[index] for index in kept),
        lines,
        list(framed.rejected.values()),
    )
