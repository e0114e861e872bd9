"""quick: the smallest convolutional network that a person would still call good."""

from __future__ import annotations

from torch import nn

from digitlens.digits import CLASSES
from digitlens.networks.recipe import Recipe

RECIPE = Recipe(
    epochs=1,
    batch=256,
    learning_rate=0.03,
    betas=(0.9, 0.95),
    weight_decay=0.05,
    smoothing=0.03,
    temperature=1.7,
    shift=1,
)
WEIGHTS = 159_498
MULTIPLY_ADDS = 554_240


def network() -> nn.Sequential:
    """Build the network: float (N, 1, 28, 28) in 0..1, 1 = ink -> logits (N, 10)."""
    return nn.Sequential(
        nn.Conv2d(1, 32, kernel_size=6, stride=3, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(inplace=True),
        nn.Conv2d(32, 32, kernel_size=3, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Linear(32 * 6 * 6, 128, bias=False),
        nn.BatchNorm1d(128),
        nn.ReLU(inplace=True),
        nn.Linear(128, CLASSES),
    )
