"""Whether ``--max-error`` holds on lines of sources that had no say in it: a table.

    make bench-promise

Bars are chosen on lines by writers and fonts of the validation part, and judged on lines by
others: the test part's writers and fonts, which neither the network nor the bars have met.
(MNIST's digits are those of the validation writers in both, in other lines: its test digits
stay closed.) Four bars are compared for each source, that is each kind of hand, each style of
paper and each length: one that looks at the mean of all lines, one that holds on the worst
source, one for which this very source was left out, and the one that stands in the reader's
file, which is what ``--max-error`` goes by. Displays and stencils have no say in bars, as in
those that are published (`tools/publish_reader.py`), and are judged all the same.
With DIGITLENS_REAL the cheque amounts are judged too, also as cameras and scanners make them
worse (`camera`), by the bars of the reader's file. Prints Markdown; with ``--write`` also to
benchmarks/results/promise.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "tools"))

import camera
from digitlens.ctc import fit_confidence
from digitlens.data import load_digits
from digitlens.data.line_hands import read_line_hands
from digitlens.imaging.binarize import to_gray
from digitlens.imaging.io import load_image
from digitlens.ocr import Reader
from digitlens.ocr.network import load_line_recognizer
from digitlens.synth import LineSample, prepare_glyphs
from digitlens.synth.hands import KINDS
from peer import keep, machine
from publish_reader import PROMISED, KnownLine, read_and_judge, write_mixture
from readers.pictures import CHEQUES, measured_pictures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.ctc import ConfidenceModel
    from publish_reader import Judgement

LINES = 18_000
ERRORS = (0.01, 0.05)
HEADS = ("the mean", "the worst source", "this one left out", "as published")


def fit(
    judged: Judgement, *, left_out: str | None = None, worst: bool = True
) -> ConfidenceModel:
    """Return the calibration on all sources but one."""
    kept = np.ones(len(judged.right), np.bool_)
    if left_out is not None:
        kept = (judged.sources != left_out).all(axis=1)
    sources = judged.sources[kept] if worst else None
    rng = np.random.default_rng(0)
    return fit_confidence(judged.features[kept], judged.right[kept], rng, sources)


def answered(model: ConfidenceModel, error: float, judged: Judgement, name: str) -> str:
    """Return what the bar accepts of a source, and how much of that is wrong."""
    mine = (judged.sources == name).any(axis=1)
    bar = model.threshold(error).confidence
    if bar is None:
        return "nothing"
    accepted = model.confidence(judged.features[mine]) >= bar
    count, wrong = int(accepted.sum()), int((~judged.right[mine])[accepted].sum())
    share = 100 * wrong / max(count, 1)
    over = "**" if share > 100 * error else ""
    words = f"{over}{wrong} of {count:,}: {share:.1f} %{over}"
    return f"{100 * count / int(mine.sum()):.0f} %, {words}"


def table(
    fitted: Judgement, judged: Judgement, error: float, published: ConfidenceModel
) -> str:
    """Return the table of one wanted error rate; `published` is the reader's own bar."""
    mean, worst = fit(fitted, worst=False), fit(fitted)
    rows = [
        f"| `--max-error {error}`, bars by | lines | right | {' | '.join(HEADS)} |",
        "|---|---|---|---|---|---|---|",
    ]
    known = set(fitted.sources.ravel().tolist())
    for column in judged.sources.T:
        for name in dict.fromkeys(sorted(column.tolist())):
            mine = column == name
            out = fit(fitted, left_out=name) if name in known else worst
            bars = mean, worst, out, published
            cells = [answered(model, error, judged, name) for model in bars]
            right = 100 * float(judged.right[mine].mean())
            rows.append(
                f"| {name} | {int(mine.sum()):,} | {right:.1f} % | {' | '.join(cells)} |"
            )
    return "\n".join(rows) + "\n"


def cheques() -> list[KnownLine]:
    """Return the cheque amounts of DIGITLENS_REAL, if it is set."""
    folder = os.environ.get("DIGITLENS_REAL")
    if not folder:
        return []
    home = Path(__file__).parents[1] / ".bench" / "reading"
    tasks = measured_pictures((CHEQUES,), 0, home, Path(folder))[CHEQUES]
    name = "cheque amounts (development)"
    blank = np.zeros((0, 4), np.float32)
    return [
        KnownLine(
            LineSample(to_gray(load_image(task.path).pixels), task.truth[0], blank),
            (name, name, name),
        )
        for task in tasks
    ]


def camera_table(reader: Reader, lines: Sequence[LineSample]) -> str:
    """Return a table of lines as cameras make them worse, judged by the reader's own bars."""
    bars = [reader.bar(error).confidence or 1.0 for error in ERRORS]
    heads = ("cheque amounts", "right", *(f"`--max-error {error}`" for error in ERRORS))
    rows = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, change in {"as they are": None, **camera.CHANGES}.items():
        read = []
        for index, line in enumerate(lines):
            rng = np.random.default_rng(zlib.crc32(f"{index} {name}".encode()))
            read.append(reader.read_line(change(line.image, rng) if change else line.image))
        pairs = list(zip(read, lines, strict=True))
        cells = []
        for bar in bars:
            # A picture on which no number is seen is no number that is accepted.
            accepted = [pair for pair in pairs if pair[0].text and pair[0].confidence >= bar]
            wrong = sum(answer.text != line.text for answer, line in accepted)
            share = 100 * wrong / max(len(accepted), 1)
            cells.append(f"{wrong} of {len(accepted)}: {share:.1f} %")
        right = sum(answer.text == line.text for answer, line in pairs)
        rows.append(f"| {name} | {right} of {len(lines)} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", default="reader", help="a published name, run or file")
    parser.add_argument("--lines", type=int, default=LINES, help="to choose bars on")
    parser.add_argument("--write", action="store_true", help="also to results/promise.md")
    options = parser.parse_args()
    network = load_line_recognizer(options.reader)
    if network.calibrations is None:
        parser.error(f"{options.reader} has no calibrations, so no bar of its own to judge")
    hands = read_line_hands(KINDS)
    glyphs = prepare_glyphs(load_digits("mnist").validation)
    held = replace(glyphs, hands=read_line_hands(PROMISED).validation)
    fitted = read_and_judge(network, list(write_mixture(held, options.lines)))
    unseen = list(write_mixture(replace(glyphs, hands=hands.test), options.lines * 7 // 9, 3))
    judged = read_and_judge(network, [*unseen, *cheques()])
    published = network.calibrations.unconstrained
    text = "\n".join(table(fitted, judged, error, published) for error in ERRORS)
    foot = (
        f"\n- Bars chosen on {len(fitted.right):,} lines by writers and fonts held back, "
        f"judged on {len(judged.right):,} by others; accepted, and wrong of these. Bold where "
        "more than was asked for are wrong.\n"
        "- Bars are not chosen on displays and stencils: leaving them out changes nothing.\n"
        f"- {machine()}.\n"
    )
    if amounts := [known.line for known in cheques()]:
        foot += "\nAccepted by the published bars, and wrong of these:\n\n"
        foot += camera_table(Reader(network=network), amounts)
    keep("promise", text + foot, write=options.write)


if __name__ == "__main__":
    main()
