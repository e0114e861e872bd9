"""The usual forms of pictures in arrays, brought to ours: uint8 (N, 28, 28)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.digits import FEATURES, SIDE, check_labels
from digitlens.errors import DataError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Images, Labels

_SHAPES = ((SIDE, SIDE), (FEATURES,), (SIDE, SIDE, 1), (1, SIDE, SIDE))


def as_images(array: NDArray[Any], *, what: str) -> Images:
    """Bring pictures of another shape or scale to uint8 (N, 28, 28), where that is certain.

    Parameters
    ----------
    array
        (N, 28, 28), (N, 784), (N, 28, 28, 1) or (N, 1, 28, 28), white ink on black.
        Whole numbers 0..255; or fractions 0..1, which are multiplied by 255 and rounded;
        or truth values, True = ink.
    what
        What messages call it.

    Raises
    ------
    ShapeError
        Another shape, or values of which the scale is not certain.
    DataError
        No pictures, or a value that is not a number.

    Examples
    --------
    >>> as_images(np.full((2, 784), 0.2), what="x")[1, 0, 0].item()
    51
    """
    if array.shape[1:] not in _SHAPES or array.dtype.kind not in "buif":
        raise ShapeError(
            f"{what} must be (N, {SIDE}, {SIDE}), (N, {FEATURES}) or (N, {SIDE}, {SIDE}, 1)",
            seen=f"{array.dtype} {array.shape}",
        )
    if not array.size:
        raise DataError(f"{what} holds no pictures", seen=f"{array.dtype} {array.shape}")
    images = array.reshape(-1, SIDE, SIDE)
    if images.dtype.kind == "b":
        return images.astype(np.uint8) * np.uint8(255)
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        at = int(np.flatnonzero(~np.isfinite(images).all(axis=(1, 2)))[0])
        raise DataError(
            f"{what} must hold numbers only", seen=f"a value that is none, in picture {at}"
        )
    return _as_grey(images, what=what)


def _as_grey(images: NDArray[Any], *, what: str) -> Images:
    low, high = images.min(), images.max()
    fractions = images.dtype.kind == "f"
    if fractions and low >= 0 and high <= 1:
        scaled: Images = np.rint(images * 255).astype(np.uint8)
        return scaled
    whole = not fractions or bool((images == np.rint(images)).all())
    if low < 0 or high > 255 or not whole or (not fractions and high == 1):
        likely = None
        if high == 1 and low == 0:
            likely = "black and white pictures, or grey ones with hardly any ink"
        elif low < 0 and high <= 1:
            likely = "pictures scaled to -1..1"
        elif low < 0:
            likely = "pictures with their mean subtracted"
        raise ShapeError(
            f"{what} must hold whole numbers 0..255 or fractions 0..1",
            seen=f"{images.dtype} values from {low:g} to {high:g}",
            likely=likely,
            try_="multiply by 255 before saving" if high == 1 and low == 0 else None,
        )
    return images.astype(np.uint8, copy=False)


def as_labels(array: NDArray[Any], *, count: int, what: str) -> Labels:
    """Return labels (N,) or (N, 1) as uint8 (N,).

    Raises
    ------
    LabelError
        Not whole numbers in 0..9, or not `count` of them.
    """
    flat = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    return check_labels(flat, count=count, what=what)
