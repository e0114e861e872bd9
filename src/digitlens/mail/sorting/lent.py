"""A piece that is lent to a person, and what a person said of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from digitlens.errors import RunError
from digitlens.mail.sorting.marks import box_of

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from digitlens.reading.line import Box


class NotYoursError(RunError):
    """A piece of mail that is not lent to who asks, or no longer."""


@dataclass(frozen=True)
class Task:
    """A piece that is lent to a person.

    Parameters
    ----------
    piece
        Its number.
    picture
        Its file in the review folder, or where it came from.
    name
        As it was called in the folder that was sorted.
    reason, why
        Why a person must look.
    guesses
        The likeliest ZIPs, as `Guess.as_dict` gives them: keys 1 to 3.
    text
        What the reader read.
    token
        Proves that the piece is lent to whoever has it.
    until
        When the loan ends, in seconds since 1970.
    box, boxes
        Where the line that was taken for the ZIP stands on the upright picture, and where
        each of its digits does; None and empty where no digits were found.
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

    @classmethod
    def of(cls, row: sqlite3.Row, picture: Path, token: str, until: float) -> Task:
        """Return the task of a row of pieces."""
        routing = json.loads(row["routing"])
        return cls(
            row["id"],
            picture,
            row["name"],
            row["reason"],
            routing["why"],
            tuple(routing["guesses"]),
            routing["text"],
            token,
            until,
            *_boxes(routing),
        )


@dataclass(frozen=True)
class Correction:
    """What a person said of a piece: data to learn from.

    Parameters
    ----------
    picture
        Where the piece lies now.
    zip
        Five or nine digits; None where the person could not tell either.
    guesses, text
        What the program had thought.
    box, boxes
        As a `Task` has them.
    """

    piece: int
    picture: Path
    zip: str | None
    person: str
    at: float
    guesses: tuple[dict[str, Any], ...]
    text: str
    box: Box | None = None
    boxes: tuple[Box, ...] = ()

    @classmethod
    def of(cls, row: sqlite3.Row, picture: Path) -> Correction:
        """Return the correction of a row of pieces, with ``said``, ``who`` and ``settled``."""
        routing = json.loads(row["routing"])
        return cls(
            row["id"],
            picture,
            row["said"],
            row["who"],
            row["settled"],
            tuple(routing["guesses"]),
            routing["text"],
            *_boxes(routing),
        )


def _boxes(routing: dict[str, Any]) -> tuple[Box | None, tuple[Box, ...]]:
    """Return the boxes of a line; a state of an older version has none."""
    found = (box_of(each) for each in routing.get("boxes", ()))
    return box_of(routing.get("box")), tuple(box for box in found if box is not None)
