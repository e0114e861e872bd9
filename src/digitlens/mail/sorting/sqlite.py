"""The state of sorting in one SQLite file that a kill at any moment leaves whole.

WAL lets people review while a run sorts. Connections stay open, as closing the last one makes
SQLite wait for the disk; threads that write at the same time share one wait for it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
import weakref
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

from digitlens.errors import CorruptFileError, MissingDataError, RunError, StorageError
from digitlens.mail.sorting.rows import LISTING, REPAIR, encode_path
from digitlens.mail.sorting.store import Store, Work
from digitlens.storage import share_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from digitlens.mail.sorting.rows import Row


FILE = "mail.sqlite"
VERSION = 1
# How long one writer waits for another; each writes for milliseconds only.
BUSY_SECONDS = 20.0
# How often a person's wait for a piece looks for one: a look takes microseconds.
LOOK_SECONDS = 0.1
# A lock that all hold who have the state open, so that a repair does not replace it meanwhile.
OPENED = ".mail.lock"
# The fact of that name: how many pieces there were of each kind, and after which change.
TALLY = "tally"

TABLES = (
    """
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
)""",
    "CREATE INDEX pieces_unplaced ON pieces (placed) WHERE placed = 0",
    "CREATE INDEX pieces_tray ON pieces (tray)",
    """
CREATE TABLE leases (
    piece INTEGER PRIMARY KEY REFERENCES pieces (id),
    person TEXT NOT NULL,
    token TEXT NOT NULL,
    until REAL NOT NULL
)""",
    """
CREATE TABLE corrections (
    id INTEGER PRIMARY KEY,
    piece INTEGER NOT NULL REFERENCES pieces (id),
    zip TEXT,
    person TEXT NOT NULL,
    at REAL NOT NULL
)""",
)


def _count(kind: str, name: str, by: str = "1") -> str:
    """Return a statement that adds to a figure."""
    # A VALUES list would be read as the beginning of a join with ON.
    return (
        f"INSERT INTO counts (kind, name, n) SELECT '{kind}', {name}, {by} WHERE {by} != 0"
        " ON CONFLICT (kind, name) DO UPDATE SET n = n + excluded.n;"
    )


# Figures that are read at each claim are kept in a table, not counted each time. Files of older
# versions get the table when they are opened; as triggers keep it, what an older version writes
# into such a file is counted too.
COUNTS = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE INDEX corrections_piece ON corrections (piece)",
    "CREATE TABLE counts (kind TEXT, name TEXT, n INTEGER NOT NULL, PRIMARY KEY (kind, name))",
    "INSERT INTO counts SELECT 'tray', tray, COUNT(*) FROM pieces GROUP BY tray",
    "INSERT INTO counts SELECT 'said', person, COUNT(*) FROM corrections GROUP BY person",
    "INSERT INTO counts SELECT 'zips', '', COUNT(zip) FROM corrections",
    "INSERT INTO counts VALUES ('changes', '', 1)",
    "CREATE TRIGGER piece_added AFTER INSERT ON pieces BEGIN"
    f" {_count('tray', 'NEW.tray')} {_count('changes', repr(''))} END",
    f"CREATE TRIGGER piece_changed AFTER UPDATE ON pieces BEGIN {_count('changes', repr(''))}"
    " END",
    "CREATE TRIGGER piece_moved AFTER UPDATE OF tray ON pieces WHEN NEW.tray != OLD.tray BEGIN"
    f" {_count('tray', 'OLD.tray', '-1')} {_count('tray', 'NEW.tray')} END",
    "CREATE TRIGGER correction_added AFTER INSERT ON corrections BEGIN"
    f" {_count('said', 'NEW.person')} {_count('zips', repr(''), '(NEW.zip IS NOT NULL)')} END",
    "CREATE TRIGGER correction_removed AFTER DELETE ON corrections BEGIN"
    f" {_count('said', 'OLD.person', '-1')}"
    f" {_count('zips', repr(''), '-(OLD.zip IS NOT NULL)')} END",
)


class SqliteWork(Work):
    """A transaction on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __call__(self, sql: str, **values: Any) -> list[Row]:
        """Run one statement."""
        return cast("list[Row]", self._connection.execute(sql, values).fetchall())

    def many(self, sql: str, values: Iterable[Mapping[str, Any]]) -> None:
        """Run one statement for each of the values."""
        self._connection.executemany(sql, values)


class SqliteStore(Store):
    """The state of the trays in the folder `out`, in its file ``mail.sqlite``.

    `create` makes it where there is none.

    Raises MissingDataError: there is none; StorageError: the disk is full, or the file cannot
    be written; CorruptFileError: the file is no SQLite file, is damaged, or is empty although
    pieces were sorted; RunError: a newer version of digitlens made it, or it is being repaired.
    """

    def __init__(self, out: Path, *, create: bool = False) -> None:
        self.out, self.path = out, out / FILE
        self._writing = threading.Lock()  # fairer to threads than SQLite, which sleeps
        self._syncing = threading.Lock()
        self._written = self._synced = 0  # transactions, counted
        self._watching = threading.Lock()
        self._watcher: sqlite3.Connection | None = None
        self._version = 0
        self._idle: list[sqlite3.Connection] = []
        self._held: list[int] = []
        weakref.finalize(self, _close, self._idle, self._held)
        if not create:
            self._check_there()
        try:
            self._idle.append(self._open(create=True))
        except BaseException:
            self.close()  # else whoever keeps the error would keep others from a repair
            raise

    def _check_there(self) -> None:
        if not self.path.is_file():
            raise MissingDataError(
                f"nothing was sorted into {self.out}",
                try_=f"digitlens route FOLDER --out {self.out}",
            )

    def _open(self, *, create: bool = False) -> sqlite3.Connection:
        if not create:
            self._check_there()
        if not self._held:
            self._held.append(
                share_file(
                    self.out / OPENED,
                    wanted=f"the state of {self.out} is being repaired",
                    try_="wait until digitlens mail repair has ended",
                )
            )
        with state_errors(self.path):
            connection = sqlite3.connect(
                self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                connection.row_factory = sqlite3.Row
                # NORMAL: SQLite itself waits for the disk only when it moves the log into the
                # file. `_sync` waits for what must survive a power cut.
                connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                is_new = "SELECT 1 FROM sqlite_master WHERE name = 'correction_removed'"
                if version != VERSION or not connection.execute(is_new).fetchone():
                    with _begin(connection):
                        self._prepare_tables(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    def _prepare_tables(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0 and (self.out / LISTING).exists():
            raise CorruptFileError(
                f"{self.path} holds nothing, but pieces were sorted",
                seen=f"{LISTING} lists them",
                likely="it was emptied or removed",
                try_=REPAIR,
            )
        if version > VERSION:
            raise RunError(
                f"{self.path} was made by a newer version of digitlens",
                seen=f"version {version} of its tables; this digitlens knows {VERSION}",
                try_="pip install --upgrade digitlens",
            )
        make_tables(connection, () if version else TABLES)

    @contextmanager
    def _borrow(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that no other thread has."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._open()
        try:
            yield connection
        finally:
            self._idle.append(connection)

    @contextmanager
    def transaction(self, *, lasting: bool = True) -> Iterator[Work]:
        """Do all of what is inside, or nothing of it; one writer at a time."""
        with state_errors(self.path):
            with self._writing, self._borrow() as connection:
                with _begin(connection):
                    yield SqliteWork(connection)
                self._written += 1
                number = self._written
            if lasting:
                self._sync(number)

    def _sync(self, number: int) -> None:
        """Wait until the disk has the log up to this transaction."""
        with self._syncing:
            # Threads that wait at the same time share one wait.
            if self._synced >= number:
                return
            number = self._written
            # Where there is no log, SQLite has moved it into the file, and waited for that.
            with suppress(FileNotFoundError):
                handle = os.open(f"{self.path}-wal", os.O_RDWR)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
            self._synced = number

    def query(self, sql: str, **values: Any) -> list[Row]:
        """Run one statement that only reads, and return its rows."""
        with state_errors(self.path), self._borrow() as connection:
            return SqliteWork(connection)(sql, **values)

    def query_tuples(self, sql: str, **values: Any) -> list[Any]:
        """Do as `query`, with tuples for rows."""
        with state_errors(self.path), self._borrow() as connection:
            cursor = connection.cursor()
            cursor.row_factory = None
            return cursor.execute(sql, values).fetchall()

    def encode_source(self, path: Path) -> str | bytes:
        """Return a path as its column keeps it."""
        return encode_path(path)

    def check(self) -> None:
        """Raise `CorruptFileError` where SQLite finds damage, or a row says nothing."""
        (verdict,) = self.query("PRAGMA quick_check(1)")
        if verdict["quick_check"] != "ok":
            seen = str(verdict["quick_check"])
            raise CorruptFileError(f"{self.path} is damaged", seen=seen, try_=REPAIR)
        blurred = self.query(
            "SELECT id FROM pieces WHERE CASE json_valid(routing) WHEN 1"
            " THEN json_type(routing, '$.why') IS NOT 'text'"
            " OR json_type(routing, '$.guesses') IS NOT 'array' ELSE 1 END LIMIT 1"
        )
        if blurred:
            raise CorruptFileError(
                f"{FILE} is damaged: what it keeps of piece {blurred[0]['id']} cannot be read",
                try_=REPAIR,
            )

    def wait(self, seconds: float) -> bool:
        """Wait for a piece; see `Store`: look often at a number that every writer changes."""
        end = time.monotonic() + seconds
        with self._watching, state_errors(self.path):
            if self._watcher is None:
                self._watcher = self._open()
            while True:
                # Counts what others write: this connection never does.
                (version,) = self._watcher.execute("PRAGMA data_version").fetchone()
                before, self._version = self._version, version
                left = end - time.monotonic()
                if version != before or left <= 0:
                    return bool(version != before)
                time.sleep(min(left, LOOK_SECONDS))

    def tally(self) -> list[Row]:
        """Count all pieces, unless they were counted since the last change of one."""
        changes = self.counts("changes")  # first: what changes meanwhile is counted anew
        kept = json.loads(self.read_fact(TALLY) or "{}")
        if kept.get("changes") != changes:
            kept = {"changes": changes, "rows": [dict(row) for row in super().tally()]}
            self.write_fact(TALLY, json.dumps(kept))
        return cast("list[Row]", kept["rows"])

    def close(self) -> None:
        """Close the connections."""
        with self._watching:
            if self._watcher is not None:
                self._idle.append(self._watcher)
                self._watcher, self._version = None, 0
        _close(self._idle, self._held)


def _close(connections: list[sqlite3.Connection], handles: list[int]) -> None:
    while connections:
        connections.pop().close()
    while handles:
        os.close(handles.pop())


@contextmanager
def _begin(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def make_tables(connection: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Make these tables, and the figures of what is in the others."""
    for statement in (*tables, *COUNTS, f"PRAGMA user_version={VERSION}"):
        connection.execute(statement)


@contextmanager
def state_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about the file at `path` into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        likely, try_ = None, "name a folder that you may write to, on a disk of this machine"
        if "full" in str(error):
            likely = "the disk is full; what was written before is still whole"
            try_ = "make room, then run the command again"
        elif "locked" in str(error):
            likely = "another program has it open, and writes"
            try_ = "close that program, then run the command again"
        raise StorageError(
            f"{path} could not be written", seen=str(error), likely=likely, try_=try_
        ) from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise
        raise CorruptFileError(
            f"{path} is not a state of sorting",
            seen=str(error),
            try_=REPAIR,
        ) from error
