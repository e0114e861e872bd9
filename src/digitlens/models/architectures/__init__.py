"""The networks' layers, each with the recipe by which it is trained; one file a family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from digitlens.models.recipe import Recipe


@dataclass(frozen=True)
class Architecture:
    """A network's layers, and how it is trained.

    `build` gives it with fresh weights from torch's generator. It has `weights` trained numbers
    and takes `multiply_adds` for one digit. Of a cascade's first network, the best logit must
    lead by `margin` to be the answer.
    """

    build: Callable[[], nn.Sequential]
    recipe: Recipe
    weights: int
    multiply_adds: int
    margin: float = 0.0
