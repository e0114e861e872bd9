"""fast: a small network that answers where it is sure, and `cnn` behind it.

Measured: 35 test misses (99.65 %), seed 0 (`make bench-published`), 1.3 million digits/s (`make
bench-speed`, 2026-11-21, two cores of an Intel Xeon with AMX); four minutes to train.

The small one is fully connected, for its first layer then takes the pixels as the bytes they
are (`digitlens.models.fold`): no conversion, and products in whole numbers. A digit whose best
logit leads by less than `MARGIN` goes on to `cnn` (Viola and Jones 2001, Rapid object detection
using a boosted cascade of simple features). The margin was chosen on digits of held-back
writers.
"""

from __future__ import annotations

from torch import nn

from digitlens.digits import CLASSES, FEATURES
from digitlens.models.recipe import Recipe

RECIPE = Recipe(
    epochs=200,
    batch=256,
    learning_rate=0.006,
    weight_decay=0.02,
    temperature=1.85,
    translate=1,
    rotate=8.0,
    scale=0.1,
    shear=0.12,
    elastic=0.4,
    teacher="cnn",
)
MARGIN = 4.0
WEIGHTS = 218_378
MULTIPLY_ADDS = 217_728


def network() -> nn.Sequential:
    """Build the small network: float (N, 1, 28, 28) in 0..1, 1 = ink -> logits (N, 10)."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(FEATURES, 256, bias=False),
        nn.BatchNorm1d(256),
        nn.ReLU(inplace=True),
        nn.Linear(256, 64, bias=False),
        nn.BatchNorm1d(64),
        nn.ReLU(inplace=True),
        nn.Linear(64, CLASSES),
    )
