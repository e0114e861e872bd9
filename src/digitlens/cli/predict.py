"""digitlens predict: single digits in picture files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitlens.cli.options import MODEL_HELP, JsonOption
from digitlens.cli.output import give, give_json, tell
from digitlens.cli.pictures import expand, frame_file, write_stages
from digitlens.errors import DigitlensError, UsageError

if TYPE_CHECKING:
    from digitlens.ink import Framing
    from digitlens.model import Predictions

SOME_REJECTED = 3


def predict(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Pictures, or folders of them.")
    ],
    model: Annotated[str, typer.Option(metavar="MODEL", help=MODEL_HELP)] = "cnn",
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    stages: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write how each picture was framed, one PNG each."),
    ] = None,
) -> None:
    """Say which digit each picture shows, and how sure that is.

    Any picture of one digit will do: a photo, a scan, a drawing; dark ink or light, of any
    size and at any place. The answer is "no digit" where the model knows better than to
    guess. A file that cannot be used is named on stderr, the others are read, and the exit
    code is 3.
    """
    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other")
    from digitlens.model import load_model

    chosen = load_model(model)
    named = expand(files)
    read, rejected = _read(named)
    if stages is not None:
        tell(f"stages: {write_stages(read, stages)} written to {stages}")
    if read:
        import numpy as np

        predictions = chosen.predict(np.stack([framing.digit for _, framing in read]))
        rows = _rows([path for path, _ in read], predictions)
    else:
        rows = []
    if as_json:
        give_json({"model": chosen.name, "predictions": rows, "rejected": rejected})
    elif as_csv:
        _give_csv(rows)
    elif rows:
        _give_table(rows)
    if rejected:
        tell(f"{len(rejected)} of {len(named)} files could not be used")
        raise typer.Exit(SOME_REJECTED if rows else 1)


def _read(files: list[Path]) -> tuple[list[tuple[Path, Framing]], list[dict[str, str]]]:
    read, rejected = [], []
    for path in files:
        try:
            read.append((path, frame_file(path)))
        except DigitlensError as error:
            tell(f"rejected: {error}")
            rejected.append({"file": str(path), "error": str(error)})
    return read, rejected


def _rows(files: list[Path], predictions: Predictions) -> list[dict[str, Any]]:
    """Return a row a file; ``digit`` is None where the model says that there is no digit."""
    rows = []
    for at, path in enumerate(files):
        label, shares = int(predictions.labels[at]), predictions.probabilities[at]
        row = {
            "file": str(path),
            "digit": label,
            "confidence": round(float(shares[label]), 6),
            "probabilities": [round(float(share), 6) for share in shares],
        }
        if predictions.no_digit is not None and predictions.refused is not None:
            row["digit"] = None if predictions.refused[at] else label
            row["no_digit"] = round(float(predictions.no_digit[at]), 6)
            row["likeliest"] = label
        rows.append(row)
    return rows


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
        if row["digit"] is None:
            answer = f"no digit; if it is one, {row['likeliest']}"
        else:
            answer = f"{row['digit']}   {_percent(row['confidence'])}"
        give(f"{row['file']:{width}}   {answer}")


def _percent(confidence: float) -> str:
    # Rounding must not make a certainty of what no network is certain of.
    return f"{100 * confidence:6.2f} %" if confidence < 0.99995 else ">99.99 %"
