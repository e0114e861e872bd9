"""Kill commands that write at random moments, go on, and compare with an undisturbed run.

    python tools/kills.py --kills 100 --seed 1 --out kills.jsonl

Each round begins a command, kills it (SIGKILL) after a random part of the time that it takes,
and begins it again until it comes to its end. Then what it left must be, byte for byte, what an
undisturbed run left: nothing lost, doubled or left over. Commands run in forks of this process,
which has loaded what they need: a kill meets their work, not their imports. With --out rounds
are added to a file, and the table is of all that stand in it.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

PIECES = 40
ZIPS = ("02134", "90210", "10001", "00501")
# What differs from run to run by its nature: times, and files of SQLite and matplotlib.
VARYING = {"mail.sqlite", "mail.sqlite-wal", "mail.sqlite-shm", ".lock", "history.csv"}
VARYING |= {"pieces.json", "config.toml", "metrics.json", "card.md", "model.onnx", "changes.md"}
VARYING |= {"last.safetensors", "history.png", "confusion.png", "report.html", "stress.json"}
VARYING |= {"evaluation.json", "overview.png"}
SLOW_TO_LOAD = (
    *("torch", "onnx", "onnxruntime", "cv2", "sqlite3", "matplotlib.pyplot"),
    *("digitlens.cli.app", "digitlens.training", "digitlens.ocr", "digitlens.mail.sorting"),
    *("digitlens.batch", "digitlens.viz.report", "digitlens.server.export"),
)


class Case(NamedTuple):
    """A command that writes; `prepare` fills its folder, and `work` is done in it."""

    name: str
    prepare: Callable[[], None]
    work: Callable[[], None]


class Plan(NamedTuple):
    """A case, its folder, what an undisturbed run leaves, what of that varies, its seconds."""

    case: Case
    folder: Path
    wanted: dict[str, str]
    varying: set[str]
    seconds: float


def command(*arguments: str) -> Callable[[], None]:
    """Return a run of digitlens."""

    def run() -> None:
        from digitlens.cli import main

        main(arguments)

    return run


def once(path: str, *arguments: str) -> Callable[[], None]:
    """Return a run of a command that refuses to replace `path`, where that is not there yet."""
    return lambda: None if Path(path).exists() else command(*arguments)()


def anew(folder: str, *arguments: str) -> Callable[[], None]:
    """Return a run of a command that wants a new folder: what a kill left there is removed."""

    def run() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        command(*arguments)()

    return run


def make_mail() -> None:
    """Write pieces of mail, a plan, and what a reader read on them."""
    Path("mail").mkdir()
    rows = []
    for index in range(PIECES):
        pixels = np.full((40, 60), 255 - index, np.uint8)
        Image.fromarray(pixels).save(f"mail/{index:02d}.png")
        text = ZIPS[index % 4] if index % 5 else "1"
        boxes = [[10 * place, 5, 10 * place + 8, 30] for place in range(len(text))]
        digits = [
            {"text": one, "confidence": 0.9999, "box": box}
            for one, box in zip(text, boxes, strict=True)
        ]
        line = {"text": text, "confidence": 0.9999, "box": [0, 5, 58, 30], "digits": digits}
        rows.append(json.dumps({"piece": f"{index:02d}.png", "lines": [line]}))
    Path("read.jsonl").write_text("\n".join(rows) + "\n")
    plan = 'default = "rest"\n[trays]\nma = ["02"]\nca = ["9"]\nny = ["1", "005"]\n'
    Path("plan.toml").write_text(plan)


ROUTE = ("route", "mail", "--plan", "plan.toml", "--readings", "read.jsonl", "--out", "trays")


def route() -> None:
    """Sort the mail; the exit code of what waits is no fault here."""
    with suppress(SystemExit):
        command(*ROUTE)()


def settle_some(count: int = PIECES // 10) -> None:
    """Let a person settle what waits, at most so many pieces, and go by every piece's name."""
    from digitlens.mail.directory import Directory, Place
    from digitlens.mail.plan import make_plan
    from digitlens.mail.sorting import Review

    known = Directory(Place(zip_, "C", ("C",), "NY", "", "STANDARD") for zip_ in ZIPS)
    review = Review(Path("trays"), make_plan(known, "state"), known, now=time.time)
    for _ in range(count):
        task = review.claim("ann")
        if task is None:
            break
        review.settle(task, "02134")
    review.close()


def settle() -> None:
    """Sort the mail and let a person settle half of what waits."""
    make_mail()
    fork_and_wait(route)
    settle_some()


def lose() -> None:
    """Settle, and lose the state."""
    settle()
    Path("trays/mail.sqlite").write_bytes(b"")
    for end in ("-wal", "-shm"):
        Path(f"trays/mail.sqlite{end}").unlink(missing_ok=True)


def review() -> None:
    """Settle all that waits; then write the listing, which says where each piece is."""
    settle_some(PIECES)
    command(*ROUTE)()


def take_pieces() -> None:
    """Take pieces as a scanner sends them, each until it was taken; then the listing."""
    from digitlens.mail.decision import RoutingPolicy
    from digitlens.mail.directory import load_directory
    from digitlens.mail.plan_files import read_plan
    from digitlens.mail.sorting.filing import Filer
    from digitlens.mail.sorting.intake import Intake
    from digitlens.mail.sorting.stores import make_store

    trays = Path("trays")
    store = make_store(trays, None)
    about = (RoutingPolicy(load_directory()), read_plan(Path("plan.toml")))
    intake = Intake(Path("scans"), store, Filer(store, trays), *about)
    for path in sorted(Path("sent").iterdir()):
        intake.take(path.stem, path.read_bytes(), lambda _: ())
    store.close()
    command(*ROUTE)()


def make_scans() -> None:
    """Sort some mail, and have other pieces that a scanner is to send."""
    make_mail()
    Path("sent").mkdir()
    for index in range(20):
        pixels = np.full((50, 50), 200 - index, np.uint8)
        Image.fromarray(pixels).save(f"sent/s{index}.png")
    fork_and_wait(route)


def make_pictures() -> None:
    """Write pictures of strokes to be predicted, and some of bare paper."""
    Path("mail").mkdir()
    for index in range(PIECES):
        pixels = np.full((60, 60), 230, np.uint8)
        pixels[10:50, 20 + index // 4 : 26 + index // 4] = 30 if index % 5 else 230
        Image.fromarray(pixels).save(f"mail/{index:02d}.png")


def make_digits() -> None:
    """Write digits to train on."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (600, 28, 28), np.uint8)
    np.savez("digits.npz", images=images, labels=np.arange(600) % 10)


def make_batch() -> None:
    """Predict all pictures in parts."""
    make_pictures()
    with suppress(SystemExit):
        command(*BATCH)()


BATCH = ("batch", "predict", "mail", "--out", "out", "--part-size", "4", "--workers", "1")


def train(*arguments: str) -> Callable[[], None]:
    """Return what begins a run, or goes on with it; nothing where it has ended."""

    def run() -> None:
        if Path("run/metrics.json").exists():
            return
        begun = Path("run/config.toml").exists()
        command("train", *(arguments[:1] if begun else arguments), "--out", "run",
                *(("--resume",) if begun else ()))()  # fmt: skip

    return run


def download() -> None:
    """Do what a download does, without a network: slow bytes, and a file at the end."""
    from digitlens.storage import new_file

    for number in range(8):
        target = Path("cache") / f"part-{number}"
        if not target.exists():
            with new_file(target) as (file, _):
                for _ in range(8):
                    file.write(bytes(1 << 17))
                    file.flush()
                    time.sleep(0.004)


TUNE = ("tiny", "--from", "tiny", "--data", "digits.npz", "--epochs", "3", "--seed", "1")
CASES = (
    Case("route", make_mail, command(*ROUTE)),
    Case("route --copy", make_mail, command(*ROUTE, "--copy")),
    Case("mail review", settle, review),
    Case("mail pieces", make_scans, take_pieces),
    Case(
        "mail corrections",
        settle,
        command("mail", "corrections", "--trays", "trays", "--out", "saved"),
    ),
    Case("mail repair", lose, command("mail", "repair", "mail", "--trays", "trays")),
    Case(
        "mail plan",
        lambda: None,
        command("mail", "plan", "--by", "zip3", "--out", "p.toml", "--force"),
    ),
    Case(
        "mail sample",
        lambda: None,
        command("mail", "sample", "4", "--out", "s", "--digits", "drawn", "--force"),
    ),
    Case(
        "mail barcode",
        lambda: None,
        command("mail", "barcode", "02134", "--out", "b.png", "--force"),
    ),
    Case(
        "train",
        make_digits,
        train("tiny", "--epochs", "6", "--seed", "1", "--data", "digits.npz"),
    ),
    Case("train --from", make_digits, train(*TUNE)),
    Case(
        "train reader",
        make_digits,
        train("reader", "--steps", "3", "--seed", "1", "--data", "digits.npz"),
    ),
    Case(
        "evaluate",
        make_digits,
        command("evaluate", "tiny", "--data", "digits.npz", "--report", "r", "--part", "all"),
    ),
    Case("explain", make_pictures, anew("e", "explain", "tiny", "mail/01.png", "--out", "e")),
    Case(
        "data show",
        make_digits,
        command("data", "show", "digits.npz", "--out", "d.png", "--force"),
    ),
    Case(
        "data check",
        make_digits,
        command("data", "check", "digits.npz", "--out", "c.html", "--force"),
    ),
    Case(
        "export",
        lambda: None,
        once("t.onnx", "export", "tiny", "--to", "onnx", "--out", "t.onnx"),
    ),
    Case("export hub", lambda: None, anew("h", "export", "tiny", "--to", "hub", "--out", "h")),
    Case("serve --export", lambda: None, command("serve", "--export", "lab")),
    Case(
        "predict", make_pictures, command("predict", "mail", "--stages", "s", "--workers", "1")
    ),
    Case(
        "read",
        make_pictures,
        command("read", "mail/01.png", "--annotate", "a", "--stages", "s"),
    ),
    Case("batch", make_pictures, command(*BATCH)),
    Case(
        "batch read",
        make_pictures,
        command("batch", "read", "mail", *BATCH[3:]),
    ),
    Case("batch collect", make_batch, command("batch", "collect", "out", "--out", "all.jsonl")),
    Case("fetch", lambda: Path("cache").mkdir(), download),
)


def begin(work: Callable[[], None], folder: Path) -> int:
    """Fork, and do the work in `folder`; return the process."""
    process = os.fork()
    if process:
        return process
    code = 0
    try:
        log = os.open(folder.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(folder)
        work()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # it is told, as by the command line
        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def fork_and_wait(work: Callable[[], None], folder: Path | None = None) -> int:
    """Do the work in a process of its own; return its exit code."""
    _, status = os.waitpid(begin(work, folder or Path.cwd()), 0)
    return os.waitstatus_to_exitcode(status)


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


def finish(case: Case, folder: Path) -> tuple[float, str]:
    """Run the command to its end; return the seconds that it took, and its fault, if any."""
    begun, fault = time.monotonic(), ""
    code = fork_and_wait(case.work, folder)
    if code not in (0, 3):
        fault = f"exit code {code}: {folder.with_suffix('.log').read_text()[-500:]}"
    took = time.monotonic() - begun
    if case.name == "mail repair":  # mail is sorted on: nothing may be doubled
        fork_and_wait(route, folder)
    return took, fault


def disturb(case: Case, folder: Path, seconds: float, rng: random.Random) -> bool:
    """Begin the command and kill it; return whether it was still at work."""
    process = begin(case.work, folder)
    end = time.monotonic() + seconds * rng.uniform(0.0, 1.0)
    while time.monotonic() < end:
        if os.waitpid(process, os.WNOHANG)[0]:
            return False
        time.sleep(0.001)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return True


def begin_anew(case: Case, folder: Path) -> None:
    """Make the folder of a command as it is before the command."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    fork_and_wait(case.prepare, folder)


def run_calmly(case: Case, folder: Path) -> tuple[Plan, str]:
    """Run the command twice without a kill: what it leaves, what of that varies, its fault."""
    snapshots = []
    for _ in range(2):
        begin_anew(case, folder)
        seconds, fault = finish(case, folder)
        if fault:
            return Plan(case, folder, {}, set(), seconds), f"undisturbed: {fault}"
        snapshots.append(snapshot(folder))
    wanted, again = snapshots
    varying = {name for name in wanted.keys() & again.keys() if wanted[name] != again[name]}
    return Plan(case, folder, wanted, varying, seconds), ""


def play_round(plan: Plan, seed: str) -> tuple[int, str]:
    """Kill a command again and again until it has done its work; return kills and fault."""
    rng, kills, folder = random.Random(seed), 0, plan.folder
    begin_anew(plan.case, folder)
    # At most six: some commands begin anew each time.
    while kills < 6 and disturb(plan.case, folder, plan.seconds, rng):
        kills += 1
    _, fault = finish(plan.case, folder)
    left, wanted = snapshot(folder), plan.wanted
    names = sorted(
        name
        for name in left.keys() | wanted.keys()
        if left.get(name) != wanted.get(name) and not (name in plan.varying and name in left)
    )
    if names:
        fault += f" {seed}: different: {', '.join(names[:5])}"
    return kills, fault


def tell(rows: list[dict[str, object]], names: list[str]) -> int:
    """Print a table of the rounds; return 1 where one of them had a fault."""
    print(f"{'command':<18}{'kills':>6}{'rounds':>8}{'faults':>8}")
    for name in [*names, "all"]:
        own = [row for row in rows if name in (row["case"], "all")]
        faults = [row["fault"] for row in own if row["fault"]]
        kills = sum(int(str(row["kills"])) for row in own)
        print(f"{name:<18}{kills:>6}{len(own):>8}{len(faults):>8}")
        if name != "all":
            print("".join(f"  {fault}\n" for fault in faults), end="")
    return 1 if any(row["fault"] for row in rows) else 0


def main() -> int:
    """Kill as many times as asked, and print a table; the exit code is 1 after a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop after this time")
    parser.add_argument("--only", nargs="*", help="commands with one of these in their name")
    parser.add_argument("--out", type=Path, help="a file that rounds are added to")
    chosen = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    cases = [
        case
        for case in CASES
        if not chosen.only or any(one in case.name for one in chosen.only)
    ]
    for name in SLOW_TO_LOAD:
        importlib.import_module(name)
    end, rows = time.monotonic() + chosen.seconds, []
    if chosen.out and chosen.out.exists():
        rows = [json.loads(line) for line in chosen.out.read_text().splitlines()]
    # No TemporaryDirectory: a fork that ends in order would remove it.
    root = Path(tempfile.mkdtemp(prefix="kills-"))
    try:
        kills, number = 0, len(rows)
        plans: dict[str, Plan] = {}
        faults: dict[str, str] = {}
        while cases and kills < chosen.kills and time.monotonic() < end:
            case = cases[number % len(cases)]
            # Always in the same folder: the state of mail holds its path.
            folder = root / case.name.replace(" ", "-") / "killed"
            if case.name not in plans:
                plans[case.name], faults[case.name] = run_calmly(case, folder)
            more, fault = 0, faults[case.name]
            if fault:
                cases.remove(case)
            else:
                more, fault = play_round(plans[case.name], f"{chosen.seed}-{number}")
            rows.append({"case": case.name, "kills": more, "fault": fault})
            if chosen.out:
                with chosen.out.open("a") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
            kills, number = kills + more, number + 1
    finally:
        shutil.rmtree(root)
    return tell(rows, [case.name for case in CASES])


if __name__ == "__main__":
    sys.exit(main())
