"""The state of sorting: one SQLite file that a kill at any moment leaves whole.

Each piece has one row, and the row says in which one folder it belongs. It is written before
the piece is put there (``placed`` 0) and marked afterwards (``placed`` 1); what a kill left
between the two is finished by the next run. WAL lets a person review while a run sorts.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from digitlens.errors import CorruptFileError, RunError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "mail.sqlite"
VERSION = 1
PATIENCE = 20.0
"""Seconds that one writer waits for another; each writes for milliseconds."""

SCHEMA = """
CREATE TABLE pieces (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL UNIQUE,    -- the picture, as an absolute path
    name TEXT NOT NULL,             -- the same, below the folder that was sorted
    filed TEXT NOT NULL UNIQUE,     -- its file's name in a tray
    stamp TEXT NOT NULL,            -- size and time of the picture when it was read
    routing TEXT NOT NULL,          -- the decision as JSON, confidences of digits included
    zip TEXT,                       -- as accepted by the program or a person
    zip4 TEXT NOT NULL DEFAULT '',
    probability REAL NOT NULL,
    reason TEXT,                    -- why a person must look, or NULL
    tray TEXT NOT NULL,             -- the folder it belongs in, review and unsortable too
    was TEXT,                       -- the folder it is being moved from
    placed INTEGER NOT NULL DEFAULT 0,
    person TEXT,                    -- who settled it, or NULL: the program
    at REAL NOT NULL
);
CREATE INDEX pieces_unplaced ON pieces (placed) WHERE placed = 0;
CREATE INDEX pieces_tray ON pieces (tray);
CREATE TABLE leases (
    piece INTEGER PRIMARY KEY REFERENCES pieces (id),
    person TEXT NOT NULL,
    token TEXT NOT NULL,
    until REAL NOT NULL
);
CREATE TABLE corrections (
    id INTEGER PRIMARY KEY,
    piece INTEGER NOT NULL REFERENCES pieces (id),
    zip TEXT,
    person TEXT NOT NULL,
    at REAL NOT NULL
);
"""


@contextmanager
def opened(out: Path) -> Iterator[sqlite3.Connection]:
    """Open the state of the trays in `out`, made where there is none, and close it again.

    Raises
    ------
    StorageError
        The disk is full, or the file cannot be written.
    CorruptFileError
        The file is no SQLite file.
    RunError
        A newer version of digitlens made it.
    """
    path = out / FILE
    with state_errors(path):
        connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            # FULL: what is committed outlives the machine's power, not only the process.
            connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
            _prepare(connection, path)
            yield connection
        finally:
            connection.close()


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    with writing(connection):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={VERSION}")
        elif version > VERSION:
            raise RunError(
                f"{path} was made by a newer version of digitlens",
                seen=f"version {version} of its tables; this digitlens knows {VERSION}",
                try_="pip install --upgrade digitlens",
            )


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """Do all of what is inside, or nothing of it; one writer at a time."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def state_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about the file at `path` into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        full = "full" in str(error)
        raise StorageError(
            f"{path} could not be written",
            seen=str(error),
            likely="the disk is full; what was written before is still whole" if full else None,
            try_="make room, then run the command again"
            if full
            else "name a folder that you may write to, on a disk of this machine",
        ) from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise
        raise CorruptFileError(
            f"{path} is not a state of sorting",
            seen=str(error),
            try_="move it away; without it the pieces are sorted anew",
        ) from error
