"""Readers of lines, measured on lines whose number is known: one, or several side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from digitlens.errors import DataError
from digitlens.geometry import Gray
from digitlens.metrics.comparison import ALPHA, distinct
from digitlens.metrics.formatting import facts, hang, p_value, percent, plural, table
from digitlens.metrics.intervals import discordance, wilson
from digitlens.ocr.network import LineRecognizer
from digitlens.ocr.recognize import recognize

LINES = 1000  # so many are written where only digits are named
SHOWN = 5  # misread lines that the summary names


@dataclass(frozen=True)
class LineSet:
    """Pictures of lines with their numbers."""

    source: str
    pictures: list[Gray] = field(repr=False)  # uint8 (H, W)
    truths: list[str]  # "" where a picture holds no number


@dataclass(frozen=True)
class LineEvaluation:
    """What one reader made of a set of lines."""

    model: str
    lines: LineSet
    read: list[str]
    seconds: float

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self.read)

    @property
    def wrong(self) -> list[int]:
        """The places of the lines that were not read exactly."""
        pairs = zip(self.lines.truths, self.read, strict=True)
        return [index for index, (truth, text) in enumerate(pairs) if truth != text]

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain values that JSON can hold; shares are 0..1."""
        wrong = self.wrong
        low, high = wilson(len(wrong), self.count)
        return {
            "model": self.model,
            "source": self.lines.source,
            "count": self.count,
            "misses": len(wrong),
            "exact": (self.count - len(wrong)) / self.count,
            "interval": [low, high],
            "wrong": [
                {"index": index, "truth": self.lines.truths[index], "read": self.read[index]}
                for index in wrong
            ],
            "lines_per_second": self.count / max(self.seconds, 1e-9),
        }

    def summary(self, width: int) -> str:
        """Return the figures as text of `width` columns."""
        figures = self.as_dict()
        low, high = map(percent, figures["interval"])
        shown = figures["wrong"][:SHOWN]
        words = [f"{row['truth'] or '(none)'} as {row['read'] or '(none)'}" for row in shown]
        rows = [
            ("misread", f"{figures['misses']:,} of {self.count:,} lines"),
            ("exact", f"{percent(figures['exact'])}; 95 % interval {low} to {high}"),
            ("such as", "; ".join(words) or "none"),
            ("speed", f"{figures['lines_per_second']:,.0f} lines/s"),
        ]
        return "\n".join([f"{self.model} on {self.lines.source}", *facts(rows, width)])


@dataclass(frozen=True)
class LineComparison:
    """Readers side by side on the same lines."""

    evaluations: list[LineEvaluation]

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain values that JSON can hold."""
        bar = ALPHA / max(1, len(self._pairs()))
        return {
            "source": self.evaluations[0].lines.source,
            "count": self.evaluations[0].count,
            "models": [item.as_dict() for item in self.evaluations],
            "bar": bar,
            "pairs": [
                {
                    "first": one,
                    "second": two,
                    **vars(split),
                    "p": split.p,
                    "differs": split.p < bar,
                }
                for one, two, split in self._pairs()
            ],
        }

    def _pairs(self) -> list[tuple[int, int, Any]]:
        truth = np.array(self.evaluations[0].lines.truths)
        read = [np.array(item.read) for item in self.evaluations]
        return [
            (one, two, discordance(truth, read[one], read[two]))
            for one, two in combinations(range(len(read)), 2)
        ]

    def summary(self, width: int) -> str:
        """Return the figures as text of `width` columns."""
        rows: list[Sequence[str]] = [("reader", "misread", "exact", "95 % interval", "lines/s")]
        for item in self.evaluations:
            figures = item.as_dict()
            low, high = map(percent, figures["interval"])
            row = (f"{figures['misses']:,}", percent(figures["exact"]), f"{low} to {high}")
            rows.append((item.model, *row, f"{figures['lines_per_second']:,.0f}"))
        words = []
        for pair in self.as_dict()["pairs"]:
            one, two = (self.evaluations[pair[place]].model for place in ("first", "second"))
            tail = (
                "Chance does not explain that."
                if pair["differs"]
                else ("That cannot be told from chance.")
            )
            words.append(
                f"{one} alone reads {pair['only_first']:,}, {two} alone "
                f"{pair['only_second']:,}; both misread {pair['both_wrong']:,} (exact McNemar "
                f"test, {p_value(pair['p'])}). {tail}"
            )
        first = self.evaluations[0]
        head = f"{plural(first.count, 'line')} of {first.lines.source}"
        return "\n".join(
            [head, *table(rows, width), "", *(hang("", line, width) for line in words)]
        )


def load_lines(source: str, part: str) -> LineSet:
    """Return lines to measure by: those of a folder with truth.csv, or written ones.

    Of other sources, `LINES` lines are written with the digits of that part, seed 0, in the
    style that readers are trained on. Raises DataError: the part has no digits.
    """
    from digitlens.data import load_digits
    from digitlens.data.line_folder import find_line_folder, read_line_folder
    from digitlens.synth import synthesize_lines

    folder = find_line_folder(source)
    if folder is not None:
        held = read_line_folder(folder)
        pairs = [*held.train, *held.validation]
        return LineSet(f"lines of {source}", [gray for gray, _ in pairs], [t for _, t in pairs])
    digits = load_digits(source).part(part)
    if not len(digits):
        raise DataError(f"{source} has no {part} digits", try_="--part train")
    written = list(synthesize_lines(digits, LINES, seed=0))
    name = f"lines written with {source} {part}"
    return LineSet(name, [line.image for line in written], [line.text for line in written])


def evaluate_reader(
    reader: LineRecognizer,
    lines: LineSet,
    *,
    name: str | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> LineEvaluation:
    """Let a reader read every line, each by its likeliest string of any length."""
    began = clock()
    read = []
    for picture in lines.pictures:
        best = recognize(reader, picture)[1].best
        read.append(best.text if best else "")
    return LineEvaluation(name or reader.card.name, lines, read, clock() - began)


def compare_readers(readers: Iterable[LineRecognizer], lines: LineSet) -> LineComparison:
    """Let two readers or more read the same lines."""
    readers = list(readers)
    names = distinct(reader.card.name for reader in readers)
    results = [
        evaluate_reader(reader, lines, name=name)
        for reader, name in zip(readers, names, strict=True)
    ]
    return LineComparison(results)
