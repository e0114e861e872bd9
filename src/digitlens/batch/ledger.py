"""The folder of a batch: what is to be done, frozen, and which parts of it are done.

``request.json`` says what was asked for and how many pictures there are, ``listing-*.jsonl``
names them, and ``part-00042.jsonl`` has the rows of one part: it is there whole or not at all,
and that alone says whether the part is done.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from digitlens.batch.items import Item
from digitlens.batch.parts import FORMS, count_rows
from digitlens.errors import (
    CorruptFileError,
    DataError,
    MissingDataError,
    RunError,
    StorageError,
    UsageError,
)
from digitlens.storage import make_folder, new_file, read_file, storage_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


FORMAT = 1
REQUEST = "request.json"
CLAIMS = ".claims"

# What decides the rows, as plain values: two batches that agree in it give the same bytes.
Request = dict[str, Any]


@dataclass(frozen=True)
class Shard:
    """Of `count` drivers, each on a machine of its own, the one with this `index`, from 1.

    >>> list(Shard.parse("2/3").choose(range(8)))
    [1, 4, 7]
    """

    index: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return what ``I/N`` says; UsageError for anything else."""
        match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
        index, count = map(int, match.groups()) if match else (0, 0)
        if not 1 <= index <= count:
            raise UsageError(
                "--shard must be I/N, with I from 1 to N",
                seen=f"--shard {text}",
                likely="the first shard is 1/N" if index == 0 and count else None,
            )
        return cls(index, count)

    def choose(self, parts: Iterable[int]) -> Iterator[int]:
        """Yield those of the parts, numbered from 0, that are this shard's."""
        return (part for part in parts if part % self.count == self.index - 1)


@dataclass(frozen=True)
class Status:
    """How far a batch has come."""

    items: int  # pictures, or pages
    parts: int
    done: int  # parts that are there
    rows: int  # in them
    errors: dict[str, int]  # of these rows, by kind

    def as_dict(self) -> dict[str, Any]:
        """Return the status as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Ledger:
    """The folder of a batch; made by `open_ledger`, or by `make_ledger` where it is new."""

    folder: Path
    request: Request
    items: int  # how many there are
    listing: str  # the name of the file that names them
    offsets: tuple[int, ...]  # where in it each part begins

    @property
    def form(self) -> str:
        """The form of the parts: ``"jsonl"``, ``"csv"`` or ``"parquet"``."""
        return str(self.request["form"])

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return len(self.offsets)

    def part_path(self, part: int) -> Path:
        """Return where the rows of a part, numbered from 0, are kept."""
        return self.folder / f"part-{part:05d}.{self.form}"

    def count_items(self, part: int) -> int:
        """Return how many pictures a part has."""
        size = int(self.request["part_size"])
        return min(size, self.items - part * size)

    def read_items(self, part: int) -> list[Item]:
        """Return the pictures of a part; CorruptFileError where the listing was changed."""
        path = self.folder / self.listing
        try:
            with path.open("rb") as file:
                file.seek(self.offsets[part])
                lines = [file.readline() for _ in range(self.count_items(part))]
            return [Item.from_json(line) for line in lines]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise CorruptFileError(
                f"{path} must be the listing that this batch began with", seen=str(error)
            ) from error

    def find_done(self) -> set[int]:
        """Return the parts that are there."""
        pattern = re.compile(rf"part-([0-9]{{5,}})\.{self.form}")
        with storage_errors(self.folder), os.scandir(self.folder) as entries:
            matches = [pattern.fullmatch(entry.name) for entry in entries]
        return {int(match[1]) for match in matches if match} & {*range(self.parts)}

    def read_status(self, parts: Iterable[int] | None = None) -> Status:
        """Count what is done, of all parts or of some."""
        wanted = {*range(self.parts)} if parts is None else {*parts}
        done, rows, errors = sorted(wanted & self.find_done()), 0, Counter[str]()
        for part in done:
            count, kinds = count_rows(self.part_path(part))
            rows, errors = rows + count, errors + kinds
        items = sum(map(self.count_items, wanted))
        return Status(items, len(wanted), len(done), rows, dict(sorted(errors.items())))

    @property
    def claims_path(self) -> Path:
        """Where drivers on this folder say which parts they are at work on."""
        return self.folder / CLAIMS


def open_ledger(folder: Path) -> Ledger:
    """Open the folder of a batch.

    Raises MissingDataError: it has no batch; CorruptFileError: its request is damaged;
    RunError: it is of another format.
    """
    path = folder / REQUEST
    if not path.is_file():
        raise MissingDataError(
            f"{folder} must be the folder of a batch: it must hold {REQUEST}",
            try_=f"digitlens batch read INPUT --out {folder} begins one",
        )
    try:
        values = json.loads(read_file(path).content)
        version = values["format"]
        if version == FORMAT:
            offsets = tuple(map(int, values["offsets"]))
            request, items, listing = values["request"], int(values["items"]), values["listing"]
            size = int(request["part_size"])
            if request["form"] not in FORMS or size < 1 or len(offsets) != -(-items // size):
                raise ValueError("parts that do not belong together")
            return Ledger(folder, request, items, os.path.basename(str(listing)), offsets)  # noqa: PTH119 - no path, a name
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise CorruptFileError(f"{path} cannot be read", seen=str(error)) from error
    raise RunError(
        f"{path} must be of format {FORMAT}",
        seen=f"format {version!r}",
        likely="another version of digitlens wrote it",
    )


def make_ledger(folder: Path, request: Request, items: Iterable[Item]) -> Ledger:
    """Open the folder of a batch, or begin it: `items` are listed and frozen.

    Several processes may begin the same batch at once: one of their listings is kept, and all
    go by it. A kill leaves a batch that has begun, or none.

    Raises RunError: the folder holds another request; DataError: there is nothing to do;
    StorageError: the folder cannot be written; what listing raises.
    """
    make_folder(folder)
    if not (folder / REQUEST).is_file():
        _freeze(folder, request, items)
    ledger = open_ledger(folder)
    keys = [key for key in {**ledger.request, **request}
            if ledger.request.get(key) != request.get(key)]  # fmt: skip
    if keys:
        seen = [
            f"{key}: {ledger.request.get(key)} there, {request.get(key)} now" for key in keys
        ]
        raise RunError(
            f"{folder} must hold this request, or none: it holds another one",
            seen="\n".join(line[:200] for line in seen),
            try_="another --out; or the arguments that the batch began with",
        )
    # What a kill or another process that began at once has left.
    for path in folder.glob("listing-*.jsonl"):
        if path.name != ledger.listing:
            with suppress(OSError):
                path.unlink()
    return ledger


def _freeze(folder: Path, request: Request, items: Iterable[Item]) -> None:
    size, count, offsets, place = int(request["part_size"]), 0, [], 0
    digest, path = hashlib.sha256(), folder / f"listing-{secrets.token_hex(8)}.jsonl"
    with new_file(path) as (file, _):
        for item in items:
            if count % size == 0:
                offsets.append(place)
            line = item.to_json().encode() + b"\n"
            file.write(line)
            digest.update(line)
            place, count = place + len(line), count + 1
        if not count:
            raise DataError("there is nothing to read", seen=", ".join(request["inputs"])[:200])
    name = f"listing-{digest.hexdigest()[:16]}.jsonl"
    try:
        with storage_errors(path):
            path.replace(folder / name)
    except StorageError:
        if (
            folder / REQUEST
        ).is_file():  # removed by a driver that began at once, and was faster
            return
        raise
    values = {"format": FORMAT, "request": request, "items": count, "listing": name}
    text = json.dumps(values | {"offsets": offsets}, indent=None) + "\n"
    with new_file(folder / REQUEST, keep=True) as (file, _):
        file.write(text.encode())


class Claims:
    """Locks on parts: drivers on one folder do not compute the same part twice.

    Each is a lock on one byte of a file, which the system gives back when the process ends. On
    a disk without locks every part is free: it is computed twice then, to the same bytes.
    """

    def __init__(self, path: Path) -> None:
        with storage_errors(path):
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)

    def take(self, part: int) -> bool:
        """Claim a part; False where another process has it."""
        try:
            self._lock(part, wanted=True)
        except (BlockingIOError, PermissionError):
            return False
        except OSError:  # a disk without locks
            return True
        return True

    def give_back(self, part: int) -> None:
        """Let others have a part again."""
        with suppress(OSError):
            self._lock(part, wanted=False)

    def _lock(self, part: int, *, wanted: bool) -> None:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(self._handle, part, os.SEEK_SET)
            msvcrt.locking(self._handle, msvcrt.LK_NBLCK if wanted else msvcrt.LK_UNLCK, 1)
        else:
            import fcntl

            how = fcntl.LOCK_EX | fcntl.LOCK_NB if wanted else fcntl.LOCK_UN
            fcntl.lockf(self._handle, how, 1, part)

    def close(self) -> None:
        """Let others have all parts."""
        os.close(self._handle)
