"""From a folder of pictures to trays: read, decide, put away, so that nothing is ever lost.

* What a run did, and what lies in the trays, in words and as plain values.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.errors import DataError, MissingDataError, UsageError
from digitlens.imaging.io import IMAGE_SUFFIXES
from digitlens.mail.barcodes import IntelligentMail, encode_imb
from digitlens.mail.candidates import ZipCandidate
from digitlens.mail.decision import BAR, Reason, Routing, decide, line_with
from digitlens.mail.posterior import USUAL, Priors
from digitlens.mail.sorting import store
from digitlens.mail.sorting.lease import digit_places
from digitlens.mail.sorting.listing import rows_of, write_listing
from digitlens.mail.sorting.prefetch import prefetch_pieces
from digitlens.mail.sorting.store import lock_sorting, open_store, sweep_leftovers
from digitlens.mail.thresholds import ThresholdSet
from digitlens.storage import make_folder

if TYPE_CHECKING:
    import sqlite3

    from digitlens.mail.directory import Directory
    from digitlens.mail.plan import SortPlan

    Read = Callable[[Path], Sequence[ZipCandidate]]
    Address = tuple[str | None, str | None]


@dataclass(frozen=True)
class SortSummary:
    """The state of sorting after a run.

    Parameters
    ----------
    pieces
        All pieces in the state, those of earlier runs included.
    new
        Those that this run read.
    accepted, settled
        Pieces with a ZIP that the program accepted; that a person gave.
    waiting, unsortable
        Pieces in the review queue; pieces that a person gave up on.
    reasons
        How many pieces were sent to a person for which reason, waiting or settled.
    trays
        Pieces by tray.
    expected_errors
        How many of the accepted are wrong, as their probabilities say.
    seconds
        That this run took, for its new pieces.
    moved
        Pieces that this run moved because the plan had changed.
    would_move
        Pieces that lie elsewhere than the plan now says, and were left there.
    missing
        Pieces whose file is no longer in its folder, by folder; left as they are.
    changed
        Pictures that were changed after they had been sorted; not read again.
    copies
        Pieces that were copied because the disk took no link.
    """

    pieces: int
    new: int
    accepted: int
    settled: int
    waiting: int
    unsortable: int
    reasons: dict[str, int]
    trays: dict[str, int]
    expected_errors: float
    seconds: float
    moved: int = 0
    would_move: int = 0
    missing: dict[str, int] = field(default_factory=dict)
    changed: int = 0
    copies: int = 0

    @property
    def read_rate(self) -> float:
        """The share of all pieces that the program accepted, 0..1; 0.0 without pieces."""
        return self.accepted / self.pieces if self.pieces else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as plain values."""
        return {
            "pieces": self.pieces,
            "new": self.new,
            "accepted": self.accepted,
            "settled": self.settled,
            "waiting": self.waiting,
            "unsortable": self.unsortable,
            "read_rate": round(self.read_rate, 4),
            "expected_errors": round(self.expected_errors, 2),
            "reasons": self.reasons,
            "trays": self.trays,
            "moved": self.moved,
            "would_move": self.would_move,
            "missing": self.missing,
            "changed": self.changed,
            "copies": self.copies,
            "seconds": round(self.seconds, 2),
        }

    def lines(self) -> list[str]:
        """Return the summary in words.

        Examples
        --------
        >>> summary = SortSummary(4, 4, 3, 0, 1, 0, {"unsure": 1}, {"MA": 3}, 0.02, 1)
        >>> print(*summary.lines()[1:3])
        3 read (75.0 %), of which 0.02 are expected to be wrong 1 waits for a person: unsure 1
        """
        said = [
            f"{_count(self.pieces, 'piece')}, {self.new:,} new",
            f"{self.accepted:,} read ({100 * self.read_rate:.1f} %), of which "
            f"{self.expected_errors:.2g} are expected to be wrong",
        ]
        if self.settled:
            said.append(f"{self.settled:,} settled by a person")
        if self.waiting:
            reasons = ", ".join(f"{name} {count:,}" for name, count in self.reasons.items())
            verb = "waits" if self.waiting == 1 else "wait"
            said.append(f"{self.waiting:,} {verb} for a person: {reasons}")
        if self.unsortable:
            said.append(f"{self.unsortable:,} unsortable")
        fullest = sorted(self.trays.items(), key=lambda item: -item[1])
        shown = ", ".join(f"{name} {count:,}" for name, count in fullest[:5])
        more = ", ..." if len(fullest) > 5 else ""
        said.append(f"{_count(len(fullest), 'tray')}: {shown}{more}" if fullest else "no trays")
        if self.new and self.seconds > 0:
            said.append(f"{self.new / self.seconds:.1f} pieces/s")
        return said

    def warnings(self) -> list[str]:
        """Return what a person should know, in words; empty where all is as it should be."""
        said = []
        if self.would_move:
            said.append(
                f"the plan has changed: {_count(self.would_move, 'sorted piece')} would now go "
                "to another tray; left where they are, --move moves them"
            )
        if self.missing:
            places = ", ".join(f"{name} {count:,}" for name, count in self.missing.items())
            said.append(
                f"{_count(sum(self.missing.values()), 'piece')} no longer in the tray: "
                f"{places}; --restore puts them back"
            )
        if self.changed:
            said.append(
                f"{_count(self.changed, 'picture')} changed after being sorted; not read again"
            )
        if self.copies:
            said.append(f"{_count(self.copies, 'piece')} copied, as no link could be made")
        return said


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


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
        As `digitlens.mail.decision` has them.
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
    plan: SortPlan
    bar: float | ThresholdSet = BAR
    beliefs: Priors = USUAL
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
        """Read one piece and decide on it; plain values, with what `digit_places` keeps."""
        lines = self._lines(path)
        if isinstance(lines, DataError):
            return _unreadable(lines).as_dict() | digit_places(None)
        routing = self._decide(lines, name)
        best = routing.guesses[0].zip if routing.guesses else ""
        return routing.as_dict() | digit_places(line_with(best, lines) if lines else None)

    def _lines(self, path: Path) -> Sequence[ZipCandidate] | DataError:
        try:
            return self.read(path)
        except DataError as error:
            return error

    def _decide(self, lines: Sequence[ZipCandidate], name: str) -> Routing:
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
        return store.REVIEW if five is None else self.plan.tray_of(five)

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
) -> SortSummary:
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
    with lock_sorting(out, folder, now()), open_store(out) as connection:
        names = [row[0] for row in connection.execute("SELECT DISTINCT tray FROM pieces")]
        sweep_leftovers(out / name for name in names)
        copies = store.place_piece(connection, out, copy=sorting.copy)
        astray = store.find_mismatched(connection, sorting.plan)
        if sorting.move:
            store.queue_move(connection, astray)
        gone = store.find_missing(connection, out)
        if sorting.restore:
            store.restore_piece(
                connection, [number for all_ in gone.values() for number in all_]
            )
        copies += store.place_piece(connection, out, copy=sorting.copy)
        known = dict(connection.execute("SELECT source, stamp FROM pieces").fetchall())
        new = [path for path in scan_folder(folder, out) if str(path) not in known]
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
                Path(path).exists() and stamp != store.file_fingerprint(Path(path))
                for path, stamp in known.items()
            ),
            copies=copies,
        )
        rows = rows_of(connection, sorting.plan, sorting.directory, sorting.bars)
        write_listing(out, rows, summary.as_dict())
    return summary


def scan_folder(folder: Path, out: Path) -> Iterator[Path]:
    """Walk over the pictures in `folder`, in order; `out` and hidden files are left out."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        inside = out == path or out in path.parents
        if (
            path.suffix.lower() in IMAGE_SUFFIXES
            and not (hidden or inside)
            and not path.is_dir()
        ):
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
    batch: list[store.RoutedPiece] = []
    since, copies = now(), 0
    stamps: dict[Path, str] = {}

    def stamped() -> Iterator[Path]:
        for path in new:  # before it is read: what changes later is noticed
            stamps[path] = store.file_fingerprint(path)
            yield path

    with ExitStack() as stack:
        if sorting.workers > 1 and len(new) >= FEW:
            read = stack.enter_context(
                prefetch_pieces(sorting.read, stamped(), sorting.workers)
            )
            sorting = replace(sorting, read=read)
        for index, path in enumerate(new, 1):
            name = path.relative_to(folder).as_posix()
            stamp = stamps.pop(path, None) or store.file_fingerprint(path)
            routing = sorting.routing_of(path, name)
            tray = sorting.tray_of(routing["zip"])
            batch.append(store.RoutedPiece(path, name, stamp, routing, tray, now()))
            if len(batch) >= BATCH or index == len(new) or now() - since > HOLD_UP:
                numbers = store.add_piece(connection, batch)
                copies += store.place_piece(connection, out, numbers, copy=sorting.copy)
                batch, since = [], now()
                if progress is not None:
                    progress(index, len(new))
    return copies


def _summary(connection: sqlite3.Connection, **about: Any) -> SortSummary:
    def count(where: str) -> int:
        query = f"SELECT COUNT(*) FROM pieces WHERE {where}"  # noqa: S608
        return int(connection.execute(query).fetchone()[0])

    def table(column: str, where: str) -> dict[str, int]:
        query = f"SELECT {column}, COUNT(*) FROM pieces WHERE {where} GROUP BY 1 ORDER BY 1"  # noqa: S608
        return dict(connection.execute(query).fetchall())

    trays = f"tray NOT IN ('{store.REVIEW}', '{store.UNSORTABLE}')"
    wrong = "SELECT COALESCE(SUM(1 - probability), 0) FROM pieces WHERE person IS NULL AND zip"
    return SortSummary(
        pieces=count("1"),
        accepted=count(f"person IS NULL AND {trays}"),
        settled=count(f"person IS NOT NULL AND {trays}"),
        waiting=count(f"tray = '{store.REVIEW}'"),
        unsortable=count(f"tray = '{store.UNSORTABLE}'"),
        reasons=table("reason", "reason IS NOT NULL"),
        trays=table("tray", trays),
        expected_errors=float(connection.execute(f"{wrong} IS NOT NULL").fetchone()[0]),
        **about,
    )
