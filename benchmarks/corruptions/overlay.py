"""What lies over the digit: mud, a dotted line, a zigzag."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from corruptions.pixels import pixels, shares, smooth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Images

    Numbers: TypeAlias = NDArray[np.float64] | NDArray[np.int64]

MUD = 63 / 255
"""The grey of mud."""

HALF_WIDTH = 2.3
"""A line fades out at this distance, in pixels, measured up and down."""

PERIOD = 4.0
"""Of a zigzag along its axis, in pixels; its corners lie half as far to either side."""


def spatter(images: Images, rng: np.random.Generator, *, level: float = 0.65) -> Images:
    """Cover the picture with drops of grey mud (severity 4).

    Blurred noise is mud where it exceeds `level`; the drops are blurred too, and their
    thin edges left out.

    Parameters
    ----------
    level
        The noise has mean 0.65; the higher, the less mud.
    """
    noise = smooth(rng.normal(0.65, 0.3, images.shape), 1.0)
    cover = smooth((noise > level).astype(np.float32), 1.5)
    cover[cover < 0.8] = 0
    return pixels(shares(images) * (1 - cover) + MUD * cover)


def dotted_line(images: Images, rng: np.random.Generator) -> Images:
    """Draw a straight line from the left edge to the right, two columns on, two off."""
    start, end = rng.integers(0, 27, (2, len(images)))
    edge = np.zeros(len(images))
    line = _line(images.shape[1], edge, start, edge + 27, end)
    line[:, :, np.arange(images.shape[2]) // 2 % 2 == 0] = 0
    return pixels(shares(images) + line)


def zigzag(images: Images, rng: np.random.Generator) -> Images:
    """Draw a zigzag from near the left edge to near the right, level or nearly so."""
    first, last = 2.0, 25.0
    start = rng.integers(0, 27, len(images)).astype(np.float64)
    rise = rng.integers(-5, 5, len(images))
    slope = np.arctan2(rise, last - first)
    length = (last - first) / np.cos(slope)
    # Along the axis and away from it: start, six corners, end.
    corners = int((last - first - PERIOD / 2) // PERIOD) + 1
    along = np.stack(
        [0 * length, *(0 * length + PERIOD * (index + 0.5) for index in range(corners)), length]
    )
    away = np.array([0.0, *(PERIOD / 2 * (-1) ** index for index in range(corners)), 0.0])[
        :, None
    ]
    columns = first + along * np.cos(slope) - away * np.sin(slope)
    rows = start + along * np.sin(slope) + away * np.cos(slope)
    result = shares(images)
    for index in range(len(columns) - 1):
        result += _line(
            images.shape[1], columns[index], rows[index], columns[index + 1], rows[index + 1]
        )
    return pixels(result)


def _line(
    side: int,
    first_column: Numbers,
    first_row: Numbers,
    last_column: Numbers,
    last_row: Numbers,
) -> NDArray[np.float64]:
    """Return the ink 0..1 of N straight lines, each from left to right: (N, side, side)."""

    def item(values: Numbers) -> NDArray[np.float64]:
        return values.astype(np.float64)[:, None, None]

    rows, columns = np.mgrid[0:side, 0:side]
    slope = item(last_row - first_row) / item(last_column - first_column)
    away = np.abs(rows - (item(first_row) + slope * (columns - item(first_column))))
    ink = np.clip(1 + np.log(np.maximum(1 - away / HALF_WIDTH, 1e-9)), 0, 1)
    inside = (columns >= np.floor(item(first_column))) & (columns < np.ceil(item(last_column)))
    return np.where(inside, ink, 0.0)
