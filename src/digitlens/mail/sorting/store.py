"""What keeps the state of sorting: one row for each piece, in SQLite or PostgreSQL.

A row says in which one folder its piece belongs. It is written before the piece is put there
(``placed`` 0) and marked afterwards (``placed`` 1); what a kill left between the two is
finished by the next run. `Store` does all of it in SQL that both databases understand;
`stores.open_store` chooses between them.
"""

from __future__ import annotations

import itertools
import secrets
from abc import ABC, abstractmethod
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from digitlens.mail.sorting.rows import MAX_NAME_BYTES, REVIEW, NotYoursError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from digitlens.mail.sorting.rows import Asking, RoutedPiece, Row, Said, SurveyRow


PAGE = 1000  # rows that are fetched at once: memory stays flat however many there are

WAITS = f"tray = '{REVIEW}' AND placed = 1"
# What `Filer` needs of a row to put its piece into its tray.
FILED = "id, source, name, filed, tray, was, at"
# `{}`: by whom, and which rows. The file is moved next.
SETTLE = (
    f"UPDATE pieces SET zip = :five, zip4 = :plus4, tray = :tray, was = '{REVIEW}',"  # noqa: S608
    " placed = 0, person = {}, at = :at {}"
)
_SURVEY = (
    "SELECT id, source, stamp, filed, tray, zip, placed, CASE WHEN reason = 'unreadable'"  # noqa: S608
    f" AND tray = '{REVIEW}' AND person IS NULL THEN routing END"
    f" FROM pieces WHERE id > :last ORDER BY id LIMIT {PAGE}"
)
# Whose loan a piece is: by its token where one is given, else by the person's name.
# CROSS JOIN has SQLite begin with the few loans; it would walk over all that wait.
_THEIRS = (
    "SELECT pieces.* FROM leases CROSS JOIN pieces"  # noqa: S608
    f" WHERE pieces.id = leases.piece AND {WAITS} AND leases.{{}}"
    " ORDER BY pieces.id <= :after, pieces.id LIMIT 1"
)
# The index of trays has the numbers in order: the search ends at the first that is free.
_FREE = (
    f"SELECT * FROM pieces WHERE {WAITS} AND id {{}} :after AND NOT EXISTS"  # noqa: S608
    " (SELECT 1 FROM leases WHERE piece = pieces.id AND until > :now)"
    " ORDER BY id LIMIT 1"
)
# Who is first has it: the statement sees a loan that was made since the piece was found.
_LEND = (
    "INSERT INTO leases (piece, person, token, until)"
    " VALUES (:piece, :person, :token, :until)"
    " ON CONFLICT (piece) DO UPDATE SET person = excluded.person, token = excluded.token,"
    " until = excluded.until WHERE leases.until <= :now OR leases.token = :old"
    " RETURNING piece"
)


class Work(ABC):
    """A transaction: statements with named values (``:piece``), done together or not at all."""

    @abstractmethod
    def __call__(self, sql: str, **values: Any) -> list[Row]:
        """Run one statement and return its rows."""

    @abstractmethod
    def many(self, sql: str, values: Iterable[Mapping[str, Any]]) -> None:
        """Run one statement for each of the values."""


class Store(ABC):
    """The state of sorting; safe to use from several threads and processes at once.

    Each operation happens whole or not at all, and what it wrote survives a power cut, but for
    loans and marks, of which a loss does no harm. Errors are ours: `StorageError` where the
    database refuses, `CorruptFileError` where it is damaged.
    """

    # Whether several runs may write to it, each on its machine.
    is_shared = False
    # How rows are kept from others until the end of the transaction: waiting for those that
    # others keep, or leaving them out.
    lock = ""
    skip = ""

    @abstractmethod
    def transaction(self, *, lasting: bool = True) -> AbstractContextManager[Work]:
        """Do all of what is inside, or nothing of it; `lasting`: it survives a power cut."""

    @abstractmethod
    def query(self, sql: str, **values: Any) -> list[Row]:
        """Run one statement that only reads, and return its rows."""

    @abstractmethod
    def query_tuples(self, sql: str, **values: Any) -> list[Any]:
        """Do as `query`; rows are tuples, which take a third of the time."""

    @abstractmethod
    def encode_source(self, path: Path) -> str | bytes:
        """Return a path as its column keeps it."""

    @abstractmethod
    def check(self) -> None:
        """Raise `CorruptFileError` where the state is damaged."""

    @abstractmethod
    def close(self) -> None:
        """Close what is open; the store can still be used, and opens it again."""

    def add(self, pieces: Sequence[RoutedPiece]) -> list[int]:
        """Write the rows of pieces that are to be put into trays; return their numbers.

        A picture that has a row keeps it, so that a piece sent twice is one piece.
        """
        with self.transaction() as run:
            self._serialize(run)
            return [
                self._insert(run, piece)
                if piece.number is None
                else self._update(run, piece.number, piece)
                for piece in pieces
            ]

    def _serialize(self, run: Work) -> None:  # noqa: B027 - SQLite has one writer
        """Let one after the other add pieces, where the database does not do so by itself."""

    def _insert(self, run: Work, piece: RoutedPiece) -> int:
        values = piece.columns() | {
            "source": self.encode_source(piece.source),
            "name": piece.name,
            "tray": piece.tray,
        }
        names = [*values, "filed"]
        insert = (
            f"INSERT INTO pieces ({', '.join(names)}) VALUES (:{', :'.join(names)})"  # noqa: S608
            " ON CONFLICT DO NOTHING RETURNING id"
        )
        for filed in list_names(PurePath(piece.name)):
            rows = run(insert, filed=filed, **values) or run(
                "SELECT id FROM pieces WHERE source = :source", source=values["source"]
            )
            if rows:
                return int(rows[0]["id"])
        raise AssertionError("there is always a free name")

    def _update(self, run: Work, number: int, piece: RoutedPiece) -> int:
        """Write what a piece came to that was read again."""
        # Only while it waits: a person may have settled it meanwhile.
        columns = piece.columns()
        places = ", ".join(f"{name} = :{name}" for name in columns)
        waits = f"WHERE id = :id AND tray = '{REVIEW}'"
        if piece.tray != REVIEW:
            # Not yet placed, it goes to its tray from where it came.
            places += ", was = CASE placed WHEN 1 THEN tray END, tray = :tray, placed = 0"
        run(f"UPDATE pieces SET {places} {waits}", id=number, tray=piece.tray, **columns)  # noqa: S608
        if piece.tray != REVIEW:
            run("DELETE FROM leases WHERE piece = :id", id=number)
        return number

    def find_piece(self, source: Path) -> Row | None:
        """Return the row of the piece whose picture lies there; None: there is none."""
        rows = self.query(
            "SELECT * FROM pieces WHERE source = :source", source=self.encode_source(source)
        )
        return rows[0] if rows else None

    def pieces(self) -> Iterator[Row]:
        """Walk over all rows in the order of their numbers."""
        sql = f"SELECT * FROM pieces WHERE id > :last ORDER BY id LIMIT {PAGE}"  # noqa: S608
        rows = self.query(sql, last=0)
        while rows:
            yield from rows
            rows = self.query(sql, last=rows[-1]["id"])

    def survey(self) -> Iterator[SurveyRow]:
        """Walk over all rows likewise, but only over what each run compares."""
        return itertools.chain.from_iterable(self._survey())

    def _survey(self) -> Iterator[list[SurveyRow]]:
        rows = self.query_tuples(_SURVEY, last=0)
        while rows:
            yield rows
            rows = self.query_tuples(_SURVEY, last=rows[-1][0])

    def unplaced(self, numbers: Iterable[int] | None = None) -> list[Row]:
        """Return the rows that are not marked as placed: of these numbers, or all."""
        sql = f"SELECT {FILED} FROM pieces WHERE placed = 0"  # noqa: S608
        if numbers is None:
            return self.query(f"{sql} ORDER BY id")
        return [row for id_ in numbers for row in self.query(f"{sql} AND id = :id", id=id_)]

    def mark_placed(self, done: Sequence[Mapping[str, Any]]) -> None:
        """Mark pieces as placed: ``id``, and the ``tray`` and time ``at`` that their rows had.

        A row that says something else by now is left: a person sent the piece on.
        """
        with self.transaction(lasting=False) as run:
            self._mark(run, done)
            if any(item["tray"] == REVIEW for item in done):
                self._announce(run)

    def _mark(self, run: Work, done: Sequence[Mapping[str, Any]]) -> None:
        run.many(
            "UPDATE pieces SET placed = 1, was = NULL"
            " WHERE id = :id AND tray = :tray AND at = :at AND placed = 0",
            done,
        )

    def _announce(self, run: Work) -> None:  # noqa: B027 - SQLite counts what others write
        """Tell those who `wait` that a piece can be lent, once this is done."""

    @abstractmethod
    def wait(self, seconds: float) -> bool:
        """Wait at most `seconds` for a piece that can be lent; say whether one may have come.

        The first call returns at once, so that the caller looks before the wait begins. Loans
        that end are not noticed.
        """

    def rename(self, piece: int, name: PurePath) -> str:
        """Give a piece's file a free name like `name`; return it."""
        with self.transaction() as run:
            self._serialize(run)
            for filed in list_names(name):
                if not run("SELECT 1 FROM pieces WHERE filed = :filed", filed=filed):
                    break
            run("UPDATE pieces SET filed = :filed WHERE id = :id", filed=filed, id=piece)
        return filed

    def move(self, moves: Iterable[tuple[int, str, str]]) -> None:
        """Write that placed pieces are to be moved: number, tray now, tray wanted."""
        with self.transaction() as run:
            run.many(
                "UPDATE pieces SET tray = :new, was = :old, placed = 0"
                " WHERE id = :id AND placed = 1 AND tray = :old",
                ({"id": number, "old": old, "new": new} for number, old, new in moves),
            )

    def restore(self, numbers: Iterable[int]) -> None:
        """Write that pieces are to be put into their trays again."""
        with self.transaction() as run:
            sql = "UPDATE pieces SET placed = 0 WHERE id = :id"
            run.many(sql, ({"id": number} for number in numbers))

    def claim(self, asking: Asking) -> tuple[Row, str] | None:
        """Lend the next piece that waits, one of theirs first; return its row and the token.

        Two who ask at the same time never get the same piece. None: nothing that waits is free.
        """
        mine = "person = :person" if asking.token is None else "token = :token"
        # A loan that is lost in a power cut does no harm: the piece is lent anew.
        while True:
            with self.transaction(lasting=False) as run:
                rows = (
                    run(_THEIRS.format(mine) + self.lock, **vars(asking))
                    or run(_FREE.format(">") + self.skip, **vars(asking))
                    or run(_FREE.format("<=") + self.skip, **vars(asking))
                )
                if not rows:
                    return None
                token = _lend(run, rows[0]["id"], asking)
                if token is not None:
                    return rows[0], token

    def find_loan(self, piece: int, token: str) -> Row | None:
        """Return the row of a piece that is lent with `token`, with ``until``; else None."""
        rows = self.query(
            "SELECT pieces.*, leases.until FROM pieces JOIN leases ON leases.piece = pieces.id"
            " WHERE pieces.id = :piece AND leases.token = :token",
            piece=piece,
            token=token,
        )
        return rows[0] if rows else None

    def renew(self, piece: int, token: str, until: float) -> None:
        """Lend a piece for longer; `NotYoursError` where the loan is another."""
        with self.transaction(lasting=False) as run:
            self._check_loan(run, piece, token)
            sql = "UPDATE leases SET until = :until WHERE piece = :piece"
            run(sql, until=until, piece=piece)

    def release(self, piece: int, token: str) -> None:
        """End a loan."""
        with self.transaction(lasting=False) as run:
            sql = "DELETE FROM leases WHERE piece = :piece AND token = :token"
            run(sql, piece=piece, token=token)
            self._announce(run)

    def settle(self, said: Said) -> Row:
        """Keep what was said and write that the piece is to be moved; the loan ends.

        Returns its row as `unplaced` does; `NotYoursError` where the loan is another.
        """
        with self.transaction() as run:
            person = self._check_loan(run, said.piece, said.token)
            values = {"piece": said.piece, "person": person, "at": said.now}
            run(
                "INSERT INTO corrections (piece, zip, person, at)"
                " VALUES (:piece, :zip, :person, :at)",
                zip=said.digits,
                **values,
            )
            run("DELETE FROM leases WHERE piece = :piece", piece=said.piece)
            sql = SETTLE.format(":person", f"WHERE id = :piece RETURNING {FILED}")
            return run(sql, **said.columns(), person=person)[0]

    def _check_loan(self, run: Work, piece: int, token: str) -> str:
        """Return who the piece is lent to; raise `NotYoursError` where the loan is another."""
        # The piece first, as a claim does: two that keep each other waiting would be ended.
        run(f"SELECT id FROM pieces WHERE id = :piece{self.lock}", piece=piece)  # noqa: S608
        rows = run(
            "SELECT leases.person, leases.token, name FROM pieces LEFT JOIN leases"
            " ON leases.piece = pieces.id WHERE pieces.id = :piece",
            piece=piece,
        )
        lent = rows[0] if rows and rows[0]["token"] is not None else None
        if lent is None or lent["token"] != token:
            raise NotYoursError(
                f"the piece {rows[0]['name'] if rows else piece} is no longer yours",
                seen=f"{lent['person']} has it now" if lent else "it was settled or given back",
                likely="it was lent for a time, and the time is over" if lent else None,
                try_="take the next piece",
            )
        return str(lent["person"])

    def take_back(self, piece: int, asking: Asking) -> str:
        """Forget what was last said of a piece by the person who asks, who gets it again.

        Writes that it is to be moved back, ends the loan of ``asking.token``, and returns the
        new one's token. `NotYoursError` where somebody else said it, or nobody.
        """
        person = asking.person
        with self.transaction() as run:
            sql = f"SELECT tray FROM pieces WHERE id = :piece{self.lock}"  # noqa: S608
            rows = run(sql, piece=piece)
            said = run(
                "SELECT id, person FROM corrections WHERE piece = :piece"
                " ORDER BY id DESC LIMIT 1",
                piece=piece,
            )
            last = said[0] if said else None
            if last is None or last["person"] != person or rows[0]["tray"] == REVIEW:
                raise NotYoursError(
                    f"{person} has said nothing of piece {piece} that could be taken back",
                    likely="it was taken back before"
                    if last is None or last["person"] == person
                    else f"{last['person']} settled it",
                )
            run("DELETE FROM corrections WHERE id = :id", id=last["id"])
            run(
                "UPDATE pieces SET zip = NULL, zip4 = '', was = tray, placed = 0,"  # noqa: S608
                f" tray = '{REVIEW}', person = NULL WHERE id = :piece",
                piece=piece,
            )
            run("DELETE FROM leases WHERE token = :token", token=asking.token)
            token = _lend(run, piece, asking)
            assert token is not None, "what was settled is lent to nobody"
            return token

    def corrections(self) -> list[Row]:
        """Return the rows of pieces of which something was said, with ``said``, ``who``,
        ``settled``; oldest first.
        """
        return self.query(
            "SELECT pieces.*, corrections.zip AS said, corrections.person AS who,"
            " corrections.at AS settled FROM corrections"
            " JOIN pieces ON pieces.id = corrections.piece ORDER BY corrections.id"
        )

    def counts(self, kind: str) -> dict[str, int]:
        """Return figures, by name: pieces by ``tray``, corrections ``said`` by person.

        ``zips`` counts the corrections that have a ZIP, ``changes`` the changes of rows.
        """
        rows = self.query(
            "SELECT name, n FROM counts WHERE kind = :kind AND n > 0 ORDER BY name", kind=kind
        )
        return {row["name"]: int(row["n"]) for row in rows}

    def count_loans(self, now: float) -> int:
        """Return how many pieces are lent."""
        rows = self.query("SELECT COUNT(*) AS n FROM leases WHERE until > :now", now=now)
        return int(rows[0]["n"])

    def tally(self) -> list[Row]:
        """Count all pieces by ``tray``, ``reason``, ``by_person`` and ``has_zip``.

        Each row has ``n`` and ``wrong``, the sum of 1 - probability.
        """
        return self.query(
            "SELECT tray, reason, person IS NOT NULL AS by_person, zip IS NOT NULL AS has_zip,"
            " COUNT(*) AS n, SUM(1 - probability) AS wrong FROM pieces GROUP BY 1, 2, 3, 4"
        )

    def read_fact(self, name: str) -> str | None:
        """Return what `write_fact` kept."""
        rows = self.query("SELECT value FROM facts WHERE name = :name", name=name)
        return str(rows[0]["value"]) if rows else None

    def write_fact(self, name: str, value: str) -> None:
        """Keep a text under a name."""
        with self.transaction(lasting=False) as run:
            run(
                "INSERT INTO facts (name, value) VALUES (:name, :value)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                name=name,
                value=value,
            )


def _lend(run: Work, piece: int, asking: Asking) -> str | None:
    """Write a loan, and return its token; None where somebody else was faster."""
    token = secrets.token_hex(8)
    rows = run("SELECT token, person FROM leases WHERE piece = :piece", piece=piece)
    mine = rows and (
        rows[0]["person"] == asking.person
        if asking.token is None
        else rows[0]["token"] == asking.token
    )
    lent = run(
        _LEND,
        piece=piece,
        person=asking.person,
        token=token,
        until=asking.until,
        now=asking.now,
        old=rows[0]["token"] if mine else "",
    )
    return token if lent else None


def list_names(name: PurePath) -> Iterator[str]:
    """Walk over the names that a file may have in a tray: a number after it, and not too long.

    >>> list(itertools.islice(list_names(PurePath("deep/a.png")), 2))
    ['a.png', 'a~2.png']
    """
    for count in itertools.count(1):
        end = (f"~{count}" if count > 1 else "") + name.suffix[:16]
        stem = name.stem.encode()[: MAX_NAME_BYTES - len(end.encode())]
        yield stem.decode(errors="ignore") + end
