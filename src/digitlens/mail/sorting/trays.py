"""From rows to files: each piece into the one tray that its row names, and never into two."""

from __future__ import annotations

import errno
import filecmp
import os
import threading
import warnings
from collections import Counter, defaultdict, deque
from functools import reduce
from operator import xor
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from digitlens.errors import DataError, DigitlensWarning
from digitlens.mail.sorting.rows import MAX_NAME_BYTES, find_source
from digitlens.storage import (
    is_folder,
    make_folder,
    read_regular,
    storage_errors,
    sweep_leftovers,
    sync_folder,
    write_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from digitlens.mail.sorting.rows import Row
    from digitlens.mail.sorting.store import Store


# What a system answers that cannot link here: another disk, or no links at all.
NO_LINK_ERRORS = (
    errno.EXDEV,
    errno.EPERM,
    errno.EMLINK,
    errno.ENOTSUP,
    errno.ENOSYS,
    errno.EACCES,
)
# Pieces that are marked together, where nobody waits for the marks: one wait for the disk for
# each tray instead of one for each piece.
MARK_TOGETHER = 500


class Filer:
    """Puts the pieces of `store` into trays below the folder `out`."""

    def __init__(self, store: Store, out: Path) -> None:
        self.out, self._store = out, store
        self.unplaced: dict[int, str] = {}  # trays of the pieces that `place` could not place
        self._done: deque[dict[str, Any]] = deque()
        self._marking = threading.Lock()

    def sweep_leftovers(self) -> None:
        """Remove what killed runs left half copied in the trays."""
        for tray in self._store.counts("tray"):
            sweep_leftovers(self.out / tray)

    def place(
        self, numbers: Iterable[int] | None = None, *, copy: bool = False, mark: bool = True
    ) -> int:
        """Put pieces into the trays that their rows name, and mark them as placed.

        `numbers` None: all that are not yet placed, as after a kill. Without `mark` many are
        marked together, or by `mark`, or by the next run. Returns how many had to be copied
        although links were wanted. A piece that cannot be placed, as its picture is gone or
        another file has its place, is warned of, and tried again by the next run.
        """
        return self.place_rows(self._store.unplaced(numbers), copy=copy, mark=mark)

    def place_rows(self, rows: Iterable[Row], *, copy: bool = False, mark: bool = True) -> int:
        """Do as `place`, with rows as `Store.unplaced` gives them."""
        # Files first, marks then: a kill in between repeats what does no harm twice.
        copies = 0
        for row in rows:
            try:
                copies += self._place_piece(row, copy=copy)
            except DataError as error:
                self.unplaced[row["id"]] = row["tray"]
                warnings.warn(f"{row['name']}: {error}", DigitlensWarning, stacklevel=2)
            else:
                self.unplaced.pop(row["id"], None)
                self._done.append({name: row[name] for name in ("id", "tray", "at")})
        if mark or len(self._done) >= MARK_TOGETHER:
            self.mark()
        return 0 if copy else copies

    def mark(self) -> None:
        """Mark what was put into trays."""
        with self._marking:
            done = [self._done.popleft() for _ in range(len(self._done))]
            if done:
                # Files first: a power cut must leave no mark without its file.
                for tray in {item["tray"] for item in done}:
                    sync_folder(self.out / tray)
                self._store.mark_placed(done)

    def _place_piece(self, row: Row, *, copy: bool) -> bool:
        """Put one piece into its tray, and return whether it had to be copied."""
        source, filed = find_source(row), row["filed"]
        if len(filed.encode()) > MAX_NAME_BYTES:  # written by an older version
            filed = self._store.rename(row["id"], PurePath(filed))
        target = self.out / row["tray"] / filed
        if row["was"] is None:
            return put_in_tray(source, target, copy=copy)
        return move_to_tray(source, self.out / row["was"] / row["filed"], target, copy=copy)

    def find_missing(self, trays: set[str] | None = None) -> dict[str, list[int]]:
        """Return the placed pieces whose file is no longer in its tray, by tray.

        trays: those that hold other files than they should; None: they are looked for
        """
        if trays is None:
            names = TrayNames(self.out)
            for _, _, _, filed, tray, _, placed, _ in self._store.survey():
                if placed:
                    names.sums[tray] ^= hash(filed)
            trays = names.find_unlike()
        if not trays:
            return {}
        files = {tray: set(list_tray(self.out / tray)) for tray in trays}
        missing: dict[str, list[int]] = {}
        for number, _, _, filed, tray, _, placed, _ in self._store.survey():
            if tray in files and placed and filed not in files[tray]:
                missing.setdefault(tray, []).append(number)
        return missing

    def count_missing(self, missing: dict[str, list[int]]) -> dict[str, int]:
        """Count by tray what `find_missing` found, and what `place` could not place."""
        counts = Counter(self.unplaced.values())
        for tray, numbers in missing.items():
            counts[tray] += len(numbers)
        return dict(counts)


class TrayNames:
    """Names that files have in their trays, by the rows: they are compared, not kept.

    Of a tray there is one number, in which the hashes of all names are: with one name more or
    less it is another (but for one time in 2**61), and it takes neither memory nor a search.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self.sums: defaultdict[str, int] = defaultdict(int)

    def find_unlike(self) -> set[str]:
        """Return the trays that hold other files than were added; sweep up leftovers."""
        unlike = set()
        for tray, wanted in self.sums.items():
            names = list_tray(self._out / tray)
            if [name for name in names if name[0] == "."]:
                sweep_leftovers(self._out / tray)
            if reduce(xor, map(hash, names), 0) != wanted:
                unlike.add(tray)
        return unlike


def list_tray(folder: Path) -> list[str]:
    """Return the names in a tray; a folder that is not there has none."""
    return os.listdir(folder) if is_folder(folder) else []  # noqa: PTH208


def put_in_tray(source: Path, target: Path, *, copy: bool = False) -> bool:
    """Make the file `target` of `source`, unless it is there; return whether it is a copy.

    A hard link takes no space, and outlives the source; where none can be made, and with
    `copy`, it is a copy, which appears whole or not at all. `StorageError` where the place
    cannot be written, `DataError` where the source cannot be read.
    """
    make_folder(target.parent)
    if target.exists():
        _check_same(source, target)
        return False
    if not copy and _link(source, target):
        return False
    try:
        content = read_regular(source)
    except OSError as error:
        raise _source_error(source, error) from error
    write_bytes(target, content)
    return True


def _link(source: Path, target: Path) -> bool:
    """Link `target` to `source`; return False where the system cannot link here."""
    try:
        os.link(source.resolve(), target)
    except FileExistsError:  # made by another process since we looked
        _check_same(source, target)
    except FileNotFoundError as error:
        raise _source_error(source, error) from error
    except OSError as error:
        if error.errno in NO_LINK_ERRORS:
            return False
        with storage_errors(target):
            raise
    return True


def _source_error(source: Path, error: OSError) -> DataError:
    return DataError(f"{source} cannot be put into a tray", seen=error.strerror or str(error))


def move_to_tray(source: Path, origin: Path, target: Path, *, copy: bool = False) -> bool:
    """Move the file `origin` to `target`; done twice, it is done once.

    Where `origin` is no longer there it is made of `source` again. Returns whether a copy had
    to be made.
    """
    make_folder(target.parent)
    if target.exists():  # a kill came after the move, or between copy and removal
        if origin.exists():
            _check_same(origin, target)
            with storage_errors(origin):
                origin.unlink(missing_ok=True)
        return False
    try:
        origin.rename(target)
    except FileNotFoundError:
        return put_in_tray(source, target, copy=copy)
    except OSError:
        with storage_errors(target):
            raise
    return False


def _check_same(source: Path, target: Path) -> None:
    """Raise `DataError` where `target` is another file than `source`: it stays as it is."""
    try:
        same = source.samefile(target) or filecmp.cmp(source, target, shallow=False)
    except FileNotFoundError:
        return  # the picture is gone; the file in the tray is all that remains of it
    if not same:
        raise DataError(
            f"{target} is another file than {source}",
            likely="somebody else put it into the tray",
            try_="move it away, then run the command again",
        )


def file_fingerprint(path: Path | str) -> str:
    """Return size and time of the file at `path`: they tell whether it was changed."""
    try:
        about = os.stat(path)  # noqa: PTH116 - paths of all pieces come as text
    except OSError:
        return "gone"
    return f"{about.st_size} {about.st_mtime_ns}"
