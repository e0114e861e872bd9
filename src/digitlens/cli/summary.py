"""digitlens summary: what a network is made of."""

from __future__ import annotations

from typing import Annotated

import typer

from digitlens.cli.options import JsonOption
from digitlens.cli.output import give, give_json
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
    from pathlib import Path

    from digitlens.model import published_names
    from digitlens.networks.table import NETWORKS, find

    if name not in NETWORKS and not Path(name).exists():
        find(name)
    if name not in NETWORKS:
        from digitlens.model import load_model

        card = load_model(name).card
        if as_json:
            give_json(asdict(card))
        else:
            give(card.markdown())
        return
    try:
        _layers(name, as_json=as_json)
    except MissingExtraError:
        if as_json or name not in published_names():
            raise
    if name in published_names() and not as_json:
        from digitlens.model import load_model

        give()
        give(load_model(name).card.markdown())


def _layers(name: str, *, as_json: bool) -> None:
    from digitlens.cli.extras import wants_train

    with wants_train():
        from digitlens.networks import build
        from digitlens.networks.layerwise import summarise
    found = summarise(build(name), name=name)
    if as_json:
        give_json(found.as_dict())
    else:
        give(found.text())
