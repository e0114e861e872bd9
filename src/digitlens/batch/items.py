"""What was named -> the pictures and pages that are read, one by one, wherever they lie."""

from __future__ import annotations

import io
import json
import os
import struct
import warnings
import zlib
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.errors import (
    CorruptFileError,
    DataError,
    DigitlensError,
    DigitlensWarning,
    MissingDataError,
    MissingExtraError,
    TooLargeError,
)
from digitlens.imaging.inputs import (
    JUNK,
    MAX_BYTES,
    InputFile,
    Listing,
    has_picture_name,
    list_inputs,
    read_input,
)
from digitlens.ocr.files import may_have_pages, parse_document
from digitlens.storage import is_file, read_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
        # Whole: the batch may be gone on with in another folder. Links stay as they are.
        path = "" if self.inside == "url" else os.path.abspath(self.path)  # noqa: PTH100
        values: dict[str, Any] = {"path": path, "name": self.name}
        for key in ("inside", "offset", "size", "column", "page"):
            value = getattr(self, key)
            if value != Item.__dataclass_fields__[key].default:
                values[key] = value
        # As ASCII: names that are no UTF-8 stay what they are.
        return json.dumps(values)

    @classmethod
    def from_json(cls, line: str | bytes) -> Item:
        """Return the item that `to_json` wrote."""
        values = json.loads(line)
        return cls(Path(values.pop("path")), values.pop("name"), "", **values)


MAX_HEADER_BYTES = 1 << 20
"""Of a header's long name and other words in a tar."""

MAX_GROUP_BYTES = 1 << 30
"""Of the pictures in one row group of a Parquet file, unpacked."""

# Listing: each kind of input gives items in an order that depends on nothing else.


def list_items(
    named: Iterable[str], *, recursive: bool = False, pages: bool = False, column: str = ""
) -> Iterator[Item]:
    """Yield the pictures that were named, in their order; nothing is decoded.

    named: files, folders and patterns, as `list_inputs` takes them; ``.txt`` files with such a
        name a line; tar and zip archives; Parquet files; addresses that fsspec opens
        (``s3://bucket/scans/*.png``)
    pages: give each page of a PDF or TIFF as an item of its own
    column: of Parquet files: where the pictures are; found by its name when empty

    Raises DataError: a packed tar, a Parquet file without pictures, a list that is damaged;
    MissingExtraError: what opens them is not installed.
    """
    for name in named:
        if "://" in name and not os.path.lexists(name):
            sources: Iterable[Item] = _list_address(name, recursive)
        else:
            files = list_inputs([name], recursive=recursive)
            parts = (_list_file(file, recursive, pages, column) for file in files)
            sources = (item for part in parts for item in part)
        for item in sources:
            yield from _list_pages(item) if pages and _may_have_pages(item) else (item,)


def _list_file(file: InputFile, recursive: bool, pages: bool, column: str) -> Iterable[Item]:
    path, head = file.path, b"" if file.listed else read_head(file.path)
    if head.startswith(b"PAR1"):
        return _list_parquet(path, column)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _list_zip(path)
    if head[257:262] == b"ustar":
        return _list_tar(path)
    is_list = path.suffix.lower() == ".txt" and b"\0" not in head
    if is_list and not file.listed and is_file(path):  # a pipe might never end
        return _list_names(path, recursive, pages, column)
    if {".tar", ".tgz", ".tbz2", ".txz"} & {suffix.lower() for suffix in path.suffixes}:
        raise DataError(
            f"{path} must be a tar that is not packed: nothing in it can be found without "
            "reading all before it",
            try_="gunzip, bunzip2 or unxz it first",
        )
    try:
        size = path.stat().st_size if path.is_file() else -1
    except (OSError, ValueError):
        size = -1
    return (Item(path, file.name, "", listed=file.listed, size=size),)


def _list_names(path: Path, recursive: bool, pages: bool, column: str) -> Iterator[Item]:
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            name = line.rstrip("\r\n")
            if name.endswith(".txt"):  # a list in a list is not followed, which its row says
                yield Item(Path(name), name, "")
            elif name:
                try:
                    yield from list_items(
                        [name], recursive=recursive, pages=pages, column=column
                    )
                except DataError:  # a damaged archive, which its row says
                    yield Item(Path(name), name, "")


def _list_tar(path: Path) -> Iterator[Item]:
    import tarfile

    others = Listing()
    try:
        with tarfile.open(path, "r:", tarinfo=_bounded_headers()) as archive:
            for member in archive:
                # It keeps them all, for what is not asked here.
                archive.members = []  # type: ignore[attr-defined]
                if member.size < 0:  # the same header would come again, without end
                    raise tarfile.ReadError(f"a member of {member.size:,} bytes")
                if member.isdir() or not _is_picture(member.name, others):
                    continue
                if member.isfile() and not member.issparse():
                    name = f"{path}/{member.name}"
                    start = member.offset_data
                    yield Item(path, name, "", inside="tar", offset=start, size=member.size)
                else:
                    others.others.append(f"{member.name}, a link or the like")
            end = archive.offset
        _check_end(path, end)
    except (tarfile.TarError, OSError, EOFError, ValueError, OverflowError) as error:
        raise CorruptFileError(f"{path} is a damaged tar", seen=str(error)) from error
    _warn(path, others)


@cache
def _bounded_headers() -> Any:
    """Return tarfile's class of headers, with limits: it believes any size that one says."""
    import tarfile

    pax = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
    words = (*pax, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)

    class Header(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: Any, encoding: str, errors: str) -> Any:
            header = super().frombuf(buf, encoding, errors)
            # Of long names and the like everything is read at once.
            if header.type in words and header.size > MAX_HEADER_BYTES:
                raise tarfile.ReadError(f"a header of {header.size:,} bytes")
            return header

    return Header


def _check_end(path: Path, offset: int) -> None:
    """Raise EOFError where members end otherwise than a tar ends: tarfile passes over it."""
    with path.open("rb") as file:
        file.seek(offset)
        if any(file.read(512)):
            raise EOFError(f"no header at byte {offset:,}")


def _list_zip(path: Path) -> Iterator[Item]:
    import zipfile

    others = Listing()
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if not member.is_dir() and _is_picture(member.filename, others):
                    yield Item(
                        *(path, f"{path}/{member.filename}", ""),
                        inside="zip",
                        offset=member.header_offset,
                        size=member.compress_size,
                    )
    except (
        zipfile.BadZipFile,
        OSError,
        ValueError,
        NotImplementedError,
        struct.error,
    ) as error:
        raise CorruptFileError(f"{path} is a damaged zip", seen=str(error)) from error
    _warn(path, others)


def _is_picture(name: str, others: Listing) -> bool:
    parts = Path(name).parts
    hidden = (part.startswith(".") and part != ".." for part in parts)
    if any(hidden) or any(part.lower() in JUNK for part in parts):
        return False
    if not has_picture_name(Path(name)):
        others.others.append(parts[-1] if parts else name)
        return False
    return True


def _warn(path: Path, others: Listing) -> None:
    if note := others.describe(path):
        warnings.warn(note, DigitlensWarning, stacklevel=2)


PICTURE_COLUMNS = ("image", "img", "picture", "photo", "bytes", "content", "data", "png", "jpg")
"""What columns of pictures are called, the likeliest first."""


def _list_parquet(path: Path, column: str) -> Iterator[Item]:
    file = open_parquet(path)
    names = file.schema_arrow.names
    column = column or next((name for name in PICTURE_COLUMNS if name in names), "")
    if column not in names:
        raise DataError(
            f"{path} must have a column of pictures: the bytes of files",
            seen=f"columns {', '.join(names)}",
            try_="--column NAME",
        )
    rows, size = file.metadata.num_rows, path.stat().st_size
    if rows > size:  # of a picture each row takes some bytes
        raise CorruptFileError(f"{path} is damaged", seen=f"{rows:,} rows in {size:,} bytes")
    for row in range(rows):
        yield Item(path, f"{path}#{row}", "", inside="parquet", offset=row, column=column)


def open_parquet(path: Path) -> Any:
    """Open a Parquet file; MissingExtraError without pyarrow."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "Parquet files need the extra 'tables'",
            seen="pyarrow is not installed",
            try_='pip install "digitlens[tables]"',
        ) from error
    try:
        return parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise CorruptFileError(f"{path} is no Parquet file", seen=str(error)) from error


def _list_address(address: str, recursive: bool) -> Iterator[Item]:
    system, path = _open_address(address)
    try:
        if any(sign in path for sign in "*?["):
            paths = system.glob(path)
        elif system.isdir(path):
            paths = system.find(path, maxdepth=None if recursive else 1)
        else:
            paths = [path]
    except Exception as error:
        raise _address_error(address, error) from error
    for name in sorted(str(item) for item in paths):
        if len(paths) == 1 or has_picture_name(Path(name)):
            yield Item(Path(), str(system.unstrip_protocol(name)), "", inside="url")


def _open_address(address: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"opening {address} needs the extra 'remote'",
            seen="fsspec is not installed",
            try_='pip install "digitlens[remote]"',
        ) from error
    try:
        system, path = url_to_fs(address)
    except ImportError as error:  # each kind of place has a package of its own
        raise MissingExtraError(f"opening {address} needs more", seen=str(error)) from error
    except ValueError as error:
        raise DataError(f"{address} is no address to read", seen=str(error)) from error
    return system, str(path)


def _address_error(address: str, error: Exception) -> DigitlensError:
    seen = f"{type(error).__name__}: {error}"
    return MissingDataError(f"{address} cannot be fetched", seen=seen)


def _may_have_pages(item: Item) -> bool:
    if item.inside:
        return Path(item.name).suffix.lower() in (".pdf", ".tif", ".tiff")
    return may_have_pages(item.path)


def _list_pages(item: Item) -> Iterator[Item]:
    try:
        document = open_item(item)
    except DigitlensError:
        yield item  # reading it gives the error
        return
    try:
        for page in range(document.count):
            yield replace(item, page=page)
    finally:
        document.close()


# Reading: the bytes of one item; no more of what it lies in is held than a row group.


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
    system, path = _open_address(address)
    try:
        with system.open(path, "rb") as file:
            content: bytes = file.read(MAX_BYTES + 1)
    except Exception as error:
        raise _address_error(address, error) from error
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


LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
"""Signature, version, flags, method, time, date, checksum, two sizes, two lengths."""
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
    starts = _row_groups(item.path)
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
def _row_groups(path: Path) -> list[int]:
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
