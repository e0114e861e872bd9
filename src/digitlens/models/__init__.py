"""The networks: one file each, its recipe beside it, all listed in `table.NETWORKS`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from digitlens.errors import MissingExtraError
from digitlens.models.registry import NETWORKS, find_network

if TYPE_CHECKING:
    from types import ModuleType

    from torch import nn

    from digitlens.models.layer_table import NetworkSummary
    from digitlens.models.recipe import Recipe


__all__ = ["NETWORKS", "build", "cascade_margin", "find_network", "load_recipe", "summary"]


def build(name: str) -> nn.Sequential:
    """Build the network called `name`, with fresh weights from torch's generator.

    It takes float (N, 1, 28, 28) in 0..1, 1 = ink, and gives logits (N, 10).

    Raises
    ------
    UsageError
        There is no such network.
    MissingExtraError
        torch is not installed.
    """
    return cast("nn.Sequential", _module(name).network())


def load_recipe(name: str) -> Recipe:
    """Return the recipe of the network called `name` (errors as in `build`)."""
    return cast("Recipe", _module(name).RECIPE)


def cascade_margin(name: str) -> float:
    """Return by how much the best logit of the cascade `name` must lead to be the answer."""
    return cast("float", _module(name).MARGIN)


def summary(name: str) -> NetworkSummary:
    """Return layers, shapes, weights and multiply-adds of `name` (errors as in `build`)."""
    network = build(name)
    from digitlens.models.layer_table import summarize

    return summarize(network, name=name)


def _module(name: str) -> ModuleType:
    entry = find_network(name)
    try:
        return importlib.import_module(entry.module)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError(
            "networks are built with torch, which is not installed",
            try_="pip install 'digitlens[train]'",
        ) from error
