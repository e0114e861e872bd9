"""Kill commands that write at random moments, go on, and compare with an undisturbed run.

    python tools/kills.py --kills 100 --jobs 2 --out kills.jsonl

Each round begins a command, kills it (SIGKILL), and begins it again until it comes to its end,
or was killed `MOST` times. It is killed after a random part of its time of the processor, or,
as that seldom meets the moments at which the disk is changed, before a random one of the calls
that do so (a file opened to be written, moved, removed; a statement of SQL). Then what is left
after one more run must be, byte for byte, what an undisturbed run left: nothing lost, doubled
or left over. Commands run in forks of this process, which has loaded what they need: a kill
meets their work, not their imports. With --out rounds are added to a file, and the table is of
all that stand in it; the commands on which the least time was spent come first.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import mmap
import os
import random
import select
import shutil
import signal
import sqlite3
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from kill_cases import CASES, Case, route

MOST = 10
PATIENCE = 3600.0  # seconds; a command that takes longer hangs, however busy the machine is
# What differs from run to run by its nature: times, and files of SQLite and matplotlib.
VARYING = {"mail.sqlite", "mail.sqlite-wal", "mail.sqlite-shm", ".lock", "history.csv"}
VARYING |= {"pieces.json", "config.toml", "metrics.json", "card.md", "model.onnx", "changes.md"}
VARYING |= {"last.safetensors", "history.png", "confusion.png", "report.html", "stress.json"}
VARYING |= {"evaluation.json", "overview.png", "mistakes.json"}
SLOW_TO_LOAD = (
    *("torch", "onnx", "onnxruntime", "cv2", "sqlite3", "matplotlib.pyplot"),
    *("digitlens.cli.app", "digitlens.training", "digitlens.ocr", "digitlens.mail.sorting"),
    *("digitlens.batch", "digitlens.viz.report", "digitlens.server.export"),
)
CHANGES = {
    *("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink"),
    *("os.truncate", "os.chmod"),
}


class Plan(NamedTuple):
    """A case, its folder, what an undisturbed run leaves, what of that varies, its length."""

    case: Case
    folder: Path
    wanted: dict[str, str]
    varying: set[str]
    seconds: float
    calls: int  # that change the disk


class Calls:
    """Calls that change the disk, counted, and seconds, in memory shared with forks."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, 12)

    @property
    def count(self) -> int:
        """How many calls there were."""
        return int(struct.unpack("i", self.memory[:4])[0])

    @property
    def seconds(self) -> float:
        """Seconds of the processor when the process ended."""
        return float(struct.unpack("d", self.memory[4:])[0])

    def stop(self) -> None:
        """Note the seconds of this process."""
        self.memory[4:] = struct.pack("d", time.process_time())

    def watch(self, last: int | None) -> None:
        """Count those of this process from now on; before number `last` it kills itself."""
        self.memory[:4] = struct.pack("i", 0)
        process = os.getpid()

        def note(_statement: str = "") -> None:
            if self.count == last and os.getpid() == process:
                os.kill(process, signal.SIGKILL)
            self.memory[:4] = struct.pack("i", self.count + 1)

        def hear(event: str, arguments: tuple[Any, ...]) -> None:
            if event in CHANGES or (
                event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            ):
                note()

        def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = open_database(*arguments, **options)
            connection.set_trace_callback(note)
            return connection

        open_database, sqlite3.connect = sqlite3.connect, connect  # type: ignore[assignment]
        sys.addaudithook(hear)


CALLS = Calls()


def begin(work: Callable[[], None], folder: Path, last: int | None = None) -> int:
    """Fork, and do the work in `folder`, up to call `last`; return the process."""
    process = os.fork()
    if process:
        return process
    code = 0
    try:
        log = os.open(folder.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(folder)
        CALLS.watch(last)
        work()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # it is told, as by the command line
        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        CALLS.stop()
        os._exit(code)


def end(process: int, seconds: float | None = None) -> int:
    """Wait for a process, and kill it after so much time of the processor, or if it hangs.

    Returns its exit code, below 0 the signal that ended it.
    """
    handle, patience = os.pidfd_open(process), time.monotonic() + PATIENCE
    clock = ~process << 3 | 2  # as Linux numbers the clocks of processes
    try:
        wait = PATIENCE if seconds is None else seconds
        while not select.select([handle], [], [], max(wait, 0.001))[0]:
            if seconds is not None:
                wait = seconds - time.clock_gettime(clock)
            if time.monotonic() > patience or wait <= 0:
                os.kill(process, signal.SIGKILL)
                break
    finally:
        os.close(handle)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


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


def finish(case: Case, folder: Path) -> str:
    """Run the command to its end; return its fault, if any."""
    code = end(begin(case.work, folder))
    if code not in (0, 3):
        return f"exit code {code}: {folder.with_suffix('.log').read_text()[-500:]}"
    return ""


def disturb(plan: Plan, rng: random.Random) -> bool:
    """Begin the command and kill it; return whether it was still at work."""
    last, seconds = None, None
    # Mostly early: what was done before is not done again, and each goes on a bit.
    part = rng.random() / rng.randint(1, 4)
    if rng.random() < 0.6:
        last = int(plan.calls * part)
    else:
        seconds = plan.seconds * part
    return end(begin(plan.case.work, plan.folder, last), seconds) == -signal.SIGKILL


def begin_anew(case: Case, folder: Path) -> None:
    """Make the folder of a command as it is before the command."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    end(begin(case.prepare, folder))


def run_calmly(case: Case, folder: Path) -> tuple[Plan, str]:
    """Run the command twice without a kill: what it leaves, what of that varies, its fault."""
    snapshots, seconds, calls = [], 0.0, 1
    for _ in range(2):
        begin_anew(case, folder)
        if fault := finish(case, folder):
            return Plan(case, folder, {}, set(), seconds, calls), f"undisturbed: {fault}"
        seconds, calls = CALLS.seconds, max(CALLS.count, 1)
        sort_on(case, folder)
        snapshots.append(snapshot(folder))
    wanted, again = snapshots
    varying = {name for name in wanted.keys() & again.keys() if wanted[name] != again[name]}
    return Plan(case, folder, wanted, varying, seconds, calls), ""


def sort_on(case: Case, folder: Path) -> None:
    """After a repair sort the mail: nothing may be doubled."""
    if case.name == "mail repair":
        end(begin(route, folder))


def play_round(plan: Plan, seed: str) -> tuple[int, str]:
    """Kill a command again and again until it has done its work; return kills and fault."""
    rng, kills, folder = random.Random(seed), 0, plan.folder
    begin_anew(plan.case, folder)
    # Where it came to its end by chance, once more, as preparing the folder is work too.
    for _ in range(2):
        while kills < MOST and disturb(plan, rng):
            kills += 1
    fault = finish(plan.case, folder)
    sort_on(plan.case, folder)
    left, wanted = snapshot(folder), plan.wanted
    names = sorted(
        name
        for name in left.keys() | wanted.keys()
        if left.get(name) != wanted.get(name) and not (name in plan.varying and name in left)
    )
    if names:
        fault += f" {seed}: different: {', '.join(names[:5])}"
    return kills, fault


def read_rows(path: Path | None) -> list[dict[str, Any]]:
    """Return the rounds that stand in a file."""
    lines = path.read_text().splitlines() if path and path.exists() else []
    return [json.loads(line) for line in lines]


def count_kills(rows: list[dict[str, Any]]) -> int:
    """Return the kills of all these rounds."""
    return sum(row["kills"] for row in rows)


def tell(rows: list[dict[str, Any]]) -> int:
    """Print a table of the rounds; return 1 where one of them had a fault."""
    print(f"{'command':<18}{'kills':>6}{'rounds':>8}{'faults':>8}")
    for name in [*(case.name for case in CASES), "all"]:
        own = [row for row in rows if name in (row["case"], "all")]
        faults = [row["fault"] for row in own if row["fault"]]
        print(f"{name:<18}{count_kills(own):>6}{len(own):>8}{len(faults):>8}")
        if name != "all":
            print("".join(f"  {fault}\n" for fault in faults), end="")
    return 1 if any(row["fault"] for row in rows) else 0


def kill(cases: list[Case], root: Path, chosen: argparse.Namespace, deadline: float) -> None:
    """Play rounds of these cases until all kills were made or the time is up."""
    plans: dict[str, Plan] = {}
    number = 0
    while cases and time.monotonic() < deadline:
        rows = read_rows(chosen.out)
        if count_kills(rows) >= chosen.kills:
            return
        spent: Counter[str] = Counter()
        for row in rows:
            spent[row["case"]] += row.get("seconds", 0.0)
        case = min(cases, key=lambda case: spent[case.name])
        begun, kills, fault = time.monotonic(), 0, ""
        # Always in the same folder: the state of mail holds its path.
        folder = root / case.name.replace(" ", "-") / "killed"
        if case.name not in plans:
            plans[case.name], fault = run_calmly(case, folder)
        if fault:
            cases.remove(case)
        else:
            kills, fault = play_round(plans[case.name], f"{root.name}-{number}")
        seconds = round(time.monotonic() - begun, 1)
        row = {"case": case.name, "kills": kills, "fault": fault, "seconds": seconds}
        with chosen.out.open("a") as file:
            file.write(json.dumps(row) + "\n")
        number += 1


def load() -> None:
    """Load what commands need, so that they need not once they are forked."""
    for name in SLOW_TO_LOAD:
        importlib.import_module(name)
    from digitlens.mail.directory import load_directory
    from digitlens.models.inference import as_model

    load_directory()
    as_model("tiny")


def main() -> int:
    """Kill as many times as asked, and print a table; the exit code is 1 after a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="in all, those in --out too")
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop after this time")
    parser.add_argument("--only", nargs="*", help="commands with one of these in their name")
    parser.add_argument("--jobs", type=int, default=1, help="so many commands side by side")
    parser.add_argument("--out", type=Path, help="a file that rounds are added to")
    chosen = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    cases = [
        case
        for case in CASES
        if not chosen.only or any(one in case.name for one in chosen.only)
    ]
    deadline = time.monotonic() + chosen.seconds
    load()
    # No TemporaryDirectory: a fork that ends in order would remove it.
    root = Path(tempfile.mkdtemp(prefix="kills-"))
    chosen.out = (chosen.out or root / "kills.jsonl").absolute()
    try:
        jobs = []
        for job in range(chosen.jobs):
            places = Path(tempfile.mkdtemp(dir=root))
            jobs.append(os.fork())
            if not jobs[-1]:
                try:
                    kill(cases[job :: chosen.jobs], places, chosen, deadline)
                    os._exit(0)
                finally:
                    traceback.print_exc()
                    os._exit(1)
        broken = [os.waitpid(job, 0)[1] for job in jobs]
        return max(tell(read_rows(chosen.out)), *map(bool, broken))
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
