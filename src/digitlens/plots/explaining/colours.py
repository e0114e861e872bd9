"""Values -> colours: white is none, orange or ink more, blue less than none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.plots.sheet import BLUE, ORANGE, PAPER, rgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOR, AGAINST = ORANGE, BLUE


def shade(
    values: NDArray[np.float32], *, more: str = FOR, bend: float = 1.0
) -> NDArray[np.uint8]:
    """Return `values` as colours: white for 0, blue or `more` for the greatest magnitude.

    Takes an array of any shape, returns uint8 (..., 3). A `bend` below 1 lets small values
    show.

    Examples
    --------
    >>> shade(np.array([0.0, 2.0, -2.0], np.float32)).tolist()
    [[255, 255, 255], [213, 94, 0], [0, 114, 178]]
    """
    share = strength(values)[..., None]
    colour = np.where(share < 0, rgb(AGAINST), rgb(more))
    paper = np.array(rgb(PAPER))
    mixed = paper + np.abs(share) ** bend * (colour - paper)
    colours: NDArray[np.uint8] = np.round(255 * mixed).astype(np.uint8)
    return colours


def strength(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return `values` as shares -1..1 of the greatest magnitude; 0 when all are 0."""
    most = float(np.abs(values).max(initial=0.0))
    found: NDArray[np.float64] = values.astype(np.float64) / (most or 1.0)
    return found


def is_dark(colour: NDArray[np.uint8]) -> bool:
    """Say whether white is read better than black on a colour (its luma, ITU-R BT.601)."""
    return bool(colour.astype(float) @ (0.299, 0.587, 0.114) < 128)


def hexed(colour: NDArray[np.uint8]) -> str:
    """Return one colour as ``#RRGGBB``."""
    red, green, blue = (int(each) for each in colour)
    return f"#{red:02X}{green:02X}{blue:02X}"


def enlarged(picture: NDArray[np.uint8], zoom: int) -> NDArray[np.uint8]:
    """Return a picture each of whose pixels is `zoom` pixels wide and high."""
    return picture.repeat(zoom, axis=0).repeat(zoom, axis=1)
