"""What was named -> the files to read; of a folder nothing is passed over in silence.

`predict`, `read` and `route` take the same files of a folder: those that are called like a
picture, and those that are pictures or documents by their first bytes, whether they can be
opened or not.
"""

from __future__ import annotations

import ctypes
import json
import os
import warnings
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from glob import glob, has_magic
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from digitlens.errors import DataError, DigitlensWarning, MissingDataError, UsageError
from digitlens.imaging.filetypes import identify
from digitlens.imaging.io import IMAGE_SUFFIXES
from digitlens.storage import is_folder, read_file, read_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


MAX_BYTES = 1 << 29
"""Files of more than 512 MiB are not read: no picture that may be decoded is larger."""

PICTURE_SUFFIXES = IMAGE_SUFFIXES | {".pdf"}
PACK = 1000  # names that a list of files packs together
RUN = 20_000  # names of one folder that are sorted together; what is sorted is packed
JUNK = frozenset(("thumbs.db", "desktop.ini", "__macosx"))  # what systems leave in folders


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that is read."""

    path: Path  # where it lies
    name: str  # what results and messages call it
    stem: str  # what pictures made of it are called; no two files of one call share it
    listed: bool = False  # whether it was listing in a folder, and so was there a moment ago


@dataclass
class Listing:
    """What stands in a folder."""

    files: list[Path] = field(default_factory=list)  # pictures and documents, in order
    others: list[str] = field(default_factory=list)  # names of other files that are no text
    folders: list[str] = field(default_factory=list)  # names of folders not looked into
    errors: list[str] = field(default_factory=list)  # why a folder could not be listed
    top: Path | None = None  # the folder, once it was listed

    def describe(self, folder: Path | str) -> str:
        """Say in one line what of `folder` is passed over; "" for nothing."""
        parts = []
        if self.others:
            parts.append(_count(self.others, "other file", "other files"))
        if self.folders:
            parts.append(
                _count(self.folders, "folder", "folders") + ", which --recursive reads"
            )
        parts += self.errors
        return f"{folder}: not read are {'; '.join(parts)}" if parts else ""


def _count(names: list[str], one: str, many: str) -> str:
    some = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names):,} {one if len(names) == 1 else many} ({some})"


def list_folder(
    folder: Path, *, recursive: bool = False, without: Path | None = None
) -> Listing:
    """Return what stands in `folder`; files of text, hidden ones and junk are nothing.

    A file is a picture or document by its name, or by its first bytes.

    without: a folder that is not looked into

    Raises DataError: `folder` itself cannot be listed.
    """
    listing = Listing()
    paths = walk_folder(folder, listing, recursive=recursive, without=without)
    listing.files = [Path(path) for path, _ in paths]
    return listing


def walk_folder(
    folder: Path, listing: Listing, *, recursive: bool = False, without: Path | None = None
) -> Iterator[tuple[str, bool]]:
    """Walk over the files of `list_folder`: the path, and whether it is a regular file.

    What is passed over is noted in `listing`. Few names of a folder are held unpacked.

    Raises DataError: as `list_folder`.
    """
    try:
        names, kinds = _list_names(folder)
    except OSError as error:
        if listing.top is None:
            seen = error.strerror or str(error)
            raise DataError(f"{folder} cannot be listed", seen=seen) from error
        listing.errors.append(f"{error.filename}: {error.strerror}")
        return
    listing.top = listing.top or folder
    top = os.path.join(folder, "")  # noqa: PTH118
    for name in names:
        kind, path = kinds.get(name, "file"), top + name
        if kind == "file" and name[name.rfind(".") :].lower() in PICTURE_SUFFIXES:
            yield path, True
            continue
        if name.lower() in JUNK:
            continue
        if kind in ("folder", "link"):
            if Path(path) == without:
                continue
            if not recursive:
                listing.folders.append(name)
            elif kind == "folder":
                yield from walk_folder(Path(path), listing, recursive=True, without=without)
            continue
        head = b"" if has_picture_name(name) else read_head(Path(path))
        about = identify(head)
        if not head or (about is not None and about.is_document):
            yield path, kind == "file"
        elif b"\0" in head:
            listing.others.append(name)


def _list_names(folder: Path) -> tuple[Iterable[str], dict[str, str]]:
    """Return the names in a folder, in order, and the kinds of those that are no files."""
    names: list[str] = []
    runs: list[list[bytes]] = []
    kinds = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name[0] == ".":
                continue
            if len(names) == RUN:
                names.sort()
                runs.append(list(_pack(iter(names))))
                names = []
            names.append(name)
            if not entry.is_file():  # what most are is asked first
                kind = "link" if entry.is_symlink() else "folder"
                kinds[name] = kind if entry.is_dir() else "other"
    names.sort()
    return (merge(*map(_unpack, runs), names) if runs else names), kinds


def _pack(items: Iterator[Any]) -> Iterator[bytes]:
    """Pack a thousand at a time: a hundred thousand names take a megabyte, or two."""
    while pack := list(islice(items, PACK)):
        yield zlib.compress(json.dumps(pack).encode(), 1)


def _unpack(packs: Iterable[bytes]) -> Iterator[Any]:
    for pack in packs:
        yield from json.loads(zlib.decompress(pack))


def has_picture_name(path: Path | str) -> bool:
    """Say whether a file is called like a picture or a PDF."""
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122 - also asked of text
    return suffix in PICTURE_SUFFIXES


class InputList(Sequence[InputFile]):
    """Files to read, in order: packed, and made into `InputFile` as they are asked for."""

    def __init__(
        self, paths: Iterator[tuple[str, bool]], stdin: Path | None, *, stems: bool
    ) -> None:
        self._stdin, self._stems = stdin, stems
        self._packs = list(_pack(paths))
        last = len(list(_unpack(self._packs[-1:])))  # all others are full
        self._count = max(0, len(self._packs) - 1) * PACK + last

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[InputFile]:
        taken: set[str] = set()
        for text, listed in _unpack(self._packs):
            path = Path(text)
            name = "stdin" if path == self._stdin else text
            yield InputFile(path, name, _stem(path, taken) if self._stems else "", listed)

    @overload
    def __getitem__(self, index: int) -> InputFile: ...
    @overload
    def __getitem__(self, index: slice) -> list[InputFile]: ...
    def __getitem__(self, index: int | slice) -> InputFile | list[InputFile]:
        return list(self)[index]


def list_inputs(
    named: Iterable[str],
    *,
    stdin: Path | None = None,
    recursive: bool = False,
    stems: bool = True,
) -> InputList:
    """Return the files that were named, and for each folder the pictures and documents in it.

    named: files, folders and patterns (``scans/*.png``, ``scans/**/*.pdf``) that the shell left
        as they are. An existing file of that very name counts first.
    stdin: the file that stands for ``-``
    recursive: look into folders in folders
    stems: whether each needs a `stem`, which takes memory for all of them

    Returns in the order in which they were named; those of a folder or a pattern by name. What
    does not exist, and a folder without pictures, stays in the list: reading it gives the
    error. Warns of what a folder has that is passed over.

    Raises UsageError: a name is empty.
    """
    return InputList(_walk_named(named, stdin, recursive), stdin, stems=stems)


def _walk_named(
    named: Iterable[str], stdin: Path | None, recursive: bool
) -> Iterator[tuple[str, bool]]:
    """Yield the path of each file, and whether it was listed in a folder."""
    for name in named:
        if not name:
            raise UsageError(
                "a file must have a name",
                seen="''",
                likely="a variable of the shell is not set",
            )
        if name == "-" and stdin is not None:
            yield str(stdin), False
        # A pattern, unless a file has that very name.
        elif not os.path.lexists(name) and has_magic(name):
            matches = [Path(item) for item in sorted(glob(name, recursive=True))]  # noqa: PTH207 - a pattern may be absolute
            for match in matches or [Path(name)]:
                yield from _expand(match, recursive)
        else:
            yield from _expand(Path(name), recursive)


def _expand(path: Path, recursive: bool) -> Iterator[tuple[str, bool]]:
    """Yield the files of a folder, or what is none; without any, reading it gives the error."""
    listing, is_empty = Listing(), True
    if is_folder(path):
        with suppress(DataError):
            for name, _ in walk_folder(path, listing, recursive=recursive):
                is_empty = False
                yield str(Path(name)), True
    if is_empty:
        yield str(path), False
    elif note := listing.describe(path):
        warnings.warn(note, DigitlensWarning, stacklevel=5)


def _stem(path: Path, taken: set[str]) -> str:
    """Return the file's name without its ending; -2, -3 and so on where that is taken."""
    first = path.stem or "picture"
    stem, count = first, 1
    # Some file systems do not tell a.png from A.png.
    while stem.lower() in taken:
        count += 1
        stem = f"{first}-{count}"
    taken.add(stem.lower())
    return stem


def read_input(source: InputFile) -> bytes:
    """Return the bytes of a file that was named or listed.

    Raises MissingDataError: it does not exist, or no longer; DataError: it is a folder, cannot
    be read, or has more than `MAX_BYTES` bytes.
    """
    if is_folder(source.path):
        listing = list_folder(source.path)
        raise DataError(
            f"{source.name} is a folder without pictures",
            seen=listing.describe(source.path) or None,
            try_="name one with PNG, JPEG, BMP, TIFF, GIF, WebP, PGM or PDF files in it",
        )
    try:
        return read_file(source.path, MAX_BYTES, name=source.name).content
    except MissingDataError as error:
        likely = "it was removed after its folder was listed" if source.listed else None
        raise MissingDataError(error.wanted, likely=likely, try_=error.try_) from error


def use_one_core() -> None:
    """Let this process, which shares the machine with others like it, use one core."""
    import cv2

    cv2.setNumThreads(1)


TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # names and numbers of mallopt(3)
MAX_HEAP_BLOCK = 2**25
TRAINING_BYTES, PAGE_BYTES = 2**30, 2**27
"""What a training keeps, and a process that reads one page after the other."""


def tune_malloc(kept_bytes: int = TRAINING_BYTES) -> None:
    """Tell glibc to keep so much freed memory; do nothing where there is another allocator.

    Every step or page takes and frees the same few megabytes. By default glibc hands each large
    block back and fetches it again, zeroed page by page: half of all page faults of a training,
    and a tenth of the processor time for a piece of mail.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):
        return
    mallopt(TRIM_THRESHOLD, kept_bytes)
    mallopt(MMAP_THRESHOLD, MAX_HEAP_BLOCK)
