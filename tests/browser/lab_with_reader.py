"""A lab whose reader is made up: ``python lab_with_reader.py``; it prints its address.

With ``--published`` its reader is the published one.

The reader cuts a strip into dark columns and says what it was told stands there, so that the
page has lines, boxes and doubts to show without a network for lines.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import digitlens
from digitlens.ctc import Alternative, Line, LineDigit
from digitlens.imaging.binarize import to_gray
from digitlens.imaging.io import LoadedImage
from digitlens.ocr.page import Page
from digitlens.server.routes import service
from digitlens.server.serve import serve
from digitlens.server.settings import ServerSettings

TEXT = "470"
"""What the reader says of a picture with three digits; the second one it doubts."""


class Reader:
    """Finds columns with ink; reads them as `TEXT`, over and over."""

    def page(self, picture: LoadedImage, length: int | None = None, **_: Any) -> Page:
        """Return one line of as many digits as there are runs of dark columns."""
        dark = to_gray(picture.pixels) < 128
        if not dark.any():
            return Page(())
        edges = np.flatnonzero(np.diff(np.r_[False, dark.any(axis=0), False]))
        rows = np.flatnonzero(dark.any(axis=1))
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        digits = tuple(
            LineDigit(
                TEXT[index % 3],
                0.62 if index == 1 else 0.99,
                (int(left), top, int(right), bottom),
                (Alternative("1", 0.31),) if index == 1 else (),
            )
            for index, (left, right) in enumerate(zip(edges[::2], edges[1::2], strict=True))
        )
        text = "".join(item.text for item in digits)
        box = (int(edges[0]), top, int(edges[-1]), bottom)
        line = Line(text, 0.6, box, digits, (Alternative(text.replace("7", "1"), 0.3),))
        return Page((line,))

    def read_line(self, picture: LoadedImage, length: int | None = None) -> Line:
        """Return that line; an empty one of bare paper."""
        result = self.page(picture, length).lines
        return result[0] if result else Line("", 0.9, (0, 0, 1, 1))


def tell(address: str) -> None:
    """Write the lab's address as a line; from then on a browser keeps the files of the page.

    Its seventy files do not change while tests run, and asking whether they did is a third of
    what opening the page costs.
    """
    serve_file = service.serve_file

    def serve_once(name: str, request: Any) -> Any:
        response = serve_file(name, request)
        response.headers["cache-control"] = "max-age=3600"
        return response

    service.serve_file = serve_once
    sys.stdout.write(address + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if "--published" not in sys.argv:
        digitlens.Reader = Reader  # type: ignore[misc, assignment]
    serve(ServerSettings(folder=Path.cwd(), port=0), tell)
