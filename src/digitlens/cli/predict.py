"""digitlens predict: single digits in picture files, and folders of them."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitlens.cli.console import (
    MODEL_HELP,
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
    json_line,
    option,
)
from digitlens.cli.progress import CountProgress
from digitlens.errors import printable
from digitlens.models.registry import DEFAULT_NETWORK

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from digitlens.digits import Images
    from digitlens.imaging.inputs import InputFile
    from digitlens.models.inference import Model


CHUNK = 64  # pictures that the network is asked about together
MIN_FOR_WORKERS = 32  # with fewer pictures, starting a process takes longer than framing them
PICTURE_SECONDS = 60.0  # what takes longer in a process is given up


def predict(
    files: Annotated[list[str], argument("FILE...", "Pictures, folders of them, or patterns.")],
    model: Annotated[str, option("MODEL", MODEL_HELP)] = DEFAULT_NETWORK,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    jsonl: JsonlOption = False,
    stages: Annotated[
        Path | None, option("DIR", "Write the preprocessing of each picture as a PNG.")
    ] = None,
    workers: WorkersOption = None,
    recursive: RecursiveOption = False,
) -> None:
    """Say which digit each picture shows, and how sure that is.

    Any picture of one digit will do: a photo, a scan, a drawing; dark ink or light, of any
    size and at any place. Where the model is unsure or sees no digit, its best guess stands
    there to be checked. A file that cannot be used is named on stderr, the others are read,
    and the exit code is 3.
    """
    check_exclusive(*exclude_forms(as_json, as_csv, jsonl))
    check_positive("--workers", workers)
    # Imported late: a help text or a wrong option is answered at once.
    from digitlens.imaging.inputs import list_inputs
    from digitlens.models.inference import load_model
    from digitlens.storage import make_folder

    chosen = load_model(model)
    sources = list_inputs(files, recursive=recursive, stems=stages is not None)
    if stages is not None:
        make_folder(stages)
    # Rows are written as they come: a folder of any size needs the memory of a few pictures.
    rejected: list[dict[str, str]] = []
    progress = CountProgress(len(sources))
    chunk = 1 if jsonl else CHUNK
    results = predict_files(chosen, sources, stages, workers=workers, chunk=chunk)
    rows = _announce_rows(results, rejected, progress)
    answers = (row for row in rows if "error" not in row)
    if jsonl:
        lines: Iterator[str] = map(json_line, rows)
    elif as_json:
        lines = _format_json(answers, chosen.name, rejected)
    elif as_csv:
        lines = _format_csv(answers)
    else:
        lines = _format_table(answers, max((len(item.name) for item in sources), default=0))
    with closing(results):
        progress.follow(lines, partial(echo, flush=jsonl))
    read = len(sources) - len(rejected)
    if stages is not None:
        announce(f"stages: {read} written to {stages}")
    if rejected:
        announce(f"{len(rejected)} of {len(sources)} files could not be used")
        raise typer.Exit(SOME_REJECTED if read else 1)


def predict_files(
    model: Model,
    sources: Sequence[InputFile],
    stages: Path | None,
    *,
    workers: int | None = None,
    chunk: int = CHUNK,
) -> Generator[dict[str, Any], None, None]:
    """Yield a row a file, in their order: what the model answers, or an error.

    workers: processes at most; None for one a core, and for few pictures none
    chunk: pictures that the network is asked about together
    """
    import numpy as np

    from digitlens.workers import available_cpus, run_in_order

    few = len(sources) < MIN_FOR_WORKERS
    # Pictures are framed in other processes, and the network is asked here, many at once.
    outcomes = run_in_order(
        sources,
        partial(frame_input, stages),
        prepare=partial(_prepare, stages),
        workers=workers or (0 if few else available_cpus()),
        limit=PICTURE_SECONDS,
        ahead=CHUNK,
    )
    with closing(outcomes):
        while results := list(islice(outcomes, chunk)):
            digits = [item.result for item in results if item.result is not None]
            answers = iter(model.predict(np.stack(digits)) if digits else ())
            for item in results:
                row = next(answers) if item.error is None else item.error
                yield {"file": item.task.name} | row.as_dict()


def _announce_rows(
    rows: Iterable[dict[str, Any]], rejected: list[dict[str, str]], progress: CountProgress
) -> Iterator[dict[str, Any]]:
    """Pass rows on; what could not be used is announced and `rejected`."""
    for row in rows:
        progress.wipe()
        if "error" in row:
            announce_rejected(row["file"], row["error"])
            rejected.append({"file": row["file"], "error": row["error"]})
        yield row
        progress.step()


def _prepare(stages: Path | None) -> Any:
    from digitlens.imaging.inputs import use_one_core

    use_one_core()
    return partial(frame_input, stages)


def frame_input(stages: Path | None, source: InputFile) -> Images:
    """Bring the digit in a picture file into MNIST's frame, and write the steps to `stages`."""
    from digitlens.imaging import frame_steps
    from digitlens.imaging.inputs import read_input

    framing = frame_steps(read_input(source), name=source.name)
    if stages is not None:
        from digitlens.imaging.normalize import steps_png
        from digitlens.storage import write_bytes

        write_bytes(stages / f"{source.stem}.png", steps_png(framing))
    return framing.digit


def _format_json(
    rows: Iterable[dict[str, Any]], model: str, rejected: list[dict[str, str]]
) -> Iterator[str]:
    """Make one JSON value, a part at a time; what was rejected is known at the end."""
    import json
    from textwrap import indent

    def write(value: Any) -> str:
        return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)

    head = previous = f'{{\n  "model": {write(model)},\n  "predictions": ['
    for count, row in enumerate(rows):
        yield previous + ("," if count else "")
        previous = indent(write(row), "    ")
    yield previous + ("]," if previous is head else "\n  ],")
    yield f'  "rejected": {indent(write(rejected), "  ").lstrip()}\n}}'


def _format_csv(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    import csv
    import io

    yield "file,digit,confidence,likeliest,unsure,no_digit"
    for row in rows:
        text = io.StringIO()
        cells = [row["file"], row["digit"], f"{row['confidence']:.6f}"]
        if "no_digit" in row:
            cells += [row["likeliest"], str(row["unsure"]).lower(), f"{row['no_digit']:.6f}"]
        else:
            cells += [row["digit"], "", ""]
        csv.writer(text, lineterminator="").writerow(cells)
        yield text.getvalue()


def _format_table(rows: Iterable[dict[str, Any]], width: int) -> Iterator[str]:
    from digitlens.metrics.formatting import certainty

    for row in rows:
        best = row.get("likeliest", row["digit"])
        answer = f"{best}   {certainty(row['confidence']):>8}"
        if row["digit"] is None:
            answer += "   no digit: check this"
        elif row.get("unsure"):
            answer += "   unsure: check this"
        yield f"{printable(row['file']):{width}}   {answer}"
