"""digitlens as a reader in a process of its own: `python -m readers.digitlens_reader`.

An argument names the network.

Everything that the benchmark knows of `digitlens.Reader` stands in this file.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol

from readers.protocol import Piece, serve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.ctc import Line
    from readers.protocol import Request

MAX_ERROR = 0.01
MAX_LENGTH = 20
"""The most digits for which a threshold of its own is looked up."""


class Reads(Protocol):
    """What is asked of a reader: `digitlens.Reader`, or what a test puts in its place."""

    def read_line(self, picture: Any, length: int | None = None) -> Line:
        """Read a picture of one line."""

    def read(self, picture: Any, length: int | None = None) -> Sequence[Line]:
        """Read a whole picture."""


def pieces_of(reader: Reads, picture: Any, request: Request) -> list[Piece]:
    """Return the lines that `reader` finds; of a picture of one line just this one."""
    if request["page"]:
        lines = list(reader.read(picture, length=request["length"]))
    else:
        lines = [reader.read_line(picture, length=request["length"])]
    return [
        Piece(
            text=line.text,
            confidence=line.confidence,
            box=[float(edge) for edge in line.box],
            parts=[digit.confidence for digit in line.digits],
        )
        for line in lines
    ]


def own_threshold(reader: Any, length: int | None) -> float | None:
    """Return the least confidence that `reader` accepts at 1 % error, None if there is none.

    None as well for a network that has not been calibrated.
    """
    from digitlens.errors import ModelError

    try:
        least = reader.bar(MAX_ERROR, length=length).confidence
    except ModelError:
        return None
    return None if least is None else float(least)


def load(path: str) -> Any:
    """Return the picture as it is meant to be seen, uint8 (H, W) or (H, W, 3)."""
    import numpy as np
    from PIL import Image, ImageOps

    with Image.open(path) as file:
        upright = ImageOps.exif_transpose(file)
        return np.asarray(upright.convert("L" if upright.mode == "L" else "RGB"))


def main() -> None:
    """Serve."""
    import cv2

    import digitlens

    if "Reader" not in digitlens.__all__:
        raise SystemExit("this digitlens has no Reader")
    cv2.setNumThreads(1)
    reader: Any = digitlens.Reader(*sys.argv[1:])
    thresholds = {
        length: own_threshold(reader, length) for length in (None, *range(1, MAX_LENGTH + 1))
    }
    serve(
        {name: version(name) for name in ("digitlens", "onnxruntime")},
        load,
        lambda picture, request: pieces_of(reader, picture, request),
        lambda request: thresholds.get(request["length"]),
    )


if __name__ == "__main__":
    main()
