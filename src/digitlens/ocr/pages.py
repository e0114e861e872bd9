"""`read`: anything that holds pages -> a `Page`, or `Pages` that are read in turn."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.display import Shown
from digitlens.errors import DigitlensError, DigitlensWarning
from digitlens.imaging.inputs import InputFile
from digitlens.imaging.pictures import list_pictures, load_any
from digitlens.metrics.formatting import plural
from digitlens.ocr.files import Document, open_document, parse_document
from digitlens.ocr.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from digitlens.imaging.io import LoadedImage
    from digitlens.ocr.page import Page


def read(
    source: Any,
    length: int | Collection[int] | None = None,
    *,
    reader: Reader | str | Path = "reader",
    recursive: bool = False,
) -> Page | Pages:
    """Read all numbers of pictures and documents of any kind.

    source: a picture as `digitlens.imaging.io.load_image` takes it (a path, bytes, an open
        file, a Pillow picture, an array or a tensor), a PDF or TIFF file, a folder, a pattern
        such as ``"scans/*.pdf"``, or a list of these
    length: how many digits a wanted number has, or several allowed numbers
    reader: a `Reader`, or what it is made of
    recursive: look into folders in folders

    Returns a `Page` for a picture, else `Pages`, to walk over. Raises what `Reader.page` does;
    of several what cannot be read is warned of.

    >>> for page in read("scans/"):  # doctest: +SKIP
    ...     print(page.name, page.text)
    """
    reader = reader if isinstance(reader, Reader) else Reader(reader)
    items, single = list_pictures(source, recursive=recursive)
    if single:
        document = _open(items[0], 1)
        if not document.numbered:
            return _read_page(reader, document, 0, length)
        document.close()
    is_named = isinstance(source, str | os.PathLike)
    called = os.fspath(source) if is_named else plural(len(items), "picture")
    return Pages(items, reader, length, str(called))


class Pages(Shown):
    """The pages of a list, a folder or a document, read as one walks over them.

    What cannot be read is warned of, and the others follow. Nothing is kept, so that a folder
    of any size may be read; a second walk reads all again.
    """

    def __init__(
        self, items: list[Any], reader: Reader, length: int | Collection[int] | None, name: str
    ) -> None:
        self._items, self._reader, self._length, self._name = items, reader, length, name

    def __repr__(self) -> str:
        return f"Pages(of {self._name}, read one by one: for page in pages, or to_pandas())"

    def __iter__(self) -> Iterator[Page]:
        for number, item in enumerate(self._items, 1):
            try:
                document = _open(item, number)
            except DigitlensError as error:
                _warn(error)
                continue
            try:
                for index in range(document.count):
                    try:
                        page = _read_page(self._reader, document, index, self._length)
                    except DigitlensError as error:
                        _warn(error)
                    else:
                        yield page
            finally:
                document.close()

    def rows(self) -> list[dict[str, Any]]:
        """Read all pages; return a row for each line of each of them."""
        return [row for page in self for row in page.rows()]


class LoadedPicture(Document):
    """A picture that is in memory already."""

    count = 1

    def __init__(self, image: LoadedImage) -> None:
        super().__init__(b"", image.name)
        self._image = image

    def page(self, index: int) -> LoadedImage:
        """Return the picture's pixels."""
        assert index == 0, "there is one page"
        return self._image


def _open(item: Any, number: int) -> Document:
    if isinstance(item, InputFile):
        return open_document(item)
    if isinstance(item, str | os.PathLike):
        path = Path(item)
        return open_document(InputFile(path, str(path), path.stem))
    if isinstance(item, bytes | bytearray | memoryview):
        return parse_document(bytes(item), f"picture {number}")
    if hasattr(item, "read") and not hasattr(item, "getexif"):
        from digitlens.imaging.io import read_open_file

        return parse_document(*read_open_file(item, None))
    return LoadedPicture(load_any(item, number))


def _read_page(
    reader: Reader, document: Document, index: int, length: int | Collection[int] | None
) -> Page:
    image = document.page(index)
    return replace(reader.page(image, length), name=image.name, pixels=image.pixels)


def _warn(error: DigitlensError) -> None:
    warnings.warn(f"not read: {error}", DigitlensWarning, stacklevel=4)
