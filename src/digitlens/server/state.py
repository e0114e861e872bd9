"""All that one running lab holds."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from digitlens.server.batching import Batcher, too_late
from digitlens.server.http_errors import BusyError
from digitlens.server.limits import ByteBudget
from digitlens.server.mistakes import Mistakes
from digitlens.server.networks import NetworkStore
from digitlens.server.prometheus import Metrics, resident_bytes
from digitlens.server.train_jobs import TrainingJobs
from digitlens.server.user_digits import UserDigits

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitlens.server.review_desk import ReviewDesk
    from digitlens.server.settings import ServerSettings

    Result = TypeVar("Result")


FIRST = "cnn"
"""The network that is asked when none is named; it is loaded before the first request."""

AT_WORK = 2
"""Threads for what is not a batch: explaining, reading, measuring."""

MEASURE_SECONDS = 300.0
"""For a network on all of MNIST: best takes 10 to 20 seconds on one core."""

IN_LINE = 32
"""Of these, so many may be at work or waiting."""


class LabState:
    """All that one running lab holds.

    Parameters
    ----------
    settings
        What it was started with.
    desk
        Where mail is reviewed; None: nowhere.
    """

    def __init__(self, settings: ServerSettings, desk: ReviewDesk | None = None) -> None:
        self.settings = settings
        self.desk = desk
        self.metrics = Metrics()
        self.room = ByteBudget(settings.most_held)
        self.networks = NetworkStore(settings.runs)
        self.batcher = Batcher(settings, self.metrics.batches)
        self.training = TrainingJobs(settings)
        self.mistakes = Mistakes(self.networks, settings)
        self.own = UserDigits(settings.own, settings.folder)
        self.closing = asyncio.Event()
        self._pool = ThreadPoolExecutor(AT_WORK, thread_name_prefix="digitlens-lab")
        self._patient = ThreadPoolExecutor(1, thread_name_prefix="digitlens-measure")
        self._in_line = 0
        self._measure()

    def start(self) -> None:
        """Make ready for the first request."""
        import numpy as np

        self.batcher.start()
        # Loaded now, the first request does not wait for it; and drawing one digit loads
        # what opens pictures.
        self.networks.get(FIRST).predict(np.zeros((1, 28, 28), np.uint8))
        from digitlens.server.answers import png_bytes
        from digitlens.server.uploads import ready

        square = np.full((40, 40), 255, np.uint8)
        square[10:30, 18:22] = 0
        ready(png_bytes(square), self.settings.most_pixels, frame=True)

    async def stop(self) -> None:
        """Answer what was begun, stop training, and end."""
        self.closing.set()
        await self.training.close()
        await asyncio.to_thread(self.batcher.stop)
        for pool in (self._pool, self._patient):
            pool.shutdown(wait=False, cancel_futures=True)

    async def work(self, act: Callable[..., Result], *given: Any, **named: Any) -> Result:
        """Do `act` in another thread and return its result.

        Raises
        ------
        BusyError
            Too much waits already; or it took too long. What was begun goes on to its end.
        """
        seconds = self.settings.answer_seconds
        return await self._in(self._pool, seconds, lambda: act(*given, **named))

    async def measure(self, act: Callable[[], Result]) -> Result:
        """Do what may take minutes, one after the other (errors as in `work`).

        Its results are kept by whoever is asked, so that who comes again finds them.
        """
        return await self._in(self._patient, MEASURE_SECONDS, act)

    async def _in(
        self, pool: ThreadPoolExecutor, seconds: float, act: Callable[[], Result]
    ) -> Result:
        if self._in_line >= IN_LINE:
            raise BusyError(
                "the lab has as much to work out as it takes", try_="the same again in a moment"
            )
        self._in_line += 1
        future = pool.submit(act)
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: _tell(loop, self._left))
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise too_late(seconds) from error

    def _left(self) -> None:
        self._in_line -= 1

    def _measure(self) -> None:
        gauge = self.metrics.gauge
        gauge(
            "digitlens_pictures_waiting",
            "Pictures that wait for an answer.",
            lambda: self.batcher.waiting,
        )
        gauge(
            "digitlens_body_bytes", "Bytes of bodies held now.", lambda: float(self.room.held)
        )
        gauge("digitlens_work_waiting", "Tasks at work or waiting.", lambda: self._in_line)
        gauge("digitlens_training", "1 while a network trains.", lambda: self.training.running)
        gauge("process_resident_memory_bytes", "Memory held.", resident_bytes)


def _tell(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(act)
