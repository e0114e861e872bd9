"""Uploads -> digits in MNIST's frame, with a cap on pixels before anything is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import SIDE
from digitlens.errors import ShapeError
from digitlens.ink import frame_drawing, frame_steps
from digitlens.ink.decode import decode
from digitlens.ink.opening import open_picture
from digitlens.lab.answers import Ready
from digitlens.lab.refusals import TooLargeError

if TYPE_CHECKING:
    from digitlens.ink.opening import Opened
    from digitlens.lab.uploads import Upload

LIGHT = 80_000
"""Pixels up to which a picture is framed in a few milliseconds: 283 x 283."""


def pixels_in(upload: Upload, name: str) -> int:
    """Return how many pixels a picture has; of a file only the head is read.

    Raises
    ------
    CorruptFileError, ShapeError
        Not a picture, or far too large a one.
    """
    if isinstance(upload, np.ndarray):
        return upload.size
    with decode(upload, name=name) as picture:
        return picture.width * picture.height


def check_pixels(count: int, most: int, name: str) -> None:
    """Refuse a picture that is too large.

    Raises
    ------
    TooLargeError
        It has more than `most` pixels.
    """
    if count > most:
        raise TooLargeError(
            f"{name} may have {most:,} pixels",
            seen=f"{count:,} pixels",
            try_="make it smaller, or cut the digit out",
        )


def opened(upload: Upload, most: int | None, name: str = "the picture") -> Opened:
    """Return a picture's pixels, of which there may be `most`; None when that was checked.

    Raises
    ------
    TooLargeError
        There are more.
    CorruptFileError, ShapeError
        It cannot be opened; see `digitlens.ink.opening.open_picture`.
    """
    if most is not None:
        check_pixels(pixels_in(upload, name), most, name)
    return open_picture(upload, name=name)


def ready(
    upload: Upload,
    most: int | None,
    *,
    frame: bool,
    drawing: bool = False,
    name: str = "the picture",
) -> Ready:
    """Return the digit in a picture, of at most `most` pixels; None when that was checked.

    Without `frame` the picture must be a digit in MNIST's frame, and is taken as it is. A
    `drawing` is black ink on white paper, all of it one digit.

    Raises
    ------
    TooLargeError, NoInkError, SeveralDigitsError, CorruptFileError
        See `opened` and `digitlens.ink.frame_digit`.
    ShapeError
        Likewise; or it must be a digit already and is not 28 x 28 grey pixels.
    """
    if frame:
        if most is not None:
            check_pixels(pixels_in(upload, name), most, name)
        found = (frame_drawing if drawing else frame_steps)(upload, name=name)
        return Ready(found.digit, found)
    pixels = opened(upload, most, name).pixels
    if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():  # in colours that are all grey
        pixels = pixels[..., 0]
    if pixels.shape != (SIDE, SIDE):
        raise ShapeError(
            f"{name} must be {SIDE} x {SIDE} grey pixels, 0 = paper, 255 = ink",
            seen=" x ".join(str(side) for side in pixels.shape),
            try_="frame=true brings any picture of a digit there",
        )
    return Ready(np.ascontiguousarray(pixels))
