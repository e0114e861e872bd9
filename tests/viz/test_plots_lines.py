"""The plot of a line reader's training."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from digitlens.metrics.history import LinePoint
from digitlens.viz.canvas import TRAINING, VALIDATION
from digitlens.viz.plot_history import line_history


def course(points: int, validation: int) -> list[LinePoint]:
    """Return the points of a training that goes well."""
    return [
        LinePoint(
            1000 * index, 3 / index, 0.002, 130.0, 490.0, validation // (index + 1), validation
        )
        for index in range(1, points + 1)
    ]


def has(png: bytes, color: str) -> bool:
    """Say whether the colour, such as ``#0072b2``, stands on a picture."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).reshape(-1, 3)
    wanted = [int(color[index : index + 2], 16) for index in (1, 3, 5)]
    return bool((pixels == wanted).all(1).any())


@pytest.mark.parametrize("points", [1, 3, 60])
def test_a_training_of_any_length_is_drawn(points: int) -> None:
    """From one point on there are both curves, on a sheet of the size that is said."""
    png = line_history(course(points, 1024), title="reader-1")
    assert Image.open(io.BytesIO(png)).size == (1575, 645)
    assert has(png, TRAINING)
    assert has(png, VALIDATION)


def test_nothing_held_back_is_one_curve() -> None:
    """Without lines that were read there is the loss alone."""
    png = line_history(course(5, 0))
    assert has(png, TRAINING)
    assert not has(png, VALIDATION)
