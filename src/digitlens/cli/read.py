"""digitlens read: numbers in whole pictures, folders of them, and PDFs."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitlens.cli.counted import Counted
from digitlens.cli.fields import fields_of
from digitlens.cli.options import JsonOption
from digitlens.cli.output import give, tell
from digitlens.cli.read_output import CsvOutput, JsonOutput, Output, TextOutput
from digitlens.cli.stdin import kept_stdin
from digitlens.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from digitlens.documents import Job, Result, Wanted
    from digitlens.reader import Reader

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
    from digitlens.atomic import make_folder
    from digitlens.documents import Job, expand, read_all
    from digitlens.reader import Reader
    from digitlens.reading.frames import wanted_lengths

    lengths = wanted_lengths(length or None)
    wanted = fields_of(field or ())
    reader = Reader(model)
    job = Job(model, lengths, wanted, line, stages=stages, annotate=annotate)
    job = with_bars(job, reader, max_error)
    for folder in (stages, annotate):
        if folder is not None:
            make_folder(folder)
    with kept_stdin(files) as stdin:
        sources = expand(files, stdin=stdin)
        output: Output
        if as_json:
            output = JsonOutput(job, reader.network.path.stem, max_error)
        elif as_csv:
            output = CsvOutput(job)
        else:
            output = TextOutput(job, max(len(source.name) for source in sources))
        with closing(read_all(sources, job, workers=workers, reader=reader)) as results:
            count, rejected = _run(results, output, Counted(len(sources)))
    for folder, what in ((stages, "stages"), (annotate, "annotated")):
        if folder is not None:
            tell(f"{what}: {folder}")
    if rejected:
        tell(f"{rejected} of {count} pictures could not be read")
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


def with_bars(job: Job, reader: Reader, max_error: float | None) -> Job:
    """Return the job with the bars that a promise about errors wants, and tell them.

    Raises
    ------
    UsageError
        A rate out of range.
    ModelError
        The reader has not been calibrated.
    """
    from dataclasses import replace

    from digitlens.documents.job import SURE

    if max_error is None:
        return replace(job, bars=(SURE,) * max(1, len(job.wanted)))
    asked: Iterable[Wanted | None] = job.wanted or (None,)
    bars = []
    for wanted in asked:
        bar = reader.bar(max_error, (wanted and wanted.field.count) or job.lengths)
        name = f"{wanted.name}: " if wanted else ""
        if bar.confidence is None:
            tell(f"{name}nothing is sure enough for {100 * max_error:g} % errors at most")
        else:
            tell(
                f"{name}sure from {100 * bar.confidence:.2f} % on, as "
                f"{100 * bar.read_rate:.0f} % of the lines are that set this bar"
            )
        bars.append(bar.confidence)
    return replace(job, bars=tuple(bars))


def _run(results: Iterable[Result], output: Output, progress: Counted) -> tuple[int, int]:
    """Write all results as they come; return how many there were, and how many rejected."""
    count = rejected = 0
    try:
        _give(output.begin())
        for result in results:
            progress.wipe()
            if result.task.at == 0:
                progress.more(result.count - 1)
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
        give(line)


def _tell(result: Result) -> None:
    """Say on stderr that a page could not be read, or that nothing stands on it."""
    if result.error is not None:
        tell(f"rejected: {_named(result)}{result.error}")
    elif not any(line.text for line in result.lines):
        tell(f"{result.name}: no digits")


def _named(result: Result) -> str:
    """Return the page's name where its error does not begin with it."""
    return "" if result.file in str(result.error).splitlines()[0] else f"{result.name}: "
