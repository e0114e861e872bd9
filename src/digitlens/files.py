"""A file read whole, together with its hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from digitlens.errors import DataError, MissingDataError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Bytes:
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


def read(path: Path) -> Bytes:
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
    return Bytes(path, content, hashlib.sha256(content).hexdigest())
