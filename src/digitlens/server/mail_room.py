"""Pieces of mail that programs send: where they go, and into which tray they were put."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from digitlens.errors import MissingDataError, ShapeError
from digitlens.mail.sorting.sort import PIECE_SECONDS, choose_tray
from digitlens.server.line_reader import load_reader
from digitlens.server.mail_schemas import Routed, SortedPiece
from digitlens.server.uploads import check_pixels, count_pixels
from digitlens.workers import WorkerPool, run_in_background

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from digitlens.mail.candidates import ZipCandidate
    from digitlens.mail.decision import RoutingPolicy
    from digitlens.mail.sorting.intake import Intake
    from digitlens.server.review_desk import ReviewDesk
    from digitlens.server.uploads import Upload


# The share of accepted pieces that may be wrong: the default of `digitlens route`.
MAX_ERROR = 0.01
# The reason of a piece that was not read in the time that a sorter has.
LATE = "late"


class MailRoom:
    """Reads pieces of mail; with a desk it has the desk's plan, and can keep them.

    max_pixels: of a picture
    isolated: pieces are read in processes, as many as ask at one time, as `digitlens route`
        does; else here, which is as fast on one core and takes less memory
    """

    def __init__(
        self, desk: ReviewDesk | None, max_pixels: int, *, isolated: bool = False
    ) -> None:
        self._desk, self._max_pixels = desk, max_pixels
        self._lock = threading.Lock()
        self._pool: WorkerPool[Upload | Path, Sequence[ZipCandidate]] | None = None
        if isolated:
            self._pool = WorkerPool(_prepare_reader, limit=PIECE_SECONDS)

    # What takes long to load is loaded by the first who needs it.
    @cached_property
    def read(self) -> Callable[[Upload | Path], Sequence[ZipCandidate]]:
        """Return what reads a picture."""
        return self._pool.run if self._pool is not None else _prepare_reader()

    @cached_property
    def policy(self) -> RoutingPolicy:
        """Return how pieces are decided on."""
        from digitlens.mail.decision import RoutingPolicy
        from digitlens.mail.directory import load_directory
        from digitlens.mail.thresholds import published_thresholds

        trust = published_thresholds(MAX_ERROR)
        directory = load_directory() if self._desk is None else self._desk.directory
        return RoutingPolicy(directory, trust.thresholds, trust.priors)

    @cached_property
    def _intake(self) -> Intake:
        from digitlens.mail.sorting.intake import Intake

        if self._desk is None or self._desk.scans is None:
            raise MissingDataError(
                "this lab keeps no pieces",
                try_="digitlens serve --trays DIR --plan FILE --scans DIR",
            )
        review = self._desk.review
        about = (self._desk.scans, review.store, review.filer, self.policy, self._desk.plan)
        return Intake(*about, now=review.now)

    def route(self, upload: Upload, city: str | None, state: str | None, serial: int) -> Routed:
        """Say where a piece goes.

        Raises TooLargeError, CorruptFileError: its picture cannot be read.
        """
        from digitlens.mail.sorting.intake import IN_HOUSE
        from digitlens.mail.sorting.summary import make_barcode

        self._check_size(upload, "the picture")
        policy = replace(self.policy, addresses={"": (city, state)})
        decided = policy.decide(self.read(upload), "")
        values = decided.as_dict()
        plan = None if self._desk is None else self._desk.plan
        tray = None if plan is None else choose_tray(decided, plan)
        digits = (decided.zip or "") + decided.plus4
        return Routed(
            **values,
            tray=tray,
            plant=(plan.find_plant(tray) or None) if plan is not None and tray else None,
            barcode=make_barcode(IN_HOUSE, serial, digits) if decided.zip else None,
        )

    def take(
        self, name: str, upload: Upload, city: str | None, state: str | None
    ) -> SortedPiece:
        """Keep and sort a piece; errors as in `Intake.take`."""
        if not isinstance(upload, bytes):
            raise ShapeError("a piece is sent as a picture's file", seen="rows of numbers")
        with self._lock:  # two that are first at once would load everything twice
            intake = self._intake

        def read(path: Path) -> Sequence[ZipCandidate]:
            self._check_size(upload, name)
            return self.read(path)

        taken = intake.take(name, upload, read, (city, state))
        names = SortedPiece.__dataclass_fields__
        return SortedPiece(
            **{key: value for key, value in taken.row.items() if key in names},
            new=taken.is_new,
        )

    def _check_size(self, upload: Upload, name: str) -> None:
        check_pixels(count_pixels(upload, name), self._max_pixels, name)

    def warm(self, count: int) -> None:
        """Begin to start `count` processes that read: no piece has to wait for that."""
        blank = np.full((40, 40), 255, np.uint8)
        for _ in range(count):
            run_in_background(lambda: self.read(blank))  # what is read with is loaded there

    def close(self) -> None:
        """End the processes that read."""
        if self._pool is not None:
            self._pool.close()


def _prepare_reader() -> Callable[[Upload | Path], Sequence[ZipCandidate]]:
    from digitlens.imaging.inputs import use_one_core
    from digitlens.mail.candidates import read_mail

    use_one_core()
    return partial(read_mail, load_reader())


def late_answer(seconds: float) -> Routed:
    """Return where a piece goes that was not read in time."""
    why = f"not read within {seconds:g} s"
    return Routed(None, None, 0.0, LATE, why, "", [], None, None, None)
