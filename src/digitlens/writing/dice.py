"""Chance, one number at a time, from a generator that is passed in.

A line takes about a hundred random numbers, each needed where the one before it decided. One
call of a numpy generator for each would take as long as drawing the line; so they are drawn
in blocks, and handed out as plain floats.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    T = TypeVar("T")

Range = tuple[float, float]
"""From and to."""

BLOCK = 256


class Dice:
    """Single random numbers out of one generator: the same generator, the same numbers.

    Examples
    --------
    >>> import numpy as np
    >>> one, two = (Dice(np.random.default_rng(3)) for _ in range(2))
    >>> one.even(5, 6) == two.even(5, 6) and 5 <= one.even(5, 6) <= 6
    True
    """

    __slots__ = ("_chance", "_even", "_normal")

    def __init__(self, chance: np.random.Generator) -> None:
        self._chance = chance
        self._even: list[float] = []
        self._normal: list[float] = []

    def even(self, low: float = 0.0, high: float = 1.0) -> float:
        """Return a number that is evenly distributed between `low` and `high`."""
        if not self._even:
            self._even = self._chance.random(BLOCK).tolist()
        return low + (high - low) * self._even.pop()

    def within(self, range_: Range) -> float:
        """Return a number that is evenly distributed within `range_`."""
        return self.even(range_[0], range_[1])

    def normal(self, mean: float, deviation: float) -> float:
        """Return a normally distributed number, at most 2.5 deviations from the mean."""
        if not self._normal:
            self._normal = self._chance.standard_normal(BLOCK).clip(-2.5, 2.5).tolist()
        return mean + deviation * self._normal.pop()

    def hit(self, share: float) -> bool:
        """Return True in `share` of the cases: never for 0.0, always for 1.0."""
        return self.even() < share

    def below(self, count: int) -> int:
        """Return one of 0 .. `count` - 1, each equally often."""
        return int(self.even() * count)

    def pick(self, things: Sequence[T]) -> T:
        """Return one of `things`, each equally often."""
        return things[int(self.even() * len(things))]

    def share(self, shares: tuple[tuple[T, float], ...]) -> T:
        """Return one of the things in `shares`, each as often as the number beside it says."""
        things, ends = _steps(shares)
        return cast("T", things[min(bisect_right(ends, self.even() * ends[-1]), len(ends) - 1)])


@cache
def _steps(shares: tuple[tuple[object, float], ...]) -> tuple[list[object], list[float]]:
    """Return the things, and for each the sum of the numbers up to its own."""
    return [thing for thing, _ in shares], list(accumulate(number for _, number in shares))
