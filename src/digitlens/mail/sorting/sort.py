"""From a folder of pictures to trays: read, decide, put away, so that nothing is ever lost."""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.errors import DataError, MissingDataError
from digitlens.imaging.io import IMAGE_SUFFIXES
from digitlens.mail.candidates import ZipCandidate
from digitlens.mail.decision import Reason, Routing, find_line
from digitlens.mail.sorting.store import RoutedPiece, open_store
from digitlens.mail.sorting.summary import SortSummary, list_pieces, write_listing
from digitlens.mail.sorting.trays import REVIEW, file_fingerprint
from digitlens.storage import lock_file, make_folder
from digitlens.workers import run_tasks

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
# What takes longer to read is given up and left to a person.
PIECE_SECONDS = 60.0
# Pieces at most that are being read ahead: as many lines are kept in memory, and as many pieces
# are read again when the run is killed.
PREFETCH = 32


@dataclass(frozen=True)
class Sorting:
    """How a folder is sorted."""

    # from a picture to the lines that may be its ZIP, as `rank_zip_lines` gives them. A
    # `DataError` sends the piece to a person, any other error ends the run. With several
    # `workers` it must be picklable.
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
    # processes at most that read; with one, or for a few pieces, the calling process reads
    workers: int = 1


def sort_folder(
    folder: Path,
    out: Path,
    sorting: Sorting,
    *,
    now: Callable[[], float] = time.time,
    progress: Progress | None = None,
) -> SortSummary:
    """Sort the pictures in `folder` into trays below `out`; only those that are new.

    It may be killed at any moment and run again: every piece is then in exactly one tray or in
    the review queue. ``out/mail.sqlite`` is the state, ``out/review`` holds what waits for a
    person, and ``out/pieces.csv`` and ``.json`` list everything. Pictures in subfolders count
    too, and `out` may lie within. `progress` is called with the number of new pieces that are
    sorted, and of all new ones.

    Raises MissingDataError: there is no such folder; RunError: another run is sorting into
    `out`; StorageError: the disk is full, or a place cannot be written; all that was sorted
    stays sorted; CorruptFileError: the state is no such file; UsageError: the directory does
    not know the city or state given for all pieces.
    """
    folder, out = folder.resolve(), out.resolve()
    if not folder.is_dir():
        raise MissingDataError(f"there is no folder {folder}")
    sorting.policy.check()
    make_folder(out)
    with lock_trays(out, folder, now()), open_store(out, create=True) as store:
        # 1. Finish what a killed run left half done.
        store.sweep_leftovers()
        copies = store.place(copy=sorting.copy)

        # 2. Compare trays with plan and state; change what is sorted only on request.
        mismatched = store.find_mismatched(sorting.plan)
        if sorting.move:
            store.queue_moves(mismatched)
        missing = store.find_missing()
        if sorting.restore:
            store.queue_restore([number for numbers in missing.values() for number in numbers])
        copies += store.place(copy=sorting.copy)

        # 3. Read what is new, decide, and put it into trays.
        known = store.fingerprints()
        new = [path for path in scan_folder(folder, out) if str(path) not in known]
        start = now()
        copies += _sort_new(store, folder, new, sorting, now, progress)

        # 4. Count, and list every piece.
        summary = SortSummary(
            **store.tally(),
            new=len(new),
            seconds=now() - start,
            moved=len(mismatched) if sorting.move else 0,
            would_move=0 if sorting.move else len(mismatched),
            missing={}
            if sorting.restore
            else {tray: len(numbers) for tray, numbers in missing.items()},
            changed=_count_changed(known),
            copies=copies,
        )
        rows = list_pieces(
            store.pieces(), sorting.plan, sorting.policy.directory, sorting.mailer
        )
        write_listing(out, rows, summary)
    return summary


def lock_trays(out: Path, folder: Path, now: float) -> AbstractContextManager[None]:
    """Hold the trays in `out` while `folder` is sorted; `RunError` says which run has them."""
    since = datetime.fromtimestamp(now).astimezone().isoformat(" ", "seconds")
    return lock_file(
        out / LOCK,
        f"process {os.getpid()} on {socket.gethostname()} since {since}, sorting {folder}",
        wanted=f"another run is sorting into {out}",
        try_="wait until it has ended, or name another folder with --out",
    )


def scan_folder(folder: Path, out: Path) -> Iterator[Path]:
    """Walk over the pictures in `folder`, in order; `out` and hidden files are left out."""
    for path in sorted(folder.rglob("*")):
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        is_sorted = out == path or out in path.parents
        is_picture = path.suffix.lower() in IMAGE_SUFFIXES
        if is_picture and not (is_hidden or is_sorted) and not path.is_dir():
            yield path


def _sort_new(
    store: Store,
    folder: Path,
    paths: Sequence[Path],
    sorting: Sorting,
    now: Callable[[], float],
    progress: Progress | None,
) -> int:
    """Sort new pieces, batch by batch; return how many were copied for lack of links."""
    batch: list[RoutedPiece] = []
    batch_start, copies = now(), 0
    fingerprints: dict[Path, str] = {}

    def take_fingerprints() -> Iterator[Path]:
        for path in paths:  # before the piece is read: a later change is noticed
            fingerprints[path] = file_fingerprint(path)
            yield path

    with ExitStack() as stack:
        read = sorting.read
        if sorting.workers > 1 and len(paths) >= MIN_FOR_WORKERS:
            read = stack.enter_context(
                prefetch_pieces(read, take_fingerprints(), sorting.workers)
            )
        for index, path in enumerate(paths, 1):
            # Read and decide; what cannot be read waits for a person.
            name = path.relative_to(folder).as_posix()
            fingerprint = fingerprints.pop(path, None) or file_fingerprint(path)
            routing, line = route_piece(path, name, read, sorting.policy)
            tray = choose_tray(routing, sorting.plan)
            values = routing.as_dict() | line
            batch.append(RoutedPiece(path, name, fingerprint, values, tray, now()))

            # Write down and put into trays, several at once.
            is_last = index == len(paths)
            if len(batch) >= BATCH_SIZE or is_last or now() - batch_start > BATCH_SECONDS:
                copies += store.place(store.add(batch), copy=sorting.copy)
                batch, batch_start = [], now()
                if progress is not None:
                    progress(index, len(paths))
    return copies


def route_piece(
    path: Path, name: str, read: Read, policy: RoutingPolicy
) -> tuple[Routing, dict[str, Any]]:
    """Read one piece and decide on it; return also what `describe_line` says of its line."""
    try:
        lines = read(path)
    except DataError as error:
        why = error.wanted + (f"; {error.seen}" if error.seen else "")
        routing = Routing(None, "", 0.0, Reason.UNREADABLE, why, (), "")
        return routing, describe_line(None)
    routing = policy.decide(lines, name)
    best = routing.guesses[0].zip if routing.guesses else ""
    return routing, describe_line(find_line(best, lines) if lines else None)


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


def _count_changed(known: dict[str, str]) -> int:
    """Return how many sorted pictures are there and were changed since they were read."""
    return sum(
        Path(path).exists() and fingerprint != file_fingerprint(Path(path))
        for path, fingerprint in known.items()
    )


@contextmanager
def prefetch_pieces(read: Read, paths: Iterable[Path], workers: int) -> Iterator[Read]:
    """Give a reader that looks up lines which other processes read meanwhile.

    It is asked for the pieces of `paths` one by one in their order, and raises what `read`
    raised for a piece, as if it had read itself; `read` and its lines must be picklable. Each
    piece is taken only when it is handed to a process, which reads one at a time, on one core.
    `DigitlensError`, from the reader: no process could be started, or one met an error that is
    not the piece's. On leaving, all processes are ended.
    """
    results: dict[Path, TaskResult[Path, Sequence[ZipCandidate]]] = {}
    remaining = iter(paths)
    queue = deque(islice(remaining, PREFETCH))
    outcomes: Generator[TaskResult[Path, Sequence[ZipCandidate]], None, None] = run_tasks(
        queue, partial(_use_one_core, read), workers=workers, limit=PIECE_SECONDS
    )

    def look_up(path: Path) -> Sequence[ZipCandidate]:
        while path not in results:
            outcome = next(outcomes)
            results[outcome.task] = outcome
        outcome = results.pop(path)
        queue.extend(islice(remaining, 1))
        if outcome.result is not None:
            return outcome.result
        error = outcome.error
        assert error is not None, "a piece has lines or an error"
        if isinstance(error, DataError):
            raise error
        # An error that nobody expected: say with which piece it came.
        seen = "\n".join(filter(None, (error.wanted, error.seen)))
        raise type(error)(f"{path} could not be read", seen=seen, likely=error.likely)

    with closing(outcomes):
        yield look_up


def _use_one_core(read: Read) -> Read:
    """Prepare a process that shares the machine with others."""
    import cv2

    cv2.setNumThreads(1)
    return read
