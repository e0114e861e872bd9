"""Work on several processors, and in the background; what goes wrong costs one task.

`attempt` is the one place that decides what a fault costs: whatever a picture, page or row does
is the error of its own result, unless it stands in the way of all. `run_in_order` does so for
many tasks, here or in processes, where a hang, a crash or a lack of memory costs one task too.

`run_tasks` gives tasks to worker processes; one that dies takes one task with it. The process
pool of `concurrent.futures` gives up all tasks when a process dies, and does not say which task
it was; here each worker has a pipe of its own and one task at a time.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, cast

from digitlens.errors import (
    DigitlensError,
    DigitlensWarning,
    ModelError,
    StorageError,
    TimeLimitError,
    TooLargeError,
    WorkerError,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from concurrent.futures import Future
    from multiprocessing.connection import Connection


T = TypeVar("T")
R = TypeVar("R")

Prepare: TypeAlias = "Callable[[], Callable[[T], R]]"

STARTS = 10  # workers in a row that may be killed while they start
GRACE_SECONDS = 5.0  # seconds that an idle worker has to leave by itself


@dataclass(frozen=True)
class TaskResult(Generic[T, R]):
    """A task, and what came of it: a result or an error."""

    task: T
    result: R | None
    error: DigitlensError | None = None


raise_faults = False
"""Set by ``--debug``: a fault ends the command, so that it is seen where it comes from."""


FATAL = (ModelError, StorageError)
"""What would stand in the way of every other task too, where tasks share a model."""


def attempt(
    work: Callable[[T], R], task: T, *, fatal: tuple[type[DigitlensError], ...] = FATAL
) -> TaskResult[T, R]:
    """Do a task; whatever is raised becomes its error, except errors of the kinds `fatal`."""
    try:
        return TaskResult(task, work(task))
    except fatal:
        raise
    except DigitlensError as error:
        return TaskResult(task, None, error)
    except MemoryError:
        return TaskResult(task, None, TooLargeError("there is not enough memory to read this"))
    except Exception as error:
        if raise_faults:
            raise
        words = str(error).strip().splitlines()
        fault = DigitlensError(
            f"{type(error).__name__}: {words[0] if words else 'no message'}",
            likely="a fault in digitlens itself",
            try_="digitlens --debug with this file alone shows where",
        )
        return TaskResult(task, None, fault)


def run_in_order(
    tasks: Iterable[T],
    work: Callable[[T], R],
    *,
    prepare: Prepare[T, R],
    workers: int,
    limit: float,
    ahead: int = 32,
    held: int = 1,
) -> Generator[TaskResult[T, R], None, None]:
    """Do tasks, and yield what comes of each in their order; see `attempt`.

    tasks: taken one by one, at most `ahead` before their result is asked for
    work: does one here
    prepare: makes what does one in a process; see `run_tasks`
    workers: processes at most; with 0 all is done here, where nothing stops a hang or a crash
    limit: seconds that a task may take in a process
    held: see `run_tasks`

    Raises what `run_tasks` and `attempt` raise.
    """
    if not workers:
        for task in tasks:
            yield attempt(work, task)
        return
    remaining = iter(enumerate(tasks))
    queue = deque(islice(remaining, ahead))
    done: dict[int, TaskResult[T, R]] = {}
    keep = partial(_keep_place, prepare)
    outcomes = run_tasks(queue, keep, workers=workers, limit=limit, held=held)
    with closing(outcomes):
        for place in count():
            while place not in done:
                outcome = next(outcomes, None)
                if outcome is None:
                    return
                index, task = outcome.task
                done[index] = TaskResult(task, outcome.result, outcome.error)
            yield done.pop(place)
            queue.extend(islice(remaining, 1))


def _keep_place(prepare: Prepare[T, R]) -> Callable[[tuple[int, T]], R]:
    work = prepare()
    return lambda task: work(task[1])


def run_tasks(
    todo: deque[T], prepare: Prepare[T, R], *, workers: int, limit: float, held: int = 1
) -> Generator[TaskResult[T, R], None, None]:
    """Give tasks to workers until none is left, and yield what comes back, in no order.

    todo: the tasks; is emptied. Whoever takes the outcomes may put more tasks into it.
    prepare: called once in each worker; returns what is called with each task. Both, and the
        tasks, must be things that can be pickled.
    workers: processes at most; they are started as tasks need them
    limit: seconds that a task may take
    held: tasks that a worker may have at most: with 2 it need not wait for the next one, where
        tasks are short and small. One that dies loses the task that it was at.

    Raises DigitlensError: a worker cannot start, or met what stands in the way of every task (a
    `ModelError`, a `StorageError`). All workers are ended then, as when the generator is
    closed.
    """
    pool: list[_Worker[T]] = []
    failed = 0  # workers in a row that were killed while they started
    try:
        while todo or any(worker.busy for worker in pool):
            _hand_out(todo, pool, prepare, workers, held)
            for worker in _poll(pool, limit):
                outcome = _receive(worker, limit)
                if worker.ended:
                    pool.remove(worker)
                    todo.extendleft(reversed(worker.tasks))
                failed = 0 if worker.ready else failed + worker.ended
                if failed == STARTS:
                    code = worker.process.exitcode or 0
                    raise WorkerError(
                        "workers are killed as they start", seen=f"signal {-code}"
                    )
                if outcome is not None:
                    yield outcome
    finally:
        for worker in pool:
            worker.close()
        for worker in pool:
            worker.end()


class WorkerPool(Generic[T, R]):
    """Workers that stay, for tasks of several threads; `prepare`, `limit`: see `run_tasks`."""

    def __init__(self, prepare: Prepare[T, R], *, limit: float) -> None:
        self._prepare, self._limit = prepare, limit
        self._idle: list[_Worker[T]] = []  # what was used last is taken first
        self._is_closed = False

    def run(self, task: T) -> R:
        """Do a task in a worker of its own; raises the task's error, or as `run_tasks`."""
        for _ in range(STARTS):
            worker = self._idle.pop() if self._idle else _Worker(self._prepare)
            try:
                outcome = self._ask(worker, task)
            except BaseException:
                worker.stop()
                raise
            self._idle += () if worker.ended else (worker,)
            if self._is_closed:
                self.close()
            if outcome is not None and outcome.error is None:
                return cast("R", outcome.result)
            if outcome is not None and outcome.error is not None:
                raise outcome.error
        raise WorkerError("workers are killed as they start")

    def _ask(self, worker: _Worker[T], task: T) -> TaskResult[T, R] | None:
        """Return what came of a task; None where the worker died before it had it."""
        outcome = None
        while outcome is None and not worker.ended:
            # An idle one has nothing to say but that it died.
            if worker.ready and not worker.busy and not worker.pipe.poll():
                worker.give(task)
            for heard in _poll([worker], self._limit):
                outcome = _receive(heard, self._limit)
        return outcome

    def close(self) -> None:
        """End the workers, those that have a task when they have done it."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().stop()


class _Worker(Generic[T]):
    """A worker as its master sees it."""

    def __init__(self, prepare: Callable[[], Any]) -> None:
        # Loaded here: one picture is read without a process, and need not wait for this.
        from multiprocessing import get_context

        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, prepare), daemon=True)
        with _ignore_sigint():
            self.process.start()
        theirs.close()
        self.ready = False
        self.ended = False
        self.tasks: deque[T] = deque()  # the first is what it is at
        self.since = 0.0

    @property
    def busy(self) -> bool:
        return bool(self.tasks)

    def give(self, task: T) -> None:
        if not self.tasks:
            self.since = time.monotonic()
        self.tasks.append(task)
        with suppress(OSError):  # it died meanwhile: that is heard from the pipe
            self.pipe.send(task)

    def close(self) -> None:
        """Tell an idle worker to leave, and a busy one to stop."""
        self.pipe.close()
        if self.busy or not self.ready:
            self.process.terminate()

    def stop(self) -> None:
        """Let the worker go, and see that it is gone."""
        self.close()
        self.end()

    def end(self) -> None:
        """See that the worker is gone."""
        self.ended = True
        self.process.join(GRACE_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _hand_out(
    todo: deque[T], pool: list[_Worker[T]], prepare: Prepare[T, R], workers: int, held: int
) -> None:
    for worker in pool:
        if todo and worker.ready and not worker.busy:
            worker.give(todo.popleft())
    for worker in pool:
        # The last tasks are for those that have none.
        while worker.busy and len(worker.tasks) < held and len(todo) > workers:
            worker.give(todo.popleft())
    starting = sum(not worker.ready for worker in pool)
    more = min(workers - len(pool), len(todo) - starting)
    pool += [_Worker(prepare) for _ in range(more)]


def _poll(pool: list[_Worker[T]], limit: float) -> list[_Worker[T]]:
    """Wait, and return the workers that said something, died, or are over their time."""
    now = time.monotonic()
    ends = [worker.since + limit for worker in pool if worker.busy]
    from multiprocessing.connection import wait

    pipes = wait([worker.pipe for worker in pool], max(0.0, min(ends) - now) if ends else None)
    now = time.monotonic()
    return [
        worker
        for worker in pool
        if worker.pipe in pipes or (worker.busy and now >= worker.since + limit)
    ]


def _receive(worker: _Worker[T], limit: float) -> TaskResult[T, Any] | None:
    """Return what a worker's message says of its task; None where it says it is ready."""
    try:
        if not worker.pipe.poll():
            return _stop_overdue(worker, limit)
        kind, value = worker.pipe.recv()
    except (EOFError, OSError):
        return _report_death(worker)
    if kind == "fatal":
        raise value
    if kind == "warning":
        warnings.warn(value, DigitlensWarning, stacklevel=2)
        return None
    if kind == "ready":
        worker.ready = True
        return None
    worker.since = time.monotonic()
    return TaskResult(worker.tasks.popleft(), *value)


def _stop_overdue(worker: _Worker[T], limit: float) -> TaskResult[T, Any]:
    worker.process.kill()
    worker.stop()
    return TaskResult(
        worker.tasks.popleft(),
        None,
        TimeLimitError(f"this took longer than {limit:g} s and was stopped"),
    )


def _report_death(worker: _Worker[T]) -> TaskResult[T, Any] | None:
    """Return what the death of a worker costs: its task, or nothing where it had none."""
    worker.stop()
    code = worker.process.exitcode or 0
    seen = f"exit code {code}" if code >= 0 else f"signal {-code}"
    if not worker.busy:
        if worker.ready or code < 0:  # killed from outside: nothing is lost
            return None
        raise DigitlensError(
            "a worker process could not be started",
            seen=seen,
            likely='a script without the line: if __name__ == "__main__":',
        )
    killed = code == -9
    error = WorkerError(
        "the process that read this died",
        seen=seen,
        likely="the system ended it, for want of memory" if killed else None,
        try_="a smaller picture, or fewer --workers" if killed else None,
    )
    return TaskResult(worker.tasks.popleft(), None, error)


@contextmanager
def _ignore_sigint() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach: their master ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(pipe: Connection, prepare: Callable[[], Callable[[Any], Any]]) -> None:
    """Be a worker: prepare, then answer task after task until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            work = prepare()
        except DigitlensError as error:
            pipe.send(("fatal", error))
            return
        # What is warned of is told by the process that has the user's ear.
        warnings.simplefilter("always", DigitlensWarning)
        warnings.showwarning = lambda message, *_, **__: pipe.send(("warning", str(message)))
        pipe.send(("ready", None))
        while True:
            task = pipe.recv()
            try:
                outcome = attempt(work, task)
                pipe.send(("done", (outcome.result, outcome.error)))
            except FATAL as error:
                pipe.send(("fatal", error))


MEMORY_LIMIT = 4 << 30  # bytes that a worker may take; what wants more is an error of its task


def _limit_memory() -> None:
    with suppress(ImportError, ValueError, OSError):  # another system, or a lower limit
        import resource

        # Numeric libraries reserve room for each core.
        limit = MEMORY_LIMIT + (os.cpu_count() or 1) * (128 << 20)
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, most))


def available_cpus(
    groups: Path = Path("/sys/fs/cgroup"), process: Path = Path("/proc/self/cgroup")
) -> int:
    """Return how many cores this process may use.

    A container may be given the time of fewer cores than it sees: more processes than that
    only wait for one another.

    groups: where Linux tells the limits of the control group (version 2: ``cpu.max``; version
        1: ``cpu/cpu.cfs_quota_us``); a container sees its own there
    process: where it tells this process's group, which may lie deeper; each above it counts
    """
    quotas = [
        _cgroup_quota(groups / level, groups / "cpu" / level) for level in _list_levels(process)
    ]
    return max(1, math.ceil(min(visible_cpus(), *quotas)))


def is_machine_busy(loads: Path = Path("/proc/loadavg")) -> bool:
    """Say whether others run at this moment; False where the system does not tell (not Linux).

    It looks three times within some milliseconds: what runs for a moment does not count.
    """
    try:
        for wait in (0.002, 0.002, 0):
            running, _, _ = loads.read_text().split()[3].partition("/")
            if int(running) <= 1:  # that one is this process
                return False
            time.sleep(wait)
    except (OSError, ValueError, IndexError):
        return False
    return True


def _list_levels(process: Path) -> set[str]:
    """Return the groups that a process is in, and those above, as paths below the root."""
    levels = {""}
    with suppress(OSError, ValueError):
        for row in process.read_text().splitlines():
            number, controllers, path = row.split(":", 2)
            if number == "0" or "cpu" in controllers.split(","):
                parts = [part for part in path.split("/") if part not in ("", "..")]
                levels |= {"/".join(parts[: count + 1]) for count in range(len(parts))}
    return levels


def visible_cpus() -> int:
    """Return how many cores this process may run on, whatever time it is given there."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cgroup_quota(group: Path, older: Path) -> float:
    """Return the cores whose time a group may take; infinite where that is not said.

    group, older: its folder in version 2, and that of the controller in version 1
    """
    whole = group / "cpu.max"
    quota, period = older / "cpu.cfs_quota_us", older / "cpu.cfs_period_us"
    try:
        if whole.is_file():
            share, unit = whole.read_text().split()
        else:
            share, unit = quota.read_text(), period.read_text()
        return float(share) / float(unit) if float(share) > 0 else math.inf
    except (OSError, ValueError, ZeroDivisionError):  # "max", no such file, another system
        return math.inf


def run_in_background(work: Callable[[], R]) -> Future[R]:
    """Return the future result of `work`, which begins at once in a thread of its own.

    The thread is a daemon: a process that ends does not wait for it.

    >>> run_in_background(lambda: 6 * 7).result()
    42
    """
    from concurrent.futures import Future

    future: Future[R] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # raised again where the result is asked for
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
