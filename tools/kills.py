"""Kill commands that write at random moments, go on, and compare with an undisturbed run.

    python tools/kills.py --kills 100 --seed 1

Each round begins a command, kills it (SIGKILL) after a random part of the time that it takes,
and begins it again until it comes to its end. Then what it left must be, byte for byte, what an
undisturbed run left: nothing lost, doubled or left over.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from digitlens.mail.directory import Directory, Place
from digitlens.mail.plan import make_plan
from digitlens.mail.sorting import Review

PIECES = 40
ZIPS = ("02134", "90210", "10001", "00501")
# What differs from run to run by its nature: times, and files of SQLite and matplotlib.
VARYING = {"mail.sqlite", "mail.sqlite-wal", "mail.sqlite-shm", ".lock", "history.csv"}
VARYING |= {"pieces.json", "config.toml", "metrics.json", "card.md", "model.onnx", "changes.md"}
VARYING |= {"last.safetensors", "history.png", "confusion.png"}

FETCH = """
import sys, time
from pathlib import Path
from digitlens.storage import new_file

# What a download does, without a network: bytes that come slowly, and a file at the end.
content = bytes(1 << 20)
for number in range(8):
    target = Path(sys.argv[1]) / f"part-{number}"
    if not target.exists():
        with new_file(target) as (file, _):
            for start in range(0, len(content), 1 << 17):
                file.write(content[start : start + (1 << 17)])
                file.flush()
                time.sleep(0.004)
"""


@dataclass
class Case:
    """A command that writes; `prepare` makes its folder, and `command` is begun in it."""

    name: str
    prepare: Callable[[Path], None]
    command: Callable[[Path], list[str]]
    kills: int = 0
    rounds: int = 0
    faults: list[str] = field(default_factory=list)


def digitlens(*arguments: str) -> list[str]:
    """Return the command line of digitlens."""
    return [sys.executable, "-m", "digitlens", *arguments]


def make_mail(folder: Path) -> None:
    """Write pieces of mail, a plan, and what a reader read on them."""
    (folder / "mail").mkdir()
    rows = []
    for index in range(PIECES):
        pixels = np.full((40, 60), 255 - index, np.uint8)
        Image.fromarray(pixels).save(folder / "mail" / f"{index:02d}.png")
        text = ZIPS[index % 4] if index % 5 else "1"
        boxes = [[10 * place, 5, 10 * place + 8, 30] for place in range(len(text))]
        digits = [
            {"text": one, "confidence": 0.9999, "box": box}
            for one, box in zip(text, boxes, strict=True)
        ]
        line = {"text": text, "confidence": 0.9999, "box": [0, 5, 58, 30], "digits": digits}
        rows.append(json.dumps({"piece": f"{index:02d}.png", "lines": [line]}))
    (folder / "read.jsonl").write_text("\n".join(rows) + "\n")
    plan = 'default = "rest"\n[trays]\nma = ["02"]\nca = ["9"]\nny = ["1", "005"]\n'
    (folder / "plan.toml").write_text(plan)


def route(*more: str) -> Callable[[Path], list[str]]:
    """Return the command that sorts this mail."""
    common = ("--plan", "plan.toml", "--readings", "read.jsonl", "--out", "trays")
    return lambda _: digitlens("route", "mail", *common, *more)


def settle(folder: Path) -> None:
    """Sort the mail and let a person settle half of what waits."""
    make_mail(folder)
    subprocess.run(route()(folder), cwd=folder, capture_output=True, check=False)
    known = Directory(Place(zip_, "C", ("C",), "NY", "", "STANDARD") for zip_ in ZIPS)
    review = Review(folder / "trays", make_plan(known, "state"), known, now=lambda: 7.0)
    for _ in range(PIECES // 10):
        task = review.claim("ann")
        assert task is not None, "one in five waits"
        review.settle(task, "02134")


def lose(folder: Path) -> None:
    """Settle, and lose the state."""
    settle(folder)
    (folder / "trays/mail.sqlite").write_bytes(b"")
    for end in ("-wal", "-shm"):
        (folder / f"trays/mail.sqlite{end}").unlink(missing_ok=True)


def make_pictures(folder: Path) -> None:
    """Write pictures of strokes to be predicted, and some of bare paper."""
    (folder / "mail").mkdir()
    for index in range(PIECES):
        pixels = np.full((60, 60), 230, np.uint8)
        pixels[10:50, 20 + index // 4 : 26 + index // 4] = 30 if index % 5 else 230
        Image.fromarray(pixels).save(folder / "mail" / f"{index:02d}.png")


def make_digits(folder: Path) -> None:
    """Write digits to train on."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (600, 28, 28), np.uint8)
    np.savez(folder / "digits.npz", images=images, labels=np.arange(600) % 10)


def train(folder: Path) -> list[str]:
    """Return the command that begins a run, or goes on with it."""
    resume = ["--resume"] if (folder / "run/config.toml").exists() else ["--data", "digits.npz"]
    if (folder / "run/metrics.json").exists():
        return [sys.executable, "-c", ""]
    more = [] if resume == ["--resume"] else ["--epochs", "6", "--seed", "1"]
    return digitlens("train", "tiny", "--out", "run", *more, *resume)


CASES = (
    Case("route", make_mail, route()),
    Case("route --copy", make_mail, route("--copy")),
    Case(
        "mail corrections",
        settle,
        lambda _: digitlens("mail", "corrections", "--trays", "trays", "--out", "saved"),
    ),
    Case(
        "mail repair", lose, lambda _: digitlens("mail", "repair", "mail", "--trays", "trays")
    ),
    Case("train", make_digits, train),
    Case(
        "export",
        lambda _: None,
        lambda folder: (
            digitlens("export", "tiny", "--to", "onnx", "--out", "tiny.onnx")
            if not (folder / "tiny.onnx").exists()
            else [sys.executable, "-c", ""]
        ),
    ),
    Case(
        "batch",
        make_pictures,
        lambda _: digitlens(
            *("batch", "predict", "mail", "--out", "out", "--part-size", "4", "--workers", "1")
        ),
    ),
    Case(
        "fetch",
        lambda folder: (folder / "cache").mkdir(),
        lambda _: [sys.executable, "-c", FETCH, "cache"],
    ),
)


def snapshot(folder: Path) -> dict[str, str]:
    """Return the hash of each file, of what varies its presence, and every leftover."""
    result = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not path.name.endswith((".damaged", "-wal", "-shm")):
            varies = path.name in VARYING
            content = b"" if varies else path.read_bytes()
            result[name] = hashlib.sha256(content).hexdigest()
    if (folder / "trays").is_dir():
        result["pieces"] = str(listed(folder / "trays"))
    return result


def listed(trays: Path) -> list[tuple[str, str]]:
    """Return name and place of every piece, as the listing has them."""
    pieces = json.loads((trays / "pieces.json").read_text())["pieces"]
    return sorted((piece["name"], piece["file"]) for piece in pieces)


def finish(case: Case, folder: Path) -> float:
    """Run the command to its end; return the seconds that it took."""
    begun = time.monotonic()
    done = subprocess.run(
        case.command(folder), cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 3):
        case.faults.append(f"exit code {done.returncode}: {done.stderr[-500:]}")
    took = time.monotonic() - begun
    if case.name == "mail repair":  # mail is sorted on: nothing may be doubled
        subprocess.run(route()(folder), cwd=folder, capture_output=True, check=False)
    return took


def disturb(case: Case, folder: Path, seconds: float, rng: random.Random) -> bool:
    """Begin the command and kill it; return whether it was still at work."""
    process = subprocess.Popen(
        case.command(folder), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(seconds * rng.uniform(0.2, 1.0))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    return False


def play_round(
    case: Case, root: Path, wanted: dict[str, str], seconds: float, seed: str
) -> int:
    """Kill a command again and again until it has done its work; return how many kills."""
    rng, folder, kills = random.Random(seed), root / "killed", 0
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    case.prepare(folder)
    # At most six: some commands begin anew each time.
    while kills < 6 and disturb(case, folder, seconds, rng):
        kills += 1
    finish(case, folder)
    left = snapshot(folder)
    if left != wanted:
        names = sorted(
            name for name in left.keys() | wanted.keys() if left.get(name) != wanted.get(name)
        )
        case.faults.append(f"{seed}: different: {', '.join(names[:5])}")
    case.rounds += 1
    case.kills += kills
    return kills


def main() -> int:
    """Kill as many times as asked, and print a table; the exit code is 1 after a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop after this time")
    parser.add_argument("--only", help="of the commands, those with this in their name")
    chosen = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    cases = [case for case in CASES if (chosen.only or "") in case.name]
    end = time.monotonic() + chosen.seconds
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        plans = []
        for case in cases:
            root = Path(name) / case.name.replace(" ", "-")
            calm = root / "killed"  # the same path: the state holds it
            calm.mkdir(parents=True)
            case.prepare(calm)
            seconds = finish(case, calm)
            plans.append((case, root, snapshot(calm), seconds))
        kills = number = 0
        while kills < chosen.kills and time.monotonic() < end:
            case, root, wanted, seconds = plans[number % len(plans)]
            seed = f"{chosen.seed}-{number}"
            kills += play_round(case, root, wanted, seconds, seed)
            number += 1
    print(f"{'command':<18}{'kills':>6}{'rounds':>8}{'faults':>8}")
    for case in cases:
        print(f"{case.name:<18}{case.kills:>6}{case.rounds:>8}{len(case.faults):>8}")
        for fault in case.faults:
            print(f"  {fault}")
    return 1 if any(case.faults for case in cases) else 0


if __name__ == "__main__":
    sys.exit(main())
