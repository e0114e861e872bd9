"""What `digitlens read` writes to stdout, picture by picture: text, CSV or JSON."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitlens.documents import Job, Result


class Output(abc.ABC):
    """Makes lines of results as they come, so that thousands of them need no memory."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def begin(self) -> list[str]:
        """Return what stands before all results."""
        return []

    @abc.abstractmethod
    def lines(self, result: Result) -> list[str]:
        """Return what is to be written now that a page was read, or could not be."""

    def end(self) -> list[str]:
        """Return what stands behind all results."""
        return []


class TextOutput(Output):
    """A row a number: file, number, confidence.

    Parameters
    ----------
    job
        What was done with every page.
    width
        Columns for the names of files.
    """

    def __init__(self, job: Job, width: int) -> None:
        super().__init__(job)
        self._width = width

    def lines(self, result: Result) -> list[str]:
        """Return a row for each number."""
        from digitlens.documents.written import text_of

        return text_of(result, self._job, self._width)


class CsvOutput(Output):
    """A CSV row a number."""

    def begin(self) -> list[str]:
        """Return the names of the columns."""
        from digitlens.documents.written import csv_head

        return [csv_head()]

    def lines(self, result: Result) -> list[str]:
        """Return a row for each number."""
        from digitlens.documents.written import csv_of

        return csv_of(result, self._job)


class JsonOutput(Output):
    """One JSON value, with a line for each picture.

    Parameters
    ----------
    job
        What was done with every page.
    model
        The reader's name.
    max_error
        The promise that was asked for.
    """

    def __init__(self, job: Job, model: str, max_error: float | None) -> None:
        super().__init__(job)
        self._model, self._max_error = model, max_error
        self._before: str | None = None
        self._rejected: list[Result] = []

    def begin(self) -> list[str]:
        """Open the value and its list of pictures."""
        from digitlens.documents.written import json_head

        return [json_head(self._model, self._job, self._max_error)]

    def lines(self, result: Result) -> list[str]:
        """Return the picture before this one: only now it is known that a comma follows."""
        from digitlens.documents.written import json_of

        if result.error is not None:
            self._rejected.append(result)
            return []
        before, self._before = self._before, json_of(result, self._job)
        return [] if before is None else [before + ","]

    def end(self) -> list[str]:
        """Return the last picture and what was rejected."""
        from digitlens.documents.written import json_tail

        last = [] if self._before is None else [self._before]
        return [*last, json_tail(self._rejected)]
