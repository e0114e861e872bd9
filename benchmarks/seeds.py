"""What seeds make of a recipe: its mean over seeds, and an ensemble's single members.

    python benchmarks/seeds.py tiny quick --out RUNS    trains seeds 0 to 9, or reads them
    python benchmarks/seeds.py --members runs/train/best-1

Every seed counts and is trained once on all 60,000 digits; the test set is opened once for
each. Training one that is not in RUNS yet takes as long as `digitlens train NAME` does.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from digitlens import load_digits, load_model
from digitlens.runs import METRICS
from peer import keep, machine

if TYPE_CHECKING:
    from digitlens.digits import Digits


def trained(name: str, seed: int, out: Path) -> Path:
    """Return the run folder of `name` with `seed`, training it when it is not there."""
    folder = out / f"{name}-{seed}"
    if not (folder / METRICS).exists():
        digitlens = str(Path(sys.executable).with_name("digitlens"))
        options = ["--validation", "0", "--seed", str(seed), "--out", str(folder)]
        subprocess.run([digitlens, "train", name, *options], check=True)
    return folder


def row(title: str, folders: list[Path], test: Digits) -> str:
    """Return the table's row: mean, standard deviation and range over the runs."""
    misses = [
        int((load_model(folder).predict(test.images).labels != test.labels).sum())
        for folder in folders
    ]
    right = [100 - 100 * miss / len(test) for miss in misses]
    return (
        f"| {title} | {statistics.fmean(right):.3f} % ± {statistics.stdev(right):.3f} | "
        f"{min(right):.2f} to {max(right):.2f} % | {', '.join(map(str, misses))} |"
    )


def main() -> None:
    """Print the table and write it to benchmarks/results/seeds.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", metavar="NETWORK")
    parser.add_argument("--out", type=Path, default=Path("runs/seeds"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--members", type=Path, help="a run folder of best")
    options = parser.parse_args()
    runs = {
        name: [trained(name, seed, options.out) for seed in range(options.seeds)]
        for name in options.names
    }
    if options.members:
        members = sorted(options.members.glob("member-*"), key=lambda path: int(path.name[7:]))
        runs["single members of best"] = members
    test = load_digits("mnist").test
    rows = [row(name, folders, test) for name, folders in runs.items()]
    lines = [
        "| network | test accuracy, mean ± sd | from, to | misses by seed |",
        "|---|---|---|---|",
        *rows,
        "",
        f"All 60,000 digits trained on; {machine()}; {time.strftime('%Y-%m-%d')}.",
    ]
    keep("seeds", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
