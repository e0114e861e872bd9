"""The state of sorting: one SQLite file that a kill at any moment leaves whole.

Each piece has one row, and the row says in which one folder it belongs. It is written before
the piece is put there (``placed`` 0) and marked afterwards (``placed`` 1); what a kill left
between the two is finished by the next run. WAL lets a person review while a run sorts.

* Rows of pieces: written before a piece is put into its folder, marked when it is there.
* Files in trays: a piece is linked, copied or moved so that it is never in two.
* One run at a time sorts into a folder of trays; a second is told who does.
"""

from __future__ import annotations

import errno
import filecmp
import json
import os
import socket
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from digitlens.errors import CorruptFileError, DataError, RunError, StorageError
from digitlens.storage import lock_file, make_folder, storage_errors, write_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from digitlens.mail.plan import SortPlan


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
def open_store(out: Path) -> Iterator[sqlite3.Connection]:
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
    with transaction(connection):
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
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
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


NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.EACCES)
"""What a system says that cannot link here: another disk, no such thing as links."""


def put_in_tray(source: Path, target: Path, *, copy: bool = False) -> bool:
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


def move_to_tray(source: Path, origin: Path, target: Path, *, copy: bool = False) -> bool:
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
        return put_in_tray(source, target, copy=copy)
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


def sweep_leftovers(folders: Iterable[Path]) -> None:
    """Remove what killed runs left half copied: hidden files that end in .tmp."""
    for folder in folders:
        for path in folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)


REVIEW, UNSORTABLE = "review", "unsortable"


@dataclass(frozen=True)
class RoutedPiece:
    """A piece that was read and decided on, not yet in the state.

    Parameters
    ----------
    source
        The picture, as an absolute path.
    name
        The same below the folder that is sorted, with slashes.
    stamp
        Its size and time, see `file_fingerprint`.
    routing
        What `Routing.as_dict` gives, and whatever else is to be listed.
    tray
        The folder it belongs in.
    index
        Seconds since 1970.
    """

    source: Path
    name: str
    stamp: str
    routing: dict[str, Any]
    tray: str
    at: float


def file_fingerprint(path: Path) -> str:
    """Return what tells whether the file at `path` is still the same: size and time."""
    try:
        about = path.stat()
    except OSError:
        return "gone"
    return f"{about.st_size} {about.st_mtime_ns}"


def add_piece(connection: sqlite3.Connection, decided: Sequence[RoutedPiece]) -> list[int]:
    """Write the rows of pieces that are to be put into their folders; return their numbers."""
    numbers = []
    with transaction(connection):
        for item in decided:
            result = connection.execute(
                "INSERT INTO pieces (source, name, filed, stamp, routing, zip, zip4,"
                " probability, reason, tray, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    str(item.source),
                    item.name,
                    _free_name(connection, PurePath(item.name)),
                    item.stamp,
                    json.dumps(item.routing, ensure_ascii=False),
                    item.routing["zip"],
                    (item.routing["zip4"] or "")[6:],
                    item.routing["probability"],
                    item.routing["reason"],
                    item.tray,
                    item.at,
                ),
            )
            assert result.lastrowid is not None, "a row was written"
            numbers.append(result.lastrowid)
    return numbers


def _free_name(connection: sqlite3.Connection, name: PurePath) -> str:
    """Return the file's name, with a number behind it where another piece has it already."""
    wanted, count = name.name, 1
    while connection.execute("SELECT 1 FROM pieces WHERE filed = ?", (wanted,)).fetchone():
        count += 1
        wanted = f"{name.stem}~{count}{name.suffix}"
    return wanted


def place_piece(
    connection: sqlite3.Connection,
    out: Path,
    numbers: Iterable[int] | None = None,
    *,
    copy: bool = False,
) -> int:
    """Put pieces into the folders that their rows name, and mark them as placed.

    Parameters
    ----------
    numbers
        The pieces; None: all that are not yet placed, as after a kill.

    Returns
    -------
    How many had to be copied although links were wanted.
    """
    wanted = "SELECT id, source, filed, tray, was FROM pieces WHERE placed = 0"
    rows = connection.execute(wanted).fetchall()
    chosen = None if numbers is None else set(numbers)
    copies, done = 0, []
    for row in rows:
        if chosen is not None and row["id"] not in chosen:
            continue
        source, target = Path(row["source"]), out / row["tray"] / row["filed"]
        if row["was"] is None:
            copies += put_in_tray(source, target, copy=copy)
        else:
            copies += move_to_tray(source, out / row["was"] / row["filed"], target, copy=copy)
        done.append((row["id"], row["tray"]))
    if done:
        with transaction(connection):
            # The tray is compared: a person may have sent the piece on in the meantime.
            connection.executemany(
                "UPDATE pieces SET placed = 1, was = NULL WHERE id = ? AND tray = ?", done
            )
    return 0 if copy else copies


def find_mismatched(
    connection: sqlite3.Connection, plan: SortPlan
) -> list[tuple[int, str, str]]:
    """Return the pieces that `plan` would put elsewhere: number, tray, tray of the plan."""
    rows = connection.execute("SELECT id, zip, tray FROM pieces WHERE zip IS NOT NULL")
    result = ((row["id"], row["tray"], plan.tray_of(row["zip"])) for row in rows)
    return [item for item in result if item[1] != item[2]]


def queue_move(connection: sqlite3.Connection, moves: Iterable[tuple[int, str, str]]) -> None:
    """Write that pieces are to be moved; `place_piece` then moves them."""
    with transaction(connection):
        connection.executemany(
            "UPDATE pieces SET tray = ?, was = ?, placed = 0 WHERE id = ? AND placed = 1",
            [(new, old, number) for number, old, new in moves],
        )


def find_missing(connection: sqlite3.Connection, out: Path) -> dict[str, list[int]]:
    """Return the placed pieces whose file is no longer in its folder, by folder."""
    result: dict[str, list[int]] = {}
    there: dict[str, set[str]] = {}
    for row in connection.execute("SELECT id, tray, filed FROM pieces WHERE placed = 1"):
        tray = row["tray"]
        if tray not in there:
            folder = out / tray
            there[tray] = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        if row["filed"] not in there[tray]:
            result.setdefault(tray, []).append(row["id"])
    return result


def restore_piece(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Write that pieces are to be put into their folders again."""
    with transaction(connection):
        connection.executemany(
            "UPDATE pieces SET placed = 0 WHERE id = ?", [(number,) for number in numbers]
        )


LOCK = ".lock"


@contextmanager
def lock_sorting(out: Path, folder: Path, now: float) -> Iterator[None]:
    """Hold the trays in `out` while `folder` is sorted into them.

    Raises
    ------
    RunError
        Another run holds them; the error says which.
    """
    since = datetime.fromtimestamp(now).astimezone().isoformat(" ", "seconds")
    with lock_file(
        out / LOCK,
        f"process {os.getpid()} on {socket.gethostname()} since {since}, sorting {folder}",
        wanted=f"another run is sorting into {out}",
        try_="wait until it has ended, or name another folder with --out",
    ):
        yield
