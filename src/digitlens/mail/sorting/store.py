"""The state of sorting: one SQLite file that a kill at any moment leaves whole.

Each piece has one row, and the row says in which one folder it belongs. It is written before
the piece is put there (``placed`` 0) and marked afterwards (``placed`` 1); what a kill left
between the two is finished by the next run. WAL lets people review while a run sorts.
"""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from digitlens.errors import (
    CorruptFileError,
    DataError,
    DigitlensWarning,
    MissingDataError,
    RunError,
    StorageError,
)
from digitlens.mail.sorting.trays import (
    REVIEW,
    UNSORTABLE,
    file_fingerprint,
    move_to_tray,
    put_in_tray,
)
from digitlens.storage import sweep_leftovers, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from digitlens.mail.plan import SortPlan


FILE = "mail.sqlite"
LISTING = "pieces.json"
VERSION = 1
# How long one writer waits for another; each writes for milliseconds.
BUSY_SECONDS = 20.0

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

_IN_TRAYS = f"tray NOT IN ('{REVIEW}', '{UNSORTABLE}')"


@dataclass(frozen=True)
class RoutedPiece:
    """A piece that was read and decided on, not yet in the state.

    `source` is the picture's absolute path, `name` the same below the folder that is sorted,
    with slashes; `fingerprint` is a `file_fingerprint`, `routing` what `Routing.as_dict` and
    `describe_line` give, `tray` the folder it belongs in, `time` seconds since 1970. `number`
    is that of a piece that waits as unreadable and was read again.
    """

    source: Path
    name: str
    fingerprint: str
    routing: dict[str, Any]
    tray: str
    time: float
    number: int | None = None

    def columns(self) -> tuple[Any, ...]:
        """Return what was read: stamp, routing, zip, zip4, probability, reason, at."""
        return (
            self.fingerprint,
            json.dumps(self.routing, ensure_ascii=False),
            self.routing["zip"],
            (self.routing["zip4"] or "")[6:],
            self.routing["probability"],
            self.routing["reason"],
            self.time,
        )


class Store:
    """The rows of pieces, loans and corrections of the trays in `out`; made by `open_store`.

    Its `connection` is for tests and for reading alone.
    """

    def __init__(self, out: Path, connection: sqlite3.Connection) -> None:
        self.out, self.connection = out, connection
        self.unplaced: dict[int, str] = {}  # trays of the pieces that `place` could not place

    def sweep_leftovers(self) -> None:
        """Remove what killed runs left half copied in the trays."""
        trays = self.query("SELECT DISTINCT tray FROM pieces")
        for row in trays:
            sweep_leftovers(self.out / row["tray"])

    def add(self, pieces: Sequence[RoutedPiece]) -> list[int]:
        """Write the rows of pieces that `place` is to put into trays; return their numbers."""
        numbers = []
        with self.transaction():
            for piece in pieces:
                if piece.number is not None:
                    numbers += self._update(piece.number, piece)
                    continue
                cursor = self.connection.execute(
                    "INSERT INTO pieces (source, name, filed, tray, stamp, routing, zip, zip4,"
                    " probability, reason, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        encode_path(piece.source),
                        piece.name,
                        self._find_free_name(PurePath(piece.name)),
                        piece.tray,
                        *piece.columns(),
                    ),
                )
                assert cursor.lastrowid is not None, "a row was written"
                numbers.append(cursor.lastrowid)
        return numbers

    def _update(self, number: int, piece: RoutedPiece) -> list[int]:
        """Write what a piece came to that was read again; return its number if it moves on."""
        # Only while it waits: a person may have settled it meanwhile.
        waits = f"WHERE id = ? AND tray = '{REVIEW}'"
        self.connection.execute(
            "UPDATE pieces SET stamp = ?, routing = ?, zip = ?, zip4 = ?, probability = ?,"  # noqa: S608
            f" reason = ?, at = ? {waits}",
            (*piece.columns(), number),
        )
        if piece.tray == REVIEW:
            return [number]
        self.connection.execute(
            # Not yet placed, it goes to its tray from where it came.
            "UPDATE pieces SET was = CASE placed WHEN 1 THEN tray END, tray = ?,"  # noqa: S608
            f" placed = 0 {waits}",
            (piece.tray, number),
        )
        self.connection.execute("DELETE FROM leases WHERE piece = ?", (number,))
        return [number]

    def find_retries(self) -> dict[str, int]:
        """Return the pieces that wait as unreadable for no fault of their picture, by path.

        They were read by a broken reader, or by a version that did not say whose fault it was.
        """
        rows = self.query(
            "SELECT id, source, stamp, routing FROM pieces"  # noqa: S608
            f" WHERE tray = '{REVIEW}' AND person IS NULL AND reason = 'unreadable'"
        )
        return {
            os.fsdecode(row["source"]): row["id"]
            for row in rows
            if parse_routing(row).get("retry", True)
            # Of a picture that was changed the tray may have the old one.
            and row["stamp"] in ("gone", file_fingerprint(find_source(row)))
        }

    def _find_free_name(self, name: PurePath) -> str:
        """Return a name that no other file has, with a number after it, and not too long."""
        for count in itertools.count(1):
            end = (f"~{count}" if count > 1 else "") + name.suffix[:16]
            stem = name.stem.encode()[: MAX_NAME_BYTES - len(end.encode())]
            free = stem.decode(errors="ignore") + end
            if not self.query("SELECT 1 FROM pieces WHERE filed = ?", (free,)):
                break
        return free

    def place(self, numbers: Iterable[int] | None = None, *, copy: bool = False) -> int:
        """Put pieces into the trays that their rows name, and mark them as placed.

        `numbers` None: all that are not yet placed, as after a kill. Returns how many had to be
        copied although links were wanted. A piece that cannot be placed, as its picture is gone
        or another file has its place, is warned of, and tried again by the next run.
        """
        # Files first, marks then: a kill in between repeats what does no harm twice.
        rows = self.query(
            "SELECT id, source, name, filed, tray, was FROM pieces WHERE placed = 0"
        )
        chosen = None if numbers is None else set(numbers)
        copies, done = 0, []
        for row in rows:
            if chosen is not None and row["id"] not in chosen:
                continue
            try:
                copies += self._place_piece(row, copy=copy)
            except DataError as error:
                self.unplaced[row["id"]] = row["tray"]
                warnings.warn(f"{row['name']}: {error}", DigitlensWarning, stacklevel=2)
            else:
                self.unplaced.pop(row["id"], None)
                done.append((row["id"], row["tray"]))
        if done:
            for tray in {tray for _, tray in done}:  # a power cut must not outrun the marks
                sync_folder(self.out / tray)
            with self.transaction():
                # The tray is compared: a person may have sent the piece on in the meantime.
                self.connection.executemany(
                    "UPDATE pieces SET placed = 1, was = NULL WHERE id = ? AND tray = ?", done
                )
        return 0 if copy else copies

    def _place_piece(self, row: sqlite3.Row, *, copy: bool) -> bool:
        """Put one piece into its tray, and return whether it had to be copied."""
        source, filed = find_source(row), row["filed"]
        if len(filed.encode()) > MAX_NAME_BYTES:  # written by an older version
            filed = self._find_free_name(PurePath(filed))
            with self.transaction():
                self.connection.execute(
                    "UPDATE pieces SET filed = ? WHERE id = ?", (filed, row["id"])
                )
        target = self.out / row["tray"] / filed
        if row["was"] is None:
            return put_in_tray(source, target, copy=copy)
        return move_to_tray(source, self.out / row["was"] / row["filed"], target, copy=copy)

    def find_mismatched(self, plan: SortPlan) -> list[tuple[int, str, str]]:
        """Return the pieces that `plan` would put elsewhere: number, tray, tray of the plan."""
        rows = self.query("SELECT id, zip, tray FROM pieces WHERE zip IS NOT NULL")
        moves = ((row["id"], row["tray"], plan.find_tray(row["zip"])) for row in rows)
        return [move for move in moves if move[1] != move[2]]

    def queue_moves(self, moves: Iterable[tuple[int, str, str]]) -> None:
        """Write that pieces are to be moved; `place` then moves them."""
        with self.transaction():
            self.connection.executemany(
                "UPDATE pieces SET tray = ?, was = ?, placed = 0 WHERE id = ? AND placed = 1",
                [(new, old, number) for number, old, new in moves],
            )

    def find_missing(self) -> dict[str, list[int]]:
        """Return the pieces whose file is not, or no longer, in its tray, by tray."""
        missing: dict[str, list[int]] = {}
        for number, tray in self.unplaced.items():
            missing.setdefault(tray, []).append(number)
        files: dict[str, set[str]] = {}
        for row in self.query("SELECT id, tray, filed FROM pieces WHERE placed = 1"):
            tray, folder = row["tray"], self.out / row["tray"]
            if tray not in files:
                is_there = folder.is_dir()
                files[tray] = {path.name for path in folder.iterdir()} if is_there else set()
            if row["filed"] not in files[tray]:
                missing.setdefault(tray, []).append(row["id"])
        return missing

    def queue_restore(self, numbers: Iterable[int]) -> None:
        """Write that pieces are to be put into their trays again; `place` then does it."""
        with self.transaction():
            self.connection.executemany(
                "UPDATE pieces SET placed = 0 WHERE id = ?", [(number,) for number in numbers]
            )

    def fingerprints(self) -> dict[str, str]:
        """Return what each picture's `file_fingerprint` was when it was read, by its path."""
        return {
            os.fsdecode(row["source"]): row["stamp"]
            for row in self.query("SELECT source, stamp FROM pieces")
        }

    def pieces(self) -> Iterator[sqlite3.Row]:
        """Walk over the rows of all pieces, in the order in which they were sorted."""
        return iter(self.connection.execute("SELECT * FROM pieces ORDER BY id"))

    def tally(self) -> dict[str, Any]:
        """Count all pieces; the keys are fields of `SortSummary`."""
        wrong = (
            "SELECT COALESCE(SUM(1 - probability), 0) FROM pieces WHERE person IS NULL AND zip"
        )
        return {
            "pieces": self._count("1"),
            "accepted": self._count(f"person IS NULL AND {_IN_TRAYS}"),
            "settled": self._count(f"person IS NOT NULL AND {_IN_TRAYS}"),
            "waiting": self._count(f"tray = '{REVIEW}'"),
            "unsortable": self._count(f"tray = '{UNSORTABLE}'"),
            "reasons": self.count_by("reason", "reason IS NOT NULL"),
            "trays": self.count_by("tray", _IN_TRAYS),
            "expected_errors": float(self.query(f"{wrong} IS NOT NULL")[0][0]),
        }

    def _count(self, where: str) -> int:
        return int(self.query(f"SELECT COUNT(*) FROM pieces WHERE {where}")[0][0])  # noqa: S608

    def count_by(self, column: str, where: str) -> dict[str, int]:
        """Count the pieces for each value of `column`."""
        query = f"SELECT {column}, COUNT(*) FROM pieces WHERE {where} GROUP BY 1 ORDER BY 1"  # noqa: S608
        return dict(self.connection.execute(query).fetchall())

    def query(self, sql: str, values: Any = ()) -> list[sqlite3.Row]:
        """Run one statement and return its rows."""
        return self.connection.execute(sql, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of what is inside, or nothing of it; one writer at a time."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")


MAX_NAME_BYTES = 255  # of a file's name, on every system


def encode_path(path: Path) -> str | bytes:
    """Return a path as SQLite keeps it: text, or bytes where it is no UTF-8."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return str(path)


def find_source(row: sqlite3.Row) -> Path:
    """Return the path of a piece's picture."""
    return Path(os.fsdecode(row["source"]))


def parse_routing(row: sqlite3.Row) -> dict[str, Any]:
    """Return what was decided on a piece; CorruptFileError where the state is damaged."""
    try:
        routing = json.loads(row["routing"])
        if isinstance(routing["why"], str) and isinstance(routing["guesses"], list):
            return dict(routing)
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise CorruptFileError(
        f"{FILE} is damaged: what it keeps of piece {row['id']} cannot be read",
        try_=REPAIR,
    )


REPAIR = "digitlens mail repair FOLDER --trays DIR    makes it anew of what is in the trays"


@contextmanager
def open_store(out: Path, *, create: bool = False) -> Iterator[Store]:
    """Open the state of the trays in `out`, and close it again; `create` makes it where there
    is none.

    Raises MissingDataError: there is none; StorageError: the disk is full, or the file cannot
    be written; CorruptFileError: the file is no SQLite file, is damaged, or is empty although
    pieces were sorted; RunError: a newer version of digitlens made it.
    """
    path = out / FILE
    if not create and not path.is_file():
        raise MissingDataError(
            f"nothing was sorted into {out}", try_=f"digitlens route FOLDER --out {out}"
        )
    with state_errors(path):
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            # FULL: what is committed survives a power cut, not only the end of the process.
            connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
            store = Store(out, connection)
            _prepare_tables(store, path)
            if create:  # a run looks at all of it; a person who waits for a piece does not
                _check_whole(store, path)
            yield store
        finally:
            connection.close()


def _prepare_tables(store: Store, path: Path) -> None:
    with store.transaction():
        (version,) = store.connection.execute("PRAGMA user_version").fetchone()
        if version == 0 and (store.out / LISTING).exists():
            raise CorruptFileError(
                f"{path} holds nothing, but pieces were sorted",
                seen=f"{LISTING} lists them",
                likely="it was emptied or removed",
                try_=REPAIR,
            )
        if version == 0:
            for statement in SCHEMA.split(";\n"):
                store.connection.execute(statement)
            store.connection.execute(f"PRAGMA user_version={VERSION}")
        elif version > VERSION:
            raise RunError(
                f"{path} was made by a newer version of digitlens",
                seen=f"version {version} of its tables; this digitlens knows {VERSION}",
                try_="pip install --upgrade digitlens",
            )


def _check_whole(store: Store, path: Path) -> None:
    """Raise `CorruptFileError` where SQLite finds the file damaged, or a row says nothing."""
    (verdict,) = store.connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise CorruptFileError(f"{path} is damaged", seen=str(verdict), try_=REPAIR)
    for row in store.pieces():
        parse_routing(row)


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
