"""How long MNIST takes to load: from gz files, with hashes, writers and the split.

``.venv/bin/python benchmarks/loading.py`` prints the median of seven loads in one process,
and of three whole processes. DIGITLENS_DATA must name a folder with MNIST's files.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time

LOADS = 7
PROCESSES = 3


def loads() -> list[float]:
    """Return the seconds of each of `LOADS` loads in this process."""
    from digitlens.data import load_digits

    seconds = []
    for _ in range(LOADS):
        start = time.perf_counter()
        data = load_digits("mnist")
        seconds.append(time.perf_counter() - start)
    count = len(data.train) + len(data.validation) + len(data.test)
    print(f"{count:,} digits; {data.split}")
    return seconds


def processes() -> list[float]:
    """Return the seconds of each of `PROCESSES` processes that load once, start to exit."""
    code = "from digitlens.data import load_digits; load_digits('mnist')"
    seconds = []
    for _ in range(PROCESSES):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        seconds.append(time.perf_counter() - start)
    return seconds


def row(what: str, seconds: list[float]) -> str:
    """Return one line: the median, and the span."""
    middle = statistics.median(seconds)
    span = f"{min(seconds):.2f}..{max(seconds):.2f}"
    return f"{what:<34} {middle:.3f} s   ({span}, n = {len(seconds)})"


def main() -> None:
    """Print the table."""
    if not os.environ.get("DIGITLENS_DATA"):
        sys.exit("DIGITLENS_DATA is not set: it must name a folder with MNIST's files")
    print(f"{os.cpu_count()} x {platform.machine()}, Python {platform.python_version()}")
    print(row("load_digits('mnist'), in process", loads()))
    print(row("python -c load_digits, a process", processes()))


if __name__ == "__main__":
    main()
