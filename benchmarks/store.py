"""The state of sorting: claims with 100,000 waiting, and a run with 200,000 pieces done.

    make bench-store

Eight people (threads of one process, as in the lab) take pieces and settle them, with 100,000
waiting, from SQLite and from PostgreSQL (Debian's, started here, where it is installed); files
are moved, and what is said survives a power cut. Then `sort_folder` runs in a process of its
own over 200,000 pieces that are all sorted: once with the listing to be written, once with
nothing to do. With --folder the mail is kept for the next measurement: to make 200,000 files
takes longest.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlens.mail.decision import RoutingPolicy
from digitlens.mail.directory import load_directory
from digitlens.mail.plan import make_plan
from digitlens.mail.sorting import Review, Sorting, sort_folder
from digitlens.mail.sorting.rows import REVIEW
from digitlens.mail.sorting.stores import open_store
from digitlens.mail.sorting.trays import file_fingerprint
from peer import keep, machine, read_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.append(str(Path(__file__).parents[1] / "tools"))

PEOPLE = 8
IN_FOLDER = 10_000  # pictures


def make_rows(root: Path, count: int, tray: str | None) -> Iterator[dict[str, Any]]:
    """Walk over rows of pieces in `tray`, or each in that of its ZIP."""
    directory = load_directory()
    plan, zips = make_plan(directory, "state"), directory.zips
    for index in range(count):
        five = zips[index * 7919 % len(zips)]
        path = root / "mail" / f"{index // IN_FOLDER:02d}" / f"{index:06d}.png"
        guess = {"zip": five, "probability": 0.97, "city": "Boston", "state": "MA"}
        routing: dict[str, Any] = {
            "why": "the likeliest ZIP is 97.1 % sure; needed are 99.0 %",
            "text": five,
        }
        routing |= {"guesses": [guess] * 3, "digits": [0.99] * 5, "boxes": [[1.5] * 4] * 5}
        yield {
            "source": str(path),
            "name": f"{path.parent.name}/{path.name}",
            "filed": path.name,
            "stamp": file_fingerprint(path),
            "routing": json.dumps(routing | {"box": [1.0, 2.0, 30.0, 9.0]}),
            "zip": None if tray else five,
            "probability": 0.97,
            "reason": "unsure" if tray else None,
            "tray": tray or plan.find_tray(five),
        }


def make_state(root: Path, count: int, files: int, tray: str | None, store: str | None) -> None:
    """Write the state of so many pieces, and the files of the first of them."""
    out = root / "out"
    (root / "mail").mkdir(parents=True)
    out.mkdir()
    with open_store(out, store, create=True) as state:
        batch = []
        for index, row in enumerate(make_rows(root, count, tray)):
            if index < files:
                source, filed = Path(row["source"]), out / row["tray"] / row["filed"]
                for folder in (source.parent, filed.parent):
                    folder.mkdir(exist_ok=True)
                source.write_text(f"piece {index}")
                filed.hardlink_to(source)
                row["stamp"] = file_fingerprint(source)
            batch.append(row | {"source": state.encode_source(Path(row["source"]))})
            if len(batch) == IN_FOLDER or index == count - 1:
                names = list(batch[0])
                with state.transaction() as run:
                    run.many(
                        f"INSERT INTO pieces ({', '.join(names)}, placed, at)"  # noqa: S608
                        f" VALUES (:{', :'.join(names)}, 1, 1.0)",
                        batch,
                    )
                batch = []


def measure_claims(root: Path, store: str | None, settled: int) -> dict[str, float]:
    """Let eight people settle pieces; return how many a second, and how many came twice."""
    directory = load_directory()
    review = Review(root / "out", make_plan(directory, "state"), directory, store=store)
    zips, seen, claims = directory.zips, [], []

    def work(person: str) -> None:
        for _ in range(settled // PEOPLE):
            start = time.perf_counter()
            task = review.claim(person, token="")
            claims.append(time.perf_counter() - start)
            assert task is not None, "there is enough for all"
            review.settle(task, zips[task.piece % len(zips)])
            seen.append(task.piece)

    people = [threading.Thread(target=work, args=(f"p{index}",)) for index in range(PEOPLE)]
    start, cpu = time.perf_counter(), time.process_time()
    for person in people:
        person.start()
    for person in people:
        person.join()
    seconds = time.perf_counter() - start
    cpu = time.process_time() - cpu
    review.close()
    said = [item.piece for item in review.corrections()]
    assert sorted(said) == sorted(seen), "each has its answer"
    return {
        "per_second": len(seen) / seconds,
        "claim_ms": 1e3 * sorted(claims)[len(claims) // 2],
        "cpu_ms": 1e3 * cpu / len(seen),
        "doubles": len(seen) - len(set(seen)),
    }


def sort_again(root: Path) -> dict[str, float]:
    """Sort what is sorted; return seconds and the process's peak of memory."""

    def read(path: Path) -> Any:
        raise AssertionError(f"{path} is not new")

    directory = load_directory()
    sorting = Sorting(read, RoutingPolicy(directory), make_plan(directory, "state"))
    before = read_memory(os.getpid())[1]
    start, cpu = time.perf_counter(), time.process_time()
    summary = sort_folder(root / "mail", root / "out", sorting)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    assert (summary.new, summary.missing, summary.changed) == (0, {}, 0)
    peak = read_memory(os.getpid())[1]
    return {"seconds": seconds, "cpu": cpu, "before": before / 1024, "peak": peak / 1024}


def run_again(root: Path) -> dict[str, float]:
    """Return what `sort_again` does in a process of its own."""
    command = [sys.executable, __file__, "--again", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def describe_claims(name: str, waiting: int, result: dict[str, float]) -> str:
    """Return a row of the table."""
    return (
        f"| claim + settle, {waiting:,} waiting, {PEOPLE} people, {name} | "
        f"{result['per_second']:,.0f}/s, a claim {result['claim_ms']:.1f} ms (median), "
        f"{result['cpu_ms']:.2f} ms of processor time both, {result['doubles']:.0f} twice |"
    )


def describe_again(what: str, pieces: int, result: dict[str, float]) -> str:
    """Return a row of the table."""
    return (
        f"| `route` over {pieces:,} pieces that are done, {what} | "
        f"{result['seconds']:.2f} s, of them {result['cpu']:.2f} s of processor time; at most "
        f"{result['peak']:.0f} MiB, {result['before']:.0f} MiB before |"
    )


def main() -> None:
    """Run the benchmark; with --write keep its table in benchmarks/results/store.md."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--waiting", type=int, default=100_000)
    parser.add_argument("--settled", type=int, default=4_000)
    parser.add_argument("--done", type=int, default=200_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--again", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if options.again is not None:
        print(json.dumps(sort_again(options.again)))
        return
    rows = []
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dl-store-")))
        for name, store in [("SQLite", None), *start_postgres(stack)]:
            root = scratch / name
            make_state(root, options.waiting, options.settled + PEOPLE, REVIEW, store)
            result = measure_claims(root, store, options.settled)
            rows.append(describe_claims(name, options.waiting, result))
            print(rows[-1], flush=True)
        if options.done:
            root = options.folder or scratch / "done"
            if not root.exists():
                make_state(root, options.done, options.done, None, None)
            for what in ("the listing is written", "nothing is new"):
                if what == "the listing is written":
                    (root / "out/pieces.csv").unlink(missing_ok=True)
                rows.append(describe_again(what, options.done, run_again(root)))
                print(rows[-1], flush=True)
    foot = f"{machine()}; {os.cpu_count()} cores; {time.strftime('%Y-%m-%d')}."
    text = "\n".join(["| store | |", "|---|---|", *rows, "", foot]) + "\n"
    if options.write:
        keep("store", text)


def start_postgres(stack: ExitStack) -> Iterator[tuple[str, str]]:
    """Start a server that waits for the disk, where PostgreSQL is installed."""
    from postgres_server import TRUSTED, find_programs, run_postgres

    programs = find_programs()
    if programs is not None:
        socket = stack.enter_context(run_postgres(programs, fsync=True))
        yield "PostgreSQL", f"postgresql://{TRUSTED}@/postgres?host={socket}"


if __name__ == "__main__":
    main()
