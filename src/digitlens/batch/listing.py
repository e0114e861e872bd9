"""What was named -> the items of a batch, in an order that depends on nothing else."""

from __future__ import annotations

import os
import re
import struct
import warnings
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.batch.items import Item, address_error, open_address, open_item, open_parquet
from digitlens.errors import CorruptFileError, DataError, DigitlensError, DigitlensWarning
from digitlens.imaging.inputs import (
    JUNK,
    InputFile,
    Listing,
    has_picture_name,
    list_inputs,
    walk_folder,
)
from digitlens.ocr.files import may_have_pages
from digitlens.storage import is_file, is_folder, read_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


# The most bytes that a long name or other words in a tar's header may take.
MAX_HEADER_BYTES = 1 << 20


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
            files = (
                _walk(name, recursive)
                if name and is_folder(Path(name))
                else list_inputs([name], recursive=recursive)
            )
            parts = (_list_file(file, recursive, pages, column) for file in files)
            sources = (item for part in parts for item in part)
        for item in sources:
            yield from _list_pages(item) if pages and _may_have_pages(item) else (item,)


def _walk(name: str, recursive: bool) -> Iterator[InputFile]:
    """Walk over the files of a folder as `list_inputs` lists them, one by one."""
    listing, empty = Listing(), True
    with suppress(DataError):  # it cannot be listed: reading it gives the error
        for path, _ in walk_folder(Path(name), listing, recursive=recursive):
            empty = False
            yield InputFile(Path(path), str(Path(path)), "", listed=True)
    if empty:
        yield from list_inputs([name], recursive=recursive)
    else:
        _warn(Path(name), listing)


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
    packed = {".tar", ".tgz", ".tbz2", ".txz"} & {suffix.lower() for suffix in path.suffixes}
    if packed and not file.listed and is_file(path) and not has_picture_name(path):
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
        with tarfile.open(path, "r:", tarinfo=_bound_headers()) as archive:
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
def _bound_headers() -> Any:
    """Return tarfile's class of headers, with limits: it believes any size that one says."""
    import tarfile

    pax = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
    words = (*pax, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)

    class Header(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: Any, encoding: str, errors: str) -> Any:
            header = super().frombuf(buf, encoding, errors)
            # Long names and the like are read at once, whatever size they claim.
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


def _warn(name: Path | str, others: Listing) -> None:
    if note := others.describe(name):
        warnings.warn(note, DigitlensWarning, stacklevel=2)


# What columns of pictures are called, the likeliest first.
PICTURE_COLUMNS = ("image", "img", "picture", "photo", "bytes", "content", "data", "png", "jpg")


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


def _list_address(address: str, recursive: bool) -> Iterator[Item]:
    system, path = open_address(address)
    others, folder, paths = Listing(), None, [path]
    try:
        if any(sign in path for sign in "*?["):
            folder, paths = re.split(r"[*?[]", path)[0].rpartition("/")[0], system.glob(path)
        elif system.isdir(path):
            folder, paths = path, system.find(path, maxdepth=None if recursive else 1)
    except Exception as error:
        raise address_error(address, error) from error
    empty = True
    for name in sorted(str(item) for item in paths):
        # What was named itself is read whatever it is called.
        if folder is None or _is_picture(name.removeprefix(folder).lstrip("/"), others):
            empty = False
            yield Item(Path(), str(system.unstrip_protocol(name)), "", inside="url")
    if empty:  # reading it gives the error
        yield Item(Path(), address, "", inside="url")
    _warn(address, others)


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
