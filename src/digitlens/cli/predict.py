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
    JsonOption,
    RecursiveOption,
    announce,
    announce_rejected,
    argument,
    check_exclusive,
    echo,
    option,
)
from digitlens.errors import printable
from digitlens.models.registry import DEFAULT_NETWORK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    stages: Annotated[
        Path | None, option("DIR", "Write how each picture was framed, one PNG each.")
    ] = None,
    recursive: RecursiveOption = False,
) -> None:
    """Say which digit each picture shows, and how sure that is.

    Any picture of one digit will do: a photo, a scan, a drawing; dark ink or light, of any
    size and at any place. Where the model is unsure or sees no digit, its best guess stands
    there to be checked. A file that cannot be used is named on stderr, the others are read,
    and the exit code is 3.
    """
    check_exclusive(("--json", as_json, "--csv", as_csv))
    from digitlens.imaging.inputs import list_inputs
    from digitlens.models.inference import load_model
    from digitlens.storage import make_folder

    chosen = load_model(model)
    sources = list_inputs(files, recursive=recursive)
    if stages is not None:
        make_folder(stages)
    # Rows are written as they come: a folder of any size needs the memory of a few pictures.
    rejected: list[dict[str, str]] = []
    rows = predict_files(chosen, sources, stages, rejected)
    if as_json:
        lines = _format_json(rows, chosen.name, rejected)
    elif as_csv:
        lines = _format_csv(rows)
    else:
        lines = _format_table(rows, max((len(source.name) for source in sources), default=0))
    for line in lines:
        echo(line)
    read = len(sources) - len(rejected)
    if stages is not None:
        announce(f"stages: {read} written to {stages}")
    if rejected:
        announce(f"{len(rejected)} of {len(sources)} files could not be used")
        raise typer.Exit(SOME_REJECTED if read else 1)


def predict_files(
    model: Model, sources: list[InputFile], stages: Path | None, rejected: list[dict[str, str]]
) -> Iterator[dict[str, Any]]:
    """Yield a row a file, in their order; what cannot be used is announced and `rejected`."""
    import numpy as np

    from digitlens.workers import available_cpus, run_in_order

    outcomes = run_in_order(
        sources,
        partial(frame_input, stages),
        prepare=partial(_prepare, stages),
        workers=available_cpus() if len(sources) >= MIN_FOR_WORKERS else 0,
        limit=PICTURE_SECONDS,
        ahead=CHUNK,
    )
    with closing(outcomes):
        while chunk := list(islice(outcomes, CHUNK)):
            digits = []
            for outcome in chunk:
                if outcome.error is not None:
                    announce_rejected(outcome.task.name, outcome.error)
                    rejected.append({"file": outcome.task.name, "error": str(outcome.error)})
                elif outcome.result is not None:
                    digits.append((outcome.task.name, outcome.result))
            if digits:
                predictions = model.predict(np.stack([digit for _, digit in digits]))
                for (name, _), answer in zip(digits, predictions, strict=True):
                    yield {"file": name} | answer.as_dict()


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
