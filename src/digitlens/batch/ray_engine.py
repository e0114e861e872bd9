"""Parts of a batch as tasks of Ray, on one machine or many; the package is loaded when used.

A task makes the rows of a part and hands them back; whoever drives the batch writes them, so
that the machines need the pictures and digitlens, and no folder in common. What kills a task's
process is found by halves: a part whose process died is tried again in two, down to the
picture that does it, whose row says so.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from digitlens.errors import DigitlensError, MissingExtraError, TimeLimitError, WorkerError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from digitlens.batch.items import Item
    from digitlens.batch.rows import Rows

    Row = dict[str, Any]
    Part = tuple[int, list[Item]]
    PartRows = tuple[int, list[Row]]


TRIES = 3
"""How often one picture may lose its process, as lost machines do, until it is blamed."""


@dataclass(frozen=True)
class Job:
    """Some pictures of a part that one task is asked for."""

    part: int
    start: int  # the first one's place in its part
    items: tuple[Item, ...]
    tries: int = 0
    since: float = field(default=0.0, compare=False)

    def split(self) -> list[Job]:
        """Return what is tried next after the process of this job died."""
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


class RayEngine:
    """Tasks of Ray.

    address: of the cluster's head; with "" a cluster of this machine is begun
    workers: tasks at once at most; None for one a processor of the cluster
    limit: seconds that a picture may take, and that a part may take more than its pictures do
    """

    def __init__(
        self, address: str = "", workers: int | None = None, limit: float = 60.0
    ) -> None:
        self._address, self._workers, self._limit = address, workers, limit

    def __call__(self, parts: Iterator[Part], rows: Rows) -> Generator[PartRows, None, None]:
        """Yield the rows of each part, in the order in which they are ready."""
        ray = _connect(self._address, self._workers)
        work = ray.remote(num_cpus=1, max_retries=0)(make_rows)
        todo: deque[Job] = deque()
        running: dict[Any, Job] = {}
        made = _Made()
        try:
            while True:
                # Ask for as many tasks as there are processors, pieces of parts first.
                while len(running) < self._count(ray):
                    if not todo:
                        todo += made.begin(parts)
                    if not todo:
                        break
                    job = replace(todo.popleft(), since=time.monotonic())
                    running[work.remote(rows, job.items)] = job
                if not running:
                    return
                # Take what is ready; of what died or hangs a smaller piece is tried.
                for job, result in self._wait(ray, running):
                    if not isinstance(result, DigitlensError):
                        yield from made.add(job, result)
                    elif len(job.items) > 1 or job.tries + 1 < TRIES:
                        todo.extendleft(reversed(job.split()))
                    else:
                        yield from made.add(job, [rows.error_rows(job.items[0], result)])
        finally:
            for reference in running:
                ray.cancel(reference, force=True)

    def _count(self, ray: Any) -> int:
        return self._workers or max(1, int(ray.cluster_resources().get("CPU", 1)))

    def _wait(
        self, ray: Any, running: dict[Any, Job]
    ) -> Iterator[tuple[Job, list[list[Row]] | DigitlensError]]:
        """Yield what is ready: the rows of each picture, or why there are none."""
        ready, _ = ray.wait(list(running), num_returns=1, timeout=1.0)
        for reference in ready:
            job = running.pop(reference)
            try:
                yield job, ray.get(reference)
            except ray.exceptions.RayTaskError as error:
                # What stands in the way of every picture: a network that is none.
                raise getattr(error, "cause", None) or error from error
            except ray.exceptions.RayError as error:
                seen = type(error).__name__
                yield job, WorkerError("the process that read this died", seen=f"Ray: {seen}")
        now = time.monotonic()
        for reference, job in [*running.items()]:
            limit = self._limit * (1 + (len(job.items) - 1) / 20)
            if now - job.since > limit:
                del running[reference]
                ray.cancel(reference, force=True)
                why = f"this took longer than {self._limit:g} s and was stopped"
                yield replace(job, tries=TRIES), TimeLimitError(why)


def make_rows(rows: Rows, items: tuple[Item, ...]) -> list[list[Row]]:
    """Return the rows of each picture: what a task does."""
    return [rows(item) for item in items]


def _connect(address: str, workers: int | None) -> Any:
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "--engine ray needs the extra 'ray'",
            seen="ray is not installed",
            try_='pip install "digitlens[ray]"',
        ) from error
    if not ray.is_initialized():
        # Tasks are what is counted here: nothing is drawn, and no usage is reported.
        own = {"num_cpus": workers, "include_dashboard": False}
        more = {"address": address} if address else own
        try:
            ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **more)
        except Exception as error:  # of many kinds, as the cluster has it
            raise WorkerError(
                "no cluster of Ray answers",
                seen=f"{type(error).__name__}: {error}".splitlines()[0],
                try_="ray start --head; then --address auto",
            ) from error
    return ray
