"""How much directory, state and city help: a reader's real mistakes on the country's ZIPs.

Each piece gets a ZIP of the directory and a reading that the reader really made: one whose
misread places hold the same digits in that ZIP, carried over to it. So a 4 taken for a 9 with
a confidence of 0.62 stays that, and what the directory makes of it is found out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import DataError
from digitlens.mail.deciding.bars import ALONE, CITY, DIRECTORY, KNOWN, STATE, Bars, Measured
from digitlens.mail.deciding.decide import decide
from digitlens.mail.deciding.readings import Reading, fives
from digitlens.mail.deciding.weigh import USUAL, Beliefs
from digitlens.mail.zipcode import FIVE, NINE
from digitlens.reading import bar_for, curve_of
from digitlens.score import wilson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from digitlens.digits import Indices
    from digitlens.mail.directory import Directory, Place
    from digitlens.mail.plan import Plan
    from digitlens.score import Interval


@dataclass(frozen=True)
class Piece:
    """A piece of mail in a simulation: its true place, and what was read."""

    place: Place
    reading: Reading


@dataclass(frozen=True)
class Outcome:
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


def elsewhere(readings: Sequence[Reading]) -> float:
    """Return how many of the wrong readings do not list the truth: for `Beliefs`.

    One reading that does and one that does not are added, so that few readings prove nothing.
    """
    wrong = [reading for reading in readings if not reading.right]
    listed = sum(
        any(each.text == reading.truth for each in reading.alternatives) for reading in wrong
    )
    return (len(wrong) - listed + 1) / (len(wrong) + 2)


def draw_pieces(
    readings: Sequence[Reading],
    directory: Directory,
    count: int,
    chance: np.random.Generator,
) -> list[Piece]:
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
    found = []
    for at in chance.permutation([at % len(usable) for at in range(count)]):
        reading = usable[at]
        places = reading.touched()
        key = places, "".join(reading.truth[place] for place in places)
        if key not in fitting:
            fitting[key] = _fitting(zips, *key)
        among = fitting[key]
        place = directory.place(directory.zips[int(among[chance.integers(len(among))])])
        assert place is not None, "it was drawn from the directory"
        found.append(Piece(place, reading.carried_to(place.zip)))
    return found


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
    pieces: Sequence[Piece], directory: Directory, beliefs: Beliefs = USUAL
) -> dict[str, list[tuple[float, str]]]:
    """Return how sure which ZIP is for each piece, by the names in `KNOWN`.

    A ZIP that contradicts what is known is sure by 0.0, as it is never accepted.
    """
    found: dict[str, list[tuple[float, str]]] = {name: [] for name in KNOWN}
    for piece in pieces:
        line, place = piece.reading.line(), piece.place
        fits = len(line.text) in (FIVE, NINE)
        found[ALONE].append((line.confidence if fits else 0.0, line.text[:FIVE]))
        for name, city, state in (
            (DIRECTORY, None, None),
            (STATE, None, place.state),
            (CITY, place.city, place.state),
        ):
            routing = decide(line, directory, city=city, state=state, bar=0.0, beliefs=beliefs)
            found[name].append((routing.probability if routing.zip else 0.0, routing.zip or ""))
    return found


def measure(
    pieces: Sequence[Piece], directory: Directory, reader: str, about: Mapping[str, str | int]
) -> Measured:
    """Count what each bar accepts, and how much of it is wrong.

    Parameters
    ----------
    pieces
        Of readings that nothing was chosen on; some thousands, as few promise little.
    reader, about
        As `Measured` has them.

    Raises
    ------
    DataError
        No pieces.
    """
    if not pieces:
        raise DataError("bars are measured on pieces of mail", seen="none")
    beliefs = replace(USUAL, elsewhere=elsewhere(fives(each.reading for each in pieces)))
    found = scored(pieces, directory, beliefs)
    curves = {}
    for name in KNOWN:
        sure = np.array([share for share, _ in found[name]])
        curves[name] = curve_of(sure, _right(found[name], pieces))
    return Measured(reader, about, beliefs.elsewhere, curves)


def simulate(
    pieces: Sequence[Piece],
    directory: Directory,
    plan: Plan,
    *,
    error: float = 0.01,
    beliefs: Beliefs = USUAL,
    bars: Bars | None = None,
) -> list[Outcome]:
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
    found = scored(pieces, directory, beliefs)
    outcomes = []
    for name in KNOWN:
        right = _right(found[name], pieces)
        if bars is None:
            sure = np.array([share for share, _ in found[name]])
            bar = bar_for(error, curve_of(sure[::2], right[::2])).confidence
            judged = range(1, len(pieces), 2)
        else:
            bar, judged = bars.of[name], range(len(pieces))
        accepted = [at for at in judged if bar is not None and found[name][at][0] >= bar]
        wrong = [at for at in accepted if not right[at]]
        astray = sum(
            plan.tray_of(found[name][at][1]) != plan.tray_of(pieces[at].place.zip)
            for at in wrong
        )
        outcomes.append(Outcome(name, bar, len(judged), len(accepted), len(wrong), astray))
    return outcomes


def _right(found: Sequence[tuple[float, str]], pieces: Sequence[Piece]) -> NDArray[np.bool_]:
    pairs = zip(found, pieces, strict=True)
    return np.array([text == piece.place.zip for (_, text), piece in pairs], np.bool_)


def as_table(outcomes: Sequence[Outcome]) -> str:
    """Return outcomes as a Markdown table."""
    rows = ["| known | read | wrong ZIP | wrong tray |", "|---|---|---|---|"]
    for each in outcomes:
        low, high = (100 * end for end in each.read_interval)
        wrong, astray = (
            f"{count} ({100 * count / each.accepted:.2f} %)" if each.accepted else "0"
            for count in (each.wrong, each.astray)
        )
        rate = f"{100 * each.read_rate:.1f} % ({low:.1f} to {high:.1f})"
        rows.append(f"| {each.known} | {rate} | {wrong} | {astray} |")
    return "\n".join(rows)
