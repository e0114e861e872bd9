"""The review queue: pieces that wait for a person, each lent to one person at a time."""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

from digitlens.errors import MissingDataError, RunError, UsageError
from digitlens.mail.sorting import pieces
from digitlens.mail.sorting.database import FILE, opened, writing
from digitlens.mail.sorting.lent import Correction, Task
from digitlens.mail.zipcode import ZipCode

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from digitlens.mail.directory import Directory
    from digitlens.mail.plan import Plan

LEASE = 300.0
"""Seconds for which a piece is lent: who looks for longer renews."""


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
        plan: Plan,
        directory: Directory,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        if not (out / FILE).is_file():
            raise MissingDataError(
                f"nothing was sorted into {out}",
                try_=f"digitlens route FOLDER --out {out}",
            )
        self._out, self._plan, self._directory, self._now = out, plan, directory, now

    def waiting(self) -> int:
        """Return how many pieces wait, those that are lent included."""
        with opened(self._out) as connection:
            query = "SELECT COUNT(*) FROM pieces WHERE tray = ?"
            return int(connection.execute(query, (pieces.REVIEW,)).fetchone()[0])

    def claim(self, person: str, *, lease: float = LEASE) -> Task | None:
        """Lend the next piece to `person`: one of theirs, or one that nobody has.

        Two people never get the same piece, unless the first one's loan has ended.

        Returns
        -------
        None where every piece that waits is lent to others.
        """
        _check_person(person)
        now = self._now()
        with opened(self._out) as connection, writing(connection):
            row = connection.execute(
                "SELECT pieces.* FROM pieces LEFT JOIN leases ON leases.piece = pieces.id"
                " WHERE tray = ? AND placed = 1"
                " AND (leases.piece IS NULL OR until <= ? OR leases.person = ?)"
                " ORDER BY leases.person IS NOT ?, pieces.id LIMIT 1",
                (pieces.REVIEW, now, person, person),
            ).fetchone()
            if row is None:
                return None
            token, until = secrets.token_hex(8), now + lease
            connection.execute(
                "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)",
                (row["id"], person, token, until),
            )
        return self._task(row, token, until)

    def task(self, piece: int, token: str) -> Task:
        """Return a loan again by what a web page sends back: the piece's number and its token.

        Raises
        ------
        RunError
            The piece is not lent with that token (any more).
        """
        with opened(self._out) as connection:
            row = connection.execute(
                "SELECT pieces.*, token, until FROM pieces"
                " JOIN leases ON leases.piece = pieces.id WHERE pieces.id = ? AND token = ?",
                (piece, token),
            ).fetchone()
        if row is None:
            raise RunError(
                f"piece {piece} is no longer yours",
                likely="it was settled, given back, or lent to another person",
                try_="take the next piece",
            )
        return self._task(row, token, row["until"])

    def renew(self, task: Task, *, lease: float = LEASE) -> float:
        """Lend the piece for longer; return until when.

        Raises
        ------
        RunError
            It has been lent to another person, or is settled.
        """
        until = self._now() + lease
        with opened(self._out) as connection, writing(connection):
            self._check_lease(connection, task)
            connection.execute(
                "UPDATE leases SET until = ? WHERE piece = ?", (until, task.piece)
            )
        return until

    def release(self, task: Task) -> None:
        """Give the piece back unsettled: the next person gets it."""
        with opened(self._out) as connection, writing(connection):
            connection.execute(
                "DELETE FROM leases WHERE piece = ? AND token = ?", (task.piece, task.token)
            )

    def settle(self, task: Task, zip_: str | None, *, unlisted: bool = False) -> str:
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
        RunError
            The loan has ended and another person has the piece, or it is settled.
        StorageError
            The disk is full; the piece is then put away by the next run.
        """
        code = None if zip_ is None else ZipCode.parse(zip_)
        if code is not None and code.five not in self._directory and not unlisted:
            raise UsageError(
                f"there is no ZIP {code.five}",
                likely="a digit was mistyped, or the ZIP is newer than the directory",
            )
        tray = pieces.UNSORTABLE if code is None else self._plan.tray_of(code.five)
        now = self._now()
        with opened(self._out) as connection:
            with writing(connection):
                person = self._check_lease(connection, task)
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
                        pieces.REVIEW,
                        person,
                        now,
                        task.piece,
                    ),
                )
                connection.execute("DELETE FROM leases WHERE piece = ?", (task.piece,))
            pieces.place(connection, self._out, [task.piece])
        return tray

    def corrections(self) -> Iterator[Correction]:
        """Walk over everything that people settled, oldest first."""
        with opened(self._out) as connection:
            rows = connection.execute(
                "SELECT pieces.*, corrections.zip AS said, corrections.person AS who,"
                " corrections.at AS settled FROM corrections"
                " JOIN pieces ON pieces.id = corrections.piece ORDER BY corrections.id"
            ).fetchall()
        for row in rows:
            routing = json.loads(row["routing"])
            yield Correction(
                row["id"],
                self._picture(row),
                row["said"],
                row["who"],
                row["settled"],
                tuple(routing["guesses"]),
                routing["text"],
            )

    def _task(self, row: sqlite3.Row, token: str, until: float) -> Task:
        routing = json.loads(row["routing"])
        return Task(
            row["id"],
            self._picture(row),
            row["name"],
            row["reason"],
            routing["why"],
            tuple(routing["guesses"]),
            routing["text"],
            token,
            until,
        )

    def _picture(self, row: sqlite3.Row) -> Path:
        filed = self._out / row["tray"] / row["filed"]
        return filed if filed.exists() else Path(row["source"])

    def _check_lease(self, connection: sqlite3.Connection, task: Task) -> str:
        row = connection.execute(
            "SELECT person, token FROM leases WHERE piece = ?", (task.piece,)
        ).fetchone()
        if row is None or row["token"] != task.token:
            raise RunError(
                f"the piece {task.name} is no longer yours",
                seen="it was settled or given back" if row is None else f"{row[0]} has it now",
                likely="it was lent for a time, and the time is over" if row else None,
                try_="take the next piece",
            )
        return str(row["person"])


def _check_person(person: str) -> None:
    if not person.strip():
        raise UsageError("a piece is lent to a person who has a name", seen=repr(person))
