"""What is no number: pages of text, of marks, and of numbers beside words.

    make bench-words

Pages are composed (text_pages.py) with fonts of families that no network has seen, and MNIST's
test digits, and so are numbers with marks about them and marks alone (mark_pages.py), in faces
that rules were chosen with and in others; real ones are those of the folder that DIGITLENS_REAL
names. Counted are sure numbers where there are none, at the usual threshold and at that for
``--max-error 0.01``, and numbers that are lost. Times are processor time of `Reader.page`.
DIGITLENS_DATA must name MNIST and the fonts. Prints Markdown; with ``--write`` also to
benchmarks/results/words.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from digitlens import Reader, load_digits
from digitlens.data.font_digits import read_faces, split_families
from digitlens.imaging.io import load_image
from digitlens.ocr.page import DEFAULT_THRESHOLD
from mark_pages import KINDS, halves, marks_sheet
from peer import keep, machine
from readers.pictures import ENVELOPES, GRIDS, PRINTED, pages
from readers.score_pages import cells, wanted_found
from text_pages import Supplies, TextPage, marks_page, mixed_page, text_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digitlens.ctc.line import Line
    from digitlens.ocr.page import Page
    from readers.protocol import Piece

TEXT, MARKS, MIXED = "text without digits", "marks and signs", "numbers beside words"
COUNTS = {TEXT: 40, MARKS: 16, MIXED: 24}
MAKERS = {TEXT: text_page, MARKS: marks_page, MIXED: mixed_page}
MARK_LINES, MARK_SHEETS, MARK_ALONE = "marks about numbers", 8, 16
MAX_ERROR = 0.01


@dataclass
class Tally:
    """What was counted on pages of one kind."""

    pages: int = 0
    truth: int = 0
    seen: int = 0
    sure: int = 0
    false: list[int] = field(default_factory=list)
    false_strict: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, lines: list[Line], numbers: list[str], strict: float, seconds: float) -> None:
        """Count a page; a number counts as often as it stands there."""
        left, sure = Counter(numbers), Counter(numbers)
        false = [0, 0]
        for line in sorted(lines, key=lambda line: -line.confidence):
            is_there = sure[line.text] > 0
            self.seen += left[line.text] > 0
            left[line.text] -= 1
            if line.confidence >= DEFAULT_THRESHOLD:
                self.sure += is_there
                sure[line.text] -= 1
                false[0] += not is_there
                false[1] += not is_there and line.confidence >= strict
        self.pages += 1
        self.truth += len(numbers)
        self.false.append(false[0])
        self.false_strict.append(false[1])
        self.seconds.append(seconds)

    def row(self, name: str) -> str:
        """Return a row of the table."""
        share = f"{self.seen} and {self.sure} of {self.truth}" if self.truth else "–"
        cell = [
            f"{sum(counts)} on {sum(map(bool, counts))}"
            for counts in (self.false, self.false_strict)
        ]
        millis = f"{1000 * statistics.median(self.seconds):.0f} ms"
        return f"| {name} | {self.pages} | {cell[0]} | {cell[1]} | {share} | {millis} |"


def supplies() -> Supplies:
    """Return fonts of the families held out, and MNIST's test digits."""
    held = split_families(read_faces()[0])[1]
    kinds = {face.path: face.path.parts[-3] for face in held}
    return Supplies(
        printed=[path for path, kind in kinds.items() if kind == "printed"],
        hands=[path for path, kind in kinds.items() if kind in ("hand", "school")],
        digits=load_digits("mnist").test,
    )


def composed(kind: str, count: int) -> Iterator[TextPage]:
    """Compose pages of a kind."""
    materials = supplies()
    for index in range(count):
        yield MAKERS[kind](materials, index)


def read(
    reader: Reader, picture: object, length: int | None = None
) -> tuple[list[Line], float]:
    """Return what is read, and the processor time that it took."""
    began = time.process_time()
    lines = reader.read(picture, length)
    return lines, time.process_time() - began


def measure_composed(
    reader: Reader, kind: str, limit: int | None, strict: float, show: Path | None
) -> str:
    """Measure pages of a kind; with `show` those with a false sure number are written there."""
    tallies: dict[str, Tally] = {}
    for index, page in enumerate(composed(kind, min(COUNTS[kind], limit or 1000))):
        lines, seconds = read(reader, page.image)
        by_hand = page.name.endswith(("by hand", "print"))
        name = page.name if kind == MIXED else kind + (", by hand" if by_hand else "")
        tally = tallies.setdefault(name, Tally())
        tally.add(lines, page.numbers, strict, seconds)
        if show is not None:
            _draw(show / f"{kind.split()[0]}-{index:02}.png", page, lines)
    return "\n".join(tally.row(name) for name, tally in tallies.items())


def measure_marks(reader: Reader, limit: int | None, strict: float) -> str:
    """Measure lines with marks, in the faces to develop with and in those to judge by."""
    rows = []
    for name, half in zip(("developed with", "judged by"), halves(supplies()), strict=True):
        every = Tally()
        for kind in KINDS:
            tally = Tally()
            for alone, count in ((False, MARK_SHEETS), (True, MARK_ALONE)):
                for index in range(min(count, limit or count)):
                    page = marks_sheet(half, kind, index, alone=alone)
                    lines, seconds = read(reader, page.image)
                    for counts in (tally, every):
                        counts.add(lines, page.numbers, strict, seconds)
            rows.append(tally.row(f"{kind}, faces {name}"))
        rows.append(every.row(f"**all of these, faces {name}**"))
    return "\n".join(rows)


def _draw(path: Path, page: TextPage, lines: list[Line]) -> None:
    image = page.image[..., ::-1].copy()
    for line in lines:
        color = (0, 150, 0) if line.confidence >= DEFAULT_THRESHOLD else (0, 160, 255)
        x0, y0, x1, y1 = map(round, line.box)
        cv2.rectangle(image, (x0, y0), (x1, y1), color, 2)
        words = f"{line.text} {100 * line.confidence:.0f}"
        cv2.putText(image, words, (x0, y1 + 24), cv2.FONT_HERSHEY_SIMPLEX, 0.8, color, 2)
    cv2.imwrite(str(path), image)


def measure_real(reader: Reader, real: Path, strict: float) -> str:
    """Measure envelopes, printed numbers, grids and the rest of whole pictures."""
    every = [task for task in pages(real) if task.path.exists()]
    tallies: dict[str, Tally] = {}
    first = others = printed_right = all_cells = whole_grids = cells_right = as_tables = 0
    for task in every:
        image = load_image(task.path)
        lines, seconds = read(reader, image)
        numbers = list(task.truth)
        pieces: list[Piece] = [
            {
                "text": line.text,
                "confidence": line.confidence,
                "box": list(line.box),
                "parts": [],
            }
            for line in lines
        ]
        if task.group == GRIDS or task.group == "sudoku":
            if task.group == GRIDS:
                right, count = cells(pieces, task.truth)
                cells_right, all_cells = cells_right + right, all_cells + count
                whole_grids += right == count
                as_tables += _is_table_right(reader.page(image), numbers)
            continue
        tallies.setdefault(task.group, Tally()).add(lines, numbers, strict, seconds)
        if task.group == ENVELOPES:
            told, _ = read(reader, image, len(numbers[0]))
            first += bool(told) and told[0].text == numbers[0]
            others += sum(line.confidence >= DEFAULT_THRESHOLD for line in told[1:])
        if task.group == PRINTED:
            printed_right += wanted_found(pieces, numbers, joined=False)
    rows = [tally.row(f"real {name}") for name, tally in tallies.items()]
    envelopes, printed = tallies[ENVELOPES], tallies[PRINTED]
    notes = [
        f"- Real envelopes, length told: wanted code first on {first} of {envelopes.pages}; "
        f"other sure numbers of that length {others}, {others / envelopes.pages:.2f} a piece; "
        f"no length told, others of any length {sum(envelopes.false)}, "
        f"{sum(envelopes.false) / envelopes.pages:.2f} a piece (some are printed there).",
        f"- Real printed numbers found {printed_right} of {printed.pages}; printed grids with "
        f"all cells right {as_tables} of {sum(task.group == GRIDS for task in every)}; as "
        f"lines alone, unsure ones beside the table as well, {whole_grids}, and {cells_right} "
        f"of {all_cells} cells.",
    ]
    return "\n".join(rows) + "\n\n" + "\n".join(notes)


def _is_table_right(page: Page, rows: list[str]) -> bool:
    """Say whether there is one table and each cell holds its digit, 0 in the truth none."""
    wanted = tuple(tuple(digit.replace("0", "") for digit in row) for row in rows)
    return [table.texts for table in page.tables] == [wanted]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--only", action="append", choices=[*COUNTS, MARK_LINES, "real"], help="repeatable"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="first N pages of each kind")
    parser.add_argument("--reader", metavar="SOURCE", default="reader")
    parser.add_argument(
        "--show", type=Path, metavar="DIR", help="write pages as they were read"
    )
    parser.add_argument("--write", action="store_true", help="also to results/words.md")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    reader = Reader(options.reader)
    strict = reader.bar(MAX_ERROR).confidence
    strict = 2.0 if strict is None else strict
    if options.show:
        options.show.mkdir(parents=True, exist_ok=True)
    kinds = options.only or [*COUNTS, MARK_LINES, "real"]
    head = (
        "| pages | of | sure where there is none | at --max-error 0.01 | found, and sure "
        "| time |\n"
        "| --- | --- | --- | --- | --- | --- |"
    )
    parts = [
        measure_composed(reader, kind, options.limit, strict, options.show)
        for kind in kinds
        if kind in COUNTS
    ]
    if MARK_LINES in kinds:
        parts.append(measure_marks(reader, options.limit, strict))
    if "real" in kinds and "DIGITLENS_REAL" in os.environ:
        parts.append(measure_real(reader, Path(os.environ["DIGITLENS_REAL"]), strict))
    foot = f"- Sure from {strict:.4f} on for --max-error 0.01; {machine()}."
    keep("words", "\n".join([head, *parts]) + f"\n\n{foot}\n", write=options.write)


if __name__ == "__main__":
    main()
