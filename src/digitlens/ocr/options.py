"""What is done with every page, and what comes of one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from digitlens.ocr.page import FormField, Page

if TYPE_CHECKING:
    from digitlens.ctc.line import Line
    from digitlens.ctc.probs import Lengths
    from digitlens.errors import DigitlensError
    from digitlens.ocr.files import InputFile


DEFAULT_THRESHOLD = 0.9
"""A number counts as sure from this confidence on, where no error rate is promised: of ten
that are just as sure, nine are right."""


@dataclass(frozen=True)
class ReadOptions:
    """What is done with every page."""

    model: str | Path = "reader"  # a published line network, a run folder or an .onnx file
    lengths: Lengths = None  # allowed numbers of digits; None when any will do
    # Where numbers are known to stand; empty when all numbers are wanted.
    fields: tuple[FormField, ...] = ()
    line: bool = False  # whether each picture is one line
    # The confidence from which on a number is sure: one for each field, or one for all where
    # there are no fields. None where no confidence is enough.
    thresholds: tuple[float | None, ...] = (DEFAULT_THRESHOLD,)
    # Existing folders for pictures of the steps and of what was read; None for none.
    stages: Path | None = None
    annotate: Path | None = None

    def is_sure(self, line: Line, index: int = 0) -> bool:
        """Say whether the line at place `index` of its page is read surely."""
        threshold = self.thresholds[index if self.fields else 0]
        return bool(line.text) and threshold is not None and line.confidence >= threshold

    def field_name(self, index: int) -> str | None:
        """Return what the results call the line at place `index`, where fields are read."""
        return self.fields[index].name if self.fields else None


@dataclass(frozen=True)
class PageTask:
    """A page that is to be read: its file, that file's place among all, its own; from 0."""

    source: InputFile
    file_index: int
    page_index: int = 0


@dataclass(frozen=True)
class PageResult:
    """What came of a page.

    Examples
    --------
    >>> from digitlens.ocr.files import InputFile
    >>> PageResult(PageTask(InputFile(Path("a.pdf"), "a.pdf", "a"), 0), number=2).name
    'a.pdf page 2'
    """

    task: PageTask  # which page
    # What stands on it; without stages. None where it could not be read.
    page: Page | None = None
    error: DigitlensError | None = None  # why it could not; None where it could
    # The page's number, from 1; None where the file has no pages, or could not be opened.
    number: int | None = None
    count: int = 1  # how many pages the file has; 1 when that is not known

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
        """The file's name with the page's number."""
        return self.file if self.number is None else f"{self.file} page {self.number}"
