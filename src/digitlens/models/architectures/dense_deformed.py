"""dense-deformed: fully connected layers only, trained on deformed digits.

Measured: 45 test misses (99.55 %), seed 0 (`make bench-published`, 2026-11-21); six minutes to
train on one core of an Intel Xeon with AMX.

The idea is that of Ciresan, Meier, Gambardella and Schmidhuber 2010 (Deep big simple neural
nets excel on handwritten digit recognition, Neural Computation 22 (12)): with digits bent anew
in each epoch, layers that know nothing of neighbourhood learn it. Theirs had 12 million weights
and 800 epochs.
"""

from __future__ import annotations

from torch import nn

from digitlens.digits import CLASSES, FEATURES
from digitlens.models.recipe import Recipe

RECIPE = Recipe(
    epochs=100,
    batch=256,
    learning_rate=0.004,
    weight_decay=0.02,
    temperature=1.85,
    translate=2,
    rotate=10.0,
    scale=0.12,
    shear=0.15,
    elastic=0.7,
    teacher="cnn",
)
WEIGHTS = 3_180_042
MULTIPLY_ADDS = 3_174_144


def network() -> nn.Sequential:
    """Build the network: float (N, 1, 28, 28) in 0..1, 1 = ink -> logits (N, 10)."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(FEATURES, 1536, bias=False),
        nn.BatchNorm1d(1536),
        nn.ReLU(inplace=True),
        nn.Linear(1536, 1024, bias=False),
        nn.BatchNorm1d(1024),
        nn.ReLU(inplace=True),
        nn.Linear(1024, 384, bias=False),
        nn.BatchNorm1d(384),
        nn.ReLU(inplace=True),
        nn.Linear(384, CLASSES),
    )
