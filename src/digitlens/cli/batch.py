"""digitlens batch: any number of pictures, on any number of machines, killed and resumed."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitlens.cli.command import Command, Group
from digitlens.cli.console import (
    MODEL_HELP,
    SOME_REJECTED,
    JsonOption,
    RecursiveOption,
    WorkersOption,
    announce,
    argument,
    check_choice,
    check_exclusive,
    check_positive,
    echo,
    echo_json,
    option,
)
from digitlens.cli.progress import CountProgress
from digitlens.cli.read import (
    ErrorOption,
    FieldOption,
    JoinOption,
    LengthOption,
    LineOption,
    ReaderOption,
    SplitOption,
    SureOption,
    exclude_wishes,
    make_options,
)
from digitlens.errors import UsageError
from digitlens.models.registry import DEFAULT_NETWORK

if TYPE_CHECKING:
    from digitlens.batch import Ledger, Rows, Status
    from digitlens.batch.run import Engine


FORMS, ENGINES = ("jsonl", "csv", "parquet"), ("local", "ray")

RETRY_HELP = "Do parts with such errors anew: died, too-slow, missing or missing-extra."

InputArgument = Annotated[
    list[str],
    argument(
        "INPUT...", "Pictures, PDFs, folders, patterns, .txt lists, tar, zip, Parquet, URLs."
    ),
]
OutOption = Annotated[Path, option("FOLDER", "Where request, listing and parts are kept.")]
FormOption = Annotated[str, option("FORM", "Of the parts: jsonl, csv or parquet.", "--form")]
SizeOption = Annotated[int, option("N", "Pictures in a part.")]
ColumnOption = Annotated[str, option("NAME", "Of Parquet files: where the pictures are.")]
ShardOption = Annotated[str, option("I/N", "Only every N-th part, from the I-th on.")]
EngineOption = Annotated[str, option("NAME", "local, or ray for many machines.")]
AddressOption = Annotated[str, option("HOST", "Ray's head; else a cluster of this machine.")]
RetryOption = Annotated[list[str] | None, option("KIND", RETRY_HELP)]
FolderArgument = Annotated[Path, argument("FOLDER", "The --out of a batch.")]


def read(
    inputs: InputArgument,
    out: OutOption,
    length: LengthOption = None,
    max_error: ErrorOption = None,
    field: FieldOption = None,
    line: LineOption = False,
    join: JoinOption = False,
    split: SplitOption = False,
    sure: SureOption = False,
    model: ReaderOption = "reader",
    form: FormOption = "jsonl",
    part_size: SizeOption = 500,
    shard: ShardOption = "1/1",
    workers: WorkersOption = None,
    retry: RetryOption = None,
    engine: EngineOption = "local",
    address: AddressOption = "",
    recursive: RecursiveOption = False,
    column: ColumnOption = "",
) -> None:
    """Read the numbers in any amount of pictures, and resume if killed.

    The same command again does what is not done yet: every picture ends in exactly one set of
    rows, errors among them, and the parts are the same bytes whoever computed them. Several
    such commands may run at once. docs/batch.md tells more."""
    check_exclusive(*exclude_wishes(line, field, join, split))
    from digitlens.batch import Rows

    options, _ = make_options(
        model,
        length=length,
        field=field,
        line=line,
        join=join,
        split=split,
        sure=sure,
        max_error=max_error,
    )
    rows = Rows("read", model, options=options, flat=form != "jsonl")
    where = _Where(out, form, part_size, shard, workers, retry, engine, address)
    where.run(inputs, rows, recursive=recursive, column=column)


def predict(
    inputs: InputArgument,
    out: OutOption,
    model: Annotated[str, option("MODEL", MODEL_HELP)] = DEFAULT_NETWORK,
    form: FormOption = "jsonl",
    part_size: SizeOption = 500,
    shard: ShardOption = "1/1",
    workers: WorkersOption = None,
    retry: RetryOption = None,
    engine: EngineOption = "local",
    address: AddressOption = "",
    recursive: RecursiveOption = False,
    column: ColumnOption = "",
) -> None:
    """Say which digit each of any number of pictures shows.

    As batch read, with what predict answers: docs/batch.md tells more."""
    from digitlens.batch import Rows

    rows = Rows("predict", model, flat=form != "jsonl")
    where = _Where(out, form, part_size, shard, workers, retry, engine, address)
    where.run(inputs, rows, recursive=recursive, column=column)


def check_engine(engine: str, address: str) -> None:
    """Raise UsageError where there is no such engine, or an address means nothing to it."""
    check_choice("--engine", engine, ENGINES)
    if address and engine != "ray":
        raise UsageError("--address wants --engine ray", seen=f"--engine {engine}")


@dataclass(frozen=True)
class _Where:
    """Where and how a batch is worked on: what decides none of its rows but their form."""

    out: Path
    form: str
    part_size: int
    shard: str
    workers: int | None
    retry: list[str] | None
    engine: str
    address: str

    def run(self, inputs: list[str], rows: Rows, *, recursive: bool, column: str) -> None:
        """Begin the batch or go on with it, and say how it ended."""
        from digitlens.batch import (
            LocalEngine,
            Shard,
            drop_failed,
            list_items,
            make_ledger,
            make_request,
            run_batch,
        )
        from digitlens.batch.ray_engine import RayEngine
        from digitlens.batch.run import RETRIED

        check_choice("--form", self.form, FORMS)
        check_engine(self.engine, self.address)
        check_positive("--part-size", self.part_size)
        check_positive("--workers", self.workers)
        for kind in self.retry or ():
            check_choice("--retry", kind, RETRIED)
        shard = Shard.parse(self.shard)

        # List what is to be done, once; the same command later finds it listed.
        request = make_request(
            *(rows, inputs),
            form=self.form,
            part_size=self.part_size,
            recursive=recursive,
            column=column,
        )
        pages = rows.command == "read"
        items = list_items(inputs, recursive=recursive, pages=pages, column=column)
        ledger = make_ledger(self.out, request, items)
        if self.retry:
            drop_failed(ledger, self.retry, shard)

        # Compute the parts that are not there yet.
        engine: Engine = LocalEngine(self.workers)
        if self.engine == "ray":
            engine = RayEngine(self.address, self.workers)
        mine = list(shard.choose(range(ledger.parts)))
        left = {*mine} - ledger.find_done()
        progress = CountProgress(sum(map(ledger.count_items, left)))
        try:
            run_batch(ledger, rows, engine, shard=shard, progress=progress.step)
        finally:
            progress.wipe()
        _announce_end(ledger, ledger.read_status(mine))


def _announce_end(ledger: Ledger, status: Status) -> None:
    bad = sum(status.errors.values())
    announce(f"{_describe_sizes(status.items, status.done)}: {ledger.folder}")
    if bad:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in status.errors.items())
        announce(f"{bad:,} of {status.items:,} pictures could not be used: {kinds}")
        raise typer.Exit(SOME_REJECTED if bad < status.items else 1)


def _describe_sizes(pictures: int, parts: int) -> str:
    from digitlens.metrics.formatting import plural

    return f"{plural(pictures, 'picture')} in {plural(parts, 'part')}"


def status(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Say how far a batch has come, and what could not be used.

    The exit code is 0 whether or not all is done."""
    from digitlens.batch import open_ledger

    ledger = open_ledger(folder)
    result = ledger.read_status()
    if as_json:
        echo_json({"command": ledger.request["command"]} | result.as_dict())
        return
    share = 100 * result.done / result.parts
    echo(f"{ledger.request['command']}, {_describe_sizes(result.items, result.parts)}")
    echo(f"done    {result.done:,} parts, {share:.1f} %, {result.rows:,} rows")
    for kind, count in result.errors.items():
        echo(f"error   {count:,} {kind}")


def collect(
    folder: FolderArgument,
    out: Annotated[Path | None, option("FILE", "Where to; else stdout.")] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Join what is there, even if parts are missing.")
    ] = False,
) -> None:
    """Join the parts of a batch into one file, in their order.

    Parts that are missing are an error, unless --partial is given."""
    from digitlens.batch import open_ledger
    from digitlens.batch.parts import join_parts
    from digitlens.errors import RunError
    from digitlens.storage import new_file

    ledger = open_ledger(folder)
    # Joining an unfinished batch must be wished for: the result would look complete.
    done = sorted(ledger.find_done())
    missing = ledger.parts - len(done)
    if missing and not partial:
        raise RunError(
            f"{folder} must be done to be collected",
            seen=f"{missing:,} of {ledger.parts:,} parts are missing",
            try_="the command that began it, again; or --partial",
        )
    paths = map(ledger.part_path, done)
    if out is not None:
        with new_file(out) as (file, _):
            join_parts(paths, ledger.form, file)
        announce(f"written: {out}")
    elif ledger.form == "parquet":
        raise UsageError("Parquet goes into a file", try_="--out rows.parquet")
    else:
        join_parts(paths, ledger.form, sys.stdout.buffer)


app = typer.Typer(
    cls=Group, help="Any number of pictures, gone on with after a kill.", rich_markup_mode=None
)
for command in (read, predict, status, collect):
    app.command(cls=Command)(command)
