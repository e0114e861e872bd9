"""Pieces that come one by one, each under the name that its scanner gave it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from digitlens.errors import DataError, RunError, UsageError
from digitlens.imaging.inputs import PICTURE_SUFFIXES
from digitlens.mail.decision import Reason
from digitlens.mail.sorting.rows import REVIEW, RoutedPiece, parse_routing
from digitlens.mail.sorting.sort import choose_tray, route_piece
from digitlens.mail.sorting.summary import Listing
from digitlens.mail.sorting.trays import file_fingerprint
from digitlens.storage import make_folder, read_file, wait_for_lock, write_bytes
from digitlens.workers import attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from digitlens.mail.candidates import ZipCandidate
    from digitlens.mail.decision import Address, RoutingPolicy
    from digitlens.mail.plan import SortPlan
    from digitlens.mail.sorting.rows import Row
    from digitlens.mail.sorting.store import Store
    from digitlens.mail.sorting.trays import Filer

    Read = Callable[[Path], Sequence[ZipCandidate]]


# What a scanner may call a piece: a file's name on every system.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
# How pictures begin, and what their files are called; what is called otherwise is read too.
SUFFIXES = (
    (b"\x89PNG", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"II*\0", ".tif"),
    (b"MM\0*", ".tif"),
    (b"GIF8", ".gif"),
    (b"BM", ".bmp"),
    (b"RIFF", ".webp"),
)
LOCK = ".names"
# All suffixes that a piece's picture may have: `route` sorts what others put there, too.
ENDINGS = sorted(PICTURE_SUFFIXES | {".scan"})
# A barcode identifier, service type and mailer's number that belong to nobody: for use in
# house.
IN_HOUSE = ("00", "000", "000000")


class OtherPictureError(RunError):
    """A name under which another picture was sent before."""


@dataclass(frozen=True)
class TakenPiece:
    """A piece that was sent: its row of the listing, and whether it was sent the first time."""

    row: dict[str, Any]
    is_new: bool


class Intake:
    """Keeps pieces in the folder `scans`, and sorts them into the trays of `filer`.

    `route` may sort the same folder: a piece has one row, whoever is first.
    """

    def __init__(
        self,
        scans: Path,
        store: Store,
        filer: Filer,
        policy: RoutingPolicy,
        plan: SortPlan,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        make_folder(scans)
        self._scans, self._store, self._filer = scans.resolve(), store, filer
        self._policy, self._plan, self._now = policy, plan, now
        self._listing = Listing(plan, policy.directory, IN_HOUSE)

    def take(
        self, name: str, content: bytes, read: Read, address: Address = (None, None)
    ) -> TakenPiece:
        """Keep a piece, read it and put it into its tray; sent again, it is only looked up.

        name: what the scanner calls it; the same name is the same piece
        content: its picture's file; what cannot be read waits for a person
        address: city and state where they are known

        Raises UsageError: it cannot be called so; OtherPictureError: another picture has that
        name; StorageError: the disk or the database refuses: send it again.
        """
        path = self._keep(name, content)
        row = self._store.find_piece(path)
        number = None if row is None else _find_retry(row)
        decided_at = None
        if row is None or number is not None:
            fingerprint = file_fingerprint(path)
            outcome = attempt(read, path)
            policy = replace(self._policy, addresses={path.name: address})
            routing, line = route_piece(outcome, path.name, policy)
            tray, values = choose_tray(routing, self._plan), routing.as_dict() | line
            decided_at = self._now()
            about = (path, path.name, fingerprint, values, tray, decided_at, number)
            self._store.add([RoutedPiece(*about)])
        row = self._store.find_piece(path)
        assert row is not None, "it was written"
        # It may also have been sent before, and a kill ended its sorting.
        if not row["placed"]:
            # What waits is lent only once it is marked.
            self._filer.place([row["id"]], mark=row["tray"] == REVIEW)
        # Where several send it at once, the row has the time of one of them: that one is new.
        return TakenPiece(self._listing.describe(row), row["at"] == decided_at)

    def _keep(self, name: str, content: bytes) -> Path:
        """Write a piece's picture, unless it is there, and return its path."""
        if not NAME.fullmatch(name):
            raise UsageError(
                "a piece is called by up to 100 letters, digits, _ . -, the first no mark",
                seen=repr(name)[:120],
            )
        if not content:
            raise DataError("a piece must have a picture", seen="0 bytes")
        # Two that are sent under one name at once: the second finds the first.
        with wait_for_lock(self._scans / LOCK):
            # The folder, of millions, is not listed.
            paths = (self._scans / f"{name}{suffix}" for suffix in ENDINGS)
            there = [path for path in paths if path.is_file()]
            for path in there:
                if read_file(path).content != content:
                    raise OtherPictureError(
                        f"another picture was sent as {name}",
                        likely="two scanners count alike, or a scanner's count began anew",
                        try_="a name that no other piece has",
                    )
            if there:
                return there[0]
            suffix = next(
                (item for head, item in SUFFIXES if content.startswith(head)), ".scan"
            )
            path = self._scans / f"{name}{suffix}"
            write_bytes(path, content)
            return path


def _find_retry(row: Row) -> int | None:
    """Return the number of a piece that was not read for no fault of its picture."""
    is_unread = (row["reason"], row["tray"], row["person"]) == (
        Reason.UNREADABLE,
        REVIEW,
        None,
    )
    return int(row["id"]) if is_unread and parse_routing(row).get("retry", True) else None
