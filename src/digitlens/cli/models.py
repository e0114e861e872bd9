"""digitlens summary, recipe, export and explain: what is in a network, and how it is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitlens.cli.command import Command, Group
from digitlens.cli.console import (
    JsonOption,
    ModelArgument,
    announce,
    argument,
    check_choice,
    columns,
    echo,
    echo_either,
    echo_json,
    list_networks,
    needs_extra,
    option,
)
from digitlens.errors import MissingExtraError, UsageError
from digitlens.models.registry import DEFAULT_NETWORK

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitlens.explain import Explanation
    from digitlens.models.card import LineModelCard, ModelCard


def summary(
    name: Annotated[
        str, argument("NETWORK|MODEL", "A network, a trained model, a reader.", list_networks)
    ],
    as_json: JsonOption = False,
) -> None:
    """Print a network's layers and weights, or a model's card.

    Of a network that is published under its name both are printed."""
    from dataclasses import asdict

    from digitlens.models.copies import HUB
    from digitlens.models.inference import published_names
    from digitlens.models.registry import NETWORKS, find_network

    # A model that was trained has a card ...
    if name not in NETWORKS:
        from digitlens.models.inference import load_model
        from digitlens.ocr.network import find_line_network

        line_network = find_line_network(name)
        if line_network is None and not name.startswith(HUB) and not Path(name).exists():
            find_network(name)
        card: ModelCard | LineModelCard = (line_network or load_model(name)).card
        echo_either(as_json, lambda: asdict(card), lambda: card.text(columns()))
        return
    # ... an architecture has layers, and one that is published under its name has both. Without
    # torch the card is all that can be shown.
    try:
        _print_layers(name, as_json=as_json)
    except MissingExtraError:
        if as_json or name not in published_names():
            raise
    if name in published_names() and not as_json:
        from digitlens.models.inference import load_model

        echo()
        echo(load_model(name).card.text(columns()))


def _print_layers(name: str, *, as_json: bool) -> None:
    with needs_extra("train"):
        from digitlens.models import build
        from digitlens.models.layer_table import summarize
    result = summarize(build(name), name=name)
    echo_either(as_json, result.as_dict, result.text)


recipe_app = typer.Typer(cls=Group, help="Say how networks are trained.", no_args_is_help=True)


@recipe_app.command(cls=Command)
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


# The keys of `digitlens.models.export.FORMATS`, known without torch, and the hub's.
FORMATS = ("onnx", "torch", "keras", "hub")


def export(
    model: ModelArgument,
    to: Annotated[str, option("FORMAT", "onnx, torch, keras, or hub: a folder.")],
    out: Annotated[
        Path | None, option("FILE", "The file to write; else named after the model.")
    ] = None,
) -> None:
    """Write a trained network in another format, checked for parity.

    The file is written only when it answers as the model does. Several networks together,
    such as best, and readers of lines can be had as ONNX alone. hub is a folder with the file
    and its card as Hugging Face shows it. onnx and hub of a network that is published are
    copies, and need no torch.
    """
    check_choice("--to", to, FORMATS)
    if copied := _copy(model, to, out):
        announce("copied as it is, with its card inside")
        echo(str(copied))
        return
    with needs_extra("train"):
        from digitlens.models.export import export_model
    done = export_model(model, to, out=out)
    announce(
        f"parity: on {done.checked} pictures no probability differs by more than "
        f"{done.difference:.1g}"
    )
    echo(str(done.path))


def _copy(model: str, to: str, out: Path | None) -> Path | None:
    """Copy what need not be converted; return None for what must be."""
    from digitlens.errors import UsageError
    from digitlens.models.copies import copy_model
    from digitlens.models.inference import load_model
    from digitlens.ocr.network import find_line_network
    from digitlens.runs import BEST_WEIGHTS

    network = find_line_network(model)
    if network is not None and to in ("torch", "keras"):
        raise UsageError(f"{model} reads lines, and can be had as ONNX alone", try_="--to onnx")
    loaded = network or load_model(model)
    # A run's weights are put into a new file.
    again = network is None and (loaded.path.parent / BEST_WEIGHTS).is_file()
    if to in ("torch", "keras") or (to == "onnx" and again):
        return None
    return copy_model(loaded.path.read_bytes(), loaded.card, to, out)


DEFAULT_FOLDER = Path("runs/explain")


def explain(
    model: ModelArgument,
    file: Annotated[
        Path | None, argument("FILE", "A picture of one digit, of any size.")
    ] = None,
    out: Annotated[
        Path | None, option("DIR", "Where the pictures go; else runs/explain/FILE-<n>.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Draw how a model comes to its answer for one picture.

    From the framing to the pixels as numbers, the unrolled ribbon, the first filters, what
    each layer makes of the digit, the pixels that mattered and the ten probabilities, as PNGs
    in a new folder. overview.png shows all."""
    from digitlens.explain import explain as explain_picture
    from digitlens.imaging import frame_steps
    from digitlens.models.inference import load_model
    from digitlens.runs import claim_run_folder
    from digitlens.storage import write_bytes

    if file is None:
        raise UsageError(
            "explain needs a model and a picture",
            seen=model,
            try_=f"digitlens explain {DEFAULT_NETWORK} {model}",
        )
    loaded = load_model(model)
    result = explain_picture(loaded, frame_steps(file))
    # The folder is claimed before anything is drawn: a refusal should not take seconds.
    draw = _find_drawing()
    folder = claim_run_folder(file.stem, out, runs=DEFAULT_FOLDER) if draw else None
    pictures = draw(result, file.name) if draw else {}
    if folder is not None:
        for name, content in pictures.items():
            write_bytes(folder / name, content)
    files = {"file": str(file), "pictures": None if folder is None else str(folder)}
    if as_json:
        echo_json(result.as_dict(small=True) | files, tall=False)
    else:
        echo(explain_in_words(result, file))
    if result.without_gradients:
        announce(result.without_gradients)
    if folder is not None:
        announce(f"pictures: {folder}, {len(pictures)} of them; begin with overview.png")


def explain_in_words(result: Explanation, file: Path) -> str:
    """Return an explanation in a few lines: the answer, what it hangs on, the steps."""
    from digitlens.metrics.formatting import hang

    width = columns()
    lines = [hang("", f"{file}: {result.answer}", width), hang("", result.mattered, width)]
    if result.shown:
        lines.append(hang("", f"the layers below are those of {result.shown}", width))
    parts = {
        "how the picture was framed": [(step.name, step.about) for step in result.steps],
        "what the layers make of it": [
            (item.layer.name, f"{item.about}: {item.layer.about}") for item in result.maps
        ],
    }
    for title, rows in parts.items():
        left = max((len(name) for name, _ in rows), default=0)
        lines += ["", title] if rows else []
        lines += [hang(f"  {name:{left}}  ", about, width) for name, about in rows]
    return "\n".join(lines)


def _find_drawing() -> Callable[[Explanation, str], dict[str, bytes]] | None:
    try:
        from digitlens.viz.plot_explanation import pictures
    except MissingExtraError as error:
        announce(f"no pictures: {error.wanted}; {error.try_} brings it")
        return None
    return pictures
