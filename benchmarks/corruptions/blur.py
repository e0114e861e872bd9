"""Seen through frosted glass, and through a camera that moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from corruptions.pixels import pixels, shares, smooth

if TYPE_CHECKING:
    from digitlens.digits import Images


def glass_blur(
    images: Images, rng: np.random.Generator, *, sigma: float = 0.7, rounds: int = 2
) -> Images:
    """Blur, change places with neighbours, blur again (severity 1).

    From the lower right on, each pixel changes places, one time in two, with the one that
    lies 0 or 1 above and 0 or 1 to the left, `rounds` times over. The paper's own program
    blurred along the columns alone, as its library took the other axis for colours; this
    one blurs both ways, which is what the paper says, and harder.

    Parameters
    ----------
    sigma
        Of the blur, in pixels; 0 for none.
    rounds
        How often all pixels are gone through; 0 for never.
    """
    blurred = np.floor(smooth(shares(images), sigma) * 255).astype(np.uint8)
    every, side = np.arange(len(images)), images.shape[1]
    for _ in range(rounds):
        swaps = rng.random((side, side, len(images))) < 0.5
        ups, lefts = rng.integers(0, 2, (2, side, side, len(images)))
        for row in range(side - 1, 1, -1):
            for column in range(side - 1, 1, -1):
                swap = swaps[row, column]
                there = (
                    every,
                    row - swap * ups[row, column],
                    column - swap * lefts[row, column],
                )
                taken = blurred[there]
                blurred[there] = blurred[:, row, column]
                blurred[:, row, column] = taken
    return pixels(smooth(shares(blurred), sigma))


def motion_blur(
    images: Images, rng: np.random.Generator, *, radius: int = 10, sigma: float = 3.0
) -> Images:
    """Draw each pixel out into a trail to one side (severity 1).

    The trail has half a Gaussian's weights, up to `radius` pixels, at an angle between -45
    and 45 degrees to the horizontal: ImageMagick's motion blur, which the paper used.

    Parameters
    ----------
    radius
        Length of the trail in pixels; 0 for none.
    sigma
        Of the weights, in pixels.
    """
    steps = np.arange(2 * radius + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    weights /= weights.sum()
    reach = len(steps) - 1
    padded = np.pad(shares(images), ((0, 0), (reach, reach), (reach, reach)), mode="edge")
    angle = rng.uniform(-np.pi / 4, np.pi / 4, len(images))
    every = np.arange(len(images))[:, None, None]
    rows, columns = np.mgrid[0 : images.shape[1], 0 : images.shape[2]] + reach
    result = np.zeros(images.shape, np.float32)
    for step, weight in zip(steps, weights, strict=True):
        down = np.rint(step * np.sin(angle)).astype(np.int64)[:, None, None]
        across = np.rint(step * np.cos(angle)).astype(np.int64)[:, None, None]
        result += np.float32(weight) * padded[every, rows + down, columns + across]
    return pixels(result)
