"""All pages of all files, in order, on all cores.

* A desk at which one page is read after the other.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from digitlens.errors import DigitlensError, ModelError, StorageError
from digitlens.ocr.files import MULTIPAGE_SUFFIXES, open_document
from digitlens.ocr.options import PageResult, PageTask
from digitlens.ocr.page import Page
from digitlens.ocr.reader import Reader
from digitlens.workers import available_cpus, run_tasks

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from digitlens.imaging.io import LoadedImage
    from digitlens.ocr.files import Document, InputFile
    from digitlens.ocr.options import ReadOptions
    from digitlens.workers import TaskResult


class PageWorker:
    """Reads pages; holds the reader and the file that was opened last.

    Parameters
    ----------
    job
        What is done with every page.
    reader
        That of the job, where it is loaded already.

    Raises
    ------
    ModelError
        There is no such reader.
    """

    def __init__(self, job: ReadOptions, reader: Reader | None = None) -> None:
        self._job = job
        self._reader = reader or Reader(job.model)
        self._open: tuple[InputFile, Document] | None = None

    def __call__(self, task: PageTask) -> PageResult:
        """Read a page; one that cannot be read is a result too.

        Raises
        ------
        ModelError, StorageError
            What stands in the way of every page.
        """
        number, count = None, 1
        try:
            document = self._document(task.source)
            count = document.count
            number = task.at + 1 if document.numbered else None
            opened = document.page(task.at)
            page = self._read(opened)
            self._draw(task, page, opened, number, count)
        except (ModelError, StorageError):
            raise
        except DigitlensError as error:
            return PageResult(task, None, error, number, count)
        return PageResult(task, replace(page, stages=()), None, number, count)

    def close(self) -> None:
        """Let go of the file that was opened last."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _document(self, source: InputFile) -> Document:
        if self._open is None or self._open[0] != source:
            self.close()
            self._open = source, open_document(source)
        return self._open[1]

    def _read(self, opened: LoadedImage) -> Page:
        job = self._job
        height, width = opened.pixels.shape[:2]
        if job.line:
            line = self._reader.read_line(opened, job.lengths)
            return Page((line,) if line.text else (), size=(width, height))
        fields = [wanted.field for wanted in job.wanted]
        return self._reader.page(
            opened, job.lengths, fields=fields, stages=job.stages is not None
        )

    def _draw(
        self, task: PageTask, page: Page, opened: LoadedImage, number: int | None, count: int
    ) -> None:
        job, name = self._job, task.source.stem
        if number is not None:
            # With the file's ending, so that no picture beside it is called the same.
            name += f"{task.source.path.suffix}-p{number:0{len(str(count))}}"
        if job.stages is not None:
            from digitlens.ocr.output import write_stages

            write_stages(page.stages, job.stages / name)
        if job.annotate is not None:
            from digitlens.ocr.output import annotated_png
            from digitlens.storage import write_bytes

            write_bytes(job.annotate / f"{name}.png", annotated_png(opened.pixels, page, job))


LIMIT = 60.0
"""Seconds that a page may take. Reading is bounded by itself; drawing a PDF is not."""


def read_all(
    sources: Sequence[InputFile],
    job: ReadOptions,
    *,
    workers: int | None = None,
    reader: Reader | None = None,
    limit: float = LIMIT,
) -> Generator[PageResult, None, None]:
    """Read all pages of all files.

    Parameters
    ----------
    sources
        From `digitlens.ocr.files.list_inputs`.
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
    if len(sources) == 1 and sources[0].path.suffix.lower() not in MULTIPAGE_SUFFIXES:
        return _alone(sources[0], job, reader)
    return _in_order(sources, job, workers or available_cpus(), limit)


def _alone(
    source: InputFile, job: ReadOptions, reader: Reader | None
) -> Generator[PageResult, None, None]:
    desk = PageWorker(job, reader)
    try:
        result = desk(PageTask(source, 0))
        yield result
        for index in range(1, result.count):
            yield desk(PageTask(source, 0, index))
    finally:
        desk.close()


def _in_order(
    sources: Sequence[InputFile], job: ReadOptions, workers: int, limit: float
) -> Generator[PageResult, None, None]:
    todo = deque(PageTask(source, place) for place, source in enumerate(sources))
    counts: dict[int, int] = {}
    waiting: dict[tuple[int, int], PageResult] = {}
    turn = (0, 0)
    outcomes = run_tasks(todo, partial(single_worker, job), workers=workers, limit=limit)
    try:
        for outcome in outcomes:
            result = _result(outcome, counts)
            task = result.task
            if task.at == 0:
                counts[task.place] = result.count
                # Before all files that follow, so that no page waits long for its turn.
                pages = (
                    PageTask(task.source, task.place, index) for index in range(1, result.count)
                )
                todo.extendleft(reversed(list(pages)))
            waiting[task.place, task.at] = result
            while turn in waiting:
                done = waiting.pop(turn)
                place, index = turn
                turn = (place, index + 1) if index + 1 < counts[place] else (place + 1, 0)
                yield done
    finally:
        outcomes.close()


def _result(outcome: TaskResult[PageTask, PageResult], counts: dict[int, int]) -> PageResult:
    if outcome.result is not None:
        return outcome.result
    count = counts.get(outcome.task.place, 1)
    number = outcome.task.at + 1 if count > 1 else None
    return PageResult(outcome.task, None, outcome.error, number, count)


def single_worker(job: ReadOptions) -> PageWorker:
    """Return a desk in a process that shares the machine with others: it uses one core."""
    import cv2

    cv2.setNumThreads(1)
    return PageWorker(job)
