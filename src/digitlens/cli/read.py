"""digitlens read: numbers in whole pictures, folders of them, and PDFs.

* The option --field: one number that is wanted, and what is known of it.
* What `digitlens read` writes to stdout, picture by picture: text, CSV or JSON.
* What comes in through stdin, as a file.
"""

from __future__ import annotations

import abc
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitlens.cli.console import JsonOption, announce, echo
from digitlens.cli.progress import CountProgress
from digitlens.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from digitlens.ocr import FormField, Reader
    from digitlens.ocr.options import PageResult, ReadOptions


EXAMPLE = "--field name=zip,count=5,area=400,300,640,360,boxes"
NAMES = ("name", "count", "area", "boxes")


def parse_fields(texts: Sequence[str]) -> tuple[FormField, ...]:
    """Return what several --field say.

    Parameters
    ----------
    texts
        Each of the parts ``name=NAME``, ``count=N``, ``area=LEFT,TOP,RIGHT,BOTTOM`` and
        ``boxes``, in any order, parted by commas. A field without a name is called by its
        number, from 1.

    Raises
    ------
    UsageError
        Something else, or two fields of one name.

    Examples
    --------
    >>> (zip,) = parse_fields(["name=zip,count=5,area=400,300,640,360,boxes"])
    >>> zip.name, zip.count, zip.area, zip.boxes
    ('zip', 5, (400.0, 300.0, 640.0, 360.0), True)
    """
    result = tuple(_field(text, str(index)) for index, text in enumerate(texts, 1))
    names = [wanted.name for wanted in result]
    for name in names:
        if names.count(name) > 1:
            raise UsageError("fields must have names of their own", seen=f"two called {name}")
    return result


def _field(text: str, number: str) -> FormField:
    from digitlens.ocr import FormField

    known = _parts(text)
    return FormField(
        count=_count(text, known["count"]) if "count" in known else None,
        area=_area(text, known["area"]) if "area" in known else None,
        boxes="boxes" in known,
        name=known["name"][0] if "name" in known else number,
    )


def _parts(text: str) -> dict[str, list[str]]:
    """Return each part's values; numbers that follow ``area=`` belong to it."""
    known: dict[str, list[str]] = {}
    last = ""
    for word in (item.strip() for item in text.split(",")):
        name, equals, value = word.partition("=")
        if equals and name in NAMES[:3] and value and name not in known:
            known[name] = [value]
        elif word == "boxes":
            known[word] = []
        elif last == "area" and not equals and len(known["area"]) < 4:
            known["area"].append(word)
            continue
        else:
            raise _wrong(text, f"'{word}'")
        last = name
    return known


def _count(text: str, values: list[str]) -> int:
    if not values[0].isdecimal() or int(values[0]) < 1:
        raise _wrong(text, f"count={values[0]}")
    return int(values[0])


def _area(text: str, values: list[str]) -> tuple[float, float, float, float]:
    try:
        left, top, right, bottom = map(float, values)
    except ValueError as error:
        raise _wrong(text, f"area={','.join(values)}") from error
    if not (0 <= left < right < float("inf") and 0 <= top < bottom < float("inf")):
        raise _wrong(text, f"area={','.join(values)}: left, top, right, bottom in pixels")
    return left, top, right, bottom


def _wrong(text: str, what: str) -> UsageError:
    return UsageError(
        "--field must be made of name=NAME, count=N, area=LEFT,TOP,RIGHT,BOTTOM and boxes",
        seen=f"{what} in --field {text}",
        try_=EXAMPLE,
    )


class Output(abc.ABC):
    """Makes lines of results as they come, so that thousands of them need no memory."""

    def __init__(self, job: ReadOptions) -> None:
        self._job = job

    def begin(self) -> list[str]:
        """Return what stands before all results."""
        return []

    @abc.abstractmethod
    def lines(self, result: PageResult) -> list[str]:
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

    def __init__(self, job: ReadOptions, width: int) -> None:
        super().__init__(job)
        self._width = width

    def lines(self, result: PageResult) -> list[str]:
        """Return a row for each number."""
        from digitlens.ocr.output import format_text

        return format_text(result, self._job, self._width)


class CsvOutput(Output):
    """A CSV row a number."""

    def begin(self) -> list[str]:
        """Return the names of the columns."""
        from digitlens.ocr.output import csv_head

        return [csv_head()]

    def lines(self, result: PageResult) -> list[str]:
        """Return a row for each number."""
        from digitlens.ocr.output import format_csv

        return format_csv(result, self._job)


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

    def __init__(self, job: ReadOptions, model: str, max_error: float | None) -> None:
        super().__init__(job)
        self._model, self._max_error = model, max_error
        self._before: str | None = None
        self._rejected: list[PageResult] = []

    def begin(self) -> list[str]:
        """Open the value and its list of pictures."""
        from digitlens.ocr.output import json_head

        return [json_head(self._model, self._job, self._max_error)]

    def lines(self, result: PageResult) -> list[str]:
        """Return the picture before this one: only now it is known that a comma follows."""
        from digitlens.ocr.output import format_json

        if result.error is not None:
            self._rejected.append(result)
            return []
        before, self._before = self._before, format_json(result, self._job)
        return [] if before is None else [before + ","]

    def end(self) -> list[str]:
        """Return the last picture and what was rejected."""
        from digitlens.ocr.output import json_tail

        last = [] if self._before is None else [self._before]
        return [*last, json_tail(self._rejected)]


@contextmanager
def spool_stdin(named: Sequence[str]) -> Iterator[Path | None]:
    """Keep what stdin brings in a file, where ``-`` was named; it is taken away at the end.

    Workers cannot read this process's stdin; the file's ending says what it holds.

    Raises
    ------
    UsageError
        ``-`` was named twice, or stdin is a terminal.
    DataError
        More bytes than are read of a file.
    """
    from digitlens.ocr.files import MAX_BYTES, PDF_HEADER_BYTES, TIFF_SIGNATURES

    if "-" not in named:
        yield None
        return
    if list(named).count("-") > 1:
        raise UsageError("- may be named once: stdin can be read once")
    if sys.stdin.isatty():
        raise UsageError(
            "- wants a picture from stdin",
            seen="a terminal",
            try_="digitlens read - < page.png",
        )
    content = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise DataError(f"stdin is too large: at most {MAX_BYTES:,} bytes are read")
    ending = ".tif" if content.startswith(TIFF_SIGNATURES) else ""
    ending = ".pdf" if b"%PDF-" in content[:PDF_HEADER_BYTES] else ending
    with tempfile.TemporaryDirectory(prefix="digitlens-") as folder:
        path = Path(folder, f"stdin{ending}")
        path.write_bytes(content)
        yield path


SOME_REJECTED = 3
FIELD_HELP = "One number that is wanted: name=NAME,count=N,area=LEFT,TOP,RIGHT,BOTTOM,boxes."

FilesArgument = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="Pictures, PDFs, folders, patterns, or -."),
]
LengthOption = Annotated[
    list[int] | None,
    typer.Option(metavar="N", help="Digits of a wanted number; may be given again."),
]
ErrorOption = Annotated[
    float | None,
    typer.Option(metavar="P", help="Wrong ones among sure ones at most, 0.01 say."),
]
FieldOption = Annotated[list[str] | None, typer.Option(metavar="FIELD", help=FIELD_HELP)]
LineOption = Annotated[bool, typer.Option("--line", help="Each picture is one line of digits.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
StagesOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Write each step as a PNG.")
]
AnnotateOption = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Write each picture with what was read on it."),
]
WorkersOption = Annotated[
    int | None, typer.Option(metavar="N", help="Processes at most; else one a core.")
]
ReaderOption = Annotated[
    str, typer.Option(metavar="PATH", help="Another line network than the published one.")
]


def read(
    files: FilesArgument,
    length: LengthOption = None,
    max_error: ErrorOption = None,
    field: FieldOption = None,
    line: LineOption = False,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    stages: StagesOption = None,
    annotate: AnnotateOption = None,
    workers: WorkersOption = None,
    model: ReaderOption = "reader",
) -> None:
    """Read the numbers in photos, scans and PDFs.

    Prints each number with its confidence, from top to bottom, and marks what is not surely
    read. With --length only numbers of such a length, the likeliest first. A folder is read
    on all cores. What cannot be read is named on stderr, the rest is read, and the exit code
    is 3. docs/reading.md tells more."""
    _check(as_json, as_csv, line, field, stages, workers)
    from digitlens.ctc.probs import check_lengths
    from digitlens.ocr import Reader
    from digitlens.ocr.batch import read_all
    from digitlens.ocr.files import list_inputs
    from digitlens.ocr.options import ReadOptions
    from digitlens.storage import make_folder

    lengths = check_lengths(length or None)
    wanted = parse_fields(field or ())
    reader = Reader(model)
    job = ReadOptions(model, lengths, wanted, line, stages=stages, annotate=annotate)
    job = apply_threshold(job, reader, max_error)
    for folder in (stages, annotate):
        if folder is not None:
            make_folder(folder)
    with spool_stdin(files) as stdin:
        sources = list_inputs(files, stdin=stdin)
        output: Output
        if as_json:
            output = JsonOutput(job, reader.network.path.stem, max_error)
        elif as_csv:
            output = CsvOutput(job)
        else:
            output = TextOutput(job, max(len(source.name) for source in sources))
        with closing(read_all(sources, job, workers=workers, reader=reader)) as results:
            count, rejected = _run(results, output, CountProgress(len(sources)))
    for folder, what in ((stages, "stages"), (annotate, "annotated")):
        if folder is not None:
            announce(f"{what}: {folder}")
    if rejected:
        announce(f"{rejected} of {count} pictures could not be read")
        raise typer.Exit(SOME_REJECTED if rejected < count else 1)


def _check(
    as_json: bool,
    as_csv: bool,
    line: bool,
    field: list[str] | None,
    stages: Path | None,
    workers: int | None,
) -> None:
    exclusive = [
        ("--json", as_json, "--csv", as_csv),
        ("--line", line, "--field", bool(field)),
        # What has no page to be taken apart has no steps to be shown.
        ("--stages", stages is not None, "--line", line),
        ("--stages", stages is not None, "--field", bool(field)),
    ]
    for first, has_first, second, has_second in exclusive:
        if has_first and has_second:
            raise UsageError(f"{first} and {second} exclude each other")
    if workers is not None and workers < 1:
        raise UsageError("--workers must be 1 or more", seen=f"--workers {workers}")


def apply_threshold(job: ReadOptions, reader: Reader, max_error: float | None) -> ReadOptions:
    """Return the job with the bars that a promise about errors wants, and tell them.

    Raises
    ------
    UsageError
        A rate out of range.
    ModelError
        The reader has not been calibrated.
    """
    from dataclasses import replace

    from digitlens.ocr.options import DEFAULT_THRESHOLD

    if max_error is None:
        return replace(job, thresholds=(DEFAULT_THRESHOLD,) * max(1, len(job.fields)))
    asked: Iterable[FormField | None] = job.fields or (None,)
    bars = []
    for wanted in asked:
        bar = reader.bar(max_error, (wanted and wanted.count) or job.lengths)
        name = f"{wanted.name}: " if wanted else ""
        if bar.confidence is None:
            announce(f"{name}nothing is sure enough for {100 * max_error:g} % errors at most")
        else:
            announce(
                f"{name}sure from {100 * bar.confidence:.2f} % on, as "
                f"{100 * bar.read_rate:.0f} % of the lines are that set this bar"
            )
        bars.append(bar.confidence)
    return replace(job, thresholds=tuple(bars))


def _run(
    results: Iterable[PageResult], output: Output, progress: CountProgress
) -> tuple[int, int]:
    """Write all results as they come; return how many there were, and how many rejected."""
    count = rejected = 0
    try:
        _give(output.begin())
        for result in results:
            progress.wipe()
            if result.task.page_index == 0:
                progress.add(result.count - 1)
            count += 1
            rejected += result.error is not None
            _tell(result)
            _give(output.lines(result))
            progress.step()
        _give(output.end())
    finally:
        progress.wipe()
    return count, rejected


def _give(lines: list[str]) -> None:
    for line in lines:
        echo(line)


def _tell(result: PageResult) -> None:
    """Say on stderr that a page could not be read, or that nothing stands on it."""
    if result.error is not None:
        announce(f"rejected: {_named(result)}{result.error}")
    elif not any(line.text for line in result.lines):
        announce(f"{result.name}: no digits")


def _named(result: PageResult) -> str:
    """Return the page's name where its error does not begin with it."""
    return "" if result.file in str(result.error).splitlines()[0] else f"{result.name}: "
