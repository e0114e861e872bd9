"""Files that are there whole or not at all: written beside their place, then moved.

A kill at any moment leaves the old file or the new one. What a kill leaves behind is a
hidden ``.<name>.<random>.tmp`` beside the target, which nothing reads.

* A file read whole, together with its hash.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from digitlens.errors import DataError, MissingDataError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` whole, or leave what was there.

    Raises
    ------
    StorageError
        The disk is full, or the place cannot be written.
    """
    with storage_errors(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole, or leave what was there (see `write_bytes`)."""
    write_bytes(path, text.encode())


def make_folder(path: Path) -> None:
    """Make `path` and its parents, where they are not there yet.

    Raises
    ------
    StorageError
        The folder cannot be made.
    """
    with storage_errors(path):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn an `OSError` from a write to `path` into a `StorageError` that says what to do."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{path} could not be written",
            seen=error.strerror or str(error),
            likely=_likely(error),
            try_=_try(error),
        ) from error


def _likely(error: OSError) -> str | None:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full; what was written before is still whole"
    return None


def _try(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "make room, then run the command again"
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return "name another place: a file stands where a folder is wanted"
    return "name a folder that you may write to"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@dataclass(frozen=True)
class FileContent:
    """The content of one file.

    Parameters
    ----------
    path
        Where it was read.
    content
        Its bytes, as they lie on the disk.
    sha256
        Their hash in hex.
    """

    path: Path
    content: bytes
    sha256: str


def read_file(path: Path) -> FileContent:
    """Read the file at `path` whole.

    Raises
    ------
    MissingDataError
        There is no such file.
    DataError
        It cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise MissingDataError(f"there is no file {path}") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read", seen=error.strerror or str(error)) from error
    return FileContent(path, content, hashlib.sha256(content).hexdigest())
