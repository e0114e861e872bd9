"""The picture as it is looked at: turned, and brought to a size at which lines are found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels: TypeAlias = "NDArray[np.uint8]"
    Matrix: TypeAlias = "NDArray[np.float64]"

WORK = 800_000
"""The most pixels on which lines are found: digits on a page of 30 lines are 20 pixels high."""

SMALL = 500
"""A picture whose longer side is shorter than this is enlarged to it, as strokes of one pixel
cannot be told from gaps of one pixel; but no more than `MOST_TIMES`."""

MOST_TIMES = 4.0


@dataclass(frozen=True, eq=False)
class View:
    """The picture as it is looked at.

    Parameters
    ----------
    pixels
        uint8 (h, w) or (h, w, 3).
    to_picture
        float64 (3, 3): (x, y, 1) of the view -> (x, y, 1) of the picture.
    turn
        Degrees by which the picture was turned counter-clockwise.
    scale
        Pixels of the view to one of the picture.
    inside
        uint8 (h, w), 1 = in the picture; None where all is. Around a picture that was turned
        a little its edge goes on, so that the paper does.
    """

    pixels: Pixels
    to_picture: Matrix
    turn: float
    scale: float
    inside: Pixels | None = None


def look(picture: Pixels, turn: float = 0.0) -> View:
    """Turn a picture and bring it to at most `WORK` pixels.

    Parameters
    ----------
    picture
        uint8 (H, W) or (H, W, 3).
    turn
        Degrees, counter-clockwise.
    """
    return turned(_sized(picture), turn)


def _sized(picture: Pixels) -> View:
    height, width = picture.shape[:2]
    scale = min(1.0, math.sqrt(WORK / (height * width)))
    if max(height, width) < SMALL:
        scale = min(MOST_TIMES, SMALL / max(height, width))
    size = max(1, int(width * scale)), max(1, int(height * scale))
    small = picture
    if scale != 1.0:
        # Halved as often as can be, which is fast, and then by interpolation: from half its
        # size on that uses all pixels as well.
        while small.shape[0] >= 2 * size[1] and small.shape[1] >= 2 * size[0]:
            half = max(1, small.shape[1] // 2), max(1, small.shape[0] // 2)
            even = small[: 2 * half[1], : 2 * half[0]]
            small = np.asarray(cv2.resize(even, half, interpolation=cv2.INTER_AREA), np.uint8)
        way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
        small = np.asarray(cv2.resize(small, size, interpolation=way), np.uint8)
    back = np.diag([width / size[0], height / size[1], 1.0])
    return View(small, back, 0.0, size[0] / width)


def turned(view: View, turn: float) -> View:
    """Turn a view by `turn` degrees more, counter-clockwise; nothing is cut off."""
    turn %= 360
    height, width = view.pixels.shape[:2]
    angle = math.radians(turn)
    cos, sin = math.cos(angle), math.sin(angle)
    wide = max(1, round(abs(width * cos) + abs(height * sin)))
    high = max(1, round(abs(width * sin) + abs(height * cos)))
    # (x, y) of the turned view -> (x, y) of the one before; y points down.
    back = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
    middle = back @ np.array([wide / 2, high / 2, 1])
    back[:2, 2] = width / 2 - middle[0], height / 2 - middle[1]
    quarters = round(turn / 90)
    inside = None
    if abs(turn - 90 * quarters) < 1e-9:
        pixels = np.ascontiguousarray(np.rot90(view.pixels, quarters))
    else:
        pixels = warped(view.pixels, back, (wide, high))
        whole = np.ones(view.pixels.shape[:2], np.uint8)
        inside = warped(whole, back, (wide, high), fill=0)
    total = (view.turn + turn) % 360
    return View(pixels, view.to_picture @ back, total, view.scale, inside)


def warped(
    pixels: Pixels, back: Matrix, size: tuple[int, int], *, fill: int | None = None
) -> Pixels:
    """Take `size` (width, height) pixels out of `pixels`, from where `back` says.

    Parameters
    ----------
    back
        (3, 3) or (2, 3): (x, y, 1) of the result -> (x, y) of `pixels`. The middle of pixel
        (row y, column x) is at (x + 0.5, y + 0.5).
    fill
        What lies outside; None goes on with the edge.
    """
    shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    inner = back[:2] @ shift
    inner[:, 2] -= 0.5
    border = cv2.BORDER_REPLICATE if fill is None else cv2.BORDER_CONSTANT
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    found = cv2.warpAffine(
        pixels, inner, size, flags=flags, borderMode=border, borderValue=fill or 0
    )
    return np.asarray(found, np.uint8)
