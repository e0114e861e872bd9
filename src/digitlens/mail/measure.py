"""Measuring thresholds: ZIPs written by writers held back from training, read, and decided on.

Every ZIP of the directory may be drawn. What the reader makes of its picture is decided on four
times, with more and more known, and each time it is counted which threshold accepts how much
and how much of that is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from digitlens.ctc import Line, LineDigit
from digitlens.errors import DataError, UsageError
from digitlens.mail.decision import decide
from digitlens.mail.directory import ZIP5, ZIP_LENGTHS, is_digits
from digitlens.mail.posterior import DEFAULT_PRIORS, Priors
from digitlens.mail.thresholds import (
    ALONE,
    CITY,
    DIRECTORY,
    KNOWN,
    STATE,
    MeasuredThresholds,
)
from digitlens.metrics.risk_coverage import risk_coverage_curve
from digitlens.synth import STYLES, prepare_glyphs, synthesize_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from digitlens.ctc import Alternative
    from digitlens.digits import Digits
    from digitlens.mail.directory import Directory, Place
    from digitlens.synth import Glyphs, LineSample

    Scores = dict[str, list[tuple[float, str]]]
    """For each of `KNOWN` and each piece: the probability of the likeliest ZIP, and that."""


# How the thresholds of the published reader were measured. Seeds below 20 were used in
# training, and in fitting the reader's confidence.
N_LINES, SEED = 24_000, 61
# How often which style is written: the mixture that the reader's confidence was fitted on.
STYLE_WEIGHTS = dict.fromkeys(STYLES, 1) | {"training": 10, "cheque": 4}

PLUS4_RATE = 0.125


@dataclass(frozen=True)
class SimulatedReading:
    """What a reader made of a string: `truth` was written, the rest is as in `Line`."""

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
        """Return the reading as a `Line` with made-up places."""
        box = (0.0, 0.0, 1.0, 1.0)
        digits = tuple(LineDigit(digit, self.confidence, box) for digit in self.text)
        return Line(self.text, self.confidence, box, digits, self.alternatives)


@dataclass(frozen=True)
class SimulatedPiece:
    """A piece of mail: its true place, and what was read."""

    place: Place
    reading: SimulatedReading


def write_zips(
    glyphs: Digits | Glyphs, directory: Directory, count: int, *, seed: int = SEED
) -> Iterator[tuple[str, LineSample]]:
    """Write ZIPs of the directory, all equally often, each as a picture of a line.

    A smaller `count` gives the first ones of a larger. For thresholds the `glyphs` are digits
    of writers that the reader has not seen.
    """
    prepared = prepare_glyphs(glyphs)
    styles = [name for name, weight in STYLE_WEIGHTS.items() for _ in range(weight)]
    for index in range(count):
        # A generator for each line: the first lines do not depend on how many follow.
        rng = np.random.default_rng([seed, index])
        five = directory.zips[int(rng.integers(len(directory)))]
        plus4 = f"{rng.integers(10_000):04d}" if rng.random() < PLUS4_RATE else ""
        style = styles[int(rng.integers(len(styles)))]
        yield five, synthesize_line(prepared, rng, text=five + plus4, style=style)


def read_zips(
    read: Callable[[NDArray[np.uint8]], Line],
    glyphs: Digits | Glyphs,
    directory: Directory,
    *,
    count: int = N_LINES,
    seed: int = SEED,
    progress: Callable[[int, int], None] | None = None,
) -> list[SimulatedPiece]:
    """Write ZIPs, read them, and return the pieces of mail that they stand for.

    `read` goes from a picture, uint8 (H, W), to its line, told that it has five or nine digits;
    `progress` is called with the number of lines read so far, and of all.
    """
    if count < 1:
        raise UsageError("at least one line must be read", seen=str(count))
    pieces = []
    for index, (five, sample) in enumerate(write_zips(glyphs, directory, count, seed=seed), 1):
        place = directory.place(five)
        assert place is not None, "it was drawn from the directory"
        reading = SimulatedReading.of(sample.text, read(sample.image))
        pieces.append(SimulatedPiece(place, reading))
        if progress is not None:
            progress(index, count)
    return pieces


def measure_thresholds(
    pieces: Sequence[SimulatedPiece],
    directory: Directory,
    reader: str,
    about: Mapping[str, str | int],
) -> MeasuredThresholds:
    """Count what each threshold accepts, and how much of it is wrong.

    Nothing was chosen on these `pieces`, some thousands, as few promise little. `reader` and
    `about` are as in `MeasuredThresholds`.
    """
    if not pieces:
        raise DataError("thresholds are measured on pieces of mail", seen="none")
    # How often the truth is not listed is the reader's own: measured first, then used.
    readings = [item.reading for item in pieces if is_digits(item.reading.truth, ZIP5)]
    priors = replace(DEFAULT_PRIORS, unlisted_rate=unlisted_rate(readings))
    scores = score_pieces(pieces, directory, priors)
    # One curve for each amount of knowledge.
    curves = {}
    for name in KNOWN:
        probabilities = np.array([probability for probability, _ in scores[name]])
        pairs = zip(scores[name], pieces, strict=True)
        right = np.array([text == piece.place.zip for (_, text), piece in pairs], np.bool_)
        curves[name] = risk_coverage_curve(probabilities, right)
    return MeasuredThresholds(reader, about, priors.unlisted_rate, curves)


def unlisted_rate(readings: Sequence[SimulatedReading]) -> float:
    """Return the share of the wrong readings that do not list the truth: for `Priors`.

    One reading that does and one that does not are added, so that few readings prove nothing.
    """
    wrong = [reading for reading in readings if not reading.right]
    listed = sum(
        any(item.text == reading.truth for item in reading.alternatives) for reading in wrong
    )
    return (len(wrong) - listed + 1) / (len(wrong) + 2)


def score_pieces(
    pieces: Sequence[SimulatedPiece], directory: Directory, priors: Priors = DEFAULT_PRIORS
) -> Scores:
    """Return the likeliest ZIP of each piece and its probability, with more and more known.

    A ZIP that contradicts what is known has 0.0, as it is never accepted.
    """
    scores: Scores = {name: [] for name in KNOWN}
    for piece in pieces:
        line, place = piece.reading.line(), piece.place
        is_zip = len(line.text) in ZIP_LENGTHS
        scores[ALONE].append((line.confidence if is_zip else 0.0, line.text[:ZIP5]))
        for name, city, state in (
            (DIRECTORY, None, None),
            (STATE, None, place.state),
            (CITY, place.city, place.state),
        ):
            routing = decide(
                line, directory, city=city, state=state, threshold=0.0, priors=priors
            )
            scores[name].append(
                (routing.probability if routing.zip else 0.0, routing.zip or "")
            )
    return scores
