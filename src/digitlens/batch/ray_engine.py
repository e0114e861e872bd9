"""Parts of a batch on Ray, on one machine or many; the package is loaded when used.

Workers are actors: each loads the network, then makes the rows of part after part and hands
them back. Whoever drives the batch writes them, so that the machines need the pictures and
digitlens, and no folder in common. What kills a worker is found by halves: a part whose worker
died is tried again in two, down to the picture that does it, whose row says so.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from digitlens.errors import DigitlensError, MissingExtraError, TimeLimitError, WorkerError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from digitlens.batch.items import Item
    from digitlens.batch.rows import Rows

    Row = dict[str, Any]
    Part = tuple[int, list[Item]]
    PartRows = tuple[int, list[Row]]


# How often one picture may lose its worker, as lost machines do, until it is blamed.
TRIES = 3
# Workers in a row that may die while they start, until it is given up.
STARTS = 10


@dataclass(frozen=True)
class Job:
    """Some pictures of a part that one worker is given."""

    part: int
    start: int  # the first one's place in its part
    items: tuple[Item, ...]
    tries: int = 0

    def split(self) -> list[Job]:
        """Return what is tried next after the worker of this job died."""
        if len(self.items) == 1:
            return [replace(self, tries=self.tries + 1)]
        middle = len(self.items) // 2
        first = replace(self, items=self.items[:middle])
        return [first, replace(self, start=self.start + middle, items=self.items[middle:])]


class _Made:
    """The rows of parts that are not complete yet."""

    def __init__(self) -> None:
        self._pieces: dict[int, dict[int, list[list[Row]]]] = {}
        self._missing: dict[int, int] = {}

    def begin(self, parts: Iterator[Part]) -> Iterator[Job]:
        """Yield the job of the next part; nothing when there is none."""
        for part, items in parts:
            self._missing[part] = len(items)
            yield Job(part, 0, tuple(items))
            return

    def add(self, job: Job, rows: list[list[Row]]) -> Iterator[PartRows]:
        """Keep the rows of a job's pictures; yield the part if these were the last ones."""
        self._pieces.setdefault(job.part, {})[job.start] = rows
        self._missing[job.part] -= len(job.items)
        if not self._missing[job.part]:
            pieces = self._pieces.pop(job.part)
            ordered = [some for start in sorted(pieces) for some in pieces[start]]
            yield job.part, [row for some in ordered for row in some]


class Worker:
    """What runs on the machines of the cluster, one a processor."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def load(self) -> None:
        """Load the network, and use one core from then on."""
        self._rows.load()

    def make_rows(self, items: tuple[Item, ...]) -> list[list[Row]]:
        """Return the rows of each picture."""
        return [self._rows(item) for item in items]


class _Call(NamedTuple):
    """What a worker was asked for: a job, or to load where there is none."""

    worker: Any
    job: Job | None
    since: float


class _Pool:
    """The workers of one run, as `workers.run_tasks` has them here."""

    def __init__(self, ray: Any, rows: Rows, limit: float) -> None:
        self._ray, self._rows, self._limit = ray, rows, limit
        # Nothing is done again by Ray itself: a picture may have been what killed its worker.
        self._kind = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Worker)
        self._idle: list[Any] = []
        self._calls: dict[Any, _Call] = {}
        self._failed = 0  # workers in a row that did not start

    @property
    def busy(self) -> int:
        """How many workers have a job."""
        return sum(call.job is not None for call in self._calls.values())

    def hand_out(self, todo: deque[Job], most: int) -> None:
        """Give jobs to workers that have none, and start more for the others."""
        now = time.monotonic()
        while self._idle and todo:
            worker, job = self._idle.pop(), todo.popleft()
            self._calls[worker.make_rows.remote(job.items)] = _Call(worker, job, now)
        starting = len(self._calls) - self.busy
        for _ in range(min(most - len(self._calls) - len(self._idle), len(todo) - starting)):
            worker = self._kind.remote(self._rows)
            self._calls[worker.load.remote()] = _Call(worker, None, now)

    def wait(self) -> Iterator[tuple[Job, list[list[Row]] | DigitlensError]]:
        """Yield what is ready: the rows of each picture, or why there are none."""
        ready, _ = self._ray.wait(list(self._calls), num_returns=1, timeout=1.0)
        for reference in ready:
            call = self._calls.pop(reference)
            try:
                result = self._ray.get(reference)
            except self._ray.exceptions.RayTaskError as error:
                # What stands in the way of every picture: a network that is none.
                self._ray.kill(call.worker)
                raise getattr(error, "cause", None) or error from error
            except self._ray.exceptions.RayError as error:
                self._forget_idle()
                if call.job is None:
                    self._count_failure(error)
                else:
                    seen = f"Ray: {type(error).__name__}"
                    yield call.job, WorkerError("the process that read this died", seen=seen)
            else:
                self._idle.append(call.worker)
                self._failed = 0
                if call.job is not None:
                    yield call.job, result
        now = time.monotonic()
        for reference, (worker, job, since) in [*self._calls.items()]:
            if job and now - since > self._limit * (1 + (len(job.items) - 1) / 20):
                del self._calls[reference]
                self._ray.kill(worker)
                why = f"this took longer than {self._limit:g} s and was stopped"
                yield replace(job, tries=TRIES), TimeLimitError(why)

    def _forget_idle(self) -> None:
        # They may have been on the machine that was lost: a job would lose a try with each.
        while self._idle:
            self._ray.kill(self._idle.pop())

    def _count_failure(self, error: Exception) -> None:
        self._failed += 1
        if self._failed == STARTS:
            raise WorkerError(
                "no worker of Ray starts",
                seen=f"{type(error).__name__}: {error}"[:500],
                likely="another digitlens on that machine, or none",
            ) from error

    def end(self) -> None:
        """End all workers, whatever they are at."""
        self._forget_idle()
        for call in self._calls.values():
            self._ray.kill(call.worker)


class RayEngine:
    """Workers of Ray.

    address: of the cluster's head; with "" a cluster of this machine is begun
    workers: at most; None for one a processor of the cluster
    limit: seconds that a picture may take, and that a part may take more than its pictures do;
        waiting for a processor and loading the network do not count
    """

    def __init__(
        self, address: str = "", workers: int | None = None, limit: float = 60.0
    ) -> None:
        self._address, self._workers, self._limit = address, workers, limit

    def __call__(self, parts: Iterator[Part], rows: Rows) -> Generator[PartRows, None, None]:
        """Yield the rows of each part, in the order in which they are ready."""
        ray = _connect(self._address, self._workers)
        pool, made = _Pool(ray, rows, self._limit), _Made()
        todo: deque[Job] = deque()
        finished: list[PartRows] = []
        try:
            while True:
                # Ask for as many jobs as there are processors, pieces of parts first.
                count = self._count(ray)
                while pool.busy + len(todo) < count and (jobs := [*made.begin(parts)]):
                    todo += jobs
                pool.hand_out(todo, count)
                # Only now: no worker waits until they are written.
                yield from finished
                if not todo and not pool.busy:
                    return
                # Take what is ready; of what died or hangs a smaller piece is tried.
                finished = []
                for job, result in pool.wait():
                    if not isinstance(result, DigitlensError):
                        finished += made.add(job, result)
                    elif len(job.items) > 1 or job.tries + 1 < TRIES:
                        todo.extendleft(reversed(job.split()))
                    else:
                        finished += made.add(job, [rows.error_rows(job.items[0], result)])
        finally:
            pool.end()

    def _count(self, ray: Any) -> int:
        return self._workers or max(1, int(ray.cluster_resources().get("CPU", 1)))


def _connect(address: str, workers: int | None) -> Any:
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingExtraError.of("--engine ray needs", "ray", "ray") from error
    # Nothing is drawn, and no usage is reported.
    own = {"address": "local", "num_cpus": workers, "include_dashboard": False}
    more = {"address": address} if address else own
    # Ray gives the processes of a new cluster 15 seconds to import what they need, which a busy
    # machine takes longer for the first time; the second time it has the files in its memory.
    tries = 1 if address else 2
    while not ray.is_initialized():
        try:
            ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **more)
        except Exception as error:  # of many kinds, as the cluster has it
            ray.shutdown()
            tries -= 1
            if not tries:
                raise WorkerError(
                    "no cluster of Ray answers",
                    seen=f"{type(error).__name__}: {error}".splitlines()[0],
                    likely=None if address else "a busy machine: Ray does not wait long",
                    try_="ray start --head; then --address auto",
                ) from error
    return ray
