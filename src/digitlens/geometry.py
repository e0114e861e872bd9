"""Boxes in a picture, around others, clipped, turned upright; and the types of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray


Box: TypeAlias = "tuple[float, float, float, float]"
"""Left, top, right, bottom in pixels of a picture; right and bottom lie just outside."""

Size: TypeAlias = "tuple[int, int]"
"""Width, height in pixels."""

Pixels: TypeAlias = "NDArray[np.uint8]"  # (H, W) gray, or (H, W, 3) red, green, blue
Gray: TypeAlias = "NDArray[np.uint8]"  # (H, W), 0 = black, 255 = white
FloatGray: TypeAlias = "NDArray[np.float32]"  # (H, W), 0.0..255.0
Mask: TypeAlias = "NDArray[np.uint8]"  # (H, W), 1 where something is, 0 elsewhere
Floats: TypeAlias = "NDArray[np.float64]"  # points, boxes and matrices


def enclosing_box(boxes: Iterable[Box]) -> Box:
    """Return the smallest box that holds all of `boxes`, at least one.

    >>> enclosing_box([(10.0, 20.0, 40.0, 30.0), (35.0, 18.0, 60.0, 29.0)])
    (10.0, 18.0, 60.0, 30.0)
    """
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def clip_box(box: Box, size: Size) -> Box:
    """Return the part of a box that lies in a picture of this width and height.

    >>> clip_box((-2.5, 10.0, 30.0, 52.0), (100, 50))
    (0.0, 10.0, 30.0, 50)
    """
    left, top, right, bottom = box
    width, height = size
    return max(0.0, left), max(0.0, top), min(right, width), min(bottom, height)


def rotate_upright(box: Box, size: Size, turn: float) -> tuple[Box, Size]:
    """Return a box and its picture's size once the picture is turned so that it reads upright.

    box, size: in the picture as it lies
    turn: degrees, counter-clockwise, as `digitlens.ocr.Page.turn`; rounded to quarters

    >>> rotate_upright((10.0, 20.0, 40.0, 30.0), (100, 50), 180)
    ((60.0, 20.0, 90.0, 30.0), (100, 50))
    >>> rotate_upright((10.0, 20.0, 40.0, 30.0), (100, 50), 90)
    ((20.0, 60.0, 30.0, 90.0), (50, 100))
    """
    for _ in range(round(turn / 90) % 4):
        left, top, right, bottom = box
        width, height = size
        box, size = (top, width - right, bottom, width - left), (height, width)
    return box, size
