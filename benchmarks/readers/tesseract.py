"""Tesseract as a reader in a process of its own: ``python -m readers.tesseract``.

Its C library is called as it is, so that no process has to start and no network has to be
loaded for each picture, as the command `tesseract` would. Digits only
(``tessedit_char_whitelist``), English, on one thread.

Settings: the page segmentation mode, as ``--psm`` has it, and "bordered" where the picture is
first brought to digits about 40 pixels high with bare paper around them, as its manual
advises.
"""

from __future__ import annotations

import csv
import ctypes
import ctypes.util
import io
import os
from typing import TYPE_CHECKING, Any

from readers.protocol import Piece, serve

if TYPE_CHECKING:
    from readers.protocol import Request

WORD = "5"
"""Level of a word in Tesseract's table."""

HIGH, BORDER = 56, 14
"""Rows that a bordered line is brought to, and rows and columns of bare paper around it."""


class Tesseract:
    """Tesseract's library, made ready for digits.

    Raises
    ------
    SystemExit
        The library or its English network is not installed.
    """

    def __init__(self) -> None:
        os.environ["OMP_THREAD_LIMIT"] = "1"
        name = ctypes.util.find_library("tesseract")
        if name is None:
            raise SystemExit("libtesseract is not installed: apt-get install tesseract-ocr")
        self._library = library = ctypes.CDLL(name)
        library.TessVersion.restype = ctypes.c_char_p
        library.TessBaseAPICreate.restype = ctypes.c_void_p
        library.TessBaseAPIGetTsvText.restype = ctypes.c_void_p
        self._api = ctypes.c_void_p(library.TessBaseAPICreate())
        if library.TessBaseAPIInit3(self._api, None, b"eng") != 0:
            raise SystemExit("Tesseract's English network is missing: tesseract-ocr-eng")
        library.TessBaseAPISetVariable(self._api, b"tessedit_char_whitelist", b"0123456789")
        library.TessBaseAPISetVariable(self._api, b"debug_file", b"/dev/null")
        self.version = library.TessVersion().decode()

    def table(self, picture: Any, mode: int) -> str:
        """Read a grey picture, uint8 (H, W), and return Tesseract's table of what it found."""
        library, api = self._library, self._api
        data, (height, width) = picture.tobytes(), picture.shape
        library.TessBaseAPISetPageSegMode(api, mode)
        library.TessBaseAPISetImage(api, data, width, height, 1, width)
        library.TessBaseAPISetSourceResolution(api, 300)
        if library.TessBaseAPIRecognize(api, None) != 0:
            raise RuntimeError("Tesseract could not read this picture")
        text = ctypes.c_void_p(library.TessBaseAPIGetTsvText(api, 0))
        try:
            return (ctypes.string_at(text) or b"").decode()
        finally:
            library.TessDeleteText(text)
            library.TessBaseAPIClear(api)


def pieces_of(table: str) -> list[Piece]:
    """Return the lines of Tesseract's table, words joined by spaces.

    Columns: level, page, block, paragraph, line, word, left, top, width, height, confidence
    0..100, text. A line is as sure as its words are in the mean.
    """
    lines: dict[tuple[str, ...], list[list[str]]] = {}
    for row in csv.reader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        if len(row) == 12 and row[0] == WORD and row[11].strip():
            lines.setdefault(tuple(row[1:5]), []).append(row)
    pieces = []
    for words in lines.values():
        left, top, width, height = zip(
            *([int(x) for x in row[6:10]] for row in words), strict=True
        )
        right = max(x + w for x, w in zip(left, width, strict=True))
        bottom = max(y + h for y, h in zip(top, height, strict=True))
        item = [max(0.0, float(row[10]) / 100) for row in words]
        text = " ".join(row[11].strip() for row in words)
        box = [float(min(left)), float(min(top)), float(right), float(bottom)]
        pieces.append(Piece(text=text, confidence=sum(item) / len(item), box=box, parts=item))
    return pieces


def bordered(picture: Any) -> Any:
    """Return a line, uint8 (H, W), at the size that Tesseract is best at, paper around it."""
    import cv2
    import numpy as np

    height, width = picture.shape
    size = max(1, round(width * HIGH / height)), HIGH
    sized = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    paper = float(np.median(sized))
    return np.pad(sized, BORDER, constant_values=round(paper))


def read(tesseract: Tesseract, picture: Any, request: Request) -> list[Piece]:
    """Read a grey picture, uint8 (H, W)."""
    mode, _, more = request["setting"].partition(" ")
    return pieces_of(tesseract.table(bordered(picture) if more else picture, int(mode)))


def load(path: str) -> Any:
    """Return the picture in grey, uint8 (H, W)."""
    import cv2

    return cv2.imread(path, cv2.IMREAD_GRAYSCALE)


def main() -> None:
    """Serve."""
    import cv2

    cv2.setNumThreads(1)
    tesseract = Tesseract()
    serve(
        {"tesseract": tesseract.version},
        load,
        lambda picture, request: read(tesseract, picture, request),
    )


if __name__ == "__main__":
    main()
