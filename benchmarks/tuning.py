"""Learning a hand: how long it takes, what it gains, what it costs.

    python benchmarks/tuning.py [--from cnn] [--seeds 3] [--write]

Writes a few dozen pictures of a made-up hand (`hand`), gives them to `digitlens train --from`
as a user would, in a process of its own, and measures before and after: 600 other pictures of
the same hand, and the misses among MNIST's 10,000 test digits, which training never opens.
"Without MNIST" is the same on a machine that has only the UCI digits to rehearse. The settings
were chosen on this hand with these test misses in view, so the table is no independent test.

Prints Markdown; with ``--write`` also to benchmarks/results/tuning.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from digitlens import load_digits, load_model
from digitlens.imaging import frame_digit
from hand import pictures
from peer import keep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens import Digits, Model

COUNT = 24
OTHERS = 600
HANDS = {"like a 7": (0.28, 0.6), "as in school": (0.5, 0.9)}
"""How far down the flag of the 1 comes, in heights, by what is said of it."""


@dataclass(frozen=True)
class Row:
    """One hand: misses before and after on the hand and on MNIST, and seconds."""

    hand: str
    rehearsed: str
    own: list[tuple[int, int]]
    mnist: list[tuple[int, int]]
    seconds: list[float]

    def markdown(self) -> str:
        """Return the row of the table; lists go over the seeds."""
        own_before, own_after = zip(*self.own, strict=True)
        before, after = zip(*self.mnist, strict=True)
        cells = [
            f"flag {self.hand}",
            self.rehearsed,
            _several(own_before),
            _several(own_after),
            str(before[0]),
            _several(after),
            f"{np.median(self.seconds):.1f}",
        ]
        return f"| {' | '.join(cells)} |"


def learn(start: str, hand: str, seeds: int, test: Digits, *, mnist: bool) -> Row:
    """Learn the hand called `hand` once a seed, each time from other pictures."""
    row = Row(hand, "MNIST" if mnist else "without MNIST", [], [], [])
    before = load_model(start)
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _write(folder / "mine", hand, seed)
            row.seconds.append(_train(start, before.card.network, folder, mnist=mnist))
            after = load_model(folder / "run")
            pages, labels = pictures(OTHERS, steep=HANDS[hand], seed=1_000 + seed)
        images = np.stack([frame_digit(page) for page in pages])
        row.own.append((_misses(before, images, labels), _misses(after, images, labels)))
        row.mnist.append(
            (
                _misses(before, test.images, test.labels),
                _misses(after, test.images, test.labels),
            )
        )
    return row


def _write(folder: Path, hand: str, seed: int) -> None:
    pages, labels = pictures(COUNT, steep=HANDS[hand], seed=seed)
    for index, (page, label) in enumerate(zip(pages, labels, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / str(label) / f"{index:02}.png"), page)


def _train(start: str, network: str, folder: Path, *, mnist: bool) -> float:
    """Run the command, and return how many seconds it takes from its start to its exit."""
    environment = dict(os.environ)
    if not mnist:
        environment |= {"DIGITLENS_DATA": str(folder), "XDG_CACHE_HOME": str(folder)}
    command = [sys.executable, "-m", "digitlens", "train", network, "--from", start]
    command += ["--data", str(folder / "mine"), "--out", str(folder / "run")]
    began = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began


def _misses(model: Model, images: np.ndarray, labels: np.ndarray) -> int:
    return int((model.predict(images).labels != labels).sum())


def _several(numbers: Sequence[int]) -> str:
    return ", ".join(str(number) for number in numbers)


def main() -> None:
    """Measure every hand and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--from", dest="start", default="cnn", help="the model to go on from")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="also to results/tuning.md")
    wanted = parser.parse_args()
    start = str(Path(wanted.start).resolve()) if Path(wanted.start).exists() else wanted.start
    test = load_digits("mnist").test
    rows = [
        learn(start, hand, wanted.seeds, test, mnist=mnist)
        for mnist in (True, False)
        for hand in HANDS
    ]
    text = "\n".join(
        [
            f"`digitlens train --from {Path(start).name}` on {COUNT} pictures of a made-up "
            f"hand; misses for each of {wanted.seeds} hands.",
            "",
            f"| 1 with a | rehearsed | misses of {OTHERS} others before | after "
            "| of MNIST's 10,000 test digits before | after | seconds, start to exit |",
            "|---|---|---|---|---|---|---|",
            *(row.markdown() for row in rows),
        ]
    )
    keep("tuning", text + "\n", write=wanted.write)


if __name__ == "__main__":
    main()
