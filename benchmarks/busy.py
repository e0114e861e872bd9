"""A training beside a busy program: what it costs, by threads and by how they wait.

    make bench-busy

`digitlens train quick` from start to exit, alone and beside a process that never rests, in
turn; as it is, and with other settings of torch's threads (OpenMP). `import torch` alone is
timed in the same turns. Give the machine nothing else to do meanwhile.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from peer import keep, machine, timed

SETTINGS: dict[str, dict[str, str]] = {
    "as it is": {},
    "sleeps at once": {"GOMP_SPINCOUNT": "0"},
    "spins 0.05 ms": {"GOMP_SPINCOUNT": "1000"},
    "spins 1 ms": {"GOMP_SPINCOUNT": "20000"},
    "one thread": {"OMP_NUM_THREADS": "1"},
    "sharing a core": {"GOMP_SPINCOUNT": "0", "OMP_NUM_THREADS": str(os.cpu_count() or 1)},
}
"""What the environment says, by a name; those of `SHARED` have one core for all threads."""

SHARED = "sharing a core"
TORCH = "import torch"


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep so many processes busy meanwhile."""
    loop = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(loop) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


@contextlib.contextmanager
def on_one_core() -> Iterator[None]:
    """Begin processes that run on one core: with the same threads, and so the same weights."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def measure(
    rounds: int, neighbours: int, folder: Path, names: list[str]
) -> dict[tuple[str, int], list[float]]:
    """Return the seconds of each setting, alone (0) and beside `neighbours` processes."""
    digitlens = str(Path(sys.executable).with_name("digitlens"))
    seconds: dict[tuple[str, int], list[float]] = {}
    for turn in range(rounds):
        for count in (0, neighbours):
            for name in (*names, TORCH):
                changes = SETTINGS.get(name, {})
                out = folder / f"{turn}-{count}-{name}"
                command = [digitlens, "train", "quick", "--validation", "0", "--out", str(out)]
                if name == TORCH:
                    command = [sys.executable, "-c", TORCH]
                core = on_one_core() if name == SHARED else contextlib.nullcontext()
                with mock.patch.dict(os.environ, changes), busy(count), core:
                    taken, _, _ = timed(command, folder)
                seconds.setdefault((name, count), []).append(taken)
                print(f"{name}, beside {count}: {taken:.2f} s", file=sys.stderr)
    return seconds


def report(seconds: dict[tuple[str, int], list[float]], neighbours: int) -> str:
    """Return the table as Markdown."""
    torch = statistics.median(seconds[TORCH, 0])
    lines = [
        f"| `digitlens train quick`, start to exit | alone | beside {neighbours} busy | ratio "
        f"| alone, of `{TORCH}` |",
        "|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(name for name, _ in seconds):
        alone, beside = (statistics.median(seconds[name, count]) for count in (0, neighbours))
        lines.append(
            f"| {name} | {alone:.2f} s | {beside:.2f} s | {beside / alone:.2f} "
            f"| {alone / torch:.2f} |"
        )
    rounds = len(seconds[TORCH, 0])
    lines += ["", f"Medians of {rounds}, in turn. {machine()}; {time.strftime('%Y-%m-%d')}."]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the benchmark; with --write its table is kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--neighbours", type=int, default=1)
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="digitlens-busy-"))
    try:
        seconds = measure(options.rounds, options.neighbours, folder, options.settings)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    keep("busy", report(seconds, options.neighbours), write=options.write)


if __name__ == "__main__":
    main()
