"""cnn: the network to use.

Measured: 36 test misses (99.64 %), seed 0 (`make bench-published`, 2026-11-21); 15 minutes to
train on one core of an Intel Xeon with AMX, most of which its teacher takes.

The layers of `convnet` with one output more, for what is no digit, taught by `best`: it learns
what ten larger networks answer together, on digits that it sees worn and they see clean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlens.digits import CLASSES
from digitlens.models.architectures import convnet
from digitlens.models.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn


RECIPE = Recipe(
    epochs=32,
    batch=256,
    learning_rate=0.012,
    weight_decay=0.05,
    temperature=1.85,
    translate=2,
    rotate=8.0,
    scale=0.08,
    shear=0.1,
    degrade=0.0625,
    negatives=0.06,
    reframe=0.4,
    freeze_norm=0.3,
    teacher="best",
)
WEIGHTS = 156_411
MULTIPLY_ADDS = 945_792


def network() -> nn.Sequential:
    """Build the network: float (N, 1, 28, 28) in 0..1, 1 = ink -> logits (N, 11)."""
    return convnet.network(outputs=CLASSES + 1)
