"""A piece's picture as a page can show it: small enough, upright, a JPEG whatever it was."""

from __future__ import annotations

import io
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from digitlens.errors import DataError
from digitlens.ink.cut import with_margin
from digitlens.lab.pictures import opened
from digitlens.lab.refusals import TooLargeError
from digitlens.mail.sorting.pieces import stamp_of
from digitlens.reading.places import upright

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from digitlens.reading.line import Box

LARGEST = 1600
"""Pixels of the longer side: more than the page is wide, less than 1 MB."""

QUALITY = 85

HEADS = 1 << 20
"""Bytes that a file may have beyond its bare pixels."""

BESIDE = (3.0, 0.8, 1.2, 0.8)
"""Paper left of the line, above, right and below, in heights of it: with the state's name."""

KEPT = 8
"""Scans that are kept at hand: the page asks for one piece's several times."""


@dataclass(frozen=True)
class Scan:
    """A piece's picture.

    Parameters
    ----------
    width, height
        Of the picture, turned upright, in its own pixels.
    whole
        All of it as JPEG, its longer side at most `LARGEST`.
    view
        Left, top, right, bottom of what is seen close, in the picture's own pixels; None
        where no line was found.
    close
        That part as JPEG.
    box
        Of the line, on the picture turned upright.
    """

    width: int
    height: int
    whole: bytes
    view: tuple[int, int, int, int] | None = None
    close: bytes | None = None
    box: Box | None = None


def scan_of(path: Path, name: str, box: Box | None, most_pixels: int, *, turn: int = 0) -> Scan:
    """Return the picture at `path`, and the line in `box` seen close.

    Parameters
    ----------
    box
        Left, top, right, bottom on the picture as it lies.
    turn
        Degrees, counter-clockwise, in quarters: so it stands upright.

    Raises
    ------
    TooLargeError
        It has more than `most_pixels` pixels, or bytes than so many could need.
    DataError
        It is gone, or cannot be opened.
    """
    try:
        if not path.is_file():  # gone; or a pipe, on which one could wait for ever
            raise DataError(f"the picture of {name} is gone")
        size = path.stat().st_size
        if size > 3 * most_pixels + HEADS:
            raise TooLargeError(f"{name} is too large a file", seen=f"{size:,} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{name} cannot be read", seen=error.strerror) from error
    pixels = opened(content, most_pixels, name).pixels
    if box is not None:
        box, _ = upright(box, (pixels.shape[1], pixels.shape[0]), turn)
    pixels = np.rot90(pixels, turn // 90)
    height, width = pixels.shape[:2]
    whole = _jpeg(pixels)
    if box is None:
        return Scan(width, height, whole)
    tall = box[3] - box[1]
    margin = [tall * share for share in BESIDE]
    left, top, right, bottom = with_margin(box, margin, width, height)
    if left >= right or top >= bottom:  # the picture is another one by now
        return Scan(width, height, whole, box=box)
    close = _jpeg(pixels[top:bottom, left:right])
    return Scan(width, height, whole, (left, top, right, bottom), close, box)


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    into = io.BytesIO()
    picture = Image.fromarray(pixels)
    picture.thumbnail((LARGEST, LARGEST), reducing_gap=2.0)
    picture.save(into, "JPEG", quality=QUALITY)
    return into.getvalue()


class Scans:
    """The scans that were asked for last; safe to use from several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Scan | DataError | TooLargeError] = (
            OrderedDict()
        )
        self._lock = Lock()

    def get(self, path: Path, make: Callable[[], Scan]) -> Scan:
        """Return the scan of the file at `path`, made when it is not at hand.

        Raises
        ------
        TooLargeError, DataError
            What `make` raised; it is kept too.
        """
        key = str(path), stamp_of(path)
        with self._lock:
            found = self._kept.get(key)
        if found is None:
            try:
                found = make()
            except (DataError, TooLargeError) as error:
                found = error
            with self._lock:
                self._kept[key] = found
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        if isinstance(found, Scan):
            return found
        raise found
