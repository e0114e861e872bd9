"""Read all pages of all files, in order, on all cores."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from digitlens.imaging.inputs import PAGE_BYTES, tune_malloc, use_one_core
from digitlens.ocr.files import may_have_pages, open_document
from digitlens.ocr.page import Page, PageResult, PageTask
from digitlens.ocr.reader import Reader
from digitlens.workers import attempt, available_cpus, run_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from digitlens.imaging.inputs import InputFile
    from digitlens.imaging.io import LoadedImage
    from digitlens.ocr.files import Document
    from digitlens.ocr.page import ReadOptions
    from digitlens.workers import TaskResult


class PageWorker:
    """Reads pages, one after the other; holds the reader and the file that was opened last.

    opener: opens a source; `open_document` for files
    """

    def __init__(
        self,
        options: ReadOptions,
        reader: Reader | None = None,
        *,
        opener: Callable[[InputFile], Document] = open_document,
    ) -> None:
        self._options, self._opener = options, opener
        self._reader = reader or Reader(options.model)
        self._open: tuple[InputFile, Document] | None = None

    def __call__(self, task: PageTask) -> PageResult:
        """Read a page; one that cannot be read is a result too."""
        number, count = None, 1

        def read(task: PageTask) -> Page:
            nonlocal number, count
            document = self._document(task.source)
            count = document.count
            number = task.page_index + 1 if document.numbered else None
            image = document.page(task.page_index)
            page = self._read(image)
            self._write_pictures(task, page, image, number, count)
            # What holds pixels stays here: a sheet of a photo has 30 MB.
            return replace(page, stages=(), sheets=())

        outcome = attempt(read, task)
        return PageResult(task, outcome.result, outcome.error, number, count)

    def close(self) -> None:
        """Close the file that was opened last."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _document(self, source: InputFile) -> Document:
        if self._open is None or self._open[0] != source:
            self.close()
            self._open = source, self._opener(source)
        return self._open[1]

    def _read(self, image: LoadedImage) -> Page:
        options = self._options
        height, width = image.pixels.shape[:2]
        if options.line:
            line = self._reader.read_line(image, options.lengths)
            return Page((line,) if line.text else (), size=(width, height))
        return self._reader.page(
            image,
            options.lengths,
            fields=options.fields,
            join=options.join,
            split=options.split,
            stages=options.stages is not None,
        )

    def _write_pictures(
        self, task: PageTask, page: Page, image: LoadedImage, number: int | None, count: int
    ) -> None:
        options, name = self._options, task.source.stem
        if number is not None:
            # With the file's ending, so that no picture beside it is called the same.
            name += f"{task.source.path.suffix}-p{number:0{len(str(count))}}"
        if options.stages is not None:
            from digitlens.ocr.output import write_stages

            write_stages(page.stages, options.stages / name)
        if options.annotate is not None:
            from digitlens.ocr.output import annotated_png
            from digitlens.storage import write_bytes

            write_bytes(
                options.annotate / f"{name}.png", annotated_png(image.pixels, page, options)
            )


# Seconds that a page may take. Reading is bounded by itself; drawing a PDF is not.
PAGE_TIME_LIMIT = 60.0


def read_all(
    sources: Sequence[InputFile],
    options: ReadOptions,
    *,
    workers: int | None = None,
    reader: Reader | None = None,
    limit: float = PAGE_TIME_LIMIT,
) -> Generator[PageResult, None, None]:
    """Read all pages of all files.

    sources: from `digitlens.imaging.inputs.list_inputs`
    options: what is done with every page
    workers: processes at most; as many as this process may use cores when None. A single
        picture is read by this process itself.
    reader: that of the options, where it is loaded already; the processes load their own
    limit: seconds that a page may take before it is given up

    Yields a result for each page, in the order of the files and pages. A file that cannot be
    opened gives one result, with its error. Pages are without stages and sheets. Closing the
    generator ends the processes.

    Raises ModelError, StorageError: what stands in the way of every page; DigitlensError: no
    process could be started.
    """
    # A single picture is not worth a process; one file of many pages is.
    if len(sources) == 1 and not may_have_pages(sources[0].path):
        return _read_here(sources[0], options, reader)
    return _read_in_processes(sources, options, workers or available_cpus(), limit)


def _read_here(
    source: InputFile, options: ReadOptions, reader: Reader | None
) -> Generator[PageResult, None, None]:
    worker = PageWorker(options, reader)
    try:
        # The first page says how many there are.
        result = worker(PageTask(source, 0))
        yield result
        for index in range(1, result.count):
            yield worker(PageTask(source, 0, index))
    finally:
        worker.close()


def _read_in_processes(
    sources: Sequence[InputFile], options: ReadOptions, workers: int, limit: float
) -> Generator[PageResult, None, None]:
    tasks = deque(PageTask(source, index) for index, source in enumerate(sources))
    page_counts: dict[int, int] = {}
    waiting: dict[tuple[int, int], PageResult] = {}
    next_page = (0, 0)
    outcomes = run_tasks(tasks, partial(single_worker, options), workers=workers, limit=limit)
    try:
        for outcome in outcomes:
            result = _result(outcome, page_counts)
            task = result.task
            if task.page_index == 0:
                page_counts[task.file_index] = result.count
                # Before all files that follow, so that no page waits long for its turn.
                pages = [replace(task, page_index=index) for index in range(1, result.count)]
                tasks.extendleft(reversed(pages))
            # Results come as they are ready, and leave in order.
            waiting[task.file_index, task.page_index] = result
            while next_page in waiting:
                ready = waiting.pop(next_page)
                file, page = next_page
                is_last = page + 1 == page_counts[file]
                next_page = (file + 1, 0) if is_last else (file, page + 1)
                yield ready
    finally:
        outcomes.close()


def _result(
    outcome: TaskResult[PageTask, PageResult], page_counts: dict[int, int]
) -> PageResult:
    if outcome.result is not None:
        return outcome.result
    # The process died or took too long.
    count = page_counts.get(outcome.task.file_index, 1)
    number = outcome.task.page_index + 1 if count > 1 else None
    return PageResult(outcome.task, None, outcome.error, number, count)


def single_worker(options: ReadOptions) -> PageWorker:
    """Return a worker for a process that shares the machine with others: it uses one core."""
    use_one_core()
    tune_malloc(PAGE_BYTES)
    return PageWorker(options)
