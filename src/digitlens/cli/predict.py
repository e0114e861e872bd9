"""digitlens predict: single digits in picture files, and folders of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitlens.cli.console import (
    MODEL_HELP,
    SOME_REJECTED,
    CsvOption,
    JsonOption,
    announce,
    argument,
    check_exclusive,
    echo,
    echo_json,
    option,
)
from digitlens.errors import DataError, DigitlensError
from digitlens.models.registry import DEFAULT_NETWORK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from digitlens.imaging import Framing
    from digitlens.models.inference import Predictions


def predict(
    files: Annotated[list[Path], argument("FILE...", "Pictures, or folders of them.")],
    model: Annotated[str, option("MODEL", MODEL_HELP)] = DEFAULT_NETWORK,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    stages: Annotated[
        Path | None, option("DIR", "Write how each picture was framed, one PNG each.")
    ] = None,
) -> None:
    """Say which digit each picture shows, and how sure that is.

    Any picture of one digit will do: a photo, a scan, a drawing; dark ink or light, of any
    size and at any place. Where the model is unsure or sees no digit, its best guess stands
    there to be checked. A file that cannot be used is named on stderr, the others are read,
    and the exit code is 3.
    """
    check_exclusive(("--json", as_json, "--csv", as_csv))
    from digitlens.models.inference import load_model

    # Each picture becomes a digit in MNIST's frame, or is rejected.
    chosen = load_model(model)
    named = expand_folders(files)
    read, rejected = _read(named)
    if stages is not None:
        announce(f"stages: {write_stages(read, stages)} written to {stages}")
    # The network reads them together.
    if read:
        import numpy as np

        predictions = chosen.predict(np.stack([framing.digit for _, framing in read]))
        rows = _rows([path for path, _ in read], predictions)
    else:
        rows = []
    if as_json:
        echo_json({"model": chosen.name, "predictions": rows, "rejected": rejected})
    elif as_csv:
        _print_csv(rows)
    elif rows:
        _print_table(rows)
    if rejected:
        announce(f"{len(rejected)} of {len(named)} files could not be used")
        raise typer.Exit(SOME_REJECTED if rows else 1)


def expand_folders(paths: Iterable[Path]) -> list[Path]:
    """Return files as they are named, and for each folder the pictures in it, by name.

    A folder without pictures stays in the list: reading it says what is wrong. Hidden files
    and folders inside folders are passed over.
    """
    files: list[Path] = []
    for path in paths:
        inside = sorted(_pictures(path)) if path.is_dir() else []
        files += inside or [path]
    return files


def _pictures(folder: Path) -> Iterator[Path]:
    from digitlens.imaging.io import IMAGE_SUFFIXES

    for path in folder.iterdir():
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith("."):
            yield path


def frame_file(path: Path) -> Framing:
    """Bring the digit in a picture file into MNIST's frame."""
    from digitlens.imaging import frame_steps

    if path.is_dir():
        raise DataError(
            f"{path} is a folder without pictures",
            try_="name one with PNG, JPEG, BMP, TIFF, GIF, WebP or PGM files in it",
        )
    return frame_steps(path)


def write_stages(framings: Iterable[tuple[Path, Framing]], folder: Path) -> int:
    """Write the steps of each framing as one PNG, named after its picture; return how many.

    Further pictures of one name get -2, -3 and so on after it.
    """
    from digitlens.imaging.normalize import steps_png
    from digitlens.storage import make_folder, write_bytes

    make_folder(folder)
    taken: set[str] = set()
    for path, framing in framings:
        name, count = path.stem, 1
        while name in taken:
            count += 1
            name = f"{path.stem}-{count}"
        taken.add(name)
        write_bytes(folder / f"{name}.png", steps_png(framing))
    return len(taken)


def _read(files: list[Path]) -> tuple[list[tuple[Path, Framing]], list[dict[str, str]]]:
    read, rejected = [], []
    for path in files:
        try:
            read.append((path, frame_file(path)))
        except DigitlensError as error:
            announce(f"rejected: {error}")
            rejected.append({"file": str(path), "error": str(error)})
    return read, rejected


def _rows(files: list[Path], predictions: Predictions) -> list[dict[str, Any]]:
    """Return a row a file; ``digit`` is None where the model says that there is no digit."""
    rows = []
    for index, path in enumerate(files):
        label, shares = int(predictions.labels[index]), predictions.probabilities[index]
        row = {
            "file": str(path),
            "digit": label,
            "confidence": round(float(shares[label]), 6),
            "probabilities": [round(float(share), 6) for share in shares],
        }
        if predictions.no_digit is not None and predictions.refused is not None:
            row["digit"] = None if predictions.refused[index] else label
            row["no_digit"] = round(float(predictions.no_digit[index]), 6)
            row["likeliest"] = label
            row["unsure"] = predictions.unsure is not None and bool(predictions.unsure[index])
        rows.append(row)
    return rows


def _print_csv(rows: list[dict[str, Any]]) -> None:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "digit", "confidence", "likeliest", "unsure", "no_digit"])
    for row in rows:
        cells = [row["file"], row["digit"], f"{row['confidence']:.6f}"]
        if "no_digit" in row:
            cells += [row["likeliest"], str(row["unsure"]).lower(), f"{row['no_digit']:.6f}"]
        else:
            cells += [row["digit"], "", ""]
        writer.writerow(cells)
    echo(text.getvalue())


def _print_table(rows: list[dict[str, Any]]) -> None:
    from digitlens.metrics.formatting import certainty

    width = max(len(row["file"]) for row in rows)
    for row in rows:
        best = row.get("likeliest", row["digit"])
        answer = f"{best}   {certainty(row['confidence']):>8}"
        if row["digit"] is None:
            answer += "   no digit: check this"
        elif row.get("unsure"):
            answer += "   unsure: check this"
        echo(f"{row['file']:{width}}   {answer}")
