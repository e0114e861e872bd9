"""Pictures that are no digit, made to measure whether a model knows it.

Every maker takes a count, a generator and MNIST digits to make them of, where it wants any,
and returns uint8 (count, 28, 28), 0 = paper, 255 = ink, in MNIST's frame. Published networks
meet some *kinds* in training (halves, two digits, scribbles, noise: made there of training
digits, by other code); the rest they never meet, and `UNMET` names those.

=============  =============================================================
`letters`      letters by hand and in print; letters that look like digits
`scribbles`    smooth random curves
`spoiled`      halves of digits, two digits on top of or beside each other
`textures`     patterns, noise, blank paper
=============  =============================================================
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from strangers.letters import hand_letters, look_alikes, printed_letters
from strangers.scribbles import scribbles
from strangers.spoiled import halves, overlaid, side_by_side, unclear_halves
from strangers.textures import blank, noise, textures

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitlens.digits import Digits, Images

STRANGERS: dict[str, Callable[[int, np.random.Generator, Digits], Images]] = {
    "letters by hand": hand_letters,
    "printed letters": printed_letters,
    "textures": textures,
    "blank paper": blank,
    "scribbles": scribbles,
    "halves of digits": halves,
    "two digits, one on the other": overlaid,
    "two digits side by side": side_by_side,
    "noise": noise,
    "letters like digits": look_alikes,
    "halves like digits": unclear_halves,
}
"""All sets that are drawn; photographs of things come from files."""

UNMET = ("letters by hand", "printed letters", "textures", "blank paper")
"""Sets of a kind that training never makes."""

DIGITS_TO_SOME = ("letters like digits", "halves like digits")
"""Sets that people take for digits as well: shown apart, counted in no mean."""


def draw(name: str, count: int, digits: Digits, *, seed: int = 0) -> Images:
    """Return `count` pictures of the set `name`; the same seed gives the same pictures."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return STRANGERS[name](count, rng, digits)
