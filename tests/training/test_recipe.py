"""Recipes: learning rates, and what becomes of them with few digits."""

from __future__ import annotations

from itertools import pairwise

import pytest

from digitlens import models
from digitlens.models.recipe import STEPS, Recipe
from digitlens.training.trainer import steps_in

RECIPE = Recipe(epochs=2, batch=256, learning_rate=0.02, warmup=0.25)


def test_the_learning_rate_rises_then_falls_to_near_zero() -> None:
    """It peaks at the end of the warm-up at the recipe's rate, and nowhere exceeds it."""
    rates = [RECIPE.rate_at(step, 100) for step in range(100)]
    peak = rates.index(max(rates))
    assert 24 <= peak <= 25
    assert max(rates) == pytest.approx(0.02)
    assert all(a < b for a, b in pairwise(rates[:25]))
    assert all(a > b for a, b in pairwise(rates[25:]))
    assert 0 < rates[-1] < 0.001


@pytest.mark.parametrize("warmup", [0.0, 1.0])
def test_a_recipe_may_only_rise_or_only_fall(warmup: float) -> None:
    """The extremes of the warm-up give rates that are positive and at most the highest."""
    recipe = Recipe(epochs=1, batch=1, learning_rate=0.5, warmup=warmup)
    assert all(0 < recipe.rate_at(step, 10) <= 0.5 for step in range(10))


def test_enough_digits_leave_the_recipe_as_it_is() -> None:
    """From 10,000 digits on the published recipe is what is trained."""
    assert RECIPE.fitted(10_000) is RECIPE


@pytest.mark.parametrize("name", list(models.NETWORKS))
@pytest.mark.parametrize("count", [1, 15, 40, 300, 1_293, 9_999])
def test_few_digits_are_given_steps_enough(name: str, count: int) -> None:
    """With few digits the steps are at least `STEPS`, in batches that the digits can fill."""
    recipe = models.load_recipe(name).fitted(count)
    batch, steps = steps_in(count, recipe)
    assert batch == recipe.batch <= count
    assert steps * recipe.epochs >= STEPS
    assert recipe.learning_rate <= models.load_recipe(name).learning_rate
