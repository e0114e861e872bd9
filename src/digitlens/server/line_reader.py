"""The reader of lines: loaded by the first who needs it, and shared by all threads."""

from __future__ import annotations

import threading
from typing import Any

from digitlens.errors import MissingDataError, ModelError

_lock = threading.Lock()
_readers: list[Any] = []


def load_reader() -> Any:
    """Return the published reader, loaded once.

    Raises MissingDataError: there is none in this installation.
    """
    import digitlens

    with _lock:
        if not _readers:
            reader_class = getattr(digitlens, "Reader", None)
            if reader_class is None:
                raise _no_reader_error("this version of digitlens has none")
            try:
                _readers.append(reader_class())
            except (ModelError, MissingDataError) as error:
                raise _no_reader_error(error.wanted) from error
        return _readers[0]


def can_read_lines() -> bool:
    """Say whether this installation can read lines; it loads the reader."""
    try:
        load_reader()
    except MissingDataError:
        return False
    return True


def _no_reader_error(seen: str) -> MissingDataError:
    return MissingDataError(
        "no reader is installed", seen=seen, try_="/v1/predict answers pictures of one digit"
    )
