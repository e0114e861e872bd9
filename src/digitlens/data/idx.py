"""MNIST's own files: IDX, to arrays and back, and QMNIST's tables of who wrote each digit."""

from __future__ import annotations

import gzip
import io
import re
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from digitlens import storage
from digitlens.data.split import RawDataset
from digitlens.digits import SIDE, Digits, Images, Indices, Labels, check_images, check_labels
from digitlens.errors import CorruptFileError, DataError, MissingDataError, ShapeError

IMAGES_MAGIC = 2051  # first number of a file of images: unsigned bytes (8), three axes
LABELS_MAGIC = 2049  # first number of a file of labels: unsigned bytes (8), one axis

_GZIP = b"\x1f\x8b"


def read_images(content: bytes, name: str = "the image file") -> Images:
    """Return the pictures of an unpacked IDX file.

    content: the whole file; `decompress` it first when it is packed

    Returns uint8 (N, 28, 28), 0 = paper, 255 = ink; a read-only view of `content`, not a copy.
    Raises CorruptFileError: another kind of file, or fewer or more bytes than its header
    announces; ShapeError: the pictures are not 28 x 28.

    >>> read_images(write_images(np.zeros((3, 28, 28), np.uint8))).shape
    (3, 28, 28)
    """
    _check_magic(content, IMAGES_MAGIC, name=name, of="images")
    if len(content) < 16:
        raise _wrong_length(name, wanted=16, seen=len(content), why="its header alone")
    count, height, width = struct.unpack_from(">3I", content, 4)
    if (height, width) != (SIDE, SIDE):
        raise ShapeError(
            f"{name} must hold pictures of {SIDE} x {SIDE} pixels",
            seen=f"{count:,} pictures of {height} x {width}",
        )
    wanted = 16 + count * SIDE * SIDE
    if len(content) != wanted:
        raise _wrong_length(name, wanted=wanted, seen=len(content), why=f"{count:,} images")
    return np.frombuffer(content, np.uint8, offset=16).reshape(-1, SIDE, SIDE)


def read_labels(content: bytes, name: str = "the label file") -> Labels:
    """Return the labels of an unpacked IDX file: uint8 (N,), values 0..9, a read-only view.

    Raises CorruptFileError: another kind of file, or fewer or more bytes than its header
    announces; LabelError: a label is not in 0..9.

    >>> read_labels(write_labels(np.array([5, 0, 4], np.uint8))).tolist()
    [5, 0, 4]
    """
    _check_magic(content, LABELS_MAGIC, name=name, of="labels")
    if len(content) < 8:
        raise _wrong_length(name, wanted=8, seen=len(content), why="its header alone")
    (count,) = struct.unpack_from(">I", content, 4)
    if len(content) != 8 + count:
        raise _wrong_length(name, wanted=8 + count, seen=len(content), why=f"{count:,} labels")
    labels = np.frombuffer(content, np.uint8, offset=8)
    return check_labels(labels, count=count, what=f"the labels of {name}")


def write_images(images: Images) -> bytes:
    """Return `images`, uint8 (N, 28, 28), as an IDX file; `read_images` is the inverse.

    Raises ShapeError: the images are not uint8 (N, 28, 28).
    """
    check_images(images)
    return struct.pack(">4I", IMAGES_MAGIC, len(images), SIDE, SIDE) + images.tobytes()


def write_labels(labels: Labels) -> bytes:
    """Return `labels`, whole numbers (N,) in 0..9, as an IDX file; see `read_labels`.

    Raises LabelError: they are not whole numbers in 0..9.
    """
    checked = check_labels(labels, count=len(labels))
    return struct.pack(">2I", LABELS_MAGIC, len(checked)) + checked.tobytes()


def decompress(
    content: bytes, *, name: str = "the file", limit: int = storage.MAX_BYTES
) -> bytes:
    """Return `content` unpacked when it is a gzip file, else as it is.

    Raises CorruptFileError: the gzip stream is cut off, damaged, or followed by something else;
    DataError: it has more than `limit` bytes.

    >>> decompress(gzip.compress(b"digits")), decompress(b"digits")
    (b'digits', b'digits')
    """
    if content[:2] != _GZIP:
        return content
    # The last four bytes tell the unpacked size, and are believed only up to the limit.
    size = int.from_bytes(content[-4:], "little")
    try:
        stream = zlib.decompressobj(31)
        unpacked = stream.decompress(content, min(size, limit) + 1)
        if len(unpacked) <= limit and (not stream.eof or stream.unused_data):
            # Several streams, one after the other, or a damaged one.
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
                unpacked = file.read(limit + 1)
    except (zlib.error, gzip.BadGzipFile, EOFError) as error:
        raise CorruptFileError(
            f"{name} cannot be unpacked: it is not a whole gzip file",
            seen=f"{len(content):,} bytes; {error}",
            likely=_likely_gzip(str(error)),
            try_="fetch or copy the file again",
        ) from error
    if len(unpacked) > limit:
        raise DataError(
            f"{name} is too large: at most {limit:,} bytes are unpacked",
            seen=f"{len(content):,} bytes, packed",
        )
    return unpacked


def find_kind(content: bytes) -> str | None:
    """Return what `content` looks like from its first bytes, or None."""
    from digitlens.imaging.filetypes import identify

    kind = identify(content[:1024])
    return kind.what if kind else None


def _check_magic(content: bytes, wanted: int, *, name: str, of: str) -> None:
    if content[:4] == struct.pack(">I", wanted):
        return
    seen = f"{len(content)} bytes"
    if len(content) >= 4:
        seen = f"magic number {int.from_bytes(content[:4], 'big')}"
    raise CorruptFileError(
        f"{name} is not an IDX file of {of}: its magic number must be {wanted}",
        seen=seen,
        likely=find_kind(content),
    )


def _wrong_length(name: str, *, wanted: int, seen: int, why: str) -> CorruptFileError:
    if seen < wanted:
        return CorruptFileError(
            f"{name} is cut off: {why} take {wanted:,} bytes",
            seen=f"{seen:,} bytes, {wanted - seen:,} too few",
            try_="fetch or copy the file again",
        )
    return CorruptFileError(
        f"{name} goes on after its end: {why} take {wanted:,} bytes",
        seen=f"{seen:,} bytes, {seen - wanted:,} too many",
    )


def _likely_gzip(words: str) -> str:
    if "incomplete" in words or "end-of-stream" in words:
        return "the file is cut off, as by a download that stopped"
    if "Not a gzipped file" in words:
        return "something was added after the gzip stream"
    return "the file is damaged"


_NAME = re.compile(r"(.*?)(images|labels)[-_.]idx[13][-_.]ubyte(\.gz)?", re.IGNORECASE)
_TABLES = {"train": "qmnist-train-labels.tsv", "t10k": "qmnist-test-labels.tsv"}


@dataclass(frozen=True)
class IdxPair:
    """A file of images and the file of their labels; `prefix` is what both names begin with."""

    prefix: str
    images: Path
    labels: Path


def find_idx_folder(folder: Path) -> Path | None:
    """Return the folder that holds IDX files: `folder`, or torchvision's raw/ below it."""
    for path in (folder, folder / "raw", *sorted(folder.glob("*/raw"))):
        if path.is_dir() and any(map(is_idx, path.iterdir())):
            return path
    return None


def is_idx(path: Path) -> bool:
    """Return whether `path` is named like an IDX file of images or labels."""
    return _NAME.fullmatch(path.name) is not None


def read_idx_folder(folder: Path, *, source: str) -> RawDataset:
    """Read the pairs of IDX files in `folder`, packed or not.

    folder: holds one pair for each part. A name with "t10k" or "test" before "images" is the
        test part, one with "valid" the validation part, any other the training part. QMNIST's
        tables of writers are read where they lie beside train-* and t10k-*.

    Raises MissingDataError: a file of images without labels, or the reverse; CorruptFileError,
    ShapeError, LabelError, DataError: files that cannot be read; see `digitlens.data.idx`.
    """
    pairs = _pairs(folder)
    parts: dict[str, IdxPair] = {}
    for pair in pairs:
        part = _part(pair.prefix) if len(pairs) > 1 else "train"
        if part in parts:
            raise DataError(
                f"{folder} must hold one pair of IDX files for each part",
                seen=f"{parts[part].images.name} and {pair.images.name} are both {part}",
                try_=f"name one of them: --data {pair.images}",
            )
        parts[part] = pair
    if "train" not in parts:
        raise MissingDataError(
            f"{folder} must hold a pair of IDX files to train on",
            seen=", ".join(pair.images.name for pair in pairs),
        )
    return _read(parts, source=source)


def read_idx_pair(path: Path, *, source: str) -> RawDataset:
    """Read one pair of IDX files, given either of them; the other must lie beside it.

    Raises MissingDataError: the other file is not there.
    """
    (pair,) = _pairs(path.parent, only=_prefix(path))
    # Of a file that lies there packed and unpacked, the one that was named is read.
    pair = replace(pair, images=path) if _kind(path) == "images" else replace(pair, labels=path)
    return _read({"train": pair}, source=source)


def _read(parts: dict[str, IdxPair], *, source: str) -> RawDataset:
    hashes: dict[str, str] = {}
    # Unpacking gzip lets other threads run, so images and labels are unpacked side by side.
    with ThreadPoolExecutor(2) as pool:
        opened = {
            part: (pool.submit(_open, pair.images), pool.submit(_open, pair.labels))
            for part, pair in parts.items()
        }
        digits: dict[str, Digits] = {}
        writers: dict[str, WriterTable | None] = {}
        for part, tasks in opened.items():
            (images, unpacked), (labels, unpacked_labels) = (task.result() for task in tasks)
            hashes |= {images.path.name: images.sha256, labels.path.name: labels.sha256}
            digits[part] = _digits(images.path, unpacked, labels.path, unpacked_labels)
            writers[part] = _writers(parts[part], digits[part], hashes)
            known = writers[part]
            if known is not None:
                digits[part] = replace(digits[part], writers=known.writers)
    train = writers["train"]
    return RawDataset(
        source,
        digits["train"],
        hashes,
        validation=digits.get("validation"),
        test=digits.get("test"),
        partitions=None if train is None else train.partitions,
        no_writers="" if train else "no table of writers lies beside the files",
    )


def _open(path: Path) -> tuple[storage.FileContent, bytes]:
    result = storage.read_file(path)
    return result, decompress(result.content, name=str(path))


def _digits(image_path: Path, images: bytes, label_path: Path, labels: bytes) -> Digits:
    pictures = read_images(images, str(image_path))
    classes = read_labels(labels, str(label_path))
    if len(pictures) != len(classes):
        raise DataError(
            f"{image_path} and {label_path.name} must hold as many pictures as labels",
            seen=f"{len(pictures):,} pictures, {len(classes):,} labels",
        )
    if not len(classes):
        raise DataError(f"{image_path} holds no digits", seen="a header that says 0 pictures")
    return Digits(pictures, classes)


def _writers(pair: IdxPair, digits: Digits, hashes: dict[str, str]) -> WriterTable | None:
    table = _TABLES.get(pair.prefix.lower())
    for name in (f"{table}.gz", table) if table else ():
        path = pair.images.with_name(name)
        if path.is_file():
            result, text = _open(path)
            hashes[name] = result.sha256
            return parse_writers(text, str(path), digits.labels)
    return None


def _pairs(folder: Path, only: str | None = None) -> list[IdxPair]:
    """Return the pairs in `folder`, by name; unpacked files where both kinds are there."""
    result: dict[str, dict[str, Path]] = {}
    for path in _list_idx(folder):
        if only in (None, _prefix(path)):
            result.setdefault(_prefix(path), {}).setdefault(_kind(path), path)
    pairs = []
    for prefix, both in result.items():
        if len(both) < 2:
            ((kind, path),) = both.items()
            other = "labels" if kind == "images" else "images"
            raise MissingDataError(
                f"{path} must have its file of {other} beside it",
                seen=f"no {prefix}-{other}-idx{1 if kind == 'images' else 3}-ubyte, "
                "packed or not",
            )
        pairs.append(IdxPair(prefix, both["images"], both["labels"]))
    return pairs


def _list_idx(folder: Path) -> list[Path]:
    """Return the IDX files of a folder; 7-Zip unpacks each into a folder of its own."""
    entries = [path for path in sorted(folder.iterdir()) if is_idx(path)]
    inside = [item for path in entries if path.is_dir() for item in sorted(path.iterdir())]
    return [path for path in (*entries, *filter(is_idx, inside)) if path.is_file()]


def _prefix(path: Path) -> str:
    return _match(path)[1].rstrip("-_.")


def _kind(path: Path) -> str:
    return _match(path)[2].lower()


def _match(path: Path) -> re.Match[str]:
    match = _NAME.fullmatch(path.name)
    assert match, "only IDX names are asked for"
    return match


def _part(prefix: str) -> str:
    name = prefix.lower()
    if "t10k" in name or "test" in name:
        return "test"
    return "validation" if "valid" in name else "train"


# Label, hsf, writer, digit of writer, NIST class, NIST position, duplicate, unused.
_COLUMNS = 8


@dataclass(frozen=True, eq=False)
class WriterTable:
    """Who wrote each digit."""

    writers: Indices  # int64 (N,): NIST's number of the writer
    # int64 (N,): NIST's group of writers (hsf): 0 and 1 are employees, 4 are pupils
    partitions: Indices


def parse_writers(text: bytes, name: str, labels: Labels) -> WriterTable:
    """Read a table of QMNIST and check it against the labels of the digits.

    text: the unpacked table: a row of eight whole numbers for each digit, without a header. It
        may go on after the last label, as the test table does: MNIST's 10,000 test digits are
        the first of its 60,000 rows.
    labels: uint8 (N,), the labels in the table's order

    Raises CorruptFileError: the table has too few rows, or a row is not eight whole numbers;
    DataError: a label differs from the one that the label file gives.
    """
    rows = _first_rows(text, len(labels), name=name)
    try:
        numbers = np.fromstring(rows, dtype=np.int64, sep=" ")
    except (ValueError, DeprecationWarning):  # numpy says "will raise in the future"
        numbers = np.empty(0, np.int64)
    if len(numbers) != len(labels) * _COLUMNS:
        raise CorruptFileError(
            f"{name} must hold {_COLUMNS} whole numbers in each row", seen=_first_wrong(rows)
        )
    table = numbers.reshape(-1, _COLUMNS)
    # The labels stand in the table too: they prove that it belongs to these pictures.
    differ = np.flatnonzero(table[:, 0] != labels)
    if len(differ):
        index = int(differ[0])
        raise DataError(
            f"{name} must give the same labels as the label file",
            seen=f"{len(differ):,} differ; the first, row {index + 1}, is {table[index, 0]} "
            f"and not {labels[index]}",
            likely="the table belongs to other pictures",
        )
    return WriterTable(
        writers=np.ascontiguousarray(table[:, 2]), partitions=np.ascontiguousarray(table[:, 1])
    )


def _first_rows(text: bytes, count: int, *, name: str) -> bytes:
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))
    rows = len(ends) + (not text.endswith(b"\n") and bool(text))
    if rows < count:
        raise CorruptFileError(
            f"{name} must have a row for each of {count:,} digits", seen=f"{rows:,} rows"
        )
    return text if rows == count else text[: ends[count - 1] + 1] if count else b""


def _first_wrong(rows: bytes) -> str:
    for index, row in enumerate(rows.splitlines(), start=1):
        cells = row.split()
        if len(cells) != _COLUMNS or not all(cell.lstrip(b"-").isdigit() for cell in cells):
            return f"row {index}: {row[:60].decode('ascii', 'replace')}"
    return "a number too large to be one of NIST's"
