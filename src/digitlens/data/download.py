"""Published files from their mirrors by pooch: whole and with the right hash, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from digitlens import files
from digitlens.atomic import make_folder, storage_errors
from digitlens.data.mismatch import likely, set_aside
from digitlens.errors import DigitlensError, HashMismatchError, MissingDataError

if TYPE_CHECKING:
    from digitlens.data.published import File, Published

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with a file's name, the bytes that have come, and all its bytes."""

Get: TypeAlias = Callable[[str, Path, Callable[[int], None]], None]
"""Copy an address to a path, telling how many bytes have come; `UnreachableError`."""

NO_CONNECTION = "no connection"


class UnreachableError(Exception):
    """An address gave no file: no network, a time-out, or an answer such as 404."""


@dataclass(frozen=True)
class Fetched:
    """What a download brought.

    Parameters
    ----------
    folder
        Where the files are now.
    names
        The files that were downloaded; what was there already is not among them.
    missing
        Tables of writers that could not be had, with the reason. Without them validation
        digits are held back by class.
    """

    folder: Path
    names: tuple[str, ...]
    missing: dict[str, str]


def download(
    published: Published,
    folder: Path,
    *,
    looked: list[str],
    progress: Progress | None = None,
    get: Get | None = None,
) -> Fetched:
    """Bring what `folder` lacks of a collection.

    Parameters
    ----------
    published
        Which collection.
    folder
        Where the files go; made when it is not there.
    looked
        Where the collection was looked for before, in words, for the error.
    progress
        Called as each file comes.
    get
        Copies one address; pooch when not given.

    Raises
    ------
    MissingDataError
        No mirror answered.
    HashMismatchError
        Every mirror that answered gave another file; the last is kept aside.
    StorageError
        The folder cannot be written.
    """
    make_folder(folder)
    get = get or _by_pooch
    names: list[str] = []
    for file in published.files:
        if _lacks(folder, file):
            _fetch(file, published.mirrors, folder, published.title, looked, progress, get)
            names.append(file.name)
    missing: dict[str, str] = {}
    for file in published.tables:
        if not _lacks(folder, file):
            continue
        try:
            _fetch(file, published.table_mirrors, folder, published.title, [], progress, get)
            names.append(file.name)
        except (MissingDataError, HashMismatchError) as error:
            missing[file.name] = error.wanted
    return Fetched(folder, tuple(names), missing)


def _lacks(folder: Path, file: File) -> bool:
    return not any((folder / name).is_file() for name in (file.name, file.unpacked_name))


def _fetch(
    file: File,
    mirrors: tuple[str, ...],
    folder: Path,
    title: str,
    looked: list[str],
    progress: Progress | None,
    get: Get,
) -> None:
    """Bring one file from the first mirror that has it."""
    failures: list[str] = []
    mismatch: DigitlensError | None = None
    for mirror in mirrors:
        try:
            _copy(file, mirror + file.name, folder, progress, get)
        except UnreachableError as error:
            failures.append(f"{mirror}: {error}")
        except HashMismatchError as error:
            failures.append(f"{mirror}: another file")
            mismatch = error
        else:
            return
    if mismatch is not None:
        raise mismatch
    raise MissingDataError(
        f"{title} is not on this machine, and {file.name} could not be fetched",
        seen="\n".join([*looked, *failures]),
        likely="there is no network"
        if all(failure.endswith(NO_CONNECTION) for failure in failures)
        else None,
        try_=f"set DIGITLENS_DATA to a folder that holds {title}'s files,\n"
        "or use --data uci, which comes with digitlens",
    )


def _copy(file: File, address: str, folder: Path, progress: Progress | None, get: Get) -> None:
    """Copy one address into `folder`; a file with another hash is kept aside and named."""
    tell = progress or (lambda _name, _done, _size: None)
    target = folder / file.name
    with storage_errors(target):
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".tmp", dir=folder)
        os.close(handle)
        partial = Path(name)
        try:
            get(address, partial, lambda done: tell(file.name, min(done, file.size), file.size))
            found = files.read(partial)
            if found.sha256 == file.sha256:
                partial.chmod(0o644)
                partial.replace(target)
                return
            partial.replace(target)
            aside = set_aside(target)
        finally:
            with suppress(OSError):
                partial.unlink()
    raise HashMismatchError(
        f"{address} is not the file that was published; it was kept as {aside}",
        seen=f"SHA-256 {found.sha256}, {len(found.content):,} bytes\nwanted  {file.sha256}",
        likely=likely(file, found.content),
        try_="try again later, or on another network",
    )


def _by_pooch(address: str, path: Path, tell: Callable[[int], None]) -> None:
    import pooch  # loaded, with requests, only when something is to be downloaded
    import requests

    copier = pooch.HTTPDownloader(progressbar=_Bar(tell), chunk_size=1 << 16, timeout=(10, 60))
    try:
        copier(address, str(path), None)
    except requests.HTTPError as error:
        raise UnreachableError(str(error)) from error
    except requests.Timeout as error:
        raise UnreachableError("no answer in time") from error
    except requests.RequestException as error:
        raise UnreachableError(NO_CONNECTION) from error


class _Bar:
    """What pooch calls as bytes come, in the form of a tqdm bar."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self.total = 0
        self._tell = tell
        self._done = 0

    def update(self, count: int) -> None:
        self._done += count
        self._tell(self._done)

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        pass
