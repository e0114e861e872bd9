"""Patterns: surfaces to refuse, none of them as simple as a digit."""

from __future__ import annotations

import numpy as np

from digitlens.synth.patterns import INK, MAKERS, draw_patterns


def test_half_of_the_patterns_fill_the_picture_and_half_the_box() -> None:
    """Every kind comes in both ways; in the box a margin of four pixels stays bare."""
    pictures = draw_patterns(2 * len(MAKERS), np.random.default_rng(1))
    whole, boxed = pictures[::2], pictures[1::2]
    assert all(picture[:4].any() and picture[-4:].any() for picture in whole)
    assert not boxed[:, :4].any()
    assert not boxed[:, :, -4:].any()
    assert (boxed >= INK).any(axis=(1, 2)).all()


def test_the_same_generator_draws_the_same_patterns() -> None:
    """Patterns depend on the generator alone."""
    one, two, other = (draw_patterns(16, np.random.default_rng(seed)) for seed in (2, 2, 3))
    assert (one == two).all()
    assert (one != other).any()
