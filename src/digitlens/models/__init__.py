"""Networks: their layers and recipes, their files, and what they answer.

`registry` lists the digit networks and `architectures` holds their layers and recipes. A
trained network becomes plain operations (`convert`, `ops`), these become an ONNX file with a
card inside (`onnx_writer`, `card`), and `inference` answers from it without torch. The way
back leads over `onnx_graph` and `onnx_reader` (a file -> operations) to `convert` again.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from digitlens.errors import MissingExtraError, UsageError
from digitlens.models.registry import NETWORKS, find_network

if TYPE_CHECKING:
    from torch import nn

    from digitlens.models.architectures import Architecture
    from digitlens.models.layer_table import NetworkSummary
    from digitlens.models.recipe import Recipe


__all__ = ["NETWORKS", "build", "find_architecture", "find_network", "load_recipe", "summary"]


def find_architecture(name: str) -> Architecture:
    """Return layers, recipe and sizes of the network called `name`.

    UsageError if there is no such network, MissingExtraError if torch is not installed.
    """
    entry = find_network(name)
    try:
        module = importlib.import_module(entry.module)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError(
            "networks are built with torch, which is not installed",
            try_="pip install 'digitlens[train]'",
        ) from error
    return cast("Architecture", module.ARCHITECTURES[name])


def build(name: str) -> nn.Sequential:
    """Build the network called `name`, with fresh weights from torch's generator.

    It takes float (N, 1, 28, 28) in 0..1, 1 = ink, and gives logits (N, 10) or (N, 11). Errors
    are those of `find_architecture`.
    """
    return find_architecture(name).build()


def load_recipe(name: str, recipe: str | None = None) -> Recipe:
    """Return the recipe of the network called `name`, or another that it has, by name.

    Errors are those of `find_architecture`; UsageError too where it has no such recipe.
    """
    architecture = find_architecture(name)
    if recipe is None:
        return architecture.recipe
    if recipe not in architecture.recipes:
        known = ", ".join(architecture.recipes) or "only its own, where --recipe is left out"
        raise UsageError(f"{name} has no recipe {recipe!r}", seen=f"known: {known}")
    return architecture.recipes[recipe]


def summary(name: str) -> NetworkSummary:
    """Return layers, shapes, weights and multiply-adds of the network called `name`."""
    network = build(name)
    from digitlens.models.layer_table import summarize

    return summarize(network, name=name)
