"""A desk at which one page is read after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from digitlens.documents.job import Result
from digitlens.documents.opened import open_document
from digitlens.errors import DigitlensError, ModelError, StorageError
from digitlens.reader import Page, Reader

if TYPE_CHECKING:
    from digitlens.documents.document import Document
    from digitlens.documents.job import Job, Task
    from digitlens.documents.sources import Source
    from digitlens.ink.opening import Opened


class Desk:
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

    def __init__(self, job: Job, reader: Reader | None = None) -> None:
        self._job = job
        self._reader = reader or Reader(job.model)
        self._open: tuple[Source, Document] | None = None

    def __call__(self, task: Task) -> Result:
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
            return Result(task, None, error, number, count)
        return Result(task, replace(page, stages=()), None, number, count)

    def close(self) -> None:
        """Let go of the file that was opened last."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _document(self, source: Source) -> Document:
        if self._open is None or self._open[0] != source:
            self.close()
            self._open = source, open_document(source)
        return self._open[1]

    def _read(self, opened: Opened) -> Page:
        job = self._job
        high, wide = opened.pixels.shape[:2]
        if job.line:
            line = self._reader.read_line(opened, job.lengths)
            return Page((line,) if line.text else (), size=(wide, high))
        fields = [wanted.field for wanted in job.wanted]
        return self._reader.page(
            opened, job.lengths, fields=fields, stages=job.stages is not None
        )

    def _draw(
        self, task: Task, page: Page, opened: Opened, number: int | None, count: int
    ) -> None:
        job, name = self._job, task.source.stem
        if number is not None:
            # With the file's ending, so that no picture beside it is called the same.
            name += f"{task.source.path.suffix}-p{number:0{len(str(count))}}"
        if job.stages is not None:
            from digitlens.documents.stages import write_stages

            write_stages(page.stages, job.stages / name)
        if job.annotate is not None:
            from digitlens.atomic import write_bytes
            from digitlens.documents.annotate import annotated_png

            write_bytes(job.annotate / f"{name}.png", annotated_png(opened.pixels, page, job))
