"""Requests that arrive together are answered together.

One thread frames and answers. While it works, requests gather; it then takes all that are
there at once. So a single request never waits for others to come, and many cost far less than
one by one. Large pictures are framed by another thread first, so that they hold nobody up.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.server.answers import PreparedDigit, build_answer
from digitlens.server.http_errors import BusyError
from digitlens.server.uploads import LIGHT, check_pixels, pixels_in, ready

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.models.inference import Model
    from digitlens.server.prometheus import Histogram
    from digitlens.server.settings import ServerSettings
    from digitlens.server.uploads import Upload


MOST = 256
"""Pictures in a batch, about: those of the last request taken may go beyond."""


@dataclass(eq=False)
class PredictJob:
    """One request: its pictures, whom to ask, and where the answer goes."""

    uploads: Sequence[Upload]
    networks: dict[str, Model]
    frame: bool
    drawing: bool
    answer: asyncio.Future[list[dict[str, Any]]]
    pixels: bool = False
    ready: list[PreparedDigit] = field(default_factory=list)

    def name(self, index: int) -> str:
        """What messages call a picture."""
        return f"picture {index + 1}" if len(self.uploads) > 1 else "the picture"


class Batcher:
    """The queue of pictures and the thread that answers; `start` it in an event loop.

    Parameters
    ----------
    settings
        Its caps and patience.
    sizes
        Told how many pictures each batch held.
    """

    def __init__(self, settings: ServerSettings, sizes: Histogram) -> None:
        self._settings = settings
        self._sizes = sizes
        self._queue: queue.SimpleQueue[PredictJob | None] = queue.SimpleQueue()
        self._slow = ThreadPoolExecutor(1, thread_name_prefix="digitlens-large")
        self._thread = threading.Thread(target=self._work, name="digitlens-batch", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.waiting = 0

    def start(self) -> None:
        """Begin to answer, for the event loop that this is called in."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Answer what is there, and end."""
        if self._thread.is_alive():
            self._slow.shutdown(wait=True)
            self._queue.put(None)
            self._thread.join()

    async def answer(
        self,
        uploads: Sequence[Upload],
        networks: dict[str, Model],
        *,
        frame: bool,
        drawing: bool = False,
        pixels: bool = False,
    ) -> list[dict[str, Any]]:
        """Return what each network says of each picture, in the order of the pictures.

        Raises
        ------
        BusyError
            Too many pictures wait already; or the answer was not there in time.
        DataError, TooLargeError
            A picture cannot be used: none is answered, and it is named.
        """
        assert self._loop is not None, "the batcher was started"
        count = len(uploads)
        if self.waiting + count > self._settings.most_waiting:
            raise BusyError(
                "the lab has as many pictures waiting as it takes",
                seen=f"{self.waiting} are waiting, {self._settings.most_waiting} may",
                try_="the same again in a moment",
            )
        job = PredictJob(uploads, networks, frame, drawing, self._loop.create_future(), pixels)
        self.waiting += count
        job.answer.add_done_callback(lambda _: self._leave(count))
        self._queue.put(job)
        try:
            async with asyncio.timeout(self._settings.answer_seconds):
                return await job.answer
        except TimeoutError as error:
            raise too_late(self._settings.answer_seconds) from error

    def _leave(self, count: int) -> None:
        self.waiting -= count

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            jobs, count, last = [job], len(job.uploads), False
            while count < MOST:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    last = True
                    break
                jobs.append(more)
                count += len(more.uploads)
            self._answer(jobs)
            if last:
                return

    def _answer(self, jobs: list[PredictJob]) -> None:
        """Frame and answer `jobs`, and hand the answers to the event loop in one call."""
        done: list[tuple[PredictJob, Any]] = []
        asked: list[PredictJob] = []
        for job in jobs:
            if job.answer.done():  # nobody waits for it any more
                continue
            try:
                if not job.ready and self._is_large(job):
                    self._slow.submit(self._frame_large, job)
                    continue
                self._frame(job)
                asked.append(job)
            except Exception as error:  # handed to who asked
                done.append((job, error))
        try:
            done += self._predict(asked)
        except Exception as error:  # likewise, by all of the batch
            done += [(job, error) for job in asked]
        self._hand_out(done)

    def _is_large(self, job: PredictJob) -> bool:
        """Look at the heads of a job's pictures, and refuse what is too large.

        A file of some kilobytes may hold millions of pixels: its head tells.
        """
        total = 0
        for index, upload in enumerate(job.uploads):
            count = pixels_in(upload, job.name(index))
            check_pixels(count, self._settings.most_pixels, job.name(index))
            total += count
        return total > LIGHT

    def _frame(self, job: PredictJob) -> None:
        if not job.ready:
            job.ready = [
                ready(item, None, frame=job.frame, drawing=job.drawing, name=job.name(index))
                for index, item in enumerate(job.uploads)
            ]

    def _frame_large(self, job: PredictJob) -> None:
        try:
            if not job.answer.done():
                self._frame(job)
                self._queue.put(job)
        except Exception as error:  # handed to who asked
            self._hand_out([(job, error)])

    def _predict(self, jobs: list[PredictJob]) -> list[tuple[PredictJob, list[dict[str, Any]]]]:
        """Ask each network once about all digits that are for it."""
        answers: list[list[dict[str, Any]]] = [
            [item.as_dict(pixels=job.pixels) | {"answers": []} for item in job.ready]
            for job in jobs
        ]
        if jobs:
            self._sizes.see(sum(len(job.ready) for job in jobs))
        wanted = {
            id(model): (name, model) for job in jobs for name, model in job.networks.items()
        }
        for name, model in wanted.values():
            rows = [
                (index, place)
                for index, job in enumerate(jobs)
                if job.networks.get(name) is model
                for place in range(len(job.ready))
            ]
            digits = np.stack([jobs[index].ready[place].digit for index, place in rows])
            predictions = model.predict(digits)
            for number, (index, place) in enumerate(rows):
                answers[index][place]["answers"].append(build_answer(name, predictions, number))
        return [(job, _ordered(job, result)) for job, result in zip(jobs, answers, strict=True)]

    def _hand_out(self, done: list[tuple[PredictJob, Any]]) -> None:
        assert self._loop is not None, "the batcher was started"
        if done and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_settle, done)


def too_late(seconds: float) -> BusyError:
    """Return the error for an answer that was not there in time."""
    return BusyError(
        f"no answer was there within {seconds:g} seconds",
        likely="much is asked of the lab at this moment",
        try_="the same again in a moment",
    )


def _ordered(job: PredictJob, result: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the networks' answers into the order in which they were asked for."""
    if len(job.networks) > 1:
        places = {name: index for index, name in enumerate(job.networks)}
        for item in result:
            item["answers"].sort(key=lambda answer: places[answer["network"]])
    return result


def _settle(done: list[tuple[PredictJob, Any]]) -> None:
    for job, result in done:
        if job.answer.done():
            continue
        if isinstance(result, BaseException):
            job.answer.set_exception(result)
        else:
            job.answer.set_result(result)
