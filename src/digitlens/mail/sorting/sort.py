"""From a folder of pictures to trays: read, decide, put away, so that nothing is ever lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.atomic import make_folder
from digitlens.errors import DataError, MissingDataError, UsageError
from digitlens.mail.barcodes import IntelligentMail, encode_imb
from digitlens.mail.deciding import (
    BAR,
    USUAL,
    Bars,
    Beliefs,
    Candidate,
    Reason,
    Routing,
    decide,
    line_with,
)
from digitlens.mail.sorting import pieces
from digitlens.mail.sorting.ahead import read_ahead
from digitlens.mail.sorting.database import opened
from digitlens.mail.sorting.holder import holding
from digitlens.mail.sorting.listing import rows_of, write_listing
from digitlens.mail.sorting.marks import marks_of
from digitlens.mail.sorting.summary import Summary
from digitlens.mail.sorting.trays import sweep

if TYPE_CHECKING:
    import sqlite3

    from digitlens.mail.directory import Directory
    from digitlens.mail.plan import Plan

    Read = Callable[[Path], Sequence[Candidate]]
    Address = tuple[str | None, str | None]

PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"}
"""Files that count as pieces of mail, by the end of their names."""

BATCH = 16
"""Pieces that are written down together: one wait for the disk instead of sixteen."""

FEW = 16
"""New pieces below which no process is started: one is ready after as long as ten take."""

HOLD_UP = 1.0
"""Seconds after which a batch is written down, however few are in it."""


@dataclass(frozen=True)
class Sorting:
    """How a folder is sorted.

    Parameters
    ----------
    read
        From a picture to the lines that may be its ZIP, as `weigh_lines` gives them; a
        `DataError` of it sends the piece to a person, any other error ends the run. With
        several `workers` it must be a thing that can be pickled.
    directory, plan
        The ZIPs in use, and their trays.
    bar, beliefs
        As `digitlens.mail.deciding.decide` has them.
    city, state
        What is known of all pieces.
    addresses
        What is known of single ones: (city, state) by the name below the folder; a city that
        the directory does not know counts as unknown.
    copy
        Copy the pictures; else they are linked where the disk can.
    move
        Move what an earlier plan put elsewhere.
    restore
        Put back what is no longer in its tray.
    mailer
        Barcode identifier, service type and mailer's number for the barcodes of the listing;
        the piece's number is the serial number. The default is no one's: for use in house.
    workers
        Processes at most that read a folder's pieces; with one, or for a few pieces, the
        process that sorts reads itself.
    """

    read: Read
    directory: Directory
    plan: Plan
    bar: float | Bars = BAR
    beliefs: Beliefs = USUAL
    city: str | None = None
    state: str | None = None
    addresses: Mapping[str, Address] = field(default_factory=dict)
    copy: bool = False
    move: bool = False
    restore: bool = False
    mailer: tuple[str, str, str] = ("00", "000", "000000")
    workers: int = 1

    def decide(self, path: Path, name: str) -> Routing:
        """Read one piece and decide on it."""
        lines = self._lines(path)
        if not isinstance(lines, DataError):
            return self._decide(lines, name)
        return _unreadable(lines)

    def routing_of(self, path: Path, name: str) -> dict[str, Any]:
        """Read one piece and decide on it; plain values, with what `marks_of` keeps."""
        lines = self._lines(path)
        if isinstance(lines, DataError):
            return _unreadable(lines).as_dict() | marks_of(None)
        routing = self._decide(lines, name)
        best = routing.guesses[0].zip if routing.guesses else ""
        return routing.as_dict() | marks_of(line_with(best, lines) if lines else None)

    def _lines(self, path: Path) -> Sequence[Candidate] | DataError:
        try:
            return self.read(path)
        except DataError as error:
            return error

    def _decide(self, lines: Sequence[Candidate], name: str) -> Routing:
        city, state = self._address(name)
        return decide(
            lines, self.directory, city=city, state=state, bar=self.bar, beliefs=self.beliefs
        )

    def _address(self, name: str) -> Address:
        """Return what is known of a piece; of its own address only what the directory knows."""
        if name not in self.addresses:
            return self.city, self.state
        city, state = self.addresses[name]
        for known in ((city, state), (None, state)):
            try:
                self.directory.serving(*known)
            except UsageError:
                continue
            return known
        return None, None

    def tray_of(self, five: str | None) -> str:
        """Return the folder of a piece with this ZIP, or without one."""
        return pieces.REVIEW if five is None else self.plan.tray_of(five)

    def bars(self, number: int, digits: str) -> str:
        """Return the Intelligent Mail barcode of a piece."""
        identifier, service, mailer = self.mailer
        room = 15 - len(mailer)
        serial = number % 10**room
        return encode_imb(IntelligentMail.of(identifier, service, mailer, serial, digits))


def _unreadable(error: DataError) -> Routing:
    why = error.wanted + (f"; {error.seen}" if error.seen else "")
    return Routing(None, "", 0.0, Reason.UNREADABLE, why, (), "")


def sort_folder(
    folder: Path,
    out: Path,
    sorting: Sorting,
    *,
    now: Callable[[], float] = time.time,
    progress: Callable[[int, int], None] | None = None,
) -> Summary:
    """Sort the pictures in `folder` into trays below `out`; only those that are new.

    It may be killed at any moment and run again: every piece is then in exactly one tray or
    in the review queue. ``out/mail.sqlite`` is the state, ``out/review`` holds what waits for
    a person, and ``out/pieces.csv`` and ``.json`` list everything. `folder` has pictures, in
    subfolders too, and `out` may lie within; `now` is the clock, in seconds since 1970;
    `progress` is called with the new pieces that are sorted, and all new ones.

    Raises
    ------
    MissingDataError
        There is no such folder.
    RunError
        Another run is sorting into `out`.
    StorageError
        The disk is full, or a place cannot be written; all that was sorted stays sorted.
    CorruptFileError
        The state is no such file.
    UsageError
        The directory does not know the city or state given for all pieces.
    """
    folder, out = folder.resolve(), out.resolve()
    if not folder.is_dir():
        raise MissingDataError(f"there is no folder {folder}")
    sorting.directory.serving(sorting.city, sorting.state)  # an unknown one: before any piece
    make_folder(out)
    with holding(out, folder, now()), opened(out) as connection:
        names = [row[0] for row in connection.execute("SELECT DISTINCT tray FROM pieces")]
        sweep(out / name for name in names)
        copies = pieces.place(connection, out, copy=sorting.copy)
        astray = pieces.otherwise(connection, sorting.plan)
        if sorting.move:
            pieces.send(connection, astray)
        gone = pieces.missing(connection, out)
        if sorting.restore:
            pieces.put_back(connection, [number for all_ in gone.values() for number in all_])
        copies += pieces.place(connection, out, copy=sorting.copy)
        known = dict(connection.execute("SELECT source, stamp FROM pieces").fetchall())
        new = [path for path in scan(folder, out) if str(path) not in known]
        begun = now()
        copies += _sort(connection, folder, out, new, sorting, now, progress)
        summary = _summary(
            connection,
            new=len(new),
            seconds=now() - begun,
            moved=len(astray) if sorting.move else 0,
            would_move=0 if sorting.move else len(astray),
            missing={} if sorting.restore else {name: len(gone[name]) for name in gone},
            changed=sum(
                Path(path).exists() and stamp != pieces.stamp_of(Path(path))
                for path, stamp in known.items()
            ),
            copies=copies,
        )
        rows = rows_of(connection, sorting.plan, sorting.directory, sorting.bars)
        write_listing(out, rows, summary.as_dict())
    return summary


def scan(folder: Path, out: Path) -> Iterator[Path]:
    """Walk over the pictures in `folder`, in order; `out` and hidden files are left out."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        inside = out == path or out in path.parents
        if path.suffix.lower() in PICTURES and not (hidden or inside) and not path.is_dir():
            yield path


def _sort(
    connection: sqlite3.Connection,
    folder: Path,
    out: Path,
    new: Sequence[Path],
    sorting: Sorting,
    now: Callable[[], float],
    progress: Callable[[int, int], None] | None,
) -> int:
    """Sort the `new` pieces, batch by batch; return how many were copied for lack of links."""
    batch: list[pieces.Decided] = []
    since, copies = now(), 0
    stamps: dict[Path, str] = {}

    def stamped() -> Iterator[Path]:
        for path in new:  # before it is read: what changes later is noticed
            stamps[path] = pieces.stamp_of(path)
            yield path

    with ExitStack() as stack:
        if sorting.workers > 1 and len(new) >= FEW:
            read = stack.enter_context(read_ahead(sorting.read, stamped(), sorting.workers))
            sorting = replace(sorting, read=read)
        for at, path in enumerate(new, 1):
            name = path.relative_to(folder).as_posix()
            stamp = stamps.pop(path, None) or pieces.stamp_of(path)
            routing = sorting.routing_of(path, name)
            tray = sorting.tray_of(routing["zip"])
            batch.append(pieces.Decided(path, name, stamp, routing, tray, now()))
            if len(batch) >= BATCH or at == len(new) or now() - since > HOLD_UP:
                numbers = pieces.add(connection, batch)
                copies += pieces.place(connection, out, numbers, copy=sorting.copy)
                batch, since = [], now()
                if progress is not None:
                    progress(at, len(new))
    return copies


def _summary(connection: sqlite3.Connection, **about: Any) -> Summary:
    def count(where: str) -> int:
        query = f"SELECT COUNT(*) FROM pieces WHERE {where}"  # noqa: S608
        return int(connection.execute(query).fetchone()[0])

    def table(column: str, where: str) -> dict[str, int]:
        query = f"SELECT {column}, COUNT(*) FROM pieces WHERE {where} GROUP BY 1 ORDER BY 1"  # noqa: S608
        return dict(connection.execute(query).fetchall())

    trays = f"tray NOT IN ('{pieces.REVIEW}', '{pieces.UNSORTABLE}')"
    wrong = "SELECT COALESCE(SUM(1 - probability), 0) FROM pieces WHERE person IS NULL AND zip"
    return Summary(
        pieces=count("1"),
        accepted=count(f"person IS NULL AND {trays}"),
        settled=count(f"person IS NOT NULL AND {trays}"),
        waiting=count(f"tray = '{pieces.REVIEW}'"),
        unsortable=count(f"tray = '{pieces.UNSORTABLE}'"),
        reasons=table("reason", "reason IS NOT NULL"),
        trays=table("tray", trays),
        expected_errors=float(connection.execute(f"{wrong} IS NOT NULL").fetchone()[0]),
        **about,
    )
