"""How likely a ZIP must be, by what is known of its address: measured on lines of known truth.

A probability that the directory and the city had a say in is not the one that the reader was
calibrated for. So what is accepted and wrong is counted after them, once for each amount of
knowledge, on ZIPs that were written with digits of writers held back from training.

* Which bars belong to a reader: measured ones where there are any, else an honest stand-in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens import storage
from digitlens.errors import DataError, UsageError
from digitlens.mail.posterior import USUAL, Priors
from digitlens.metrics.risk_coverage import RiskCoverageCurve, threshold_for_risk
from digitlens.storage import write_text

if TYPE_CHECKING:
    from digitlens.ocr.network import LineRecognizer


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
class ThresholdSet:
    """The bar for each amount of knowledge.

    Parameters
    ----------
    of
        By the names in `KNOWN`: the probability from which on a ZIP is accepted, 0..1; None
        where no bar keeps the promise, so that all goes to a person.
    """

    of: Mapping[str, float | None]


@dataclass(frozen=True)
class MeasuredThresholds:
    """What bars accept, counted on readings of one reader.

    Parameters
    ----------
    reader
        Tells that reader from others: `digitlens.mail.thresholds.model_fingerprint`.
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
    curves: Mapping[str, RiskCoverageCurve] = field(repr=False)

    def bars(self, error: float) -> ThresholdSet:
        """Return the bars at which at most `error` of what is accepted is wrong.

        As `digitlens.ctc.bar_for` has it: not the errors seen count, but the most that
        chance may hide behind them.

        Raises
        ------
        UsageError
            An error rate out of range.
        """
        return ThresholdSet(
            {name: threshold_for_risk(error, self.curves[name]).confidence for name in KNOWN}
        )

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
    def from_dict(
        cls, raw: Mapping[str, Any], name: str = "the measurement"
    ) -> MeasuredThresholds:
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


def _plain(curve: RiskCoverageCurve) -> dict[str, Any]:
    values = curve.as_dict()
    return values | {"bars": [round(bar, PLACES) for bar in curve.thresholds]}


def _curve(raw: Mapping[str, Any]) -> RiskCoverageCurve:
    return RiskCoverageCurve(
        int(raw["count"]),
        tuple(float(item) for item in raw["bars"]),
        tuple(int(item) for item in raw["accepted"]),
        tuple(int(item) for item in raw["misses"]),
    )


OURS = Path(__file__).with_name("measured.json")
"""The bars of the published reader."""

NAME = "mail.json"
"""The file beside another reader's network that `digitlens mail measure` writes its bars to."""


@dataclass(frozen=True)
class ReaderThresholds:
    """How far a reader is trusted.

    Parameters
    ----------
    bars, beliefs
        As `digitlens.mail.decision` has them.
    doubt
        Why the promise may not hold, in words; ``""`` where it rests on measured bars.
    """

    bars: ThresholdSet | float
    beliefs: Priors = USUAL
    doubt: str = ""


def model_fingerprint(network: LineRecognizer) -> str:
    """Return what tells this reader from others, 16 hexadecimal digits.

    Training run and calibration count; the words of its card do not.
    """
    card, fitted = network.card, network.calibrations
    about = [card.name, card.seed, card.steps, card.created, card.weights]
    text = json.dumps([about, fitted and fitted.as_dict()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_measured(path: Path) -> MeasuredThresholds:
    """Return the bars in a file that `digitlens mail measure` wrote.

    Raises
    ------
    MissingDataError, DataError
        There is no such file, or it holds something else.
    """
    try:
        raw = json.loads(storage.read_file(path).content)
    except ValueError:
        raw = None
    return MeasuredThresholds.from_dict(raw, str(path))


def write_measured(path: Path, measured: MeasuredThresholds) -> None:
    """Write bars to a file, whole or not at all.

    Raises
    ------
    StorageError
        The disk is full, or the place cannot be written.
    """
    rows = (
        f"{json.dumps(key)}: {json.dumps(value)}" for key, value in measured.as_dict().items()
    )
    write_text(path, "{\n" + ",\n".join(rows) + "\n}\n")


def measured_for(network: LineRecognizer) -> MeasuredThresholds | None:
    """Return the bars that were measured for a reader, None where there are none.

    Those of the published reader come with digitlens. Another reader's lie beside its network
    as ``mail.json``; bars that were measured for an earlier one there do not count.

    Raises
    ------
    DataError
        ``mail.json`` holds something else.
    """
    mark = model_fingerprint(network)
    beside = network.path.with_name(NAME)
    for path in (OURS, beside):
        if path.is_file():
            result = read_measured(path)
            if result.reader == mark:
                return result
    return None


def thresholds_for(network: LineRecognizer, error: float) -> ReaderThresholds:
    """Return from which probability on a ZIP is accepted, and what that rests on.

    Measured bars where there are any. Else one bar of 1 - `error`: that keeps the promise if
    the reader's probabilities are right, and the doubt is told.

    Parameters
    ----------
    error
        Of what is accepted, at most this share is to be wrong; above 0, at most 1.

    Raises
    ------
    UsageError
        The measured bars cannot promise this error rate.
    DataError
        As `measured_for` has it.
    """
    result = measured_for(network)
    if result is not None:
        bars = result.bars(error)
        if all(bar is None for bar in bars.of.values()):
            raise UsageError(
                f"the reader cannot promise that at most {error:.2%} is wrong",
                seen=f"bars measured on {result.about.get('lines', 'some')} lines",
                try_="a larger --max-error",
            )
        return ReaderThresholds(bars, replace(USUAL, elsewhere=result.elsewhere))
    doubt = unmeasured("this reader", error)
    if network.calibrations is None:
        doubt += ", which nobody fitted: the promise may well not hold"
    return ReaderThresholds(1 - error, doubt=doubt)


def unmeasured(whose: str, error: float) -> str:
    """Return in words what is accepted where no bars were measured."""
    sure = f"{100 * (1 - error):g} %"
    return (
        f"no bars were measured for {whose}: accepted is what is {sure} sure "
        "by its own confidence"
    )


@cache
def default_bars(error: float = 0.01) -> ThresholdSet:
    """Return the bars of the published reader."""
    return read_measured(OURS).bars(error)
