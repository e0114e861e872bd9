"""digitlens evaluate: a model's figures on digits it has not seen.

* digitlens compare: models side by side on the same digits.
* digitlens stress: a model's accuracy as the pictures get worse.
* The report folder of an evaluation: one page, and its two pictures beside it.
"""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitlens.cli.console import (
    JsonOption,
    ModelArgument,
    PartOption,
    SourceOption,
    announce,
    check_choice,
    echo,
    echo_json,
)
from digitlens.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from digitlens.digits import Digits
    from digitlens.metrics.evaluation import Evaluation
    from digitlens.metrics.robustness import RobustnessResult
    from digitlens.models.card import ModelCard


PAGE = "report.html"
CONFUSION = "confusion.png"
ERRORS = "errors.png"


def write_report(result: Evaluation, folder: Path, *, card: ModelCard) -> Path:
    """Write the report of `result` into `folder`, over an older one, and return its page.

    The page holds everything. The pictures beside it, for slides, want matplotlib and are
    left out, with a word on stderr, where that is not installed.

    Raises
    ------
    StorageError
        The folder cannot be written.
    """
    from digitlens.storage import make_folder, write_bytes, write_text
    from digitlens.viz.report import render

    make_folder(folder)
    for name, picture in _pictures(result).items():
        write_bytes(folder / name, picture)
    write_text(folder / PAGE, render(result, card=asdict(card), measured=_measured()))
    return folder / PAGE


def _pictures(result: Evaluation) -> dict[str, bytes]:
    title = f"{result.model}, {result.source}"
    try:
        from digitlens import viz

        return {
            CONFUSION: viz.confusion(result.confusion, title=title),
            ERRORS: viz.mistakes(result),
        }
    except MissingExtraError as error:
        announce(f"without {CONFUSION} and {ERRORS}: {error.wanted}")
        return {}


def _measured() -> dict[str, object]:
    """Return on what and when: a figure without its machine says little."""
    packages = ("digitlens", "numpy", "onnxruntime")
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in packages},
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


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
    check_choice("--part", part, PARTS)
    from digitlens.metrics.evaluation import evaluate as evaluate_model
    from digitlens.models.inference import load_model

    loaded = load_model(model)
    evaluation = evaluate_model(loaded, part_of(data, part))
    folder = report or Path("reports", f"{loaded.name}-{place_name(data, part)}")
    written = write_report(evaluation, folder, card=loaded.card)
    if as_json:
        echo_json(evaluation.as_dict())
    else:
        echo(evaluation.summary())
    announce(f"report: {written}")


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


def compare(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL MODEL...", help="Published networks, run folders or .onnx files."
        ),
    ],
    data: SourceOption = "mnist",
    part: PartOption = "test",
    as_json: JsonOption = False,
) -> None:
    """Measure models on the same digits, side by side.

    McNemar's exact test says whether two of them differ by more than chance."""
    check_choice("--part", part, PARTS)
    if len(models) < 2:
        raise UsageError(
            "there must be two or more models to compare",
            seen=", ".join(models),
            try_=f"digitlens evaluate {models[0]}",
        )
    from digitlens.metrics.comparison import compare as compare_models
    from digitlens.models.inference import load_model

    loaded = [load_model(name) for name in models]
    comparison = compare_models(loaded, part_of(data, part))
    if as_json:
        echo_json(comparison.as_dict())
    else:
        echo(comparison.summary())


PLOT = "stress.png"
FIGURES = "stress.json"


def stress(
    model: ModelArgument,
    data: SourceOption = "mnist",
    part: PartOption = "test",
    limit: Annotated[
        int,
        typer.Option(metavar="N", help="At most so many digits, evenly spread over the part."),
    ] = 1000,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the chance in the changes.")] = 0,
    as_json: JsonOption = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="For plot and figures; else reports/MODEL-SOURCE."),
    ] = None,
) -> None:
    """Measure how accuracy falls as digits are changed more strongly.

    Shifted, turned, scaled, thicker, thinner, blurred, in fog, noisy, inverted, covered: each
    in steps from none to hard, for the network alone and after framing. Framing takes about a
    minute for the 1,000 digits. Writes stress.png and stress.json."""
    check_choice("--part", part, PARTS)
    from digitlens.metrics.corruptions import CORRUPTIONS
    from digitlens.metrics.robustness import measure_robustness as stress_model
    from digitlens.models.inference import load_model

    loaded = load_model(model)
    digits = part_of(data, part)
    names = [family.name for family in CORRUPTIONS]

    def progress(name: str) -> None:
        announce(f"{names.index(name) + 1}/{len(names)} {name}")

    result = stress_model(loaded, digits, seed=seed, limit=limit, progress=progress)
    written = _write(result, out or Path("reports", f"{loaded.name}-{place_name(data, part)}"))
    if as_json:
        echo_json(result.as_dict())
    else:
        echo(result.summary())
    announce("written: " + ", ".join(str(path) for path in written))


def _write(result: RobustnessResult, folder: Path) -> list[Path]:
    """Write figures and plot into `folder`; without matplotlib the plot is left out, said so.

    Raises
    ------
    StorageError
        The folder cannot be written.
    """
    import json

    from digitlens.storage import make_folder, write_bytes, write_text

    make_folder(folder)
    written = [folder / FIGURES]
    write_text(written[0], json.dumps(result.as_dict(), indent=2) + "\n")
    try:
        from digitlens import viz

        write_bytes(folder / PLOT, viz.stress(result))
        written.append(folder / PLOT)
    except MissingExtraError as error:
        announce(f"without {PLOT}: {error.wanted}")
    return written
