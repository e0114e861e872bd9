"""Picture files of single digits, for `digitlens predict`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.errors import DataError, ShapeError

if TYPE_CHECKING:
    from pathlib import Path

    from digitlens.digits import Images

LIGHT = 127
"""Where the mean of a picture's edge lies above this, its paper is light."""


def read_digit(path: Path) -> Images:
    """Read a picture that is in MNIST's frame already: uint8 (28, 28), 0 = paper, 255 = ink.

    Raises
    ------
    MissingDataError
        There is no such file.
    DataError
        It cannot be read.
    CorruptFileError
        It is no picture, or a damaged one.
    ShapeError
        It has another size or mode, colours or transparency, or dark ink on light paper:
        MNIST's digits never touch the edge, so a light edge is light paper.
    """
    import numpy as np

    from digitlens.data import files
    from digitlens.data.picture import read_picture

    if path.is_dir():
        raise DataError(f"{path} is a folder, not a picture", try_=f"{path}/*.png")
    pixels = read_picture(files.read(path).content, name=str(path))
    edge = np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])
    if float(edge.mean()) > LIGHT:
        raise ShapeError(
            f"{path} must be light ink on dark paper, as MNIST's digits are",
            seen=f"the mean of its edge is {edge.mean():.0f} of 255",
            likely="dark ink on light paper",
            try_="turn black and white round; a later release does it for you",
        )
    return pixels
