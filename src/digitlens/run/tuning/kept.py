"""The digits that are not to be forgotten: some are rehearsed, others only measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from digitlens.data.named import training_at_hand
from digitlens.data.published import MNIST
from digitlens.data.uci import read_uci

if TYPE_CHECKING:
    from digitlens.digits import Digits

MEASURED = 5_000
"""So many of MNIST's training digits are measured before and after, and never rehearsed."""

_SEED = 5
"""Fixed, so that every run measures the same digits."""


@dataclass(frozen=True, eq=False)
class Kept:
    """Digits that the network reads already.

    Parameters
    ----------
    rehearsed
        Shown again while it learns.
    measured
        Read before and after.
    mnist
        Whether they are MNIST's own training digits.
    """

    rehearsed: Digits
    measured: Digits
    mnist: bool

    @property
    def name(self) -> str:
        """What messages call them."""
        return "MNIST's training digits" if self.mnist else "the 1,797 UCI digits"


def kept_digits() -> Kept:
    """Return MNIST's training digits where they are at hand, else the UCI digits.

    Nothing is downloaded, and MNIST's test digits are not opened.

    Raises
    ------
    HashMismatchError
        A file of MNIST's is not the one that was published.
    """
    digits, measured = training_at_hand(MNIST), MEASURED
    mnist = digits is not None
    if digits is None:
        digits = read_uci().train
        measured = len(digits) // 3
    order = np.random.default_rng(_SEED).permutation(len(digits))
    rest = np.sort(order[measured:])
    return Kept(digits[rest], digits[np.sort(order[:measured])], mnist)
