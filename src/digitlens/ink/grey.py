"""Colours -> the one grey picture in which the ink stands out most."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digitlens.ink.paper import Ink, find_ink

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels: TypeAlias = "NDArray[np.uint8]"

CHANNELS = ("red", "green", "blue")

PREFER = 1.5
"""A colour's channel is taken when its contrast is this many times that of the brightness:
ink of one colour on paper as bright as it, yellow on white before all."""


def brightness(pixels: Pixels) -> Pixels:
    """Return (H, W, 3) red, green, blue as the grey that an eye sees; grey as it is.

    Parameters
    ----------
    pixels
        uint8 (H, W) or (H, W, 3).

    Returns
    -------
    uint8 (H, W): .299 red + .587 green + .114 blue (ITU-R BT.601).

    Examples
    --------
    >>> brightness(np.array([[[255, 0, 0], [255, 255, 255]]], np.uint8)).tolist()
    [[76, 255]]
    """
    if pixels.ndim == 2:
        return pixels
    import cv2

    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def find_ink_in(pixels: Pixels) -> tuple[Pixels, Ink, str]:
    """Tell ink from paper in a grey picture or one in colours.

    Parameters
    ----------
    pixels
        uint8 (H, W), or (H, W, 3) red, green, blue.

    Returns
    -------
    The grey picture, uint8 (H, W); its ink; and in words where it was looked for.

    Examples
    --------
    >>> yellow = np.full((28, 28, 3), 255, np.uint8)
    >>> yellow[5:23, 12:15, 2] = 0
    >>> find_ink_in(yellow)[2]
    'the blue channel'
    """
    if pixels.ndim == 2:
        return pixels, find_ink(pixels), "the grey values"
    grey = brightness(pixels)
    best = grey, find_ink(grey), "the brightness"
    if (pixels == pixels[..., :1]).all():
        return best
    for channel, name in enumerate(CHANNELS):
        single = np.ascontiguousarray(pixels[..., channel])
        found = find_ink(single)
        ahead = PREFER if best[2] == "the brightness" else 1.0
        if found.contrast > ahead * best[1].contrast and found.cost <= best[1].cost + 0.1:
            best = single, found, f"the {name} channel"
    return best
