"""Files in trays: a piece is linked, copied or moved so that it is never in two."""

from __future__ import annotations

import errno
import filecmp
import os
from typing import TYPE_CHECKING

from digitlens.errors import DataError
from digitlens.storage import make_folder, read_regular, storage_errors, write_bytes

if TYPE_CHECKING:
    from pathlib import Path


# The folders of what waits for a person, and of what no person could read.
REVIEW, UNSORTABLE = "review", "unsortable"
# What a system answers that cannot link here: another disk, or no links at all.
NO_LINK_ERRORS = (
    errno.EXDEV,
    errno.EPERM,
    errno.EMLINK,
    errno.ENOTSUP,
    errno.ENOSYS,
    errno.EACCES,
)


def put_in_tray(source: Path, target: Path, *, copy: bool = False) -> bool:
    """Make the file `target` of `source`, unless it is there; return whether it is a copy.

    A hard link takes no space, and outlives the source; where none can be made, and with
    `copy`, it is a copy, which appears whole or not at all. `StorageError` where the place
    cannot be written, `DataError` where the source cannot be read.
    """
    make_folder(target.parent)
    if target.exists():
        _check_same(source, target)
        return False
    if not copy and _link(source, target):
        return False
    try:
        content = read_regular(source)
    except OSError as error:
        raise _source_error(source, error) from error
    write_bytes(target, content)
    return True


def _link(source: Path, target: Path) -> bool:
    """Link `target` to `source`; return False where the system cannot link here."""
    try:
        os.link(source.resolve(), target)
    except FileExistsError:  # made by another process since we looked
        _check_same(source, target)
    except FileNotFoundError as error:
        raise _source_error(source, error) from error
    except OSError as error:
        if error.errno in NO_LINK_ERRORS:
            return False
        with storage_errors(target):
            raise
    return True


def _source_error(source: Path, error: OSError) -> DataError:
    return DataError(f"{source} cannot be put into a tray", seen=error.strerror or str(error))


def move_to_tray(source: Path, origin: Path, target: Path, *, copy: bool = False) -> bool:
    """Move the file `origin` to `target`; done twice, it is done once.

    Where `origin` is no longer there it is made of `source` again. Returns whether a copy had
    to be made.
    """
    make_folder(target.parent)
    if target.exists():  # a kill came after the move, or between copy and removal
        if origin.exists():
            _check_same(origin, target)
            with storage_errors(origin):
                origin.unlink(missing_ok=True)
        return False
    try:
        origin.rename(target)
    except FileNotFoundError:
        return put_in_tray(source, target, copy=copy)
    except OSError:
        with storage_errors(target):
            raise
    return False


def _check_same(source: Path, target: Path) -> None:
    """Raise `DataError` where `target` is another file than `source`: it stays as it is."""
    try:
        same = source.samefile(target) or filecmp.cmp(source, target, shallow=False)
    except FileNotFoundError:
        return  # the picture is gone; the file in the tray is all that remains of it
    if not same:
        raise DataError(
            f"{target} is another file than {source}",
            likely="somebody else put it into the tray",
            try_="move it away, then run the command again",
        )


def file_fingerprint(path: Path | str) -> str:
    """Return size and time of the file at `path`: they tell whether it was changed."""
    try:
        about = os.stat(path)  # noqa: PTH116 - paths of all pieces come as text
    except OSError:
        return "gone"
    return f"{about.st_size} {about.st_mtime_ns}"
