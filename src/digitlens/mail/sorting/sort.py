"""From a folder of pictures to trays: read, decide, put away, so that nothing is ever lost."""

from __future__ import annotations

import hashlib
import os
import socket
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.errors import (
    DataError,
    DigitlensError,
    DigitlensWarning,
    MissingDataError,
    printable,
)
from digitlens.imaging.inputs import PAGE_BYTES, tune_malloc, use_one_core, walk_folder
from digitlens.imaging.inputs import Listing as Listed
from digitlens.mail.candidates import ZipCandidate
from digitlens.mail.decision import Reason, Routing, find_line
from digitlens.mail.sorting.rows import REVIEW, RoutedPiece, parse_text
from digitlens.mail.sorting.stores import open_store
from digitlens.mail.sorting.summary import Listing, SortSummary, count_pieces
from digitlens.mail.sorting.trays import Filer, TrayNames, file_fingerprint
from digitlens.storage import is_folder, lock_file, make_folder, readable_name
from digitlens.workers import attempt, run_in_order

if TYPE_CHECKING:
    from digitlens.ctc import Line
    from digitlens.geometry import Box
    from digitlens.mail.decision import RoutingPolicy
    from digitlens.mail.plan import SortPlan
    from digitlens.mail.sorting.store import Store
    from digitlens.workers import TaskResult

    Read = Callable[[Path], Sequence[ZipCandidate]]
    Progress = Callable[[int, int], None]


LOCK = ".lock"
DECIMALS = 6

# Pieces that are written down together: one wait for the disk instead of sixteen.
BATCH_SIZE = 16
# After this time a batch is written down, however few are in it.
BATCH_SECONDS = 1.0
# With fewer new pieces no process is started: starting one takes as long as ten pieces.
MIN_FOR_WORKERS = 16
# A piece that takes longer to read is given up and left to a person.
PIECE_SECONDS = 60.0
# Seconds after its last change from which on a file counts as whole; and between two looks at
# the folder.
WATCH_AGE = 2.0
# The most pieces that are read ahead: as many lines are kept in memory, and as many pieces are
# read again when the run is killed.
PREFETCH = 32


@dataclass(frozen=True)
class Sorting:
    """How a folder is sorted."""

    # from a picture to the lines that may be its ZIP, as `rank_zip_lines` gives them. Whatever
    # it raises sends the piece to a person, but for what stands in the way of all: see
    # `digitlens.workers.attempt`. With several `workers` it must be picklable.
    read: Read
    policy: RoutingPolicy
    plan: SortPlan
    # copy, move, restore: copy the pictures, which are else linked where the disk can; move
    # what an earlier plan put elsewhere; put back what is no longer in its tray
    copy: bool = False
    move: bool = False
    restore: bool = False
    # barcode identifier, service type and mailer's number for the barcodes of the listing. The
    # default is nobody's: for use in house.
    mailer: tuple[str, str, str] = ("00", "000", "000000")
    # store: the address of the database that keeps the state; None: a file in the trays does
    store: str | None = None
    # processes at most that read; with one, or for a few pieces, the calling process reads, but
    # not after a run that was ended from outside, as by a picture that is too much for it
    workers: int = 1


def sort_folder(
    folder: Path,
    out: Path,
    sorting: Sorting,
    *,
    now: Callable[[], float] = time.time,
    progress: Progress | None = None,
    is_ready: Callable[[str], bool] | None = None,
) -> SortSummary:
    """Sort the pictures in `folder` into trays below `out`; only those that are new.

    It may be killed at any moment and run again: every piece is then in exactly one tray or in
    the review queue. ``out/mail.sqlite`` is the state, ``out/review`` holds what waits for a
    person, and ``out/pieces.csv`` and ``.json`` list everything. Pictures in subfolders count
    too, and `out` may lie within. `progress` is called with the number of new pieces that are
    sorted, and of all new ones. New pictures that are not ready, by their path, are left to
    the next run: a scanner may still be at work on them.

    Raises MissingDataError: there is no such folder; RunError: another run is sorting into
    `out`; StorageError: the disk is full, or a place cannot be written; all that was sorted
    stays sorted; CorruptFileError: the state is no such file; UsageError: the directory does
    not know the city or state given for all pieces.
    """
    folder, out = folder.resolve(), out.resolve()
    if not is_folder(folder):
        raise MissingDataError(f"there is no folder {folder}")
    sorting.policy.check()
    make_folder(out)
    with (
        lock_trays(out, folder, now(), shared=sorting.store is not None) as was_ended,
        open_store(out, sorting.store, create=True) as store,
        ThreadPoolExecutor(1) as pool,
    ):
        # 1. Finish what a killed run left half done; nothing is written to a damaged state.
        checking, filer = pool.submit(store.check), Filer(store, out)
        if was_ended:  # else the survey does, with one look at each tray
            filer.sweep_leftovers()
        if store.unplaced():
            checking.result()
        copies = filer.place(copy=sorting.copy)

        # 2. Compare pictures, trays and plan with the state; change trays only on request.
        survey = _survey(store, sorting.plan, filer, folder)
        checking.result()
        if sorting.move:
            store.move(survey.mismatched)
        if sorting.restore:
            store.restore(chain.from_iterable(survey.missing.values()))
        if sorting.move or sorting.restore:
            copies += filer.place(copy=sorting.copy)

        # 3. Read what is new, or was not read for no fault of its own; put it into trays.
        paths, new = survey.find_due(is_ready)
        start, few = now(), 1 if was_ended else MIN_FOR_WORKERS
        workers = sorting.workers if sorting.workers > 1 and len(paths) >= few else 0
        sorter = _Sorter(filer, store, folder, sorting, now, progress)
        copies += sorter.sort([Path(name) for name in paths], survey.retries, workers)

        # 4. Count, and list every piece.
        again = sorting.move or sorting.restore or survey.retries
        summary = SortSummary(
            **count_pieces(store.tally()),
            new=new,
            seconds=now() - start,
            moved=len(survey.mismatched) if sorting.move else 0,
            would_move=0 if sorting.move else len(survey.mismatched),
            missing=filer.count_missing(filer.find_missing() if again else survey.missing),
            changed=survey.changed,
            copies=copies,
        )
        listing = Listing(sorting.plan, sorting.policy.directory, sorting.mailer)
        listing.write(out, store, summary)
    return summary


@dataclass(frozen=True)
class Survey:
    """What is known of the pieces that were sorted, and which pictures are none of them.

    unknown: the pictures to be read, by path and in order: new ones, and `retries`
    retries: the pieces that wait as unreadable for no fault of their picture, by path
    mismatched: those that the plan would put elsewhere: number, tray, tray of the plan
    changed: how many pictures are there and were changed since they were read
    missing: the placed pieces whose file is no longer in its tray, by tray
    """

    unknown: list[str]
    retries: dict[str, int]
    mismatched: list[tuple[int, str, str]]
    changed: int
    missing: dict[str, list[int]]

    def find_due(self, is_ready: Callable[[str], bool] | None) -> tuple[list[str], int]:
        """Return what is to be read now of all pictures, and how many are new."""
        retries = self.retries
        due = [
            path for path in self.unknown if path in retries or not is_ready or is_ready(path)
        ]
        return due, sum(path not in retries for path in due)


def _survey(store: Store, plan: SortPlan, filer: Filer, folder: Path) -> Survey:
    """Walk once over all rows, and over the pictures in `folder` beside them."""
    trays, pictures = TrayNames(filer.out), _Pictures(folder, filer.out)
    survey = Survey([], {}, [], 0, {})
    changed, find_tray, meet, names = 0, cache(plan.find_tray), pictures.meet, trays.sums
    for number, source, stamp, filed, tray, zip_, placed, unread in store.survey():
        path = source if isinstance(source, str) else os.fsdecode(source)
        if placed:
            names[tray] ^= hash(filed)
        fingerprint = file_fingerprint(path)
        if fingerprint != stamp and fingerprint != "gone":
            changed += 1
        if zip_ is not None and find_tray(zip_) != tray:
            survey.mismatched.append((number, tray, find_tray(zip_)))
        if (
            unread is not None
            # A broken reader read it, or a version that did not say whose fault it was.
            and parse_text(number, unread).get("retry", True)
            # Where a picture was changed, its tray may have the old one.
            and stamp in ("gone", fingerprint)
        ):
            survey.retries[path] = number
        else:
            meet(path)
    missing = filer.find_missing(trays.find_unlike())
    return replace(survey, changed=changed, unknown=pictures.end(), missing=missing)


class _Pictures:
    """The pictures in `folder` that have no row, found by walking over both side by side.

    Rows stand as they were added, mostly in the order of this walk: those that meet their
    picture are forgotten at once, where the names of millions would take memory.
    """

    def __init__(self, folder: Path, out: Path) -> None:
        self._paths = scan_names(folder, out)
        self._next = next(self._paths, None)
        self._top = os.path.join(folder, "")  # noqa: PTH118
        # The pictures that the walk has passed and no row has met, in order; and the rows
        # that have met no picture.
        self._unmet: dict[str, None] = {}
        self._rows: set[str] = set()

    def meet(self, path: str) -> None:
        """Take note of the picture of a row."""
        if path == self._next:
            self._next = next(self._paths, None)
        elif path.startswith(self._top):  # else it is of another folder
            order = _order(path)
            while self._next is not None and _order(self._next) < order:
                self._pass(self._next)
                self._next = next(self._paths, None)
            if path == self._next:
                self._next = next(self._paths, None)
            elif path in self._unmet:
                del self._unmet[path]
            else:
                self._rows.add(path)

    def end(self) -> list[str]:
        """Walk to the end; return the pictures that no row has met, in order."""
        if self._next is not None:
            for path in chain([self._next], self._paths):
                self._pass(path)
        return list(self._unmet)

    def _pass(self, path: str) -> None:
        if path in self._rows:
            self._rows.remove(path)
        else:
            self._unmet[path] = None


def _order(path: str) -> list[str]:
    """Return what the walk sorts paths by."""
    return path.split(os.sep)  # noqa: PTH206 - paths of all pieces come as text


def watch_folder(
    folder: Path,
    out: Path,
    sorting: Sorting,
    *,
    wait: Callable[[float], object] = time.sleep,
) -> Iterator[SortSummary]:
    """Sort `folder` again and again, as `sort_folder` does; give the summary of each run.

    After the first run it is sorted when a folder in it was changed, and again while pictures
    are still written to. `wait` is called with seconds between two looks.
    """
    seen: dict[str, int] = {}
    young: list[str] = []

    def is_ready(path: str) -> bool:
        with suppress(OSError):  # what is gone is a piece, and read as such
            if time.time() - Path(path).stat().st_mtime < WATCH_AGE:
                young.append(path)
                return False
        return True

    while True:
        changed = {}
        for top, _, _ in os.walk(folder):
            with suppress(OSError):  # it was removed since it was listed
                changed[top] = Path(top).stat().st_mtime_ns
        if changed != seen or young:
            seen, start = changed, time.monotonic()
            young.clear()
            yield sort_folder(folder, out, sorting, is_ready=is_ready)
            # A run that walks over millions of rows is not begun every other second.
            wait(3 * (time.monotonic() - start))
        wait(WATCH_AGE)


def lock_trays(
    out: Path, folder: Path, now: float, *, shared: bool = False
) -> AbstractContextManager[bool]:
    """Hold the trays in `out` while `folder` is sorted; `RunError` says which run has them.

    With `shared`, where a database keeps the state, runs that sort other folders may go on.
    """
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12] if shared else ""
    since = datetime.fromtimestamp(now).astimezone().isoformat(" ", "seconds")
    return lock_file(
        out / (f"{LOCK}.{name}" if shared else LOCK),
        f"process {os.getpid()} on {socket.gethostname()} since {since}, sorting {folder}",
        wanted=f"another run is sorting into {out}",
        try_="wait until it has ended, or name another folder with --out",
    )


def scan_folder(folder: Path, out: Path) -> Iterator[Path]:
    """Walk over the pictures in `folder`, in order; `out` and hidden files are left out.

    Warns of what else there is: files that are no pictures, pipes and devices that are called
    like pictures, folders that cannot be listed.
    """
    return map(Path, scan_names(folder, out))


def scan_names(folder: Path, out: Path) -> Iterator[str]:
    """Walk over the paths of `scan_folder` as text."""
    listing = Listed()
    for path, is_file in walk_folder(folder, listing, recursive=True, without=out):
        if not is_file and Path(path).exists():  # a link to nothing is a piece that is gone
            listing.others.append(Path(path).name)
        else:
            yield path
    if note := listing.describe(folder):
        warnings.warn(note, DigitlensWarning, stacklevel=2)


@dataclass(frozen=True)
class _Sorter:
    """Reads pieces, and puts them into trays."""

    filer: Filer
    store: Store
    folder: Path
    sorting: Sorting
    now: Callable[[], float]
    progress: Progress | None

    def sort(self, paths: Sequence[Path], retries: dict[str, int], workers: int) -> int:
        """Sort pieces, batch by batch; return how many were copied for lack of links.

        retries: the numbers of those that have a row, by path
        """
        sorting, now = self.sorting, self.now
        batch: list[RoutedPiece] = []
        batch_start, copies = now(), 0
        fingerprints: dict[Path, str] = {}

        def take_fingerprints() -> Iterator[Path]:
            for path in paths:  # before the piece is read: a later change is noticed
                fingerprints[path] = file_fingerprint(path)
                yield path

        outcomes = run_in_order(
            take_fingerprints(),
            sorting.read,
            prepare=partial(_prepare, sorting.read),
            workers=workers,
            limit=PIECE_SECONDS,
            ahead=PREFETCH,
        )
        with closing(outcomes):
            for index, outcome in enumerate(outcomes, 1):
                # Decide; what could not be read waits for a person.
                path = outcome.task
                name = readable_name(path.relative_to(self.folder).as_posix())
                routing, line = route_piece(outcome, name, sorting.policy)
                tray = choose_tray(routing, sorting.plan)
                values = routing.as_dict() | line
                fingerprint = fingerprints.pop(path)
                number = retries.get(str(path))
                batch.append(RoutedPiece(path, name, fingerprint, values, tray, now(), number))

                # Write down and put into trays, several at once.
                is_last = index == len(paths)
                if len(batch) >= BATCH_SIZE or is_last or now() - batch_start > BATCH_SECONDS:
                    copies += self.filer.place(self.store.add(batch), copy=sorting.copy)
                    batch, batch_start = [], now()
                    if self.progress is not None:
                        self.progress(index, len(paths))
        return copies


def route_piece(
    outcome: TaskResult[Path, Sequence[ZipCandidate]], name: str, policy: RoutingPolicy
) -> tuple[Routing, dict[str, Any]]:
    """Decide on a piece by its lines; return also what `describe_line` says of its line."""

    def decide(lines: Sequence[ZipCandidate]) -> Routing:
        routing = policy.decide(lines, name)
        if not all(
            map(isfinite, (routing.probability, *(g.probability for g in routing.guesses)))
        ):
            raise DigitlensError("the reading's confidence is no number")
        return routing

    lines, error = outcome.result, outcome.error
    if lines is not None:
        decided = attempt(decide, lines)
        if decided.result is not None:
            best = decided.result.guesses[0].zip if decided.result.guesses else ""
            return decided.result, describe_line(find_line(best, lines) if lines else None)
        error = decided.error
    assert error is not None, "a piece has lines or an error"
    why = "; ".join(printable(text) for text in (error.wanted, error.seen) if text)
    # Whatever is no fault of the picture may be mended: then it is read again.
    retry = not isinstance(error, DataError) or isinstance(error, MissingDataError)
    unread = Routing(None, "", 0.0, Reason.UNREADABLE, why, (), "")
    return unread, describe_line(None) | {"retry": retry}


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


def choose_tray(routing: Routing, plan: SortPlan) -> str:
    """Return the tray of the ZIP that is accepted; without one that of the review queue."""
    return REVIEW if routing.zip is None else plan.find_tray(routing.zip)


def _prepare(read: Read) -> Read:
    use_one_core()
    tune_malloc(PAGE_BYTES)
    return read
