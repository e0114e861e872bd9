"""How likely a ZIP must be, by what is known of its address: measured on lines of known truth.

A probability that the directory and the city had a say in is not the one that the reader was
calibrated for. So what is accepted and wrong is counted after them, once for each amount of
knowledge, on ZIPs that were written with digits of writers held back from training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from digitlens.errors import DataError
from digitlens.reading import Curve, bar_for

FORMAT = 1
"""Raised when `Measured.as_dict` changes its meaning."""

KNOWN = ("reading alone", "directory", "state", "city and state")
"""What is known beside the reading."""

ALONE, DIRECTORY, STATE, CITY = KNOWN

PLACES = 9


def known_of(city: str | None, state: str | None) -> str:
    """Return which of `KNOWN` it is that a decision with the directory knows.

    Examples
    --------
    >>> known_of(None, "MN"), known_of("St. Paul", "MN"), known_of(None, None)
    ('state', 'city and state', 'directory')
    """
    return CITY if city else STATE if state else DIRECTORY


@dataclass(frozen=True)
class Bars:
    """The bar for each amount of knowledge.

    Parameters
    ----------
    of
        By the names in `KNOWN`: the probability from which on a ZIP is accepted, 0..1; None
        where no bar keeps the promise, so that all goes to a person.
    """

    of: Mapping[str, float | None]


@dataclass(frozen=True)
class Measured:
    """What bars accept, counted on readings of one reader.

    Parameters
    ----------
    reader
        Tells that reader from others: `digitlens.mail.trust.mark_of`.
    about
        How it was measured: lines, seed and the like.
    elsewhere
        For `Beliefs`: of the wrong readings, the share whose truth was not listed.
    curves
        What each bar accepts, and how much of it is wrong, by the names in `KNOWN`.
    """

    reader: str
    about: Mapping[str, str | int]
    elsewhere: float
    curves: Mapping[str, Curve] = field(repr=False)

    def bars(self, error: float) -> Bars:
        """Return the bars at which at most `error` of what is accepted is wrong.

        As `digitlens.reading.bar_for` has it: not the errors seen count, but the most that
        chance may hide behind them.

        Raises
        ------
        UsageError
            An error rate out of range.
        """
        return Bars({name: bar_for(error, self.curves[name]).confidence for name in KNOWN})

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values that JSON can hold; probabilities have nine places."""
        return {
            "format": FORMAT,
            "reader": self.reader,
            "about": dict(self.about),
            "elsewhere": round(self.elsewhere, PLACES),
            "curves": {name: _plain(self.curves[name]) for name in KNOWN},
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any], name: str = "the measurement") -> Measured:
        """Return what `as_dict` gave.

        Raises
        ------
        DataError
            Another format, or values that are missing or of another kind.
        """
        try:
            if raw["format"] != FORMAT:
                raise DataError(
                    f"{name} must be of format {FORMAT}", seen=f"format {raw['format']!r}"
                )
            curves = {known: _curve(raw["curves"][known]) for known in KNOWN}
            about = {str(key): value for key, value in raw["about"].items()}
            return cls(str(raw["reader"]), about, float(raw["elsewhere"]), curves)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"{name} cannot be read", seen=f"{type(error).__name__}: {error}"
            ) from error


def _plain(curve: Curve) -> dict[str, Any]:
    values = curve.as_dict()
    return values | {"bars": [round(bar, PLACES) for bar in curve.bars]}


def _curve(raw: Mapping[str, Any]) -> Curve:
    return Curve(
        int(raw["count"]),
        tuple(float(each) for each in raw["bars"]),
        tuple(int(each) for each in raw["accepted"]),
        tuple(int(each) for each in raw["misses"]),
    )
