"""digitlens summary and export: what a network is made of, and its files for others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digitlens.cli.console import (
    JsonOption,
    ModelArgument,
    announce,
    check_choice,
    echo,
    echo_json,
    needs_extra,
)
from digitlens.errors import MissingExtraError


def summary(
    name: Annotated[
        str, typer.Argument(metavar="NETWORK|MODEL", help="A network, or a trained model.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Print a network's layers and weights, or a model's card.

    Of a network that is published under its name both are printed."""
    from dataclasses import asdict

    from digitlens.models.inference import published_names
    from digitlens.models.registry import NETWORKS, find_network

    if name not in NETWORKS and not Path(name).exists():
        find_network(name)
    if name not in NETWORKS:
        from digitlens.models.inference import load_model

        card = load_model(name).card
        if as_json:
            echo_json(asdict(card))
        else:
            echo(card.markdown())
        return
    try:
        _print_layers(name, as_json=as_json)
    except MissingExtraError:
        if as_json or name not in published_names():
            raise
    if name in published_names() and not as_json:
        from digitlens.models.inference import load_model

        echo()
        echo(load_model(name).card.markdown())


def _print_layers(name: str, *, as_json: bool) -> None:
    with needs_extra("train"):
        from digitlens.models import build
        from digitlens.models.layer_table import summarize
    result = summarize(build(name), name=name)
    if as_json:
        echo_json(result.as_dict())
    else:
        echo(result.text())


FORMATS = ("onnx", "torch", "keras")
"""The keys of `digitlens.models.export.FORMATS`, known without torch."""


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
    check_choice("--to", to, FORMATS)
    with needs_extra("train"):
        from digitlens.models.export import export_model
    done = export_model(model, to, out=out)
    announce(
        f"parity: on {done.checked} pictures no probability differs by more than "
        f"{done.difference:.1g}"
    )
    echo(str(done.path))
