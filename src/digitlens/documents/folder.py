"""All pages of all files, in order, on all cores."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from digitlens.documents.desk import Desk
from digitlens.documents.job import Result, Task
from digitlens.documents.sources import PAGES
from digitlens.pool import work_off
from digitlens.cores import cores

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from digitlens.documents.job import Job
    from digitlens.documents.sources import Source
    from digitlens.pool import Outcome
    from digitlens.reader import Reader

LIMIT = 60.0
"""Seconds that a page may take. Reading is bounded by itself; drawing a PDF is not."""


def read_all(
    sources: Sequence[Source],
    job: Job,
    *,
    workers: int | None = None,
    reader: Reader | None = None,
    limit: float = LIMIT,
) -> Generator[Result, None, None]:
    """Read all pages of all files.

    Parameters
    ----------
    sources
        From `digitlens.documents.expand`.
    job
        What is done with every page.
    workers
        Processes at most; as many as this process may use cores when None. A single picture
        is read by this process itself.
    reader
        That of the job, where it is loaded already; the processes load their own.
    limit
        Seconds that a page may take before it is given up.

    Yields
    ------
    A result for each page, in the order of the files and pages, as soon as those before it
    are there. A file that cannot be opened gives one result, with its error. Closing the
    generator ends the processes.

    Raises
    ------
    ModelError, StorageError
        What stands in the way of every page.
    DigitlensError
        No process could be started.
    """
    if len(sources) == 1 and sources[0].path.suffix.lower() not in PAGES:
        return _alone(sources[0], job, reader)
    return _in_order(sources, job, workers or cores(), limit)


def _alone(source: Source, job: Job, reader: Reader | None) -> Generator[Result, None, None]:
    desk = Desk(job, reader)
    try:
        result = desk(Task(source, 0))
        yield result
        for at in range(1, result.count):
            yield desk(Task(source, 0, at))
    finally:
        desk.close()


def _in_order(
    sources: Sequence[Source], job: Job, workers: int, limit: float
) -> Generator[Result, None, None]:
    todo = deque(Task(source, place) for place, source in enumerate(sources))
    counts: dict[int, int] = {}
    waiting: dict[tuple[int, int], Result] = {}
    turn = (0, 0)
    outcomes = work_off(todo, partial(desk_of_one, job), workers=workers, limit=limit)
    try:
        for outcome in outcomes:
            result = _result(outcome, counts)
            task = result.task
            if task.at == 0:
                counts[task.place] = result.count
                # Before all files that follow, so that no page waits long for its turn.
                pages = (Task(task.source, task.place, at) for at in range(1, result.count))
                todo.extendleft(reversed(list(pages)))
            waiting[task.place, task.at] = result
            while turn in waiting:
                done = waiting.pop(turn)
                place, at = turn
                turn = (place, at + 1) if at + 1 < counts[place] else (place + 1, 0)
                yield done
    finally:
        outcomes.close()


def _result(outcome: Outcome[Task, Result], counts: dict[int, int]) -> Result:
    if outcome.result is not None:
        return outcome.result
    count = counts.get(outcome.task.place, 1)
    number = outcome.task.at + 1 if count > 1 else None
    return Result(outcome.task, None, outcome.error, number, count)


def desk_of_one(job: Job) -> Desk:
    """Return a desk in a process that shares the machine with others: it uses one core."""
    import cv2

    cv2.setNumThreads(1)
    return Desk(job)
