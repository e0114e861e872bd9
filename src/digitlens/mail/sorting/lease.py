"""A piece that is lent to a person, and what a person said of it.

* Where the digits of a piece stand on its picture: kept, so that a person need not search.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from digitlens.errors import RunError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from digitlens.ctc import Line
    from digitlens.geometry import Box


PLACES = 6


def digit_places(line: Line | None) -> dict[str, Any]:
    """Return what the state keeps of the line that was taken for the ZIP, as plain values.

    ``digits`` are the confidences of its digits, ``box`` is where it stands (None without
    digits) and ``boxes`` where each of them does: left, top, right, bottom in pixels of the
    picture as it lies.
    """
    digits = () if line is None else line.digits
    return {
        "digits": [round(digit.confidence, PLACES) for digit in digits],
        "box": _edges(line.box) if line is not None and digits else None,
        "boxes": [_edges(digit.box) for digit in digits],
    }


def _edges(box: Box) -> list[float]:
    return [round(float(edge), 1) for edge in box]


def rotation_of(boxes: Sequence[Box]) -> int:
    """Return how a picture must be turned for its digits to run to the right.

    Returns
    -------
    Degrees, counter-clockwise: 0, 90, 180 or 270.

    Examples
    --------
    >>> rotation_of([(90.0, 10.0, 99.0, 30.0), (10.0, 11.0, 19.0, 31.0)])
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


def box_of(edges: Any) -> Box | None:
    """Return a box as `digit_places` kept it; None where none was kept."""
    if not edges:
        return None
    left, top, right, bottom = map(float, edges)
    return left, top, right, bottom


class NotYoursError(RunError):
    """A piece of mail that is not lent to who asks, or no longer."""


@dataclass(frozen=True)
class ReviewTask:
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
    def of(cls, row: sqlite3.Row, picture: Path, token: str, until: float) -> ReviewTask:
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
        As a `ReviewTask` has them.
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
    result = (box_of(item) for item in routing.get("boxes", ()))
    return box_of(routing.get("box")), tuple(box for box in result if box is not None)
