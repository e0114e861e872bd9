"""How much directory, state and city help: a reader's real mistakes on the country's ZIPs.

Each piece gets a ZIP of the directory and a reading that the reader really made: one whose
misread places hold the same digits in that ZIP, carried over to it. So a 4 taken for a 9 with
a confidence of 0.62 stays that, and what the directory makes of it is found out.

* What a reader made of strings whose truth is known: the table a simulation is fed with.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.ctc import Alternative, Line, LineDigit
from digitlens.errors import DataError
from digitlens.mail.decision import decide
from digitlens.mail.posterior import USUAL, Priors
from digitlens.mail.thresholds import (
    ALONE,
    CITY,
    DIRECTORY,
    KNOWN,
    STATE,
    MeasuredThresholds,
    ThresholdSet,
)
from digitlens.mail.zipcode import FIVE, NINE, is_digits
from digitlens.metrics import wilson
from digitlens.metrics.risk_coverage import risk_coverage_curve, threshold_for_risk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from digitlens.digits import Indices
    from digitlens.mail.directory import Directory, Place
    from digitlens.mail.plan import SortPlan
    from digitlens.metrics import Interval


KEYS = ("truth", "text", "confidence", "alternatives")

BEST = 8
"""Strings that a reading made from single digits lists."""


@dataclass(frozen=True)
class SimulatedReading:
    """What a reader made of a string.

    Parameters
    ----------
    truth
        The digits that were written.
    text, confidence, alternatives
        As a `Line` has them.
    """

    truth: str
    text: str
    confidence: float
    alternatives: tuple[Alternative, ...] = ()

    @classmethod
    def of(cls, truth: str, line: Line) -> SimulatedReading:
        """Return what `line`, read from a picture of `truth`, says."""
        return cls(truth, line.text, line.confidence, line.alternatives)

    @property
    def right(self) -> bool:
        """Whether the whole string was read right."""
        return self.text == self.truth

    def line(self) -> Line:
        """Return the reading as a `Line` that stands nowhere."""
        nowhere = (0.0, 0.0, 1.0, 1.0)
        digits = tuple(LineDigit(digit, self.confidence, nowhere) for digit in self.text)
        return Line(self.text, self.confidence, nowhere, digits, self.alternatives)

    def carried_to(self, zip_: str) -> SimulatedReading:
        """Return the same reading of another string: digits are misread in the same places.

        Where the reader took the truth's 4 for a 9, it takes the digit of `zip_` in that
        place for a 9 too. Strings of another length than the truth's stay as they are.
        """

        def carried(text: str) -> str:
            if len(text) != len(self.truth):
                return text
            pairs = zip(text, self.truth, zip_, strict=True)
            return "".join(new if read == old else read for read, old, new in pairs)

        others = tuple(
            Alternative(carried(item.text), item.probability) for item in self.alternatives
        )
        return SimulatedReading(zip_, carried(self.text), self.confidence, others)

    def touched(self) -> tuple[int, ...]:
        """Return the places in which something else than the truth was thought of.

        Those that the text itself has wrong come first, then those of the alternatives.
        """
        result: dict[int, None] = {}
        for text in (self.text, *(item.text for item in self.alternatives)):
            if len(text) == len(self.truth):
                pairs = enumerate(zip(text, self.truth, strict=True))
                result |= {index: None for index, (read, true) in pairs if read != true}
        return tuple(result)

    def as_dict(self) -> dict[str, Any]:
        """Return the reading as plain values: one line of a table."""
        return {
            "truth": self.truth,
            "text": self.text,
            "confidence": round(self.confidence, 6),
            "alternatives": [item.as_dict() for item in self.alternatives],
        }


def write_readings(readings: Iterable[SimulatedReading]) -> str:
    """Return a table of readings: JSON Lines, one reading a line; see `Reading.as_dict`."""
    return "".join(json.dumps(reading.as_dict()) + "\n" for reading in readings)


def parse_readings(text: str, name: str = "the table") -> list[SimulatedReading]:
    """Return the readings that a table of JSON Lines holds.

    Raises
    ------
    DataError
        A line that is no reading, or no line at all.

    Examples
    --------
    >>> parse_readings(write_readings([SimulatedReading("00501", "00507", 0.5)]))[0].right
    False
    """
    result = []
    for index, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            others = tuple(
                Alternative(str(item["text"]), float(item["probability"]))
                for item in row["alternatives"]
            )
            reading = SimulatedReading(
                str(row["truth"]), str(row["text"]), float(row["confidence"]), others
            )
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{name}, line {index}: a reading has the keys {', '.join(KEYS)}",
                seen=f"{type(error).__name__}: {error}",
            ) from error
        result.append(reading)
    if not result:
        raise DataError(f"{name} holds no readings")
    return result


def fives(readings: Iterable[SimulatedReading]) -> list[SimulatedReading]:
    """Return the readings of strings of five digits, which are those that can be ZIPs."""
    return [reading for reading in readings if is_digits(reading.truth, FIVE)]


def readings_from_digits(
    shares: NDArray[np.floating[Any]],
    truths: Sequence[str],
    rng: np.random.Generator,
    *,
    sharpness: float = 3.0,
) -> list[SimulatedReading]:
    """Make readings up from a table of how often which digit is taken for which.

    For trying a simulation before a reader's own readings are at hand. Each digit gets
    probabilities drawn about its row; what is read is then drawn from these, so that the
    confidence is calibrated by construction.

    Parameters
    ----------
    shares
        float (10, 10), a row for each true digit, summing to 1.
    truths
        The strings.
    sharpness
        How uneven readings are: the smaller, the more are either sure or doubtful.
    """
    result = []
    for truth in truths:
        rows = []
        for digit in truth:
            row = rng.dirichlet(np.asarray(shares[int(digit)], float) * sharpness + 1e-4)
            # The truth is a draw from the row: so the row is turned to have it come true.
            drawn = rng.choice(10, p=row)
            row[[drawn, int(digit)]] = row[[int(digit), drawn]]
            rows.append(row)
        best = _likeliest(rows)
        text, share = best[0]
        others = tuple(Alternative(*item) for item in best[1:])
        result.append(SimulatedReading(truth, text, share, others))
    return result


def _likeliest(rows: Sequence[NDArray[np.float64]]) -> list[tuple[str, float]]:
    """Return the likeliest strings of independent digits, the likeliest first."""
    result = [("", 1.0)]
    for row in rows:
        order = np.argsort(-row)[:BEST]
        grown = [
            (text + str(digit), share * float(row[digit]))
            for text, share in result
            for digit in order
        ]
        result = sorted(grown, key=lambda item: -item[1])[:BEST]
    return result


@dataclass(frozen=True)
class SimulatedPiece:
    """A piece of mail in a simulation: its true place, and what was read."""

    place: Place
    reading: SimulatedReading


@dataclass(frozen=True)
class SimulationOutcome:
    """What comes of pieces when this much is known.

    Parameters
    ----------
    known
        One of `KNOWN`.
    bar
        The probability from which on a ZIP is accepted; None where none keeps the promise.
    pieces, accepted
        Counts, on the half that the bar was not set on.
    wrong, astray
        Of the accepted: with a wrong ZIP; in a wrong tray.
    """

    known: str
    bar: float | None
    pieces: int
    accepted: int
    wrong: int
    astray: int

    @property
    def read_rate(self) -> float:
        """The share of pieces that is accepted."""
        return self.accepted / self.pieces

    @property
    def read_interval(self) -> Interval:
        """The 95 % Wilson interval of the read rate."""
        return wilson(self.pieces - self.accepted, self.pieces)

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as plain values."""
        low, high = self.read_interval
        return {
            "known": self.known,
            "bar": self.bar,
            "pieces": self.pieces,
            "accepted": self.accepted,
            "read_rate": self.read_rate,
            "interval": [low, high],
            "wrong": self.wrong,
            "astray": self.astray,
        }


def unlisted_rate(readings: Sequence[SimulatedReading]) -> float:
    """Return how many of the wrong readings do not list the truth: for `Priors`.

    One reading that does and one that does not are added, so that few readings prove nothing.
    """
    wrong = [reading for reading in readings if not reading.right]
    listed = sum(
        any(item.text == reading.truth for item in reading.alternatives) for reading in wrong
    )
    return (len(wrong) - listed + 1) / (len(wrong) + 2)


def draw_pieces(
    readings: Sequence[SimulatedReading],
    directory: Directory,
    count: int,
    rng: np.random.Generator,
) -> list[SimulatedPiece]:
    """Draw pieces: ZIPs of the directory, and readings carried over to them.

    Every reading is used as often as any other; it gets a ZIP that has the truth's digits in
    the places in which the reader thought of something else, or, where no ZIP has them in
    all of these, in the most important ones.

    Raises
    ------
    DataError
        No reading is of a string of five digits.
    """
    usable = fives(readings)
    if not usable:
        raise DataError("a simulation needs readings of strings of five digits")
    zips = np.array([list(text) for text in directory.zips])
    fitting: dict[tuple[tuple[int, ...], str], Indices] = {}
    result = []
    for index in rng.permutation([index % len(usable) for index in range(count)]):
        reading = usable[index]
        places = reading.touched()
        key = places, "".join(reading.truth[place] for place in places)
        if key not in fitting:
            fitting[key] = _fitting(zips, *key)
        among = fitting[key]
        place = directory.place(directory.zips[int(among[rng.integers(len(among))])])
        assert place is not None, "it was drawn from the directory"
        result.append(SimulatedPiece(place, reading.carried_to(place.zip)))
    return result


def _fitting(zips: NDArray[np.str_], places: tuple[int, ...], digits: str) -> Indices:
    """Return which ZIPs have `digits` in `places`; the last places are waived where none has.

    Parameters
    ----------
    zips
        (N, 5), a digit each.
    """
    for count in range(len(places), 0, -1):
        same = (zips[:, places[:count]] == list(digits[:count])).all(axis=1)
        if same.any():
            return np.flatnonzero(same)
    return np.arange(len(zips))


def scored(
    pieces: Sequence[SimulatedPiece], directory: Directory, beliefs: Priors = USUAL
) -> dict[str, list[tuple[float, str]]]:
    """Return how sure which ZIP is for each piece, by the names in `KNOWN`.

    A ZIP that contradicts what is known is sure by 0.0, as it is never accepted.
    """
    result: dict[str, list[tuple[float, str]]] = {name: [] for name in KNOWN}
    for piece in pieces:
        line, place = piece.reading.line(), piece.place
        fits = len(line.text) in (FIVE, NINE)
        result[ALONE].append((line.confidence if fits else 0.0, line.text[:FIVE]))
        for name, city, state in (
            (DIRECTORY, None, None),
            (STATE, None, place.state),
            (CITY, place.city, place.state),
        ):
            routing = decide(line, directory, city=city, state=state, bar=0.0, beliefs=beliefs)
            result[name].append(
                (routing.probability if routing.zip else 0.0, routing.zip or "")
            )
    return result


def measure(
    pieces: Sequence[SimulatedPiece],
    directory: Directory,
    reader: str,
    about: Mapping[str, str | int],
) -> MeasuredThresholds:
    """Count what each bar accepts, and how much of it is wrong.

    Parameters
    ----------
    pieces
        Of readings that nothing was chosen on; some thousands, as few promise little.
    reader, about
        As `MeasuredThresholds` has them.

    Raises
    ------
    DataError
        No pieces.
    """
    if not pieces:
        raise DataError("bars are measured on pieces of mail", seen="none")
    beliefs = replace(USUAL, elsewhere=unlisted_rate(fives(item.reading for item in pieces)))
    result = scored(pieces, directory, beliefs)
    curves = {}
    for name in KNOWN:
        sure = np.array([share for share, _ in result[name]])
        curves[name] = risk_coverage_curve(sure, _right(result[name], pieces))
    return MeasuredThresholds(reader, about, beliefs.elsewhere, curves)


def simulate(
    pieces: Sequence[SimulatedPiece],
    directory: Directory,
    plan: SortPlan,
    *,
    error: float = 0.01,
    beliefs: Priors = USUAL,
    bars: ThresholdSet | None = None,
) -> list[SimulationOutcome]:
    """Decide on all pieces with more and more known; one outcome for each of `KNOWN`.

    Parameters
    ----------
    pieces
        At least two, from `draw_pieces`.
    plan
        Says which tray, or plant, a ZIP goes to.
    error
        Of what is accepted, at most this share is to be wrong.
    bars
        That were measured on other pieces; all pieces are then counted. None: bars for
        `error` are set on every second piece, and the others are counted.
    """
    result = scored(pieces, directory, beliefs)
    outcomes = []
    for name in KNOWN:
        right = _right(result[name], pieces)
        if bars is None:
            sure = np.array([share for share, _ in result[name]])
            bar = threshold_for_risk(
                error, risk_coverage_curve(sure[::2], right[::2])
            ).confidence
            judged = range(1, len(pieces), 2)
        else:
            bar, judged = bars.of[name], range(len(pieces))
        accepted = [
            index for index in judged if bar is not None and result[name][index][0] >= bar
        ]
        wrong = [index for index in accepted if not right[index]]
        astray = sum(
            plan.tray_of(result[name][index][1]) != plan.tray_of(pieces[index].place.zip)
            for index in wrong
        )
        outcomes.append(
            SimulationOutcome(name, bar, len(judged), len(accepted), len(wrong), astray)
        )
    return outcomes


def _right(
    result: Sequence[tuple[float, str]], pieces: Sequence[SimulatedPiece]
) -> NDArray[np.bool_]:
    pairs = zip(result, pieces, strict=True)
    return np.array([text == piece.place.zip for (_, text), piece in pairs], np.bool_)


def as_table(outcomes: Sequence[SimulationOutcome]) -> str:
    """Return outcomes as a Markdown table."""
    rows = ["| known | read | wrong ZIP | wrong tray |", "|---|---|---|---|"]
    for item in outcomes:
        low, high = (100 * end for end in item.read_interval)
        wrong, astray = (
            f"{count} ({100 * count / item.accepted:.2f} %)" if item.accepted else "0"
            for count in (item.wrong, item.astray)
        )
        rate = f"{100 * item.read_rate:.1f} % ({low:.1f} to {high:.1f})"
        rows.append(f"| {item.known} | {rate} | {wrong} | {astray} |")
    return "\n".join(rows)
