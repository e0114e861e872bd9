"""digitlens export: a trained network for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digitlens.cli.options import ModelArgument, one_of
from digitlens.cli.output import give, tell

FORMATS = ("onnx", "torch", "keras")
"""The keys of `digitlens.export.FORMATS`, known without torch."""


def export(
    model: ModelArgument,
    to: Annotated[str, typer.Option(metavar="FORMAT", help="onnx, torch or keras.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The file to write; else named after the model."),
    ] = None,
) -> None:
    """Write a trained network in another format, checked for parity.

    The file is written only when it answers as the model does. Several networks together,
    such as best, can be had as ONNX alone.
    """
    one_of("--to", to, FORMATS)
    from digitlens.cli.extras import wants_train

    with wants_train():
        from digitlens.export import export_model
    done = export_model(model, to, out=out)
    tell(
        f"parity: on {done.checked} pictures no probability differs by more than "
        f"{done.difference:.1g}"
    )
    give(str(done.path))
