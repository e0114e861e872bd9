"""Files that are written whole or not at all, read whole, and locked for one process.

A file is written under a temporary name and then moved: a kill at any moment leaves the old
file or the new one, and at most a hidden ``.<name>.<random>.tmp``, which nothing reads.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import os
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from digitlens.errors import DataError, MissingDataError, RunError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` whole, or leave what was there.

    Raises StorageError: the disk is full, or the place cannot be written.
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


def write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table as CSV, whole, or leave what was there (see `write_bytes`)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    write_text(path, text.getvalue())


def make_folder(path: Path) -> None:
    """Make `path` and its parents, where they are not there yet.

    Raises StorageError: the folder cannot be made.
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
    """The content of one file."""

    path: Path  # where it was read
    content: bytes  # its bytes, as they lie on the disk
    sha256: str  # their hash in hex


def read_file(path: Path) -> FileContent:
    """Read the file at `path` whole.

    Raises MissingDataError: there is no such file; DataError: it cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise MissingDataError(f"there is no file {path}") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read", seen=error.strerror or str(error)) from error
    return FileContent(path, content, hashlib.sha256(content).hexdigest())


_LOCKED_BYTE = 1 << 30
"""Windows locks bytes, and nobody else can read those: this one is beyond any text."""


@contextmanager
def lock_file(path: Path, holder: str, *, wanted: str, try_: str) -> Iterator[None]:
    """Hold the lock at `path` for this process, on every system.

    The system gives the lock back when the process ends, however it ends: a killed process
    holds nothing. The file stays, as removing it would let two processes lock two files.

    holder: who holds the lock, in words: kept in the file for those who find it taken
    wanted, try_: what the error says when another process holds the lock

    Raises RunError: another process holds it; ``seen`` is what that one gave as `holder`;
    StorageError: the file cannot be written.
    """
    with storage_errors(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not _try_lock(handle):
            os.lseek(handle, 0, os.SEEK_SET)
            other = os.read(handle, 4096).decode(errors="replace").strip()
            # Between taking the lock and writing its name a holder has none.
            raise RunError(wanted, seen=other or "process unknown", try_=try_)
        with storage_errors(path):
            os.truncate(handle, 0)
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, holder.encode())
        yield
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    """Lock an open file and return True, or False where another process has it."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
