"""What a person said of a piece, taken back: a key is soon pressed that was not meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.mail.sorting import pieces
from digitlens.mail.sorting.database import writing
from digitlens.mail.sorting.lent import NotYoursError

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path


def take_back(
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
    with writing(connection):
        said = connection.execute(
            "SELECT corrections.id, corrections.person, tray FROM corrections"
            " JOIN pieces ON pieces.id = corrections.piece WHERE piece = ?"
            " ORDER BY corrections.id DESC LIMIT 1",
            (piece,),
        ).fetchone()
        if said is None or said["person"] != person or said["tray"] == pieces.REVIEW:
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
            (pieces.REVIEW, piece),
        )
        connection.execute("DELETE FROM leases WHERE token = ?", (before,))
        connection.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)", (piece, *loan))
    pieces.place(connection, out, [piece])
    found: sqlite3.Row = connection.execute(
        "SELECT * FROM pieces WHERE id = ?", (piece,)
    ).fetchone()
    return found
