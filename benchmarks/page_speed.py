"""How long a page takes to be read: the median of real pages, of large photos, and the slowest.

    make bench-pages

Each picture of the folder that DIGITLENS_REAL names, single digits left out, is read on one
core, three times (``--rounds``); its quickest time counts, once of the clock and once of the
processor. Freed memory is kept from page to page, as by `digitlens read`. Large photos have 1.5
to 3 million pixels. With ``--every N`` only each Nth is read.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

PIXELS = 1.5e6, 3e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    folder = os.environ.get("DIGITLENS_REAL")
    if folder is None:
        sys.exit("DIGITLENS_REAL is not set: the folder with real pictures")
    from digitlens import Reader
    from digitlens.imaging.inputs import PAGE_BYTES, tune_malloc, use_one_core
    from digitlens.imaging.io import IMAGE_SUFFIXES, load_image

    use_one_core()
    tune_malloc(PAGE_BYTES)
    paths = [
        path
        for path in sorted(Path(folder).rglob("*"))
        if path.suffix.lower() in IMAGE_SUFFIXES and "digits" not in path.parts
    ][:: options.every]
    reader = Reader()
    reader.page(paths[0])
    rows: list[tuple[float, float, int, str]] = []
    for path in paths:
        times = []
        for _ in range(options.rounds):
            start, clock = time.process_time(), time.perf_counter()
            reader.page(path)
            times.append((time.perf_counter() - clock, time.process_time() - start))
        wall, processor = (1000 * min(column) for column in zip(*times, strict=True))
        height, width = load_image(path).pixels.shape[:2]
        rows.append((wall, processor, height * width, path.name))
    large = [row for row in rows if PIXELS[0] <= row[2] <= PIXELS[1]]
    print("| pages | count | median ms | of the processor | slowest ms | which |")
    print("|---|---|---|---|---|---|")
    for name, some in (("all", rows), ("1.5 to 3 megapixels", large)):
        if some:
            medians = (
                statistics.median(row[0] for row in some),
                statistics.median(row[1] for row in some),
            )
            slowest = max(some)
            print(
                f"| {name} | {len(some)} | {medians[0]:.0f} | {medians[1]:.0f} "
                f"| {slowest[0]:.0f} | {slowest[3]} |"
            )


if __name__ == "__main__":
    main()
