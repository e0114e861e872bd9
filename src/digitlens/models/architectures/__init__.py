"""The networks' layers, each with the recipe by which it is trained; one file a family."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from torch import nn

from digitlens.models.recipe import Recipe


@dataclass(frozen=True)
class Architecture:
    """A network's layers, and how it is trained.

    `build` gives it with fresh weights from torch's generator. It has `weights` trained numbers
    and takes `multiply_adds` for one digit. Of a cascade's first network, the best logit must
    lead by `margin` to be the answer. `recipes` are other ways to train it, by name.
    """

    build: Callable[[], nn.Sequential]
    recipe: Recipe
    weights: int
    multiply_adds: int
    margin: float = 0.0
    recipes: Mapping[str, Recipe] = field(default_factory=dict)


def conv_block(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> tuple[nn.Module, ...]:
    """Return a convolution without padding, batch normalization (its bias) and ReLU."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)


def dense_block(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    """Return a fully connected layer, batch normalization (its bias) and ReLU."""
    linear = nn.Linear(inputs, outputs, bias=False)
    return linear, nn.BatchNorm1d(outputs), nn.ReLU(inplace=True)


@contextmanager
def evaluation_mode(network: nn.Module) -> Iterator[None]:
    """Let `network` answer without dropout; behind the block each layer's mode is the old one.

    >>> network = nn.Sequential(nn.Dropout())
    >>> with evaluation_mode(network):
    ...     network.training
    False
    >>> network.training
    True
    """
    # A layer that is held fixed in a network that learns stays so.
    modes = [(layer, layer.training) for layer in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for layer, was_training in modes:
            layer.training = was_training
