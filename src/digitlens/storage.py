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
import re
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

from digitlens.errors import DataError, MissingDataError, RunError, StorageError, TooLargeError


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` whole, or leave what was there.

    Raises StorageError: the disk is full, or the place cannot be written.
    """
    with new_file(path) as (file, _):
        file.write(content)


def check_free(path: Path, try_: str = "--force to replace it, or another name") -> None:
    """Raise StorageError where something is at `path`: nothing is replaced unasked."""
    if path.exists():
        raise StorageError(f"{path} is there already", try_=try_)


@contextmanager
def new_file(path: Path, *, keep: bool = False) -> Iterator[tuple[IO[bytes], Path]]:
    """Give an open temporary file and its path; it becomes `path`, or after an error nothing.

    keep: where `path` is there already, it stays as it is: of several processes that begin it
        at once, the first counts

    What killed processes left in the folder is removed, once a process.

    Raises StorageError: as `write_bytes`.
    """
    with storage_errors(path):
        if path.parent not in _swept:
            _swept.add(path.parent)
            sweep_leftovers(path.parent)
        handle, name = open_temporary(path)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file, Path(name)
                file.flush()
                os.fsync(file.fileno())
                Path(name).chmod(0o666 & ~_umask())
                if sys.platform != "win32":
                    # Before it is closed: the lock says that somebody is at work here.
                    _name_file(Path(name), path, keep)
            if sys.platform == "win32":
                _name_file(Path(name), path, keep)
            sync_folder(path.parent)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise


def _name_file(temporary: Path, path: Path, keep: bool) -> None:
    if keep:
        try:
            path.hardlink_to(temporary)
        except OSError:  # it is there, or the disk has no links
            keep = path.exists()
    if keep:
        temporary.unlink()
    else:
        temporary.replace(path)


_swept: set[Path] = set()


def open_temporary(path: Path) -> tuple[int, str]:
    """Make a temporary file beside `path`; return its handle, which holds a lock, and name."""
    # Cut, as the temporary name must be a name too: 255 bytes are the most everywhere.
    start = os.fsdecode(os.fsencode(path.name)[:200])
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{start}.", suffix=".tmp", dir=path.parent)
        # Another process may have taken it for a leftover before it was locked.
        try:
            if sys.platform == "win32" or (_try_lock(handle) and os.fstat(handle).st_nlink):
                return handle, name
        except OSError:  # a disk without locks, where nothing is swept
            return handle, name
        os.close(handle)
        with suppress(OSError):
            Path(name).unlink()


def sweep_leftovers(folder: Path) -> None:
    """Remove temporary files of `new_file` whose process was killed: nobody has their lock."""
    if sys.platform == "win32":  # a lock is gone there when the file is closed, before it moves
        return
    # Names as text: a tray may have a million.
    names = os.listdir(folder) if is_folder(folder) else []  # noqa: PTH208
    for path in [folder / name for name in names if name[0] == "." and name[-4:] == ".tmp"]:
        with suppress(OSError):
            handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
            try:
                if stat.S_ISREG(os.fstat(handle).st_mode) and _try_lock(handle):
                    path.unlink()
            finally:
                os.close(handle)


def sync_folder(path: Path) -> None:
    """See to it that names given in this folder survive a power cut, where the system can."""
    with suppress(OSError):  # Windows opens no folders, and some disks cannot
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


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


def check_writable(folder: Path) -> None:
    """Check, before long work, that a folder can be written or made; nothing is changed.

    Raises StorageError: a file stands in its place, or the disk or folder is read-only.
    """
    with storage_errors(folder):
        place = folder
        while not os.path.lexists(place):
            place = place.parent
        refused = None if is_folder(place) else errno.ENOTDIR
        if refused is None and not os.access(place, os.W_OK):
            refused = errno.EACCES
        if refused is not None:
            raise OSError(refused, os.strerror(refused))


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

    @cached_property
    def sha256(self) -> str:
        """Their hash in hex."""
        return hashlib.sha256(self.content).hexdigest()


MAX_BYTES = 1 << 30
"""Larger files are not read, and packed ones not unpacked further: EMNIST whole has 600 MB."""

_IRREGULAR = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def read_regular(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Return the content of a regular file; nothing else is opened, as it might never end.

    Raises OSError: it is not there, cannot be read, is a folder, a pipe, a device or a socket,
    or has more than `limit` bytes; ``strerror`` says which.
    """
    try:
        _check_regular(path, os.stat(path))  # noqa: PTH116 - as for `os.open`
        # Without waiting: it may have become a pipe since.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
    except ValueError as error:  # a null byte
        raise OSError(errno.EINVAL, str(error), str(path)) from error
    with os.fdopen(handle, "rb") as file:
        size = _check_regular(path, os.fstat(handle))
        room = max(size, 1 << 16)  # files of the system say that they have 0 bytes
        content = file.read(room + 1) if size <= limit else None
        if content is None or len(content) > min(room, limit):
            raise OSError(errno.EFBIG, f"more than {limit:,} bytes", str(path))
    return content


_BINARY = getattr(os, "O_BINARY", 0)


def _check_regular(path: Path, about: os.stat_result) -> int:
    """Return the size of a regular file, and raise `OSError` for anything else."""
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    for is_kind, what in _IRREGULAR:
        if is_kind(about.st_mode):
            raise OSError(errno.EINVAL, f"{what}, no file; only files are opened", str(path))
    return about.st_size


def read_head(path: Path, size: int = 1024) -> bytes:
    """Return the first bytes of a regular file, and "?" where there are none to be read."""
    try:
        with path.open("rb") if is_file(path) else io.BytesIO() as file:
            return file.read(size) or b"?"
    except (OSError, ValueError):
        return b"?"


def readable_name(name: str) -> str:
    """Return a name as text that can be written anywhere: bytes that are no UTF-8 as codes.

    >>> readable_name("caf\\udce9.png")
    'caf\\\\xe9.png'
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def is_folder(path: Path) -> bool:
    """Say whether `path` is a folder; of too long a name, where `Path.is_dir` raises, False."""
    return os.path.isdir(path)  # noqa: PTH112 - see above


def is_file(path: Path) -> bool:
    """Say whether `path` is a regular file, as `is_folder` does."""
    return os.path.isfile(path)  # noqa: PTH113 - see above


_ADDRESS = re.compile(r"^(https?|ftp):/+", re.IGNORECASE)


def read_file(path: Path, limit: int = MAX_BYTES, *, name: str | None = None) -> FileContent:
    """Read the regular file at `path` whole; messages call it `name`.

    Raises MissingDataError: there is no such file; DataError: it cannot be read, is no regular
    file, or has more than `limit` bytes.
    """
    try:
        content = read_regular(path, limit)
    except FileNotFoundError as error:
        # A path has one slash where an address has two.
        name = _ADDRESS.sub(r"\1://", str(name or path))
        address = "://" in name
        try_ = f"digitlens opens files only; curl -LO {name} fetches it" if address else None
        raise MissingDataError(f"there is no file {name}", try_=try_) from error
    except OSError as error:
        seen = error.strerror or str(error)
        kind = TooLargeError if error.errno == errno.EFBIG else DataError
        raise kind(f"{name or path} cannot be read", seen=seen) from error
    return FileContent(path, content)


_LOCKED_BYTE = 1 << 30
"""Windows locks bytes, and nobody else can read those: this one is beyond any text."""


@contextmanager
def lock_file(path: Path, holder: str, *, wanted: str, try_: str) -> Iterator[bool]:
    """Hold the lock at `path` for this process, on every system.

    The system gives the lock back when the process ends, however it ends: a killed process
    holds nothing. The file stays, as removing it would let two processes lock two files.

    holder: who holds the lock, in words: kept in the file for those who find it taken
    wanted, try_: what the error says when another process holds the lock

    Gives whether the last holder was ended from outside, so that it could not give it back.

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
            was_ended = os.fstat(handle).st_size > 0
            os.truncate(handle, 0)
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, os.fsencode(holder))
        try:
            yield was_ended
        finally:
            with suppress(OSError):
                os.truncate(handle, 0)
    finally:
        os.close(handle)


@contextmanager
def wait_for_lock(path: Path) -> Iterator[None]:
    """Hold the lock at `path`, of threads and processes, once nobody else does; the file stays.

    On a disk without locks nothing is held. Raises StorageError: the file cannot be written.
    """
    with storage_errors(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        with suppress(OSError):
            if sys.platform == "win32":
                while not _try_lock(handle):
                    time.sleep(0.01)
            else:
                import fcntl

                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def share_file(path: Path, *, wanted: str, try_: str) -> int:
    """Hold a lock that several may hold, and return a handle; closing it gives the lock back.

    While it is held nobody has the same file by `lock_file`. Where the system has no such
    locks, nothing is held.

    Raises RunError: somebody has it by `lock_file`; StorageError: it cannot be written.
    """
    with storage_errors(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        is_ours = sys.platform == "win32" or _try_lock(handle, shared=True)
    except OSError:  # a disk without locks
        is_ours = True
    if not is_ours:
        os.close(handle)
        raise RunError(wanted, try_=try_)
    return handle


def _try_lock(handle: int, *, shared: bool = False) -> bool:
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
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
