"""What cameras do to pictures, for the benchmark."""

from __future__ import annotations

import numpy as np
import pytest

import camera


@pytest.mark.parametrize("name", camera.CHANGES)
@pytest.mark.parametrize("shape", [(40, 90), (40, 90, 3)])
def test_a_change_gives_another_picture_by_its_seed(name: str, shape: tuple[int, ...]) -> None:
    """A changed picture differs from what it was made of, and comes again by its seed."""
    picture = np.random.default_rng(3).integers(60, 250, shape).astype(np.uint8)
    one, same = (camera.CHANGES[name](picture, np.random.default_rng(4)) for _ in range(2))
    assert one.dtype == np.uint8
    assert one.ndim == (2 if name == "black and white" else picture.ndim)
    assert one.shape != picture.shape or (one != picture).any()
    assert (one == same).all()


def test_a_shadow_leaves_half_of_the_picture_as_it_is() -> None:
    """Of even paper a part keeps its light, and a part has a third of it."""
    paper = np.full((100, 100), 200, np.uint8)
    shaded = camera.shaded(paper, np.random.default_rng(0))
    assert shaded.max() >= 199
    assert abs(shaded.min() - 200 * camera.SHADOW) <= 2
