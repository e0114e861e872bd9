"""A PDF's pages as pictures, by pdfium (the extra ``pdf``)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.documents.document import Document
from digitlens.errors import CorruptFileError, MissingExtraError
from digitlens.ink.opening import open_picture

if TYPE_CHECKING:
    from digitlens.ink.opening import Opened

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

    def page(self, at: int) -> Opened:
        """Draw a page, `DOTS` dots an inch, on white paper."""
        name = self.called(at)
        error_of_pdfium = _pdfium().PdfiumError
        try:
            page = self._pdf[at]
            width, height = page.get_size()
            pixels = _drawn(page, scale_of(width, height, scanned_at(page)))
            if pixels.min() == pixels.max():
                _check_images(page)
            page.close()
        except error_of_pdfium as error:
            raise CorruptFileError(f"{name} is damaged", seen=_words(error)) from error
        return open_picture(pixels, name=name)


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
    if any(each.type not in (IMAGE, GROUP) for each in objects):
        return None  # text and lines are as sharp as they are drawn
    width, height = page.get_size()
    found = []
    for each in objects:
        if each.type == IMAGE:
            left, bottom, right, top = each.get_bounds()
            wide, high = right - left, top - bottom
            if wide * high >= WHOLE * width * height > 0:
                # Turned pictures have their sides exchanged: of areas that does not matter.
                found.append(math.sqrt(math.prod(each.get_px_size()) / (wide * high)))
    return max(found, default=None)


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
    for each in page.get_objects():
        if each.type == IMAGE:
            each.get_bitmap().close()


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
