"""Many picture files -> MNIST's frame, unless they all lie in it already."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from digitlens import files
from digitlens.digits import SIDE
from digitlens.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from digitlens.digits import Images

    Item = TypeVar("Item")

MOST = 0.9
"""A set of 28 x 28 pictures of which at least so many lie in MNIST's frame is taken as it is:
of MNIST's own digits 999 in 1,000 do."""

_TASK = 64


@dataclass(frozen=True, eq=False)
class Framed:
    """Pictures in MNIST's frame.

    Parameters
    ----------
    images
        uint8 (N, 28, 28), 0 = paper, 255 = ink; blank where a picture cannot be used.
    hashes
        SHA-256 of each file in hex; empty where it cannot be read.
    rejected
        Why a picture cannot be used, by its place.
    """

    images: Images
    hashes: list[str]
    rejected: dict[int, DataError]


def frame_all(paths: list[Path]) -> Framed:
    """Read picture files and bring each into MNIST's frame.

    A set that was made for networks is not touched: pictures of 28 x 28 grey pixels of which
    at least `MOST` lie in MNIST's frame. In any other set, each picture goes through
    `digitlens.ink.frame_digit`, as it does in `digitlens predict`.
    """
    images = np.zeros((len(paths), SIDE, SIDE), np.uint8)
    hashes = [""] * len(paths)
    rejected: dict[int, DataError] = {}
    small = np.zeros(len(paths), np.bool_)

    def read(at: int) -> None:
        try:
            found = files.read(paths[at])
            hashes[at] = found.sha256
            images[at], small[at] = _opened(found.content, name=str(paths[at]))
        except DataError as error:
            rejected[at] = error

    def frame(at: int) -> None:
        from digitlens.ink import frame_steps

        try:
            images[at] = frame_steps(images[at], name=str(paths[at])).digit
        except DataError as error:
            images[at] = 0
            rejected[at] = error

    _spread(read, list(range(len(paths))))
    from digitlens.ink.ready import are_framed

    ready = are_framed(images)
    if not (small.all() and ready.mean() >= MOST):
        _spread(frame, np.flatnonzero(small & ~ready).tolist())
    return Framed(images, hashes, dict(sorted(rejected.items())))


def _opened(content: bytes, *, name: str) -> tuple[NDArray[np.uint8], bool]:
    """Return a digit, uint8 (28, 28), and whether it is a small picture as it came."""
    from digitlens.ink import frame_steps
    from digitlens.ink.opening import open_picture

    pixels = open_picture(content, name=name).pixels
    if pixels.shape[:2] == (SIDE, SIDE):
        if pixels.ndim == 2:
            return pixels, True
        if (pixels == pixels[..., :1]).all():  # in colours that are all grey
            return pixels[..., 0], True
    return frame_steps(pixels, name=name).digit, False


def _spread(act: Callable[[Item], None], items: list[Item]) -> None:
    """Do `act` on all items, on as many cores as there are."""

    def some(start: int) -> None:
        for item in items[start : start + _TASK]:
            act(item)

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        list(pool.map(some, range(0, len(items), _TASK)))
