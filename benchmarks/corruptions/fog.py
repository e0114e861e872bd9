"""Fog: a plasma fractal laid over the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from corruptions.pixels import pixels, shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitlens.digits import Images

    Heights: TypeAlias = NDArray[np.float32]

SIDE = 256
"""Of the fractal, whose upper left corner is laid over a picture."""

AT_ONCE = 64
"""Pictures whose fractals are held in memory together."""


def fog(
    images: Images, rng: np.random.Generator, *, amount: float = 3.0, decay: float = 1.4
) -> Images:
    """Lay `amount` times a fractal over each picture and bring it back to 0..1 (severity 5).

    Parameters
    ----------
    amount
        0 for no fog. Severities 1 to 5: 1.5, 2, 2.5, 2.5, 3.
    decay
        How fast the fractal's details fade as they get finer; above 1. Severities 1 to 5:
        2, 2, 1.7, 1.5, 1.4.
    """
    result = np.empty_like(images)
    side = images.shape[1]
    for index in range(0, len(images), AT_ONCE):
        part = shares(images[index : index + AT_ONCE])
        cloud = plasma(len(part), decay, rng)[:, :side, :side]
        brightest = part.max(axis=(1, 2), keepdims=True)
        mixed = (part + amount * cloud) * brightest / np.maximum(brightest + amount, 1e-9)
        result[index : index + AT_ONCE] = pixels(mixed)
    return result


def plasma(count: int, decay: float, rng: np.random.Generator) -> Heights:
    """Return plasma fractals float32 (count, 256, 256), each from 0.0 to 1.0.

    Diamond and square steps on a field whose edges meet: from one value on, the field is
    refined eight times. A new point is the mean of its four neighbours and some chance,
    whose reach is divided by `decay` squared from one step to the next.
    """
    field: Heights = np.zeros((count, 1, 1), np.float32)
    reach = 1.0
    while field.shape[1] < SIDE:

        def between(*four: Heights, reach: float = reach) -> Heights:
            tossed = rng.random(four[0].shape, np.float32)
            total: Heights = sum(four[1:], four[0]) / 4 + reach * (2 * tossed - 1)
            return total

        right, below = np.roll(field, -1, 2), np.roll(field, -1, 1)
        centre = between(field, right, below, np.roll(right, -1, 1))
        over, before = np.roll(centre, 1, 1), np.roll(centre, 1, 2)
        side = 2 * field.shape[1]
        finer = np.empty((count, side, side), np.float32)
        finer[:, ::2, ::2] = field
        finer[:, 1::2, 1::2] = centre
        finer[:, ::2, 1::2] = between(field, right, centre, over)
        finer[:, 1::2, ::2] = between(field, below, centre, before)
        field, reach = finer, reach / decay**2
    field -= field.min(axis=(1, 2), keepdims=True)
    field /= field.max(axis=(1, 2), keepdims=True)
    return field
