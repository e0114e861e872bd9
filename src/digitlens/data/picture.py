"""One picture that is in MNIST's frame already: 28 x 28, grey, white ink on black."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import SIDE
from digitlens.errors import CorruptFileError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM")
"""What Pillow may decode here; other decoders, some of which run programs, stay shut."""


def read_picture(content: bytes, *, name: str) -> NDArray[np.uint8]:
    """Decode one picture in MNIST's frame.

    Parameters
    ----------
    content
        A PNG, JPEG, BMP, TIFF, GIF, WebP or PGM file of 28 x 28 pixels: black and white,
        grey, or in colours that are all grey; not transparent; white ink on black.
    name
        What messages call it.

    Returns
    -------
    uint8 (28, 28); 0 = paper, 255 = ink.

    Raises
    ------
    ShapeError
        Another size or mode; both are named. The size is read before anything is
        decoded, so that a huge picture costs nothing.
    CorruptFileError
        Not a picture, or a damaged one.
    """
    from PIL import Image as pillow  # noqa: N813 - a module whose name is a class's
    from PIL import UnidentifiedImageError

    try:
        with pillow.open(io.BytesIO(content), formats=FORMATS) as picture:
            if picture.size != (SIDE, SIDE):
                raise _wrong(name, picture, "of another size")
            return _grey(picture, name)
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning) as error:
        raise ShapeError(f"{name} must be {SIDE} x {SIDE} pixels", seen=str(error)) from error
    except UnidentifiedImageError as error:
        raise CorruptFileError(
            f"{name} is not a picture that can be read", seen=f"{len(content):,} bytes"
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # Pillow's many ways
        raise CorruptFileError(f"{name} is a damaged picture", seen=str(error)) from error


def _grey(picture: Image, name: str) -> NDArray[np.uint8]:
    mode = picture.mode
    if mode in ("L", "1"):
        return np.asarray(picture.convert("L"))
    if mode not in ("LA", "RGB", "RGBA", "P", "PA"):
        raise _wrong(name, picture, "of another mode")
    colours = np.asarray(picture.convert("RGBA"))
    if (colours[..., 3] != 255).any():
        raise _wrong(name, picture, "transparent")
    grey = colours[..., 0]
    if (colours[..., 1] != grey).any() or (colours[..., 2] != grey).any():
        raise _wrong(name, picture, "in colour")
    return grey


def _wrong(name: str, picture: Image, what: str) -> ShapeError:
    width, height = picture.size
    return ShapeError(
        f"{name} is {what}; a digit must be {SIDE} x {SIDE} pixels, grey, white ink on black",
        seen=f"{width} x {height} pixels, mode {picture.mode}",
        try_="bring it into MNIST's frame first: in a 20 x 20 box, its centre of mass\n"
        f"in the middle of {SIDE} x {SIDE}",
    )
