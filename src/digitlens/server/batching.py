"""Requests that arrive together are answered together.

One thread frames and answers. While it works, requests gather; it then takes all that are
there at once. So a single request never waits for others to come, and many cost far less than
one by one. Large pictures are framed by another thread first, so that they hold up no others.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlens.errors import DigitlensError
from digitlens.server.http_errors import BusyError, forget_frames
from digitlens.server.schemas import Answer
from digitlens.server.uploads import check_pixels, count_pixels, prepare_digit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitlens.models.inference import Model
    from digitlens.models.predictions import Predictions
    from digitlens.server.prometheus import Histogram
    from digitlens.server.schemas import Read
    from digitlens.server.settings import ServerSettings
    from digitlens.server.uploads import PreparedDigit, Upload


# Pictures in a batch, about: those of the last request that is taken may go beyond.
MAX_BATCH = 256
# Pixels up to which a picture is framed in a few milliseconds: 283 x 283.
SMALL_PIXELS = 80_000

DECIMALS = 6


@dataclass(eq=False)
class PredictJob:
    """One request: its pictures, the networks to ask, and where the answer goes."""

    uploads: Sequence[Upload]
    networks: dict[str, Model]
    frame: bool
    drawing: bool
    future: asyncio.Future[list[Read]]
    pixels: bool = False
    digits: list[PreparedDigit] = field(default_factory=list)

    def picture_name(self, index: int) -> str:
        """What messages call a picture."""
        return f"picture {index + 1}" if len(self.uploads) > 1 else "the picture"


class Batcher:
    """The queue of pictures and the thread that answers; `sizes` counts pictures by batch."""

    def __init__(self, settings: ServerSettings, sizes: Histogram) -> None:
        self._settings = settings
        self._sizes = sizes
        self._queue: queue.SimpleQueue[PredictJob | None] = queue.SimpleQueue()
        self._slow = ThreadPoolExecutor(1, thread_name_prefix="digitlens-large")
        self._thread = threading.Thread(target=self._work, name="digitlens-batch", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.waiting = 0

    def start(self) -> None:
        """Start to answer, for the running event loop."""
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
    ) -> list[Read]:
        """Return what each network says of each picture, in the order of the pictures.

        Raises BusyError: too many pictures wait already; or the answer was not there in time;
        DataError, TooLargeError: a picture cannot be used: none is answered, and the error
        names it.
        """
        assert self._loop is not None, "the batcher was started"
        count = len(uploads)
        if self.waiting + count > self._settings.max_waiting:
            raise BusyError(
                "the lab has as many pictures waiting as it takes",
                seen=f"{self.waiting} are waiting, {self._settings.max_waiting} may",
                try_="the same again in a moment",
            )
        # The thread sets the future's result through the event loop, unless it is done by then.
        job = PredictJob(uploads, networks, frame, drawing, self._loop.create_future(), pixels)
        self.waiting += count
        job.future.add_done_callback(lambda _: self._leave(count))
        self._queue.put(job)
        try:
            async with asyncio.timeout(self._settings.answer_seconds):
                return await job.future
        except TimeoutError as error:
            raise too_late_error(self._settings.answer_seconds) from error

    def _leave(self, count: int) -> None:
        self.waiting -= count

    def _work(self) -> None:
        """Take what has gathered, answer it, and again; None in the queue is the end."""
        while (job := self._queue.get()) is not None:
            # Take one, and then all that came while the last batch was answered.
            jobs, count, is_last = [job], len(job.uploads), False
            while count < MAX_BATCH:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    is_last = True
                    break
                jobs.append(more)
                count += len(more.uploads)
            self._answer(jobs)
            if is_last:
                return

    def _answer(self, jobs: list[PredictJob]) -> None:
        """Frame and answer `jobs`, and hand the answers to the event loop in one call."""
        results: list[tuple[PredictJob, Any]] = []
        prepared: list[PredictJob] = []
        for job in jobs:
            if job.future.done():  # its client has gone, or its time is over
                continue
            try:
                if not job.digits and self._is_large(job):
                    self._slow.submit(self._prepare_large, job)
                    continue
                self._prepare(job)
                prepared.append(job)
            except Exception as error:  # goes to the client of this request
                results.append((job, error))
        try:
            results += self._predict(prepared)
        except Exception as error:  # goes to all clients of the batch
            results += [(job, error) for job in prepared]
        self._hand_out(results)

    def _is_large(self, job: PredictJob) -> bool:
        """Check the sizes of a job's pictures, and say whether framing them takes long.

        A file of some kilobytes may hold millions of pixels: its header tells.
        """
        total = 0
        for index, upload in enumerate(job.uploads):
            count = count_pixels(upload, job.picture_name(index))
            check_pixels(count, self._settings.max_pixels, job.picture_name(index))
            total += count
        return total > SMALL_PIXELS

    def _prepare(self, job: PredictJob) -> None:
        if not job.digits:
            job.digits = [
                prepare_digit(
                    upload,
                    None,
                    frame=job.frame,
                    drawing=job.drawing,
                    name=job.picture_name(index),
                )
                for index, upload in enumerate(job.uploads)
            ]

    def _prepare_large(self, job: PredictJob) -> None:
        try:
            if not job.future.done():
                self._prepare(job)
                self._queue.put(job)
        except Exception as error:  # goes to the client
            self._hand_out([(job, error)])

    def _predict(self, jobs: list[PredictJob]) -> list[tuple[PredictJob, list[Read]]]:
        """Ask each network once about all digits that are meant for it."""
        answers = [[describe_picture(item, job.pixels) for item in job.digits] for job in jobs]
        if jobs:
            self._sizes.observe(sum(len(job.digits) for job in jobs))
        # Each network once, however many requests name it.
        wanted = {
            id(model): (name, model) for job in jobs for name, model in job.networks.items()
        }
        for name, model in wanted.values():
            places = [
                (row, column)
                for row, job in enumerate(jobs)
                if job.networks.get(name) is model
                for column in range(len(job.digits))
            ]
            # predict in one call -> hand each answer back to its request and picture
            digits = np.stack([jobs[row].digits[column].digit for row, column in places])
            predictions = model.predict(digits)
            for index, (row, column) in enumerate(places):
                answers[row][column]["answers"].append(build_answer(name, predictions, index))
        return [(job, _sort(job, answer)) for job, answer in zip(jobs, answers, strict=True)]

    def _hand_out(self, results: list[tuple[PredictJob, Any]]) -> None:
        assert self._loop is not None, "the batcher was started"
        if results and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_settle, results)


def too_late_error(seconds: float) -> BusyError:
    """Return the error for an answer that was not there in time."""
    return BusyError(
        f"no answer was there within {seconds:g} seconds",
        likely="much is asked of the lab at this moment",
        try_="the same again in a moment",
    )


def build_answer(name: str, predictions: Predictions, index: int) -> Answer:
    """Return one network's answer for one picture.

    ``digit`` is null where the network says that there is none; ``likeliest`` is then the
    digit it would be. ``no_digit`` is null for a network that cannot tell.
    """
    label = int(predictions.labels[index])
    probabilities = [round(p, DECIMALS) for p in predictions.probabilities[index].tolist()]
    refused = predictions.refused is not None and bool(predictions.refused[index])
    digit = None if refused else label
    no_digit = None
    if predictions.no_digit is not None:
        no_digit = round(float(predictions.no_digit[index]), DECIMALS)
    unsure = predictions.unsure is not None and bool(predictions.unsure[index])
    return Answer(name, digit, label, probabilities[label], probabilities, no_digit, unsure)


def describe_picture(prepared: PreparedDigit, pixels: bool) -> Read:
    """Return a picture without its answers: where its digit is, and perhaps the digit."""
    framing = prepared.framing
    result: Read = {
        "box": None if framing is None else list(framing.box),
        "light_ink": None if framing is None else framing.inverted,
        "unchanged": True if framing is None else framing.unchanged,
        "several": None if framing is None else framing.digit_count,
        "answers": [],
    }
    if pixels:
        result["pixels"] = prepared.digit.tolist()
    return result


def _sort(job: PredictJob, pictures: list[Read]) -> list[Read]:
    """Put the networks' answers into the order in which they were asked for."""
    if len(job.networks) > 1:
        order = {name: index for index, name in enumerate(job.networks)}
        for picture in pictures:
            picture["answers"].sort(key=lambda answer: order[answer.network])
    return pictures


def _settle(results: list[tuple[PredictJob, Any]]) -> None:
    for job, result in results:
        if job.future.done():
            continue
        if isinstance(result, BaseException):
            if isinstance(result, DigitlensError):
                forget_frames(result)
            job.future.set_exception(result)
        else:
            job.future.set_result(result)
