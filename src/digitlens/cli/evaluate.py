"""digitlens evaluate: a model's figures on digits it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitlens.cli.options import JsonOption, ModelArgument, PartOption, SourceOption, one_of
from digitlens.cli.output import give, give_json, tell

if TYPE_CHECKING:
    from digitlens.digits import Digits


PARTS = ("test", "validation", "train", "all")
"""The parts of the data that can be measured on."""


def evaluate(
    model: ModelArgument,
    data: SourceOption = "mnist",
    part: PartOption = "test",
    as_json: JsonOption = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the report goes; else reports/MODEL-SOURCE."),
    ] = None,
) -> None:
    """Count a model's misses on the test digits; write a report.

    The report shows the confusion matrix, the calibration and the worst errors."""
    one_of("--part", part, PARTS)
    from digitlens.cli.reporting import write_report
    from digitlens.evaluation import evaluate as evaluate_model
    from digitlens.model import load_model

    loaded = load_model(model)
    evaluation = evaluate_model(loaded, part_of(data, part))
    folder = report or Path("reports", f"{loaded.name}-{place_name(data, part)}")
    written = write_report(evaluation, folder, card=loaded.card)
    if as_json:
        give_json(evaluation.as_dict())
    else:
        give(evaluation.summary())
    tell(f"report: {written}")


def part_of(source: str, part: str) -> Digits:
    """Load the digits of one part of `source`.

    Raises
    ------
    DataError
        There are no digits in that part.
    """
    from digitlens.data import load_digits
    from digitlens.errors import DataError

    digits = load_digits(source).part(part)
    if not len(digits):
        raise DataError(
            f"{source} has no {part} digits", try_="--part train, or another --data"
        )
    return digits


def place_name(source: str, part: str) -> str:
    """Return the end of a report's folder: the source's name, and the part if not test.

    Examples
    --------
    >>> place_name("mnist", "test"), place_name("scans/2024.npz", "all")
    ('mnist', '2024-all')
    """
    name = Path(source).stem or "data"
    return name if part == "test" else f"{name}-{part}"
