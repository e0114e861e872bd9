"""What is wanted of every page, and what was found on one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from digitlens.ocr.page import FormField, Page

if TYPE_CHECKING:
    from digitlens.ctc.line import Line
    from digitlens.errors import DigitlensError
    from digitlens.ocr.files import InputFile


SURE = 0.9
"""A number counts as sure from this confidence on, where no error rate is promised: of ten
that are just as sure, nine are right."""


@dataclass(frozen=True)
class Wanted:
    """A number that is wanted from every page, and what the results call it."""

    name: str
    field: FormField


@dataclass(frozen=True)
class ReadOptions:
    """What is done with every page.

    Parameters
    ----------
    model
        A published line network, a run folder or an .onnx file.
    lengths
        Allowed numbers of digits; None when any will do.
    wanted
        Fields, where numbers are known to stand; empty when all numbers are wanted.
    line
        Whether each picture is one line.
    bars
        The confidence from which on a number is sure: one for each field, or one for all
        where there are no fields. None where no confidence is enough.
    stages, annotate
        Folders for pictures of the steps and of what was read; None for none. They are there.
    """

    model: str | Path = "reader"
    lengths: frozenset[int] | None = None
    wanted: tuple[Wanted, ...] = ()
    line: bool = False
    bars: tuple[float | None, ...] = (SURE,)
    stages: Path | None = None
    annotate: Path | None = None

    def bar(self, index: int) -> float | None:
        """Return the confidence that the line at place `index` of a page must reach."""
        return self.bars[index] if self.wanted else self.bars[0]

    def sure(self, line: Line, index: int = 0) -> bool:
        """Say whether a line, at place `index` of its page, is read surely."""
        bar = self.bar(index)
        return bool(line.text) and bar is not None and line.confidence >= bar


@dataclass(frozen=True)
class PageTask:
    """A page that is to be read: its file, that file's place among all, its own; all from 0."""

    source: InputFile
    place: int
    at: int = 0


@dataclass(frozen=True)
class PageResult:
    """What came of a page.

    Parameters
    ----------
    task
        Which page.
    page
        What stands on it; without stages. None where it could not be read.
    error
        Why it could not; None where it could.
    number
        The page's number, from 1; None where the file has no pages, or could not be opened.
    count
        How many pages the file has; 1 when that is not known.
    """

    task: PageTask
    page: Page | None = None
    error: DigitlensError | None = None
    number: int | None = None
    count: int = 1

    @property
    def lines(self) -> tuple[Line, ...]:
        """The numbers on the page; none where it could not be read."""
        return () if self.page is None else self.page.lines

    @property
    def file(self) -> str:
        """The file's name."""
        return self.task.source.name

    @property
    def name(self) -> str:
        """The file's name with the page's number.

        Examples
        --------
        >>> from digitlens.ocr.files import InputFile
        >>> PageResult(PageTask(InputFile(Path("a.pdf"), "a.pdf", "a"), 0), number=2).name
        'a.pdf page 2'
        """
        return self.file if self.number is None else f"{self.file} page {self.number}"
