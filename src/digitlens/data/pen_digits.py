"""The pen digits by name: found, or fetched from the archive, checked, and drawn.

Source: the training part of "Pen-Based Recognition of Handwritten Digits" (E. Alpaydin and F.
Alimoglu, 1996, UCI Machine Learning Repository, https://doi.org/10.24432/C5MG6K), 7,494 digits
that 30 people wrote on a tablet. Licence: CC BY 4.0. What we change: strokes are drawn with a
pen of our own and brought to MNIST's frame. Their writers are Turkish: a 1 has a flag, a 7 a
bar, a 4 is open, a 9 ends in a straight stem.
"""

from __future__ import annotations

import gzip
import io
import os
import tempfile
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digitlens.data.catalog import cache_path, named_folders
from digitlens.data.download import UnreachableError, copy_address
from digitlens.data.idx import decompress
from digitlens.data.types import RawDataset
from digitlens.data.unipen import parse_unipen
from digitlens.digits import Digits
from digitlens.errors import CorruptFileError, MissingDataError, MissingExtraError
from digitlens.storage import make_folder, read_file, write_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitlens.data.unipen import PenDigits
    from digitlens.digits import Images, Indices

NAME = "pen"
FILE = "pendigits-orig.tra"
SUFFIXES = (".gz", "", ".Z")
ADDRESS = (
    "https://archive.ics.uci.edu/static/public/81/"
    "pen+based+recognition+of+handwritten+digits.zip"
)
COUNTS = (7_494, 9_433, 30)  # digits, strokes and writers: what the file holds when it is whole
DRAWING_SEED = 4  # decides with which pen each digit of `read_pen` is drawn


def read_pen() -> RawDataset:
    """Return the pen digits, each drawn once with a pen of its own, their writers known."""
    digits, hashes = read_strokes()
    images = draw_digits(digits, np.arange(len(digits)), np.random.default_rng(DRAWING_SEED))
    drawn = Digits(images, digits.labels, writers=digits.writers)
    one_group = np.zeros(len(digits), np.int64)
    return RawDataset(NAME, drawn, hashes, partitions=one_group)


def read_strokes() -> tuple[PenDigits, dict[str, str]]:
    """Return the pen digits as strokes, and the SHA-256 of their file by its name.

    Raises MissingDataError: they are neither in DIGITLENS_DATA nor in the cache, and the
    archive gave nothing; CorruptFileError: the file is not whole, or another one.
    """
    path = find_file()
    if path is None:
        path = fetch_pen()
    file = read_file(path)
    text = _unpacked(file.content, path.name)
    digits = parse_unipen(text, name=str(path))
    check_counts(digits, str(path))
    return digits, {path.name: file.sha256}


def draw_digits(
    digits: PenDigits, which: Indices, rng: np.random.Generator, *, tilt: float = 0.0
) -> Images:
    """Draw the digits at `which`, each with a pen drawn from `rng`: uint8 (N, 28, 28).

    With a `tilt`, they are turned by about so many degrees either way instead of four.
    """
    from digitlens.synth.pen import render_strokes, sample_pen

    images = []
    for index in which:
        pen = sample_pen(rng)
        if tilt:
            pen = replace(pen, rotation=rng.normal(0.0, tilt))
        images.append(render_strokes(digits.strokes[index], pen, rng))
    return np.stack(images) if images else np.zeros((0, 28, 28), np.uint8)


def find_file() -> Path | None:
    """Return the file in the user's folders or the cache, packed or not, or None."""
    folders = [folder / part for folder in named_folders() for part in (NAME, ".")]
    for folder in [*folders, cache_path(NAME)]:
        for suffix in SUFFIXES:
            if (folder / f"{FILE}{suffix}").is_file():
                return folder / f"{FILE}{suffix}"
    return None


def check_counts(digits: PenDigits, name: str) -> None:
    """Check that the file is whole.

    Raises CorruptFileError: another number of digits, strokes or writers than was published.
    """
    strokes = sum(len(item) for item in digits.strokes)
    counts = len(digits), strokes, len(np.unique(digits.writers))
    if counts != COUNTS:
        raise CorruptFileError(
            f"{name} must hold {_in_words(COUNTS)}",
            seen=_in_words(counts),
            likely="the file is cut off"
            if counts < COUNTS
            else "it is another part of the collection",
            try_="copy or fetch it again",
        )


def _in_words(counts: tuple[int, int, int]) -> str:
    digits, strokes, writers = counts
    return f"{digits:,} digits in {strokes:,} strokes by {writers} writers"


def fetch_pen(
    get: Callable[[str, Path, Callable[[int], None]], None] = copy_address,
    tell: Callable[[int], None] = lambda _done: None,
) -> Path:
    """Fetch the archive, and keep its strokes in the cache as a .gz file.

    get: copies an address to a path, telling how many bytes have come
    tell: called with the bytes that have come

    Raises MissingDataError: the archive cannot be reached; CorruptFileError: what it gave does
    not hold the digits.
    """
    folder = cache_path(NAME)
    make_folder(folder)
    handle, name = tempfile.mkstemp(prefix=".archive.", suffix=".tmp", dir=folder)
    os.close(handle)
    archive = Path(name)
    try:
        get(ADDRESS, archive, tell)
        text = _from_archive(archive.read_bytes())
    except UnreachableError as error:
        raise _missing(error) from error
    finally:
        with suppress(OSError):
            archive.unlink()
    check_counts(parse_unipen(text, name=ADDRESS), ADDRESS)
    target = folder / f"{FILE}.gz"
    write_bytes(target, gzip.compress(text, mtime=0))
    return target


def _missing(error: UnreachableError) -> MissingDataError:
    named = named_folders()
    looked = [f"{folder}: no {FILE}.gz, .Z or unpacked" for folder in named]
    looked = looked or ["$DIGITLENS_DATA is not set"]
    looked += [f"the cache, {cache_path(NAME)}: none either", f"{ADDRESS}: {error}"]
    return MissingDataError(
        "the pen digits are not on this machine, and could not be fetched",
        seen="\n".join(looked),
        try_=f"set DIGITLENS_DATA to a folder that holds {FILE}.gz,\n"
        "or use --data uci, which comes with digitlens",
    )


def _from_archive(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                if Path(name).name in (f"{FILE}{suffix}" for suffix in SUFFIXES):
                    return _unpacked(archive.read(name), name)
            names = ", ".join(archive.namelist()[:8])
    except zipfile.BadZipFile as error:
        raise CorruptFileError(
            f"{ADDRESS} must be a zip archive",
            seen=f"{len(content):,} bytes that are none",
            try_="try again later, or on another network",
        ) from error
    raise CorruptFileError(f"{ADDRESS} must hold {FILE}.Z", seen=names)


def _unpacked(content: bytes, name: str) -> bytes:
    if content[:2] != b"\x1f\x9d":  # Unix compress
        return decompress(content, name=name)
    try:
        from unlzw3 import unlzw
    except ImportError as error:
        raise MissingExtraError(
            f"{name} is packed by Unix compress, which the package unlzw3 opens",
            try_="pip install 'digitlens[train]', or gzip the unpacked file",
        ) from error
    try:
        return bytes(unlzw(content))
    except ValueError as error:
        raise CorruptFileError(f"{name} cannot be unpacked", seen=str(error)) from error
