"""Single random numbers out of a generator that is passed in.

A line takes about a hundred random numbers, each needed where the one before it decided. One
call of a numpy generator for each would take as long as drawing the line; so they are drawn
in blocks, and handed out as plain floats.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar, cast

import cv2

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    T = TypeVar("T")


Range = tuple[float, float]  # from and to

BLOCK = 256


class Random:
    """Single random numbers out of one generator: the same generator, the same numbers.

    >>> import numpy as np
    >>> one, two = (Random(np.random.default_rng(3)) for _ in range(2))
    >>> one.uniform(5, 6) == two.uniform(5, 6) and 5 <= one.uniform(5, 6) <= 6
    True
    """

    __slots__ = ("_even", "_normal", "_rng")

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._even: list[float] = []
        self._normal: list[float] = []

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """Return a number that is evenly distributed between `low` and `high`."""
        if not self._even:
            self._even = self._rng.random(BLOCK).tolist()
        return low + (high - low) * self._even.pop()

    def uniform_in(self, range_: Range) -> float:
        """Return a number that is evenly distributed within `range_`."""
        return self.uniform(range_[0], range_[1])

    def normal(self, mean: float, deviation: float) -> float:
        """Return a normally distributed number, at most 2.5 deviations from the mean."""
        if not self._normal:
            self._normal = self._rng.standard_normal(BLOCK).clip(-2.5, 2.5).tolist()
        return mean + deviation * self._normal.pop()

    def bernoulli(self, share: float) -> bool:
        """Return True in `share` of the cases: never for 0.0, always for 1.0."""
        return self.uniform() < share

    def integers(self, count: int) -> int:
        """Return one of 0 .. `count` - 1, each equally often."""
        return int(self.uniform() * count)

    def choice(self, things: Sequence[T]) -> T:
        """Return one of `things`, each equally often."""
        return things[int(self.uniform() * len(things))]

    def weighted(self, shares: tuple[tuple[T, float], ...]) -> T:
        """Return one of the things in `shares`, each as often as the number beside it says."""
        things, ends = _steps(shares)
        return cast(
            "T", things[min(bisect_right(ends, self.uniform() * ends[-1]), len(ends) - 1)]
        )


@cache
def _steps(shares: tuple[tuple[object, float], ...]) -> tuple[list[object], list[float]]:
    """Return the things, and for each the sum of the numbers up to its own."""
    return [thing for thing, _ in shares], list(accumulate(number for _, number in shares))


def limit_opencv_threads() -> None:
    """Let this process write on one core alone, for there is a process for each.

    Pictures of lines are so small that several threads only wait for each other.
    """
    cv2.setNumThreads(1)
