"""Accuracy on other people's pictures, all through `frame_digit`: in docs/benchmarks.md.

    python benchmarks/transfer.py MODEL...

A model (a published name, a run folder or an .onnx file) that learnt from MNIST alone reads
digits from US mail, of one hand, drawn with a mouse, photographed, and printed; they lie in
the folder that DIGITLENS_REAL names. A picture that cannot be framed is a miss. Some of the
pictures were looked at while the framing was made; ``--unseen`` counts the others alone.
Prints Markdown; with ``--write`` also to benchmarks/results/transfer.md.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens import load_model
from digitlens.errors import DataError
from digitlens.imaging import frame_steps
from digitlens.metrics.intervals import wilson
from peer import keep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from digitlens.digits import Images, Labels


USPS_SEEN = 2_000
"""How many of USPS' digits were looked at: the first of a permutation with seed 0."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures as they are, what they show, and which were looked at in development.

    Parameters
    ----------
    pictures
        Whatever `frame_digit` takes.
    labels
        uint8 (N,), 0..9.
    seen
        bool (N,).
    """

    name: str
    about: str
    pictures: Sequence[Any]
    labels: Labels
    seen: NDArray[np.bool_]

    def unseen(self) -> Pictures:
        """Return the pictures that were never looked at."""
        index = np.flatnonzero(~self.seen)
        kept = [self.pictures[int(place)] for place in index]
        return Pictures(self.name, self.about, kept, self.labels[index], self.seen[index])


def usps(folder: Path) -> Pictures:
    """7,291 digits cut from envelopes of the US mail, 16 x 16, slant removed."""
    images, labels = _arrays(folder / "digits" / "usps_train.npz")
    seen = np.zeros(len(labels), bool)
    seen[np.random.default_rng(0).permutation(len(labels))[:USPS_SEEN]] = True
    return Pictures("usps_train", "cut from US mail, 16 x 16", list(images), labels, seen)


def one_hand(folder: Path) -> Pictures:
    """1,000 digits of one hand, dark on white, 28 x 28."""
    images, labels = _arrays(folder / "digits" / "hwd1000_28.npz")
    seen = np.arange(len(labels)) % 5 == 0
    return Pictures("hwd1000_28", "one hand, dark on white", list(images), labels, seen)


def drawn(folder: Path) -> Pictures:
    """40 digits that four people drew with a mouse or a pen."""
    paths = sorted((folder / "drawn_png").glob("*.png"))
    labels = np.array([int(path.name[0]) for path in paths], np.uint8)
    seen = np.arange(len(paths)) % 2 == 0
    return Pictures("drawn_png", "drawn with a mouse, four people", paths, labels, seen)


def photos(folder: Path) -> Pictures:
    """Photos of one digit each."""
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "photo of one digit"]
    rows.sort(key=lambda row: row["file"])
    labels = np.array([int(row["truth"]) for row in rows], np.uint8)
    paths = [folder / row["file"] for row in rows]
    seen = np.arange(len(paths)) % 2 == 0
    return Pictures("photos_single", "photos, shadows and all", paths, labels, seen)


def printed(folder: Path) -> Pictures:
    """270 printed digits, cut from Sudokus."""
    images, labels = _arrays(folder / "digits" / "printed_sudoku_diego_60x40.npz")
    seen = np.ones(len(labels), bool)
    return Pictures("printed_sudoku", "machine-printed 1 to 9", list(images), labels, seen)


SETS: tuple[Callable[[Path], Pictures], ...] = (usps, one_hand, drawn, photos, printed)
"""All sets; the last is no handwriting, and given for comparison."""


def _arrays(path: Path) -> tuple[Images, Labels]:
    with np.load(path, allow_pickle=False) as arrays:
        return arrays["images"], arrays["labels"]


def frame_all(pictures: Sequence[Any]) -> tuple[Images, list[int]]:
    """Return the pictures in MNIST's frame, blank where that failed, and where it did."""
    framed = np.zeros((len(pictures), 28, 28), np.uint8)
    rejected = []
    for index, picture in enumerate(pictures):
        try:
            framed[index] = frame_steps(picture).digit
        except DataError as error:
            rejected.append(index)
            print(f"picture {index}: {error}", file=sys.stderr)
    return framed, rejected


def row(given: Pictures, models: Sequence[Any]) -> str:
    """Return the table's row: misses and accuracy with its 95 % Wilson interval."""
    framed, rejected = frame_all(given.pictures)
    count = len(given.labels)
    cells = []
    for model in models:
        wrong = model.predict(framed).labels != given.labels
        wrong[rejected] = True
        misses = int(wrong.sum())
        low, high = wilson(misses, count)
        cells.append(
            f"{misses} | {100 * (count - misses) / count:.2f} % "
            f"({100 * low:.2f} to {100 * high:.2f})"
        )
    head = f"| {given.name}: {given.about} | {count:,} | {len(rejected)} | "
    return head + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--unseen", action="store_true", help="only what nobody looked at")
    parser.add_argument("--write", action="store_true", help="also to results/transfer.md")
    options = parser.parse_args()
    if not os.environ.get("DIGITLENS_REAL"):
        sys.exit("DIGITLENS_REAL is not set: it must name a folder with real pictures")
    folder = Path(os.environ["DIGITLENS_REAL"])
    models = [load_model(name, threads=1) for name in options.models]
    lines = [
        "| pictures | count | not framed | "
        + " | ".join(f"{model.name} misses | accuracy" for model in models)
        + " |",
        "|---|---|---|" + "---|---|" * len(models),
    ]
    for read in SETS:
        given = read(folder).unseen() if options.unseen else read(folder)
        if len(given.labels):
            lines.append(row(given, models))
    what = "Only pictures that nobody looked at" if options.unseen else "All pictures"
    text = "\n".join(lines) + f"\n\n{what}; {time.strftime('%Y-%m-%d')}.\n"
    keep("transfer", text, write=options.write)


if __name__ == "__main__":
    main()
