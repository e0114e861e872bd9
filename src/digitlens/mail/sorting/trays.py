"""Files in trays: a piece is linked, copied or moved so that it is never in two."""

from __future__ import annotations

import errno
import filecmp
import os
from typing import TYPE_CHECKING

from digitlens.atomic import make_folder, storage_errors, write_bytes
from digitlens.errors import DataError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.EACCES)
"""What a system says that cannot link here: another disk, no such thing as links."""


def put(source: Path, target: Path, *, copy: bool = False) -> bool:
    """Make the file `target` of `source`, unless it is there; return whether it is a copy.

    A hard link costs no room, and outlives the source; where none can be made, and where
    `copy` is wanted, it is a copy, which appears whole or not at all.

    Raises
    ------
    StorageError
        The disk is full, or the place cannot be written.
    DataError
        The source cannot be read.
    """
    make_folder(target.parent)
    if target.exists():
        _check_same(source, target)
        return False
    if not copy:
        try:
            os.link(source.resolve(), target)
        except FileExistsError:
            _check_same(source, target)
            return False
        except FileNotFoundError as error:
            raise _gone(source, error) from error
        except OSError as error:
            if error.errno not in NO_LINKS:
                with storage_errors(target):
                    raise
        else:
            return False
    try:
        content = source.read_bytes()
    except OSError as error:
        raise _gone(source, error) from error
    write_bytes(target, content)
    return True


def _gone(source: Path, error: OSError) -> DataError:
    return DataError(f"{source} cannot be put into a tray", seen=error.strerror or str(error))


def move(source: Path, origin: Path, target: Path, *, copy: bool = False) -> bool:
    """Move the file `origin` to `target`; done twice, it is done once.

    Where `origin` is no longer there it is made of `source` again.

    Returns
    -------
    Whether a copy had to be made.
    """
    make_folder(target.parent)
    if target.exists():
        if origin.exists():
            _check_same(origin, target)
            with storage_errors(origin):
                origin.unlink(missing_ok=True)
        return False
    try:
        origin.rename(target)
    except FileNotFoundError:
        return put(source, target, copy=copy)
    except OSError:
        with storage_errors(target):
            raise
    return False


def _check_same(source: Path, target: Path) -> None:
    """Raise `StorageError` where `target` is another file than `source`, put there by others.

    Raises
    ------
    StorageError
        It is; nothing is written over it.
    """
    try:
        same = source.samefile(target) or filecmp.cmp(source, target, shallow=False)
    except FileNotFoundError:
        return  # the picture is gone; what is in the tray is all that is left of it
    if not same:
        raise StorageError(
            f"{target} is another file than {source}",
            likely="somebody else put it into the tray",
            try_="move it away, then run the command again",
        )


def sweep(folders: Iterable[Path]) -> None:
    """Remove what killed runs left half copied: hidden files that end in .tmp."""
    for folder in folders:
        for path in folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)
