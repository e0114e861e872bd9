"""What a batch costs beside the bare work, what it holds, and what more workers bring.

    make bench-batch

Generated pictures of a stroke are predicted: by `Rows` in this process, which is the bare work,
and by a batch with one and two workers, processes of this machine and Ray's where it is
installed, in turns. Speeds are taken after the first quarter of the parts, when all workers are
there. The memory of `digitlens predict` is looked at with few and many pictures, and a million
rows of a made-up task go through the folder of a batch.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from digitlens.batch import (
    Item,
    LocalEngine,
    Rows,
    list_items,
    make_ledger,
    make_request,
    run_batch,
)
from digitlens.batch.ray_engine import RayEngine
from peer import keep, machine, read_memory

if TYPE_CHECKING:
    from collections.abc import Callable

LOOK_SECONDS = 0.2  # between two looks at the memory of a command
PART_SIZE = 25


def draw_pictures(folder: Path, count: int, height: int, width: int, links: int = 1) -> Path:
    """Write pictures of a stroke on paper, each at another place and under `links` names."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for index in range(count):
        pixels = rng.normal(220, 4, (height, width)).clip(0, 255).astype(np.uint8)
        x, y = (int(size * rng.uniform(0.3, 0.7)) for size in (width, height))
        stroke = max(3, height // 22)
        pixels[y - height // 4 : y + height // 4, x : x + stroke] = 30
        path = folder / f"{index:06d}.png"
        Image.fromarray(pixels).save(path, compress_level=1)
        for link in range(1, links):
            os.link(path, folder / f"{index:06d}-{link:04d}.png")
    return folder


# Speed: pictures a second, of the bare work and of engines.


def time_bare(rows: Rows, pictures: Path) -> float:
    """Return the pictures a second of the work alone."""
    paths = sorted(pictures.iterdir())
    begun = time.perf_counter()
    for path in paths:
        rows(path)
    return len(paths) / (time.perf_counter() - begun)


def time_batch(rows: Rows, pictures: Path, engine: Any) -> float:
    """Return the pictures a second of a batch after the first quarter of its parts."""
    request = make_request(rows, [str(pictures)], part_size=PART_SIZE)
    marks: list[tuple[float, int]] = []
    with tempfile.TemporaryDirectory(prefix="batch-") as name:
        ledger = make_ledger(Path(name), request, list_items([str(pictures)]))
        run_batch(
            *(ledger, rows, engine),
            progress=lambda count: marks.append((time.perf_counter(), count)),
        )
    first = len(marks) // 4
    count = sum(count for _, count in marks[first + 1 :])
    return count / (marks[-1][0] - marks[first][0])


def time_ray(rows: Rows, pictures: Path, workers: int) -> float:
    """Return the pictures a second of so many workers of Ray."""
    import ray

    try:
        return time_batch(rows, pictures, RayEngine(workers=workers))
    finally:
        ray.shutdown()


def measure_speed(pictures: Path, count: int, rounds: int) -> Iterator[str]:
    """Yield the lines of the table for the speed of all engines."""
    rows = Rows("predict", flat=False)
    rows.load()
    ways: dict[str, Callable[[], float]] = {"bare": partial(time_bare, rows, pictures)}
    for workers in (1, 2):
        engine = LocalEngine(workers)
        ways[f"local {workers}"] = partial(time_batch, rows, pictures, engine)
    try:
        import ray  # noqa: F401
    except ModuleNotFoundError:
        yield "| engine ray | not measured: Ray is not installed | |"
    else:
        ways |= {
            f"ray {workers}": partial(time_ray, rows, pictures, workers) for workers in (1, 2)
        }
    speeds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, measure in ways.items():
            speeds[way].append(measure())
    speed = median(speeds["bare"])
    yield f"| the bare work, {count:,} pictures of 200 x 200 | {speed:.0f} pictures/s | |"

    def relate(way: str, other: str) -> float:
        return median(a / b for a, b in zip(speeds[way], speeds[other], strict=True))

    cost = 100 * (relate("bare", "local 1") - 1)
    yield f"| overhead of `batch` over it, one worker | {cost:.1f} % | <= 5 % |"
    for kind, wanted in (("local", 1.8), ("ray", 1.7)):
        if f"{kind} 2" in speeds:
            gain, speed = relate(f"{kind} 2", f"{kind} 1"), median(speeds[f"{kind} 2"])
            told = f"{gain:.2f} ({speed:.0f} pictures/s)"
            yield f"| two workers against one, engine {kind} | {told} | >= {wanted} |"


# Memory: of `predict`, at most.


def measure_memory(pictures: Path, what: str) -> Iterator[str]:
    """Yield the line of the table for `predict` over a folder."""
    command = [sys.executable, "-m", "digitlens", "predict", str(pictures), "--jsonl"]
    begun, own, workers = time.perf_counter(), 0, 0
    process = subprocess.Popen(
        [*command, "--workers", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None:
        for path in Path("/proc").glob("[0-9]*"):
            try:
                parent, peak = read_memory(int(path.name))
            except (OSError, ValueError, KeyError):  # it has ended
                continue
            if int(path.name) == process.pid:
                own = max(own, peak)
            elif parent == process.pid:
                workers = max(workers, peak)
        time.sleep(LOOK_SECONDS)
    if process.returncode not in (0, 3):
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}")
    seconds = time.perf_counter() - begun
    yield (
        f"| memory of `predict --workers 2`, {what} | {own / 1024:,.0f} MiB, "
        f"each worker {workers / 1024:,.0f} MiB; {seconds:.0f} s | <= 200 MB |"
    )


# The ledger: a made-up task, in a process of its own.


def work_ledger(folder: Path, rows: int) -> dict[str, float]:
    """Take a made-up task of so many rows through a folder; return seconds and memory."""

    def make(parts: Iterator[Any], _: Rows) -> Iterator[Any]:
        for part, items in parts:
            yield part, [{"file": item.name, "digit": 7, "confidence": 0.99} for item in items]

    request = {"inputs": ["made up"], "part_size": 1000, "form": "jsonl", "command": "predict"}
    names = (f"scans/{index:08d}.png" for index in range(rows))
    begun = time.perf_counter()
    ledger = make_ledger(folder, request, (Item(Path(name), name, "") for name in names))
    run_batch(ledger, Rows("predict"), make)
    done = time.perf_counter()
    peak = read_memory(os.getpid())[1] / 1024
    if (status := ledger.read_status()).rows != rows or status.done != ledger.parts:
        sys.exit(f"{status} of {rows} rows")
    status_seconds = time.perf_counter() - done
    return {"seconds": done - begun, "status": status_seconds, "peak": peak}


def measure_ledger(folder: Path, rows: int) -> Iterator[str]:
    """Yield the line of the table for a made-up task of so many rows."""
    command = [
        sys.executable,
        __file__,
        "--ledger",
        str(folder / f"{rows}"),
        "--rows",
        str(rows),
    ]
    values = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    yield (
        f"| {rows:,} rows of a made-up task listed and written | {values['seconds']:.0f} s, "
        f"{values['peak']:.0f} MiB | memory flat |"
    )
    yield f"| their status read | {values['status']:.2f} s | < 2 s |"


def measure(folder: Path, chosen: argparse.Namespace) -> Iterator[str]:
    """Yield the lines of the table."""
    yield from measure_ledger(folder, chosen.rows // 10)
    yield from measure_ledger(folder, chosen.rows)
    small = draw_pictures(folder / "small", chosen.count, 200, 200)
    yield from measure_speed(small, chosen.count, chosen.rounds)
    photos = draw_pictures(folder / "photos", 10, 1200, 1600, chosen.photos // 10)
    yield from measure_memory(photos, f"{chosen.photos:,} photos of 1600 x 1200")
    for count in sorted({1000, chosen.many}):
        tiny = draw_pictures(folder / f"tiny-{count}", 100, 28, 28, count // 100)
        yield from measure_memory(tiny, f"{count:,} pictures of 28 x 28")


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1200, help="pictures for the speed")
    parser.add_argument("--rounds", type=int, default=3, help="turns for the speed")
    parser.add_argument("--photos", type=int, default=1000, help="photos for the memory")
    parser.add_argument("--many", type=int, default=100_000, help="tiny ones for the memory")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the made-up task")
    parser.add_argument("--ledger", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help="keep the table")
    chosen = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    if chosen.ledger:
        print(json.dumps(work_ledger(chosen.ledger, chosen.rows)))
        return
    lines = ["| batch | measured | wanted |", "|---|---|---|"]
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="batch-") as name:
        for line in measure(Path(name), chosen):
            print(line, file=sys.stderr, flush=True)
            lines.append(line)
    minutes = (time.perf_counter() - begun) / 60
    load = f"load {os.getloadavg()[0]:.1f} at the end, {minutes:.0f} minutes"
    lines.append(f"\n{machine()}; {load}; {datetime.now(UTC).date()}.")
    keep("batch", "\n".join(lines) + "\n", write=chosen.write)


if __name__ == "__main__":
    main()
