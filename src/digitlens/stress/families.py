"""The ten families of changes, each from nothing to hard."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digitlens.stress.light import fog, invert, noise, occlude
from digitlens.stress.place import scale, shift, turn
from digitlens.stress.strokes import blur, thicken, thin

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitlens.digits import Images


@dataclass(frozen=True)
class Family:
    """One kind of change.

    Parameters
    ----------
    name
        A verb or a noun, such as ``"turn"``.
    unit
        Of its strengths, in words.
    strengths
        Rising, from 0, which changes nothing.
    change
        Called with uint8 (N, 28, 28), a strength above 0 and a generator; returns new
        pictures of the same shape and dtype.
    """

    name: str
    unit: str
    strengths: tuple[float, ...]
    change: Callable[[Images, float, np.random.Generator], Images]

    def at(self, strength: float, images: Images, *, seed: int = 0) -> Images:
        """Return `images` changed with `strength`; the very same pictures at 0.

        The chance is the same at every strength: a picture that is turned to the left by
        10 degrees is turned to the left by 20 as well.

        Examples
        --------
        >>> ink = np.full((1, 28, 28), 255, np.uint8)
        >>> turned = FAMILIES[8].at(100, ink)
        >>> FAMILIES[8].name, int(turned.max())
        ('invert', 0)
        """
        if strength == 0 or not len(images):
            return images
        chance = np.random.default_rng([seed, zlib.crc32(self.name.encode())])
        return self.change(images, strength, chance)


FAMILIES = (
    Family("shift", "pixels", (0, 1, 2, 3, 4, 6), shift),
    Family("turn", "degrees", (0, 10, 20, 30, 45, 60), turn),
    Family("scale", "% smaller", (0, 15, 30, 45, 60, 70), scale),
    Family("thicken", "pixels wider", (0, 1, 2, 3, 4, 5), thicken),
    Family("thin", "pixels narrower", (0, 0.5, 1, 1.5, 2, 2.5), thin),
    Family("blur", "pixels, sigma", (0, 1, 1.5, 2, 2.5, 3), blur),
    Family("fog", "% of the contrast", (0, 20, 40, 60, 80, 90), fog),
    Family("noise", "% of full ink", (0, 10, 20, 30, 45, 60), noise),
    Family("invert", "% of the picture", (0, 10, 25, 50, 75, 100), invert),
    Family("occlude", "pixels, square", (0, 4, 6, 8, 10, 12), occlude),
)
"""All of them; the hardest step of most is beyond what a person reads with ease."""
