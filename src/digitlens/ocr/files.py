"""Files, folders and patterns -> the files to read; a file -> its pages.

A file is a picture, a TIFF of many pages or a PDF (by pdfium, the extra ``pdf``).
"""

from __future__ import annotations

import abc
import math
import stat
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import CorruptFileError, DataError, MissingDataError, MissingExtraError
from digitlens.imaging.io import IMAGE_SUFFIXES, decode_image, load_image

if TYPE_CHECKING:
    from collections.abc import Iterable

    from digitlens.imaging.io import LoadedImage


# How the names of files end that may have many pages.
MULTIPAGE_SUFFIXES = frozenset((".pdf", ".tif", ".tiff"))


@dataclass(frozen=True)
class InputFile:
    """A file that is read."""

    path: Path  # where it lies
    name: str  # what results and messages call it
    stem: str  # what pictures made of it are called; no two files of one call share it
    listed: bool = False  # whether it was found in a folder, and so was there a moment ago


def list_inputs(named: Iterable[str], *, stdin: Path | None = None) -> list[InputFile]:
    """Return the files that were named, and for each folder the pictures and PDFs in it.

    named: files, folders and patterns (``scans/*.png``, ``scans/**/*.pdf``) that the shell left
        as they are. An existing file of that very name counts first.
    stdin: the file that stands for ``-``

    Returns in the order in which they were named; those of a folder or a pattern by name. In
    folders, hidden files, subfolders and files of other kinds are ignored. What does not exist,
    and a folder without pictures, stays in the list: reading it gives the error.
    """
    paths: list[tuple[Path, bool]] = []
    for name in named:
        path = Path(name)
        if name == "-" and stdin is not None:
            paths.append((stdin, False))
        # A pattern, unless a file has that very name.
        elif not path.exists() and has_magic(name):
            matches = [Path(item) for item in sorted(glob(name, recursive=True))]  # noqa: PTH207 - a pattern may be absolute
            for match in matches or [path]:
                paths += _list_path(match)
        else:
            paths += _list_path(path)
    taken: set[str] = set()
    return [
        InputFile(path, "stdin" if path == stdin else str(path), _stem(path, taken), listed)
        for path, listed in paths
    ]


def _list_path(path: Path) -> list[tuple[Path, bool]]:
    if not path.is_dir():
        return [(path, False)]
    inside = [(item, True) for item in sorted(path.iterdir()) if _is_readable(item)]
    return inside or [(path, False)]


def _is_readable(path: Path) -> bool:
    """Say whether a file in a folder is read: by its name, and if it is a file at all."""
    if (
        path.name.startswith(".")
        or path.suffix.lower() not in IMAGE_SUFFIXES | MULTIPAGE_SUFFIXES
    ):
        return False
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True  # a broken link, for example: reading it gives the error


def _stem(path: Path, taken: set[str]) -> str:
    """Return the file's name without its ending; -2, -3 and so on where that is taken."""
    first = path.stem or "picture"
    stem, count = first, 1
    # Some file systems do not tell a.png from A.png.
    while stem.lower() in taken:
        count += 1
        stem = f"{first}-{count}"
    taken.add(stem.lower())
    return stem


class Document(abc.ABC):
    """The pages of one file.

    content: the file's bytes
    name: what messages call it
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
        """Return the pixels of page `index`, from 0; errors are those of `load_image`."""

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Release what is held besides memory."""

    def page_name(self, index: int) -> str:
        """Return what messages call page `index`."""
        return f"{self.name}, page {index + 1}" if self.numbered else self.name


PDF_DPI = 300  # digits of a form, 2.5 mm high, are then 30 pixels high
MAX_PAGE_PIXELS = 20_000_000  # larger pages, such as posters, are drawn with fewer dots an inch
UNITS_PER_INCH = 72  # a PDF's units

# pdfium's numbers for objects that are pictures, and for those that hold others.
IMAGE_OBJECT, FORM_OBJECT = 3, 5

# A page of nothing but pictures, one of which covers this share of it, is a scan.
MIN_SCAN_AREA = 0.8


class PdfFile(Document):
    """A PDF file; damaged or locked ones are refused, and all without pypdfium2."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content, name)
        pdfium = _pdfium()
        try:
            self._pdf = pdfium.PdfDocument(content)
        except pdfium.PdfiumError as error:
            is_locked = "assword" in str(error)
            raise CorruptFileError(
                f"{name} is a PDF that cannot be opened",
                seen=_describe(error),
                likely="it is locked by a password" if is_locked else None,
                try_="save it without one" if is_locked else None,
            ) from error
        # What was typed into a form's fields is drawn only after this.
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
        """Draw a page, `PDF_DPI` dots an inch, on white paper."""
        name = self.page_name(index)
        pdfium_error = _pdfium().PdfiumError
        try:
            page = self._pdf[index]
            width, height = page.get_size()
            pixels = _render(page, choose_pdf_scale(width, height, measure_scan(page)))
            # A blank page may be one whose scan could not be decoded.
            if pixels.min() == pixels.max():
                _check_images(page)
            page.close()
        except pdfium_error as error:
            raise CorruptFileError(f"{name} is damaged", seen=_describe(error)) from error
        return load_image(pixels, name=name)


def choose_pdf_scale(width: float, height: float, scanned: float | None = None) -> float:
    """Return how many pixels a unit of the page gets.

    width, height: of the page, in units of 1/72 inch
    scanned: pixels a unit that its picture has, if it is a scan: more would show nothing more

    >>> round(choose_pdf_scale(595, 842) * 72), round(choose_pdf_scale(14400, 14400) * 72)
    (300, 22)
    >>> round(choose_pdf_scale(595, 842, 200 / 72) * 72)
    200
    """
    area = max(width * height, 1.0)
    wanted = PDF_DPI / UNITS_PER_INCH if scanned is None else scanned
    return min(wanted, math.sqrt(MAX_PAGE_PIXELS / area))


def measure_scan(page: Any) -> float | None:
    """Return the pixels a unit of a page that is a scan; None where it is something else."""
    objects = list(page.get_objects(max_depth=3))
    if any(item.type not in (IMAGE_OBJECT, FORM_OBJECT) for item in objects):
        return None  # text and lines are as sharp as they are drawn
    width, height = page.get_size()
    scales = []
    for item in objects:
        if item.type == IMAGE_OBJECT:
            left, bottom, right, top = item.get_bounds()
            shown = (right - left) * (top - bottom)
            if shown >= MIN_SCAN_AREA * width * height > 0:
                # By areas, as a rotated picture has its sides exchanged.
                scales.append(math.sqrt(math.prod(item.get_px_size()) / shown))
    return max(scales, default=None)


def _render(page: Any, scale: float) -> np.ndarray[Any, np.dtype[np.uint8]]:
    bitmap = page.render(scale=scale, rev_byteorder=True)
    # A copy: the bitmap's memory is pdfium's, and freed with it.
    pixels = np.array(bitmap.to_numpy(), np.uint8)
    bitmap.close()
    return pixels[..., :3] if pixels.ndim == 3 and pixels.shape[2] != 1 else pixels.squeeze()


def _check_images(page: Any) -> None:
    """Raise PdfiumError if a picture of a blank page cannot be decoded.

    pdfium draws nothing for such a picture, and says nothing.
    """
    for item in page.get_objects():
        if item.type == IMAGE_OBJECT:
            item.get_bitmap().close()


def _describe(error: Exception) -> str:
    return f"pdfium: {str(error).split(' <')[0].rstrip('. ')}"


def _pdfium() -> Any:
    try:
        import pypdfium2
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "reading a PDF needs the extra 'pdf'",
            seen="pypdfium2 is not installed",
            try_='pip install "digitlens[pdf]"',
        ) from error
    return pypdfium2


# Files of more than 512 MiB are not read: no picture that may be decoded is larger.
MAX_BYTES = 1 << 29

PDF_HEADER_BYTES = 1024  # a PDF says what it is within so many bytes (ISO 32000-1, annex H.3)

# How TIFF files begin, BigTIFF ones last.
TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class PictureFile(Document):
    """A file with one picture; of an animation, the first frame."""

    count = 1

    def page(self, index: int) -> LoadedImage:
        """Return the picture's pixels."""
        assert index == 0, "there is one page"
        return load_image(self.content, name=self.name)


class TiffFile(Document):
    """A TIFF file, whose frames are pages."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content, name)
        with decode_image(content, name=name) as picture:
            self._count = int(getattr(picture, "n_frames", 1))

    @property
    def count(self) -> int:
        """How many frames there are."""
        return self._count

    def page(self, index: int) -> LoadedImage:
        """Return a frame's pixels."""
        with decode_image(self.content, name=self.page_name(index)) as picture:
            picture.seek(index)
            return load_image(picture, name=self.page_name(index))


def open_document(source: InputFile) -> Document:
    """Open a file; its kind is told by how it begins, not by its name.

    Raises MissingDataError: it does not exist, or no longer; DataError: it is a folder, cannot
    be read, or has more than `MAX_BYTES` bytes; CorruptFileError: a PDF or TIFF file that
    cannot be opened at all; MissingExtraError: a PDF, and pypdfium2 is not installed.
    """
    return parse_document(_read_content(source), source.name)


def parse_document(content: bytes, name: str) -> Document:
    """Return the pages of a file's content; see `open_document`."""
    # By the first bytes: names lie.
    if b"%PDF-" in content[:PDF_HEADER_BYTES]:
        return PdfFile(content, name)
    if content.startswith(TIFF_SIGNATURES):
        return TiffFile(content, name)
    return PictureFile(content, name)


def _read_content(source: InputFile) -> bytes:
    if source.path.is_dir():
        raise DataError(
            f"{source.name} is a folder without pictures",
            try_="name one with PNG, JPEG, BMP, TIFF, GIF, WebP, PGM or PDF files in it",
        )
    try:
        with Path(source.path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)  # one more than allowed tells a larger file
    except FileNotFoundError as error:
        raise MissingDataError(
            f"there is no file {source.name}",
            likely="it was removed after its folder was listed" if source.listed else None,
        ) from error
    except OSError as error:
        raise DataError(
            f"{source.name} cannot be read", seen=error.strerror or str(error)
        ) from error
    if len(content) > MAX_BYTES:
        raise DataError(
            f"{source.name} is too large: at most {MAX_BYTES:,} bytes are read",
            try_="split it, or make it smaller",
        )
    return content
