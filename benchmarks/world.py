"""Of whom a model reads the digits, and whose it refuses: one row a source, one a digit.

    python benchmarks/world.py MODEL...

Sources: MNIST, the pen digits of writers and the fonts that `universal` was never trained on
(the test parts of ``load_digits("pen")`` and ``load_digits("fonts")``), and the pictures of the
folder that DIGITLENS_REAL names, all through `frame_digit`. A digit that is answered is right
or wrong; one that the model wants checked is unsure, one above its threshold of "no digit"
refused, whatever the best digit was. All counts are of whole sets. Then how well "no digit"
tells pictures that are none from the digits of all sources together. ``--part validation``
leaves MNIST's test digits closed. Prints Markdown; with ``--write`` also to
benchmarks/results/world.md.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digitlens import load_digits, load_model
from digitlens.data.pen_digits import draw_digits, read_strokes
from digitlens.imaging import frame_stack
from digitlens.metrics.classification import auroc
from digitlens.metrics.intervals import wilson
from peer import keep, machine
from rejection import no_digit
from rejection import strangers as draw_strangers
from strangers import DIGITS_TO_SOME
from transfer import SETS, frame_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from digitlens import Model
    from digitlens.digits import Images, Labels

PENS = 3
"""Pens that each pen digit is drawn with."""

SEED = 99


@dataclass(frozen=True, eq=False)
class Source:
    """Digits of one kind of people or prints.

    Parameters
    ----------
    name
        What the table calls it.
    images
        uint8 (N, 28, 28) in MNIST's frame; blank where a picture could not be framed.
    labels
        uint8 (N,).
    unframed
        bool (N,): could not be framed, which is a refusal.
    """

    name: str
    images: Images
    labels: Labels
    unframed: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Answers:
    """What one model answers to one source: bool (N,) each, and its scores of "no digit"."""

    source: Source
    wrong: NDArray[np.bool_]
    unsure: NDArray[np.bool_]
    refused: NDArray[np.bool_]
    scores: NDArray[np.float32]

    def row(self) -> str:
        """Return counts and shares as the cells of a table."""
        count = len(self.wrong)
        answered = self.wrong & ~self.unsure & ~self.refused
        right = ~self.wrong
        low, high = wilson(int(self.wrong.sum()), count)
        return (
            f"| {self.source.name} | {count:,} | {100 * right.mean():.2f} % "
            f"({100 * low:.2f} to {100 * high:.2f}) | {int(self.wrong.sum())} | "
            f"{int(answered.sum())} | {int(self.unsure.sum())} | {int(self.refused.sum())} | "
            f"{100 * (self.unsure | self.refused).mean():.2f} % |"
        )

    def by_digit(self) -> list[str]:
        """Return "wrong + unsure or refused of all" for each digit."""
        cells = []
        for digit in range(10):
            here = self.source.labels == digit
            left = self.unsure | self.refused
            wrong = int((self.wrong & ~left & here).sum())
            count = int(here.sum())
            cells.append(
                f"{wrong} + {int((left & here).sum())} of {count:,}" if count else "none"
            )
        return cells


def sources(part: str) -> list[Source]:
    """Return all sources; `part` is that of MNIST."""
    mnist = load_digits("mnist").part(part)
    measured = [_framed(f"MNIST {part}", mnist.images, mnist.labels)]
    strokes, _ = read_strokes()
    unseen = load_digits("pen", validation=0).test.writers
    assert unseen is not None, "the pen digits' writers are known"
    which = np.tile(np.flatnonzero(np.isin(strokes.writers, unseen)), PENS)
    drawn = draw_digits(strokes, which, np.random.default_rng(SEED))
    people = len(np.unique(unseen))
    measured.append(
        _framed(
            f"pen digits, {people} unseen writers, {PENS} pens", drawn, strokes.labels[which]
        )
    )
    fonts = load_digits("fonts", validation=0).test
    assert fonts.writers is not None, "the families are known"
    families = len(np.unique(fonts.writers))
    measured.append(_framed(f"fonts, {families} unseen families", fonts.images, fonts.labels))
    folder = os.environ.get("DIGITLENS_REAL")
    for read in SETS if folder else ():
        given = read(Path(folder or "."))
        images, rejected = frame_all(given.pictures)
        unframed = np.isin(np.arange(len(images)), rejected)
        measured.append(Source(f"{given.name}: {given.about}", images, given.labels, unframed))
    return measured


def _framed(name: str, images: Images, labels: Labels) -> Source:
    return Source(name, images, labels, np.zeros(len(labels), np.bool_))


def ask(model: Model, source: Source) -> Answers:
    """Let a model answer one source."""
    given = model.predict(source.images)
    nobody = np.zeros(len(given), np.bool_)
    refused = nobody if given.refused is None else given.refused
    unsure = nobody if given.unsure is None else given.unsure
    scores = no_digit(given).copy()
    scores[source.unframed] = 1.0
    wrong = (given.labels != source.labels) | source.unframed
    return Answers(source, wrong, unsure & ~source.unframed, refused | source.unframed, scores)


def table(model: Model, answers: Sequence[Answers]) -> str:
    """Return the rows of one model."""
    head = (
        f"### {model.name}\n\n| whose | digits | best digit right | misses | "
        "answered and wrong | unsure | refused | unsure or refused |\n"
        "|---|---|---|---|---|---|---|---|"
    )
    names = " | ".join(item.source.name.partition(":")[0] for item in answers)
    digits = [f"| digit | {names} |", "|---|" + "---|" * len(answers)]
    columns = [item.by_digit() for item in answers]
    digits += [
        f"| {digit} | " + " | ".join(column[digit] for column in columns) + " |"
        for digit in range(10)
    ]
    rows = "\n".join(item.row() for item in answers)
    return f"{head}\n{rows}\n\nAnswered and wrong + unsure or refused:\n\n" + "\n".join(digits)


def told_apart(model: Model, answers: Sequence[Answers], sets: dict[str, Images]) -> str:
    """Return how well "no digit" tells each set from the digits of all sources."""
    known = np.concatenate([item.scores for item in answers]).astype(np.float64)
    lines = ["| what is no digit | AUROC | refused | unsure or refused |", "|---|---|---|---|"]
    for name, images in sets.items():
        seen = frame_stack(images)
        given = model.predict(seen.images)
        scores = no_digit(given).astype(np.float64)
        scores[list(seen.rejected)] = 1.0
        refused = given.refused if given.refused is not None else scores > 1
        refused = refused | np.isin(np.arange(len(images)), list(seen.rejected))
        doubtful = refused if given.unsure is None else refused | given.unsure
        note = " (digits to some)" if name in DIGITS_TO_SOME else ""
        area = auroc(known, scores)
        lines.append(
            f"| {name}{note} | {area:.4f} | {100 * refused.mean():.1f} % | "
            f"{100 * doubtful.mean():.1f} % |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--part", choices=("test", "validation"), default="test")
    parser.add_argument("--write", action="store_true", help="also to results/world.md")
    options = parser.parse_args()
    measured = sources(options.part)
    sets = draw_strangers(load_digits("mnist").part(options.part), 1000, 0)
    parts = []
    for name in options.models:
        model = load_model(name, threads=1)
        answers = [ask(model, source) for source in measured]
        parts.append(f"{table(model, answers)}\n\n{told_apart(model, answers, sets)}\n")
    foot = f"{machine()}; {time.strftime('%Y-%m-%d')}.\n"
    keep("world", "\n".join([*parts, foot]), write=options.write)


if __name__ == "__main__":
    main()
