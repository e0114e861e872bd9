"""The review queue: pieces that wait for a person, each lent to one person at a time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.errors import DataError, UsageError
from digitlens.mail.directory import ZipCode
from digitlens.mail.sorting.rows import (
    REVIEW,
    UNSORTABLE,
    Asking,
    NotYoursError,
    Said,
    find_source,
    parse_routing,
)
from digitlens.mail.sorting.stores import make_store, open_store
from digitlens.mail.sorting.trays import Filer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from digitlens.geometry import Box
    from digitlens.mail.directory import Directory
    from digitlens.mail.plan import SortPlan
    from digitlens.mail.sorting.rows import Row
    from digitlens.mail.sorting.store import Store


# Seconds for which a piece is lent; whoever needs longer renews the loan.
LEASE = 300.0


@dataclass(frozen=True)
class ReviewTask:
    """A piece that is lent to a person.

    `picture` is its file in the review folder, or where it came from; `reason` and `why` say
    why a person must look; `guesses` are the likeliest ZIPs, at most three, as
    `ZipGuess.as_dict` gives them; `token` proves that its holder was lent the piece, until
    `until`, in seconds since 1970. `box` and `boxes` say where the line that was taken for the
    ZIP stands on the picture as it lies, and each of its digits; None and empty where no digits
    were found.
    """

    piece: int
    picture: Path
    name: str
    reason: str
    why: str
    guesses: tuple[dict[str, Any], ...]
    text: str
    token: str
    until: float
    box: Box | None = None
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Correction:
    """What a person said of a piece: data to learn from.

    `picture` is where the piece lies now; `zip` five or nine digits, or None where the person
    could not read it either; `settled_at` in seconds since 1970. `guesses` and `text` are what
    the program had read, with boxes as in `ReviewTask`.
    """

    piece: int
    picture: Path
    zip: str | None
    person: str
    settled_at: float
    guesses: tuple[dict[str, Any], ...]
    text: str
    box: Box | None = None
    boxes: tuple[Box, ...] = ()


class Review:
    """The queue of the trays in `out`; safe to use from several threads and processes.

    `out` is a folder of trays that `sort_folder` filled, else `MissingDataError`; `plan` and
    `directory` say where settled pieces go, and which ZIPs there are; `store` is the address of
    the database that keeps their state, None for the file in `out`; `now` is the clock, in
    seconds since 1970.
    """

    def __init__(
        self,
        out: Path,
        plan: SortPlan,
        directory: Directory,
        *,
        store: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._out, self._plan, self._directory, self.now = out, plan, directory, now
        # A missing or damaged state is reported now, not at the first claim.
        self.store = make_store(out, store)
        self.filer = Filer(self.store, out)

    def close(self) -> None:
        """Finish what can wait while people work; the queue can still be used afterwards."""
        self.filer.mark()
        self.store.close()

    def waiting(self) -> int:
        """Return how many pieces wait, those that are lent included."""
        return int(self.status()["waiting"])

    def status(self, person: str | None = None) -> dict[str, Any]:
        """Return the figures of the queue, as plain values.

        ``waiting``, ``lent`` (of those, now), ``settled`` (by people, with a ZIP),
        ``unsortable``, ``trays`` (pieces by tray) and ``yours`` (what `person` settled).
        """
        trays = self.store.counts("tray")
        return {
            "waiting": trays.pop(REVIEW, 0),
            "lent": self.store.count_loans(self.now()),
            "settled": self.store.counts("zips").get("", 0),
            "unsortable": trays.pop(UNSORTABLE, 0),
            "yours": self.store.counts("said").get(person or "", 0),
            "trays": trays,
        }

    def claim(
        self, person: str, *, token: str | None = None, after: int = 0, lease: float = LEASE
    ) -> ReviewTask | None:
        """Lend the next piece to `person`: one of theirs, or one that nobody has.

        Two people never get the same piece, unless the first one's loan has ended.

        person: who has a name that can be printed, else `UsageError`
        token: of a loan: "theirs" is then the piece lent with it, whatever their name, so that
            two people of one name are two. ``""``: they have none.
        after: the number of a piece: those after it come first, so that a person who gives a
            piece back gets another one

        Returns none where every piece that waits is lent to others.
        """
        if not person.strip() or not person.isprintable():
            raise UsageError("a piece is lent to a person who has a name", seen=repr(person))
        now = self.now()
        lent = self.store.claim(Asking(person, token, after, now, now + lease))
        if lent is None:
            self.filer.mark()  # nobody waits for it now
            return None
        row, token = lent
        return self._make_task(row, token, now + lease)

    def wait(self, seconds: float) -> bool:
        """Wait at most `seconds` for a piece to claim; say whether there may be one.

        The first call returns at once: claim first, then wait, then claim again. A loan that
        ends is not noticed: now and then, claim without having been told to.
        """
        return self.store.wait(seconds)

    def task(self, piece: int, token: str) -> ReviewTask:
        """Return a loan again by what a web page sends back: the piece's number and its token.

        `NotYoursError` where the piece is not lent with that token (any more).
        """
        row = self.store.find_loan(piece, token)
        if row is None:
            raise NotYoursError(
                f"piece {piece} is no longer yours",
                likely="it was settled, given back, or lent to another person",
                try_="take the next piece",
            )
        return self._make_task(row, token, row["until"])

    def renew(self, task: ReviewTask, *, lease: float = LEASE) -> float:
        """Lend the piece for longer (errors as in `settle`); return until when."""
        until = self.now() + lease
        self.store.renew(task.piece, task.token, until)
        return until

    def release(self, task: ReviewTask) -> None:
        """Give the piece back unsettled: the next person gets it."""
        self.store.release(task.piece, task.token)

    def settle(self, task: ReviewTask, zip_: str | None, *, unlisted: bool = False) -> str:
        """Send the piece on with the ZIP that a person read; return its tray.

        zip_: five or nine digits; None where the person cannot read it either: the piece goes
            to the folder ``unsortable``
        unlisted: accept a ZIP that the directory does not have

        Raises UsageError: no ZIP, or one that the directory does not have; NotYoursError: the
        loan has ended and another person has the piece, or it is settled; DataError: the
        picture is gone, here and where it came from; the piece still waits; StorageError: the
        disk is full; the next run then moves the piece.
        """
        code = None if zip_ is None else ZipCode.parse(zip_)
        if code is not None and code.five not in self._directory and not unlisted:
            raise UsageError(
                f"there is no ZIP {code.five}",
                likely="a digit was mistyped, or the ZIP is newer than the directory",
            )
        tray = UNSORTABLE if code is None else self._plan.find_tray(code.five)
        if not task.picture.exists():
            self.renew(task)  # is it still theirs?
            raise DataError(
                f"the picture of the piece {task.name} is gone",
                seen=f"there is no file {task.picture}",
                try_="put it back, then settle the piece again",
            )
        # Written down first and moved then: a kill in between is made good by the next run.
        digits = None if code is None else code.digits
        said = Said(task.piece, task.token, digits, tray, self.now())
        self.filer.place_rows([self.store.settle(said)], mark=False)
        return tray

    def take_back(self, piece: int, person: str, *, token: str = "") -> ReviewTask:
        """Undo what `person` said of a piece, and lend it to them again.

        The loan that they have with `token` ends. `NotYoursError` where somebody else settled
        it, or nobody; `StorageError` where the disk is full: the next run then puts it back.
        """
        now = self.now()
        lent = self.store.take_back(piece, Asking(person, token, 0, now, now + LEASE))
        self.filer.place([piece])
        # Where the picture lies is known only now that it was moved.
        return self.task(piece, lent)

    def corrections(self) -> list[Correction]:
        """Return everything that people settled, oldest first."""
        return list_corrections(self.store, self._out)

    def _make_task(self, row: Row, token: str, until: float) -> ReviewTask:
        routing = parse_routing(row)
        return ReviewTask(
            row["id"],
            _find_picture(self._out, row),
            row["name"],
            row["reason"],
            routing["why"],
            tuple(routing["guesses"]),
            routing["text"],
            token,
            until,
            *_parse_boxes(routing),
        )


def read_corrections(out: Path, store: str | None = None) -> list[Correction]:
    """Return everything that people settled of the trays in `out`, oldest first.

    store: the address of the database that keeps their state; None: it is in `out`
    """
    with open_store(out, store) as state:
        return list_corrections(state, out)


def list_corrections(store: Store, out: Path) -> list[Correction]:
    """Return everything that people settled, of which `store` has the rows."""
    result = []
    for row in store.corrections():
        routing = parse_routing(row)
        about = (row["id"], _find_picture(out, row), row["said"], row["who"], row["settled"])
        read = (tuple(routing["guesses"]), routing["text"], *_parse_boxes(routing))
        result.append(Correction(*about, *read))
    return result


def _find_picture(out: Path, row: Row) -> Path:
    """Return where a piece's picture lies: in its tray, or where it came from."""
    filed = out / row["tray"] / row["filed"]
    return filed if filed.exists() else find_source(row)


def _parse_boxes(routing: dict[str, Any]) -> tuple[Box | None, tuple[Box, ...]]:
    """Return the boxes that `describe_line` kept; a state of an older version has none."""
    boxes: list[Box] = [(x0, y0, x1, y1) for x0, y0, x1, y1 in routing.get("boxes", ())]
    box = routing.get("box")
    return (box[0], box[1], box[2], box[3]) if box else None, tuple(boxes)


def find_rotation(boxes: Sequence[Box]) -> int:
    """Return the degrees by which a picture is rotated for its digits to run to the right.

    Counter-clockwise: 0, 90, 180 or 270.

    >>> find_rotation([(90.0, 10.0, 99.0, 30.0), (10.0, 11.0, 19.0, 31.0)])
    180
    """
    if len(boxes) < 2:
        return 0
    first, last = boxes[0], boxes[-1]
    right = last[0] + last[2] - first[0] - first[2]
    down = last[1] + last[3] - first[1] - first[3]
    if abs(down) > abs(right):
        return 90 if down > 0 else 270
    return 180 if right < 0 else 0
