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
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitlens.data.catalog import cache_path, describe_search, search_folders
from digitlens.data.download import UnreachableError, copy_address
from digitlens.data.idx import decompress
from digitlens.data.split import RawDataset
from digitlens.digits import CLASSES, Digits, Images, Indices, Labels
from digitlens.errors import CorruptFileError, MissingDataError, MissingExtraError
from digitlens.storage import make_folder, open_temporary, read_file, write_bytes

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
    for folder in search_folders(NAME):
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
    handle, name = open_temporary(folder / "archive")
    archive = Path(name)
    try:
        get(ADDRESS, archive, tell)
        text = _from_archive(archive.read_bytes())
    except UnreachableError as error:
        raise _missing(error) from error
    finally:
        with suppress(OSError):
            archive.unlink()
        os.close(handle)
    check_counts(parse_unipen(text, name=ADDRESS), ADDRESS)
    target = folder / f"{FILE}.gz"
    write_bytes(target, gzip.compress(text, mtime=0))
    return target


def _missing(error: UnreachableError) -> MissingDataError:
    looked = describe_search(NAME, f"no {FILE}.gz, .Z or unpacked")
    return MissingDataError(
        "the pen digits are not on this machine, and could not be fetched",
        seen="\n".join([*looked, f"{ADDRESS}: {error}"]),
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


@dataclass(frozen=True, eq=False)
class PenDigits:
    """Digits as strokes."""

    # for each digit its strokes in the order of writing, each float32 (P, 2): x to the right, y
    # downwards, in the tablet's units
    strokes: list[list[NDArray[np.float32]]]
    labels: Labels  # uint8 (N,), 0..9
    writers: Indices  # int64 (N,): who wrote each digit

    def __len__(self) -> int:
        return len(self.labels)


class _Digit:
    """A digit while it is being read."""

    def __init__(self, label: int) -> None:
        self.label = label
        self.writer: int | None = None
        self.strokes: list[NDArray[np.float32]] = []


class _Parser:
    """Reads line by line; every complaint names the line."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.number = 0
        self.digits: list[_Digit] = []
        self.points: list[tuple[float, float]] | None = None

    def wrong(self, wanted: str, seen: str) -> CorruptFileError:
        return CorruptFileError(
            f"{self.name} must be UNIPEN text: {wanted}",
            seen=f"line {self.number}: {seen[:60]}",
        )

    def read(self, line: str) -> None:
        self.number += 1
        text = line.strip()
        if not text:
            return
        if text[0] != ".":
            if self.points is not None:
                self.points.append(self._point(text))
            elif self.digits:
                raise self.wrong("points stand between .PEN_DOWN and .PEN_UP", text)
            return
        keyword, _, rest = text.partition(" ")
        match keyword:
            case ".SEGMENT":
                self._close_digit(text)
                self.digits.append(_Digit(self._label(rest)))
            case ".COMMENT":
                self._read_comment(rest)
            case ".PEN_DOWN":
                self._begin_stroke(text)
            case ".PEN_UP":
                self._end_stroke(text)

    def _point(self, text: str) -> tuple[float, float]:
        try:
            x, y = text.split()
            return float(x), -float(y)
        except ValueError as error:
            raise self.wrong("a point is two numbers", text) from error

    def _label(self, rest: str) -> int:
        label = rest.rpartition("?")[2].strip().strip('"')
        if len(label) != 1 or label not in "0123456789":
            raise self.wrong('a digit\'s segment ends in its label, such as "8"', rest)
        return int(label)

    def _read_comment(self, rest: str) -> None:
        words = rest.split()
        if not self.digits or self.digits[-1].strokes:
            return
        if len(words) < 2 or not words[1].isdigit():
            raise self.wrong("the comment of a digit is its label, writer and number", rest)
        self.digits[-1].writer = int(words[1])

    def _begin_stroke(self, text: str) -> None:
        if self.points is not None:
            raise self.wrong("the pen goes up before it goes down again", text)
        if not self.digits:
            raise self.wrong("a stroke belongs to a .SEGMENT DIGIT", text)
        self.points = []

    def _end_stroke(self, text: str) -> None:
        if self.points is None:
            raise self.wrong("the pen goes down before it goes up", text)
        if not self.points:
            raise self.wrong("a stroke has at least one point", text)
        self.digits[-1].strokes.append(np.array(self.points, np.float32))
        self.points = None

    def _close_digit(self, text: str) -> None:
        if self.points is not None:
            raise self.wrong("a stroke ends in .PEN_UP", text)
        if not self.digits:
            return
        if not self.digits[-1].strokes:
            raise self.wrong("a digit has at least one stroke", text)
        if self.digits[-1].writer is None:
            raise self.wrong("each digit has a .COMMENT that names its writer", text)

    def end(self) -> None:
        self._close_digit("the end of the text")
        if not self.digits:
            raise self.wrong("it holds .SEGMENT DIGIT lines", "none in the whole text")


def parse_unipen(text: bytes, *, name: str) -> PenDigits:
    r"""Read UNIPEN text: digits as the strokes of a pen.

    The format is that of I. Guyon, L. Schomaker, R. Plamondon, M. Liberman and S. Janet,
    "UNIPEN project of on-line data exchange and recognizer benchmarks", ICPR 1994, as far as
    the pen digits use it:

        .SEGMENT DIGIT 0-1 ? "8"      a digit begins: its strokes and its label
        .COMMENT 8 12 224             its label, its writer, its number
        .PEN_DOWN                     a stroke begins; then a point a line, y upwards
        .PEN_UP                       it ends

    text: ASCII; lines may end in any way. Keywords other than the four above are passed over.

    Raises CorruptFileError: the text holds no digit, or a line says something else than the
    format wants.

    >>> text = b'.SEGMENT DIGIT 0 ? "1"\n.COMMENT 1 7 0\n.PEN_DOWN\n5 90\n5 10\n.PEN_UP\n'
    >>> digits = parse_unipen(text, name="one")
    >>> digits.labels.tolist(), digits.writers.tolist(), digits.strokes[0][0].tolist()
    ([1], [7], [[5.0, -90.0], [5.0, -10.0]])
    """
    parser = _Parser(name)
    for line in text.decode("ascii", "replace").splitlines():
        parser.read(line)
    parser.end()
    labels = np.array([digit.label for digit in parser.digits], np.uint8)
    assert labels.max(initial=0) < CLASSES, "labels are single decimal digits"
    writers = np.array([digit.writer for digit in parser.digits], np.int64)
    return PenDigits([digit.strokes for digit in parser.digits], labels, writers)
