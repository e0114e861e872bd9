"""A piece of mail: decided on, lent to a person, and corrected by one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.errors import RunError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from digitlens.ctc import Line
    from digitlens.geometry import Box


DECIMALS = 6


class NotYoursError(RunError):
    """A piece of mail that is not lent to the person who asks, or no longer."""


@dataclass(frozen=True)
class RoutedPiece:
    """A piece that was read and decided on, not yet in the state.

    Parameters
    ----------
    source
        The picture, as an absolute path.
    name
        The same below the folder that is sorted, with slashes.
    fingerprint
        See `file_fingerprint`.
    routing
        What `Routing.as_dict` and `describe_line` give.
    tray
        The folder it belongs in.
    time
        Seconds since 1970.
    """

    source: Path
    name: str
    fingerprint: str
    routing: dict[str, Any]
    tray: str
    time: float


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
        Its name in the folder that was sorted.
    reason, why
        Why a person must look.
    guesses
        The likeliest ZIPs, at most three, as `ZipGuess.as_dict` gives them.
    text
        What the reader read.
    token
        Proves that its holder was lent the piece.
    until
        When the loan ends, in seconds since 1970.
    box, boxes
        Where the line that was taken for the ZIP stands on the picture as it lies, and where
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
    def from_row(cls, out: Path, row: sqlite3.Row, token: str, until: float) -> ReviewTask:
        """Return the task of a row of pieces in the trays in `out`."""
        routing = json.loads(row["routing"])
        return cls(
            row["id"],
            find_picture(out, row),
            row["name"],
            row["reason"],
            routing["why"],
            tuple(routing["guesses"]),
            routing["text"],
            token,
            until,
            *_parse_boxes(routing),
        )


@dataclass(frozen=True)
class Correction:
    """What a person said of a piece: data to learn from.

    Parameters
    ----------
    picture
        Where the piece lies now.
    zip
        Five or nine digits; None where the person could not read it either.
    settled_at
        Seconds since 1970.
    guesses, text
        What the program had read.
    box, boxes
        As in `ReviewTask`.
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

    @classmethod
    def from_row(cls, out: Path, row: sqlite3.Row) -> Correction:
        """Return the correction of a row of pieces with ``said``, ``who`` and ``settled``."""
        routing = json.loads(row["routing"])
        return cls(
            row["id"],
            find_picture(out, row),
            row["said"],
            row["who"],
            row["settled"],
            tuple(routing["guesses"]),
            routing["text"],
            *_parse_boxes(routing),
        )


def find_picture(out: Path, row: sqlite3.Row) -> Path:
    """Return where a piece's picture lies: in its tray, or where it came from."""
    filed = out / row["tray"] / row["filed"]
    return filed if filed.exists() else Path(row["source"])


def file_fingerprint(path: Path) -> str:
    """Return size and time of the file at `path`: they tell whether it was changed."""
    try:
        about = path.stat()
    except OSError:
        return "gone"
    return f"{about.st_size} {about.st_mtime_ns}"


def describe_line(line: Line | None) -> dict[str, Any]:
    """Return what the state keeps of the line that was taken for the ZIP, as plain values.

    ``digits`` are the confidences of its digits, ``box`` is where it stands (None without
    digits) and ``boxes`` where each of them does: x0, y0, x1, y1 in pixels of the picture as
    it lies.
    """
    digits = () if line is None else line.digits
    return {
        "digits": [round(digit.confidence, DECIMALS) for digit in digits],
        "box": _round_box(line.box) if line is not None and digits else None,
        "boxes": [_round_box(digit.box) for digit in digits],
    }


def _round_box(box: Box) -> list[float]:
    return [round(float(edge), 1) for edge in box]


def _parse_boxes(routing: dict[str, Any]) -> tuple[Box | None, tuple[Box, ...]]:
    """Return the boxes that `describe_line` kept; a state of an older version has none."""
    boxes = (_parse_box(item) for item in routing.get("boxes", ()))
    return _parse_box(routing.get("box")), tuple(box for box in boxes if box is not None)


def _parse_box(edges: Any) -> Box | None:
    if not edges:
        return None
    x0, y0, x1, y1 = map(float, edges)
    return x0, y0, x1, y1


def find_rotation(boxes: Sequence[Box]) -> int:
    """Return how a picture must be rotated for its digits to run to the right.

    Returns
    -------
    Degrees, counter-clockwise: 0, 90, 180 or 270.

    Examples
    --------
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
