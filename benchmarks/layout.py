"""Which lines of composed pages are found, and how long that takes.

``DIGITLENS_DATA=... .venv/bin/python benchmarks/layout.py`` composes pages of each kind in
`pages.py` out of MNIST's test digits and prints, for each: lines; the share found whole, that
is by one crop whose box overlaps the line's by 0.7 (intersection over union), while no crop
holds most of it together with most of another line; crops a page; how often the crops come
in the page's order; and milliseconds of CPU time a page.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np

from digitlens.layout import find_lines
from digitlens.synth import prepare_glyphs
from pages import KINDS, Page, compose

if TYPE_CHECKING:
    from digitlens.geometry import Box
    from digitlens.layout import PageLayout

MIN_IOU = 0.7
"""Intersection over union from which a line is found."""


def overlap(one: Box, two: Box) -> float:
    """Return the intersection over union of two boxes."""
    width = min(one[2], two[2]) - max(one[0], two[0])
    height = min(one[3], two[3]) - max(one[1], two[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = ((item[2] - item[0]) * (item[3] - item[1]) for item in (one, two))
    return width * height / (sum(areas) - width * height)


def _contains(box: Box, line: Box) -> bool:
    """Say whether most of a line lies in a box."""
    width = min(box[2], line[2]) - max(box[0], line[0])
    height = min(box[3], line[3]) - max(box[1], line[1])
    area = (line[2] - line[0]) * (line[3] - line[1])
    return min(width, height) > 0 and width * height > MIN_IOU * area


def count_found(page: Page, layout: PageLayout) -> tuple[int, bool, list[int]]:
    """Return how many lines were found whole, whether in order, and which were missed."""
    boxes = [crop.box for crop in layout.crops]
    truth = [line.box for line in page.lines]
    joined = {
        index
        for box in boxes
        if len(held := [index for index, item in enumerate(truth) if _contains(box, item)]) > 1
        for index in held
    }
    result, missed = [], []
    for index, line in enumerate(page.lines):
        scores = [overlap(line.box, box) for box in boxes]
        best = int(np.argmax(scores)) if scores else -1
        if scores and scores[best] >= MIN_IOU and index not in joined:
            result.append(best)
        else:
            missed.append(index)
    whole = len(set(result))
    return whole, result == sorted(result), missed


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    from digitlens.data import load_digits

    glyphs = prepare_glyphs(load_digits("mnist").test)
    print(f"{'kind':<10}{'lines':>6}{'whole':>8}{'crops':>8}{'order':>7}{'ms':>6}")
    total = np.zeros(2, int)
    for kind in options.kinds.split(","):
        lines = whole = crops = ordered = 0
        times = []
        for seed in range(options.seed, options.seed + options.pages):
            page = compose(glyphs, seed, kind)
            start = time.process_time()
            layout = find_lines(page.image)
            times.append(time.process_time() - start)
            hits, order, _ = count_found(page, layout)
            lines, whole, crops = lines + len(page.lines), whole + hits, crops + len(layout)
            ordered += order
        total += (lines, whole)
        share, item = whole / max(lines, 1), options.pages
        print(
            f"{kind:<10}{lines:>6}{share:>8.1%}{crops / item:>8.1f}{ordered / item:>7.0%}"
            f"{1000 * float(np.median(times)):>6.0f}"
        )
    print(f"{'all':<10}{total[0]:>6}{total[1] / total[0]:>8.1%}")


if __name__ == "__main__":
    main()
