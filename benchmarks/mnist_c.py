"""Errors under the fifteen corruptions of MNIST-C: a table of docs/benchmarks.md.

    python benchmarks/mnist_c.py MODEL...

Counts, for each model (a published name, a run folder or an .onnx file), its misses on MNIST's
test digits under each corruption: the network alone, and after `digitlens.imaging` has
framed each picture without knowing what was done to it. One that cannot be framed is a
miss. Prints
Markdown; with ``--write`` also to benchmarks/results/mnist_c.md. While a network is still being
chosen, use ``--part validation``: the corruptions are a test, and so are the test digits.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contact_sheet import contact_sheet
from corruptions import AFFINE, CORRUPTIONS, OTHERS, corrupt
from digitlens import load_digits, load_model
from digitlens.imaging import frame_stack
from digitlens.metrics.robustness import count_framed, evenly
from peer import keep

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from digitlens import Digits
    from digitlens.digits import Images
    from digitlens.imaging import FramedStack
    from digitlens.metrics.evaluation import Predictor

CLEAN = "none"


@dataclass(frozen=True)
class Row:
    """Misses of each model under one corruption: the network alone, and framed."""

    name: str
    alone: tuple[int, ...]
    framed: tuple[int, ...]


def prepare(name: str, images: Images, seed: int) -> tuple[Images, FramedStack]:
    """Return the pictures under the corruption `name`, and the same ones framed."""
    changed = images if name == CLEAN else corrupt(name, images, seed=seed)
    return changed, frame_stack(changed)


def measure(models: Sequence[Predictor], digits: Digits, seed: int, jobs: int) -> list[Row]:
    """Count the misses of every model on `digits` under every corruption, and under none."""
    rows = []
    # Spawned, not forked: the engine that answers may have threads of its own.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context) as pool:
        names = (CLEAN, *CORRUPTIONS)
        waiting = [pool.submit(prepare, name, digits.images, seed) for name in names]
        for name, item in zip(names, waiting, strict=True):
            changed, framed = item.result()
            answers = [model.predict(changed).labels for model in models]
            alone = tuple(int((answer != digits.labels).sum()) for answer in answers)
            after = tuple(count_framed(model, framed, digits.labels) for model in models)
            said = f"{name}: misses {alone} alone, {after} framed"
            print(f"{said}, {len(framed.rejected)} rejected", file=sys.stderr)
            rows.append(Row(name, alone, after))
    return rows


def table(models: Sequence[str], rows: Sequence[Row], count: int) -> str:
    """Return the errors in per cent as Markdown: each corruption, then the means."""
    head = [f"{model} {how}" for model in models for how in ("alone", "framed")]
    lines = ["| error, % | " + " | ".join(head) + " |", "|---|" + "---|" * len(head)]
    lines += [_line(row.name, [row], count) for row in rows]
    by_name = {row.name: row for row in rows}
    for title, names in (
        ("**mean of all fifteen**", tuple(CORRUPTIONS)),
        ("mean of rotate, scale, shear, translate", AFFINE),
        ("mean of the other eleven", OTHERS),
    ):
        lines.append(_line(title, [by_name[name] for name in names], count))
    return "\n".join(lines)


def _line(title: str, rows: Iterable[Row], count: int) -> str:
    shown = []
    every = list(rows)
    for model in range(len(every[0].alone)):
        for misses in ([row.alone for row in every], [row.framed for row in every]):
            error = statistics.fmean(100 * item[model] / count for item in misses)
            shown.append(f"{error:.2f}")
    return f"| {title} | " + " | ".join(shown) + " |"


def draw(digits: Digits, seed: int) -> bytes:
    """Return a sheet with examples of every corruption as a PNG."""
    first = [int((digits.labels == digit).argmax()) for digit in range(10)]
    images = digits.images[first]
    rows = {CLEAN: images}
    rows |= {name: corrupt(name, images, seed=seed) for name in CORRUPTIONS}
    return contact_sheet(
        rows,
        heading="The corruptions of MNIST-C",
        note=f"{digits.source}; written afresh, a test only",
        per_set=10,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--part", choices=("test", "validation"), default="test")
    parser.add_argument("--limit", type=int, help="at most so many digits, evenly spread")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--write", action="store_true", help="also to results/mnist_c.md")
    parser.add_argument("--sheet", type=Path, help="draw examples into this PNG")
    options = parser.parse_args()
    digits = evenly(load_digits("mnist").part(options.part), options.limit)
    if options.sheet:
        options.sheet.write_bytes(draw(digits, options.seed))
    if not options.models:
        return
    models = [load_model(name, threads=1) for name in options.models]
    rows = measure(models, digits, options.seed, options.jobs)
    text = (
        f"{table([model.name for model in models], rows, len(digits))}\n\n"
        f"{len(digits):,} digits of {digits.source}, seed {options.seed}; "
        f"{time.strftime('%Y-%m-%d')}.\n"
    )
    keep("mnist_c", text, write=options.write)


if __name__ == "__main__":
    main()
