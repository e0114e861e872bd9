"""A map of digits: the numbers before a network's last layer, seen from their widest side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitlens.explain.explanation import round_values
from digitlens.server.schemas import DigitMap

if TYPE_CHECKING:
    from digitlens.digits import Digits
    from digitlens.explain.inspection import InspectedModel

# Digits on the map: more would hide each other.
MAX_POINTS = 900


def draw_map(inspected: InspectedModel, digits: Digits, network: str) -> DigitMap:
    """Return where digits lie in the space of the last hidden layer, by principal components.

    Of a file with several networks the first is taken. A digit lies at ``components @ (values
    - mean)``, where values are what layer ``layer`` gives (of maps, row after row); with one
    layer they are the pixels, 0..255.
    """
    index = np.unique(np.linspace(0, len(digits) - 1, MAX_POINTS).round().astype(int))
    images = digits.images[index]
    layers = inspected.list_layers(0)
    values = inspected.activations(images)
    hidden = values[-2] if len(layers) > 1 else images.astype(np.float32)
    vectors = hidden.reshape(len(index), -1).astype(np.float64)
    mean = vectors.mean(axis=0)
    _, spread, axes = np.linalg.svd(vectors - mean, full_matrices=False)
    # The sign of an axis is a matter of the library: the largest part is made positive.
    axes = axes[:2] * np.sign(np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)[:2])
    points = (vectors - mean) @ axes.T
    variance = np.square(spread)
    return DigitMap(
        network=network,
        source=digits.source,
        layer=len(layers) - 1,
        share=round(float(variance[:2].sum() / max(variance.sum(), 1e-12)), 4),
        mean=round_values(mean),
        components=round_values(axes),
        points=round_values(points),
        labels=digits.labels[index].tolist(),
        answers=values[-1][:, :10].argmax(axis=1).tolist(),
        index=index.tolist(),
    )
