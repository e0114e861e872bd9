"""Digits in a folder of class folders: 0/ to 9/, each full of pictures of any kind.

A set of pictures that were made for networks is used as it is; any other picture is put into
MNIST's frame.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from digitlens import storage
from digitlens.data.split import RawDataset
from digitlens.digits import SIDE, Digits, Images
from digitlens.errors import DataError, DigitlensError
from digitlens.workers import attempt

Item = TypeVar("Item")


# A set of 28 x 28 pictures of which at least so many lie in MNIST's frame is taken as it is:
# of MNIST's own digits 999 in 1,000 do.
MAX_REJECTED_SHARE = 0.9

_TASK = 64


@dataclass(frozen=True, eq=False)
class FramedFiles:
    """Pictures in MNIST's frame."""

    # uint8 (N, 28, 28), 0 = paper, 255 = ink; blank where a picture cannot be used
    images: Images
    hashes: list[str]  # SHA-256 of each file in hex; empty where it cannot be read
    rejected: dict[int, DigitlensError]  # why a picture cannot be used, by its place


def frame_files(paths: list[Path]) -> FramedFiles:
    """Read picture files and bring each into MNIST's frame.

    A set that was made for networks is not touched: pictures of 28 x 28 grey pixels of which
    at least `MAX_REJECTED_SHARE` lie in MNIST's frame. In any other set, each picture goes
    through `digitlens.imaging.frame_digit`, as it does in `digitlens predict`.
    """
    images = np.zeros((len(paths), SIDE, SIDE), np.uint8)
    hashes = [""] * len(paths)
    rejected: dict[int, DigitlensError] = {}
    small = np.zeros(len(paths), np.bool_)

    def read(index: int) -> None:
        result = storage.read_file(paths[index])
        hashes[index] = result.sha256
        images[index], small[index] = _open_gray(result.content, name=str(paths[index]))

    def frame(index: int) -> None:
        from digitlens.imaging import frame_steps

        images[index] = frame_steps(images[index], name=str(paths[index])).digit

    def isolate(work: Callable[[int], None]) -> Callable[[int], None]:
        def act(index: int) -> None:
            error = attempt(work, index).error
            if error is not None:
                images[index], small[index] = 0, False
                rejected[index] = error

        return act

    # Read all pictures first: whether they are framed is decided for the set as a whole, as
    # framing a few digits of a set made for networks would make them unlike the others.
    _spread(isolate(read), list(range(len(paths))))
    from digitlens.imaging.normalize import is_framed

    ready = is_framed(images)
    if not (small.all() and ready.mean() >= MAX_REJECTED_SHARE):
        _spread(isolate(frame), np.flatnonzero(small & ~ready).tolist())
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


# Names of folders above the class folders, and the part that each stands for.
PARTS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_LABEL = re.compile(r"(?:(?:digit|class|label|number|num)[ _.-]*)?0*([0-9])(?:\.0*)?")
# What systems leave in folders.
_JUNK = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
LISTED = 10  # so many of the pictures that cannot be used are named in one message


def read_class_folders(folder: Path, *, source: str) -> RawDataset:
    """Read a folder of class folders.

    folder: holds folders 0 to 9 (or zero, 00, digit_0 and so on), or train/ and perhaps test/
        and validation/ with such folders in them. Every file in a class folder must be a
        picture of one digit, of any size and either polarity; `frame_files` says which are
        brought into MNIST's frame. Hidden files are passed over. Files are taken in the order
        of their names, class by class, so that the result does not depend on the file system.

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


_FILE_COLUMNS = ("path", "file", "filename", "file_name", "image", "img", "picture", "name")
_LABEL_COLUMNS = ("label", "class", "digit", "target", "y", "category")


class Columns(NamedTuple):
    """Where a CSV that lists pictures has what."""

    file: int
    label: int
    has_header: bool
    delimiter: str


def find_columns(head: bytes) -> Columns | None:
    """Return where a CSV that begins with `head` has files and labels; None where it has none.

    >>> find_columns(b"id,filename,label\\n1,a.png,7\\n")
    Columns(file=1, label=2, has_header=True, delimiter=',')
    """
    from digitlens.imaging.io import IMAGE_SUFFIXES

    for delimiter in ",;\t":
        cells = [cell.lower() for cell in _split_row(head.split(b"\n")[0], delimiter)]
        files = [index for index, cell in enumerate(cells) if cell in _FILE_COLUMNS]
        labels = [index for index, cell in enumerate(cells) if cell in _LABEL_COLUMNS]
        if files and labels:
            return Columns(files[0], labels[0], True, delimiter)
        files = [index for index, cell in enumerate(cells) if cell.endswith((*IMAGE_SUFFIXES,))]
        labels = [index for index, cell in enumerate(cells) if parse_label(cell) is not None]
        if len(files) == len(labels) == 1:
            return Columns(files[0], labels[0], False, delimiter)
    return None


def _split_row(row: bytes, delimiter: str) -> list[str]:
    text = row.decode("utf-8-sig", "replace").strip("\r\n")
    try:
        return [cell.strip() for cell in next(csv.reader([text], delimiter=delimiter), [])]
    except csv.Error:  # no text at all
        return []


def read_picture_list(path: Path, *, source: str) -> RawDataset:
    """Read the pictures that a CSV file lists, each with its label; paths are below its folder.

    Raises DataError: a label is no digit, a row lacks a column, or no picture can be used.
    """
    result = storage.read_file(path)
    columns = find_columns(result.content[:8192])
    assert columns is not None, "it lists pictures"
    pictures = []
    for number, row in enumerate(result.content.splitlines(), 1):
        if (number == 1 and columns.has_header) or not row.strip():
            continue
        cells = _split_row(row, columns.delimiter)
        label = parse_label(cells[columns.label]) if len(cells) > columns.label else None
        if label is None or len(cells) <= columns.file:
            raise DataError(
                f"{path}, line {number}: a row must have a file and its label, 0 to 9",
                seen=", ".join(cells)[:200],
            )
        pictures.append((path.parent / cells[columns.file], label))
    read = _read(pictures, path.parent)
    if not len(read.digits):
        raise error_too_many_rejected(read.rejected, len(pictures), source)
    digest = hashlib.sha256("".join(read.lines).encode()).hexdigest()
    hashes = {path.name: result.sha256, f"{path.name} ({len(pictures):,} pictures)": digest}
    return RawDataset(
        source, read.digits, hashes, names=read.names, rejected=tuple(read.rejected)
    )


def error_too_many_rejected(
    rejected: Sequence[DigitlensError], count: int, source: str
) -> DigitlensError:
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


def parse_label(text: str) -> int | None:
    """Return the digit that a class folder or a cell is called by, or None.

    >>> [parse_label(text) for text in ("7", "07", "seven", "digit_7", "7.0", "17", "cat")]
    [7, 7, 7, 7, 7, None, None]
    """
    name = text.strip().lower()
    match = _LABEL.fullmatch(name)
    if match is not None:
        return int(match[1])
    return _WORDS.index(name) if name in _WORDS else None


def _is_ours(path: Path) -> bool:
    return not path.name.startswith(".") and path.name.lower() not in _JUNK


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and _is_ours(path))


def _list_files(folder: Path) -> list[tuple[Path, int]]:
    """Return every picture of the class folders in `folder` and its label, sorted."""
    inside = _folders(folder)
    # Anything beside the ten classes is more likely a wrong folder than a class to skip.
    classes = {path: parse_label(path.name) for path in inside}
    others = [path.name for path, label in classes.items() if label is None]
    if others or not inside:
        seen = ", ".join(others) if others else "no folders"
        raise DataError(
            f"{folder} must hold class folders, named 0 to 9",
            seen=seen if len(seen) < 200 else seen[:200] + " ...",
            try_="name a folder of class folders, of IDX files, or a .npz or .csv file",
        )
    pictures: list[tuple[Path, int]] = []
    for path, label in sorted(classes.items(), key=lambda item: (item[1] or 0, item[0])):
        names = sorted(filter(_is_ours, path.iterdir()))
        if not names:
            raise DataError(
                f"{path} is an empty class folder",
                try_="put pictures of the digit into it, or remove it",
            )
        pictures.extend((item, label or 0) for item in names)
    return pictures


@dataclass(frozen=True, eq=False)
class _Read:
    """What was read: digits, their files' names, a line for each as sha256sum prints it."""

    digits: Digits
    names: tuple[str, ...]
    lines: list[str]
    rejected: list[DigitlensError]


def _read(pictures: list[tuple[Path, int]], root: Path) -> _Read:
    framed = frame_files([path for path, _ in pictures])
    names = [
        path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
        for path, _ in pictures
    ]
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
