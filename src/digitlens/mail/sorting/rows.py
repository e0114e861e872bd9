"""Rows of the state of sorting: what is written into them, and what is read from them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from digitlens.errors import CorruptFileError, RunError

if TYPE_CHECKING:
    from collections.abc import Mapping


Row: TypeAlias = "Mapping[str, Any]"
"""A row of the state: values by the names of the columns in `sqlite.TABLES`."""

SurveyRow: TypeAlias = "tuple[int, str | bytes, str, str, str, str | None, int, str | None]"
"""Number, source, stamp, filed, tray, zip and placed of a row, as in `sqlite.TABLES`, and the
routing of one that waits as unreadable."""

# The trays of what waits for a person, and of what no person could read.
REVIEW, UNSORTABLE = "review", "unsortable"
MAX_NAME_BYTES = 255  # of a file's name, on every system
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

    A piece is already theirs if it is lent with `token` or, where that is None, to `person`.
    Pieces with a number above `after` come first. `now` and `until` are in seconds since 1970.
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
