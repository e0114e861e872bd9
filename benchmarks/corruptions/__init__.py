"""The fifteen corruptions of MNIST-C, written afresh: a test, never trained on.

N. Mu and J. Gilmer, "MNIST-C: A robustness benchmark for computer vision", 2019, arXiv
1906.02337. What each corruption does, and how strongly, is theirs; the code is not, and the
chance is drawn otherwise, so figures are near theirs, not the same to the digit. Every
corruption takes uint8 (N, 28, 28), 0 = paper, 255 = ink, and a generator, and returns new
pictures of the same shape and dtype. A strength of nothing leaves the pictures as they are.

===========  ===============================================================
`noise`      shot noise, impulse noise
`blur`       glass blur, motion blur
`warp`       shear, scale, rotate, translate
`light`      brightness, stripe
`fog`        fog
`overlay`    spatter, dotted line, zigzag
`edges`      canny edges
===========  ===============================================================
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from corruptions.blur import glass_blur, motion_blur
from corruptions.edges import canny_edges
from corruptions.fog import fog
from corruptions.light import brightness, stripe
from corruptions.noise import impulse_noise, shot_noise
from corruptions.overlay import dotted_line, spatter, zigzag
from corruptions.warp import rotate, scale, shear, translate

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitlens.digits import Images

CORRUPTIONS: dict[str, Callable[[Images, np.random.Generator], Images]] = {
    "shot noise": shot_noise,
    "impulse noise": impulse_noise,
    "glass blur": glass_blur,
    "motion blur": motion_blur,
    "shear": shear,
    "scale": scale,
    "rotate": rotate,
    "brightness": brightness,
    "translate": translate,
    "stripe": stripe,
    "fog": fog,
    "spatter": spatter,
    "dotted line": dotted_line,
    "zigzag": zigzag,
    "canny edges": canny_edges,
}
"""All of them at the published severities, in the paper's order."""

AFFINE = ("rotate", "scale", "shear", "translate")
"""What training with moved and turned digits has met in kind; published apart."""

OTHERS = tuple(name for name in CORRUPTIONS if name not in AFFINE)
"""The other eleven."""


def corrupt(name: str, images: Images, *, seed: int = 0) -> Images:
    """Return `images` under the corruption `name`; the same seed gives the same pictures.

    Each corruption has a chance of its own, so that leaving one out changes no other.
    """
    return CORRUPTIONS[name](images, np.random.default_rng([seed, zlib.crc32(name.encode())]))
