"""One file -> its pages: a picture, a TIFF of many pages, a PDF."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from digitlens.documents.document import Document
from digitlens.errors import DataError, MissingDataError
from digitlens.ink.decode import decode
from digitlens.ink.opening import open_picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digitlens.documents.sources import Source
    from digitlens.ink.opening import Opened

MOST_BYTES = 1 << 29
"""Files of more than 512 MiB are not read: no picture that may be decoded is larger."""

PDF_WITHIN = 1024
"""A PDF says what it is within so many bytes (ISO 32000-1, annex H.3)."""

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How TIFF files begin, BigTIFF ones last."""


class PictureFile(Document):
    """A file with one picture; of those that move, the first frame."""

    count = 1

    def page(self, at: int) -> Opened:
        """Return the picture's pixels."""
        assert at == 0, "there is one page"
        with _without_warnings():
            return open_picture(self.content, name=self.name)


class TiffFile(Document):
    """A TIFF file, whose frames are pages."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content, name)
        with _without_warnings(), decode(content, name=name) as picture:
            self._count = int(getattr(picture, "n_frames", 1))

    @property
    def count(self) -> int:
        """How many frames there are."""
        return self._count

    def page(self, at: int) -> Opened:
        """Return a frame's pixels."""
        with _without_warnings(), decode(self.content, name=self.called(at)) as picture:
            picture.seek(at)
            return open_picture(picture, name=self.called(at))


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep Pillow's warnings of odd entries in a file from stderr: it is read or rejected."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def open_document(source: Source) -> Document:
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
        from digitlens.documents.pdf import PdfFile

        return PdfFile(content, name)
    if content.startswith(TIFF):
        return TiffFile(content, name)
    return PictureFile(content, name)


def _content(source: Source) -> bytes:
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
