"""One picture or many, however they are named -> digits of 28 x 28 pixels."""

from __future__ import annotations

import os
from collections.abc import Iterable
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from digitlens.digits import FEATURES, SIDE, Digits
from digitlens.errors import DataError, ShapeError
from digitlens.imaging.arrays import to_array, to_uint8
from digitlens.imaging.inputs import list_inputs, read_input
from digitlens.imaging.io import load_image
from digitlens.imaging.normalize import frame_steps
from digitlens.storage import is_folder, read_head

if TYPE_CHECKING:
    from digitlens.digits import Images
    from digitlens.imaging.inputs import InputFile
    from digitlens.imaging.io import LoadedImage

STACKS = {(SIDE, SIDE), (1, SIDE, SIDE), (SIDE, SIDE, 1), (FEATURES,)}
"""Shapes in which a digit of MNIST comes; with an axis before them they are many."""


class PictureList(NamedTuple):
    """Pictures that were given, one by one."""

    items: list[Any]  # each as `load_image` takes it, or a file of a folder
    single: bool  # whether one picture was given, and not a list, folder or stack


def list_pictures(source: Any, *, recursive: bool = False) -> PictureList:
    """Return the pictures that `source` stands for.

    source: what `load_image` takes; a folder or a pattern such as ``"scans/*.png"``; a list of
        all these, or another iterable; an array or tensor (N, H, W) or (N, H, W, 3); `Digits`
    """
    if isinstance(source, Digits):
        return PictureList(list(source.images), single=False)
    if isinstance(source, str | os.PathLike):
        name = os.fspath(source)
        if is_folder(Path(name)) or (not os.path.lexists(name) and has_magic(name)):
            return PictureList(list(list_inputs([name], recursive=recursive)), single=False)
        return PictureList([source], single=True)
    array = to_array(source)
    if array is not None:
        if array.ndim < 3 or (array.ndim == 3 and _is_one(array.shape)):
            return PictureList([array], single=True)
        scaled = to_uint8(array, name="the pictures")  # together: one range for all of them
        return PictureList(list(scaled), single=False)
    is_file = isinstance(source, bytes | bytearray | memoryview) or hasattr(source, "read")
    if is_file or hasattr(source, "getexif") or not isinstance(source, Iterable):
        return PictureList([source], single=True)
    parts = [list_pictures(item, recursive=recursive).items for item in source]
    return PictureList([item for part in parts for item in part], single=False)


def _is_one(shape: tuple[int, ...]) -> bool:
    """Say whether an array of three axes is one picture with channels, not a stack of them."""
    return (
        shape[2] in (1, 3, 4) or shape[0] == 1 or (shape[0] in (3, 4) and shape[1:] != (28, 28))
    )


def load_any(picture: Any, number: int | None = None) -> LoadedImage:
    """Load one of `list_pictures`; of several, one without a name has its `number`."""
    if hasattr(picture, "listed"):
        source: InputFile = picture
        return load_image(read_input(source), name=source.name)
    if isinstance(picture, str | os.PathLike):
        if b"%PDF-" in read_head(Path(picture)):
            raise DataError(
                f"{os.fspath(picture)} must be a picture of one digit",
                seen="a PDF",
                try_="digitlens.read reads the numbers on its pages",
            )
        return load_image(picture)
    named = hasattr(picture, "name") or bool(getattr(picture, "filename", ""))
    return load_image(picture, name=None if named or not number else f"picture {number}")


def frame_pictures(source: Any, *, framed: bool = False) -> tuple[Images, list[str], bool]:
    """Bring all digits that `source` stands for into MNIST's frame.

    source: as for `list_pictures`; arrays of digits in a shape of MNIST's too: (28, 28),
        (1, 28, 28), (28, 28, 1) or (784,), and many of them
    framed: arrays in such a shape are in MNIST's frame: they are taken as they are, and
        0 = paper, 255 (or 1.0) = ink. Else dark ink or light is found out.

    Returns uint8 (N, 28, 28), what the pictures are called, and whether it was a single one.

    Raises what `frame_digit` raises, for the first that cannot be used.
    """
    array = to_array(source.images if isinstance(source, Digits) else source)
    if array is None and framed and isinstance(source, list | tuple):
        array = _stack(source)
    if array is not None and array.size % FEATURES == 0:
        single = array.shape in STACKS and array.shape != (1, SIDE, SIDE)
        if array.shape in STACKS or array.shape[1:] in STACKS:
            images = to_uint8(array, name="the pictures").reshape(-1, SIDE, SIDE)
            if not framed and len(images):
                images = np.stack([_frame(image, i) for i, image in enumerate(images, 1)])
            return images, [""] * len(images), single
    if array is not None and array.ndim < 2:
        raise ShapeError(
            "a row of numbers must be a digit of 784 features",
            seen=f"{array.dtype} {array.shape}",
        )
    items, single = list_pictures(source)
    digits, names = [], []
    for number, item in enumerate(items, 1):
        loaded = load_any(item, None if single else number)
        digits.append(frame_steps(loaded).digit)
        names.append(loaded.name)
    return np.stack(digits) if digits else np.empty((0, SIDE, SIDE), np.uint8), names, single


def _frame(image: Images, number: int) -> Images:
    return frame_steps(image, name=f"picture {number}").digit


def _stack(items: list[Any] | tuple[Any, ...]) -> Any:
    """Return arrays of one shape as one array; None for other lists."""
    arrays = [to_array(item) for item in items]
    shapes = {None if item is None else item.shape for item in arrays}
    if len(shapes) == 1 and shapes <= STACKS:
        return np.stack([item for item in arrays if item is not None])
    return None
