"""digitlens evaluate, compare and stress: figures on digits that a model has not seen."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from digitlens.cli.console import (
    JsonOption,
    ModelArgument,
    PartOption,
    SourceOption,
    announce,
    argument,
    check_choice,
    columns,
    echo_either,
    list_published,
    option,
)
from digitlens.errors import DataError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitlens.digits import Digits
    from digitlens.metrics.evaluation import Evaluation
    from digitlens.metrics.robustness import RobustnessResult
    from digitlens.models.card import ModelCard
    from digitlens.ocr.network import LineRecognizer


PARTS = ("test", "validation", "train", "all")


def evaluate(
    model: ModelArgument,
    data: SourceOption = "mnist",
    part: PartOption = "test",
    as_json: JsonOption = False,
    report: Annotated[
        Path | None, option("DIR", "Where the report goes; else reports/MODEL-SOURCE.")
    ] = None,
) -> None:
    """Count a model's misses on the test digits; write a report.

    The report shows the confusion matrix, the calibration and the worst errors. A reader of
    lines is measured on the lines of a folder with truth.csv, or on 1,000 that are written with
    the digits; there is no report of it."""
    check_choice("--part", part, PARTS)
    from digitlens.metrics.evaluation import evaluate as evaluate_model
    from digitlens.models.inference import load_model
    from digitlens.storage import check_writable

    # A reader of lines is measured on lines ...
    readers = _find_readers([model])
    if readers:
        from digitlens.ocr.measure import evaluate_reader, load_lines

        measured = evaluate_reader(readers[0], load_lines(data, part))
        echo_either(as_json, measured.as_dict, lambda: measured.summary(columns()))
        return
    # ... and a network on digits. A folder that cannot be written is reported before the work.
    loaded = load_model(model)
    folder = report or default_folder(loaded.name, data, part)
    check_writable(folder)
    evaluation = evaluate_model(loaded, load_part(data, part))
    written = write_report(evaluation, folder, card=loaded.card)
    echo_either(as_json, evaluation.as_dict, lambda: evaluation.summary(columns()))
    announce(f"report: {written}")


def compare(
    models: Annotated[
        list[str],
        argument(
            "MODEL MODEL...", "Published networks, run folders or .onnx files.", list_published
        ),
    ],
    data: SourceOption = "mnist",
    part: PartOption = "test",
    as_json: JsonOption = False,
    report: Annotated[
        Path | None, option("DIR", "Write a page of it, with diagrams, into this folder.")
    ] = None,
) -> None:
    """Measure models on the same digits, side by side.

    McNemar's exact test says whether two of them differ by more than chance. Readers of lines
    are compared on lines, as digitlens evaluate has them; there is no page of that."""
    check_choice("--part", part, PARTS)
    if len(models) < 2:
        raise UsageError(
            "there must be two or more models to compare",
            seen=", ".join(models),
            try_=f"digitlens evaluate {models[0]}",
        )
    from digitlens.metrics.comparison import compare as compare_models
    from digitlens.models.inference import load_model

    if readers := _find_readers(models):
        from digitlens.ocr.measure import compare_readers, load_lines

        if report is not None:
            raise UsageError("there is no page of readers side by side", try_="--json")
        lines = compare_readers(readers, load_lines(data, part))
        echo_either(as_json, lines.as_dict, lambda: lines.summary(columns()))
        return
    loaded = [load_model(name) for name in models]
    comparison = compare_models(loaded, load_part(data, part))
    echo_either(as_json, comparison.as_dict, lambda: comparison.summary(columns()))
    if report is not None:
        from digitlens.storage import make_folder, write_text
        from digitlens.viz.report import render_comparison

        make_folder(report)
        write_text(report / PAGE, render_comparison(comparison, measured=_describe_machine()))
        announce(f"report: {report / PAGE}")


def stress(
    model: ModelArgument,
    data: SourceOption = "mnist",
    part: PartOption = "test",
    limit: Annotated[
        int, option("N", "At most so many digits, evenly spread over the part.")
    ] = 1000,
    seed: Annotated[int, option("N", "Of the chance in the changes.")] = 0,
    as_json: JsonOption = False,
    out: Annotated[
        Path | None, option("DIR", "For plot and figures; else reports/MODEL-SOURCE.")
    ] = None,
) -> None:
    """Measure how accuracy falls as digits are changed more strongly.

    Shifted, turned, scaled, thicker, thinner, blurred, in fog, noisy, inverted, covered: each
    in steps from none to hard, for the network alone and after framing. Framing takes about a
    minute for the 1,000 digits. Writes stress.png and stress.json."""
    check_choice("--part", part, PARTS)
    from digitlens.metrics.robustness import CORRUPTIONS
    from digitlens.metrics.robustness import measure_robustness as stress_model
    from digitlens.models.inference import load_model
    from digitlens.storage import check_writable

    loaded = load_model(model)
    folder = out or default_folder(loaded.name, data, part)
    check_writable(folder)
    digits = load_part(data, part)
    names = [family.name for family in CORRUPTIONS]

    def progress(name: str) -> None:
        announce(f"{names.index(name) + 1}/{len(names)} {name}")

    result = stress_model(loaded, digits, seed=seed, limit=limit, progress=progress)
    written = write_stress(result, folder)
    echo_either(as_json, result.as_dict, result.summary)
    announce("written: " + ", ".join(str(path) for path in written))


def _find_readers(models: list[str]) -> list[LineRecognizer]:
    """Return the readers of lines, where all of these are such, or none where none is."""
    from digitlens.ocr.network import Rescorer, SignRecognizer, find_line_network

    networks = [find_line_network(name) for name in models]
    readers = [network for network in networks if network is not None]
    for network in readers:
        if isinstance(network, SignRecognizer | Rescorer):
            name = network.card.name
            raise UsageError(
                f"{name} helps a reader, and reads no numbers itself that could be counted",
                try_=f"digitlens summary {name}    shows what was measured",
            )
    if readers and len(readers) < len(models):
        digit = models[networks.index(None)]
        raise UsageError(
            "readers of lines and networks of single digits cannot be compared",
            seen=f"{digit} is for single digits",
        )
    return readers


def load_part(source: str, part: str) -> Digits:
    """Load the digits of one part of `source`; a part without any is an error."""
    from digitlens.data import load_digits

    digits = load_digits(source).part(part)
    if not len(digits):
        raise DataError(
            f"{source} has no {part} digits", try_="--part train, or another --data"
        )
    return digits


def default_folder(model: str, source: str, part: str) -> Path:
    """Return the folder of a report: the model, the source, and the part if not test.

    >>> default_folder("cnn", "scans/2024.npz", "all").as_posix()
    'reports/cnn-2024-all'
    """
    name = f"{model}-{Path(source).stem or 'data'}"
    return Path("reports", name if part == "test" else f"{name}-{part}")


PAGE, CONFUSION, ERRORS = "report.html", "confusion.png", "errors.png"
STRESS_FIGURES, STRESS_PLOT = "stress.json", "stress.png"


def write_report(result: Evaluation, folder: Path, *, card: ModelCard) -> Path:
    """Write the report of `result` into `folder`, over an older one, and return its page.

    The page holds everything; the plots next to it, for slides, want matplotlib.
    """
    from digitlens.storage import make_folder, write_text
    from digitlens.viz.report import render

    make_folder(folder)
    title = f"{result.model}, {result.source}"
    _write_plots(
        folder,
        {
            CONFUSION: lambda viz: viz.confusion(result.confusion, title=title),
            ERRORS: lambda viz: viz.mistakes(result),
        },
    )
    write_text(folder / PAGE, render(result, card=asdict(card), measured=_describe_machine()))
    return folder / PAGE


def write_stress(result: RobustnessResult, folder: Path) -> list[Path]:
    """Write the figures and the plot of `result` into `folder`; return what was written."""
    import json

    from digitlens.storage import make_folder, write_text

    make_folder(folder)
    figures = folder / STRESS_FIGURES
    write_text(figures, json.dumps(result.as_dict(), indent=2) + "\n")
    return [figures, *_write_plots(folder, {STRESS_PLOT: lambda viz: viz.stress(result)})]


def _write_plots(folder: Path, plots: dict[str, Callable[[Any], bytes]]) -> list[Path]:
    """Write plots by their names; without matplotlib say so and write none."""
    from digitlens import viz
    from digitlens.storage import write_bytes

    try:
        pictures = {name: draw(viz) for name, draw in plots.items()}
    except MissingExtraError as error:
        announce(f"without {' and '.join(plots)}: {error.wanted}")
        return []
    for name, picture in pictures.items():
        write_bytes(folder / name, picture)
    return [folder / name for name in pictures]


def _describe_machine() -> dict[str, object]:
    """Return machine, versions and date: a figure without its machine says little."""
    from importlib.metadata import version

    packages = ("digitlens", "numpy", "onnxruntime")
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in packages},
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
    }
