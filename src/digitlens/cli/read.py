"""digitlens read: numbers in whole pictures, folders of them, and PDFs."""

from __future__ import annotations

import sys
import tempfile
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitlens.cli.console import (
    SOME_REJECTED,
    CsvOption,
    JsonlOption,
    JsonOption,
    RecursiveOption,
    WorkersOption,
    announce,
    announce_rejected,
    argument,
    check_exclusive,
    check_positive,
    echo,
    exclude_forms,
    flag,
    json_line,
    option,
)
from digitlens.cli.progress import CountProgress
from digitlens.errors import DataError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from digitlens.ocr import FormField, Reader
    from digitlens.ocr.page import PageResult, ReadOptions


FIELD_HELP = "One number that is wanted: name=NAME,count=N,area=LEFT,TOP,RIGHT,BOTTOM,boxes."

FilesArgument = Annotated[
    list[str], argument("FILE...", "Pictures, PDFs, folders, patterns, or -.")
]
LengthOption = Annotated[
    list[int] | None, option("N", "Digits of a wanted number; may be given again.")
]
ErrorOption = Annotated[
    float | None, option("P", "Wrong ones among sure ones at most, 0.01 say.")
]
FieldOption = Annotated[list[str] | None, option("FIELD", FIELD_HELP)]
LineOption = Annotated[bool, flag("--line", "Each picture is one line of digits.")]
JoinOption = Annotated[bool, flag("--join", "Slashes, dashes and wide gaps part no numbers.")]
SplitOption = Annotated[bool, flag("--split", "Dots and commas part numbers, too.")]
SureOption = Annotated[bool, flag("--sure", "Show only what is surely read.")]
StagesOption = Annotated[Path | None, option("DIR", "Write each preprocessing step as a PNG.")]
AnnotateOption = Annotated[
    Path | None, option("DIR", "Write each picture with what was read on it.")
]
ReaderOption = Annotated[str, option("PATH", "Another line network than the published one.")]


def read(
    files: FilesArgument,
    length: LengthOption = None,
    max_error: ErrorOption = None,
    field: FieldOption = None,
    line: LineOption = False,
    join: JoinOption = False,
    split: SplitOption = False,
    sure: SureOption = False,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    jsonl: JsonlOption = False,
    stages: StagesOption = None,
    annotate: AnnotateOption = None,
    workers: WorkersOption = None,
    model: ReaderOption = "reader",
    recursive: RecursiveOption = False,
) -> None:
    """Read the numbers in photos, scans and PDFs.

    Prints each number with its confidence, from top to bottom, and marks what is not surely
    read. Words and marks are no numbers; 12/05/2021 is three, 1,250.00 one. With --length only
    numbers of such a length, the likeliest first. A folder is read on all cores. What cannot be
    read is named on stderr, the rest is read, and the exit code is 3. docs/reading.md tells
    more."""
    check_exclusive(
        *exclude_forms(as_json, as_csv, jsonl),
        *exclude_wishes(line, field, join, split),
        # What has no page to be taken apart has no steps to be shown.
        ("--stages", stages, "--line", line),
        ("--stages", stages, "--field", field),
    )
    check_positive("--workers", workers)
    from digitlens.imaging.inputs import list_inputs
    from digitlens.ocr.batch import read_all
    from digitlens.ocr.output import page_row
    from digitlens.storage import make_folder

    # What is wanted, and how sure a number must be.
    options, reader = make_options(
        model,
        length=length,
        field=field,
        line=line,
        join=join,
        split=split,
        sure=sure,
        max_error=max_error,
    )
    options = replace(options, stages=stages, annotate=annotate)
    for place in filter(None, (stages, annotate)):
        make_folder(place)
    # Pages are read on all cores and written in order, each as soon as it is there.
    with spool_stdin(files) as stdin:
        sources = list_inputs(files, stdin=stdin, recursive=recursive)
        with closing(read_all(sources, options, workers=workers, reader=reader)) as results:
            pages = Pages(results, len(sources))
            if jsonl:
                lines: Iterator[str] = (json_line(page_row(item, options)) for item in pages)
            elif as_json:
                lines = format_as_json(pages, options, reader.network.path.stem, max_error)
            else:
                width = max(len(source.name) for source in sources)
                lines = format_as_rows(pages, options, None if as_csv else width)
            pages.progress.follow(lines, partial(echo, flush=jsonl))
    _announce_end(pages, stages, annotate)


def _announce_end(pages: Pages, stages: Path | None, annotate: Path | None) -> None:
    """Say what else was written, and end with another exit code where a page was rejected."""
    for folder, what in ((stages, "stages"), (annotate, "annotated")):
        if folder is not None:
            announce(f"{what}: {folder}")
    if pages.rejected:
        announce(f"{pages.rejected} of {pages.count} pictures could not be read")
        raise typer.Exit(SOME_REJECTED if pages.rejected < pages.count else 1)


def exclude_wishes(
    line: bool, field: list[str] | None, join: bool, split: bool
) -> list[tuple[str, object, str, object]]:
    """Return the pairs of wishes about what is read that rule each other out."""
    return [
        ("--line", line, "--field", field),
        ("--join", join, "--split", split),
        *(("--line", line, name, on) for name, on in (("--join", join), ("--split", split))),
    ]


def make_options(
    model: str,
    *,
    length: list[int] | None,
    field: list[str] | None,
    line: bool,
    join: bool,
    split: bool,
    sure: bool,
    max_error: float | None,
) -> tuple[ReadOptions, Reader]:
    """Return what is wanted, how sure a number must be, and the reader that is asked."""
    from digitlens.ctc.probs import check_lengths
    from digitlens.ocr import Reader
    from digitlens.ocr.page import ReadOptions

    for count in length or ():
        check_positive("--length", count)
    lengths, wanted = check_lengths(length or None), parse_fields(field or ())
    reader = Reader(model)
    options = ReadOptions(model, lengths, wanted, line)
    options = replace(options, join=join, split=split, only_sure=sure)
    return apply_threshold(options, reader, max_error), reader


def apply_threshold(
    options: ReadOptions, reader: Reader, max_error: float | None
) -> ReadOptions:
    """Return the options with the thresholds that a promise about errors wants.

    They are announced too. A rate out of range and a reader that has not been calibrated are
    refused.
    """
    from digitlens.ocr.page import DEFAULT_THRESHOLD

    if max_error is None:
        return replace(options, thresholds=(DEFAULT_THRESHOLD,) * max(1, len(options.fields)))
    asked: Iterable[FormField | None] = options.fields or (None,)
    thresholds = []
    for wanted in asked:
        threshold = reader.bar(max_error, (wanted and wanted.count) or options.lengths)
        name = f"{wanted.name}: " if wanted else ""
        if threshold.confidence is None:
            announce(f"{name}nothing is sure enough for {100 * max_error:g} % errors at most")
        else:
            announce(
                f"{name}sure from {100 * threshold.confidence:.2f} % on, as "
                f"{100 * threshold.read_rate:.0f} % of the lines are that set this threshold"
            )
        thresholds.append(threshold.confidence)
    return replace(options, thresholds=tuple(thresholds))


class Pages:
    """The pages as they are read, and what is said of them on stderr.

    Passes each result on, counts it, announces what could not be read, and shows progress.
    """

    def __init__(self, results: Iterable[PageResult], sources: int) -> None:
        self.count = self.rejected = 0
        self._results = results
        self.progress = CountProgress(sources)

    def __iter__(self) -> Iterator[PageResult]:
        for result in self._results:
            self.progress.wipe()
            if result.task.page_index == 0:
                self.progress.add(result.count - 1)
            self.count += 1
            self.rejected += result.error is not None
            _announce_problem(result)
            yield result
            self.progress.step()


def _announce_problem(result: PageResult) -> None:
    if result.error is not None:
        # An error of the file, not of one page, has its name already.
        named = printable(result.file) in str(result.error).splitlines()[0]
        announce_rejected(result.file if named else result.name, result.error)
    elif not any(line.text for line in result.lines):
        announce(f"{result.name}: no digits")


# Results become lines one by one, so that thousands of pages need no memory.


def format_as_rows(
    results: Iterable[PageResult], options: ReadOptions, width: int | None
) -> Iterator[str]:
    """Make a row a number: file (in `width` columns), number, confidence; or CSV."""
    from digitlens.ocr.output import csv_head, format_csv, format_text

    if width is None:
        yield csv_head()
    for page in results:
        yield from (
            format_csv(page, options) if width is None else format_text(page, options, width)
        )


def format_as_json(
    results: Iterable[PageResult], options: ReadOptions, model: str, max_error: float | None
) -> Iterator[str]:
    """Make one JSON value, with a line for each picture and the rejected ones at the end."""
    from digitlens.ocr.output import format_json, json_head, json_tail

    yield json_head(model, options, max_error)
    rejected: list[PageResult] = []
    previous: str | None = None
    for result in results:
        if result.error is not None:
            rejected.append(result)
            continue
        # Only now it is known that a comma follows the picture before.
        if previous is not None:
            yield previous + ","
        previous = format_json(result, options)
    if previous is not None:
        yield previous
    yield json_tail(rejected)


@contextmanager
def spool_stdin(named: Sequence[str]) -> Iterator[Path | None]:
    """Keep what stdin brings in a temporary file, where ``-`` was named.

    Workers cannot read this process's stdin. The file's suffix says what it holds.
    """
    from digitlens.imaging.filetypes import HEAD_BYTES
    from digitlens.imaging.inputs import MAX_BYTES
    from digitlens.ocr.files import TIFF_SIGNATURES

    if "-" not in named:
        yield None
        return
    if list(named).count("-") > 1:
        raise UsageError("- may be named once: stdin can be read once")
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            "- wants a picture from stdin",
            seen="a terminal" if sys.stdin else "stdin is closed",
            try_="digitlens read - < page.png",
        )
    content = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise DataError(f"stdin is too large: at most {MAX_BYTES:,} bytes are read")
    suffix = ".tif" if content.startswith(TIFF_SIGNATURES) else ""
    suffix = ".pdf" if b"%PDF-" in content[:HEAD_BYTES] else suffix
    with tempfile.TemporaryDirectory(prefix="digitlens-") as folder:
        path = Path(folder, f"stdin{suffix}")
        path.write_bytes(content)
        yield path


FIELD_EXAMPLE = "--field name=zip,count=5,area=400,300,640,360,boxes"
FIELD_PARTS = ("name", "count", "area", "boxes")


def parse_fields(texts: Sequence[str]) -> tuple[FormField, ...]:
    """Return what several --field say.

    texts: each of the parts ``name=NAME``, ``count=N``, ``area=LEFT,TOP,RIGHT,BOTTOM`` and
        ``boxes``, in any order, parted by commas. A field without a name is called by its
        number, from 1.

    Raises UsageError: something else, or two fields of one name.

    >>> (zip,) = parse_fields(["name=zip,count=5,area=400,300,640,360,boxes"])
    >>> zip.name, zip.count, zip.area, zip.boxes
    ('zip', 5, (400.0, 300.0, 640.0, 360.0), True)
    """
    result = tuple(_parse_field(text, str(index)) for index, text in enumerate(texts, 1))
    names = [wanted.name for wanted in result]
    for name in names:
        if names.count(name) > 1:
            raise UsageError("fields must have names of their own", seen=f"two called {name}")
    return result


def _parse_field(text: str, number: str) -> FormField:
    from digitlens.ocr import FormField

    known = _split_parts(text)
    return FormField(
        count=_parse_count(text, known["count"]) if "count" in known else None,
        area=_parse_area(text, known["area"]) if "area" in known else None,
        boxes="boxes" in known,
        name=known["name"][0] if "name" in known else number,
    )


def _split_parts(text: str) -> dict[str, list[str]]:
    """Return each part's values; numbers that follow ``area=`` belong to it."""
    known: dict[str, list[str]] = {}
    last = ""
    for word in (item.strip() for item in text.split(",")):
        name, equals, value = word.partition("=")
        if equals and name in FIELD_PARTS[:3] and value and name not in known:
            known[name] = [value]
        elif word == "boxes":
            known[word] = []
        elif last == "area" and not equals and len(known["area"]) < 4:
            known["area"].append(word)
            continue
        else:
            raise _field_error(text, f"'{word}'")
        last = name
    return known


def _parse_count(text: str, values: list[str]) -> int:
    if not values[0].isdecimal() or int(values[0]) < 1:
        raise _field_error(text, f"count={values[0]}")
    return int(values[0])


def _parse_area(text: str, values: list[str]) -> tuple[float, float, float, float]:
    try:
        left, top, right, bottom = map(float, values)
    except ValueError as error:
        raise _field_error(text, f"area={','.join(values)}") from error
    if not (0 <= left < right < float("inf") and 0 <= top < bottom < float("inf")):
        raise _field_error(text, f"area={','.join(values)}: left, top, right, bottom in pixels")
    return left, top, right, bottom


def _field_error(text: str, what: str) -> UsageError:
    return UsageError(
        "--field must be made of name=NAME, count=N, area=LEFT,TOP,RIGHT,BOTTOM and boxes",
        seen=f"{what} in --field {text}",
        try_=FIELD_EXAMPLE,
    )
