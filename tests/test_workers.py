"""Workers: what they answer, how they die, how they end."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from digitlens.errors import DigitlensError, ModelError, TimeLimitError, WorkerError
from digitlens.ocr.batch import PageWorker
from digitlens.ocr.page import ReadOptions
from digitlens.workers import (
    TaskResult,
    WorkerPool,
    available_cpus,
    is_machine_busy,
    run_in_order,
    run_tasks,
)

# What workers do must be found by name in a fresh process: it is Python's own.
POWERS = partial(partial, pow, 2)
SIGNALS = partial(partial, signal.raise_signal)
WAITS = partial(partial, signal.sigwait)
HARMLESS = signal.SIGWINCH


def _all(tasks: list[Any], prepare: Any, workers: int = 1) -> list[TaskResult[Any, Any]]:
    result = list(run_tasks(deque(tasks), prepare, workers=workers, limit=60))
    assert multiprocessing.active_children() == []
    return result


def test_every_task_is_answered_and_workers_end() -> None:
    """Two workers answer all tasks, and are gone when there are no more."""
    result = _all(list(range(20)), POWERS, workers=2)
    assert {item.task: item.result for item in result} == {
        index: 2**index for index in range(20)
    }


def test_tasks_may_be_added_while_others_are_worked_on() -> None:
    """Whoever takes outcomes may put more tasks into the queue."""
    todo, result = deque([1]), []
    for item in run_tasks(todo, POWERS, workers=1, limit=60):
        result.append(item.result)
        if len(result) < 3:
            todo.append(len(result) + 1)
    assert result == [2, 4, 8]


def test_a_worker_that_dies_takes_one_task_with_it() -> None:
    """The task of a killed worker gets an error that says how; another worker does the rest."""
    first, second = _all([signal.SIGKILL, HARMLESS], SIGNALS)
    assert str(first.error) == (
        "the process that read this died\n"
        "  seen    signal 9\n"
        "  likely  the system ended it, for want of memory\n"
        "  try     a smaller picture, or fewer --workers"
    )
    assert second == TaskResult(HARMLESS, None, None)


def test_a_worker_that_leaves_is_told_with_its_code() -> None:
    """A worker that exits in the middle of a task is told with its exit code."""
    (outcome,) = _all([3], partial(partial, os._exit))
    assert str(outcome.error) == "the process that read this died\n  seen    exit code 3"


def test_a_task_over_its_time_is_stopped() -> None:
    """A task that takes too long gets an error, and its worker is ended."""
    todo = deque([{signal.SIGUSR1}])
    (outcome,) = run_tasks(todo, WAITS, workers=1, limit=0.1)
    assert str(outcome.error) == "this took longer than 0.1 s and was stopped"
    assert multiprocessing.active_children() == []


def test_a_pool_outlives_its_workers() -> None:
    """A worker stays for the next task; one that dies costs the task it had, and no other."""
    pool: WorkerPool[str, Any] = WorkerPool(partial(partial, eval), limit=60)
    who = "__import__('os').getpid()"
    first = pool.run(who)
    assert pool.run(who) == first
    with pytest.raises(DigitlensError, match="TypeError"):
        pool.run("len(1)")
    assert pool.run(who) == first
    (worker,) = multiprocessing.active_children()
    worker.kill()
    worker.join()
    second = pool.run(who)  # that one had nothing to do
    assert second != first
    with pytest.raises(WorkerError, match="died"):
        pool.run("__import__('os')._exit(3)")
    pool._limit = 0.1  # not for the others: a busy machine may take longer than that
    with pytest.raises(TimeLimitError, match=r"longer than 0\.1 s"):
        pool.run("__import__('signal').sigwait({10})")
    pool._limit = 60
    assert pool.run(who) not in (first, second)
    pool.close()
    assert multiprocessing.active_children() == []


def test_a_fault_is_an_error_of_its_task() -> None:
    """An exception nobody expected is told with its task; the worker goes on."""
    first, second = _all(["one", 1], POWERS)
    assert first.error is not None
    assert first.error.wanted.startswith("TypeError: ")
    assert first.error.likely == "a fault in digitlens itself"
    assert second.result == 2


@pytest.mark.parametrize("held", [1, 3])
def test_what_a_dead_worker_held_is_done_by_others(held: int) -> None:
    """Of the tasks that a worker has been given, only the one that it was at dies with it."""
    tasks = [HARMLESS] * 5 + [signal.SIGKILL] + [HARMLESS] * 9
    todo = deque(tasks)
    result = list(run_tasks(todo, SIGNALS, workers=1, limit=60, held=held))
    assert [item.task for item in result] == tasks
    dead = [index for index, item in enumerate(result) if item.error is not None]
    assert dead == [5]


def test_a_worker_that_holds_tasks_is_timed_by_the_first() -> None:
    """What takes too long is the task that it is at; the others are done."""
    todo = deque([{signal.SIGUSR1}, *range(3)])
    waits = "lambda task: __import__('signal').sigwait(task) if isinstance(task, set) else task"
    prepare = partial(eval, waits)
    # On a busy machine the others, which take no time, must come in time too.
    result = list(run_tasks(todo, prepare, workers=1, limit=4.0, held=2))
    assert [item.result for item in result] == [None, 0, 1, 2]
    assert result[0].error is not None and "4 s" in str(result[0].error)


def test_what_stands_in_the_way_of_all_is_raised() -> None:
    """A worker that has no reader ends the work with that error."""
    with pytest.raises(ModelError, match=r"none\.onnx is no line network"):
        _all([1, 2], partial(PageWorker, ReadOptions("none.onnx")))
    assert multiprocessing.active_children() == []


def test_workers_that_cannot_start_are_not_tried_for_ever() -> None:
    """A worker that dies before its first task is an error, not a reason for another."""
    with pytest.raises(DigitlensError, match="a worker process could not be started"):
        _all([1], partial(os._exit, 4))


START = """(
    open({lives!r}, "ab").write(b"x"),
    __import__("os").path.getsize({lives!r}) < {wanted} and __import__("os").abort(),
    __import__("functools").partial(pow, 2),
)[-1]"""


@pytest.mark.parametrize(("wanted", "ends"), [(3, True), (99, False)])
def test_a_worker_killed_while_it_starts_costs_nothing(
    tmp_path: Path, wanted: int, ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another takes its place; where several in a row are killed that is an error."""
    monkeypatch.setattr("digitlens.workers.STARTS", 3)
    start = START.format(lives=str(tmp_path / "lives"), wanted=wanted)
    prepare = partial(eval, start.replace("\n", ""))
    if ends:
        assert [item.result for item in _all([5], prepare)] == [32]
    else:
        with pytest.raises(WorkerError, match="workers are killed as they start"):
            _all([5], prepare)


def test_closing_ends_busy_workers() -> None:
    """Whoever stops taking outcomes leaves no process behind, even one that is busy."""
    outcomes = run_tasks(deque([HARMLESS, HARMLESS]), SIGNALS, workers=1, limit=60)
    next(outcomes)
    assert len(multiprocessing.active_children()) == 1
    outcomes.close()
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("workers", [0, 2])
def test_results_come_in_order_and_what_fails_costs_one(workers: int) -> None:
    """Here or in processes: results in the order of the tasks, and a fault in its own place."""
    tasks = [*range(40), "fault", *range(5)]
    with closing(
        run_in_order(tasks, partial(pow, 2), prepare=POWERS, workers=workers, limit=60, ahead=8)
    ) as outcomes:
        result = list(outcomes)
    assert [item.task for item in result] == tasks
    assert [item.result for item in result if item.error is None] == [
        2**index for index in (*range(40), *range(5))
    ]
    error = result[40].error
    assert error is not None and error.wanted.startswith("TypeError: ")
    assert multiprocessing.active_children() == []


def test_no_more_than_a_window_is_taken_ahead() -> None:
    """However many tasks there are, only so many are taken before a result is asked for."""
    taken: list[int] = []
    tasks = (taken.append(index) or index for index in range(40))
    with closing(
        run_in_order(tasks, partial(pow, 2), prepare=POWERS, workers=1, limit=60, ahead=8)
    ) as outcomes:
        assert next(outcomes).result == 1
        assert len(taken) == 8
        assert next(outcomes).result == 2
        assert len(taken) == 9
    assert multiprocessing.active_children() == []


def test_a_worker_that_wants_too_much_memory_is_told() -> None:
    """What one task would take of the machine's memory is limited, and costs that task."""
    (outcome,) = _all([1 << 40], partial(partial, bytearray))
    assert str(outcome.error) == "there is not enough memory to read this"


def test_cores_are_those_that_may_be_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the system tells which cores a process may use these count, else all."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert available_cpus(tmp_path) == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert available_cpus(tmp_path) == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cpus(tmp_path) == 1


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "10000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, 7),
        ({"cpu.max": ""}, 7),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 7),
        ({}, 7),
    ],
)
def test_a_container_has_the_cores_it_is_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, str], count: int
) -> None:
    """A control group's share of time, in either version of Linux's files, bounds the cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {*range(7)}, raising=False)
    (tmp_path / "cpu").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert available_cpus(tmp_path) == count


@pytest.mark.parametrize(
    ("rows", "files", "count"),
    [
        ("0::/user.slice/run-1.scope\n", {"user.slice/run-1.scope/cpu.max": "50000 100000"}, 1),
        ("0::/user.slice/run-1.scope\n", {"user.slice/cpu.max": "300000 100000"}, 3),
        ("0::/../other\n", {"other/cpu.max": "max 100000"}, 7),
        (
            "5:memory:/a\n4:cpu,cpuacct:/a/b\n",
            {"cpu/a/b/cpu.cfs_quota_us": "200000", "cpu/a/b/cpu.cfs_period_us": "100000"},
            2,
        ),
        ("nothing of the kind\n", {}, 7),
    ],
)
def test_a_group_within_groups_has_the_least_of_all(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    rows: str,
    files: dict[str, str],
    count: int,
) -> None:
    """A share given to a group that lies deeper, as by systemd, is seen, and those above it."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {*range(7)}, raising=False)
    (tmp_path / "process").write_text(rows)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert available_cpus(tmp_path, tmp_path / "process") == count


@pytest.mark.parametrize(
    ("told", "busy"),
    [
        ("0.10 0.20 0.30 3/200 4711\n", True),
        ("9.10 0.20 0.30 1/200 4711\n", False),
        ("?", False),
    ],
)
def test_a_busy_machine_is_one_where_others_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, busy: bool
) -> None:
    """What runs now counts, not what ran a minute ago; nothing told is not busy."""
    monkeypatch.setattr("digitlens.workers.time.sleep", lambda _: None)
    (tmp_path / "loadavg").write_text(told)
    assert is_machine_busy(tmp_path / "loadavg") is busy
    assert not is_machine_busy(tmp_path / "nothing")
