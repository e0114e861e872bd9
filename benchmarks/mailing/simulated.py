"""Simulations: a reader's real mistakes on the ZIPs of the country.

Each piece gets a ZIP of the directory and a reading that the reader really made: one whose
misread places hold the same digits in that ZIP. So a 4 taken for a 9 with a confidence of 0.62
stays that, and it is counted what the directory makes of it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from digitlens.ctc import Alternative
from digitlens.mail.decision import decide
from digitlens.mail.directory import ZIP_LENGTHS
from digitlens.mail.measure import SimulatedPiece, SimulatedReading, read_zips, score_pieces
from digitlens.mail.thresholds import CITY, KNOWN, thresholds_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitlens import Digits
    from digitlens.digits import Indices
    from digitlens.mail.directory import Directory, Place
    from digitlens.mail.plan import SortPlan
    from digitlens.mail.posterior import Priors
    from digitlens.mail.thresholds import Thresholds
    from digitlens.ocr import Reader
    from readers.pictures import Task

RESAMPLES = 1000
ZIPS_PER_CHEQUE = 40
"""ZIPs that each reading of a cheque is carried over to."""

MISTAKEN_RATE = 0.02
"""The share of pieces whose city is another's, where that is simulated."""

FACTORS = (0.1, 10.0)
"""By which priors are changed."""


@dataclass(frozen=True)
class Row:
    """What comes of pieces when this much is known.

    Parameters
    ----------
    known
        What is known.
    pieces, accepted, wrong, misrouted
        Counts; wrong ZIPs and wrong trays are among the accepted.
    low, high
        A 95 % interval of the share that is accepted.
    wrong_low, wrong_high
        The same of the share of the accepted that is wrong.
    """

    known: str
    pieces: int
    accepted: int
    wrong: int
    misrouted: int
    low: float
    high: float
    wrong_low: float
    wrong_high: float

    @property
    def read(self) -> float:
        """The share that is accepted, 0..1."""
        return self.accepted / self.pieces


def carry_over(reading: SimulatedReading, zip_: str) -> SimulatedReading:
    """Return the same reading of another string: digits are misread in the same places.

    Strings of another length than the truth's stay as they are.
    """

    def carry(text: str) -> str:
        if len(text) != len(reading.truth):
            return text
        triples = zip(text, reading.truth, zip_, strict=True)
        return "".join(new if read == old else read for read, old, new in triples)

    others = tuple(
        Alternative(carry(item.text), item.probability) for item in reading.alternatives
    )
    return SimulatedReading(zip_, carry(reading.text), reading.confidence, others)


def doubtful_places(reading: SimulatedReading) -> tuple[int, ...]:
    """Return the places in which the reader thought of something else than the truth.

    Those that the text itself has wrong come first, then those of the alternatives.
    """
    result: dict[int, None] = {}
    for text in (reading.text, *(item.text for item in reading.alternatives)):
        if len(text) == len(reading.truth):
            pairs = enumerate(zip(text, reading.truth, strict=True))
            result |= {index: None for index, (read, true) in pairs if read != true}
    return tuple(result)


def draw_pieces(
    reading: SimulatedReading, directory: Directory, count: int, rng: np.random.Generator
) -> list[SimulatedPiece]:
    """Carry a reading of five digits over to ZIPs of the directory.

    A ZIP has the truth's digits in the places in which the reader thought of something else,
    or, where no ZIP has them in all of these, in the most important ones.
    """
    places = doubtful_places(reading)
    zips = np.array([list(text) for text in directory.zips])
    among = find_fitting(zips, places, "".join(reading.truth[place] for place in places))
    result = []
    rng.permutation(count)  # as many numbers are drawn as when the figures were published
    for _ in range(count):
        place = directory.place(directory.zips[int(among[rng.integers(len(among))])])
        assert place is not None, "it was drawn from the directory"
        result.append(SimulatedPiece(place, carry_over(reading, place.zip)))
    return result


def find_fitting(zips: NDArray[np.str_], places: tuple[int, ...], digits: str) -> Indices:
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


def our_thresholds(reader: Reader, error: float) -> tuple[Thresholds, Priors]:
    """Return the thresholds and priors that `digitlens route` has for this reader.

    Raises
    ------
    SystemExit
        None were measured for it.
    """
    trust = thresholds_for(reader.network, error)
    if not isinstance(trust.thresholds, Mapping):
        sys.exit(f"{trust.caveat}: digitlens mail measure")
    return trust.thresholds, trust.priors


def read_composed(
    reader: Reader, digits: Digits, directory: Directory, count: int, seed: int
) -> list[SimulatedPiece]:
    """Return ZIPs that were composed of these digits, as `route` would read them."""
    return read_zips(
        lambda picture: reader.read_line(picture, ZIP_LENGTHS),
        digits,
        directory,
        count=count,
        seed=seed,
    )


def cheque_groups(
    reader: Reader, tasks: Sequence[Task], directory: Directory
) -> list[list[SimulatedPiece]]:
    """Read amounts of five digits as `route` would, and carry each over to some ZIPs."""
    rng = np.random.default_rng(0)
    groups = []
    for task in tasks:
        reading = SimulatedReading.of(task.truth[0], reader.read_line(task.path, ZIP_LENGTHS))
        groups.append(draw_pieces(reading, directory, ZIPS_PER_CHEQUE, rng))
    return groups


def count_rows(
    groups: Sequence[Sequence[SimulatedPiece]],
    directory: Directory,
    plan: SortPlan,
    thresholds: Thresholds,
    priors: Priors,
) -> list[Row]:
    """Decide on all pieces; one row for each of `KNOWN`.

    Parameters
    ----------
    groups
        Pieces of one reading together: only groups are independent, so intervals are made by
        drawing groups anew (bootstrap).
    """
    pieces = [piece for group in groups for piece in group]
    which = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    scores = score_pieces(pieces, directory, priors)
    return [
        _count_row(name, scores[name], pieces, which, plan, thresholds[name]) for name in KNOWN
    ]


def _count_row(
    name: str,
    scores: Sequence[tuple[float, str]],
    pieces: Sequence[SimulatedPiece],
    which: NDArray[np.int64],
    plan: SortPlan,
    threshold: float | None,
) -> Row:
    taken = np.array([threshold is not None and sure >= threshold for sure, _ in scores])
    right = np.array(
        [text == piece.place.zip for (_, text), piece in zip(scores, pieces, strict=True)]
    )
    misrouted = sum(
        plan.find_tray(scores[index][1]) != plan.find_tray(pieces[index].place.zip)
        for index in np.flatnonzero(taken & ~right).tolist()
    )
    every = np.ones(len(pieces), np.bool_)
    return Row(
        name,
        len(pieces),
        int(taken.sum()),
        int((taken & ~right).sum()),
        misrouted,
        *bootstrap_interval(taken, every, which),
        *bootstrap_interval(taken & ~right, taken, which),
    )


def bootstrap_interval(
    some: NDArray[np.bool_], of: NDArray[np.bool_], which: NDArray[np.int64]
) -> tuple[float, float]:
    """Return a 95 % interval of a share, its groups drawn anew a thousand times.

    Parameters
    ----------
    some, of
        bool (N,): what is counted, and among which.
    which
        int (N,): the group of each, from 0.
    """
    parts, wholes = np.bincount(which, weights=some), np.bincount(which, weights=of)
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(parts), size=(RESAMPLES, len(parts)))
    shares = parts[drawn].sum(axis=1) / np.maximum(wholes[drawn].sum(axis=1), 1)
    low, high = np.quantile(shares, (0.025, 0.975))
    return float(low), float(high)


def find_neighbor(place: Place, directory: Directory) -> Place:
    """Return the place of the next ZIP that bears another city's name."""
    zips = directory.zips
    index = zips.index(place.zip)
    for step in range(1, len(zips)):
        for other in (index + step, index - step):
            result = directory.place(zips[other % len(zips)])
            assert result is not None, "it is the directory's"
            if not {*result.names} & {*place.names}:
                return result
    return place


def count_mistaken(
    pieces: Sequence[SimulatedPiece],
    directory: Directory,
    plan: SortPlan,
    thresholds: Thresholds,
    priors: Priors,
) -> Row:
    """Decide with city and state known, some of them a neighbour's: writers err."""
    rng = np.random.default_rng(1)
    scores = []
    for piece in pieces:
        place = piece.place
        written = find_neighbor(place, directory) if rng.random() < MISTAKEN_RATE else place
        routing = decide(
            piece.reading.line(),
            directory,
            city=written.city,
            state=written.state,
            threshold=0.0,
            priors=priors,
        )
        scores.append((routing.probability if routing.zip else 0.0, routing.zip or ""))
    row = _count_row(CITY, scores, pieces, np.arange(len(pieces)), plan, thresholds[CITY])
    return replace(row, known=f"{CITY}, {100 * MISTAKEN_RATE:g} % of them a neighbour's")


def vary_priors(
    groups: Sequence[Sequence[SimulatedPiece]],
    directory: Directory,
    plan: SortPlan,
    thresholds: Thresholds,
    priors: Priors,
) -> dict[str, list[Row]]:
    """Return the rows for other priors, by what was changed."""
    changed = {}
    for name in ("unknown", "misplaced"):
        for factor in FACTORS:
            value = getattr(priors, name) * factor
            other = replace(priors, **{name: value})
            changed[f"{name} {value:,.0f}"] = count_rows(
                groups, directory, plan, thresholds, other
            )
    return changed
