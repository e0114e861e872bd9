"""One run at a time sorts into a folder of trays; a second is told who does."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from digitlens.atomic import write_text
from digitlens.errors import RunError
from digitlens.mail.sorting.database import state_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK = ".lock.sqlite"
HOLDER = ".holder.json"


@contextmanager
def holding(out: Path, folder: Path, now: float) -> Iterator[None]:
    """Hold the trays in `out` while `folder` is sorted into them.

    The hold is a lock on a file of its own, which the system gives back when the process ends
    in whichever way: a killed run holds nothing. Taken through SQLite, which locks files on
    every system.

    Raises
    ------
    RunError
        Another run holds them; it says which.
    """
    path = out / LOCK
    with state_errors(path):
        connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                with state_errors(path):
                    raise
            raise RunError(
                f"another run is sorting into {out}",
                seen=_holder(out),
                try_="wait until it has ended, or name another folder with --out",
            ) from error
        since = datetime.fromtimestamp(now).astimezone().isoformat(" ", "seconds")
        about = {"process": os.getpid(), "machine": socket.gethostname(), "since": since}
        write_text(out / HOLDER, json.dumps(about | {"folder": str(folder)}) + "\n")
        yield
    finally:
        connection.close()


def _holder(out: Path) -> str | None:
    try:
        about = json.loads((out / HOLDER).read_text(encoding="utf-8"))
        return (
            f"process {about['process']} on {about['machine']} since {about['since']}, "
            f"sorting {about['folder']}"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # it holds the lock and has not said yet who it is
