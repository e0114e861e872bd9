"""From which probability on a ZIP is accepted, measured on lines of known truth.

The reader's calibration does not hold for a probability that the directory and the address
have changed. So what is accepted and wrong is counted after them, once for each amount of
knowledge, on ZIPs that were written with digits of writers held back from training
(`digitlens.mail.measure`). A reader without measured thresholds gets a stand-in, with a caveat.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.errors import DataError, UsageError
from digitlens.mail.posterior import DEFAULT_PRIORS, Priors
from digitlens.metrics.risk_coverage import RiskCoverageCurve, threshold_for_risk
from digitlens.storage import read_file, write_text

if TYPE_CHECKING:
    from digitlens.ocr.network import LineRecognizer


# Raised when `MeasuredThresholds.as_dict` changes its meaning.
FORMAT = 1
# The amounts of knowledge: what is known besides the reading.
KNOWN = ("reading alone", "directory", "state", "city and state")

ALONE, DIRECTORY, STATE, CITY = KNOWN

# For each of the names in `KNOWN`, the probability from which on a ZIP is accepted, 0..1; None
# where no threshold keeps the promise, so that everything goes to a person.
Thresholds = Mapping[str, float | None]

DECIMALS = 9

# The measured thresholds of the published reader.
PUBLISHED = Path(__file__).with_name("measured.json")
FAST = Path(__file__).with_name("measured-fast.json")  # those of `reader-fast`
# The file next to another reader's network to which `digitlens mail measure` writes.
MEASURED_NAME = "mail.json"


def name_knowledge(city: str | None, state: str | None) -> str:
    """Return which of `KNOWN` a decision with the directory and this address has.

    >>> name_knowledge(None, "MN"), name_knowledge("St. Paul", "MN"), name_knowledge(None, None)
    ('state', 'city and state', 'directory')
    """
    return CITY if city else STATE if state else DIRECTORY


@dataclass(frozen=True)
class ReaderThresholds:
    """How far a reader is trusted, as `digitlens.mail.decision` takes it.

    `caveat` says why the promise may not hold; ``""`` where it rests on measured thresholds.
    """

    thresholds: Thresholds | float
    priors: Priors = DEFAULT_PRIORS
    caveat: str = ""


def thresholds_for(network: LineRecognizer, error: float) -> ReaderThresholds:
    """Return from which probability on a ZIP is accepted, and what that rests on.

    At most the share `error`, above 0 and at most 1, of what is accepted is to be wrong: by
    measured thresholds where there are any; else 1 - `error`, which keeps the promise if the
    reader's probabilities are right, with a caveat. `UsageError` where the measured thresholds
    cannot promise it; `DataError` where the file next to the network is damaged.
    """
    measured = find_measured(network)
    if measured is not None:
        return _trust(measured, error)
    caveat = describe_unmeasured("this reader", error)
    if network.calibrations is None:
        caveat += ", which was never calibrated: the promise may well not hold"
    return ReaderThresholds(1 - error, caveat=caveat)


@cache
def published_thresholds(error: float) -> ReaderThresholds:
    """Return what `thresholds_for` says of the published reader, which is not loaded for it."""
    return _trust(read_measured(PUBLISHED), error)


def _trust(measured: MeasuredThresholds, error: float) -> ReaderThresholds:
    thresholds = measured.thresholds(error)
    if all(threshold is None for threshold in thresholds.values()):
        raise UsageError(
            f"the reader cannot promise that at most {error:.2%} is wrong",
            seen=f"thresholds measured on {measured.about.get('lines', 'some')} lines",
            try_="a larger --max-error",
        )
    priors = replace(DEFAULT_PRIORS, unlisted_rate=measured.unlisted_rate)
    return ReaderThresholds(thresholds, priors)


def describe_unmeasured(whose: str, error: float) -> str:
    """Return in words what is accepted where no thresholds were measured."""
    return (
        f"no thresholds were measured for {whose}: accepted is what is {100 * (1 - error):g} % "
        "sure by its own confidence"
    )


def find_measured(network: LineRecognizer) -> MeasuredThresholds | None:
    """Return the thresholds that were measured for a reader, None where there are none.

    Those of the published readers come with digitlens. Another reader's lie next to its network
    as ``mail.json``; those measured for an earlier network there do not count.
    """
    fingerprints = {model_fingerprint(network)}
    if not network.has_checksum:  # as its thresholds may be, it is of an older version
        fingerprints.add(card_fingerprint(network))
    for path in (PUBLISHED, FAST, network.path.with_name(MEASURED_NAME)):
        if path.is_file():
            measured = read_measured(path)
            if measured.reader in fingerprints:
                return measured
    return None


def model_fingerprint(network: LineRecognizer) -> str:
    """Return what tells this reader from others, 16 hexadecimal digits.

    Its weights and calibration count; what else its card says does not.
    """
    calibrations = network.calibrations and network.calibrations.as_dict()
    return _hash([network.graph_digest, calibrations])


def card_fingerprint(network: LineRecognizer) -> str:
    """Return what told readers apart before their files had checksums."""
    card, calibrations = network.card, network.calibrations
    about = [card.name, card.seed, card.steps, card.created, card.weights]
    return _hash([about, calibrations and calibrations.as_dict()])


def _hash(values: list[Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class MeasuredThresholds:
    """What each threshold accepts, counted on readings of one reader.

    `reader` is its `model_fingerprint`; `about` says how it was measured: lines, seed and the
    like; `unlisted_rate` is for `Priors`; `curves` are by the names in `KNOWN`.
    """

    reader: str
    about: Mapping[str, str | int]
    unlisted_rate: float
    curves: Mapping[str, RiskCoverageCurve] = field(repr=False)

    def thresholds(self, error: float) -> Thresholds:
        """Return the thresholds at which at most `error` of what is accepted is wrong.

        Not the errors seen count, but the upper limit of the error rate that they allow.
        """
        return {name: threshold_for_risk(error, self.curves[name]).confidence for name in KNOWN}

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values that JSON can hold; probabilities have nine places."""
        return {
            "format": FORMAT,
            "reader": self.reader,
            "about": dict(self.about),
            "elsewhere": round(self.unlisted_rate, DECIMALS),
            "curves": {
                name: curve.as_dict() | {"bars": [round(p, DECIMALS) for p in curve.thresholds]}
                for name, curve in self.curves.items()
            },
        }

    @classmethod
    def from_dict(
        cls, raw: Mapping[str, Any], name: str = "the measurement"
    ) -> MeasuredThresholds:
        """Return what `as_dict` gave."""
        try:
            if raw["format"] != FORMAT:
                raise DataError(
                    f"{name} must be of format {FORMAT}", seen=f"format {raw['format']!r}"
                )
            curves = {known: _parse_curve(raw["curves"][known]) for known in KNOWN}
            about = {str(key): value for key, value in raw["about"].items()}
            return cls(str(raw["reader"]), about, float(raw["elsewhere"]), curves)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise DataError(
                f"{name} cannot be read", seen=f"{type(error).__name__}: {error}"
            ) from error


def _parse_curve(raw: Mapping[str, Any]) -> RiskCoverageCurve:
    return RiskCoverageCurve(
        int(raw["count"]),
        tuple(float(item) for item in raw["bars"]),
        tuple(int(item) for item in raw["accepted"]),
        tuple(int(item) for item in raw["misses"]),
    )


def read_measured(path: Path) -> MeasuredThresholds:
    """Return the thresholds in a file that `digitlens mail measure` wrote."""
    try:
        raw = json.loads(read_file(path).content)
    except (ValueError, RecursionError):
        raw = None
    return MeasuredThresholds.from_dict(raw, str(path))


def write_measured(path: Path, measured: MeasuredThresholds) -> None:
    """Write thresholds to a file, whole or not at all."""
    rows = (
        f"{json.dumps(key)}: {json.dumps(value)}" for key, value in measured.as_dict().items()
    )
    write_text(path, "{\n" + ",\n".join(rows) + "\n}\n")
