"""Rows of pieces: written before a piece is put into its folder, marked when it is there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from digitlens.mail.sorting.database import writing
from digitlens.mail.sorting.trays import move, put

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from digitlens.mail.plan import Plan

REVIEW, UNSORTABLE = "review", "unsortable"


@dataclass(frozen=True)
class Decided:
    """A piece that was read and decided on, not yet in the state.

    Parameters
    ----------
    source
        The picture, as an absolute path.
    name
        The same below the folder that is sorted, with slashes.
    stamp
        Its size and time, see `stamp_of`.
    routing
        What `Routing.as_dict` gives, and whatever else is to be listed.
    tray
        The folder it belongs in.
    at
        Seconds since 1970.
    """

    source: Path
    name: str
    stamp: str
    routing: dict[str, Any]
    tray: str
    at: float


def stamp_of(path: Path) -> str:
    """Return what tells whether the file at `path` is still the same: size and time."""
    try:
        about = path.stat()
    except OSError:
        return "gone"
    return f"{about.st_size} {about.st_mtime_ns}"


def add(connection: sqlite3.Connection, decided: Sequence[Decided]) -> list[int]:
    """Write the rows of pieces that are to be put into their folders; return their numbers."""
    numbers = []
    with writing(connection):
        for each in decided:
            found = connection.execute(
                "INSERT INTO pieces (source, name, filed, stamp, routing, zip, zip4,"
                " probability, reason, tray, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    str(each.source),
                    each.name,
                    _free_name(connection, PurePath(each.name)),
                    each.stamp,
                    json.dumps(each.routing, ensure_ascii=False),
                    each.routing["zip"],
                    (each.routing["zip4"] or "")[6:],
                    each.routing["probability"],
                    each.routing["reason"],
                    each.tray,
                    each.at,
                ),
            )
            assert found.lastrowid is not None, "a row was written"
            numbers.append(found.lastrowid)
    return numbers


def _free_name(connection: sqlite3.Connection, name: PurePath) -> str:
    """Return the file's name, with a number behind it where another piece has it already."""
    wanted, count = name.name, 1
    while connection.execute("SELECT 1 FROM pieces WHERE filed = ?", (wanted,)).fetchone():
        count += 1
        wanted = f"{name.stem}~{count}{name.suffix}"
    return wanted


def place(
    connection: sqlite3.Connection,
    out: Path,
    numbers: Iterable[int] | None = None,
    *,
    copy: bool = False,
) -> int:
    """Put pieces into the folders that their rows name, and mark them as placed.

    Parameters
    ----------
    numbers
        The pieces; None: all that are not yet placed, as after a kill.

    Returns
    -------
    How many had to be copied although links were wanted.
    """
    wanted = "SELECT id, source, filed, tray, was FROM pieces WHERE placed = 0"
    rows = connection.execute(wanted).fetchall()
    chosen = None if numbers is None else set(numbers)
    copies, done = 0, []
    for row in rows:
        if chosen is not None and row["id"] not in chosen:
            continue
        source, target = Path(row["source"]), out / row["tray"] / row["filed"]
        if row["was"] is None:
            copies += put(source, target, copy=copy)
        else:
            copies += move(source, out / row["was"] / row["filed"], target, copy=copy)
        done.append((row["id"], row["tray"]))
    if done:
        with writing(connection):
            # The tray is compared: a person may have sent the piece on in the meantime.
            connection.executemany(
                "UPDATE pieces SET placed = 1, was = NULL WHERE id = ? AND tray = ?", done
            )
    return 0 if copy else copies


def otherwise(connection: sqlite3.Connection, plan: Plan) -> list[tuple[int, str, str]]:
    """Return the pieces that `plan` would put elsewhere: number, tray, tray of the plan."""
    rows = connection.execute("SELECT id, zip, tray FROM pieces WHERE zip IS NOT NULL")
    found = ((row["id"], row["tray"], plan.tray_of(row["zip"])) for row in rows)
    return [each for each in found if each[1] != each[2]]


def send(connection: sqlite3.Connection, moves: Iterable[tuple[int, str, str]]) -> None:
    """Write that pieces are to be moved; `place` then moves them."""
    with writing(connection):
        connection.executemany(
            "UPDATE pieces SET tray = ?, was = ?, placed = 0 WHERE id = ? AND placed = 1",
            [(new, old, number) for number, old, new in moves],
        )


def missing(connection: sqlite3.Connection, out: Path) -> dict[str, list[int]]:
    """Return the placed pieces whose file is no longer in its folder, by folder."""
    found: dict[str, list[int]] = {}
    there: dict[str, set[str]] = {}
    for row in connection.execute("SELECT id, tray, filed FROM pieces WHERE placed = 1"):
        tray = row["tray"]
        if tray not in there:
            folder = out / tray
            there[tray] = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        if row["filed"] not in there[tray]:
            found.setdefault(tray, []).append(row["id"])
    return found


def put_back(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Write that pieces are to be put into their folders again."""
    with writing(connection):
        connection.executemany(
            "UPDATE pieces SET placed = 0 WHERE id = ?", [(number,) for number in numbers]
        )
