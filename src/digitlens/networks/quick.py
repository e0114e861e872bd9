"""quick: the smallest convolutional network that a person would still call good."""

from __future__ import annotations

from torch import nn

from digitlens.digits import CLASSES
from digitlens.networks.recipe import Recipe

RECIPE = Recipe(epochs=2, batch=256, learning_rate=0.012, shift=1)
WEIGHTS = 57_082
MULTIPLY_ADDS = 224_640


def network() -> nn.Sequential:
    """Build the network: float (N, 1, 28, 28) in 0..1, 1 = ink -> logits (N, 10)."""
    return nn.Sequential(
        nn.Conv2d(1, 16, kernel_size=5, stride=2, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, kernel_size=3, stride=2, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 5 * 5, 64, bias=False),
        nn.BatchNorm1d(64),
        nn.ReLU(),
        nn.Linear(64, CLASSES),
    )
