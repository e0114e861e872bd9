"""digitlens compare: models side by side on the same digits."""

from __future__ import annotations

from typing import Annotated

import typer

from digitlens.cli.evaluate import PARTS, part_of
from digitlens.cli.options import JsonOption, PartOption, SourceOption, one_of
from digitlens.cli.output import give, give_json
from digitlens.errors import UsageError


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
    one_of("--part", part, PARTS)
    if len(models) < 2:
        raise UsageError(
            "there must be two or more models to compare",
            seen=", ".join(models),
            try_=f"digitlens evaluate {models[0]}",
        )
    from digitlens.evaluation import compare as compare_models
    from digitlens.model import load_model

    loaded = [load_model(name) for name in models]
    comparison = compare_models(loaded, part_of(data, part))
    if as_json:
        give_json(comparison.as_dict())
    else:
        give(comparison.summary())
