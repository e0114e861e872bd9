"""MNIST's own file format: bytes to arrays and back.

An IDX file is a big-endian header and then unsigned bytes. A file of images begins with
the magic number 2051, their count, 28 and 28; a file of labels with 2049 and their count.
The format is described by LeCun, Cortes and Burges, "The MNIST database of handwritten
digits". The files are usually packed with gzip.
"""

from __future__ import annotations

import gzip
import struct
import zlib

import numpy as np

from digitlens.digits import SIDE, Images, Labels, check_images, check_labels
from digitlens.errors import CorruptFileError, ShapeError

IMAGES_MAGIC = 2051
"""First number of a file of images: unsigned bytes (8), three axes."""

LABELS_MAGIC = 2049
"""First number of a file of labels: unsigned bytes (8), one axis."""

_GZIP = b"\x1f\x8b"
_ROOM = 128 << 20
"""The most that is reserved on the word of a gzip trailer, which may be damaged."""


def read_images(content: bytes, name: str = "the image file") -> Images:
    """Return the pictures of an unpacked IDX file.

    Parameters
    ----------
    content
        The whole file; `unpack` it first when it is packed.
    name
        What messages call it.

    Returns
    -------
    uint8 (N, 28, 28), 0 = paper, 255 = ink; a read-only view of `content`, not a copy.

    Raises
    ------
    CorruptFileError
        Another kind of file, or fewer or more bytes than its header announces.
    ShapeError
        The pictures are not 28 x 28.

    Examples
    --------
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

    Raises
    ------
    CorruptFileError
        Another kind of file, or fewer or more bytes than its header announces.
    LabelError
        A label is not in 0..9.

    Examples
    --------
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

    Raises
    ------
    ShapeError
        The images are not uint8 (N, 28, 28).
    """
    check_images(images)
    return struct.pack(">4I", IMAGES_MAGIC, len(images), SIDE, SIDE) + images.tobytes()


def write_labels(labels: Labels) -> bytes:
    """Return `labels`, whole numbers (N,) in 0..9, as an IDX file; see `read_labels`.

    Raises
    ------
    LabelError
        They are not whole numbers in 0..9.
    """
    checked = check_labels(labels, count=len(labels))
    return struct.pack(">2I", LABELS_MAGIC, len(checked)) + checked.tobytes()


def unpack(content: bytes, *, name: str = "the file") -> bytes:
    """Return `content` unpacked when it is a gzip file, else as it is.

    Raises
    ------
    CorruptFileError
        The gzip stream is cut off, damaged, or followed by something else.

    Examples
    --------
    >>> unpack(gzip.compress(b"digits")), unpack(b"digits")
    (b'digits', b'digits')
    """
    if content[:2] != _GZIP:
        return content
    # The last four bytes tell the unpacked size; with that much room zlib never copies.
    size = int.from_bytes(content[-4:], "little")
    try:
        unpacked = zlib.decompress(content, 31, bufsize=size if 0 < size <= _ROOM else 1 << 20)
        if len(unpacked) % 2**32 == size:
            return unpacked
        return gzip.decompress(content)  # several streams, one after the other
    except (zlib.error, gzip.BadGzipFile, EOFError) as error:
        raise CorruptFileError(
            f"{name} cannot be unpacked: it is not a whole gzip file",
            seen=f"{len(content):,} bytes; {error}",
            likely=_likely_gzip(str(error)),
            try_="fetch or copy the file again",
        ) from error


def kind_of(content: bytes) -> str | None:
    """Return what `content` looks like from its first bytes, or None.

    Examples
    --------
    >>> kind_of(b"<!DOCTYPE html><title>404")
    'a web page, as a failed download leaves it'
    """
    if not content:
        return "an empty file"
    start = content[:64].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<error")):
        return "a web page, as a failed download leaves it"
    for first, kind in _KINDS.items():
        if content.startswith(first):
            return kind
    return None


_KINDS = {
    _GZIP: "a gzip file, still packed",
    struct.pack(">I", IMAGES_MAGIC): "an IDX file of images",
    struct.pack(">I", LABELS_MAGIC): "an IDX file of labels",
    struct.pack("<I", IMAGES_MAGIC): "an IDX file of images with its bytes swapped",
    struct.pack("<I", LABELS_MAGIC): "an IDX file of labels with its bytes swapped",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself",
    b"PK\x03\x04": "a zip or npz file",
    b"\x93NUMPY": "a numpy file",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x00\x00\x08": "an IDX file of bytes with another number of axes",
}


def _check_magic(content: bytes, wanted: int, *, name: str, of: str) -> None:
    if content[:4] == struct.pack(">I", wanted):
        return
    seen = f"{len(content)} bytes"
    if len(content) >= 4:
        seen = f"magic number {int.from_bytes(content[:4], 'big')}"
    raise CorruptFileError(
        f"{name} is not an IDX file of {of}: its magic number must be {wanted}",
        seen=seen,
        likely=kind_of(content),
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
