"""A calibration for each kind of question: no length, this length, some length."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import DataError, ModelError
from digitlens.reading.bar import Curve
from digitlens.reading.confidence import LEAST_LINES, Calibration, fit_calibration
from digitlens.reading.rising import Rising

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FORMAT = 1
"""Raised when `Calibrations.as_dict` changes its meaning."""


@dataclass(frozen=True)
class Calibrations:
    """How sure a reading is, for each way in which it may be asked for.

    Parameters
    ----------
    free
        Where no length is given.
    given
        Where lengths are given for which there is no calibration of their own; None where
        there is none at all.
    by_length
        Where one length is given.
    """

    free: Calibration
    given: Calibration | None = None
    by_length: Mapping[int, Calibration] = field(default_factory=dict)

    def of(self, lengths: frozenset[int] | None) -> Calibration:
        """Return the calibration for readings with these allowed lengths."""
        if lengths is None:
            return self.free
        own = self.by_length.get(next(iter(lengths))) if len(lengths) == 1 else None
        return own or self.given or self.free

    def as_dict(self) -> dict[str, Any]:
        """Return all calibrations as plain values that JSON can hold.

        Keys: ``format`` (1), ``free``, ``given`` (or None), ``by_length`` (by the length as
        text). Each holds ``weights`` (or None), ``rising`` (``scores``, ``shares``,
        ``spread``) and ``curve`` (``count``, ``bars``, ``accepted``, ``misses``).
        """
        return {
            "format": FORMAT,
            "free": self.free.as_dict(),
            "given": None if self.given is None else self.given.as_dict(),
            "by_length": {
                str(length): each.as_dict() for length, each in sorted(self.by_length.items())
            },
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Calibrations:
        """Return the calibrations that `as_dict` gave.

        Raises
        ------
        ModelError
            Another format, or values that are missing or of another kind.
        """
        try:
            if raw["format"] != FORMAT:
                raise ModelError(
                    f"a reader's calibrations must be of format {FORMAT}",
                    seen=f"format {raw['format']!r}",
                    likely="another version of digitlens wrote them",
                    try_="use that version, or fit them again",
                )
            given = raw["given"]
            return cls(
                _calibration(raw["free"]),
                None if given is None else _calibration(given),
                {int(length): _calibration(each) for length, each in raw["by_length"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(
                "a reader's calibrations cannot be read",
                seen=f"{type(error).__name__}: {error}",
            ) from error


def _calibration(raw: Mapping[str, Any]) -> Calibration:
    weights, rising, curve = raw["weights"], raw["rising"], raw["curve"]
    return Calibration(
        None if weights is None else tuple(float(each) for each in weights),
        Rising(
            tuple(float(each) for each in rising["scores"]),
            tuple(float(each) for each in rising["shares"]),
            float(rising["spread"]),
        ),
        Curve(
            int(curve["count"]),
            tuple(float(each) for each in curve["bars"]),
            tuple(int(each) for each in curve["accepted"]),
            tuple(int(each) for each in curve["misses"]),
        ),
    )


def fit_calibrations(
    lines: Mapping[int | None, tuple[NDArray[np.floating[Any]], NDArray[np.bool_]]],
    chance: np.random.Generator,
) -> Calibrations:
    """Fit a calibration for no length, one for each length, and one for all other cases.

    Parameters
    ----------
    lines
        Features (N, 5) and right or wrong (N,) of the readings, by the length that was asked
        for; None for none, which must be there. Lengths with fewer than 100 lines get no
        calibration of their own.
    chance
        Deals the lines to halves.

    Raises
    ------
    ShapeError, DataError
        As `fit_calibration` says; or no readings without a length.
    """
    if None not in lines:
        raise DataError(
            "calibrations need readings for which no length was given",
            seen=f"readings with the lengths {sorted(each for each in lines if each)}",
        )
    several = [pair for length, pair in lines.items() if length is not None]
    given = None
    if sum(len(right) for _, right in several) >= LEAST_LINES:
        given = fit_calibration(
            np.concatenate([features for features, _ in several]),
            np.concatenate([right for _, right in several]),
            chance,
        )
    own = {
        length: fit_calibration(*pair, chance)
        for length, pair in lines.items()
        if length is not None and len(pair[1]) >= LEAST_LINES
    }
    return Calibrations(fit_calibration(*lines[None], chance), given, own)
