"""The reader of lines: loaded by the first who needs it, and shared by all threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import digitlens
from digitlens.errors import MissingDataError, ModelError

if TYPE_CHECKING:
    from digitlens.ocr import Reader

_lock = threading.Lock()
_readers: list[Reader] = []


def load_reader() -> Reader:
    """Return the published reader, loaded once.

    Raises MissingDataError: there is none in this installation.
    """
    with _lock:
        if not _readers:
            try:
                _readers.append(digitlens.Reader())
            except (ModelError, MissingDataError) as error:
                raise MissingDataError(
                    "no reader is installed",
                    seen=error.wanted,
                    try_="/v1/predict answers pictures of one digit",
                ) from error
        return _readers[0]


def can_read_lines() -> bool:
    """Say whether this installation can read lines; it loads the reader."""
    try:
        load_reader()
    except MissingDataError:
        return False
    return True
