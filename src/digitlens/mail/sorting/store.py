"""What keeps the state of sorting, whichever database it is: one row for each piece.

A row says in which one folder its piece belongs. It is written before the piece is put there
(``placed`` 0) and marked afterwards (``placed`` 1); what a kill left between the two is
finished by the next run. `Store` lists the operations; `sql.SqlStore` has them in the SQL that
SQLite and PostgreSQL share, and `stores.open_store` chooses between the two.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from digitlens.errors import CorruptFileError, RunError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


Row: TypeAlias = "Mapping[str, Any]"
"""A row of the state, by the names of the columns in `sqlite.TABLES`."""

SurveyRow: TypeAlias = "tuple[int, str | bytes, str, str, str, str | None, int, str | None]"
"""Number, source, stamp, filed, tray, zip and placed of a row, as in `sqlite.TABLES`, and the
routing of one that waits as unreadable."""

LISTING = "pieces.json"
# The fact of that name: for which state the listing was written.
LISTED = "listed"
REPAIR = "digitlens mail repair FOLDER --trays DIR    makes it anew of what is in the trays"


class NotYoursError(RunError):
    """A piece of mail that is not lent to the person who asks, or no longer."""


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

    def columns(self) -> dict[str, Any]:
        """Return what was read, by column."""
        return {
            "stamp": self.fingerprint,
            "routing": json.dumps(self.routing, ensure_ascii=False),
            "zip": self.routing["zip"],
            "zip4": (self.routing["zip4"] or "")[6:],
            "probability": self.routing["probability"],
            "reason": self.routing["reason"],
            "at": self.time,
        }


@dataclass(frozen=True)
class Asking:
    """Who asks for a piece, and when.

    Theirs is the piece that is lent with `token`, or to `person` where that is None. Pieces
    behind number `after` come first. `now` and `until` are in seconds since 1970.
    """

    person: str
    token: str | None
    after: int
    now: float
    until: float


@dataclass(frozen=True)
class Said:
    """What a person said of a piece that was lent to them with `token`.

    `digits` are five or nine, or None where it cannot be read; `tray` is where it belongs.
    """

    piece: int
    token: str
    digits: str | None
    tray: str
    now: float

    def columns(self) -> dict[str, Any]:
        """Return the values of `sql.SETTLE`."""
        five, plus4 = (self.digits[:5], self.digits[5:]) if self.digits else (None, "")
        about = {"piece": self.piece, "tray": self.tray, "at": self.now}
        return about | {"five": five, "plus4": plus4}


class Store(Protocol):
    """The state of sorting; safe to use from several threads and processes at once.

    Each operation happens whole or not at all, and what it wrote survives a power cut, but for
    loans and marks, of which a loss does no harm. Errors are ours: `StorageError` where the
    database refuses, `CorruptFileError` where it is damaged.
    """

    # Whether several runs may write to it, each on its machine.
    is_shared: bool

    def add(self, pieces: Sequence[RoutedPiece]) -> list[int]:
        """Write the rows of pieces that are to be put into trays; return their numbers.

        A picture that has a row keeps it, so that a piece sent twice is one piece.
        """

    def find_piece(self, source: Path) -> Row | None:
        """Return the row of the piece whose picture lies there; None: there is none."""

    def pieces(self) -> Iterator[Row]:
        """Walk over all rows in the order of their numbers."""

    def survey(self) -> Iterator[SurveyRow]:
        """Walk over all rows likewise, but only over what each run compares."""

    def unplaced(self, numbers: Iterable[int] | None = None) -> list[Row]:
        """Return the rows that are not marked as placed: of these numbers, or all."""

    def mark_placed(self, done: Sequence[Mapping[str, Any]]) -> None:
        """Mark pieces as placed: ``id``, and the ``tray`` and time ``at`` that their rows had.

        A row that says something else by now is left: a person sent the piece on.
        """

    def rename(self, piece: int, name: PurePath) -> str:
        """Give a piece's file a free name like `name`; return it."""

    def move(self, moves: Iterable[tuple[int, str, str]]) -> None:
        """Write that placed pieces are to be moved: number, tray now, tray wanted."""

    def restore(self, numbers: Iterable[int]) -> None:
        """Write that pieces are to be put into their trays again."""

    def claim(self, asking: Asking) -> tuple[Row, str] | None:
        """Lend the next piece that waits, one of theirs first; return its row and the token.

        No two who ask at the same time get the same piece. None: nothing that waits is free.
        """

    def wait(self, seconds: float) -> bool:
        """Wait until a piece may have come that can be lent, at most so long.

        Says whether one may have; the first who asks is told so at once, to look before the
        wait begins. Loans that end are not noticed.
        """

    def find_loan(self, piece: int, token: str) -> Row | None:
        """Return the row of a piece that is lent with `token`, with ``until``; else None."""

    def renew(self, piece: int, token: str, until: float) -> None:
        """Lend a piece for longer; `NotYoursError` where the loan is another."""

    def release(self, piece: int, token: str) -> None:
        """End a loan."""

    def settle(self, said: Said) -> Row:
        """Keep what was said and write that the piece is to be moved; the loan ends.

        Returns its row as `unplaced` does; `NotYoursError` where the loan is another.
        """

    def take_back(self, piece: int, asking: Asking) -> str:
        """Forget what was last said of a piece by the person who asks, who gets it again.

        Writes that it is to be moved back, ends the loan of ``asking.token``, and returns the
        new one's token. `NotYoursError` where somebody else said it, or nobody.
        """

    def corrections(self) -> list[Row]:
        """Return the rows of pieces of which something was said, with ``said``, ``who``,
        ``settled``; oldest first.
        """

    def counts(self, kind: str) -> dict[str, int]:
        """Return figures, by name: pieces by ``tray``, corrections ``said`` by person.

        ``zips`` counts the corrections that have a ZIP, ``changes`` the changes of rows.
        """

    def count_loans(self, now: float) -> int:
        """Return how many pieces are lent."""

    def tally(self) -> list[Row]:
        """Count all pieces by ``tray``, ``reason``, ``by_person`` and ``has_zip``.

        Each row has ``n`` and ``wrong``, the sum of 1 - probability.
        """

    def read_fact(self, name: str) -> str | None:
        """Return what `write_fact` kept."""

    def write_fact(self, name: str, value: str) -> None:
        """Keep a text under a name."""

    def check(self) -> None:
        """Raise `CorruptFileError` where the state is damaged."""

    def close(self) -> None:
        """Close what is open; the store can still be used, and opens it again."""


def encode_path(path: Path) -> str | bytes:
    """Return a path as SQLite keeps it: text, or bytes where it is no UTF-8."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return str(path)


def find_source(row: Row) -> Path:
    """Return the path of a piece's picture."""
    return Path(os.fsdecode(row["source"]))


def parse_routing(row: Row) -> dict[str, Any]:
    """Return what was decided on a piece; CorruptFileError where the state is damaged."""
    return parse_text(row["id"], row["routing"])


def parse_text(number: int, text: str) -> dict[str, Any]:
    """Do as `parse_routing`, of the piece's number and its column ``routing``."""
    try:
        routing = json.loads(text)
        if isinstance(routing["why"], str) and isinstance(routing["guesses"], list):
            return dict(routing)
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise CorruptFileError(
        f"the state of sorting is damaged: what it keeps of piece {number} cannot be read",
        try_=REPAIR,
    )
