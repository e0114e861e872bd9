"""Simulations: a reader's real mistakes on the ZIPs of the country."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from digitlens.mail.decision import decide
from digitlens.mail.measure import read_zips
from digitlens.mail.routing import LENGTHS
from digitlens.mail.simulate import SimulatedReading, draw_pieces, scored
from digitlens.mail.thresholds import CITY, KNOWN, thresholds_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitlens import Digits
    from digitlens.mail.directory import Directory, Place
    from digitlens.mail.plan import SortPlan
    from digitlens.mail.posterior import Priors
    from digitlens.mail.simulate import SimulatedPiece
    from digitlens.mail.thresholds import ThresholdSet
    from digitlens.ocr import Reader
    from readers.pictures import Task

RESAMPLES = 1000
EACH = 40
"""ZIPs that each reading of a cheque is carried over to."""

MISTAKEN = 0.02
"""The share of pieces whose city is another's, where that is simulated."""

FACTORS = (0.1, 10.0)
"""By which beliefs are changed."""


@dataclass(frozen=True)
class Row:
    """What comes of pieces when this much is known.

    Parameters
    ----------
    known
        What is known.
    pieces, accepted, wrong, astray
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
    astray: int
    low: float
    high: float
    wrong_low: float
    wrong_high: float

    @property
    def read(self) -> float:
        """The share that is accepted, 0..1."""
        return self.accepted / self.pieces


def our_trust(reader: Reader, error: float) -> tuple[ThresholdSet, Priors]:
    """Return the bars and beliefs that `digitlens route` has for this reader.

    Raises
    ------
    SystemExit
        No bars were measured for it.
    """
    trust = thresholds_for(reader.network, error)
    if isinstance(trust.bars, float):
        sys.exit(f"{trust.doubt}: digitlens mail measure")
    return trust.bars, trust.beliefs


def composed(
    reader: Reader, digits: Digits, directory: Directory, count: int, seed: int
) -> list[SimulatedPiece]:
    """Return ZIPs that were composed of these digits, as `route` would read them."""
    return read_zips(
        lambda picture: reader.read_line(picture, LENGTHS),
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
        reading = SimulatedReading.of(task.truth[0], reader.read_line(task.path, LENGTHS))
        groups.append(draw_pieces([reading], directory, EACH, rng))
    return groups


def rows_of(
    groups: Sequence[Sequence[SimulatedPiece]],
    directory: Directory,
    plan: SortPlan,
    bars: ThresholdSet,
    beliefs: Priors,
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
    result = scored(pieces, directory, beliefs)
    return [_row(name, result[name], pieces, which, plan, bars.of[name]) for name in KNOWN]


def _row(
    name: str,
    result: Sequence[tuple[float, str]],
    pieces: Sequence[SimulatedPiece],
    which: NDArray[np.int64],
    plan: SortPlan,
    bar: float | None,
) -> Row:
    taken = np.array([bar is not None and sure >= bar for sure, _ in result])
    right = np.array(
        [text == piece.place.zip for (_, text), piece in zip(result, pieces, strict=True)]
    )
    astray = sum(
        plan.tray_of(result[index][1]) != plan.tray_of(pieces[index].place.zip)
        for index in np.flatnonzero(taken & ~right).tolist()
    )
    every = np.ones(len(pieces), np.bool_)
    return Row(
        name,
        len(pieces),
        int(taken.sum()),
        int((taken & ~right).sum()),
        astray,
        *interval_of(taken, every, which),
        *interval_of(taken & ~right, taken, which),
    )


def interval_of(
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


def neighbour_of(place: Place, directory: Directory) -> Place:
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


def mistaken_row(
    pieces: Sequence[SimulatedPiece],
    directory: Directory,
    plan: SortPlan,
    bars: ThresholdSet,
    beliefs: Priors,
) -> Row:
    """Decide with city and state known, some of them a neighbour's: writers err."""
    rng = np.random.default_rng(1)
    result = []
    for piece in pieces:
        place = piece.place
        told = neighbour_of(place, directory) if rng.random() < MISTAKEN else place
        routing = decide(
            piece.reading.line(),
            directory,
            city=told.city,
            state=told.state,
            bar=0.0,
            beliefs=beliefs,
        )
        result.append((routing.probability if routing.zip else 0.0, routing.zip or ""))
    row = _row(CITY, result, pieces, np.arange(len(pieces)), plan, bars.of[CITY])
    return replace(row, known=f"{CITY}, {100 * MISTAKEN:g} % of them a neighbour's")


def swayed(
    groups: Sequence[Sequence[SimulatedPiece]],
    directory: Directory,
    plan: SortPlan,
    bars: ThresholdSet,
    beliefs: Priors,
) -> dict[str, list[Row]]:
    """Return the rows for other beliefs about mail, by what was changed."""
    changed = {}
    for name in ("unknown", "misplaced"):
        for factor in FACTORS:
            value = getattr(beliefs, name) * factor
            other = replace(beliefs, **{name: value})
            changed[f"{name} {value:,.0f}"] = rows_of(groups, directory, plan, bars, other)
    return changed
