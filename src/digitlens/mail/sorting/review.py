"""The review queue: pieces that wait for a person, each lent to one person at a time.

* What a person said of a piece, taken back: a key is soon pressed that was not meant.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.errors import DataError, UsageError
from digitlens.mail.sorting import store
from digitlens.mail.sorting.corrections import check_sorted, corrections_in, picture_of
from digitlens.mail.sorting.lease import Correction, NotYoursError, ReviewTask
from digitlens.mail.sorting.store import open_store, transaction
from digitlens.mail.zipcode import ZipCode

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from digitlens.mail.directory import Directory
    from digitlens.mail.plan import SortPlan


def undo_settlement(
    connection: sqlite3.Connection,
    out: Path,
    piece: int,
    loan: tuple[str, str, float],
    *,
    before: str = "",
) -> sqlite3.Row:
    """Put a settled piece back into the queue, lent to whoever settled it.

    It is written down first and moved then, so that a kill in between is made good by the
    next run.

    Parameters
    ----------
    loan
        Person, token and end of the new loan.
    before
        Token of a loan that ends with this.

    Returns
    -------
    The piece's row.

    Raises
    ------
    NotYoursError
        Somebody else settled it, or nobody.
    StorageError
        The disk is full; the piece is then put back by the next run.
    """
    person = loan[0]
    with transaction(connection):
        said = connection.execute(
            "SELECT corrections.id, corrections.person, tray FROM corrections"
            " JOIN pieces ON pieces.id = corrections.piece WHERE piece = ?"
            " ORDER BY corrections.id DESC LIMIT 1",
            (piece,),
        ).fetchone()
        if said is None or said["person"] != person or said["tray"] == store.REVIEW:
            raise NotYoursError(
                f"{person} has said nothing of piece {piece} that could be taken back",
                likely="it was taken back before"
                if said is None or said["person"] == person
                else f"{said['person']} settled it",
            )
        connection.execute("DELETE FROM corrections WHERE id = ?", (said["id"],))
        connection.execute(
            "UPDATE pieces SET zip = NULL, zip4 = '', tray = ?, was = tray, placed = 0,"
            " person = NULL WHERE id = ?",
            (store.REVIEW, piece),
        )
        connection.execute("DELETE FROM leases WHERE token = ?", (before,))
        connection.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)", (piece, *loan))
    store.place_piece(connection, out, [piece])
    result: sqlite3.Row = connection.execute(
        "SELECT * FROM pieces WHERE id = ?", (piece,)
    ).fetchone()
    return result


LEASE = 300.0
"""Seconds for which a piece is lent: who looks for longer renews."""

_THEIRS = "COALESCE(leases.token = :token, leases.person = :person)"
_NEXT = (
    "SELECT pieces.* FROM pieces LEFT JOIN leases ON leases.piece = pieces.id"  # noqa: S608
    f" WHERE tray = '{store.REVIEW}' AND placed = 1"
    f" AND (leases.piece IS NULL OR until <= :now OR {_THEIRS})"
    f" ORDER BY {_THEIRS} IS NOT 1, pieces.id <= :after, pieces.id LIMIT 1"
)


class Review:
    """The queue of the trays in `out`; safe to use from several threads and processes.

    Parameters
    ----------
    out
        The folder of trays that `sort_folder` filled.
    plan, directory
        Where settled pieces go, and which ZIPs there are.
    now
        The clock, in seconds since 1970.

    Raises
    ------
    MissingDataError
        Nothing was sorted into `out`.
    """

    def __init__(
        self,
        out: Path,
        plan: SortPlan,
        directory: Directory,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        check_sorted(out)
        self._out, self._plan, self._directory, self._now = out, plan, directory, now

    def waiting(self) -> int:
        """Return how many pieces wait, those that are lent included."""
        with open_store(self._out) as connection:
            query = "SELECT COUNT(*) FROM pieces WHERE tray = ?"
            return int(connection.execute(query, (store.REVIEW,)).fetchone()[0])

    def standing(self, person: str | None = None) -> dict[str, Any]:
        """Return how the work stands, as plain values.

        Returns
        -------
        ``waiting``, ``lent`` (of those, now), ``settled`` (by people, with a ZIP),
        ``unsortable``, ``trays`` (pieces by tray) and ``yours`` (what `person` settled).
        """
        with open_store(self._out) as connection:
            query = "SELECT tray, COUNT(*) FROM pieces GROUP BY tray ORDER BY tray"
            trays = dict(connection.execute(query).fetchall())
            query = (
                "SELECT (SELECT COUNT(*) FROM leases WHERE until > ?),"
                " (SELECT COUNT(*) FROM corrections WHERE zip IS NOT NULL),"
                " (SELECT COUNT(*) FROM corrections WHERE person = ?)"
            )
            lent, settled, yours = connection.execute(query, (self._now(), person)).fetchone()
        waiting = trays.pop(store.REVIEW, 0)
        unsortable = trays.pop(store.UNSORTABLE, 0)
        return {
            "waiting": waiting,
            "lent": lent,
            "settled": settled,
            "unsortable": unsortable,
            "yours": yours,
            "trays": trays,
        }

    def claim(
        self, person: str, *, token: str | None = None, after: int = 0, lease: float = LEASE
    ) -> ReviewTask | None:
        """Lend the next piece to `person`: one of theirs, or one that nobody has.

        Two people never get the same piece, unless the first one's loan has ended.

        Parameters
        ----------
        token
            Of a loan: "theirs" is then the piece lent with it, whoever they say they are, so
            that two people of one name are two. ``""``: they have none.
        after
            The number of a piece: those behind it come first, so that who gives a piece back
            gets another one.

        Returns
        -------
        None where every piece that waits is lent to others.

        Raises
        ------
        UsageError
            The person has no name, or one that cannot be printed.
        """
        _check_person(person)
        now = self._now()
        given = {"now": now, "person": person, "token": token, "after": after}
        with open_store(self._out) as connection, transaction(connection):
            row = connection.execute(_NEXT, given).fetchone()
            if row is None:
                return None
            token, until = secrets.token_hex(8), now + lease
            connection.execute(
                "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)",
                (row["id"], person, token, until),
            )
        return ReviewTask.of(row, picture_of(self._out, row), token, until)

    def task(self, piece: int, token: str) -> ReviewTask:
        """Return a loan again by what a web page sends back: the piece's number and its token.

        Raises
        ------
        NotYoursError
            The piece is not lent with that token (any more).
        """
        with open_store(self._out) as connection:
            row = connection.execute(
                "SELECT pieces.*, token, until FROM pieces"
                " JOIN leases ON leases.piece = pieces.id WHERE pieces.id = ? AND token = ?",
                (piece, token),
            ).fetchone()
        if row is None:
            raise NotYoursError(
                f"piece {piece} is no longer yours",
                likely="it was settled, given back, or lent to another person",
                try_="take the next piece",
            )
        return ReviewTask.of(row, picture_of(self._out, row), token, row["until"])

    def renew(self, task: ReviewTask, *, lease: float = LEASE) -> float:
        """Lend the piece for longer; return until when.

        Raises
        ------
        NotYoursError
            It has been lent to another person, or is settled.
        """
        until = self._now() + lease
        with open_store(self._out) as connection, transaction(connection):
            self._check_lease(connection, task)
            connection.execute(
                "UPDATE leases SET until = ? WHERE piece = ?", (until, task.piece)
            )
        return until

    def release(self, task: ReviewTask) -> None:
        """Give the piece back unsettled: the next person gets it."""
        with open_store(self._out) as connection, transaction(connection):
            connection.execute(
                "DELETE FROM leases WHERE piece = ? AND token = ?", (task.piece, task.token)
            )

    def settle(self, task: ReviewTask, zip_: str | None, *, unlisted: bool = False) -> str:
        """Send the piece on with the ZIP that a person read; return its tray.

        Parameters
        ----------
        zip_
            Five or nine digits; None where the person cannot tell either: the piece goes to
            the folder ``unsortable``.
        unlisted
            Take a ZIP that the directory does not have.

        Raises
        ------
        UsageError
            No ZIP, or one that the directory does not have.
        NotYoursError
            The loan has ended and another person has the piece, or it is settled.
        DataError
            The picture is gone, here and where it came from; the piece still waits.
        StorageError
            The disk is full; the piece is then put away by the next run.
        """
        code = None if zip_ is None else ZipCode.parse(zip_)
        if code is not None and code.five not in self._directory and not unlisted:
            raise UsageError(
                f"there is no ZIP {code.five}",
                likely="a digit was mistyped, or the ZIP is newer than the directory",
            )
        tray = store.UNSORTABLE if code is None else self._plan.tray_of(code.five)
        now = self._now()
        with open_store(self._out) as connection:
            with transaction(connection):
                person = self._check_lease(connection, task)
                _check_there(task)
                connection.execute(
                    "INSERT INTO corrections (piece, zip, person, at) VALUES (?, ?, ?, ?)",
                    (task.piece, code and code.digits, person, now),
                )
                connection.execute(
                    "UPDATE pieces SET zip = ?, zip4 = ?, tray = ?, was = ?, placed = 0,"
                    " person = ?, at = ? WHERE id = ?",
                    (
                        code and code.five,
                        code.four if code else "",
                        tray,
                        store.REVIEW,
                        person,
                        now,
                        task.piece,
                    ),
                )
                connection.execute("DELETE FROM leases WHERE piece = ?", (task.piece,))
            store.place_piece(connection, self._out, [task.piece])
        return tray

    def take_back(
        self, piece: int, person: str, *, token: str = "", lease: float = LEASE
    ) -> ReviewTask:
        """Take back what `person` said of a piece, and lend it to them again.

        Parameters
        ----------
        token
            Of the loan that they have: it is given back.

        Raises
        ------
        NotYoursError
            Somebody else settled it, or nobody.
        StorageError
            The disk is full; the piece is then put back by the next run.
        """
        loan = person, secrets.token_hex(8), self._now() + lease
        with open_store(self._out) as connection:
            row = undo_settlement(connection, self._out, piece, loan, before=token)
        return ReviewTask.of(row, picture_of(self._out, row), *loan[1:])

    def corrections(self) -> Iterator[Correction]:
        """Walk over everything that people settled, oldest first."""
        return corrections_in(self._out)

    def _check_lease(self, connection: sqlite3.Connection, task: ReviewTask) -> str:
        row = connection.execute(
            "SELECT person, token FROM leases WHERE piece = ?", (task.piece,)
        ).fetchone()
        if row is None or row["token"] != task.token:
            raise NotYoursError(
                f"the piece {task.name} is no longer yours",
                seen="it was settled or given back" if row is None else f"{row[0]} has it now",
                likely="it was lent for a time, and the time is over" if row else None,
                try_="take the next piece",
            )
        return str(row["person"])


def _check_person(person: str) -> None:
    if not person.strip() or not person.isprintable():
        raise UsageError("a piece is lent to a person who has a name", seen=repr(person))


def _check_there(task: ReviewTask) -> None:
    if not task.picture.exists():
        raise DataError(
            f"the picture of the piece {task.name} is gone",
            seen=f"there is no file {task.picture}",
            try_="put it back, then settle the piece again",
        )
