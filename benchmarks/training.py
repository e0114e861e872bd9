"""Training beside Keras: a table of docs/benchmarks.md.

    make bench-training

Ten seeds of each network are trained by `digitlens train NETWORK --validation 0`, each in a
process of its own and in turn, from start to exit; between them Keras' own example trains in a
virtual environment of its own (.bench/keras, made on the first run). Then each network's test
misses are counted once. Give the machine nothing else to do meanwhile: only ratios of times
taken in turn mean something, and even they suffer.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from peer import KERAS_PACKAGES, PEER, keep, keras_python, machine, timed

NETWORKS = ("quick", "dense", "convnet")


@dataclass
class Series:
    """The runs of one command: seconds from start to exit, peak memory in MiB, test misses."""

    name: str
    seconds: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    misses: list[int] = field(default_factory=list)

    def row(self, peer: Series, count: int) -> str:
        """Return the table's row."""
        right = [100 * (count - miss) / count for miss in self.misses]
        spread = f" ± {statistics.stdev(right):.3f}" if len(right) > 1 else ""
        median = statistics.median(self.seconds)
        ratio = statistics.median(peer.seconds) / median
        share = "1" if self is peer else f"1/{ratio:.1f}"
        return (
            f"| `{self.name}` | {statistics.fmean(right):.3f} %{spread} | {min(right):.2f} to "
            f"{max(right):.2f} % | {len(right)} | {median:.2f} s | {share} | "
            f"{max(self.memory):.0f} MiB |"
        )


def train_all(seeds: int, rounds: int, folder: Path) -> tuple[dict[str, Series], Series]:
    """Train every seed of every network, and Keras' example now and then, in turn."""
    digitlens = str(Path(sys.executable).with_name("digitlens"))
    ours = {name: Series(f"digitlens train {name}") for name in NETWORKS}
    peer = Series("Keras mnist_convnet")
    peer_after = {round(turn * seeds / rounds) for turn in range(rounds)}
    for seed in range(seeds):
        for name, series in ours.items():
            out = folder / f"{name}-{seed}"
            options = ["--validation", "0", "--seed", str(seed), "--out", str(out)]
            seconds, memory, _ = timed([digitlens, "train", name, *options], folder)
            series.seconds.append(seconds)
            series.memory.append(memory)
            print(f"{name} seed {seed}: {seconds:.2f} s", file=sys.stderr)
        if seed in peer_after:
            command = [keras_python(), str(PEER), "train", str(folder / "peer.keras")]
            seconds, memory, printed = timed(command, folder)
            peer.seconds.append(seconds)
            peer.memory.append(memory)
            peer.misses.append(json.loads(printed.splitlines()[-1])["misses"])
            print(f"Keras: {seconds:.2f} s", file=sys.stderr)
    return ours, peer


def count_misses(ours: dict[str, Series], seeds: int, folder: Path) -> int:
    """Open the test set, once, and count each network's misses; return its size."""
    from digitlens import load_digits, load_model

    test = load_digits("mnist").test
    for name, series in ours.items():
        for seed in range(seeds):
            answers = load_model(folder / f"{name}-{seed}").predict(test.images)
            series.misses.append(int((answers.labels != test.labels).sum()))
    return len(test)


def report(ours: dict[str, Series], peer: Series, count: int) -> str:
    """Return the table as Markdown."""
    from importlib.metadata import version

    lines = [
        "| command, start to exit | test accuracy, mean ± sd | from, to | runs "
        "| median time | of Keras' | peak memory |",
        "|---|---|---|---|---|---|---|",
        *(series.row(peer, count) for series in (*ours.values(), peer)),
        "",
        f"Trained on all 60,000 digits, counted once on the {count:,} of the test set. "
        f"{machine()}, torch {version('torch')}, {', '.join(KERAS_PACKAGES)}; "
        f"{time.strftime('%Y-%m-%d')}.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the benchmark and write its table to benchmarks/results/training.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3, help="runs of Keras' example")
    options = parser.parse_args()
    if "DIGITLENS_DATA" not in os.environ:
        sys.exit("set DIGITLENS_DATA to the folder with MNIST's files: Keras reads it too")
    keras_python()
    folder = Path(tempfile.mkdtemp(prefix="digitlens-bench-"))
    try:
        ours, peer = train_all(options.seeds, options.rounds, folder)
        count = count_misses(ours, options.seeds, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    keep("training", report(ours, peer, count))


if __name__ == "__main__":
    main()
