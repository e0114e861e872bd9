"""digitlens predict: single digits in picture files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitlens.cli.choose import model_or_newest
from digitlens.cli.options import JsonOption
from digitlens.cli.output import give, give_json, tell
from digitlens.errors import DigitlensError, UsageError

if TYPE_CHECKING:
    from digitlens.model import Predictions

SOME_REJECTED = 3


def predict(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Pictures, 28 x 28, white on black.")
    ],
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="A run folder or an .onnx file; else the newest finished run."
        ),
    ] = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Say which digit each picture shows, and how sure that is.

    Pictures must be in MNIST's frame: 28 x 28 pixels, white ink on black. A file that
    cannot be used is named on stderr, the others are read, and the exit code is 3.
    """
    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other")
    chosen = model_or_newest(model)
    read, rejected = _read(files)
    if read:
        import numpy as np

        predictions = chosen.predict(np.stack([pixels for _, pixels in read]))
    else:
        predictions = None
    rows = _rows([path for path, _ in read], predictions)
    if as_json:
        give_json({"model": chosen.name, "predictions": rows, "rejected": rejected})
    elif as_csv:
        _give_csv(rows)
    elif rows:
        _give_table(rows)
    if rejected:
        tell(f"{len(rejected)} of {len(files)} files could not be used")
        raise typer.Exit(SOME_REJECTED if rows else 1)


def _read(files: list[Path]) -> tuple[list[tuple[Path, Any]], list[dict[str, str]]]:
    from digitlens.cli.pictures import read_digit

    read, rejected = [], []
    for path in files:
        try:
            read.append((path, read_digit(path)))
        except DigitlensError as error:
            tell(f"rejected: {error}")
            rejected.append({"file": str(path), "error": str(error)})
    return read, rejected


def _rows(files: list[Path], predictions: Predictions | None) -> list[dict[str, Any]]:
    if predictions is None:
        return []
    return [
        {
            "file": str(path),
            "digit": int(label),
            "confidence": round(float(shares[label]), 6),
            "probabilities": [round(float(share), 6) for share in shares],
        }
        for path, label, shares in zip(
            files, predictions.labels, predictions.probabilities, strict=True
        )
    ]


def _give_csv(rows: list[dict[str, Any]]) -> None:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "digit", "confidence"])
    writer.writerows([row["file"], row["digit"], f"{row['confidence']:.6f}"] for row in rows)
    give(text.getvalue())


def _give_table(rows: list[dict[str, Any]]) -> None:
    width = max(len(row["file"]) for row in rows)
    for row in rows:
        give(f"{row['file']:{width}}   {row['digit']}   {_percent(row['confidence'])}")


def _percent(confidence: float) -> str:
    # Rounding must not make a certainty of what no network is certain of.
    return f"{100 * confidence:6.2f} %" if confidence < 0.99995 else ">99.99 %"
