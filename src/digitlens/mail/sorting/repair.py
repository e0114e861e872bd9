"""The state of sorting made anew, where mail.sqlite is damaged, emptied or gone.

What is still known comes from four places: the rows of the damaged file that can be read, the
listing pieces.json, the corrections that were saved, and the trays themselves. The trays have
the last word on where a piece lies, so that nothing is sorted twice.
"""

from __future__ import annotations

import csv
import filecmp
import io
import json
import os
import sqlite3
import time
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from digitlens.errors import CorruptFileError, DataError, MissingDataError
from digitlens.mail.sorting.rows import LISTING, REVIEW, UNSORTABLE, encode_path, parse_routing
from digitlens.mail.sorting.sort import lock_trays, scan_folder
from digitlens.mail.sorting.sqlite import FILE, OPENED, TABLES, make_tables
from digitlens.mail.sorting.stores import check_unpaired
from digitlens.mail.sorting.trays import file_fingerprint
from digitlens.metrics.formatting import plural
from digitlens.storage import (
    is_folder,
    lock_file,
    read_file,
    readable_name,
    storage_errors,
    sync_folder,
    write_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Row = dict[str, Any]


# Who settled a piece that lies in a tray, and of which nothing else is known.
UNKNOWN_PERSON = "unknown"

DAMAGED = f"{FILE}.damaged"


@dataclass(frozen=True)
class RepairSummary:
    """What a repair made the state of.

    salvaged, listed, adopted: pieces from the damaged file, from pieces.json, from trays alone
    settled: of all, those that lie elsewhere than was last written down: a person settled them
    corrections: what people said that is still known
    doubled: copies that lay in the review queue too, and were removed
    missing: pieces whose file is in no tray; ``route --restore`` puts them back
    unknown: files in trays that are no picture of the folder; left alone
    """

    salvaged: int
    listed: int
    adopted: int
    settled: int
    corrections: int
    doubled: int
    missing: int
    unknown: int

    def as_dict(self) -> dict[str, int]:
        """Return it as plain values."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return it in words."""
        known = self.salvaged + self.listed + self.adopted
        lines = [
            f"{plural(known, 'piece')}: {self.salvaged:,} from the damaged file, "
            f"{self.listed:,} from {LISTING}, {self.adopted:,} from the trays alone",
            f"{plural(self.corrections, 'correction')}; {self.settled:,} settled since listed",
        ]
        if self.doubled:
            lines.append(f"{plural(self.doubled, 'piece')} lay in {REVIEW} too: removed there")
        if self.missing:
            lines.append(f"{plural(self.missing, 'piece')} in no tray: route --restore")
        if self.unknown:
            lines.append(f"{plural(self.unknown, 'other file')} in trays left alone")
        return lines


def repair_state(folder: Path, out: Path, corrections: Path | None = None) -> RepairSummary:
    """Make the state of the trays in `out` anew; no file in a tray is lost, none doubled.

    folder: the pictures that were sorted
    corrections: what ``digitlens mail corrections`` saved, where that was done

    Raises MissingDataError: there is no such folder, or nothing was sorted into `out`;
    RunError: a run is sorting into it; StorageError: the disk refuses.
    """
    folder, out = folder.resolve(), out.resolve()
    if not is_folder(folder):
        raise MissingDataError(f"there is no folder {folder}")
    check_unpaired(out)
    if not is_folder(out):
        raise MissingDataError(f"nothing was sorted into {out}")
    with lock_trays(out, folder, time.time()), _lock_state(out):
        # 1. What rows are known still, each by the name of its file in a tray?
        rows, said = _salvage(out / FILE)
        known = {row["filed"]: row for row in rows}
        pictures = {readable_name(str(path)): path for path in scan_folder(folder, out)}
        listed = [row for row in _read_listing(out, pictures) if row["filed"] not in known]
        taken = {row["id"] for row in rows}
        listed = [row for row in listed if row["id"] not in taken]
        known |= {row["filed"]: row for row in listed}

        # 2. Where does each file lie? A row that the damaged file had is as new as can be, and
        #    says where its file belongs; one of the listing may be older than the trays.
        places, doubled = _find_files(out, folder)
        salvaged = {row["id"] for row in rows}
        settled = sum(
            _follow(row, places[row["filed"]], row["id"] in salvaged)
            for row in known.values()
            if row["filed"] in places
        )

        # 3. Files that no row knows are pieces where their picture is found.
        strangers = {name: tray for name, tray in places.items() if name not in known}
        sources = {os.fsdecode(row["source"]) for row in known.values()}
        free = {path for path in pictures.values() if str(path) not in sources}
        adopted = list(_adopt(strangers, free, folder, out, 1 + max(taken, default=0)))

        # 4. What people said is known from the file, or from what was saved of it.
        every = [*known.values(), *adopted]
        said += _read_corrections(corrections, every, {item["piece"] for item in said})
        _write_state(out, every, said)
    return RepairSummary(
        salvaged=len(rows),
        listed=len(listed),
        adopted=len(adopted),
        settled=settled,
        corrections=len(said),
        doubled=doubled,
        missing=sum(row["filed"] not in places for row in known.values()),
        unknown=len(strangers) - len(adopted),
    )


def _lock_state(out: Path) -> AbstractContextManager[bool]:
    """Keep everybody from opening the state: it is replaced, and what they write were lost."""
    return lock_file(
        out / OPENED,
        "",
        wanted=f"mail is being reviewed in {out}",
        try_="end digitlens serve with Ctrl-C, then run the command again",
    )


def _salvage(path: Path) -> tuple[list[Row], list[Row]]:
    """Return the rows of pieces and corrections that can be read of a damaged file."""
    if not path.is_file():
        return [], []
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        pieces = [row for row in _readable_rows(connection, "pieces") if _is_whole(row)]
        numbers = {row["id"] for row in pieces}
        said = [
            dict(row)
            for row in _readable_rows(connection, "corrections")
            if row["piece"] in numbers and isinstance(row["person"], str)
        ]
    return [dict(row) for row in pieces], said


def _readable_rows(connection: sqlite3.Connection, table: str) -> Iterator[sqlite3.Row]:
    """Walk over a table from both ends, up to what is damaged."""
    seen = set()
    for order in ("id", "id DESC"):
        with suppress(sqlite3.Error, ValueError, OverflowError):
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY {order}"):  # noqa: S608
                if row["id"] not in seen:
                    seen.add(row["id"])
                    yield row


def _is_whole(row: sqlite3.Row) -> bool:
    """Say whether a row of a damaged file holds what the row of a piece must hold."""
    try:
        parse_routing(dict(row))
        os.fsdecode(row["source"])
    except (CorruptFileError, TypeError, ValueError):
        return False
    kinds: dict[str, Any] = {"name": str, "filed": str, "stamp": str, "tray": str, "zip4": str}
    kinds |= {"probability": float, "at": float, "placed": int}
    names = {row["filed"], row["tray"]}
    return all(isinstance(row[name], kind) for name, kind in kinds.items()) and not any(
        name in {"", ".", ".."} or "/" in name or "\0" in name for name in names
    )


def _read_listing(out: Path, pictures: dict[str, Path]) -> Iterator[Row]:
    """Walk over the pieces of pieces.json as rows; what it lacks is left out."""
    path = out / LISTING
    if not path.is_file():
        return
    try:
        pieces = json.loads(read_file(path).content)["pieces"]
        for piece in pieces:
            tray, _, filed = str(piece["file"]).partition("/")
            source = pictures.get(piece["source"])
            yield _make_row(
                piece,
                id=int(piece["piece"]),
                source=piece["source"] if source is None else encode_path(source),
                name=str(piece["name"]),
                filed=filed,
                stamp="gone" if source is None else file_fingerprint(source),
                tray=tray,
                person=piece["person"],
                at=path.stat().st_mtime,
            )
    except (DataError, ValueError, KeyError, TypeError, RecursionError):
        return  # damaged too: the trays are left


def _make_row(about: Row, **columns: Any) -> Row:
    """Return the row of a piece that lies in its tray; `about` is what was read of it."""
    kept = ("zip", "zip4", "probability", "reason", "why", "text", "digits")
    routing = {name: about[name] for name in kept} | {"guesses": [], "box": None, "boxes": []}
    return columns | {
        "routing": json.dumps(routing),
        "zip": about["zip"],
        "zip4": str(about["zip4"] or "")[6:],
        "probability": float(about["probability"]),
        "reason": about["reason"],
        "was": None,
        "placed": 1,
    }


def _find_files(out: Path, folder: Path) -> tuple[dict[str, str], int]:
    """Return the tray of each file, and how many were in the review queue besides."""
    places: dict[str, str] = {}
    doubled = 0
    # What waits comes last: a piece that lies in a tray too was settled.
    for tray in sorted(out.iterdir(), key=lambda path: (path.name == REVIEW, path.name)):
        if tray.name.startswith(".") or not is_folder(tray):
            continue
        if folder.is_relative_to(tray):  # the pictures themselves
            continue
        for path in sorted(tray.iterdir()):
            if path.name.startswith(".") or not path.is_file():
                continue
            other = places.setdefault(path.name, tray.name)
            if other != tray.name and _is_same(out / other / path.name, path):
                with storage_errors(path):
                    path.unlink()
                doubled += 1
    return places, doubled


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other) or filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def _follow(row: Row, tray: str, is_current: bool) -> bool:
    """Let a row say where its file lies; return whether a person must have put it there."""
    if row["tray"] == tray:
        row["was"], row["placed"] = None, 1
        return False
    if is_current and not row["placed"] and tray == row["was"]:
        return False  # on its way: the next run moves it
    row |= {"tray": tray, "was": None, "placed": 1}
    if row["person"] is None and row["zip"] and tray not in (REVIEW, UNSORTABLE):
        return False  # another plan moved it
    row |= {"zip": None, "zip4": ""}
    row["person"] = None if tray == REVIEW else UNKNOWN_PERSON
    return tray != REVIEW


def _adopt(
    strangers: dict[str, str], free: set[Path], folder: Path, out: Path, number: int
) -> Iterator[Row]:
    """Walk over rows for files in trays that no row knows, where their picture is found."""
    by_inode = {(about.st_dev, about.st_ino): path for path in free if (about := _stat(path))}
    by_suffix: dict[str, list[Path]] = {}
    for path in sorted(free):
        by_suffix.setdefault(path.suffix, []).append(path)
    for name, tray in sorted(strangers.items()):
        path = out / tray / name
        about = path.stat()
        source = by_inode.get((about.st_dev, about.st_ino))
        if source is None:  # a copy
            size = about.st_size
            candidates = (item for item in by_suffix.get(path.suffix, ()) if item in free)
            alike = (item for item in candidates if item.stat().st_size == size)
            source = next((item for item in alike if _is_same(item, path)), None)
        if source is None or source not in free:
            continue
        free.discard(source)
        is_settled = tray != REVIEW
        unread: Row = {"zip": None, "zip4": None, "probability": 0.0, "text": "", "digits": []}
        # What waits as unreadable is read again by the next run, which then decides.
        unread |= {"reason": None if is_settled else "unreadable", "why": "its state was lost"}
        yield _make_row(
            unread,
            id=number,
            source=encode_path(source),
            name=readable_name(source.relative_to(folder).as_posix()),
            filed=name,
            stamp=file_fingerprint(source),
            tray=tray,
            person=UNKNOWN_PERSON if is_settled else None,
            at=about.st_mtime,
        )
        number += 1


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _read_corrections(folder: Path | None, rows: list[Row], known: set[int]) -> list[Row]:
    """Return what was saved of what people said, for pieces of which nothing is known."""
    if folder is None:
        return []
    from digitlens.mail.sorting.corrections import LINES, TRUTH

    text = read_file(folder / LINES / TRUTH).content.decode("utf-8", "replace")
    pieces = {row["id"]: row for row in rows if row["tray"] not in (REVIEW, UNSORTABLE)}
    result = []
    try:
        for row in csv.DictReader(io.StringIO(text)):
            number, digits = int(row["piece"]), row["truth"]
            if number in pieces and number not in known and digits.isdecimal():
                pieces[number] |= {
                    "zip": digits[:5],
                    "zip4": digits[5:],
                    "person": row["person"],
                    "at": float(row["at"]),
                }
                said = {"piece": number, "zip": digits, "person": row["person"]}
                result.append(said | {"at": float(row["at"])})
    except (csv.Error, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder / LINES / TRUTH} is not what mail corrections saves", seen=str(error)
        ) from error
    return result


def _write_state(out: Path, rows: list[Row], said: list[Row]) -> None:
    """Write the state; the damaged one stays beside it, and a kill leaves one of the two."""
    path, new = out / FILE, out / f".{FILE}.tmp"
    with storage_errors(path):
        # Copied first: the first write into a folder sweeps it of temporary files.
        for end in ("", "-wal", "-shm"):
            damaged = path.with_name(FILE + end)
            if damaged.is_file():
                write_bytes(path.with_name(DAMAGED + end), read_file(damaged).content)
        new.unlink(missing_ok=True)
        with closing(sqlite3.connect(new, isolation_level=None)) as connection:
            for statement in ("PRAGMA synchronous=FULL", "BEGIN", *TABLES):
                connection.execute(statement)
            for table, items in (("pieces", rows), ("corrections", said)):
                for item in items:
                    names, marks = ", ".join(item), ", ".join("?" * len(item))
                    connection.execute(
                        f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})",  # noqa: S608
                        tuple(item.values()),
                    )
            make_tables(connection, ())
            connection.execute("COMMIT")
        for end in ("-wal", "-shm"):  # they belong to the old file, and would be put into this
            path.with_name(FILE + end).unlink(missing_ok=True)
        new.replace(path)
        sync_folder(out)
