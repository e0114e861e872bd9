"""Laws of the changes that make pictures worse."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from digitlens.metrics.robustness import CORRUPTIONS, Corruption

PICTURES = st.integers(0, 3).flatmap(
    lambda count: arrays.arrays(
        np.uint8, (count, 28, 28), elements=st.sampled_from([0, 9, 255])
    )
)


@given(PICTURES, st.sampled_from(CORRUPTIONS), st.floats(0, 1), st.integers(0, 9))
def test_any_picture_can_be_changed_by_any_strength(
    images: np.ndarray, family: Corruption, share: float, seed: int
) -> None:
    """Shape and dtype stay, what was given is untouched, and the same again gives the same."""
    before, strength = images.copy(), share * family.strengths[-1]
    changed = family.apply(strength, images, seed=seed)
    assert (changed.shape, changed.dtype) == (images.shape, np.uint8)
    assert np.array_equal(images, before)
    assert np.array_equal(changed, family.apply(strength, images, seed=seed))


@given(PICTURES, st.integers(0, 9))
def test_a_picture_is_changed_by_itself(images: np.ndarray, seed: int) -> None:
    """What becomes of the first picture does not depend on what the others show."""
    for family in CORRUPTIONS:
        strength = family.strengths[2]
        whole = family.apply(strength, images, seed=seed)
        others = np.concatenate([images[:1], 255 - images[1:]])
        assert np.array_equal(whole[:1], family.apply(strength, others, seed=seed)[:1])
