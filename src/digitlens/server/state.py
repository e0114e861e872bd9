"""What a running lab holds, and its threads for long work."""

from __future__ import annotations

import asyncio
import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from digitlens.imaging.io import encode_png
from digitlens.models.registry import DEFAULT_NETWORK
from digitlens.server.batching import Batcher, too_late_error
from digitlens.server.digit_sets import Mistakes, UserDigits
from digitlens.server.http_errors import BusyError, call_lean
from digitlens.server.mail_room import MailRoom
from digitlens.server.middleware import ByteBudget
from digitlens.server.networks import NetworkStore
from digitlens.server.prometheus import Metrics, resident_bytes
from digitlens.server.train_jobs import TrainingJobs
from digitlens.server.uploads import prepare_digit
from digitlens.workers import available_cpus

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitlens.server.review_desk import ReviewDesk
    from digitlens.server.settings import ServerSettings

    Result = TypeVar("Result")


# Threads for what is not a batch: explaining, reading, review.
N_THREADS = 2
# The most tasks that run or wait in one kind of threads.
MAX_TASKS = 32
# Threads for reviewers.
N_REVIEW = 8
# The most pieces of mail, or requests of reviewers, that are at work or wait: enough for twenty
# scanners and thirty people.
MAX_MAIL = 128
# A sorter that does not say how long it waits is refused at once when those before it take
# longer; reading comes on top, and makes some 3 seconds of it.
SORTER_SECONDS = 2.0
# The weight of the newest task in the mean of how long tasks take; the share of that mean that
# is forgotten with each task that was not begun; the least that a task is expected to take.
NEWEST, FORGET, LEAST_SECONDS = 0.1, 0.01, 0.1
# How long the measurement of a network on all of MNIST may take: best takes 10 to 20 seconds on
# one core.
MEASURE_SECONDS = 300.0


class Threads:
    """Threads for one kind of work, and how much of it they may take, and for how long."""

    def __init__(self, count: int, limit: int, name: str, seconds: float) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=f"digitlens-{name}")
        self.count, self._limit, self._seconds = count, limit, seconds
        self._mean = 0.0  # seconds that tasks took lately
        self._is_full = False  # for those whose patience is limited
        self.tasks = 0  # at work or waiting

    async def call(self, function: Callable[..., Result], *args: Any, **options: Any) -> Result:
        """Call `function` in one of the threads and return its result.

        Raises BusyError: too many tasks wait already; or it took too long. What was begun goes
        on to its end.
        """
        try:
            return await self.run(self._seconds, lambda: function(*args, **options))
        except TimeoutError as error:
            raise too_late_error(self._seconds) from error

    async def run(
        self, seconds: float, function: Callable[[], Result], *, patience: float = math.inf
    ) -> Result:
        """Call `function` and return its result.

        Raises BusyError: too many tasks wait already, or those before it take longer than
        `patience`; TimeoutError: it took longer than `seconds`. What was begun goes on to its
        end; what was not is left, as is what could not end in time.
        """
        wait = max(self._mean, LEAST_SECONDS) * max(0, self.tasks + 1 - self.count) / self.count
        if patience < math.inf:
            # Once full until half is done: else those just answered had all places again.
            self._is_full = wait > (patience / 2 if self._is_full else patience)
        if self.tasks >= self._limit or (self._is_full and patience < math.inf):
            raise BusyError(
                "the lab has as much to work out as it takes",
                seen=f"{self.tasks} tasks at work or waiting, for some {wait:.1f} s",
                try_="the same again in a moment",
                retry_after=max(1, math.ceil(min(wait, patience))),
            )
        self.tasks += 1
        end = time.monotonic() + seconds

        def work() -> Result:
            start = time.monotonic()
            if start + self._mean > end:  # the thread is for those who can still be answered
                self._mean *= 1 - FORGET  # it may have grown quicker, which only trying shows
                raise TimeoutError
            try:
                return call_lean(function)
            finally:
                self._mean += NEWEST * (time.monotonic() - start - self._mean)

        future = self._pool.submit(work)
        loop = asyncio.get_running_loop()

        def leave() -> None:
            self.tasks -= 1

        # Counted when it really ends: a client that gives up frees no thread.
        def notice_end(_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(leave)

        future.add_done_callback(notice_end)
        async with asyncio.timeout(seconds):
            return await asyncio.wrap_future(future)

    def stop(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class LabState:
    """What a running lab holds; `desk` is where mail is reviewed, None for nowhere."""

    def __init__(self, settings: ServerSettings, desk: ReviewDesk | None = None) -> None:
        self.settings = settings
        self.desk = desk
        self.mail = MailRoom(desk, settings.max_pixels, isolated=available_cpus() > 1)
        self.metrics = Metrics()
        self.body_budget = ByteBudget(settings.max_held_bytes)
        self.networks = NetworkStore(settings.runs)
        self.batcher = Batcher(settings, self.metrics.batches)
        self.training = TrainingJobs(settings)
        self.mistakes = Mistakes(self.networks, settings)
        self.user_digits = UserDigits(settings.user_digits, settings.folder)
        self.closing = asyncio.Event()
        seconds = settings.answer_seconds
        self.threads = Threads(N_THREADS, MAX_TASKS, "lab", seconds)
        # A measurement of minutes must not hold up an explanation: it has a thread of its own.
        # What it makes is kept, so that a client who gave up and asks again finds it.
        self.slow_threads = Threads(1, MAX_TASKS, "measure", MEASURE_SECONDS)
        # Sorters ask without a pause: they keep nobody from anything else.
        n_mail = max(N_THREADS, available_cpus())
        self.mail_threads = Threads(n_mail, MAX_MAIL, "mail", seconds)
        # Reviewers wait for the disk, and those who wait together wait once.
        self.review_threads = Threads(N_REVIEW, MAX_MAIL, "review", seconds)
        self._add_gauges()

    def start(self) -> None:
        """Get ready for the first request."""
        self.batcher.start()
        # Now loaded, they are not waited for later: the default network, and (by framing one
        # drawn square) the library that decodes pictures.
        self.networks.get(DEFAULT_NETWORK).predict(np.zeros((1, 28, 28), np.uint8))
        square = np.full((40, 40), 255, np.uint8)
        square[10:30, 18:22] = 0
        prepare_digit(encode_png(square), self.settings.max_pixels, frame=True)
        if self.desk is not None and self.desk.scans is not None:
            self.mail.warm(self.mail_threads.count)

    async def stop(self) -> None:
        """Answer what was begun, stop training, and end."""
        # event streams -> training -> batches -> mail -> other work
        self.closing.set()
        await self.training.close()
        await asyncio.to_thread(self.batcher.stop)
        if self.desk is not None:
            await asyncio.to_thread(self.desk.review.close)
        self.mail.close()
        every = (self.threads, self.slow_threads, self.mail_threads, self.review_threads)
        for threads in every:
            threads.stop()

    def _add_gauges(self) -> None:
        add = self.metrics.add_gauge
        add(
            "digitlens_pictures_waiting",
            "Pictures that wait for an answer.",
            lambda: self.batcher.waiting,
        )
        add("digitlens_body_bytes", "Bytes of bodies held now.", lambda: self.body_budget.held)
        add(
            "digitlens_work_waiting",
            "Tasks at work or waiting.",
            lambda: self.threads.tasks + self.slow_threads.tasks,
        )
        add(
            "digitlens_mail_waiting",
            "Pieces of mail and reviewers at work or waiting.",
            lambda: self.mail_threads.tasks + self.review_threads.tasks,
        )
        add("digitlens_training", "1 while a network trains.", lambda: self.training.running)
        add("process_resident_memory_bytes", "Memory held.", resident_bytes)
