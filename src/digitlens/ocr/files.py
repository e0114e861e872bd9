"""A file -> its pages; `digitlens.imaging.inputs` lists the files.

A file is a picture, a TIFF of many pages or a PDF (by pdfium, the extra ``pdf``).
"""

from __future__ import annotations

import abc
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import CorruptFileError, MissingExtraError
from digitlens.imaging.filetypes import HEAD_BYTES
from digitlens.imaging.inputs import InputFile, read_input
from digitlens.imaging.io import decode_image, load_image
from digitlens.storage import read_head

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.imaging.io import LoadedImage


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
        _check_page_count(len(self._pdf), content, name)
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


MAX_PAGES = 10_000
MIN_PAGE_BYTES = 4  # a page takes so many bytes of its file at least, well packed


def _check_page_count(count: int, content: bytes, name: str) -> None:
    """Raise CorruptFileError where a file says that it has more pages than can be in it."""
    most = min(MAX_PAGES, len(content) // MIN_PAGE_BYTES)
    if count > most:
        raise CorruptFileError(
            f"{name} has too many pages: at most {most:,} in a file of its size",
            seen=f"{count:,} pages in {len(content):,} bytes",
            try_="split it" if count < len(content) // MIN_PAGE_BYTES else None,
        )


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
        _check_page_count(self._count, content, name)

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
    return parse_document(read_input(source), source.name)


def parse_document(content: bytes, name: str) -> Document:
    """Return the pages of a file's content; see `open_document`."""
    # By the first bytes: names lie.
    if b"%PDF-" in content[:HEAD_BYTES]:
        return PdfFile(content, name)
    if content.startswith(TIFF_SIGNATURES):
        return TiffFile(content, name)
    return PictureFile(content, name)


def may_have_pages(path: Path) -> bool:
    """Say whether a file is a PDF or TIFF by its first bytes; others have one picture."""
    head = read_head(path)
    return head.startswith(TIFF_SIGNATURES) or b"%PDF-" in head
