"""Ten kinds of corruption, each in steps from none to hard, of digits in MNIST's frame.

Shifted, rotated, scaled: the digit keeps its form and loses its place. Thicker, thinner,
blurred: what pens and lenses do to strokes. Fog, noise, inverted and covered parts: what
happens to the picture as a whole.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digitlens.digits import SIDE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from digitlens.digits import Images


CLOUDS = 4  # fog is thick or thin at this many places along each side, and between in between
MARGIN = 4  # MNIST's digits keep this far from the edge, in pixels


def fog(images: Images, percent: float, rng: np.random.Generator) -> Images:
    """Let fog of uneven grey take the place of `percent` of the picture's contrast."""
    import cv2

    share = percent / 100
    grays = rng.uniform(0, 255, (len(images), CLOUDS, CLOUDS)).astype(np.float32)
    result = np.empty_like(images)
    for index, picture in enumerate(images):
        cloud = cv2.resize(grays[index], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        mixed = (1 - share) * picture + share * cloud.clip(0, 255)
        result[index] = np.rint(mixed)
    return result


def noise(images: Images, percent: float, rng: np.random.Generator) -> Images:
    """Add to each pixel a normal deviate of `percent` of full ink; cut off at both ends."""
    deviates = rng.standard_normal(images.shape, np.float32)
    noisy: Images = (
        np.rint(images + np.float32(2.55 * percent) * deviates).clip(0, 255).astype(np.uint8)
    )
    return noisy


def invert(images: Images, percent: float, rng: np.random.Generator) -> Images:
    """Turn ink and paper about in `percent` of each picture, from one of its four sides on."""
    width = round(SIDE * percent / 100)
    result = images.copy()
    side = rng.integers(0, 4, len(images))
    first, last = slice(None, width), slice(SIDE - width, None)
    for which, place in enumerate(
        (np.s_[:, first], np.s_[:, last], np.s_[:, :, first], np.s_[:, :, last])
    ):
        chosen = result[side == which]
        chosen[place] = 255 - chosen[place]
        result[side == which] = chosen
    return result


def occlude(images: Images, pixels: float, rng: np.random.Generator) -> Images:
    """Cover a square `pixels` wide with paper, somewhere in the box that the digit is in."""
    width = round(pixels)
    result = images.copy()
    corners = rng.random((len(images), 2))
    # The square stays inside the box while it is narrower than that.
    room = max(SIDE - 2 * MARGIN - width, 0)
    for picture, (down, across) in zip(result, corners, strict=True):
        top, left = MARGIN + round(down * room), MARGIN + round(across * room)
        picture[top : top + width, left : left + width] = 0
    return result


MIDDLE = (SIDE - 1) / 2


def shift(images: Images, pixels: float, rng: np.random.Generator) -> Images:
    """Move each picture by `pixels`, in a direction of its own, to the nearest whole pixel.

    What leaves the picture is lost; paper comes in.
    """
    angle = rng.uniform(0, 2 * np.pi, len(images))
    one = np.broadcast_to(np.eye(2), (len(images), 2, 2))
    way = np.rint(pixels * np.stack([np.cos(angle), np.sin(angle)], axis=1))
    return _warp(images, one, way)


def rotate(images: Images, degrees: float, rng: np.random.Generator) -> Images:
    """Turn each picture about its middle by `degrees`, to the left or to the right."""
    angle = np.deg2rad(degrees) * rng.choice([-1.0, 1.0], len(images))
    cos, sin = np.cos(angle), np.sin(angle)
    rows = np.stack([cos, -sin], axis=1), np.stack([sin, cos], axis=1)
    return _warp(images, np.stack(rows, axis=1))


def scale(images: Images, smaller: float, _: np.random.Generator) -> Images:
    """Shrink each picture about its middle by `smaller` per cent of its height and width."""
    factor = 1 / (1 - smaller / 100)
    return _warp(images, np.broadcast_to(factor * np.eye(2), (len(images), 2, 2)))


def _warp(
    images: Images, back: NDArray[np.float64], way: NDArray[np.float64] | None = None
) -> Images:
    """Map each picture; `back` (N, 2, 2) leads from a place in the result to its origin.

    Smaller pictures are averaged down, not sampled, so that no stroke falls between pixels.
    """
    import cv2

    result = np.empty_like(images)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    middle = np.array([MIDDLE, MIDDLE])
    for index, picture in enumerate(images):
        offset = middle - back[index] @ middle - (0 if way is None else way[index])
        size = float(np.sqrt(abs(np.linalg.det(back[index]))))
        seen = picture
        if size > 1.01:  # the Gaussian of Lindeberg's scale space for this step
            seen = cv2.GaussianBlur(picture, (0, 0), 0.5 * np.sqrt(size**2 - 1))
        matrix = np.column_stack([back[index], offset])
        cv2.warpAffine(seen, matrix, (SIDE, SIDE), dst=result[index], flags=flags)
    return result


FINER = 4  # strokes change by parts of a pixel: they are worked on in pictures this much finer


def thicken(images: Images, pixels: float, _: np.random.Generator) -> Images:
    """Make every stroke `pixels` wider, half of it on either side."""
    return _brush(images, pixels, widen=True)


def thin(images: Images, pixels: float, _: np.random.Generator) -> Images:
    """Make every stroke `pixels` narrower; what is not wider than that goes."""
    return _brush(images, pixels, widen=False)


def blur(images: Images, sigma: float, _: np.random.Generator) -> Images:
    """Blur with a Gaussian of `sigma` pixels."""
    import cv2

    blurred = [cv2.GaussianBlur(picture, (0, 0), sigma) for picture in images]
    return np.array(blurred, np.uint8).reshape(images.shape)


def _brush(images: Images, pixels: float, *, widen: bool) -> Images:
    import cv2

    width = 2 * round(pixels * FINER / 2) + 1
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    change = cv2.dilate if widen else cv2.erode
    fine = (SIDE * FINER, SIDE * FINER)
    result = np.empty_like(images)
    for index, picture in enumerate(images):
        large = cv2.resize(picture, fine, interpolation=cv2.INTER_LINEAR)
        cv2.resize(
            change(large, brush), (SIDE, SIDE), dst=result[index], interpolation=cv2.INTER_AREA
        )
    return result


@dataclass(frozen=True)
class Corruption:
    """One kind of change."""

    name: str  # a verb or a noun, such as `"turn"`
    unit: str  # of its strengths, in words
    strengths: tuple[float, ...]  # rising, from 0, which changes nothing
    # Called with uint8 (N, 28, 28), a strength above 0 and a generator; returns new pictures of
    # the same shape and dtype.
    change: Callable[[Images, float, np.random.Generator], Images]

    def apply(self, strength: float, images: Images, *, seed: int = 0) -> Images:
        """Return `images` changed with `strength`; the very same pictures at 0.

        The random numbers are the same at every strength: a picture that is rotated to the
        left by 10 degrees is rotated to the left by 20 as well.

        Examples
        --------
        >>> ink = np.full((1, 28, 28), 255, np.uint8)
        >>> turned = CORRUPTIONS[8].apply(100, ink)
        >>> CORRUPTIONS[8].name, int(turned.max())
        ('invert', 0)
        """
        if strength == 0 or not len(images):
            return images
        rng = np.random.default_rng([seed, zlib.crc32(self.name.encode())])
        return self.change(images, strength, rng)


CORRUPTIONS = (
    Corruption("shift", "pixels", (0, 1, 2, 3, 4, 6), shift),
    Corruption("turn", "degrees", (0, 10, 20, 30, 45, 60), rotate),
    Corruption("scale", "% smaller", (0, 15, 30, 45, 60, 70), scale),
    Corruption("thicken", "pixels wider", (0, 1, 2, 3, 4, 5), thicken),
    Corruption("thin", "pixels narrower", (0, 0.5, 1, 1.5, 2, 2.5), thin),
    Corruption("blur", "pixels, sigma", (0, 1, 1.5, 2, 2.5, 3), blur),
    Corruption("fog", "% of the contrast", (0, 20, 40, 60, 80, 90), fog),
    Corruption("noise", "% of full ink", (0, 10, 20, 30, 45, 60), noise),
    Corruption("invert", "% of the picture", (0, 10, 25, 50, 75, 100), invert),
    Corruption("occlude", "pixels, square", (0, 4, 6, 8, 10, 12), occlude),
)
"""All of them; the hardest step of most is beyond what a person reads with ease."""
