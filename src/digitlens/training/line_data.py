"""Synthetic lines to learn from, as batches in an order that the seed alone decides.

Other processes make them while the network learns (`LineProducers`).
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import queue
import signal
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np

from digitlens.errors import DataError, DigitlensError, WorkerError
from digitlens.imaging.crop import HEIGHT, PITCH, prepare_line
from digitlens.synth import Glyphs, LineSample, named_style, synthesize_chunk
from digitlens.synth.random import limit_opencv_threads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from numpy.typing import NDArray

    from digitlens.digits import Indices
    from digitlens.models.recipe import LineRecipe

# A strip (32, W), its text, and the columns of the digits' centres, or none if unknown.
Prepared: TypeAlias = "tuple[NDArray[np.float32], str, NDArray[np.float32]]"


# Batches that are cut from one pool of lines: lines of like width come into one batch.
POOL = 32

# Batches are padded to a multiple of this, not just of 4: each width that a processor has not
# met lately costs it an eighth of a step, as its kernels are made for it anew.
WIDTH_STEP = 8

# Added to a seed for each further style, so that small seeds share no lines.
STYLE_SEED_STEP = 1 << 32

UNKNOWN = -1  # the class of a frame that lies at no digit's centre


QUEUED_BATCHES = 2 * POOL  # batches that a process makes ahead at most; about 40 MB
GRACE_SECONDS = 5.0  # how long a process has to end by itself before it is killed


@dataclass(frozen=True, eq=False)
class LineBatch:
    """Lines of about the same width, and what they say."""

    # float16 (N, 1, 32, W), from `prepare_line`, padded with 0 on the right; W is a multiple of
    # 8. Half precision is enough, and half as much to hand from process to process.
    strips: NDArray[np.float16]
    labels: Indices  # int64 (sum of `lengths`,): the digits of all texts, one after the other
    lengths: Indices  # int64 (N,): digits of each line
    frames: Indices  # int64 (N,): frames, two columns each, that a line has without its padding
    # int64 (N, W / 2): the digit whose centre lies in a frame, -1 where there is none
    centres: Indices

    def __len__(self) -> int:
        return len(self.strips)

    def texts(self) -> list[str]:
        """Return what each line says."""
        ends = np.cumsum(self.lengths)
        parts = np.split(self.labels, ends[:-1]) if len(ends) else []
        return ["".join(map(str, part.tolist())) for part in parts]


def prepare_sample(line: LineSample) -> Prepared:
    """Return a line as a network takes it, with the centres of its digits."""
    strip = prepare_line(line.image)
    scale = strip.shape[1] / line.image.shape[1]
    centres = (line.boxes[:, 0] + line.boxes[:, 2]) * np.float32(scale / 2)
    return strip, line.text, centres


def collate(lines: Sequence[Prepared]) -> LineBatch:
    """Return lines as one batch; at least one line."""
    widths = np.array([strip.shape[1] for strip, _, _ in lines], np.int64)
    width = -(-int(widths.max()) // WIDTH_STEP) * WIDTH_STEP
    strips = np.zeros((len(lines), 1, HEIGHT, width), np.float16)
    centres = np.full((len(lines), width // PITCH), UNKNOWN, np.int64)
    for index, (strip, text, places) in enumerate(lines):
        strips[index, 0, :, : strip.shape[1]] = strip
        known = zip(text, places, strict=True) if len(places) else ()
        for digit, place in known:
            centres[index, min(int(place / PITCH), width // PITCH - 1)] = int(digit)
    digits = "".join(text for _, text, _ in lines)
    return LineBatch(
        strips,
        np.array([int(digit) for digit in digits], np.int64),
        np.array([len(text) for _, text, _ in lines], np.int64),
        -(-widths // PITCH),
        centres,
    )


def concatenate(one: LineBatch, two: LineBatch) -> LineBatch:
    """Return the lines of both batches as one."""
    width = max(one.strips.shape[3], two.strips.shape[3])

    def widen(array: NDArray[Any], columns: int, value: int) -> NDArray[Any]:
        edges = [(0, 0)] * (array.ndim - 1) + [(0, columns - array.shape[-1])]
        return np.pad(array, edges, constant_values=value)

    both = (one, two)
    return LineBatch(
        np.concatenate([widen(batch.strips, width, 0) for batch in both]),
        np.concatenate([one.labels, two.labels]),
        np.concatenate([one.lengths, two.lengths]),
        np.concatenate([one.frames, two.frames]),
        np.concatenate([widen(batch.centres, width // PITCH, UNKNOWN) for batch in both]),
    )


def make_pool(glyphs: Glyphs, recipe: LineRecipe, seed: int, index: int) -> list[LineBatch]:
    """Synthesize pool `index` of `seed` and cut it into `POOL` batches.

    The same lines in the same order in any process: a pool depends on no other.

    glyphs: what the lines are composed of
    recipe: says how many lines a batch has (one fewer where lines were left out as too long),
        in which style they are and how long they may be
    """
    size = recipe.batch * POOL
    lines = [prepare_sample(line) for line in synthesize_pool(glyphs, recipe, seed, index)]
    lines = [line for line in lines if line[0].shape[1] <= recipe.max_width]
    if len(lines) < POOL:
        raise DataError(
            f"there must be lines of at most {recipe.max_width} columns to learn from",
            seen=f"{len(lines)} of {size} in the style {recipe.style!r}",
        )
    lines.sort(key=lambda line: line[0].shape[1])
    # Cut evenly: were the last lines left over, those would always be the longest.
    cuts = [round(cut * len(lines) / POOL) for cut in range(POOL + 1)]
    order = np.random.default_rng([seed, index, POOL]).permutation(POOL)
    return [collate(lines[cuts[part] : cuts[part + 1]]) for part in order]


def synthesize_pool(
    glyphs: Glyphs, recipe: LineRecipe, seed: int, index: int
) -> Iterator[LineSample]:
    """Make the lines of a pool: most in the recipe's style, some in each of the others."""
    size = recipe.batch * POOL
    few = (
        int(size * recipe.other_share / len(recipe.other_styles)) if recipe.other_styles else 0
    )
    most = size - few * len(recipe.other_styles)
    style = replace(named_style(recipe.style), hands=recipe.hands)
    yield from synthesize_chunk(glyphs, index, seed=seed, style=style, size=most)
    for number, name in enumerate(recipe.other_styles, start=1):
        style = replace(named_style(name), hands=recipe.hands)
        # The first lines of a chunk are those of a smaller one, so each needs a seed.
        style_seed = seed + STYLE_SEED_STEP * number
        yield from synthesize_chunk(glyphs, index, seed=style_seed, style=style, size=few)


@dataclass(frozen=True)
class WorkPlan:
    """Which lines are made: those of `recipe` and `seed`, from batch `step` on."""

    glyphs: Glyphs
    recipe: LineRecipe
    seed: int
    step: int = 0

    def make_pool(self, index: int) -> list[Any]:
        """Make pool `index`: `POOL` batches, the same in any process."""
        return make_pool(self.glyphs, self.recipe, self.seed, index)


def make_batches(plan: WorkPlan) -> Iterator[LineBatch]:
    """Make lines in this process: batch after batch, without end."""
    pool, skipped = divmod(plan.step, POOL)
    for index in itertools.count(pool):
        yield from plan.make_pool(index)[skipped:]
        skipped = 0


class LineProducers:
    """Lines made by other processes; the batches are those of `make_batches`.

    Pool i is made by process i modulo `count`, and pools are taken in turn: how many
    processes there are changes no batch and no order. The processes end with the ``with``
    block, and with this process, however it ends.

    plan: which lines
    count: processes; with 0 this one makes the lines, when they are asked for
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
                target=_produce,
                args=(there, self.plan, begin, self.count),
                name=f"digitlens-lines-{index}",
                daemon=True,
            )
            process.start()
            there.close()  # now only the process holds it: when that dies, reading ends
            self._ends.append(here)
            self._processes.append(process)
        return self

    def __exit__(self, *_error: object) -> None:
        for end in self._ends:
            end.close()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(GRACE_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        self._ends, self._processes = [], []

    def __iter__(self) -> Iterator[LineBatch]:
        """Walk over the batches, without end."""
        if not self.count:
            yield from make_batches(self.plan)
        pool, skipped = divmod(self.plan.step, POOL)
        for index in itertools.count(pool):
            for _ in range(skipped, POOL):
                yield self._receive(index % self.count)
            skipped = 0

    def _receive(self, index: int) -> LineBatch:
        try:
            result: LineBatch | DigitlensError = self._ends[index].recv()
        except (EOFError, OSError) as error:
            raise self._died(index) from error
        if isinstance(result, DigitlensError):
            raise result
        return result

    def _died(self, index: int) -> WorkerError:
        process = self._processes[index]
        process.join(GRACE_SECONDS)
        code = process.exitcode
        how = "still alive" if code is None else f"exit code {code}"
        likely: str | None = "its message is above; a script that trains must do so below "
        likely = f'{likely}if __name__ == "__main__":'
        # A signal ended it; Windows has no SIGKILL.
        if code is not None and -code == getattr(signal, "SIGKILL", None):
            likely = "the system ended it, as memory ran out"
        elif code is not None and -code == signal.SIGTERM:
            likely = None
        return WorkerError(
            "a process that makes lines ended early",
            seen=f"{process.name}, {how}",
            likely=likely,
            try_="--resume goes on from what was saved",
        )


def _produce(there: Connection, plan: WorkPlan, begin: tuple[int, int], step: int) -> None:
    """Make every `step`-th pool from `begin` on; runs in a process of its own."""
    # Ctrl-C reaches all processes of a terminal; only the one that trains decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_opencv_threads()
    made: queue.Queue[LineBatch | DigitlensError] = queue.Queue(QUEUED_BATCHES)
    threading.Thread(target=_send, args=(there, made), daemon=True).start()
    index, skipped = begin
    try:
        while True:
            for batch in plan.make_pool(index)[skipped:]:
                made.put(batch)
            index, skipped = index + step, 0
    except DigitlensError as error:
        made.put(error)
        threading.Event().wait()  # until it has been read, and this process is ended


def _send(there: Connection, made: queue.Queue[LineBatch | DigitlensError]) -> None:
    """Send what was made; when nobody receives any more, end the process."""
    try:
        while True:
            there.send(made.get())
    except OSError:
        os._exit(0)
