"""digitlens recipe: how a network is trained, as numbers."""

from __future__ import annotations

from typing import Annotated

import typer

from digitlens.cli.command import Command, Group
from digitlens.cli.console import JsonOption, argument, echo_either, list_networks, option

app = typer.Typer(cls=Group, help="Say how networks are trained.", no_args_is_help=True)


@app.command(cls=Command)
def show(
    name: Annotated[
        str, argument("NETWORK", "A network, custom, or a reader of lines.", list_networks)
    ],
    recipe: Annotated[str | None, option("NAME", "Another recipe that it has.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the recipe of a network: all that decides its training.

    The options of digitlens train that begin with --learning-rate, --batch, --dropout,
    --optimizer and --augment change it; a run's config.toml says what it came to."""
    from digitlens.models import load_recipe
    from digitlens.models.recipe import READERS, BaseRecipe, find_line_recipe

    is_reader = name in READERS
    chosen: BaseRecipe = find_line_recipe(name) if is_reader else load_recipe(name, recipe)
    values = chosen.to_dict()
    echo_either(as_json, lambda: values, lambda: format_recipe(values))


def format_recipe(values: dict[str, object]) -> str:
    """Return a line for each number, names on the left.

    >>> print(format_recipe({"epochs": 3, "betas": [0.9, 0.99]}))
    epochs   3
    betas    0.9, 0.99
    """
    from digitlens.metrics.formatting import hang

    width = max(map(len, values)) + 3
    lines = []
    for name, value in values.items():
        words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        lines.append(hang(f"{name:{width}}", words or "-"))
    return "\n".join(lines)
