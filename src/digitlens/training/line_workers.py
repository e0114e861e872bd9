"""Processes that write lines to learn from while the network learns from others."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import queue
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from digitlens.errors import DigitlensError, WorkerError
from digitlens.synth.random import limit_opencv_threads
from digitlens.training.lines import POOL, LineBatch, pool_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from types import TracebackType

    from digitlens.models.recipe import LineRecipe
    from digitlens.synth import Glyphs


AHEAD = 2 * POOL
"""Batches that a process writes ahead at most; about 40 MB."""

PATIENCE = 5.0
"""Seconds that a process is given to end before it is killed."""


@dataclass(frozen=True)
class WorkPlan:
    """Which lines are written: those of `recipe` and `seed`, from batch `step` on."""

    glyphs: Glyphs
    recipe: LineRecipe
    seed: int
    step: int = 0


def batches_here(plan: WorkPlan) -> Iterator[LineBatch]:
    """Write lines in this process: batch after batch, without end."""
    pool, skipped = divmod(plan.step, POOL)
    for index in itertools.count(pool):
        yield from pool_of(plan.glyphs, plan.recipe, plan.seed, index)[skipped:]
        skipped = 0


class LineProducers:
    """Lines written by other processes; the batches are those of `batches_here`.

    Pool i is written by process i modulo `count`, and pools are taken in turn: how many
    processes there are changes no batch and no order. The processes end with the ``with``
    block, and with this process, however it ends.

    Parameters
    ----------
    plan
        Which lines.
    count
        Processes; with 0 the lines are written in this one, when they are asked for.
    """

    def __init__(self, plan: WorkPlan, count: int) -> None:
        self.plan = plan
        self.count = count
        self._ends: list[Connection] = []
        self._processes: list[SpawnProcess] = []

    def __enter__(self) -> Self:
        # Spawned, not forked: a fork would copy torch's threads and locks as they stand.
        context = multiprocessing.get_context("spawn")
        first, skipped = divmod(self.plan.step, POOL)
        for index in range(self.count):
            here, there = context.Pipe(duplex=False)
            # The process whose turn is first begins in the middle of its pool.
            turn = (index - first) % self.count
            begin = (first + turn, skipped if turn == 0 else 0)
            process = context.Process(
                target=_write,
                args=(there, self.plan, begin, self.count),
                name=f"digitlens-writer-{index}",
                daemon=True,
            )
            process.start()
            there.close()  # now only the process holds it: when that dies, reading ends
            self._ends.append(here)
            self._processes.append(process)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for end in self._ends:
            end.close()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(PATIENCE)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        self._ends, self._processes = [], []

    def __iter__(self) -> Iterator[LineBatch]:
        """Walk over the batches, without end.

        Raises
        ------
        WorkerError
            A process has died.
        DigitlensError
            What a process could not do.
        """
        if not self.count:
            yield from batches_here(self.plan)
        pool, skipped = divmod(self.plan.step, POOL)
        for index in itertools.count(pool):
            for _ in range(skipped, POOL):
                yield self._taken(index % self.count)
            skipped = 0

    def _taken(self, index: int) -> LineBatch:
        try:
            result: LineBatch | DigitlensError = self._ends[index].recv()
        except (EOFError, OSError) as error:
            raise self._died(index) from error
        if isinstance(result, DigitlensError):
            raise result
        return result

    def _died(self, index: int) -> WorkerError:
        process = self._processes[index]
        process.join(PATIENCE)
        code = process.exitcode
        how = "still alive" if code is None else f"exit code {code}"
        killed = code is not None and -code in (signal.SIGKILL, signal.SIGTERM)
        return WorkerError(
            "a process that writes lines ended before its time",
            seen=f"{process.name}, {how}",
            likely="the system ended it, as memory ran out"
            if code == -signal.SIGKILL
            else None
            if killed
            else "its message is above; a script that trains must do so below "
            'if __name__ == "__main__":',
            try_="--resume goes on from what was saved",
        )


def _write(there: Connection, plan: WorkPlan, begin: tuple[int, int], step: int) -> None:
    """Write every `step`-th pool from `begin` on; runs in a process of its own."""
    # Ctrl-C reaches all processes of a terminal; only the one that trains decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_opencv_threads()
    written: queue.Queue[LineBatch | DigitlensError] = queue.Queue(AHEAD)
    threading.Thread(target=_post, args=(there, written), daemon=True).start()
    index, skipped = begin
    try:
        while True:
            for batch in pool_of(plan.glyphs, plan.recipe, plan.seed, index)[skipped:]:
                written.put(batch)
            index, skipped = index + step, 0
    except DigitlensError as error:
        written.put(error)
        threading.Event().wait()  # until it has been read, and this process is ended


def _post(there: Connection, written: queue.Queue[LineBatch | DigitlensError]) -> None:
    """Hand over what was written; where nobody takes it any more, end the process."""
    try:
        while True:
            there.send(written.get())
    except OSError:
        os._exit(0)
