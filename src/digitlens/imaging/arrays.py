"""Numbers of any kind that show pictures -> uint8, by one rule of ranges.

What is whole and has 8 bits is taken as it is. Fractions in 0..1 are multiplied by 255, numbers
up to 255 are rounded; bools are paper and ink. What could be either, or neither, is an error
with advice. The range is that of the whole array, so that a blank picture in a stack of others
is scaled as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SURE_MAXIMUM = 2.0
"""Fractions above 1 and below this are 0..1 with some overshoot as likely as 0..255."""

TENSOR_HINT = "the mean and deviation of its normalization undone: picture * 0.3081 + 0.1307"


def to_array(value: object) -> NDArray[Any] | None:
    """Return a tensor, a data frame or rows of numbers as an array; None for anything else.

    >>> to_array([[0, 255], [255, 0]]).shape, to_array(["a.png"]), to_array("a.png")
    ((2, 2), None, None)
    """
    if isinstance(value, np.ndarray):
        return np.asarray(value)  # a matrix has always two axes, and is no plain array
    if hasattr(value, "detach") and hasattr(value, "cpu"):  # torch's, wherever it lies
        return np.asarray(value.detach().cpu())
    if isinstance(value, list | tuple):
        first: object = value
        while isinstance(first, list | tuple) and len(first):
            first = first[0]
        if not isinstance(first, int | float | np.number):
            return None
        try:
            return np.asarray(value)
        except ValueError as error:
            raise ShapeError("rows of numbers must be equally long", seen=str(error)) from error
    # Pillow's pictures have it too, but know more than their numbers.
    if hasattr(value, "__array__") and not hasattr(value, "getexif"):
        return np.asarray(value)
    return None


def to_uint8(array: NDArray[Any], *, name: str = "the picture") -> NDArray[np.uint8]:
    """Return numbers as grey values 0..255, in the same shape and with the same polarity.

    Raises ShapeError: neither 0..1 nor 0..255, not finite, or no numbers; whole numbers of
    more bits that are all 0 and 1, and fractions that end a little above 1, may be either.

    >>> to_uint8(np.array([0.0, 0.5, 1.0])).tolist(), to_uint8(np.array([0, 7, 255])).tolist()
    ([0, 128, 255], [0, 7, 255])
    """
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return np.where(array, np.uint8(255), np.uint8(0))
    if array.dtype.kind not in "iuf" or not array.size:
        raise _error(array, name, None)
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).sum())
        raise _error(array, name, "numpy.nan_to_num(picture)", f", {bad:,} NaN or infinite")
    low, high = float(array.min()), float(array.max())
    seen = f", values {low:g}..{high:g}"
    if low < 0:
        raise _error(array, name, TENSOR_HINT if high < 4 else None, seen)
    if high > 255:
        advice = "(picture / 257).round().astype('uint8')" if high <= 65535 else None
        raise _error(array, name, advice, seen)
    if array.dtype.kind == "f" and high <= 1:
        return np.asarray(np.rint(array * 255), np.uint8)
    if array.dtype.kind == "f" and high < SURE_MAXIMUM:
        raise _error(array, name, "picture.clip(0, 1), or picture.astype('uint8')", seen)
    if array.dtype.kind in "iu" and high == 1:
        raise _error(array, name, "picture * 255 where 1 is full ink", seen)
    return np.asarray(np.rint(array), np.uint8)


def _error(array: NDArray[Any], name: str, advice: str | None, seen: str = "") -> ShapeError:
    return ShapeError(
        f"{name} must have values 0..1 or 0..255",
        seen=f"{array.dtype} {array.shape}{seen}",
        try_=advice,
    )
