"""A small recipe, and digits to write lines with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from digitlens.digits import Digits
from digitlens.models.recipe import LineRecipe
from digitlens.synth import Glyphs, prepare_glyphs


@pytest.fixture(scope="session")
def glyphs(make_digits: Callable[..., Digits]) -> Glyphs:
    """Return made-up digits, ready to write with."""
    return prepare_glyphs(make_digits(200, seed=3))


@pytest.fixture(scope="session")
def recipe() -> LineRecipe:
    """Return a recipe of seconds: a small network and few, small batches."""
    return LineRecipe(
        steps=8,
        batch=2,
        warmup_steps=2,
        decay_steps=3,
        frame_loss_steps=4,
        eval_every=4,
        widths=(4, 6, 8, 8),
        style="clean",
    )
