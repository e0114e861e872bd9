"""Sample mail, and what becomes of it: by the commands that a user types."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from digitlens.mail.plan import SortPlan

WAITING = 3
"""The exit code of `digitlens route` while pieces wait for a person."""

ACCEPTED = "accepted"


@dataclass(frozen=True)
class Sorted:
    """What became of pieces.

    Parameters
    ----------
    pieces, accepted
        Counts.
    wrong, misrouted
        Of the accepted: with a wrong ZIP; in a tray that is another one than the true ZIP's.
    expected
        How many of the accepted are wrong as their probabilities have it.
    seconds
        Of the whole command, start and listing included.
    reasons
        Why how many wait for a person.
    """

    pieces: int
    accepted: int
    wrong: int
    misrouted: int
    expected: float = 0.0
    seconds: float = 0.0
    reasons: Mapping[str, int] | None = None


def digitlens(*words: object, allowed: Sequence[int] = (0,)) -> str:
    """Run a command of digitlens; return what it printed.

    Raises
    ------
    SystemExit
        It ended with another exit code.
    """
    command = [sys.executable, "-m", "digitlens", *map(str, words)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in allowed:
        sys.exit(f"{' '.join(command)} ended with exit code {done.returncode}")
    return done.stdout


def make_sample(count: int, seed: int, home: Path) -> Path:
    """Return a folder of sample mail; it is drawn where it is not there yet."""
    folder = home / f"sample-{count}-seed-{seed}"
    if not (folder / "truth.csv").exists():
        print(f"drawing {count:,} pieces into {folder} ...", file=sys.stderr)
        digitlens("mail", "sample", count, "--out", folder, "--seed", seed, "--digits", "mnist")
    return folder


def find_list(given: Path | None) -> Path | None:
    """Return the labeling list L002: the one given, or the last in DIGITLENS_MAIL, or None."""
    if given is not None:
        return given
    folder = os.environ.get("DIGITLENS_MAIL")
    result = sorted(Path(folder).glob("*L002*.csv")) if folder else []
    return result[-1] if result else None


def read_truth(folder: Path) -> dict[str, str]:
    """Return the true ZIP of each piece of sample mail."""
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        return {row["piece"]: row["zip"] for row in csv.DictReader(file)}


def route(folder: Path, plan: Path, out: Path, *more: object) -> tuple[dict[str, Any], float]:
    """Sort a folder with `digitlens route`; return pieces.json and the seconds it took."""
    shutil.rmtree(out, ignore_errors=True)
    began = time.perf_counter()
    digitlens(
        *("route", folder, "--plan", plan, "--out", out, "--json", *more),
        allowed=(0, WAITING),
    )
    seconds = time.perf_counter() - began
    result: dict[str, Any] = json.loads((out / "pieces.json").read_text(encoding="utf-8"))
    return result, seconds


def count_sorted(
    result: Mapping[str, Any], truth: Mapping[str, str], plan: SortPlan, seconds: float
) -> Sorted:
    """Count what `route` returned beside the truth.

    Raises
    ------
    SystemExit
        A piece was lost, or there are others than there should be.
    """
    rows = result["pieces"]
    if sorted(row["name"] for row in rows) != sorted(truth):
        sys.exit(f"{len(rows)} pieces were sorted of {len(truth)}: some were lost or added")
    accepted = [row for row in rows if row["decision"] == ACCEPTED]
    wrong = [row for row in accepted if row["zip"] != truth[row["name"]]]
    misrouted = sum(
        plan.find_tray(row["zip"]) != plan.find_tray(truth[row["name"]]) for row in wrong
    )
    return Sorted(
        len(rows),
        len(accepted),
        len(wrong),
        misrouted,
        sum(1 - row["probability"] for row in accepted),
        seconds,
        result["summary"]["reasons"],
    )
