"""best: ten networks that answer together.

Measured: 24 test misses (99.76 %); its members alone 99.697 % +- 0.022 (`make bench-published`,
`benchmarks/seeds.py --members`, 2026-11-21); 40 minutes on two cores of an Intel Xeon with AMX,
two members at a time.

Each member is a plain convolutional network; they differ only in their seeds, and all of them
answer, none chosen by its score. The recipe was chosen on folds of writers.
"""

from __future__ import annotations

from torch import nn

from digitlens.digits import CLASSES
from digitlens.models.recipe import Recipe

RECIPE = Recipe(
    epochs=40,
    batch=256,
    learning_rate=0.008,
    weight_decay=0.05,
    label_smoothing=0.05,
    temperature=1.85,
    translate=2,
    rotate=12.0,
    scale=0.12,
    shear=0.15,
    elastic=0.4,
    degrade=0.0625,
    negatives=0.04,
    freeze_norm=0.2,
)
WEIGHTS = 409_451
MULTIPLY_ADDS = 9_701_952


def network() -> nn.Sequential:
    """Build one member: float (N, 1, 28, 28) in 0..1, 1 = ink -> logits (N, 11)."""
    return nn.Sequential(
        nn.Conv2d(1, 32, kernel_size=5, stride=2, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(inplace=True),
        nn.Conv2d(32, 64, kernel_size=3, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(inplace=True),
        nn.Conv2d(64, 96, kernel_size=3, bias=False),
        nn.BatchNorm2d(96),
        nn.ReLU(inplace=True),
        nn.Conv2d(96, 128, kernel_size=3, bias=False),
        nn.BatchNorm2d(128),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(128 * 3 * 3, 192, bias=False),
        nn.BatchNorm1d(192),
        nn.ReLU(inplace=True),
        nn.Linear(192, CLASSES + 1),
    )
