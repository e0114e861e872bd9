"""What people said of pieces, and where the pictures of pieces lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from digitlens.errors import MissingDataError
from digitlens.mail.sorting.database import FILE, opened
from digitlens.mail.sorting.lent import Correction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator


def corrections_in(out: Path) -> Iterator[Correction]:
    """Walk over everything that people settled of the trays in `out`, oldest first.

    Raises
    ------
    MissingDataError
        Nothing was sorted into `out`.
    """
    check_sorted(out)
    with opened(out) as connection:
        rows = connection.execute(
            "SELECT pieces.*, corrections.zip AS said, corrections.person AS who,"
            " corrections.at AS settled FROM corrections"
            " JOIN pieces ON pieces.id = corrections.piece ORDER BY corrections.id"
        ).fetchall()
    for row in rows:
        yield Correction.of(row, picture_of(out, row))


def picture_of(out: Path, row: sqlite3.Row) -> Path:
    """Return where a piece's picture lies: in its folder, or where it came from."""
    filed = out / row["tray"] / row["filed"]
    return filed if filed.exists() else Path(row["source"])


def check_sorted(out: Path) -> None:
    """See that there is a state of sorting.

    Raises
    ------
    MissingDataError
        There is none.
    """
    if not (out / FILE).is_file():
        raise MissingDataError(
            f"nothing was sorted into {out}", try_=f"digitlens route FOLDER --out {out}"
        )
