"""What a batch costs beside the bare work: time, memory, and the folder of a million rows.

    python benchmarks/batch.py --count 1000 --rows 1000000 --write

Small generated pictures are predicted: by `Rows` in this process, which is the bare work, by
`digitlens batch predict` with one process and with two, and by `digitlens predict --jsonl`. A
million rows of a made-up task go through a ledger. ``--write`` keeps the table.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from digitlens.batch import Item, Rows, make_ledger, run_batch
from digitlens.workers import visible_cpus

TARGET = Path(__file__).parent / "results" / "batch.md"
SIDE = 200  # of the pictures, in pixels
LOOK_SECONDS = 0.05  # between two looks at the memory of a command


def draw_pictures(folder: Path, count: int) -> None:
    """Write `count` pictures of a stroke on paper, each at another place."""
    rng = np.random.default_rng(0)
    for index in range(count):
        pixels = rng.normal(220, 4, (SIDE, SIDE)).clip(0, 255).astype(np.uint8)
        x, y = rng.integers(30, SIDE - 50, 2)
        pixels[y - 25 : y + 45, x : x + 9] = 30
        Image.fromarray(pixels).save(folder / f"{index:06d}.png", compress_level=1)


def work_alone(folder: Path) -> float:
    """Return the seconds that the rows of all pictures take in this process."""
    rows = Rows("predict", flat=False)
    rows.load()
    begun = time.perf_counter()
    for path in sorted(folder.iterdir()):
        rows(path)
    return time.perf_counter() - begun


def run_command(*words: str) -> tuple[float, float, float]:
    """Run digitlens; return seconds, processor seconds, and MiB at most of its own process."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "digitlens", *words]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        most = max(most, read_peak(process.pid))
        time.sleep(LOOK_SECONDS)
    seconds = time.perf_counter() - begun
    if process.returncode not in (0, 3):
        sys.exit(f"{' '.join(words)}: exit code {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, used, most / 1024


def read_peak(process: int) -> int:
    """Return the KiB that a process held at most; 0 where that is not told."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def measure_ledger(folder: Path, rows: int) -> Iterator[str]:
    """Yield the lines of the table for a made-up task of so many rows."""

    def make(parts: Iterator[Any], _: Rows) -> Iterator[Any]:
        for part, items in parts:
            yield part, [{"file": item.name, "digit": 7, "confidence": 0.99} for item in items]

    request = {"inputs": ["made up"], "part_size": 1000, "form": "jsonl"}
    items = (Item(Path(f"scans/{index:08d}.png"), f"scans/{index:08d}.png", "")
             for index in range(rows))  # fmt: skip
    begun = time.perf_counter()
    ledger = make_ledger(folder, request, items)
    listed = time.perf_counter()
    run_batch(ledger, Rows("predict"), make)
    done = time.perf_counter()
    status = ledger.read_status()
    told = time.perf_counter()
    if (status.rows, status.done) != (rows, ledger.parts):
        sys.exit(f"{status} of {rows} rows")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield f"| a ledger of {rows:,} rows: listed | {listed - begun:.1f} s | |"
    yield f"| its parts written | {done - listed:.1f} s | {peak:,.0f} MiB |"
    yield f"| its status read | {told - done:.2f} s | |"


def measure(folder: Path, count: int) -> Iterator[str]:
    """Yield the lines of the table for so many pictures."""
    pictures = folder / f"pictures-{count}"
    pictures.mkdir()
    draw_pictures(pictures, count)
    head = f"{count:,} pictures of {SIDE} x {SIDE}"
    bare = work_alone(pictures)
    yield f"| {head}: the bare work, one process | {bare:.1f} s | |"
    alone = ("predict", str(pictures), "--jsonl", "--workers", "1")
    commands: dict[str, tuple[str, ...]] = {"predict --jsonl --workers 1": alone}
    for workers in (1, 2):
        out = str(folder / f"out-{count}-{workers}")
        batch = ("batch", "predict", str(pictures), "--out", out, "--workers", str(workers))
        commands[f"batch predict --workers {workers}"] = batch
    for what, words in commands.items():
        seconds, used, peak = run_command(*words)
        yield f"| {what} | {seconds:.1f} s, {used:.1f} of processors | {peak:,.0f} MiB |"


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    lines = ["| what | time | memory of the driver, at most |", "|---|---|---|"]
    with tempfile.TemporaryDirectory(prefix="batch-") as name:
        lines += measure_ledger(Path(name) / "ledger", chosen.rows)
        for count in chosen.count:
            lines += measure(Path(name), count)
    lines.append(f"\n{visible_cpus()} cores, load {os.getloadavg()[0]:.1f} at the end.")
    text = "\n".join(lines) + "\n"
    print(text)
    if chosen.write:
        TARGET.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
