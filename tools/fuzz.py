"""Give commands thousands of mutated files, and files made by hand; count what went wrong.

    python tools/fuzz.py --files 10000 --jobs 2 --out fuzz.jsonl

The commands, their seeds, the mutation and what is made by hand are those of ``tests/fuzz``,
and some that are too slow for it. A file goes wrong where its command ends with another exit
code than 0 to 3, says or writes "a fault in digitlens" or a traceback, takes ten seconds of the
processor or as many in which it makes no use of it, or holds a gigabyte. A process runs many
files; one that hangs, grows or dies is ended, and costs its file. With --out results are added
to a file, and the table is of all that stand in it; a row says all that it takes to make its
file again (``--again COMMAND NUMBER``).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import mmap
import os
import random
import select
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 10.0
MAX_MEMORY = 1 << 30
FAULTS = (b"a fault in digitlens", b"Traceback (most recent call last)")
DIGITS = "digits.npz"

# Slower ones than the tests have, in the form of their COMMANDS.
MORE: dict[str, tuple[list[str], list[str]]] = {
    "compare": (["compare", "{}", "tiny", "--data", DIGITS, "--part", "all"], ["model"]),
    "stress": (
        ["stress", "tiny", "--data", "{}", "--part", "all", "--limit", "4", "--out", "OUT"],
        ["npz"],
    ),
    "train --data": (
        ["train", "tiny", "--data", "{}", "--epochs", "1", "--out", "OUT"],
        ["npz", "csv"],
    ),
    "train --recipe": (
        ["train", "tiny", "--data", DIGITS, "--recipe", "{}", "--out", "OUT"],
        ["recipe"],
    ),
    "explain --model": (["explain", "{}", "one.png", "--json", "--out", "OUT"], ["model"]),
    "mail barcode": (["mail", "barcode", "{}"], ["barcode"]),
    "read --model": (["read", "one.png", "--model", "{}"], ["reader"]),
}
# The file is one of a folder, whose copy is OUT: the command, the folder, and its files.
PLACED: dict[str, tuple[list[str], str, list[str]]] = {
    "mail repair": (["mail", "repair", "mail", "--trays", "OUT"], "trays", ["mail.sqlite"]),
    "mail corrections": (
        ["mail", "corrections", "--trays", "OUT", "--out", "OUT/saved"],
        "trays",
        ["mail.sqlite"],
    ),
    "route again": (
        [*("route", "mail", "--plan", "plan.toml", "--out", "OUT"), "--readings", "read.jsonl"],
        "trays",
        ["mail.sqlite", "pieces.json"],
    ),
    "batch status": (["batch", "status", "OUT"], "batch", []),
    "batch collect": (["batch", "collect", "OUT", "--out", "OUT/all.jsonl"], "batch", []),
    "batch again": (
        [*("batch", "predict", "mail", "--model", "tiny", "--out", "OUT")],
        "batch",
        [],
    ),
    "train --resume": (["train", "tiny", "--resume", "--out", "OUT"], "run", []),
    "summary of a run": (["summary", "OUT"], "run", []),
    "evaluate a run": (
        ["evaluate", "OUT", "--data", DIGITS, "--part", "all", "--report", "OUT/report"],
        "run",
        [],
    ),
}


class Job(NamedTuple):
    """A command: its words, and of each form that its file may have the seeds."""

    name: str
    words: list[str]
    forms: list[tuple[str, list[bytes]]]
    base: str  # the folder that is copied, if any


def load_tests() -> ModuleType:
    """Return ``tests/fuzz/test_commands.py``."""
    path = ROOT / "tests" / "fuzz" / "test_commands.py"
    spec = importlib.util.spec_from_file_location("fuzz_commands", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def prepare(tests: ModuleType, folder: Path) -> None:
    """Make what commands work on: the tests' files, trays, a batch and a run."""
    from digitlens.batch import run as batch

    tests.fill(folder)
    row = json.dumps({"piece": "a.png", "lines": [tests.fuzz.LINE]})
    (folder / "read.jsonl").write_text(row + "\n")
    route, predict = PLACED["route again"][0], PLACED["batch again"][0]
    train = ["train", "tiny", "--data", DIGITS, "--epochs", "2", "--seed", "1", "--out", "run"]
    # Pictures are read in this process.
    setattr(batch, "available_cpus", lambda: 0)  # noqa: B010 - it is another module's
    barcode = ["mail", "barcode", "02134", "--dots", "200", "--out", "barcode.png"]
    for words, out in ((route, "trays"), (predict, "batch"), (train, "run"), (barcode, "")):
        code = tests.run([word.replace("OUT", out) for word in words])
        assert code in (0, 3), words


def list_jobs(tests: ModuleType, folder: Path) -> list[Job]:
    """Return all commands."""
    from digitlens.ocr.network import PUBLISHED

    readers = tests.fuzz.READERS
    readers["reader"] = (None, ".onnx", [(PUBLISHED / "reader.onnx").read_bytes()])
    readers["barcode"] = (None, ".png", [(folder / "barcode.png").read_bytes()])
    jobs = [
        Job(name, words, [(end, seeds) for end, seeds in tests.group(kinds).items()], "")
        for name, (words, kinds) in (tests.COMMANDS | MORE).items()
    ]
    for name, (words, base, names) in PLACED.items():
        paths = [path for path in (folder / base).rglob("*") if path.is_file()]
        forms = [
            (path.relative_to(folder / base).as_posix(), [path.read_bytes()])
            for path in sorted(paths)
            if path.stat().st_size and (not names or path.name in names)
        ]
        jobs.append(Job(name, words, forms, base))
    return jobs


def make_file(tests: ModuleType, job: Job, number: int) -> tuple[list[str], Path]:
    """Make file `number` of a command; return the arguments and the file."""
    from digitlens.models.checksum import append_checksum

    rng = random.Random(f"{job.name} {number}")
    suffix, seeds = rng.choice(job.forms)
    content = tests.fuzz.mutate(rng, seeds)
    if suffix.endswith(".onnx") and rng.random() < 0.7:
        # A stranger's file bears the checksum of what it holds.
        with contextlib.suppress(ValueError, LookupError):
            content = append_checksum(content)
    if job.base:
        holder = Path(f"out-placed-{number}")
        shutil.copytree(job.base, holder)
        path = holder / suffix
        arguments = [word.replace("OUT", str(holder)) for word in job.words]
    else:
        path = Path(f"in-{number}", f"train{suffix}")
        path.parent.mkdir()
        arguments = tests.fit(job.words, str(path), str(path.parent))
    tests.fuzz.write(path, content)
    return arguments, path


def run_file(tests: ModuleType, arguments: list[str]) -> str:
    """Run a command in this process; return its exit code, or what went wrong."""
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        code = tests.run(arguments)
    written = [path for path in Path().glob("out-*/**/*") if path.is_file()]
    texts = [(out.getvalue() + error.getvalue()).encode("utf-8", "replace")]
    for text in texts + [path.read_bytes() for path in written]:
        if any(mark in text for mark in FAULTS):
            return "fault"
    return str(code) if code in (0, 1, 2, 3) else "exit code"


def clear() -> None:
    """Remove what the last file left in this folder."""
    for path in [*Path().glob("in-*"), *Path().glob("out-*")]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


class Watch:
    """What a process is at, in memory that its parent sees."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, 24)

    def begin(self, job: int, number: int) -> None:
        """Note that this process begins a file."""
        self.memory[:] = struct.pack("iidd", job, number, time.process_time(), time.monotonic())

    def read(self) -> tuple[int, int, float, float]:
        """Return the command, the file, and the process's and the world's time it began at."""
        return struct.unpack("iidd", self.memory[:])


def write_row(out: Path, job: Job, number: int | str, outcome: str, seconds: float) -> None:
    """Add a result to the file of results."""
    row = {"command": job.name, "number": number, "outcome": outcome, "seconds": seconds}
    with out.open("a") as file:
        file.write(json.dumps(row) + "\n")


def read_rows(out: Path) -> list[dict[str, Any]]:
    """Return the results that stand in a file."""
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


def work(tests: ModuleType, jobs: list[Job], watch: Watch, chosen: argparse.Namespace) -> None:
    """Give files to commands, that with the least time next, until all were given."""
    import warnings

    warnings.simplefilter("ignore")
    spent: defaultdict[str, float] = defaultdict(float)
    given: defaultdict[str, int] = defaultdict(lambda: chosen.first)
    rows = read_rows(chosen.out)
    for row in rows:
        spent[row["command"]] += row["seconds"]
        given[row["command"]] += 1
    number = len(rows)
    while number < chosen.files and time.monotonic() < chosen.deadline:
        job = min(jobs, key=lambda job: spent[job.name])
        clear()
        arguments, _ = make_file(tests, job, given[job.name])
        watch.begin(jobs.index(job), given[job.name])
        begun = time.process_time()
        outcome = run_file(tests, arguments)
        seconds = time.process_time() - begun
        outcome = "slow" if seconds > SECONDS else outcome
        write_row(chosen.out, job, given[job.name], outcome, round(seconds, 3))
        spent[job.name] += max(seconds, 0.01)
        given[job.name] += 1
        number += 1 if given[job.name] % 20 else len(read_rows(chosen.out)) - number
    clear()


def is_idle(process: int) -> bool:
    """Say whether neither the process nor any that it began has work or waits for the disk."""
    task = Path(f"/proc/{process}")
    try:
        state = (task / "stat").read_text().rpartition(")")[2].split()[0]
        children = (task / "task" / str(process) / "children").read_text().split()
    except OSError:  # it has just ended
        return True
    return state not in "RD" and all(is_idle(int(child)) for child in children)


def look_after(process: int, watch: Watch) -> str:
    """Wait for a process, and end it where its file hangs or grows; return which, or ""."""
    handle, clock = os.pidfd_open(process), ~process << 3 | 2
    idle, last = 0.0, 0.0
    try:
        while not select.select([handle], [], [], 0.5)[0]:
            _, _, begun, since = watch.read()
            # On a busy machine a file that is at work gets little: only idle time counts.
            idle = idle + 0.5 if since == last and is_idle(process) else 0.0
            last = since
            pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
            outcome = ""
            is_slow = since and time.clock_gettime(clock) - begun > SECONDS + 5
            if is_slow or idle > SECONDS:
                outcome = "hang"
            if pages * os.sysconf("SC_PAGE_SIZE") > MAX_MEMORY:
                outcome = "memory"
            if outcome:
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
                return outcome
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    finally:
        os.close(handle)
    return "" if code == 0 else f"died: {code}"


def fuzz(tests: ModuleType, jobs: list[Job], chosen: argparse.Namespace) -> None:
    """Let processes do the work, one after the other, as long as one is ended by its file."""
    outcome = "?"
    while outcome:
        watch = Watch()
        process = os.fork()
        if not process:
            try:
                work(tests, jobs, watch, chosen)
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        outcome = look_after(process, watch)
        if outcome:
            place, number, _, since = watch.read()
            assert since, "a process died before its first file"
            write_row(chosen.out, jobs[place], number, outcome, SECONDS)


def by_hand(tests: ModuleType, jobs: list[Job], chosen: argparse.Namespace) -> None:
    """Give each command everything that is made by hand, each in a process of its own."""
    done = {(row["command"], row["number"]) for row in read_rows(chosen.out)}
    for job in [job for job in jobs if not job.base]:
        for what, make in tests.BY_HAND.items():
            if (job.name, what) in done or time.monotonic() > chosen.deadline:
                continue
            watch, path = Watch(), make()
            process = os.fork()
            if not process:
                try:
                    watch.begin(0, 0)
                    outcome = run_file(tests, tests.fit(job.words, path, path))
                    os._exit(10 + "0123".find(outcome) if outcome in "0123" else 20)
                finally:
                    traceback.print_exc()
                    os._exit(1)
            outcome = look_after(process, watch).removeprefix("died: ")
            names = {"10": "0", "11": "1", "12": "2", "13": "3", "20": "fault"}
            write_row(chosen.out, job, what, names.get(outcome, outcome), 0.0)


def tell(rows: list[dict[str, Any]]) -> int:
    """Print a table of what became of the files; return 1 where something went wrong."""
    print(f"{'command':<20}{'files':>7}{'exit 0':>8}{'1':>6}{'2':>6}{'3':>6}{'wrong':>7}")
    for name in [*dict.fromkeys(row["command"] for row in rows), "all"]:
        ends = Counter(row["outcome"] for row in rows if name in (row["command"], "all"))
        codes = [ends.pop(code, 0) for code in "0123"]
        wrong = ends.total()
        row = f"{codes[0]:>8}{codes[1]:>6}{codes[2]:>6}{codes[3]:>6}{wrong:>7}"
        print(f"{name:<20}{sum(codes) + wrong:>7}{row}  {dict(ends) or ''}")
    wrong_files = [file for file in rows if file["outcome"] not in "0123"]
    for file in wrong_files:
        print(f"  --again {file['command']!r} {file['number']!r}: {file['outcome']}")
    return 1 if wrong_files else 0


def again(tests: ModuleType, jobs: list[Job], name: str, number: str) -> int:
    """Run a command once more on one of its files, and leave the folder in which it did."""
    job = next(job for job in jobs if job.name == name)
    if number in tests.BY_HAND:
        path = tests.BY_HAND[number]()
        arguments = tests.fit(job.words, path, path)
    else:
        arguments, _ = make_file(tests, job, int(number))
    kept = shutil.copytree(".", tempfile.mkdtemp(prefix="again-"), dirs_exist_ok=True)
    print(f"cd {kept}; digitlens", *arguments, flush=True)
    return int(tests.run(["--debug", *arguments]))


def share(tests: ModuleType, jobs: list[Job], root: Path, chosen: argparse.Namespace) -> bool:
    """Share the commands among processes; return whether one of them broke."""
    workers = []
    for place in range(chosen.jobs):
        own = shutil.copytree(root / "base", root / f"job-{place}")
        workers.append(os.fork())
        if not workers[-1]:
            try:
                os.chdir(own)
                (by_hand if chosen.hand else fuzz)(tests, jobs[place :: chosen.jobs], chosen)
                os._exit(0)
            finally:
                traceback.print_exc()
                os._exit(1)
    codes = [os.waitpid(worker, 0)[1] for worker in workers]
    return any(codes)


def main() -> int:
    """Give as many files as asked, and print a table; the exit code is 1 after a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="in all, those in --out too")
    parser.add_argument("--first", type=int, default=0, help="begin with files of this number")
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop after this time")
    parser.add_argument("--only", nargs="*", help="commands with one of these in their name")
    parser.add_argument("--jobs", type=int, default=1, help="so many commands side by side")
    parser.add_argument("--hand", action="store_true", help="what is made by hand instead")
    parser.add_argument("--again", nargs=2, help="run a command on its file of this number")
    parser.add_argument("--out", type=Path, default=Path("fuzz.jsonl"), help="results")
    chosen = parser.parse_args()
    chosen.deadline, chosen.out = time.monotonic() + chosen.seconds, chosen.out.absolute()
    os.environ |= {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    tests, here = load_tests(), Path.cwd()
    root = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        os.chdir(root)
        (root / "base").mkdir()
        os.chdir(root / "base")
        with contextlib.redirect_stdout(io.StringIO()):
            prepare(tests, root / "base")
        jobs = list_jobs(tests, root / "base")
        if chosen.again:
            return again(tests, jobs, *chosen.again)
        if chosen.only:
            jobs = [job for job in jobs if any(one in job.name for one in chosen.only)]
        broken = share(tests, jobs, root, chosen)
        return max(tell(read_rows(chosen.out)), broken)
    finally:
        os.chdir(here)
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
