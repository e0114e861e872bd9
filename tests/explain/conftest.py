"""Untrained networks to look into."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
import torch

from digitlens import models
from digitlens.models.card import ModelCard
from digitlens.models.convert import fuse_layers
from digitlens.models.ops import Op


@pytest.fixture(scope="session")
def card() -> ModelCard:
    """Return a card for models that are made up."""
    return ModelCard("x-1", "x", "made up", "none", 1, 0, 1, 1, 1, 1, "2026-01-01")


@pytest.fixture(scope="session")
def fresh() -> Callable[..., list[Op]]:
    """Return a function: name, seed -> an untrained network, its normalisations not idle."""

    @cache
    def make(name: str, seed: int = 0) -> list[Op]:
        torch.manual_seed(seed)
        network = models.build(name)
        network.train()
        for _ in range(3):
            network(torch.rand(32, 1, 28, 28))
        return fuse_layers(network.eval())

    return make
