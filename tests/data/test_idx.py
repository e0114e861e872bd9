"""MNIST's bytes to arrays and back, and every way in which the bytes can be wrong."""

from __future__ import annotations

import gzip
import struct
import zlib

import numpy as np
import pytest

from digitlens.data.idx import (
    decompress,
    find_kind,
    read_images,
    read_labels,
    write_images,
    write_labels,
)
from digitlens.errors import CorruptFileError, DataError, LabelError, ShapeError

IMAGES = np.arange(3 * 784, dtype=np.uint32).astype(np.uint8).reshape(3, 28, 28)
LABELS = np.array([5, 0, 4], np.uint8)
IMAGE_FILE = write_images(IMAGES)
LABEL_FILE = write_labels(LABELS)


def test_the_header_is_the_one_that_mnist_has() -> None:
    """A file begins with magic number, count, height and width, all big-endian."""
    assert IMAGE_FILE[:16].hex(" ", 4) == "00000803 00000003 0000001c 0000001c"
    assert bytes.fromhex("00000801 00000003 05 00 04") == LABEL_FILE


def test_reading_copies_nothing() -> None:
    """What is read is a read-only view of the bytes."""
    assert not read_images(IMAGE_FILE).flags.writeable
    assert read_images(IMAGE_FILE).base is not None


def test_a_label_file_is_not_taken_for_images() -> None:
    """The message names both magic numbers and the kind of file it is."""
    with pytest.raises(CorruptFileError) as caught:
        read_images(LABEL_FILE, "x-images")
    assert str(caught.value) == (
        "x-images is not an IDX file of images: its magic number must be 2051\n"
        "  seen    magic number 2049\n"
        "  likely  an IDX file of labels"
    )


def test_an_image_file_is_not_taken_for_labels() -> None:
    """The message names the other kind."""
    with pytest.raises(CorruptFileError, match="an IDX file of images") as caught:
        read_labels(IMAGE_FILE)
    assert caught.value.seen == "magic number 2051"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "an empty file"),
        (gzip.compress(b"x", mtime=0), "a gzip file, still packed"),
        (b"\n<!DOCTYPE html><html>", "a web page, as a failed download leaves it"),
        (b"<HTML><head>", "a web page, as a failed download leaves it"),
        (b"<Error><Code>NoSuchKey", "a web page, as a failed download leaves it"),
        (b"version https://git-lfs.github.com", "a pointer of Git LFS, not the file itself"),
        (struct.pack("<4I", 2051, 3, 28, 28), "an IDX file of images with its bytes swapped"),
        (struct.pack(">2I", 2050, 3), "an IDX file of bytes with another number of axes"),
        (b"PK\x03\x04", "a zip or npz file"),
        (b"\x89PNG\r\n", "a PNG picture"),
        (b"letters", None),
    ],
)
def test_other_files_are_recognised(content: bytes, kind: str | None) -> None:
    """The message says what a file that is no IDX file looks like."""
    assert find_kind(content) == kind
    with pytest.raises(CorruptFileError) as caught:
        read_images(content)
    assert caught.value.likely == kind


def test_a_truncated_file_says_how_much_is_missing() -> None:
    """Wanted bytes and seen bytes both stand in the message."""
    with pytest.raises(CorruptFileError) as caught:
        read_images(IMAGE_FILE[:-100], "t10k-images")
    assert str(caught.value) == (
        "t10k-images is cut off: 3 images take 2,368 bytes\n"
        "  seen    2,268 bytes, 100 too few\n"
        "  try     fetch or copy the file again"
    )


@pytest.mark.parametrize("length", [4, 5, 7])
def test_a_truncated_header_is_cut_off_too(length: int) -> None:
    """A file that ends in its header is no traceback."""
    with pytest.raises(CorruptFileError, match="its header alone take"):
        read_images(IMAGE_FILE[:length])
    with pytest.raises(CorruptFileError, match="its header alone take 8 bytes"):
        read_labels(LABEL_FILE[:length])


def test_trailing_bytes_are_refused() -> None:
    """A file that goes on after its end is not MNIST's."""
    with pytest.raises(CorruptFileError, match="goes on after its end: 3 images") as caught:
        read_images(IMAGE_FILE + b"xy")
    assert caught.value.seen == "2,370 bytes, 2 too many"
    with pytest.raises(CorruptFileError, match="3 labels take 11 bytes"):
        read_labels(LABEL_FILE + b"x")


def test_a_count_from_a_damaged_header_takes_no_memory() -> None:
    """Four billion announced images are a message, not an allocation."""
    with pytest.raises(CorruptFileError, match="4,294,967,295 images"):
        read_images(struct.pack(">4I", 2051, 2**32 - 1, 28, 28) + bytes(784))


def test_pictures_of_another_size_are_refused() -> None:
    """The size in the header is named."""
    with pytest.raises(ShapeError, match="28 x 28 pixels") as caught:
        read_images(struct.pack(">4I", 2051, 2, 16, 16) + bytes(512))
    assert caught.value.seen == "2 pictures of 16 x 16"


def test_labels_outside_the_digits_are_refused() -> None:
    """Letters' labels, as EMNIST has them, are found when they are read and when written."""
    with pytest.raises(LabelError, match=r"the labels of x must be in 0\.\.9"):
        read_labels(struct.pack(">2I", 2049, 2) + bytes([3, 26]), "x")
    with pytest.raises(LabelError):
        write_labels(np.array([10], np.uint8))


def test_only_our_pictures_are_written() -> None:
    """Scaled pictures are refused, not cut to bytes."""
    with pytest.raises(ShapeError):
        write_images(IMAGES / 255)  # type: ignore[arg-type]


def test_packed_and_plain_bytes_unpack() -> None:
    """A gzip file is unpacked, also one of several streams; other bytes pass as they are."""
    packed = gzip.compress(IMAGE_FILE)
    assert decompress(packed) == decompress(IMAGE_FILE) == IMAGE_FILE
    assert decompress(gzip.compress(b"one ") + gzip.compress(b"two")) == b"one two"
    assert decompress(gzip.compress(b"")) == b""


def test_a_truncated_gzip_file_says_so() -> None:
    """A download that stopped is told from damage."""
    packed = gzip.compress(IMAGE_FILE)
    with pytest.raises(CorruptFileError) as caught:
        decompress(packed[:-9], name="x.gz")
    assert str(caught.value) == (
        "x.gz cannot be unpacked: it is not a whole gzip file\n"
        f"  seen    {len(packed) - 9:,} bytes; Compressed file ended "
        "before the end-of-stream marker was reached\n"
        "  likely  the file is cut off, as by a download that stopped\n"
        "  try     fetch or copy the file again"
    )


@pytest.mark.parametrize("index", [-8, -1])
def test_a_gzip_file_with_a_wrong_sum_is_damaged(index: int) -> None:
    """Neither a wrong CRC nor a wrong length passes."""
    packed = bytearray(gzip.compress(IMAGE_FILE))
    packed[index] ^= 1
    with pytest.raises(CorruptFileError, match="the file is damaged"):
        decompress(bytes(packed))


def test_rubbish_after_a_gzip_stream_is_refused() -> None:
    """What comes after the stream is not dropped in silence."""
    with pytest.raises(CorruptFileError, match="something was added after"):
        decompress(gzip.compress(b"digits") + b"rubbish")


def test_every_cut_of_a_gzip_file_is_refused() -> None:
    """Wherever a packed file ends too soon, the error is ours."""
    packed = zlib.compress(IMAGE_FILE, wbits=31)
    assert len(packed) > 20
    for length in range(2, len(packed)):
        with pytest.raises(CorruptFileError):
            decompress(packed[:length])


def test_unpacking_has_a_limit() -> None:
    """A small file that would unpack to more than the limit is refused, whatever it says."""
    for packed in (
        gzip.compress(bytes(5_000)),
        gzip.compress(bytes(900)) + gzip.compress(bytes(900)),
        gzip.compress(bytes(5_000))[:-4] + b"\1\0\0\0",
    ):
        with pytest.raises(DataError, match=r"at most 1,000 bytes|whole gzip"):
            decompress(packed, name="x.gz", limit=1_000)
    assert decompress(gzip.compress(bytes(1_000)), limit=1_000) == bytes(1_000)
