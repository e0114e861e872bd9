"""Pieces read by several processes at once, and given out one by one in their order."""

from __future__ import annotations

from collections import deque
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from digitlens.errors import DataError, DigitlensError
from digitlens.workers import run_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from pathlib import Path

    from digitlens.mail.candidates import ZipCandidate
    from digitlens.workers import TaskResult

    Read = Callable[[Path], Sequence[ZipCandidate]]
    Readings = Generator[TaskResult[Path, Sequence[ZipCandidate]], None, None]


LIMIT = 60.0
"""Seconds that a piece may take before it is given up and left to a person."""

AHEAD = 32
"""Pieces at most that are handed out or read, and not yet given out: as many lines are kept in
memory, and as many pieces are read again when the run is killed."""


@contextmanager
def prefetch_pieces(read: Read, paths: Iterable[Path], workers: int) -> Iterator[Read]:
    """Give a reader that looks lines up which other processes read meanwhile.

    It is asked for the pieces of `paths` one by one in their order, and raises what `read`
    raised for a piece: nobody need know that it was read elsewhere.

    Parameters
    ----------
    read
        From a picture to its lines; it and its lines must be things that can be pickled.
    paths
        The pieces. Each is taken out no sooner than it is handed to a process.
    workers
        Processes at most. Each reads one piece at a time, on one core.

    Raises
    ------
    DigitlensError
        From the reader: no process could be started, or one met an error that is not of its
        piece. On leaving, all processes are ended.
    """
    result: dict[Path, TaskResult[Path, Sequence[ZipCandidate]]] = {}
    left = iter(paths)
    todo = deque(islice(left, AHEAD))
    readings: Readings = run_tasks(todo, partial(_alone, read), workers=workers, limit=LIMIT)

    def given(path: Path) -> Sequence[ZipCandidate]:
        while path not in result:
            outcome = next(readings)
            result[outcome.task] = outcome
        outcome = result.pop(path)
        todo.extend(islice(left, 1))
        if outcome.result is not None:
            return outcome.result
        assert outcome.error is not None, "a piece has lines or an error"
        if isinstance(outcome.error, DataError):
            raise outcome.error
        raise _named(path, outcome.error)

    with closing(readings):
        yield given


def _alone(read: Read) -> Read:
    """Prepare a process that shares the machine with others: it uses one core."""
    import cv2

    cv2.setNumThreads(1)
    return read


def _named(path: Path, error: DigitlensError) -> DigitlensError:
    """Say of an error that nobody expected which piece it was met with."""
    seen = "\n".join(filter(None, (error.wanted, error.seen)))
    return type(error)(f"{path} could not be read", seen=seen, likely=error.likely)
