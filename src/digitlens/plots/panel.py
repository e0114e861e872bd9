"""A field with axes on a sheet: values in, inches out."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING

from digitlens.plots.sheet import FAINT, LABEL, MUTED, PAPER, SMALL, Sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Panel:
    """A field on a sheet.

    Parameters
    ----------
    sheet
        Where it is drawn.
    left, top, width, height
        Its place in inches.
    x, y
        The values at its left and right, at its lower and upper edge.
    """

    sheet: Sheet
    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the place of the values `x`, `y` in inches."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return self.left + across * self.width, self.top + (1 - up) * self.height

    def frame(self, label: str, below: str) -> None:
        """Draw the lower edge, with what the axes show above the panel and below it."""
        right, bottom = self.left + self.width, self.top + self.height
        self.sheet.line([(self.left, bottom), (right, bottom)], MUTED)
        self.sheet.text((self.left, self.top - 0.12), label, size=LABEL, bold=True)
        place = (right, bottom + 0.38)
        self.sheet.text(place, below, colour=MUTED, size=SMALL, align="right")

    def mark_y(self, ticks: Mapping[float, str]) -> None:
        """Draw a faint line across at each value and its label at the left."""
        for value, label in ticks.items():
            start, end = self.at(self.x[0], value), self.at(self.x[1], value)
            self.sheet.line([start, end], FAINT, width=0.8)
            place = (self.left - 0.07, start[1])
            self.sheet.text(place, label, colour=MUTED, align="right", middle=True)

    def mark_x(self, ticks: Mapping[float, str], *, lines: bool = False) -> None:
        """Write the label of each value below the panel; with `lines` draw a faint line up."""
        for value, label in ticks.items():
            start, end = self.at(value, self.y[0]), self.at(value, self.y[1])
            if lines:
                self.sheet.line([start, end], FAINT, width=0.8)
            place = (start[0], self.top + self.height + 0.19)
            self.sheet.text(place, label, colour=MUTED, align="centre")

    def curve(self, xs: Sequence[float], ys: Sequence[float], colour: str) -> None:
        """Draw a curve; what lies outside the panel is cut off."""
        points = [self.at(x, y) for x, y in zip(xs, ys, strict=True)]
        self.sheet.line(points, colour, width=2.0, clip=self._clip())
        if len(points) <= 20:
            low, high = self.y
            inside = [at for at, y in zip(points, ys, strict=True) if low <= y <= high]
            if inside:
                self.sheet.dots(inside, colour)

    def ring(self, x: float, y: float, colour: str) -> None:
        """Draw a ring about a value."""
        self.sheet.dots([self.at(x, y)], colour, size=8, fill=PAPER, width=2)

    def _clip(self) -> tuple[tuple[float, float], tuple[float, float]]:
        room = 0.02  # for a line that runs along the edge
        right, bottom = self.left + self.width, self.top + self.height
        return (self.left - room, self.top - room), (right + room, bottom + room)


def round_values(low: float, high: float, most: int = 6) -> list[float]:
    """Return round values from `low` to `high`, at most about `most` of them.

    Examples
    --------
    >>> round_values(97.7, 100.2), round_values(0.0, 0.3)
    ([98.0, 98.5, 99.0, 99.5, 100.0], [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3])
    """
    rough = max(high - low, 1e-12) / most
    size = 10.0 ** floor(log10(rough))
    step = min((s * size for s in (1, 2, 5, 10)), key=lambda s: abs(s - rough))
    places = max(0, 1 - floor(log10(step)))
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(turn * step, places) for turn in range(first, last + 1)]


def labelled(values: Sequence[float]) -> dict[float, str]:
    """Print values that belong together with equally many decimals.

    Examples
    --------
    >>> labelled([0.0, 0.05, 0.1])
    {0.0: '0.00', 0.05: '0.05', 0.1: '0.10'}
    """
    shown = [f"{value:.6f}".rstrip("0") for value in values]
    places = max((len(text) - text.index(".") - 1 for text in shown), default=0)
    return {value: f"{value:.{places}f}" for value in values}


def whole_values(first: int, last: int, most: int = 12) -> list[int]:
    """Return round whole numbers from `first` to `last`, at most `most` of them.

    Examples
    --------
    >>> whole_values(1, 4), whole_values(1, 100)
    ([1, 2, 3, 4], [10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
    """
    step = next(
        s for s in (1, 2, 5, 10, 20, 50, 100, 1000, 10**5) if (last - first) // s < most
    )
    return [at for at in range(first, last + 1) if at % step == 0]


def spread(places: Sequence[float], least: float) -> list[float]:
    """Move two places apart until they are `least` apart, both by the same.

    Examples
    --------
    >>> spread([1.0, 1.5], 1.0), spread([5.0, 1.0], 1.0), spread([3.0], 1.0)
    ([0.75, 1.75], [5.0, 1.0], [3.0])
    """
    if len(places) != 2 or abs(places[0] - places[1]) >= least:
        return list(places)
    middle, half = sum(places) / 2, least / 2
    down = places[0] <= places[1]
    return [middle - half, middle + half] if down else [middle + half, middle - half]
