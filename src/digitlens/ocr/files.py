"""What was named on the command line -> the files that are read, in order.

* One file -> its pages: a picture, a TIFF of many pages, a PDF.
* What every kind of file with pages can do.
* A PDF's pages as pictures, by pdfium (the extra ``pdf``).
"""

from __future__ import annotations

import abc
import math
import stat
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import CorruptFileError, DataError, MissingDataError, MissingExtraError
from digitlens.imaging.io import IMAGE_SUFFIXES, decode_image, load_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from digitlens.imaging.io import LoadedImage


MULTIPAGE_SUFFIXES = frozenset((".pdf", ".tif", ".tiff"))
"""How the names of files end that may have many pages."""


@dataclass(frozen=True)
class InputFile:
    """A file that is read.

    Parameters
    ----------
    path
        Where it lies.
    name
        What results and messages call it.
    stem
        What pictures of it are called; no two sources of one call share it.
    listed
        Whether it was found in a folder, and so was there a moment ago.
    """

    path: Path
    name: str
    stem: str
    listed: bool = False


def list_inputs(named: Iterable[str], *, stdin: Path | None = None) -> list[InputFile]:
    """Return the files that were named, and for each folder the pictures and PDFs in it.

    Parameters
    ----------
    named
        Files, folders and patterns (``scans/*.png``, ``scans/**/*.pdf``), as a shell that
        does not expand them hands them over. A file that has such a name is taken first.
    stdin
        The file that stands for ``-``.

    Returns
    -------
    In the order in which they were named; those of a folder or a pattern by name. Hidden
    files, folders inside folders, and files of other kinds in them are passed over. What is
    not there, and a folder without pictures, stays in the list, to be told of when it is
    read.
    """
    result: list[tuple[Path, bool]] = []
    for name in named:
        path = Path(name)
        if name == "-" and stdin is not None:
            result.append((stdin, False))
        elif not path.exists() and has_magic(name):
            matches = [Path(item) for item in sorted(glob(name, recursive=True))]  # noqa: PTH207 - a pattern may be absolute
            for match in matches or [path]:
                result += _inside(match)
        else:
            result += _inside(path)
    taken: set[str] = set()
    return [
        InputFile(path, "stdin" if path == stdin else str(path), _stem(path, taken), listed)
        for path, listed in result
    ]


def _inside(path: Path) -> list[tuple[Path, bool]]:
    if not path.is_dir():
        return [(path, False)]
    return [(item, True) for item in sorted(path.iterdir()) if _counts(item)] or [(path, False)]


def _counts(path: Path) -> bool:
    """Say whether a file in a folder is read: by its name, and if it is a file at all."""
    if (
        path.name.startswith(".")
        or path.suffix.lower() not in IMAGE_SUFFIXES | MULTIPAGE_SUFFIXES
    ):
        return False
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True  # a link to nothing, say: it is told of when it is read


def _stem(path: Path, taken: set[str]) -> str:
    """Return the file's name without its ending; -2, -3 and so on where that is taken."""
    first = path.stem or "picture"
    stem, count = first, 1
    # Some file systems hold a.png and A.png for one.
    while stem.lower() in taken:
        count += 1
        stem = f"{first}-{count}"
    taken.add(stem.lower())
    return stem


class Document(abc.ABC):
    """The pages of one file.

    Parameters
    ----------
    content
        The file's bytes.
    name
        What messages call it.
    """

    def __init__(self, content: bytes, name: str) -> None:
        self.content = content
        self.name = name

    @property
    @abc.abstractmethod
    def count(self) -> int:
        """How many pages there are."""

    @property
    def numbered(self) -> bool:
        """Whether pages are told apart by their numbers."""
        return self.count > 1

    @abc.abstractmethod
    def page(self, index: int) -> LoadedImage:
        """Return the pixels of page `index`, the first is 0.

        Raises
        ------
        CorruptFileError, ShapeError
            As `digitlens.imaging.io.load_image` says.
        """

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Let go of what is held besides memory."""

    def called(self, index: int) -> str:
        """Return what messages call page `index`."""
        return f"{self.name}, page {index + 1}" if self.numbered else self.name


DOTS = 300
"""Dots an inch: digits of a form, 2.5 mm high, are then 30 pixels high."""

MOST_PIXELS = 20_000_000
"""Pages of more pixels, posters say, are drawn with fewer dots an inch."""

INCH = 72
"""A PDF's units to an inch."""

IMAGE, GROUP = 3, 5
"""pdfium's numbers for objects that are pictures, and for those that hold others."""

WHOLE = 0.8
"""A page of nothing but pictures, one of which covers this share, is a scan."""


class PdfFile(Document):
    """A PDF file.

    Raises
    ------
    CorruptFileError
        It is damaged, or shut by a password.
    MissingExtraError
        pypdfium2 is not installed.
    """

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content, name)
        pdfium = _pdfium()
        try:
            self._pdf = pdfium.PdfDocument(content)
        except pdfium.PdfiumError as error:
            locked = "assword" in str(error)
            raise CorruptFileError(
                f"{name} is a PDF that cannot be opened",
                seen=_words(error),
                likely="it is shut by a password" if locked else None,
                try_="save it without one" if locked else None,
            ) from error
        # What was typed into the fields of a form is drawn too.
        self._pdf.init_forms()

    @property
    def count(self) -> int:
        """How many pages there are."""
        return len(self._pdf)

    @property
    def numbered(self) -> bool:
        """A PDF's pages always have numbers."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._pdf.close()

    def page(self, index: int) -> LoadedImage:
        """Draw a page, `DOTS` dots an inch, on white paper."""
        name = self.called(index)
        error_of_pdfium = _pdfium().PdfiumError
        try:
            page = self._pdf[index]
            width, height = page.get_size()
            pixels = _drawn(page, scale_of(width, height, scanned_at(page)))
            if pixels.min() == pixels.max():
                _check_images(page)
            page.close()
        except error_of_pdfium as error:
            raise CorruptFileError(f"{name} is damaged", seen=_words(error)) from error
        return load_image(pixels, name=name)


def scale_of(width: float, height: float, scanned: float | None = None) -> float:
    """Return how many pixels a unit of the page gets.

    Parameters
    ----------
    width, height
        Of the page, in units of 1/72 inch.
    scanned
        Pixels a unit that its picture has, if it is a scan: more would show nothing more.

    Examples
    --------
    >>> round(scale_of(595, 842) * 72), round(scale_of(14400, 14400) * 72)
    (300, 22)
    >>> round(scale_of(595, 842, 200 / 72) * 72)
    200
    """
    area = max(width * height, 1.0)
    wanted = DOTS / INCH if scanned is None else scanned
    return min(wanted, math.sqrt(MOST_PIXELS / area))


def scanned_at(page: Any) -> float | None:
    """Return the pixels a unit of a page that is a scan; None where it is something else."""
    objects = list(page.get_objects(max_depth=3))
    if any(item.type not in (IMAGE, GROUP) for item in objects):
        return None  # text and lines are as sharp as they are drawn
    width, height = page.get_size()
    result = []
    for item in objects:
        if item.type == IMAGE:
            left, bottom, right, top = item.get_bounds()
            wide, high = right - left, top - bottom
            if wide * high >= WHOLE * width * height > 0:
                # Turned pictures have their sides exchanged: of areas that does not matter.
                result.append(math.sqrt(math.prod(item.get_px_size()) / (wide * high)))
    return max(result, default=None)


def _drawn(page: Any, scale: float) -> np.ndarray[Any, np.dtype[np.uint8]]:
    bitmap = page.render(scale=scale, rev_byteorder=True)
    # The bitmap's memory is pdfium's, and goes with it.
    pixels = np.array(bitmap.to_numpy(), np.uint8)
    bitmap.close()
    return pixels[..., :3] if pixels.ndim == 3 and pixels.shape[2] != 1 else pixels.squeeze()


def _check_images(page: Any) -> None:
    """See that a page that came out bare has no picture that could not be decoded.

    Raises
    ------
    PdfiumError
        It has: pdfium draws nothing for such a one, and says nothing.
    """
    for item in page.get_objects():
        if item.type == IMAGE:
            item.get_bitmap().close()


def _words(error: Exception) -> str:
    return f"pdfium: {str(error).split(' <')[0].rstrip('. ')}"


def _pdfium() -> Any:
    try:
        import pypdfium2
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "reading a PDF wants the extra 'pdf'",
            seen="pypdfium2 is not installed",
            try_='pip install "digitlens[pdf]"',
        ) from error
    return pypdfium2


MOST_BYTES = 1 << 29
"""Files of more than 512 MiB are not read: no picture that may be decoded is larger."""

PDF_WITHIN = 1024
"""A PDF says what it is within so many bytes (ISO 32000-1, annex H.3)."""

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How TIFF files begin, BigTIFF ones last."""


class PictureFile(Document):
    """A file with one picture; of those that move, the first frame."""

    count = 1

    def page(self, index: int) -> LoadedImage:
        """Return the picture's pixels."""
        assert index == 0, "there is one page"
        with _without_warnings():
            return load_image(self.content, name=self.name)


class TiffFile(Document):
    """A TIFF file, whose frames are pages."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content, name)
        with _without_warnings(), decode_image(content, name=name) as picture:
            self._count = int(getattr(picture, "n_frames", 1))

    @property
    def count(self) -> int:
        """How many frames there are."""
        return self._count

    def page(self, index: int) -> LoadedImage:
        """Return a frame's pixels."""
        with (
            _without_warnings(),
            decode_image(self.content, name=self.called(index)) as picture,
        ):
            picture.seek(index)
            return load_image(picture, name=self.called(index))


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep Pillow's warnings of odd entries in a file from stderr: it is read or rejected."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def open_document(source: InputFile) -> Document:
    """Open a file; what it is, is seen by how it begins, not by its name.

    Raises
    ------
    MissingDataError
        It is not there, or no longer.
    DataError
        It is a folder, cannot be read, or has more than `MOST_BYTES` bytes.
    CorruptFileError
        A PDF or TIFF file that cannot be opened at all.
    MissingExtraError
        A PDF, and pypdfium2 is not installed.
    """
    return document_of(_content(source), source.name)


def document_of(content: bytes, name: str) -> Document:
    """Open the content of a file; see `open_document`."""
    if b"%PDF-" in content[:PDF_WITHIN]:
        return PdfFile(content, name)
    if content.startswith(TIFF):
        return TiffFile(content, name)
    return PictureFile(content, name)


def _content(source: InputFile) -> bytes:
    if source.path.is_dir():
        raise DataError(
            f"{source.name} is a folder without pictures",
            try_="name one with PNG, JPEG, BMP, TIFF, GIF, WebP, PGM or PDF files in it",
        )
    try:
        with Path(source.path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise MissingDataError(
            f"there is no file {source.name}",
            likely="it was taken away after its folder was listed" if source.listed else None,
        ) from error
    except OSError as error:
        raise DataError(
            f"{source.name} cannot be read", seen=error.strerror or str(error)
        ) from error
    if len(content) > MOST_BYTES:
        raise DataError(
            f"{source.name} is too large: at most {MOST_BYTES:,} bytes are read",
            try_="split it, or make it smaller",
        )
    return content
