"""Batches whose drivers, workers and disks fail: nothing lost, nothing twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import count
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest

from digitlens.batch import (
    Ledger,
    LocalEngine,
    Rows,
    drop_failed,
    list_items,
    make_ledger,
    make_request,
    run_batch,
)
from digitlens.cli.doctor import GOLDEN
from digitlens.errors import StorageError

Begin = Callable[..., Ledger]
Snapshot = Callable[[Path], dict[str, bytes]]
ITEMS, SIZE = 60, 3


def _fork(work: Callable[[], object]) -> int:
    """Do something in a process of its own; return its number."""
    child = os.fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def _end(child: int) -> int:
    """Return how a process ended: 0, or less the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _count_steps(kill_at: int = 0) -> Callable[[], int]:
    """Count this process's calls and returns, and kill it at the so-many-th one."""
    steps = count(1)

    def step(*_: Any) -> None:
        if next(steps) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(step)
    return lambda: next(steps)


def _as_calm(folder: Path, calm: dict[str, bytes], snapshot: Snapshot) -> bool:
    # A new process sweeps temporary files; that of a test has been in the folder before.
    left = snapshot(folder)
    return {name: left[name] for name in left if not name.endswith(".tmp")} == calm


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_killed_at_random_moments(
    begin: Begin, rows: Any, engine: Any, snapshot: Snapshot, tmp_path: Path, kills: int
) -> None:
    """Killed again and again, wherever it is, a driver leaves whole parts; in the end, all."""
    rng, killed, lives = random.Random(1), 0, count()

    def work(folder: Path, kill_at: int = 0) -> int:
        steps = _count_steps(kill_at)
        try:
            run_batch(begin(folder, ITEMS), rows, engine)
        finally:
            sys.setprofile(None)
        return steps()

    whole = work(tmp_path / "calm")
    calm = snapshot(tmp_path / "calm")
    while killed < kills:
        folder = tmp_path / f"killed-{next(lives)}"
        while True:
            kill_at = rng.randrange(1, whole)
            code = _end(_fork(lambda: work(folder, kill_at)))  # noqa: B023 - at once
            if code == 0:
                break
            assert code == -signal.SIGKILL
            killed += 1
            if folder.exists():
                parts = {name: content for name, content in snapshot(folder).items()
                         if name.startswith("part-")}  # fmt: skip
                assert parts.items() <= calm.items(), "what is there is whole"
        assert _as_calm(folder, calm, snapshot)


@pytest.mark.parametrize("rounds", [1, pytest.param(30, marks=pytest.mark.slow)])
def test_two_drivers_on_one_folder(
    begin: Begin, rows: Any, engine: Any, snapshot: Snapshot, tmp_path: Path, rounds: int
) -> None:
    """Two drivers compute each part once; where one is killed the other does the rest."""
    run_batch(begin(tmp_path / "calm", ITEMS), rows, engine)
    calm, rng = snapshot(tmp_path / "calm"), random.Random(2)

    def drive(folder: Path, log: Path, kill_at: int) -> None:
        _count_steps(kill_at)
        with log.open("ab", buffering=0) as file:

            def note(parts: Iterator[Any], rows: Any) -> Iterator[Any]:
                for part in parts:
                    file.write(b"%d\n" % part[0])
                    yield from engine(iter([part]), rows)

            run_batch(begin(folder, ITEMS), rows, note, wait=lambda _: os.sched_yield())

    for number in range(rounds):
        for kill_at in (0, rng.randrange(2000, 20_000)):
            folder, log = tmp_path / f"{number}-{kill_at}", tmp_path / f"log-{number}-{kill_at}"
            pair = [_fork(partial(drive, folder, log, step)) for step in (0, kill_at)]
            first, second = map(_end, pair)
            assert (first, second) in ((0, 0), (0, -signal.SIGKILL))
            assert _as_calm(folder, calm, snapshot)
            done = sorted(map(int, log.read_text().split()))
            if second == 0:
                assert done == list(range(ITEMS // SIZE)), "each part once"
            else:
                assert len(done) <= ITEMS // SIZE + 1, "at most what the killed one was at"


def test_killed_workers_cost_what_they_were_at(
    write_digit: Callable[[str], Path], engine: Any, snapshot: Snapshot, in_tmp: Path
) -> None:
    """A worker killed from outside costs a row at most; done again, the bytes are calm."""
    content = write_digit("m/00.png").read_bytes()
    for index in range(1, 40):
        Path(f"m/{index:02d}.png").write_bytes(content)
    rows = Rows("predict", GOLDEN, flat=False)
    request = make_request(rows, ["m"], part_size=8)
    run_batch(make_ledger(Path("calm"), request, list_items(["m"])), rows, engine)
    ledger, done = make_ledger(Path("out"), request, list_items(["m"])), count()

    def kill_all(_: int) -> None:
        if next(done) == 1:
            for child in active_children():
                os.kill(child.pid or 0, signal.SIGKILL)

    run_batch(ledger, rows, LocalEngine(2), progress=kill_all)
    status = ledger.read_status()
    assert (status.done, status.rows) == (5, 40)
    assert set(status.errors) <= {"died"}
    assert sum(status.errors.values()) <= 2
    drop_failed(ledger, ["died"])
    run_batch(ledger, rows, engine)
    assert snapshot(Path("out")) == snapshot(Path("calm"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of its own, of 96 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=96k", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here: root may")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
def test_a_disk_that_is_full_in_truth(
    begin: Begin, rows: Any, engine: Any, snapshot: Snapshot, small_disk: Path, tmp_path: Path
) -> None:
    """On a full disk it ends with an error and whole parts; as room is made it goes on."""
    run_batch(begin(tmp_path / "calm", ITEMS), rows, engine)
    calm, out = snapshot(tmp_path / "calm"), small_disk / "out"
    ballast, tries = [small_disk / f"ballast-{index}" for index in range(20)], 0
    for path in ballast:
        path.write_bytes(bytes(4096))
    while True:
        try:
            run_batch(begin(out, ITEMS), rows, engine)
            break
        except StorageError:
            tries += 1
            kept = snapshot(out) if out.exists() else {}
            assert not [name for name in kept if name.endswith(".tmp")]
            assert {
                n: c for n, c in kept.items() if n.startswith("part-")
            }.items() <= calm.items()
            ballast.pop().unlink()
    assert tries > 3
    assert snapshot(out) == calm


def test_a_killed_driver_is_gone_on_with(
    write_digit: Callable[[str], Path],
    engine: Any,
    snapshot: Callable[[Path], dict[str, bytes]],
    in_tmp: Path,
) -> None:
    """Killed while its processes work, what is left is whole; gone on with, nothing differs."""
    content = write_digit("m/000.png").read_bytes()
    for index in range(1, 300):
        Path(f"m/{index:03d}.png").write_bytes(b"no picture" if index % 50 == 7 else content)
    rows = Rows("predict", GOLDEN, flat=False)
    request = make_request(rows, ["m"], part_size=4)

    def go_on(folder: str) -> None:
        run_batch(make_ledger(Path(folder), request, list_items(["m"])), rows, engine)

    go_on("calm")
    words = ("batch", "predict", "m", "--out", "killed", "--part-size", "4", "--workers", "2")
    driver = subprocess.Popen(
        [sys.executable, "-m", "digitlens", *words, "--model", str(GOLDEN)],
        stderr=subprocess.DEVNULL,
    )
    while not Path("killed/part-00002.jsonl").exists():
        assert driver.poll() is None, "it is killed before it is done"
        with suppress(subprocess.TimeoutExpired):
            driver.wait(0.02)
    driver.kill()
    driver.wait()
    calm, left = snapshot(Path("calm")), snapshot(Path("killed"))
    parts = {name: left[name] for name in left if name.startswith("part-")}
    assert 3 <= len(parts) < 75
    assert parts.items() <= calm.items()
    go_on("killed")
    left = snapshot(Path("killed"))
    assert {name: left[name] for name in left if not name.endswith(".tmp")} == calm
