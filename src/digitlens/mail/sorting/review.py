"""The review queue: pieces that wait for a person, each lent to one person at a time."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from digitlens.errors import UsageError
from digitlens.mail.sorting.pieces import NotYoursError
from digitlens.mail.sorting.store import open_store
from digitlens.mail.sorting.trays import UNSORTABLE
from digitlens.mail.zipcode import ZipCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from digitlens.mail.directory import Directory
    from digitlens.mail.plan import SortPlan
    from digitlens.mail.sorting.pieces import Correction, ReviewTask


LEASE = 300.0
"""Seconds for which a piece is lent; whoever needs longer renews the loan."""


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
        self._out, self._plan, self._directory, self._now = out, plan, directory, now
        with open_store(out):
            pass  # a missing or damaged state is reported now, not at the first claim

    def waiting(self) -> int:
        """Return how many pieces wait, those that are lent included."""
        return int(self.status()["waiting"])

    def status(self, person: str | None = None) -> dict[str, Any]:
        """Return the figures of the queue, as plain values.

        Returns
        -------
        ``waiting``, ``lent`` (of those, now), ``settled`` (by people, with a ZIP),
        ``unsortable``, ``trays`` (pieces by tray) and ``yours`` (what `person` settled).
        """
        with open_store(self._out) as store:
            return store.count_review(self._now(), person)

    def claim(
        self, person: str, *, token: str | None = None, after: int = 0, lease: float = LEASE
    ) -> ReviewTask | None:
        """Lend the next piece to `person`: one of theirs, or one that nobody has.

        Two people never get the same piece, unless the first one's loan has ended.

        Parameters
        ----------
        token
            Of a loan: "theirs" is then the piece lent with it, whatever their name, so that two
            people of one name are two. ``""``: they have none.
        after
            The number of a piece: those after it come first, so that a person who gives a piece
            back gets another one.

        Returns
        -------
        None where every piece that waits is lent to others.

        Raises
        ------
        UsageError
            The person has no name, or one that cannot be printed.
        """
        if not person.strip() or not person.isprintable():
            raise UsageError("a piece is lent to a person who has a name", seen=repr(person))
        now = self._now()
        loan = secrets.token_hex(8), now + lease
        with open_store(self._out) as store:
            return store.lend(person, loan, token=token, after=after, now=now)

    def task(self, piece: int, token: str) -> ReviewTask:
        """Return a loan again by what a web page sends back: the piece's number and its token.

        Raises
        ------
        NotYoursError
            The piece is not lent with that token (any more).
        """
        with open_store(self._out) as store:
            task = store.find_task(piece, token)
        if task is None:
            raise NotYoursError(
                f"piece {piece} is no longer yours",
                likely="it was settled, given back, or lent to another person",
                try_="take the next piece",
            )
        return task

    def renew(self, task: ReviewTask, *, lease: float = LEASE) -> float:
        """Lend the piece for longer; return until when.

        Raises
        ------
        NotYoursError
            It has been lent to another person, or is settled.
        """
        until = self._now() + lease
        with open_store(self._out) as store:
            store.renew(task, until)
        return until

    def release(self, task: ReviewTask) -> None:
        """Give the piece back unsettled: the next person gets it."""
        with open_store(self._out) as store:
            store.release(task)

    def settle(self, task: ReviewTask, zip_: str | None, *, unlisted: bool = False) -> str:
        """Send the piece on with the ZIP that a person read; return its tray.

        Parameters
        ----------
        zip_
            Five or nine digits; None where the person cannot read it either: the piece goes to
            the folder ``unsortable``.
        unlisted
            Accept a ZIP that the directory does not have.

        Raises
        ------
        UsageError
            No ZIP, or one that the directory does not have.
        NotYoursError
            The loan has ended and another person has the piece, or it is settled.
        DataError
            The picture is gone, here and where it came from; the piece still waits.
        StorageError
            The disk is full; the next run then moves the piece.
        """
        code = None if zip_ is None else ZipCode.parse(zip_)
        if code is not None and code.five not in self._directory and not unlisted:
            raise UsageError(
                f"there is no ZIP {code.five}",
                likely="a digit was mistyped, or the ZIP is newer than the directory",
            )
        tray = UNSORTABLE if code is None else self._plan.find_tray(code.five)
        with open_store(self._out) as store:
            store.settle(task, code, tray, self._now())
        return tray

    def take_back(
        self, piece: int, person: str, *, token: str = "", lease: float = LEASE
    ) -> ReviewTask:
        """Undo what `person` said of a piece, and lend it to them again.

        Parameters
        ----------
        token
            Of the loan that they have: it is given back.

        Raises
        ------
        NotYoursError
            Somebody else settled it, or nobody.
        StorageError
            The disk is full; the next run then puts the piece back.
        """
        loan = secrets.token_hex(8), self._now() + lease
        with open_store(self._out) as store:
            return store.undo(piece, person, loan, released=token)

    def corrections(self) -> Iterator[Correction]:
        """Walk over everything that people settled, oldest first."""
        with open_store(self._out) as store:
            return iter(store.corrections())
