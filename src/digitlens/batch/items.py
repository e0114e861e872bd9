"""A picture or page of a batch -> its bytes, wherever it lies; little more than it is held."""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.errors import (
    CorruptFileError,
    DataError,
    DigitlensError,
    MissingDataError,
    MissingExtraError,
    TooLargeError,
)
from digitlens.imaging.inputs import MAX_BYTES, InputFile, read_input
from digitlens.ocr.files import parse_document

if TYPE_CHECKING:
    from digitlens.ocr.files import Document


@dataclass(frozen=True, slots=True)
class Item(InputFile):
    """A picture, or a page of one, in a file or within a larger one.

    >>> item = Item(Path("/a.tar"), "a.tar/7.png", "", inside="tar", offset=512)
    >>> item.to_json()
    '{"path": "/a.tar", "name": "a.tar/7.png", "inside": "tar", "offset": 512}'
    >>> Item.from_json(item.to_json()) == item
    True
    """

    inside: str = ""  # of what it is a part: "tar", "zip", "parquet"; "url": nothing local
    offset: int = 0  # where it begins there: a byte, of a Parquet file a row
    size: int = -1  # bytes there; -1 where that is not known
    column: str = ""  # of the Parquet file
    page: int = -1  # from 0; -1 where it is not told apart

    def to_json(self) -> str:
        """Return the item as one line; what is as usual is left out."""
        # The whole path: the batch may be resumed from another folder. Links stay as they are.
        path = "" if self.inside == "url" else os.path.abspath(self.path)  # noqa: PTH100
        values: dict[str, Any] = {"path": path, "name": self.name}
        for key in ("inside", "offset", "size", "column", "page"):
            value = getattr(self, key)
            if value != Item.__dataclass_fields__[key].default:
                values[key] = value
        # Written as ASCII, so that names that are not UTF-8 stay what they are.
        return json.dumps(values)

    @classmethod
    def from_json(cls, line: str | bytes) -> Item:
        """Return the item that `to_json` wrote."""
        values = json.loads(line)
        return cls(Path(values.pop("path")), values.pop("name"), "", **values)


# The most bytes that the pictures in one row group of a Parquet file may take, unpacked.
MAX_GROUP_BYTES = 1 << 30


def open_parquet(path: Path) -> Any:
    """Open a Parquet file; MissingExtraError without pyarrow."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise MissingExtraError.of("Parquet files need", "pyarrow", "tables") from error
    try:
        return parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise CorruptFileError(f"{path} is no Parquet file", seen=str(error)) from error


def open_address(address: str) -> tuple[Any, str]:
    """Return fsspec's file system of an address, and the path there.

    Raises MissingExtraError: what opens it is not installed; DataError: it is no address.
    """
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError as error:
        raise MissingExtraError.of(f"opening {address} needs", "fsspec", "remote") from error
    try:
        system, path = url_to_fs(address)
    except ImportError as error:  # each kind of place has a package of its own
        raise MissingExtraError(f"opening {address} needs more", seen=str(error)) from error
    except ValueError as error:
        raise DataError(f"{address} is no address to read", seen=str(error)) from error
    return system, str(path)


def address_error(address: str, error: Exception) -> DigitlensError:
    """Return what any fault of fsspec at an address is to us."""
    seen = f"{type(error).__name__}: {error}"
    return MissingDataError(f"{address} cannot be fetched", seen=seen)


def open_item(item: InputFile) -> Document:
    """Open the pages of an item; errors are those of `read_item` and `open_document`."""
    return parse_document(read_item(item), item.name)


def read_item(item: InputFile) -> bytes:
    """Return the bytes of a picture file, wherever it lies.

    Raises MissingDataError: it is not there; DataError: it cannot be read, or is not as large
    as when it was listed; TooLargeError: more than `MAX_BYTES` bytes; CorruptFileError: what
    it lies in is damaged.
    """
    if not isinstance(item, Item):
        return read_input(item)
    if item.size > MAX_BYTES:
        raise TooLargeError(f"{item.name} is too large: at most {MAX_BYTES:,} bytes are read")
    if item.inside == "url":
        return _fetch(item.name)
    if item.inside == "parquet":
        return _read_cell(item)
    if item.inside:
        return _read_member(item)
    content = read_input(item)
    if item.size not in (-1, len(content)):
        raise DataError(
            f"{item.name} must be the file that was listed: {item.size:,} bytes",
            seen=f"{len(content):,} bytes",
            likely="it was changed since",
        )
    return content


def _fetch(address: str) -> bytes:
    system, path = open_address(address)
    try:
        with system.open(path, "rb") as file:
            content: bytes = file.read(MAX_BYTES + 1)
    except Exception as error:
        raise address_error(address, error) from error
    if len(content) > MAX_BYTES:
        raise TooLargeError(f"{address} is too large: at most {MAX_BYTES:,} bytes are read")
    return content


def _read_member(item: Item) -> bytes:
    try:
        with item.path.open("rb") as file:
            file.seek(item.offset)
            if item.inside == "tar":
                content = file.read(item.size)
                if len(content) != item.size:
                    raise EOFError(f"{len(content):,} bytes of {item.size:,}")
                return content
            return _unpack_member(file, item)
    except FileNotFoundError as error:
        raise MissingDataError(f"there is no file {item.path}") from error
    except (OSError, EOFError, ValueError, struct.error, zlib.error) as error:
        raise CorruptFileError(f"{item.name} is damaged", seen=str(error)) from error


# Signature, version, flags, method, time, date, checksum, two sizes, two lengths.
LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
STORED, DEFLATED = 0, 8


def _unpack_member(file: io.BufferedReader, item: Item) -> bytes:
    # By its place: opening a zip of a million members takes a second and 300 MB.
    head = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
    signature, flags, method, crc = head[0], head[2], head[3], head[6]
    if signature != b"PK\x03\x04":
        raise EOFError("no member begins where it was listed")
    if flags & 1 or method not in (STORED, DEFLATED):
        why = "locked by a password" if flags & 1 else f"packed by method {method}"
        raise DataError(
            f"{item.name} cannot be unpacked", seen=why, try_="unpack the zip first"
        )
    file.seek(head[9] + head[10], os.SEEK_CUR)
    content = file.read(item.size)
    if method == DEFLATED:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        content = unpacker.decompress(content, MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise TooLargeError(
                f"{item.name} is too large: at most {MAX_BYTES:,} bytes are unpacked"
            )
    # Where the sizes stand behind the member its head has no checksum.
    if not flags & 8 and zlib.crc32(content) != crc:
        raise EOFError("its checksum is another")
    return content


def _read_cell(item: Item) -> bytes:
    starts = _read_row_groups(item.path)
    group = next(index for index in range(len(starts) - 1) if item.offset < starts[index + 1])
    cells = _read_group(item.path, group, item.column)
    value = cells[item.offset - starts[group]].as_py()
    # Hugging Face keeps the bytes and the name of a file.
    content = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(content, bytes):
        raise DataError(
            f"{item.name} must hold the bytes of a picture file",
            seen="nothing" if content is None else type(content).__name__,
        )
    return content


@lru_cache(maxsize=8)
def _read_row_groups(path: Path) -> list[int]:
    metadata = open_parquet(path).metadata
    starts = [0]
    for index in range(metadata.num_row_groups):
        starts.append(starts[-1] + metadata.row_group(index).num_rows)
    return starts


@lru_cache(maxsize=1)
def _read_group(path: Path, group: int, column: str) -> Any:
    import pyarrow

    file = open_parquet(path)
    about = file.metadata.row_group(group)
    parts = [about.column(index) for index in range(about.num_columns)]
    # Of a column of structures each field is one: "image.bytes".
    size = sum(
        part.total_uncompressed_size
        for part in parts
        if part.path_in_schema.partition(".")[0] == column
    )
    if size > MAX_GROUP_BYTES:
        raise TooLargeError(
            f"a row group of {path} is too large: at most {MAX_GROUP_BYTES:,} bytes are read",
            seen=f"{size:,} bytes",
            try_="write it with smaller row groups",
        )
    try:
        return file.read_row_group(group, columns=[column]).column(column)
    except (pyarrow.ArrowException, OSError) as error:
        raise CorruptFileError(f"{path} is damaged", seen=str(error)) from error
